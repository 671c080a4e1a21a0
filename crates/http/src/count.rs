//! Counts over the API: what is to be counted at a location, what was counted, and what becomes of the differences.

mod rule;
mod shape;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::id::{Count as CountKind, Location, Variant};
use domain::value::{Id, Reference};
use engine::count::tally::Piece;
use engine::count::{self, NewCount, Scope, Whole, review, tally};
use engine::{Failure, external};
use serde::Deserialize;
use store::Tx;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use shape::{AgainShape, FinishShape, NewCountShape, ScopeAsked, TallyShape};

pub(crate) use shape::CountShape;

/// The routes of counts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request_count))
        .routes(routes!(list_counts))
        .routes(routes!(read_count))
        .routes(routes!(tally_count))
        .routes(routes!(finish_count))
        .routes(routes!(recount_count))
        .routes(routes!(cancel_count))
        .merge(rule::routes())
}

/// The count a path names.
pub(crate) fn named(text: &str) -> Result<Id<CountKind>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("count", text))
}

/// A count with its lines.
pub(crate) fn answer(whole: &Whole) -> Result<Reply, Failure> {
    Reply::json(&CountShape::from(whole))
}

fn variants_of(
    tx: &mut Tx<'_>,
    field: &str,
    named: &[Reference<Variant>],
) -> Result<Vec<Id<Variant>>, Failure> {
    let find =
        |(place, variant)| engine::catalogue::resolve_variant(tx, &format!("{field}.{place}"), variant);
    named.iter().enumerate().map(find).collect()
}

/// Ask for a count
#[utoipa::path(post, path = "/v1/counts", operation_id = "request_count", tag = "count", request_body = NewCountShape,
    params(KeyRequired),
    responses((status = 201, body = CountShape), Problems))]
async fn request_count(State(app): State<App>, command: Command<NewCountShape>) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = command.body;
    let (location, asked) = (Reference::<Location>::read(&body.location), body.scope()?);
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let location = external::known_at(tx, "location", &location)?;
        let scope = match &asked {
            ScopeAsked::Variants(variants) => Scope::Variants(variants_of(tx, "variants", variants)?),
            ScopeAsked::Shelf(shelf) => Scope::Shelf(shelf.clone()),
            ScopeAsked::Category(category) => {
                let category = external::known_at(tx, "category", category)?;
                Scope::Categories(engine::catalogue::category::with_below(tx, &Reference::Id(category))?)
            }
            ScopeAsked::Exceptions => Scope::Exceptions,
        };
        let new = NewCount { location, scope, blind: body.blind, note: body.note.clone() };
        answer(&count::request(tx, actor, world, new)?)
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CountsQuery {
    /// Only those that are still open; all when not given.
    #[serde(default)]
    open: bool,
}

/// List the counts of a location, the newest first
#[utoipa::path(get, path = "/v1/locations/{id}/counts", operation_id = "list_counts", tag = "count",
    params(("id" = String, Path, description = "The location's id or external id"), CountsQuery, PageQuery),
    responses((status = 200, body = Page<CountShape>), Problems))]
async fn list_counts(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(location): Path<String>,
    Asked(query): Asked<CountsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let location = Reference::<Location>::read(&location);
    let list = move |tx: &mut Tx<'_>, before, limit| {
        let location = external::resolve(tx, &location)?;
        count::list(tx, &actor, (location, query.open), before, limit)
    };
    page.newest(&app, list, |one: &CountShape| one.id.clone()).await
}

/// Read a count with its lines, in the order of shelves
#[utoipa::path(get, path = "/v1/counts/{count}", operation_id = "read_count", tag = "count",
    params(("count" = String, Path, description = "The count's id")),
    responses((status = 200, body = CountShape), Problems))]
async fn read_count(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let found = app.read(move |tx| count::read(tx, &actor, id)).await?;
    document(&CountShape::from(&found), None)
}

/// Add pieces that were counted; several colleagues may add at once
#[utoipa::path(post, path = "/v1/counts/{count}/tally", operation_id = "tally_count", tag = "count", request_body = TallyShape,
    params(("count" = String, Path, description = "The count's id"), KeyRequired),
    responses((status = 200, body = CountShape), Problems))]
async fn tally_count(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<TallyShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, lines) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let mut pieces = Vec::with_capacity(lines.len());
        for (place, line) in lines.iter().enumerate() {
            let field = format!("lines.{place}.variant");
            let variant = engine::catalogue::resolve_variant(tx, &field, &line.variant)?;
            pieces.push(Piece { variant, pieces: line.pieces, place: line.place.clone(), at: line.at });
        }
        answer(&tally::add(tx, actor, world, id, &pieces)?)
    })
    .await
}

/// Say that all is counted
#[utoipa::path(post, path = "/v1/counts/{count}/finish", operation_id = "finish_count", tag = "count", request_body = FinishShape,
    params(("count" = String, Path, description = "The count's id"), KeyRequired),
    responses((status = 200, body = CountShape), Problems))]
async fn finish_count(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<FinishShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, rest_is_none) = (named(&id)?, command.body.rest_is_none);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&tally::finish(tx, actor, world, id, rest_is_none)?)
    })
    .await
}

/// Have lines of a counted count counted again
#[utoipa::path(post, path = "/v1/counts/{count}/recount", operation_id = "recount_count", tag = "count", request_body = AgainShape,
    params(("count" = String, Path, description = "The count's id"), KeyRequired),
    responses((status = 200, body = CountShape), Problems))]
async fn recount_count(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<AgainShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, variants) = (named(&id)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variants = variants_of(tx, "variants", &variants)?;
        answer(&review::recount(tx, actor, world, id, &variants)?)
    })
    .await
}

/// Let a count be
#[utoipa::path(post, path = "/v1/counts/{count}/cancel", operation_id = "cancel_count", tag = "count",
    params(("count" = String, Path, description = "The count's id"), KeyRequired),
    responses((status = 200, body = CountShape), Problems))]
async fn cancel_count(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&review::cancel(tx, actor, world, id)?)
    })
    .await
}
