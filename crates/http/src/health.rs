//! Is the shop well? For those who watch over it: live, ready, figures for Prometheus, and the description of the API.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::actor::Permission;
use serde::Serialize;
use store::{event, job};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::problem::{Problem, Problems};

/// How many waiting messages are counted.
const MESSAGES_COUNTED_MAX: i64 = 1000;

/// The routes of health.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_liveness))
        .routes(routes!(read_readiness))
        .routes(routes!(read_metrics))
        .routes(routes!(read_description))
}

/// Whether the program runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Liveness, example = json!({"status": "live"}))]
struct LivenessShape {
    /// Always `live`.
    status: &'static str,
}

/// Is the program alive?
#[utoipa::path(get, path = "/health/live", operation_id = "read_liveness", tag = "operations",
    responses((status = 200, body = LivenessShape), Problems))]
async fn read_liveness() -> Result<Response, Problem> {
    document(&LivenessShape { status: "live" }, None)
}

/// Whether the shop can serve.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness, example = json!({"status": "ready", "engine": "sqlite", "commits_first": true, "commands_waiting": 0,
    "mail": true, "messages_waiting": 0}))]
struct ReadinessShape {
    /// Always `ready`; a shop that is not answers 503.
    status: &'static str,
    /// Which engine keeps the books: `sqlite` or `postgres`.
    engine: &'static str,
    /// May the commit thread run before all others? If not, commits wait when the machine is busy.
    commits_first: bool,
    /// How many commands wait to be written.
    commands_waiting: usize,
    /// Is it set where mail is handed over? If not, messages wait.
    mail: bool,
    /// How many messages are due and have not left, counted up to 1000.
    messages_waiting: i64,
}

/// Can the shop serve?
///
/// The books are read to answer.
#[utoipa::path(get, path = "/health/ready", operation_id = "read_readiness", tag = "operations",
    responses((status = 200, body = ReadinessShape), Problems))]
async fn read_readiness(State(app): State<App>) -> Result<Response, Problem> {
    let now = app.shop.source.now();
    let messages_waiting = app
        .read(move |tx| {
            event::ends(tx)?;
            Ok(store::message::waiting(tx, now, MESSAGES_COUNTED_MAX)?)
        })
        .await?;
    let db = &app.shop.db;
    let engine = match db.engine() {
        store::dialect::Engine::Sqlite => "sqlite",
        store::dialect::Engine::Postgres => "postgres",
    };
    let shape = ReadinessShape {
        status: "ready",
        engine,
        commits_first: db.commits_first(),
        commands_waiting: db.waiting(),
        mail: app.edge.settings.mail,
        messages_waiting,
    };
    document(&shape, None)
}

/// Figures for Prometheus
///
/// Requests and their duration by route and status, commands that wait, jobs that wait and jobs that were given up.
/// Needs the permission `operations:write`, unless the settings open it to everybody.
#[utoipa::path(get, path = "/metrics", operation_id = "read_metrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain"), Problems))]
async fn read_metrics(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    if !app.edge.settings.metrics_open {
        let Caller(actor) = Caller::from_request_parts(&mut request.into_parts().0, &app).await?;
        actor.may(Permission::Operate, None)?;
    }
    let (jobs_waiting, jobs_dead) = app.read(|tx| Ok(job::counts(tx)?)).await?;
    let gauges = [
        ("tandem_commands_waiting", app.shop.db.waiting() as i64),
        ("tandem_jobs_waiting", jobs_waiting),
        ("tandem_jobs_dead", jobs_dead),
        (
            "tandem_streams_open",
            (app.edge.settings.streams_at_once_max - app.edge.streams.available_permits()) as i64,
        ),
    ];
    metrics::with_local_recorder(&app.edge.recorder, || {
        for (name, value) in gauges {
            #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
            metrics::gauge!(name).set(value as f64);
        }
    });
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, app.edge.counted.render()).into_response())
}

/// The description of this API
///
/// OpenAPI 3.1 as JSON, made from the program itself.
#[utoipa::path(get, path = "/v1/openapi.json", operation_id = "read_description", tag = "operations",
    responses((status = 200, body = serde_json::Value), Problems))]
async fn read_description(State(app): State<App>) -> Result<Response, Problem> {
    let text = app.edge.description.get_or_init(crate::router::description).clone();
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
