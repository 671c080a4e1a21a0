//! Who asks: found from the session cookie or the API key of a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::actor::{Actor, Who};

use crate::App;
use crate::problem::Problem;

/// The actor behind a request. Somebody without a credential is a guest who may do nothing by himself.
pub struct Caller(pub Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, _app: &App) -> Result<Caller, Problem> {
        Ok(Caller(Actor { who: Who::Guest, channel: None, grants: Vec::new() }))
    }
}
