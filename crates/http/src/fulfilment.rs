//! Fulfilment over the API: what a location has to get ready, and each step from the shelf to the customer.

mod counted;
mod shape;
mod step;

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location};
use domain::value::{Id, Reference};
use engine::external;
use engine::fulfilment::{self, FulfilmentOrder, pool};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

pub(crate) use shape::FulfilmentOrderShape;

/// The routes of fulfilment.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_open_fulfilment_orders))
        .routes(routes!(list_offers))
        .merge(counted::routes())
        .merge(step::routes())
}

/// List what a location has to get ready, the oldest first
#[utoipa::path(get, path = "/v1/locations/{id}/fulfilment-orders", operation_id = "list_open_fulfilment_orders", tag = "fulfilment",
    params(("id" = String, Path, description = "The location's id or external id"), PageQuery),
    responses((status = 200, body = Page<FulfilmentOrderShape>), Problems))]
async fn list_open_fulfilment_orders(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let location = Reference::<Location>::read(&location);
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            fulfilment::open_at(tx, &actor, location, after, limit)
        })
        .await?;
    page_of(&found, limit)
}

/// List what is offered to a location, the oldest first
#[utoipa::path(get, path = "/v1/locations/{id}/offers", operation_id = "list_offers", tag = "fulfilment",
    params(("id" = String, Path, description = "The location's id or external id"), PageQuery),
    responses((status = 200, body = Page<FulfilmentOrderShape>), Problems))]
async fn list_offers(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after, now) = (page.limit()?, page.after_id()?, app.shop.source.now());
    let location = Reference::<Location>::read(&location);
    let found = app
        .read(move |tx| {
            let location = external::resolve(tx, &location)?;
            pool::offered_to(tx, &actor, (location, now), after, limit)
        })
        .await?;
    page_of(&found, limit)
}

/// The fulfilment order a path names.
pub(crate) fn part_of(text: &str) -> Result<Id<FulfilmentOrderKind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("fulfilment order", text))
}

fn page_of(found: &[FulfilmentOrder], limit: i64) -> Result<Response, Problem> {
    let items = found.iter().map(FulfilmentOrderShape::from).collect();
    document(&Page::new(items, limit, |one: &FulfilmentOrderShape| one.id.clone()), None)
}
