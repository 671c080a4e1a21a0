//! Returns that are announced, over the API: quoted, asked for, decided, received, looked at, paid, closed.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Actor;
use domain::returns::{Condition, Way};
use domain::value::id::{self, Location, OrderLine, ReturnLine, Variant};
use domain::value::{Id, Quantity, Reference};
use engine::returns::judge::{self, Judged};
use engine::returns::request::{self, Arrival, Request};
use engine::returns::{LINES_MAX, Return, Wish};
use engine::{Failure, World, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::{ReturnShape, read_wish};
use crate::App;
use crate::app::Reply;
use crate::command::{Command, KeyRequired};
use crate::order::money;
use crate::problem::{Problem, Problems};
use crate::shape::{Fields, MoneyShape};

/// The routes of announced returns.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(quote_return))
        .routes(routes!(request_return))
        .routes(routes!(approve_return))
        .routes(routes!(decline_return))
        .routes(routes!(receive_return))
        .routes(routes!(inspect_return))
        .routes(routes!(refund_return))
        .routes(routes!(close_return))
}

/// Goods that shall come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnRequest, example = json!({"order": "ord_01jd0000000000000000000000", "way": "post", "reason": "too_small",
    "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1}]}))]
struct RequestShape {
    /// The order: id or external id.
    order: String,
    /// How they come back: `post` or `store`; `counter` to see what a take-back at the counter would give.
    way: String,
    /// Where they go: id or external id; the best place when not given.
    location: Option<String>,
    /// Why: a reason's code, or words of up to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// What, 1 to 2,000 lines.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<RequestLineShape>,
    /// How the money shall be given back: `original`, `store_credit`, `gift_card` or `cash`; the policy's first way when not given.
    means: Option<String>,
    /// Why the policy shall not count: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

/// Goods of an order line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnRequestLine)]
struct RequestLineShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition, as far as it is known: `resellable`, `inspect`, `damaged`, `scrap` or `kept`.
    condition: Option<String>,
}

/// A request that was read, what it names still by reference.
#[derive(Clone)]
struct Asked {
    order: Reference<id::Order>,
    location: Option<Reference<Location>>,
    way: Way,
    reason: String,
    lines: Vec<judge::Asked>,
    wish: Wish,
    external_id: Option<String>,
}

impl RequestShape {
    fn read(self) -> Result<Asked, domain::Refusal> {
        let mut fields = Fields::new();
        super::bounded(&mut fields, self.lines.len());
        let way = fields.take("way", Way::parse(&self.way));
        let reason = super::reason(&mut fields, &self.reason);
        let wish = read_wish(&mut fields, self.means.as_deref(), self.override_reason.as_deref());
        let external_id = super::external(&mut fields, self.external_id);
        let read = |(place, line): (usize, &RequestLineShape)| {
            fields.within(format!("lines.{place}"), |fields| {
                let id: Option<Id<OrderLine>> = fields.id("line", &line.line);
                let quantity = fields.take("quantity", Quantity::new(line.quantity));
                let condition = fields.take_if("condition", line.condition.as_deref(), Condition::parse);
                Some(judge::Asked { line: id?, quantity: quantity?.units(), condition: condition? })
            })
        };
        let lines = self.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
        let read = way.zip(reason).zip(wish).zip(external_id);
        let (((way, reason), wish), external_id) = fields.done(read)?;
        let location = self.location.as_deref().map(Reference::read);
        Ok(Asked { order: Reference::read(&self.order), location, way, reason, lines, wish, external_id })
    }
}

impl Asked {
    fn of(&self, tx: &mut Tx<'_>) -> Result<Request, Failure> {
        let location = self.location.as_ref();
        Ok(Request {
            order: external::resolve_at(tx, "order", &self.order)?,
            way: self.way,
            location: location.map(|one| external::resolve_at(tx, "location", one)).transpose()?,
            reason: self.reason.clone(),
            lines: self.lines.clone(),
            wish: self.wish.clone(),
            external_id: self.external_id.clone(),
        })
    }
}

/// What would be given back, and what the policies say of each line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnQuote)]
struct QuoteShape {
    /// Where the goods would go.
    location: String,
    /// What would be given back: the goods and the delivery, less fee and postage.
    refund: MoneyShape,
    /// What would be kept as a fee.
    fee: MoneyShape,
    /// What would be kept for the label.
    postage: MoneyShape,
    /// What of the refund is for the delivery.
    delivery: MoneyShape,
    /// May all of it come back?
    allowed: bool,
    /// What the policies say of each line, in the order asked.
    lines: Vec<RulingShape>,
}

