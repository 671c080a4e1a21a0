//! What customers tell beside the contact, and what colleagues note, over the API. What names a person is given in bodies and answered by
//! operations of its own, whose answers are kept nowhere.

mod address;
mod note;
mod preference;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of addresses, notes and preferences.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(address::routes()).merge(note::routes()).merge(preference::routes())
}
