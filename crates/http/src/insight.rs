//! What figures say, over the API: what other promotions, or another version of a loyalty programme, would have come to.

mod promotion;
mod trial;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of simulated promotions and of trials.
pub fn routes() -> OpenApiRouter<App> {
    promotion::routes().merge(trial::routes())
}