/// What a policy says of some goods, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnRuling)]
struct RulingShape {
    /// The order line.
    line: String,
    /// How many base units.
    quantity: i64,
    /// What they are worth.
    value: MoneyShape,
    /// What is kept of it as a fee.
    fee: MoneyShape,
    /// Until when they may come back; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// How the money is given back.
    means: &'static str,
    /// The other ways there are.
    other_means: Vec<&'static str>,
    /// May the customer keep the goods?
    kept: bool,
    /// When the money is given back: `before_receipt`, `after_receipt` or `after_inspection`.
    when: &'static str,
    /// The policy that was asked; absent where none is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// What the policy holds against it; nothing when the goods may come back.
    objections: Vec<ObjectionShape>,
}

/// What a policy holds against a return.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnObjection)]
struct ObjectionShape {
    /// `window_over`, `final_sale`, `condition_not_accepted`, `receipt_needed`, `too_many_returns`, `too_much_value` or `means_not_allowed`.
    code: &'static str,
    /// In words.
    message: String,
}

impl QuoteShape {
    fn of(one: &Return, judged: &[Judged]) -> QuoteShape {
        let amount = |minor| money(minor, one.currency);
        let line = |judged: &Judged| RulingShape {
            line: judged.line.id.to_string(),
            quantity: judged.quantity,
            value: amount(judged.value),
            fee: amount(judged.ruling.fee),
            until: judged.ruling.until.map(|until| until.to_string()),
            means: judged.ruling.means.text(),
            other_means: judged.ruling.others.iter().map(|means| means.text()).collect(),
            kept: judged.ruling.kept,
            when: judged.terms.when.text(),
            policy: judged.policy.map(|(policy, _)| policy.to_string()),
            objections: judged
                .ruling
                .objections
                .iter()
                .map(|(code, message)| ObjectionShape { code: code.text(), message: message.clone() })
                .collect(),
        };
        QuoteShape {
            location: one.location.to_string(),
            refund: amount(one.refund),
            fee: amount(one.fee),
            postage: amount(one.postage),
            delivery: amount(one.delivery),
            allowed: judged.iter().all(|judged| judged.ruling.objections.is_empty()),
            lines: judged.iter().map(line).collect(),
        }
    }
}

/// See what may come back of an order, until when, at what fee, and how the money is given back
///
/// Nothing is changed. The same rules decide when the return is asked for or brought to the counter.
#[utoipa::path(post, path = "/v1/returns/quotes", operation_id = "quote_return", tag = "returns", request_body = RequestShape,
    responses((status = 200, body = QuoteShape), Problems))]
async fn quote_return(State(app): State<App>, command: Command<RequestShape>) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let input = asked.of(tx)?;
        let (one, judged) = request::quote(tx, actor, world, &input)?;
        Reply::json(&QuoteShape::of(&one, &judged))
    })
    .await
}

/// Ask to bring or send goods of an order back
///
/// Approved at once where the policy says so or a colleague asks; by post with a label.
#[utoipa::path(post, path = "/v1/returns/requests", operation_id = "request_return", tag = "returns", request_body = RequestShape,
    params(KeyRequired), responses((status = 201, body = ReturnShape), Problems))]
async fn request_return(State(app): State<App>, command: Command<RequestShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let input = asked.of(tx)?;
        let one = request::request(tx, actor, world, input)?;
        Reply::json(&ReturnShape::whole(tx, &one)?)
    })
    .await
}

/// Does something with a return named in the path and answers it as it stands afterwards.
async fn step(
    app: App,
    request: engine::Request,
    one: &str,
    mut step: impl FnMut(&mut Tx<'_>, &Actor, &mut World, Id<id::Return>) -> Result<Return, Failure>
    + Send
    + 'static,
) -> Result<Response, Problem> {
    let reference = Reference::<id::Return>::read(one);
    app.perform(request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let one = step(tx, actor, world, id)?;
        Reply::json(&ReturnShape::whole(tx, &one)?)
    })
    .await
}

/// Approve a return that was asked for
#[utoipa::path(post, path = "/v1/returns/{return}/approve", operation_id = "approve_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn approve_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, |tx, actor, world, id| request::decide(tx, actor, world, id, true)).await
}

/// Decline a return that was asked for
#[utoipa::path(post, path = "/v1/returns/{return}/decline", operation_id = "decline_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn decline_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, |tx, actor, world, id| request::decide(tx, actor, world, id, false))
        .await
}

/// Give the money back for what is here of a return, without waiting for the rest
#[utoipa::path(post, path = "/v1/returns/{return}/refund", operation_id = "refund_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn refund_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, request::refund).await
}

