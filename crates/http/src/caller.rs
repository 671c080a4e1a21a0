//! Who asks: found from the API key of a request.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::actor::{Actor, Who};
use domain::value::id::ApiKey;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use engine::actor::key;
use tokio::sync::oneshot;

use crate::App;
use crate::problem::Problem;

/// The actor behind a request. A request without a credential is answered 401; a route that is open to everybody does not ask for a caller.
pub struct Caller(pub Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Problem> {
        let Some(value) = parts.headers.get(AUTHORIZATION) else {
            let refusal = Refusal::new(
                Code::SignInNeeded,
                "give an API key as Authorization: Bearer key_…, or sign in",
            );
            return Err(refusal.into());
        };
        let text = value.to_str().ok().and_then(bearer).unwrap_or_default().to_owned();
        let now = app.shop.source.now();
        let (actor, first_today) = app.read(move |tx| key::recognise(tx, &text, now)).await?;
        app.edge.limits.count_credential(actor.who)?;
        if let (true, Who::Key(id)) = (first_today, actor.who) {
            note_use(app, id, now).await;
        }
        Ok(Caller(actor))
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, text) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

/// Notes the day of use. That is worth no refusal: a failure is only logged.
async fn note_use(app: &App, id: Id<ApiKey>, now: Instant) {
    let (teller, outcome) = oneshot::channel();
    app.shop.db.write_then(move |tx| key::note_use(tx, id, now), move |result| drop(teller.send(result)));
    if let Ok(Err(error)) = outcome.await {
        tracing::warn!(%error, "the use of a key could not be noted");
    }
}
