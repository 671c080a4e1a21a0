//! What figures say, over the API.

mod promotion;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of simulated promotions.
pub fn routes() -> OpenApiRouter<App> {
    promotion::routes()
}
