//! Posting a count over the API: what it found lost and was promised is served from elsewhere in the same transaction.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use engine::fulfilment::counted;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::command::{Command, KeyRequired};
use crate::count::{CountShape, answer, named};
use crate::problem::{Problem, Problems};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(post_count))
}

/// Post the differences of a count
#[utoipa::path(post, path = "/v1/counts/{count}/post", operation_id = "post_count", tag = "count",
    params(("count" = String, Path, description = "The count's id"), KeyRequired),
    responses((status = 200, body = CountShape), Problems))]
async fn post_count(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let id = named(&id)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        answer(&counted::post(tx, actor, world, id)?)
    })
    .await
}
