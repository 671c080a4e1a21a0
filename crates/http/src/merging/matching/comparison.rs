//! Comparing all customers over the API: asked for, watched, stopped; the pairs are joined or shown as the retailer says.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::merging::Task;
use engine::merging::training::{self, Training};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::progress::{Progress, figures_of, named};
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of comparing.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start_matching_comparison, list_matching_comparisons))
        .routes(routes!(read_matching_comparison))
        .routes(routes!(stop_matching_comparison))
}

/// All customers, compared with each other.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MatchingComparison, example = json!({"id": "mtr_01jd0000000000000000000000", "state": "done", "customers": 120000,
    "figures": {"compared": 1843200, "automatic": 640, "review": 310, "noted": 870, "joining": 598, "held": 42, "beyond": 0},
    "asked_by": "staff:stf_01jd0000000000000000000000", "made_at": "2026-06-01T10:00:00Z", "began_at": "2026-06-01T10:00:02Z", "ended_at": "2026-06-01T10:00:20Z"}))]
struct ComparisonShape {
    #[serde(flatten)]
    progress: Progress,
    /// What came of it so far, once they were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<ComparedShape>,
}

/// What came of comparing all customers.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = MatchingCompared, example = json!({"compared": 1843200, "automatic": 640, "review": 310, "noted": 870, "joining": 598, "held": 42, "beyond": 0}))]
struct ComparedShape {
    /// How many pairs were compared.
    compared: u64,
    /// Of how many the model is sure that they are one person.
    automatic: u64,
    /// How many a colleague should look at.
    review: u64,
    /// How many were noted that were not before.
    noted: u64,
    /// How many are joined without a look, because the rule says `automatic`: twenty a second, from then on.
    joining: u64,
    /// How many are left to a colleague though the model is sure: what customers wrote of themselves joins nobody.
    held: u64,
    /// How many were left out; compare again once these are decided.
    beyond: u64,
}

impl From<&Training> for ComparisonShape {
    fn from(one: &Training) -> ComparisonShape {
        ComparisonShape { progress: Progress::from(one), figures: figures_of(one) }
    }
}

/// Compare all customers with each other, to find those who are one person
///
/// It is done beside everything else; one at a time, and not while a model is learnt. Pairs that may be one person are noted (`GET /v1/matches`). What the model is sure
/// of is joined by jobs after, if the rule says `automatic`; a pair of which one wrote the contact himself is left to a colleague. `tandem match` does the same.
#[utoipa::path(post, path = "/v1/matching/comparisons", operation_id = "start_matching_comparison", tag = "merging",
    params(KeyRequired), responses((status = 201, body = ComparisonShape), Problems))]
async fn start_matching_comparison(
    State(app): State<App>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        Reply::json(&ComparisonShape::from(&training::start(tx, actor, world, (Task::Compare, 0))?))
    })
    .await
}

/// List the comparisons of all customers, the newest first
#[utoipa::path(get, path = "/v1/matching/comparisons", operation_id = "list_matching_comparisons", tag = "merging", params(PageQuery),
    responses((status = 200, body = Page<ComparisonShape>), Problems))]
async fn list_matching_comparisons(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let list =
        move |tx: &mut Tx<'_>, before, limit| training::list(tx, &actor, Task::Compare, (before, limit));
    page.newest(&app, list, |one: &ComparisonShape| one.progress.id.clone()).await
}

/// Read how far comparing all customers is, and what came of it
#[utoipa::path(get, path = "/v1/matching/comparisons/{id}", operation_id = "read_matching_comparison", tag = "merging",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = ComparisonShape), Problems))]
async fn read_matching_comparison(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let one = (Task::Compare, named(&id)?);
    document(&ComparisonShape::from(&app.read(move |tx| training::read(tx, &actor, one)).await?), None)
}

/// Stop comparing all customers
///
/// Pairs that were noted stay.
#[utoipa::path(post, path = "/v1/matching/comparisons/{id}/stop", operation_id = "stop_matching_comparison", tag = "merging",
    params(("id" = String, Path, description = "its id"), KeyRequired), responses((status = 200, body = ComparisonShape), Problems))]
async fn stop_matching_comparison(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let one = (Task::Compare, named(&id)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ComparisonShape::from(&training::stop(tx, actor, world, one)?))
    })
    .await
}
