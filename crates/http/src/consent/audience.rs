//! Who agreed to something, to be handed on: read from what holds at the instant, so nobody is in it who took it back a second ago.

use axum::extract::State;
use axum::response::Response;
use domain::consent::Cell;
use engine::consent::audience;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The route of audiences.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_audience))
}

/// A customer who agreed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AudienceMember, example = json!({"customer": "cus_01jd0000000000000000000000", "external_id": "CRM-1001"}))]
struct MemberShape {
    /// The customer.
    customer: String,
    /// What other systems know the customer by.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

/// For what the audience is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AudienceQuery {
    /// The code of the purpose.
    #[param(example = "marketing")]
    purpose: String,
    /// The medium; `every` when left out.
    medium: Option<String>,
    /// The code of the topic; the purpose as a whole when left out.
    topic: Option<String>,
}

/// List the customers who agreed to something
///
/// Nobody is in it who did not, or took it back; a purpose that is not asked for any more has no audience.
#[utoipa::path(get, path = "/v1/audiences", operation_id = "list_audience", tag = "consent", params(AudienceQuery, PageQuery),
    responses((status = 200, body = Page<MemberShape>), Problems))]
async fn list_audience(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<AudienceQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after, now) = (page.limit()?, page.after_id()?, app.shop.source.now());
    let cell = Cell::read(&query.purpose, query.medium.as_deref(), query.topic.as_deref())?;
    let found = app.read(move |tx| audience::list(tx, &actor, &cell, now, (after, limit))).await?;
    let shape = |one: &engine::customer::Customer| MemberShape {
        customer: one.id.to_string(),
        external_id: one.external_id.clone(),
    };
    let shapes = found.iter().map(shape).collect();
    document(&Page::new(shapes, limit, |one: &MemberShape| one.customer.clone()), None)
}
