//! Expected goods over the API: announced, moved, received and cancelled.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::stock::expected::{Arrival, State as ExpectedState};
use domain::value::id::{ExpectedGoods as ExpectedKind, Location, Variant};
use domain::value::{Instant, Quantity, Reference, reference};
use engine::promise::expected::{self, ExpectedChange, ExpectedGoods, NewExpected};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(announce_goods, list_expected_goods))
        .routes(routes!(announce_many_goods))
        .routes(routes!(read_expected_goods, change_expected_goods))
        .routes(routes!(receive_expected_goods))
        .routes(routes!(cancel_expected_goods))
}

/// Goods that are to arrive at a location.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExpectedGoods, example = json!({"id": "exp_01jd0000000000000000000000", "variant": "var_01jd0000000000000000000000",
    "location": "loc_01jd0000000000000000000000", "quantity": 40, "arrived": 0, "to_come": 40, "due_at": "2026-12-01T09:00:00Z",
    "reference": "PO-1007", "state": "open", "version": 1}))]
struct ExpectedShape {
    /// Their id.
    id: String,
    /// The variant.
    variant: String,
    /// Where they arrive.
    location: String,
    /// How many are expected altogether.
    quantity: i64,
    /// How many have arrived, in whatever condition.
    arrived: i64,
    /// How many are still to come.
    to_come: i64,
    /// When they are to arrive.
    #[schema(format = DateTime)]
    due_at: String,
    /// The retailer's paper, such as the number of a purchase order.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// `open`, `received` or `cancelled`.
    state: &'static str,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&ExpectedGoods> for ExpectedShape {
    fn from(goods: &ExpectedGoods) -> ExpectedShape {
        ExpectedShape {
            id: goods.id.to_string(),
            variant: goods.variant.to_string(),
            location: goods.location.to_string(),
            quantity: goods.quantity,
            arrived: goods.arrived,
            to_come: goods.to_come(),
            due_at: goods.due_at.to_string(),
            reference: goods.reference.clone(),
            state: goods.state.text(),
            version: goods.version,
        }
    }
}

fn reply(goods: &ExpectedGoods) -> Result<Reply, Failure> {
    Reply::versioned(&ExpectedShape::from(goods), goods.version)
}

/// Goods to be announced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewExpectedGoods, example = json!({"variant": "var_01jd0000000000000000000000", "location": "leeds", "quantity": 40,
    "due_at": "2026-12-01T09:00:00Z", "reference": "PO-1007"}))]
struct NewExpectedShape {
    /// The variant: id, external id or SKU.
    variant: String,
    /// Where they arrive: id or external id.
    location: String,
    /// How many base units, 1 to 1,000,000,000.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// When they are to arrive.
    #[schema(format = DateTime)]
    due_at: String,
    /// The retailer's paper: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reference: Option<String>,
    /// The id another system knows them by: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    external_id: Option<String>,
}

/// Goods to be announced, as they were named.
#[derive(Clone)]
struct Named {
    variant: Reference<Variant>,
    location: Reference<Location>,
    quantity: Quantity,
    due_at: Instant,
    reference: Option<String>,
    external_id: Option<String>,
}

impl NewExpectedShape {
    fn read(&self) -> Result<Named, Refusal> {
        let mut fields = Fields::new();
        let quantity = fields.take("quantity", Quantity::new(self.quantity));
        let due_at = fields.instant("due_at", &self.due_at);
        let external_id = fields.take_if(
            "external_id",
            self.external_id.as_deref(),
            reference::external_id::<ExpectedKind>,
        );
        let read = (|| {
            Some(Named {
                variant: Reference::read(&self.variant),
                location: Reference::read(&self.location),
                quantity: quantity?,
                due_at: due_at?,
                reference: self.reference.clone(),
                external_id: external_id?,
            })
        })();
        fields.done(read)
    }
}

fn announce(
    tx: &mut Tx<'_>,
    actor: &domain::actor::Actor,
    world: &mut engine::World,
    named: Named,
) -> Result<ExpectedGoods, Failure> {
    let new = NewExpected {
        variant: engine::catalogue::resolve_variant(tx, "variant", &named.variant)?,
        location: external::resolve_at(tx, "location", &named.location)?,
        quantity: named.quantity,
        due_at: named.due_at,
        reference: named.reference,
        external_id: named.external_id,
    };
    expected::announce(tx, actor, world, new)
}

/// Announce goods
///
/// They are expected at the location from now on: back-orders and pre-orders are promised from them.
#[utoipa::path(post, path = "/v1/expected-goods", operation_id = "announce_goods", tag = "promise", params(KeyRequired),
    request_body = NewExpectedShape, responses((status = 201, body = ExpectedShape), Problems))]
async fn announce_goods(
    State(app): State<App>,
    command: Command<NewExpectedShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let named = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        reply(&announce(tx, actor, world, named.clone())?)
    })
    .await
}

/// Announce goods of many variants
#[utoipa::path(post, path = "/v1/expected-goods/bulk", operation_id = "announce_many_goods", tag = "promise", params(KeyRequired),
    request_body = Bulk<NewExpectedShape>, responses((status = 200, body = BulkAnswer<ExpectedShape>), Problems))]
