//! Returns over the API: goods come back, with their order or without it.

mod claim;
mod exchange;
mod label;
mod policy;
mod reason;
mod request;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::returns::Condition;
use domain::value;
use domain::value::id::{self, Location, OrderLine, Variant};
use domain::value::{Currency, Id, Money, Quantity, Reference};
use engine::returns::{self, Back, BackLine, Blind, BlindLine, LINES_MAX, Wish};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::{ReturnShape, read_wish};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::order::named;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a reason.
const REASON_LENGTH_MAX: usize = 200;

/// The routes of returns.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(return_order, list_order_returns))
        .routes(routes!(return_goods, list_returns))
        .routes(routes!(get_return))
        .merge(claim::routes())
        .merge(request::routes())
        .merge(exchange::routes())
        .merge(label::routes())
        .merge(policy::routes())
        .merge(reason::routes())
}

/// Goods of an order that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderReturn, example = json!({"location": "leeds", "reason": "too small", "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1, "condition": "resellable"}]}))]
struct NewReturnShape {
    /// Where they come back to: id or external id.
    location: String,
    /// Why: a reason's code, or words.
    reason: String,
    /// What comes back, 1 to 2,000 lines.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewReturnLineShape>,
    /// How the money shall be given back: `original`, `store_credit`, `gift_card` or `cash`; the policy's first way when not given.
    means: Option<String>,
    /// Why the policy shall not count: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

impl NewReturnShape {
    /// What is asked, as a command's input once order and location are found.
    fn read(self, fields: &mut Fields) -> Option<Brought> {
        bounded(fields, self.lines.len());
        let reason = reason(fields, &self.reason);
        let external_id = external(fields, self.external_id);
        let wish = read_wish(fields, self.means.as_deref(), self.override_reason.as_deref());
        let read = |(place, line): (usize, &NewReturnLineShape)| {
            fields.within(format!("lines.{place}"), |fields| {
                let (id, condition): (Option<Id<OrderLine>>, _) =
                    (fields.id("line", &line.line), condition(fields, &line.condition));
                Some(BackLine { line: id?, quantity: line.quantity, condition: condition? })
            })
        };
        let lines = self.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
        let location = Reference::read(&self.location);
        Some(Brought { location, reason: reason?, lines, wish: wish?, external_id: external_id? })
    }
}

/// Goods of an order that come back, their location still by name.
#[derive(Clone)]
struct Brought {
    location: Reference<Location>,
    reason: String,
    lines: Vec<BackLine>,
    wish: Wish,
    external_id: Option<String>,
}

impl Brought {
    fn of(&self, tx: &mut Tx<'_>, order: &Reference<id::Order>) -> Result<Back, Failure> {
        Ok(Back {
            order: external::resolve(tx, order)?,
            location: external::resolve_at(tx, "location", &self.location)?,
            reason: self.reason.clone(),
            lines: self.lines.clone(),
            wish: self.wish.clone(),
            external_id: self.external_id.clone(),
        })
    }
}

/// Goods of an order line that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderReturnLine)]
struct NewReturnLineShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition: `resellable`, `inspect`, `damaged`, `scrap`, or `kept` when the customer keeps them.
    condition: String,
}

fn condition(fields: &mut Fields, text: &str) -> Option<Condition> {
    fields.take("condition", Condition::named(text).ok_or("give resellable, inspect, damaged, scrap or kept"))
}

fn reason(fields: &mut Fields, text: &str) -> Option<String> {
    fields.take("reason", value::text::bounded("reason", text, 1, REASON_LENGTH_MAX))
}

fn external(fields: &mut Fields, text: Option<String>) -> Option<Option<String>> {
    fields.take_if("external_id", text, |text| value::reference::external_id::<id::Return>(&text))
}

fn bounded(fields: &mut Fields, lines: usize) {
    if lines == 0 || lines > LINES_MAX {
        fields.refuse("lines", format!("give 1 to {LINES_MAX} lines"));
    }
}

/// Take goods of an order back, at any location that takes returns
#[utoipa::path(post, path = "/v1/orders/{order}/returns", operation_id = "return_order", tag = "returns", request_body = NewReturnShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 201, body = ReturnShape), Problems))]
async fn return_order(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<NewReturnShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let asked = command.body.read(&mut fields);
    let (asked, order) = (fields.done(asked)?, named(&order));
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let input = asked.of(tx, &order)?;
        let taken = returns::take_back(tx, actor, world, input)?;
        Reply::json(&ReturnShape::whole(tx, &taken)?)
    })
    .await
}

