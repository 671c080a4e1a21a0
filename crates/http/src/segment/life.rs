//! The stages of a customer's life over the API.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::segment::life::Life;
use engine::segment::life;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};

/// The routes of the stages of life.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_life_cycle, set_life_cycle))
}

/// After how many days a stage begins or ends: `prospect` (never ordered), `new`, `active`, `at_risk`, `lost`, and `won_back` (ordered again
/// after being lost).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LifeCycle, example = json!({"new_days": 30, "at_risk_after_days": 120, "lost_after_days": 365}))]
struct LifeShape {
    /// New for so many days after the first order.
    #[schema(minimum = 1, maximum = 3650)]
    new_days: i64,
    /// At risk so many days after the last order.
    #[schema(minimum = 1, maximum = 3650)]
    at_risk_after_days: i64,
    /// Lost so many days after the last order.
    #[schema(minimum = 1, maximum = 3650)]
    lost_after_days: i64,
}

impl From<Life> for LifeShape {
    fn from(life: Life) -> LifeShape {
        let (new_days, at_risk_after_days, lost_after_days) = life.days();
        LifeShape { new_days, at_risk_after_days, lost_after_days }
    }
}

/// Read the stages of life
#[utoipa::path(get, path = "/v1/life-cycle", operation_id = "read_life_cycle", tag = "segment",
    responses((status = 200, body = LifeShape), Problems))]
async fn read_life_cycle(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let (life, version) = app.read(move |tx| life::read(tx, &actor)).await?;
    document(&LifeShape::from(life), Some(version))
}

/// Set the stages of life
///
/// They hold at once, for everything that was ordered before too.
#[utoipa::path(put, path = "/v1/life-cycle", operation_id = "set_life_cycle", tag = "segment", request_body = LifeShape,
    params(("If-Match" = String, Header, description = "the `ETag` they were read with")),
    responses((status = 200, body = LifeShape), Problems))]
async fn set_life_cycle(State(app): State<App>, command: Command<LifeShape>) -> Result<Response, Problem> {
    let (version, body) = (command.version()?, command.body);
    let life = Life::new(body.new_days, body.at_risk_after_days, body.lost_after_days)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (life, version) = life::set(tx, actor, world, (life, version))?;
        Reply::versioned(&LifeShape::from(life), version)
    })
    .await
}
