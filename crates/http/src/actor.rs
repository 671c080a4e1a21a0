//! Who may ask, over the API: programs' keys and the list of permissions.

mod key;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of access.
pub fn routes() -> OpenApiRouter<App> {
    key::routes()
}