async fn announce_many_goods(
    State(app): State<App>,
    command: Command<Bulk<NewExpectedShape>>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let rows = command.body.read(NewExpectedShape::read)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        rows.perform(tx, actor, world, announce, |goods| ExpectedShape::from(goods))
    })
    .await
}

/// Which expected goods are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExpectedQuery {
    /// The location: id or external id.
    location: String,
    /// Only these: `open`, `received` or `cancelled`.
    state: Option<String>,
}

/// List expected goods
///
/// In the order they were announced.
#[utoipa::path(get, path = "/v1/expected-goods", operation_id = "list_expected_goods", tag = "promise", params(ExpectedQuery, PageQuery),
    responses((status = 200, body = Page<ExpectedShape>), Problems))]
async fn list_expected_goods(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(asked): Asked<ExpectedQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let mut fields = Fields::new();
    let state = fields.take_if("state", asked.state.as_deref(), ExpectedState::parse);
    let state = fields.done(state)?;
    let location = Reference::read(&asked.location);
    let goods = app.read(move |tx| expected::list(tx, &actor, (&location, state), after, limit)).await?;
    let shapes = goods.iter().map(ExpectedShape::from).collect();
    document(&Page::new(shapes, limit, |goods: &ExpectedShape| goods.id.clone()), None)
}

/// Read expected goods
#[utoipa::path(get, path = "/v1/expected-goods/{id}", operation_id = "read_expected_goods", tag = "promise",
    params(("id" = String, Path, description = "their id or external id")),
    responses((status = 200, body = ExpectedShape), Problems))]
async fn read_expected_goods(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let named = Reference::read(&id);
    let goods = app.read(move |tx| expected::find(tx, &actor, &named)).await?;
    document(&ExpectedShape::from(&goods), Some(goods.version))
}

/// What of expected goods is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpectedGoodsChange, example = json!({"due_at": "2026-12-08T09:00:00Z", "quantity": 36}))]
struct ExpectedChangeShape {
    /// How many are expected altogether, with those that have arrived.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: Option<i64>,
    /// When they are to arrive.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// The retailer's paper.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>)]
    reference: Option<Option<String>>,
}

/// Change expected goods
///
/// Those who wait for them are promised anew, first come first served; each change of a promise is an event `promise.changed`.
#[utoipa::path(patch, path = "/v1/expected-goods/{id}", operation_id = "change_expected_goods", tag = "promise",
    request_body = ExpectedChangeShape,
    params(("id" = String, Path, description = "their id or external id"), ("If-Match" = String, Header, description = "the `ETag` they were read with")),
    responses((status = 200, body = ExpectedShape), Problems))]
async fn change_expected_goods(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ExpectedChangeShape>,
) -> Result<Response, Problem> {
    let (named, version, body) = (Reference::read(&id), command.version()?, command.body);
    let mut fields = Fields::new();
    let quantity = fields.take_if("quantity", body.quantity, Quantity::new);
    let due_at = fields.take_if("due_at", body.due_at.as_deref(), Instant::parse);
    let (quantity, due_at) = fields.done(quantity.zip(due_at))?;
    let change = ExpectedChange { quantity, due_at, reference: body.reference };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        reply(&expected::change(tx, actor, world, (&named, Some(version)), change.clone())?)
    })
    .await
}

/// Goods that arrived, by their condition.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Arrival, example = json!({"available": 36, "damaged": 2, "last": true}))]
struct ArrivalShape {
    /// How many are fit for sale.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    available: i64,
    /// How many are to be inspected.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    quality: i64,
    /// How many are damaged.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    damaged: i64,
    /// No more come: what is missing is not expected any longer.
    #[serde(default)]
    last: bool,
}

/// Receive expected goods
///
/// All of them, a part, or more than were expected. What is fit for sale is promised to those who waited longest before anybody else can
/// buy it.
#[utoipa::path(post, path = "/v1/expected-goods/{id}/receive", operation_id = "receive_expected_goods", tag = "promise",
    params(("id" = String, Path, description = "their id or external id"), KeyRequired), request_body = ArrivalShape,
    responses((status = 200, body = ExpectedShape), Problems))]
async fn receive_expected_goods(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ArrivalShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (named, body) = (Reference::read(&id), command.body);
    let arrival = Arrival { available: body.available, quality: body.quality, damaged: body.damaged };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        reply(&expected::receive(tx, actor, world, &named, (arrival, body.last))?)
    })
    .await
}

/// Cancel expected goods
///
/// What has not arrived does not come; those who wait for it are promised anew.
#[utoipa::path(post, path = "/v1/expected-goods/{id}/cancel", operation_id = "cancel_expected_goods", tag = "promise",
    params(("id" = String, Path, description = "their id or external id"), KeyRequired),
    responses((status = 200, body = ExpectedShape), Problems))]
async fn cancel_expected_goods(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let named = Reference::read(&id);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        reply(&expected::cancel(tx, actor, world, &named)?)
    })
    .await
}
