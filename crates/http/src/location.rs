//! Locations and networks over the API: stores, warehouses, suppliers, and what serves together.

mod area;
mod network;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::location::Kind;
use domain::value::{Coordinates, Instant, Reference};
use engine::location::{self, Filter};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;
use shape::{LocationChangeShape, LocationShape, NewLocationShape, OpeningShape};

pub(crate) use shape::{CODE_CHARS_MAX, CoordinatesShape, PlaceAddressShape};

/// The routes of locations and networks.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_location, list_locations))
        .routes(routes!(create_locations))
        .routes(routes!(read_location, update_location))
        .routes(routes!(read_location_opening))
        .merge(network::routes())
        .merge(area::routes())
}

/// Make a location
#[utoipa::path(post, path = "/v1/locations", operation_id = "create_location", tag = "location", request_body = NewLocationShape,
    responses((status = 201, body = LocationShape), Problems))]
async fn create_location(
    State(app): State<App>,
    command: Command<NewLocationShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let location = location::create(tx, actor, world, input.clone())?;
        Reply::versioned(&LocationShape::from(&location), location.version)
    })
    .await
}

/// Make many locations
#[utoipa::path(post, path = "/v1/locations/bulk", operation_id = "create_locations", tag = "location", request_body = Bulk<NewLocationShape>,
    responses((status = 200, body = BulkAnswer<LocationShape>), Problems))]
async fn create_locations(
    State(app): State<App>,
    command: Command<Bulk<NewLocationShape>>,
) -> Result<Response, Problem> {
    let rows = command.body.read(NewLocationShape::read)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        rows.perform(tx, actor, world, location::create, |location| LocationShape::from(location))
    })
    .await
}

/// Which locations are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LocationQuery {
    /// Only this kind: `store`, `warehouse`, `supplier` or `virtual`.
    kind: Option<String>,
    /// Only those that take part in the trade (true), or only those that do not (false).
    active: Option<bool>,
    /// The nearest to this point first, each with its distance: latitude and longitude in degrees, such as
    /// `53.797,-1.5437`. The list is then one page of at most `limit`, without those that are not on the map.
    near: Option<String>,
}

impl LocationQuery {
    fn read(&self) -> Result<(Filter, Option<Coordinates>), Refusal> {
        let mut fields = Fields::new();
        let kind = fields.take_if("kind", self.kind.as_deref(), Kind::parse);
        let near = fields.take_if("near", self.near.as_deref(), point);
        fields.done(kind.zip(near).map(|(kind, near)| (Filter { kind, active: self.active }, near)))
    }
}

/// A point given in a query: latitude and longitude in degrees with a comma between them.
///
/// # Errors
/// When it is no such point.
pub(crate) fn point(text: &str) -> Result<Coordinates, impl std::fmt::Display + use<>> {
    let (latitude, longitude) = text.split_once(',').unwrap_or((text, ""));
    Coordinates::parse(latitude, longitude)
}

/// List locations
///
/// In the order they were made, or by distance from a point.
#[utoipa::path(get, path = "/v1/locations", operation_id = "list_locations", tag = "location", params(LocationQuery, PageQuery),
    responses((status = 200, body = Page<LocationShape>), Problems))]
async fn list_locations(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(asked): Asked<LocationQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (filter, near) = asked.read()?;
    let limit = page.limit()?;
    if let Some(point) = near {
        let nearest = app.read(move |tx| location::nearest(tx, &actor, filter, point, limit)).await?;
        let items =
            nearest.iter().map(|(location, metres)| LocationShape::at_distance(location, *metres)).collect();
        return document(&Page { items, next_cursor: None }, None);
    }
    let after = page.after_id()?;
    let locations = app.read(move |tx| location::list(tx, &actor, filter, after, limit)).await?;
    let shapes = locations.iter().map(LocationShape::from).collect();
    document(&Page::new(shapes, limit, |location: &LocationShape| location.id.clone()), None)
}

/// Read a location
#[utoipa::path(get, path = "/v1/locations/{id}", operation_id = "read_location", tag = "location",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = LocationShape), Problems))]
async fn read_location(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let location = app.read(move |tx| location::find(tx, &actor, &reference)).await?;
    document(&LocationShape::from(&location), Some(location.version))
}

/// Change a location
#[utoipa::path(patch, path = "/v1/locations/{id}", operation_id = "update_location", tag = "location", request_body = LocationChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = LocationShape), Problems))]
async fn update_location(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<LocationChangeShape>,
) -> Result<Response, Problem> {
    let (reference, read, change) = (Reference::read(&id), command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let location = location::update(tx, actor, world, (&reference, read), change.clone())?;
        Reply::versioned(&LocationShape::from(&location), location.version)
    })
    .await
}

/// About which instant is asked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OpeningQuery {
    /// The instant, RFC 3339; now when absent.
    #[param(format = DateTime)]
    at: Option<String>,
}

/// Read whether a location is open
#[utoipa::path(get, path = "/v1/locations/{id}/opening", operation_id = "read_location_opening", tag = "location",
    params(("id" = String, Path, description = "its id or external id"), OpeningQuery),
    responses((status = 200, body = OpeningShape), Problems))]
async fn read_location_opening(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<OpeningQuery>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let mut fields = Fields::new();
    let at = fields.take_if("at", asked.at.as_deref(), Instant::parse);
    let at = fields.done(at)?.unwrap_or_else(|| app.shop.source.now());
    let opening = app.read(move |tx| location::opening(tx, &actor, &reference, at)).await?;
    document(&OpeningShape::from(opening), None)
}
