//! What customers tell beside the contact, and what colleagues note, over the API. What names a person is given in bodies and answered by
//! operations of its own, whose answers are kept nowhere.

mod note;
mod preference;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of notes and preferences.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(note::routes()).merge(preference::routes())
}
