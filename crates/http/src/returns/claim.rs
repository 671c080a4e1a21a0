//! Claims over the API: goods that were lost, came damaged or wrong are claimed, decided, made good, and settled with the carrier.

mod resolve;
mod shape;
pub(super) mod terms;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::actor::Actor;
use domain::returns::claim::{Kind, Remedy, State as Standing};
use domain::value::id::{self, OrderLine, Parcel};
use domain::value::{Id, Quantity, Reference, reference, text};
use engine::returns::LINES_MAX;
use engine::returns::claim::{self, Claim, Request, Wanted};
use engine::{Failure, World, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::shape::ClaimShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::order::named;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a reason or a reference to evidence.
const LENGTH_MAX: usize = 200;

/// The routes of claims.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request_claim, list_claims))
        .routes(routes!(read_claim))
        .routes(routes!(list_order_claims))
        .routes(routes!(approve_claim))
        .routes(routes!(decline_claim))
        .routes(routes!(withdraw_claim))
        .merge(resolve::routes())
}

/// What is wrong with goods of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaim, example = json!({"order": "ord_01jd0000000000000000000000", "kind": "damaged", "reason": "damaged", "evidence": "photos 4711 and 4712",
    "wished": "replacement", "lines": [{"line": "oln_01jd0000000000000000000000", "quantity": 1}]}))]
struct NewClaimShape {
    /// The order: id or external id.
    order: String,
    /// What is wrong: `lost`, `damaged`, `wrong_goods`, `missing_pieces` or `faulty`.
    kind: String,
    /// The parcel the goods were in, for lost and damaged goods; it must be named for lost goods that left in a parcel.
    parcel: Option<String>,
    /// Why: a reason's code, or words of up to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// Where photos and notes are found: a reference, nothing about a person.
    #[schema(max_length = 200)]
    evidence: Option<String>,
    /// What, 1 to 2,000 lines, each once.
    #[schema(min_items = 1, max_items = 2000)]
    lines: Vec<NewClaimLineShape>,
    /// How it is wished to be made good: `refund`, `replacement` or `send_back`.
    wished: Option<String>,
    /// Why the policy shall not count: for who may override policies.
    #[schema(max_length = 200)]
    override_reason: Option<String>,
    /// The retailer's own id for it.
    external_id: Option<String>,
}

/// Goods of an order line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewClaimLine)]
struct NewClaimLineShape {
    /// The order line's id.
    line: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

/// A text of at most [`LENGTH_MAX`] characters that may be left out.
fn short(fields: &mut Fields, field: &'static str, given: Option<&str>) -> Option<Option<String>> {
    fields.take_if(field, given, |given| text::bounded(field, given, 1, LENGTH_MAX))
}

impl NewClaimShape {
    /// What is claimed, once its order is found.
    fn read(self) -> Result<impl Fn(Id<id::Order>) -> Request, domain::Refusal> {
        let mut fields = Fields::new();
        super::bounded(&mut fields, self.lines.len());
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let parcel = fields.take_if("parcel", self.parcel.as_deref(), Id::<Parcel>::parse);
        let reason = super::reason(&mut fields, &self.reason);
        let evidence = short(&mut fields, "evidence", self.evidence.as_deref());
        let wished = fields.take_if("wished", self.wished.as_deref(), Remedy::parse);
        let why = short(&mut fields, "override_reason", self.override_reason.as_deref());
        let external_id = fields
            .take_if("external_id", self.external_id, |text| reference::external_id::<id::Claim>(&text));
        let read = |(place, line): (usize, &NewClaimLineShape)| {
            fields.within(format!("lines.{place}"), |fields| {
                let id: Option<Id<OrderLine>> = fields.id("line", &line.line);
                let quantity = fields.take("quantity", Quantity::new(line.quantity));
                Some((id?, quantity?.units()))
            })
        };
        let lines: Vec<_> = self.lines.iter().take(LINES_MAX).enumerate().filter_map(read).collect();
        let read = kind.zip(parcel).zip(reason).zip(evidence).zip(wished).zip(why).zip(external_id);
        let ((((((kind, parcel), reason), evidence), wished), override_reason), external_id) =
            fields.done(read)?;
        let request = move |order| Request {
            order,
            kind,
            parcel,
            reason: reason.clone(),
            evidence: evidence.clone(),
            lines: lines.clone(),
            wished,
            override_reason: override_reason.clone(),
            external_id: external_id.clone(),
        };
        Ok(request)
    }
}

/// Claim goods of an order: lost, damaged, another article, pieces missing, faulty
///
/// Approved at once when a colleague asks or where the policy's rule suffices; then it is also made good as is wished, where nobody has
/// to decide.
#[utoipa::path(post, path = "/v1/claims", operation_id = "request_claim", tag = "returns", request_body = NewClaimShape,
    params(KeyRequired), responses((status = 201, body = ClaimShape), Problems))]