/// Goods that come back without a known order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturn, example = json!({"location": "leeds", "reason": "gift", "currency": "GBP", "lines": [{"variant": "84029G", "quantity": 1, "condition": "resellable", "refund": 399}]}))]
struct NewBlindShape {
    /// Where they come back to: id or external id.
    location: String,
    /// Why, in the retailer's words.
    reason: String,
    /// ISO 4217.
    currency: String,
    /// What comes back, 1 to 2,000 lines.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewBlindLineShape>,
    /// Who brings them, if a customer is known: id or external id.
    customer: Option<String>,
    /// How the money shall be given back: `original`, `store_credit`, `gift_card` or `cash`; the policy's first way when not given.
    means: Option<String>,
    /// Why the policy shall not count: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

/// Goods of one variant that come back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturnLine)]
struct NewBlindLineShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// In which condition: `resellable`, `inspect`, `damaged`, `scrap` or `kept`.
    condition: String,
    /// What is given back for all of them by hand, in minor units.
    #[schema(minimum = 0, maximum = 10_000_000_000_000i64)]
    refund: i64,
}

/// A line that was read, its variant still by name.
#[derive(Clone)]
struct Named {
    variant: Reference<Variant>,
    quantity: Quantity,
    condition: Condition,
    refund: i64,
}

/// Take goods back whose order is not known
#[utoipa::path(post, path = "/v1/returns", operation_id = "return_goods", tag = "returns", request_body = NewBlindShape,
    params(KeyRequired),
    responses((status = 201, body = ReturnShape), Problems))]
async fn return_goods(State(app): State<App>, command: Command<NewBlindShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let mut fields = Fields::new();
    bounded(&mut fields, body.lines.len());
    let why = reason(&mut fields, &body.reason);
    let currency = fields.take("currency", Currency::parse(&body.currency));
    let external_id = external(&mut fields, body.external_id);
    let read = |(place, line): (usize, &NewBlindLineShape)| {
        fields.within(format!("lines.{place}"), |fields| {
            let (quantity, condition) =
                (fields.take("quantity", Quantity::new(line.quantity)), condition(fields, &line.condition));
            if !(0..=Money::MAX).contains(&line.refund) {
                fields.refuse("refund", "give 0 or more minor units");
            }
            Some(Named {
                variant: Reference::read(&line.variant),
                quantity: quantity?,
                condition: condition?,
                refund: line.refund,
            })
        })
    };
    let lines: Vec<Named> = body.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
    let wish = read_wish(&mut fields, body.means.as_deref(), body.override_reason.as_deref());
    let read = why.zip(currency).zip(external_id).zip(wish);
    let (((reason, currency), external_id), wish) = fields.done(read)?;
    let location = Reference::<Location>::read(&body.location);
    let customer = body.customer.map(|text| Reference::<id::Customer>::read(&text));
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let found = lines.iter().enumerate().map(|(place, line)| {
            let variant =
                engine::catalogue::resolve_variant(tx, &format!("lines.{place}.variant"), &line.variant)?;
            Ok::<_, engine::Failure>(BlindLine {
                variant,
                quantity: line.quantity.units(),
                condition: line.condition,
                refund: line.refund,
            })
        });
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let location = external::resolve_at(tx, "location", &location)?;
        let customer = customer.as_ref().map(|one| external::known_at(tx, "customer", one)).transpose()?;
        let input = Blind {
            location,
            reason: reason.clone(),
            currency,
            lines: found,
            customer,
            wish: wish.clone(),
            external_id: external_id.clone(),
        };
        let taken = returns::take_back_blind(tx, actor, world, input)?;
        Reply::json(&ReturnShape::whole(tx, &taken)?)
    })
    .await
}

/// Read a return
#[utoipa::path(get, path = "/v1/returns/{return}", operation_id = "get_return", tag = "returns",
    params(("return" = String, Path, description = "Id or external id")), responses((status = 200, body = ReturnShape), Problems))]
async fn get_return(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let one = Reference::<id::Return>::read(&one);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &one)?;
            let found = returns::read(tx, &actor, id)?;
            ReturnShape::whole(tx, &found)
        })
        .await?;
    document(&found, None)
}

/// The returns of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderReturns)]
struct ReturnsShape {
    /// Each, in the order they came.
    items: Vec<ReturnShape>,
}

/// List the returns of an order
#[utoipa::path(get, path = "/v1/orders/{order}/returns", operation_id = "list_order_returns", tag = "returns",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = ReturnsShape), Problems))]
async fn list_order_returns(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order = named(&order);
    let found = app
        .read(move |tx| {
            let id = external::resolve(tx, &order)?;
            returns::of_order(tx, &actor, id)
        })
        .await?;
    document(&ReturnsShape { items: found.iter().map(ReturnShape::from).collect() }, None)
}

/// List returns, the newest first
#[utoipa::path(get, path = "/v1/returns", operation_id = "list_returns", tag = "returns", params(PageQuery),
    responses((status = 200, body = Page<ReturnShape>), Problems))]
async fn list_returns(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let list = move |tx: &mut Tx<'_>, before, limit| returns::list(tx, &actor, before, limit);
    page.newest(&app, list, |one: &ReturnShape| one.id.clone()).await
}
