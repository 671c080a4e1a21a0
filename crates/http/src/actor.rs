//! Who may ask, over the API: programs' keys, staff with their roles and sessions, and the list of permissions.

mod key;
mod role;
pub(crate) mod session;
mod staff;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of access.
pub fn routes() -> OpenApiRouter<App> {
    key::routes().merge(session::routes()).merge(staff::routes()).merge(role::routes())
}
