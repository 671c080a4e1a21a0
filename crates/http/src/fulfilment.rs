//! Fulfilment over the API: what a location has to get ready, and each step from the shelf to the customer.

mod carrier;
mod counted;
mod inbound;
mod parcel;
mod print;
mod shape;
mod step;
mod visit;
mod wait;
mod wave;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location, Order};
use domain::value::{Id, Reference};
use engine::fulfilment::pick::Which;
use engine::fulfilment::{self, FulfilmentOrder, pool};
use engine::{Failure, Request, World, external};
use serde::Deserialize;
use store::Tx;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

pub(crate) use parcel::ParcelPath;
pub(crate) use shape::FulfilmentOrderShape;

/// The routes of fulfilment.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_open_fulfilment_orders))
        .routes(routes!(list_offers))
        .merge(counted::routes())
        .merge(inbound::routes())
        .merge(step::routes())
        .merge(wait::routes())
        .merge(visit::routes())
        .merge(wave::routes())
        .merge(parcel::routes())
        .merge(print::routes())
        .merge(carrier::routes())
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
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct PartPath {
    /// Id or external id
    order: String,
    /// The fulfilment order's id
    fulfilment_order: String,
}

impl PartPath {
    /// Which order, and which part of it.
    pub(crate) fn read(&self) -> Result<(Reference<Order>, Id<FulfilmentOrderKind>), Refusal> {
        let part = Id::parse(&self.fulfilment_order)
            .map_err(|_| Refusal::not_found("fulfilment order", &self.fulfilment_order))?;
        Ok((Reference::read(&self.order), part))
    }
}

/// One step of the fulfilment order that a path names.
pub(crate) async fn step(
    app: &App,
    path: PartPath,
    request: Request,
    mut act: impl FnMut(&mut Tx<'_>, &Actor, &mut World, Which) -> Result<Reply, Failure> + Send + 'static,
) -> Result<Response, Problem> {
    let (order, part) = path.read()?;
    app.perform(request, StatusCode::OK, move |tx, actor, world| {
        let which = (external::resolve(tx, &order)?, part);
        act(tx, actor, world, which)
    })
    .await
}

fn page_of(found: &[FulfilmentOrder], limit: i64) -> Result<Response, Problem> {
    let items = found.iter().map(FulfilmentOrderShape::from).collect();
    document(&Page::new(items, limit, |one: &FulfilmentOrderShape| one.id.clone()), None)
}
