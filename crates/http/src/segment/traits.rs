//! Computed traits over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::value::text::bounded;
use engine::segment::document::{of_trait, trait_of};
use engine::segment::traits::{self, Trait};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::NAME_CHARS_MAX;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of traits.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_traits)).routes(routes!(read_trait, set_trait))
}

/// A value that is worked out of what a person did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trait, example = json!({"code": "favourite_colour", "name": "Favourite colour", "definition": {"name": "Product Viewed",
    "within_days": 90, "aggregate": "most_frequent", "property": "colour"}, "version": 1, "at": "2026-06-01T10:00:00Z"}))]
struct TraitShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: String,
    /// How it is worked out: see `docs/SEGMENTS.md`.
    #[schema(value_type = Object)]
    definition: Value,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// When it was written.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Trait> for TraitShape {
    fn from(one: &Trait) -> TraitShape {
        TraitShape {
            code: one.code.clone(),
            name: one.name.clone(),
            definition: of_trait(&one.definition),
            version: one.version,
            at: one.at.to_string(),
        }
    }
}

/// List traits, by code
#[utoipa::path(get, path = "/v1/traits", operation_id = "list_traits", tag = "segment", params(PageQuery),
    responses((status = 200, body = Page<TraitShape>), Problems))]
async fn list_traits(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after()?);
    let found = app.read(move |tx| traits::list(tx, &actor, &after, limit)).await?;
    let shapes = found.iter().map(TraitShape::from).collect();
    document(&Page::new(shapes, limit, |one: &TraitShape| one.code.clone()), None)
}

/// Read a trait
#[utoipa::path(get, path = "/v1/traits/{code}", operation_id = "read_trait", tag = "segment",
    params(("code" = String, Path, description = "the short word it goes by")), responses((status = 200, body = TraitShape), Problems))]
async fn read_trait(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let code = short_code(&code).map_err(|_| Refusal::not_found("trait", &code))?;
    let found = app.read(move |tx| traits::read(tx, &actor, &code)).await?;
    document(&TraitShape::from(&found), Some(found.version))
}

/// A trait as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TraitChange, example = json!({"name": "Favourite colour", "definition": {"name": "Product Viewed", "within_days": 90,
    "aggregate": "most_frequent", "property": "colour"}}))]
struct SetTraitShape {
    /// What people read: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// How it is worked out: see `docs/SEGMENTS.md`.
    #[schema(value_type = Object)]
    definition: Value,
}

/// Write a trait
///
/// A new one is written without `If-Match`; another version of one that is there wants the `ETag` it was read with. Every version is kept.
#[utoipa::path(put, path = "/v1/traits/{code}", operation_id = "set_trait", tag = "segment", request_body = SetTraitShape,
    params(("code" = String, Path, description = "the short word it goes by"),
        ("If-Match" = Option<String>, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = TraitShape), Problems))]
async fn set_trait(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetTraitShape>,
) -> Result<Response, Problem> {
    let (body, if_match) = (command.body, command.if_match);
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&code));
    let name = fields.take("name", bounded("name", &body.name, 1, NAME_CHARS_MAX));
    let definition = trait_of(&body.definition, "definition");
    let read = (|| Some((code?, name?)))();
    let (code, name) = fields.done(read)?;
    let definition = definition?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let set = traits::set(tx, actor, world, (&code, &name, definition.clone()), if_match)?;
        Reply::versioned(&TraitShape::from(&set), set.version)
    })
    .await
}
