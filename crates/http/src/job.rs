//! Jobs over the API: what waits, what was given up and why, and trying it again.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::Id;
use domain::value::id::Job as JobKind;
use engine::job::{self, Job};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};

/// The routes of jobs.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_jobs)).routes(routes!(revive_job))
}

/// Work that follows from something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job, example = json!({"id": "job_01jd0000000000000000000000", "kind": "payment.capture", "subject": "pay_01jd0000000000000000000000",
    "state": "dead", "run_at": "2026-11-21T09:30:00Z", "attempts": 12, "last_error": "no answer within 10000 ms"}))]
struct JobShape {
    /// Its id.
    id: String,
    /// What is to be done.
    kind: String,
    /// The id of what it is about.
    subject: String,
    /// `waiting`, or `dead`: given up, a person must look at it.
    state: &'static str,
    /// Not before this instant.
    run_at: String,
    /// How often it was tried.
    attempts: i64,
    /// Why it failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl From<&Job> for JobShape {
    fn from(job: &Job) -> JobShape {
        JobShape {
            id: job.id.to_string(),
            kind: job.kind.clone(),
            subject: job.subject.clone(),
            state: if job.dead { "dead" } else { "waiting" },
            run_at: job.run_at.to_string(),
            attempts: job.attempts,
            last_error: job.last_error.clone(),
        }
    }
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// Those that wait, or those that were given up; those that were given up when not given.
    state: Option<JobState>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum JobState {
    /// It will be done.
    Waiting,
    /// It was given up.
    Dead,
}

/// List jobs
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "operations", params(StateQuery, PageQuery),
    responses((status = 200, body = Page<JobShape>), Problems))]
async fn list_jobs(
    State(app): State<App>,
    Caller(actor): Caller,
    Query(which): Query<StateQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let dead = !matches!(which.state, Some(JobState::Waiting));
    let jobs = app.read(move |tx| job::list(tx, &actor, dead, after, limit)).await?;
    document(
        &Page::new(jobs.iter().map(JobShape::from).collect(), limit, |job: &JobShape| job.id.clone()),
        None,
    )
}

/// Try a job again that was given up
#[utoipa::path(post, path = "/v1/jobs/{job}/revive", operation_id = "revive_job", tag = "operations",
    params(("job" = String, Path, description = "Its id.")),
    responses((status = 204, description = "It will be tried again."), Problems))]
async fn revive_job(
    State(app): State<App>,
    Path(job): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id: Id<JobKind> = Id::parse(&job).map_err(|_| domain::Refusal::not_found("job", &job))?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        job::revive(tx, actor, world, id)?;
        Reply::json(&())
    })
    .await
}
