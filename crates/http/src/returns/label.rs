//! The label for goods that come back by post, over the API.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::value::{Reference, id};
use engine::external;
use engine::returns::label;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::caller::Caller;
use crate::paper::labelled;
use crate::problem::{Problem, Problems};

/// The route of labels of returns.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(print_return_label))
}

/// Print the label of a return as PDF, on 4 by 6 inches
///
/// For a return that was approved and comes by post. Who sends it stands on it for who may read contacts, and the reading is noted in the audit
/// trail.
#[utoipa::path(get, path = "/v1/returns/{return}/label.pdf", operation_id = "print_return_label", tag = "returns",
    params(("return" = String, Path, description = "Id or external id")),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), Problems))]
async fn print_return_label(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let one = Reference::<id::Return>::read(&one);
    let label = app
        .write(move |tx, world| {
            let id = external::resolve(tx, &one)?;
            label::label(tx, &actor, world, id)
        })
        .await?;
    labelled(&label).answer()
}