/// Close a return: the customer keeps the goods, or everything is done
#[utoipa::path(post, path = "/v1/returns/{return}/close", operation_id = "close_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn close_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, request::close).await
}

/// What arrived of a return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnArrival, example = json!({"location": "york", "lines": [{"line": "rln_01jd0000000000000000000000", "quantity": 1, "condition": "resellable"}]}))]
struct ArrivalShape {
    /// Where, whatever was announced: id or external id.
    location: String,
    /// How many of which lines, at most 2,000.
    #[schema(max_items = 2000)]
    lines: Vec<GradedLineShape>,
    /// What came that was not announced; it waits for inspection.
    #[serde(default)]
    #[schema(max_items = 2000)]
    others: Vec<OtherShape>,
    /// Does nothing more come?
    #[serde(default)]
    complete: bool,
}

/// Goods of a return's line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnArrivalLine)]
struct GradedLineShape {
    /// The return line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition, if somebody looked: `resellable`, `damaged` or `scrap`; else they wait for inspection.
    condition: Option<String>,
}

/// Goods that were not announced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnOther)]
struct OtherShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

type Graded = Vec<(Id<ReturnLine>, i64, Option<Condition>)>;

fn graded(fields: &mut Fields, lines: &[GradedLineShape]) -> Graded {
    if lines.len() > LINES_MAX {
        fields.refuse("lines", format!("give at most {LINES_MAX} lines"));
    }
    let read = |(place, line): (usize, &GradedLineShape)| {
        fields.within(format!("lines.{place}"), |fields| {
            let id = fields.id("line", &line.line);
            let quantity = fields.take("quantity", Quantity::new(line.quantity));
            let condition = fields.take_if("condition", line.condition.as_deref(), Condition::parse);
            Some((id?, quantity?.units(), condition?))
        })
    };
    lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect()
}

/// Take in what arrived of a return, in part or wholly
///
/// Goods in a known condition go where it says, others wait for inspection. The money follows when the policy says.
#[utoipa::path(post, path = "/v1/returns/{return}/receive", operation_id = "receive_return", tag = "returns", request_body = ArrivalShape,
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn receive_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<ArrivalShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    let lines = graded(&mut fields, &body.lines);
    if body.others.len() > LINES_MAX {
        fields.refuse("others", format!("give at most {LINES_MAX}"));
    }
    let others = fields.each("others", &body.others, |fields, other| {
        let quantity = fields.take("quantity", Quantity::new(other.quantity))?;
        Some((Reference::<Variant>::read(&other.variant), quantity.units()))
    });
    let others = fields.done(others)?;
    let (location, complete) = (Reference::<Location>::read(&body.location), body.complete);
    step(app, command.request, &one, move |tx, actor, world, id| {
        let mut found = Vec::with_capacity(others.len());
        for (place, (variant, quantity)) in others.iter().enumerate() {
            let field = format!("others.{place}.variant");
            found.push((engine::catalogue::resolve_variant(tx, &field, variant)?, *quantity));
        }
        let location = external::resolve_at(tx, "location", &location)?;
        let arrival = Arrival { id, location, lines: lines.clone(), others: found, complete };
        request::receive(tx, actor, world, arrival)
    })
    .await
}

/// What was looked at of a return.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnInspection, example = json!({"lines": [{"line": "rln_01jd0000000000000000000000", "quantity": 1, "condition": "damaged"}]}))]
struct InspectionShape {
    /// How many of which lines in which condition, at most 2,000.
    #[schema(max_items = 2000)]
    lines: Vec<GradedLineShape>,
    /// Why goods are taken in a condition the policy does not take: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
}

/// Grade goods of a return that waited for inspection
#[utoipa::path(post, path = "/v1/returns/{return}/inspect", operation_id = "inspect_return", tag = "returns", request_body = InspectionShape,
    params(("return" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ReturnShape), Problems))]
async fn inspect_return(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<InspectionShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let lines = graded(&mut fields, &command.body.lines);
    for (place, _) in lines.iter().enumerate().filter(|(_, (_, _, condition))| condition.is_none()) {
        fields.refuse(&format!("lines.{place}.condition"), "give resellable, damaged or scrap");
    }
    let why = fields.take_if("override_reason", command.body.override_reason.as_deref(), |why| {
        domain::value::text::bounded("override_reason", why, 1, 200)
    });
    let why = fields.done(why)?;
    let lines: Vec<_> = lines
        .into_iter()
        .filter_map(|(line, quantity, condition)| Some((line, quantity, condition?)))
        .collect();
    step(app, command.request, &one, move |tx, actor, world, id| {
        request::inspect(tx, actor, world, (id, lines.clone()), why.clone())
    })
    .await
}
