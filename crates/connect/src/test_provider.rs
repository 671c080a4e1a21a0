//! A payment provider to try things on, which behaves like a real one: a program of its own on loopback, with accounts of its own, that
//! confirms late, declines, does not answer in time, fails once, and tells what happened by signed webhooks, repeated and out of order.
//!
//! What pays decides: `tok_ok` is authorised at once · `tok_async` is pending, then a webhook tells · `tok_decline` is declined ·
//! `tok_timeout` is authorised, but the answer comes too late · `tok_duplicate_webhook` is told three times, out of order ·
//! `tok_fail_later` is authorised and cannot be captured · `tok_error_once` answers 503 to the first attempt.

mod account;
mod client;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::Source;
use engine::signature::Secret;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use account::{Account, Asked, Done};
pub use account::{Payment, Status};
pub use client::TestClient;

use crate::call::Caller;

/// The most movements on one page.
const MOVEMENTS_PAGE: usize = 100;
/// How often a webhook is tried that is not accepted.
const WEBHOOK_TRIES_MAX: u32 = 8;
/// How long a webhook's receiver may take.
const WEBHOOK_WAIT_MAX: Duration = Duration::from_secs(10);

/// How the provider behaves, and whom it tells.
pub struct Settings {
    /// Where it sends webhooks; nowhere when `None`.
    pub webhook_url: Option<String>,
    /// What it signs them with.
    pub secret: Secret,
    /// Its clock and chance.
    pub source: Arc<dyn Source>,
    /// How long it takes to confirm what is pending.
    pub confirm_after: Duration,
    /// How long it keeps a caller waiting for an answer that comes too late.
    pub hang_for: Duration,
}

struct Provider {
    settings: Settings,
    account: Mutex<Account>,
    caller: Caller,
}

/// The running provider, seen from the side of its own accounts.
#[derive(Clone)]
pub struct TestProvider {
    provider: Arc<Provider>,
}

impl TestProvider {
    /// A provider with empty accounts.
    pub fn new(settings: Settings) -> TestProvider {
        let caller = Caller::new(WEBHOOK_WAIT_MAX);
        TestProvider { provider: Arc::new(Provider { settings, account: Mutex::default(), caller }) }
    }

    /// Serves on a listener until `shutdown` ends.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let router = Router::new()
            .route("/payments", post(authorise))
            .route("/payments/{payment}/captures", post(capture))
            .route("/payments/{payment}/refunds", post(refund))
            .route("/payments/{payment}/void", post(void))
            .route("/operations/{key}", get(status))
            .route("/movements", get(movements))
            .with_state(self.provider.clone());
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    /// What the provider's books say of a payment.
    pub fn payment(&self, key: &str) -> Option<Payment> {
        self.provider.account().payments.get(key).cloned()
    }

    /// The address under which a listener is reached.
    pub fn base_url(address: SocketAddr) -> String {
        format!("http://{address}")
    }
}

