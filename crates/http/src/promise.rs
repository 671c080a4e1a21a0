//! Promises over the API: what is to arrive, and when something can be had where.

mod answer;
mod expected;

use utoipa_axum::router::OpenApiRouter;

use crate::App;

pub(crate) use answer::{PromiseShape, STORES};

/// The routes of promises.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(answer::routes()).merge(expected::routes())
}
