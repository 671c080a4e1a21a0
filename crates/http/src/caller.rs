//! Who asks: found from the API key or the session cookie of a request.

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use domain::actor::{Actor, Who};
use domain::value::Instant;
use domain::{Code, Refusal};
use engine::actor::{key, session};
use engine::sign_in;

use crate::problem::Problem;
use crate::{App, access};

/// The cookie that holds the token of a session.
pub(crate) const SESSION_COOKIE: &str = "tandem_session";
/// What the token of a customer's session begins with, so that it is told from an API key.
pub(crate) const CUSTOMER_PREFIX: &str = "customer_";
/// The header in which a page sends the token that other sites cannot know.
const CSRF_HEADER: &str = "x-csrf-token";

/// The actor behind a request. A request without a credential is answered 401; a route that is open to everybody does not ask for a caller.
pub struct Caller(pub Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Problem> {
        let now = app.shop.source.now();
        let actor = if let Some(token) = customer_token(&parts.headers) {
            of_customer(app, token, now).await?
        } else if let Some(text) = key_text(&parts.headers) {
            of_key(app, text, now).await?
        } else if let Some(token) = session_token(&parts.headers) {
            let actor = of_session(app, token.clone(), now).await?;
            refuse_forged(&parts.method, &parts.headers, &token)?;
            actor
        } else {
            let refusal = Refusal::new(
                Code::SignInNeeded,
                "give an API key as Authorization: Bearer key_…, or sign in",
            );
            return Err(refusal.into());
        };
        app.edge.limits.count_credential(actor.who)?;
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        if let Some(needs) = access::needs_of(parts.method.as_str(), route) {
            access::admit(&actor, needs)?;
        }
        Ok(Caller(actor))
    }
}

async fn of_key(app: &App, text: String, now: Instant) -> Result<Actor, Problem> {
    let (actor, first_today) = app.read(move |tx| key::recognise(tx, &text, now)).await?;
    if let (true, Who::Key(id)) = (first_today, actor.who) {
        // Worth no refusal: a failure was logged, and the next request tries again.
        let _ = app.write(move |tx, _| key::note_use(tx, id, now)).await;
    }
    Ok(actor)
}

/// The customer with this token.
pub(crate) async fn of_customer(app: &App, token: String, now: Instant) -> Result<Actor, Problem> {
    let asked = token.clone();
    let (actor, to_be_noted) = app.read(move |tx| sign_in::recognise(tx, &asked, now)).await?;
    if to_be_noted {
        // As above.
        let _ = app.write(move |tx, _| sign_in::note_use(tx, &token, now)).await;
    }
    Ok(actor)
}

/// Who is signed in by the token of a session.
pub(crate) async fn of_session(app: &App, token: String, now: Instant) -> Result<Actor, Problem> {
    let asked = token.clone();
    let signed_in = app.read(move |tx| session::recognise(tx, &asked, now)).await?;
    if signed_in.to_be_noted {
        // As above.
        let _ = app.write(move |tx, _| session::note_use(tx, &token, now)).await;
    }
    Ok(signed_in.actor)
}

/// The token of a customer's session a request came with.
pub(crate) fn customer_token(headers: &HeaderMap) -> Option<String> {
    let text = key_text(headers)?;
    text.strip_prefix(CUSTOMER_PREFIX).map(str::to_owned)
}

/// The text of the API key a request came with; empty when it is no key at all.
pub(crate) fn key_text(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?;
    Some(value.to_str().ok().and_then(bearer).unwrap_or_default().to_owned())
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, text) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| text.trim())
}

/// The token in the session cookie.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<String> {
    cookie_named(headers, SESSION_COOKIE)
}

/// What a cookie holds.
pub(crate) fn cookie_named(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, token)| token.to_owned())
}

/// A browser sends the cookie with whatever any page asks for: a change must show that one of our pages asked.
fn refuse_forged(method: &Method, headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    refuse_other_sites(headers)?;
    let given = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if session::is_csrf_token(token, given) {
        return Ok(());
    }
    Err(forged("send the csrf_token of GET /v1/session as X-CSRF-Token with every change"))
}

/// Refuses what a browser says another site asked for.
pub(crate) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    match site {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => {
            Err(forged("a page of another site asked for this; use a page of the shop, or an API key"))
        }
    }
}

fn forged(detail: &str) -> Problem {
    Problem::edge(
        StatusCode::FORBIDDEN,
        "forged",
        "it cannot be seen that one of the shop's own pages asked",
        detail,
    )
}