async fn request_claim(State(app): State<App>, command: Command<NewClaimShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let order = Reference::read(&command.body.order);
    let request = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let input = request(external::resolve_at(tx, "order", &order)?);
        Reply::json(&ClaimShape::from(&claim::request(tx, actor, world, input)?))
    })
    .await
}

/// Does something with a claim named in the path and answers it as it stands afterwards.
async fn step(
    app: App,
    request: engine::Request,
    one: &str,
    mut step: impl FnMut(&mut Tx<'_>, &Actor, &mut World, Id<id::Claim>) -> Result<Claim, Failure>
    + Send
    + 'static,
) -> Result<Response, Problem> {
    let reference = Reference::<id::Claim>::read(one);
    app.perform(request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        Reply::json(&ClaimShape::from(&step(tx, actor, world, id)?))
    })
    .await
}

/// Approve a claim
///
/// What a carrier is liable for is claimed from it, and a lost parcel is given up.
#[utoipa::path(post, path = "/v1/claims/{claim}/approve", operation_id = "approve_claim", tag = "returns",
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn approve_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, |tx, actor, world, id| claim::decide(tx, actor, world, (id, None))).await
}

/// Why a claim is declined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimDecline, example = json!({"reason": "the photos show no damage"}))]
struct DeclineShape {
    /// Why; the customer may read it.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Decline a claim
#[utoipa::path(post, path = "/v1/claims/{claim}/decline", operation_id = "decline_claim", tag = "returns", request_body = DeclineShape,
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn decline_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<DeclineShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let reason = super::reason(&mut fields, &command.body.reason);
    let reason = fields.done(reason)?;
    step(app, command.request, &one, move |tx, actor, world, id| {
        claim::decide(tx, actor, world, (id, Some(reason.clone())))
    })
    .await
}

/// Withdraw a claim that was not made good yet
#[utoipa::path(post, path = "/v1/claims/{claim}/withdraw", operation_id = "withdraw_claim", tag = "returns",
    params(("claim" = String, Path, description = "Id or external id"), KeyRequired), responses((status = 200, body = ClaimShape), Problems))]
async fn withdraw_claim(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    step(app, command.request, &one, claim::withdraw).await
}

/// Read a claim
#[utoipa::path(get, path = "/v1/claims/{claim}", operation_id = "read_claim", tag = "returns",
    params(("claim" = String, Path, description = "Id or external id")), responses((status = 200, body = ClaimShape), Problems))]
async fn read_claim(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::<id::Claim>::read(&one);
    let read = move |tx: &mut Tx<'_>| {
        let id = external::resolve(tx, &reference)?;
        claim::read(tx, &actor, id)
    };
    document(&ClaimShape::from(&app.read(read).await?), None)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ClaimsQuery {
    /// Only claims in this state: `requested`, `approved`, `declined`, `resolved` or `withdrawn`.
    state: Option<String>,
    /// Only claims whose lost parcel turned up and of which nobody said what became of the goods.
    turned_up: Option<bool>,
}

/// List claims, the newest first
#[utoipa::path(get, path = "/v1/claims", operation_id = "list_claims", tag = "returns", params(ClaimsQuery, PageQuery),
    responses((status = 200, body = Page<ClaimShape>), Problems))]
async fn list_claims(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<ClaimsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let state = fields.take_if("state", query.state.as_deref(), Standing::parse);
    let wanted = Wanted { state: fields.done(state)?, turned_up: query.turned_up.unwrap_or_default() };
    let list = move |tx: &mut Tx<'_>, before, limit| claim::list(tx, &actor, before, (wanted, limit));
    page.newest(&app, list, |one: &ClaimShape| one.id.clone()).await
}

/// The claims of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderClaims)]
struct ClaimsShape {
    /// The claims, in the order they were made.
    items: Vec<ClaimShape>,
}

/// List the claims of an order
#[utoipa::path(get, path = "/v1/orders/{order}/claims", operation_id = "list_order_claims", tag = "returns",
    params(("order" = String, Path, description = "Id or external id")), responses((status = 200, body = ClaimsShape), Problems))]
async fn list_order_claims(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    let order: Reference<id::Order> = named(&order);
    let read = move |tx: &mut Tx<'_>| {
        let id = external::resolve(tx, &order)?;
        claim::of_order(tx, &actor, id)
    };
    let found = app.read(read).await?;
    document(&ClaimsShape { items: found.iter().map(ClaimShape::from).collect() }, None)
}