impl Provider {
    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct NewPayment {
    amount: i64,
    currency: String,
    token: String,
}

#[derive(Deserialize)]
struct Part {
    amount: i64,
}

type Shared = State<Arc<Provider>>;

async fn authorise(State(provider): Shared, headers: HeaderMap, Json(new): Json<NewPayment>) -> Response {
    let Some(key) = key(&headers) else { return no_key() };
    let first = provider.account().attempt(&key);
    if first && new.token == "tok_error_once" {
        return (StatusCode::SERVICE_UNAVAILABLE, "come again").into_response();
    }
    let done = provider.account().authorise(&key, new.amount, &new.currency, &new.token);
    if first && new.token == "tok_timeout" {
        tokio::time::sleep(provider.settings.hang_for).await;
    }
    if first && matches!(new.token.as_str(), "tok_async" | "tok_duplicate_webhook") {
        tokio::spawn(confirm(provider.clone(), key, new.token));
    }
    answer(done)
}

async fn capture(
    State(provider): Shared,
    Path(payment): Path<String>,
    headers: HeaderMap,
    Json(part): Json<Part>,
) -> Response {
    let Some(key) = key(&headers) else { return no_key() };
    let now = provider.settings.source.now();
    answer(provider.account().capture(&payment, &key, part.amount, now))
}

async fn refund(
    State(provider): Shared,
    Path(payment): Path<String>,
    headers: HeaderMap,
    Json(part): Json<Part>,
) -> Response {
    let Some(key) = key(&headers) else { return no_key() };
    let now = provider.settings.source.now();
    answer(provider.account().refund(&payment, &key, part.amount, now))
}

async fn void(State(provider): Shared, Path(payment): Path<String>, headers: HeaderMap) -> Response {
    let Some(key) = key(&headers) else { return no_key() };
    answer(provider.account().void(&payment, &key))
}

async fn status(State(provider): Shared, Path(key): Path<String>) -> Response {
    match provider.account().status(&key) {
        Some(done) => Json(done.shape()).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing was asked under this key").into_response(),
    }
}

/// Which movements are asked for.
#[derive(Deserialize)]
struct Window {
    from: i64,
    until: i64,
    after: usize,
}

async fn movements(State(provider): Shared, Query(window): Query<Window>) -> Response {
    let found = provider.account().movements((window.from, window.until), window.after, MOVEMENTS_PAGE);
    Json(json!({ "has_more": found.len() == MOVEMENTS_PAGE, "items": found })).into_response()
}

fn key(headers: &HeaderMap) -> Option<String> {
    headers.get("idempotency-key")?.to_str().ok().map(str::to_owned)
}

fn no_key() -> Response {
    (StatusCode::BAD_REQUEST, "give an Idempotency-Key").into_response()
}

fn answer(asked: Asked) -> Response {
    match asked {
        Asked::Done(done) if done.status == Status::Declined => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(done.shape())).into_response()
        }
        Asked::Done(done) => Json(done.shape()).into_response(),
        Asked::OtherInput => (StatusCode::CONFLICT, "this key was used with another input").into_response(),
        Asked::NoPayment => (StatusCode::NOT_FOUND, "no such payment").into_response(),
    }
}

/// Confirms a pending payment after a while, and tells.
async fn confirm(provider: Arc<Provider>, key: String, token: String) {
    tokio::time::sleep(provider.settings.confirm_after).await;
    let pending = provider.account().status(&key);
    let confirmed = provider.account().confirm(&key);
    let (Some(pending), Some(confirmed)) = (pending, confirmed) else { return };
    let (first, second) = (format!("msg_{key}_1"), format!("msg_{key}_2"));
    tell(&provider, &second, &key, &confirmed).await;
    if token == "tok_duplicate_webhook" {
        tell(&provider, &first, &key, &pending).await;
        tell(&provider, &second, &key, &confirmed).await;
    }
}

/// Sends a webhook until it is accepted, with longer and longer pauses.
async fn tell(provider: &Provider, id: &str, key: &str, done: &Done) {
    let Some(url) = &provider.settings.webhook_url else { return };
    let mut data = done.shape();
    data["payment"] = key.into();
    data["key"] = key.into();
    let body = json!({ "type": "payment.operation", "data": data }).to_string();
    for attempt in 0..WEBHOOK_TRIES_MAX {
        let timestamp = provider.settings.source.now().micros().div_euclid(1_000_000);
        let signature = provider.settings.secret.sign(id, timestamp, body.as_bytes());
        let timestamp = timestamp.to_string();
        let headers =
            [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        match provider.caller.post(url, &headers, body.clone()).await {
            Ok((status, _)) if status.is_success() => return,
            Ok((status, _)) => tracing::warn!(%status, id, "the test provider's webhook was not accepted"),
            Err(unanswered) => {
                tracing::warn!(why = unanswered.0, id, "the test provider's webhook was not answered")
            }
        }
        tokio::time::sleep(provider.settings.confirm_after * 2u32.pow(attempt)).await;
    }
}
