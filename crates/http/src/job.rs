//! Jobs over the API: what waits, what was given up, and trying again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Id;
use engine::job;
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
use crate::query::Asked;

/// The routes of jobs.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_jobs)).routes(routes!(retry_job))
}

/// Work that follows from an event or from time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job, example = json!({"id": "job_01jd0000000000000000000000", "kind": "payment.authorise", "subject": "pay_01jd0000000000000000000000",
    "state": "dead", "run_at": "2026-11-21T09:30:00Z", "attempts": 12, "last_error": "the provider did not answer in 10 seconds"}))]
struct JobShape {
    /// Its id.
    id: String,
    /// What is to be done.
    kind: String,
    /// The id of what it is about.
    subject: String,
    /// `waiting`, or `dead`: it was tried too often and a person must look at it.
    state: &'static str,
    /// Not before this instant.
    #[schema(format = DateTime)]
    run_at: String,
    /// How often it was tried.
    attempts: i64,
    /// Why it failed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl From<&job::Job> for JobShape {
    fn from(job: &job::Job) -> JobShape {
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
struct JobQuery {
    /// `waiting` or `dead`; `dead` when not given.
    state: Option<String>,
}

impl JobQuery {
    fn dead(&self) -> Result<bool, Refusal> {
        match self.state.as_deref() {
            None | Some("dead") => Ok(true),
            Some("waiting") => Ok(false),
            Some(_) => Err(Refusal::invalid("state", "give \"waiting\" or \"dead\"")),
        }
    }
}

/// List jobs
#[utoipa::path(get, path = "/v1/jobs", operation_id = "list_jobs", tag = "operations", params(JobQuery, PageQuery),
    responses((status = 200, body = Page<JobShape>), Problems))]
async fn list_jobs(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<JobQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (dead, limit, after) = (query.dead()?, page.limit()?, page.after_id()?);
    let jobs = app.read(move |tx| job::list(tx, &actor, dead, after, limit)).await?;
    document(&Page::new(jobs.iter().map(JobShape::from).collect(), limit, |job| job.id.clone()), None)
}

/// Try a dead job again
///
/// It waits again and has all its attempts before it.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", operation_id = "retry_job", tag = "operations",
    params(("id" = String, Path, description = "The job's id.")), responses((status = 204), Problems))]
async fn retry_job(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let known = Id::parse(&id).map_err(|_| Refusal::not_found("job", &id));
        job::revive(tx, actor, world, known?)?;
        Reply::json(&())
    })
    .await
}
