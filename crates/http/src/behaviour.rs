//! Behaviour over the API: sources and what they sent, what a person did; and the collector, to which pages, apps and programs send what
//! people did with the libraries of Segment, RudderStack, PostHog and Jitsu as they are.

mod answer;
mod collector;
mod person;
mod posthog;
mod segment;
mod source;
mod wire;

pub(crate) use collector::{is_collector, routes as collector_routes};

use utoipa_axum::router::OpenApiRouter;

use crate::App;

/// The routes of behaviour, without those of the collector, whose form others have given.
pub fn routes() -> OpenApiRouter<App> {
    source::routes().merge(person::routes())
}
