//! Postal areas over the API: which postal codes lie where on the map. Files of them go in as imports.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::location::area as rules;
use domain::value::{Country, text};
use engine::location::area::{self, PostalArea};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::CoordinatesShape;
use crate::App;
use crate::app::{Reply, document};
use crate::bulk::{Bulk, BulkAnswer};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_postal_areas))
        .routes(routes!(set_postal_areas))
        .routes(routes!(find_postal_area))
        .routes(routes!(remove_postal_area))
}

/// Postal codes of a country that begin alike, and where they lie.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostalArea, example = json!({"country": "GB", "prefix": "LS", "place": "Leeds", "coordinates": {"latitude": 53.7965, "longitude": -1.5478}}))]
struct PostalAreaShape {
    /// Two letters of ISO 3166-1.
    country: String,
    /// What the codes begin with, at most 10 letters and digits; empty for the whole country.
    #[schema(max_length = 10)]
    prefix: String,
    /// What people call the area: 1 to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    place: Option<String>,
    /// About its middle.
    coordinates: CoordinatesShape,
}

impl From<&PostalArea> for PostalAreaShape {
    fn from(area: &PostalArea) -> PostalAreaShape {
        PostalAreaShape {
            country: area.country.code().to_owned(),
            prefix: area.prefix.clone(),
            place: area.place.clone(),
            coordinates: area.coordinates.into(),
        }
    }
}

impl PostalAreaShape {
    fn read(&self) -> Result<PostalArea, Refusal> {
        let mut fields = Fields::new();
        let country = fields.take("country", Country::parse(&self.country));
        let prefix = fields.take("prefix", rules::prefix(&self.prefix));
        let place = fields.take_if("place", self.place.as_deref(), |place| {
            text::bounded("place", place, 1, text::NAME_CHARS_MAX)
        });
        let coordinates = self.coordinates.read(&mut fields);
        let read = (|| {
            Some(PostalArea { country: country?, prefix: prefix?, place: place?, coordinates: coordinates? })
        })();
        fields.done(read)
    }
}

/// List postal areas
///
/// In the order of countries and prefixes.
#[utoipa::path(get, path = "/v1/postal-areas", operation_id = "list_postal_areas", tag = "location", params(PageQuery),
    responses((status = 200, body = Page<PostalAreaShape>), Problems))]
async fn list_postal_areas(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after()?);
    let areas = app
        .read(move |tx| {
            let (country, prefix) = after.split_once('-').unwrap_or((&after, ""));
            area::list(tx, &actor, (country, prefix), limit)
        })
        .await?;
    let shapes = areas.iter().map(PostalAreaShape::from).collect();
    let key = |area: &PostalAreaShape| format!("{}-{}", area.country, area.prefix);
    document(&Page::new(shapes, limit, key), None)
}

/// Set many postal areas
///
/// Each takes the place of the one with the same country and prefix. Whole files go in as an import of `postal_areas`.
#[utoipa::path(post, path = "/v1/postal-areas/bulk", operation_id = "set_postal_areas", tag = "location", request_body = Bulk<PostalAreaShape>,
    responses((status = 200, body = BulkAnswer<PostalAreaShape>), Problems))]
async fn set_postal_areas(
    State(app): State<App>,
    command: Command<Bulk<PostalAreaShape>>,
) -> Result<Response, Problem> {
    let rows = command.body.read(PostalAreaShape::read)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        rows.perform(
            tx,
            actor,
            world,
            |tx, actor, world, one: PostalArea| area::set(tx, actor, world, &one).map(|_| one),
            |one| PostalAreaShape::from(one),
        )
    })
    .await
}

/// Which postal code is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PostalCodeQuery {
    /// Two letters of ISO 3166-1.
    #[param(example = "GB")]
    country: String,
    /// The postal code, or its beginning; the whole country when absent.
    #[param(example = "LS1 4DY")]
    postal_code: Option<String>,
}

/// Find where a postal code lies
///
/// The area with the longest prefix that the code begins with.
#[utoipa::path(get, path = "/v1/postal-areas/find", operation_id = "find_postal_area", tag = "location", params(PostalCodeQuery),
    responses((status = 200, body = PostalAreaShape), Problems))]
async fn find_postal_area(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(asked): Asked<PostalCodeQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let country = fields.take("country", Country::parse(&asked.country));
    let country = fields.done(country)?;
    let code = asked.postal_code.unwrap_or_default();
    let found = app.read(move |tx| area::find(tx, &actor, (country, &code))).await?;
    document(&PostalAreaShape::from(&found), None)
}

/// Remove a postal area
#[utoipa::path(delete, path = "/v1/postal-areas/{country}/{prefix}", operation_id = "remove_postal_area", tag = "location",
    params(("country" = String, Path, description = "two letters of ISO 3166-1"),
        ("prefix" = String, Path, description = "what the codes begin with; `-` for the whole country")),
    responses((status = 204), Problems))]
async fn remove_postal_area(
    State(app): State<App>,
    Path((country, prefix)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let country = fields.take("country", Country::parse(&country));
    let prefix = fields.take("prefix", rules::prefix(&prefix));
    let (country, prefix) = fields.done(country.zip(prefix))?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        area::remove(tx, actor, world, (country, &prefix))?;
        Reply::json(&())
    })
    .await
}
