//! Goods that are sold and at no location yet: who waits for what, and a person who says from where they go.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::routing::profile::Waits;
use domain::value::Reference;
use domain::value::id::Location;
use domain::value::text::bounded;
use engine::external;
use engine::fulfilment::{by_hand, hold};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::FulfilmentOrderShape;
use super::{PartPath, step};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of goods that wait.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_waiting_fulfilment_orders))
        .routes(routes!(place_fulfilment_order))
}

/// A fulfilment order at no location, and what it waits for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaitingFulfilmentOrder)]
struct WaitingShape {
    /// What: `goods`, first come first served; `person`, who places it; or `run`, which routes many together.
    waits_for: &'static str,
    /// When its run comes, or when it is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// The fulfilment order.
    fulfilment_order: FulfilmentOrderShape,
}

/// What the list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WaitsQuery {
    /// Only those that wait for this: `goods`, `person` or `run`.
    waits_for: Option<String>,
}

/// From where goods go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FulfilmentPlacement, example = json!({"location": "york", "reason": "leeds is short of hands"}))]
struct PlacementShape {
    /// The location: id, external id or code.
    location: String,
    /// Why, in the retailer's words, without personal data.
    #[schema(min_length = 1, max_length = 200)]
    reason: Option<String>,
}

/// List the fulfilment orders at no location, the longest waiting first
#[utoipa::path(get, path = "/v1/waiting-fulfilment-orders", operation_id = "list_waiting_fulfilment_orders", tag = "fulfilment",
    params(WaitsQuery, PageQuery), responses((status = 200, body = Page<WaitingShape>), Problems))]
async fn list_waiting_fulfilment_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(asked): Asked<WaitsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let waits = fields.take_if("waits_for", asked.waits_for.as_deref(), Waits::parse);
    let (waits, limit, after) = (fields.done(waits)?, page.limit()?, page.after_id()?);
    let found = app.read(move |tx| by_hand::waiting(tx, &actor, waits, after, limit)).await?;
    let shape = |(one, (waits, until)): &(_, (Waits, Option<domain::value::Instant>))| WaitingShape {
        waits_for: waits.text(),
        until: until.map(|at| at.to_string()),
        fulfilment_order: FulfilmentOrderShape::from(one),
    };
    let items = found.iter().map(shape).collect();
    document(&Page::new(items, limit, |one: &WaitingShape| one.fulfilment_order.id.clone()), None)
}

/// Say from where goods go
///
/// For a fulfilment order at no location, or to move one that nobody has begun to pick. All of it must lie at the location; its profile
/// and its capacity are not asked.
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/place", operation_id = "place_fulfilment_order",
    tag = "fulfilment", request_body = PlacementShape,
    params(PartPath, KeyRequired),
    responses((status = 200, body = FulfilmentOrderShape), Problems))]
async fn place_fulfilment_order(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<PlacementShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let reason = |text: &str| bounded("reason", text, 1, hold::REASON_MAX);
    let reason = fields.take_if("reason", command.body.reason.as_deref(), reason);
    let reason = fields.done(reason)?;
    let location = Reference::<Location>::read(&command.body.location);
    step(&app, path, command.request, move |tx, actor, world, which| {
        let location = external::resolve_at(tx, "location", &location)?;
        let placed = by_hand::place(tx, actor, world, which, (location, reason.as_deref()))?;
        Reply::json(&FulfilmentOrderShape::from(&placed))
    })
    .await
}
