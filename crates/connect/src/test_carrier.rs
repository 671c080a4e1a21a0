//! A carrier to try things on, which behaves like a real one: a program of its own on loopback, with parcels of its own, that is slow,
//! fails once, refuses, makes one label per key, and tells where a parcel is by signed webhooks, repeated and out of order.
//!
//! The weight in grams decides, by its last digits: `…1` is delivered at the first attempt · `…2` is tried once more, with the webhooks
//! repeated and out of order · `…3` comes back to who sent it · `…4` answers 503 to the first attempt · `…5` answers so late that the
//! caller has gone, with the label made · `…6` is refused · all others are accepted and stay on the way.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::fulfilment::parcel::Tracked;
use domain::value::Instant;
use engine::Source;
use engine::signature::Secret;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::call::Caller;

/// How often a webhook is tried that is not accepted.
const WEBHOOK_TRIES_MAX: u32 = 8;
/// How long a webhook's receiver may take.
const WEBHOOK_WAIT_MAX: Duration = Duration::from_secs(10);
/// The heaviest parcel it takes, in grams.
const WEIGHT_GRAMS_MAX: i64 = 30_000;
/// Its services, and what each costs in minor units.
const SERVICES: [(&str, i64); 2] = [("standard", 395), ("express", 795)];

/// How the carrier behaves, and whom it tells.
pub struct Settings {
    /// Where it sends webhooks; nowhere when `None`.
    pub webhook_url: Option<String>,
    /// What is shared with the shop: its callers show it, and it signs webhooks with it.
    pub secret: String,
    /// Its clock.
    pub source: Arc<dyn Source>,
    /// How long a parcel takes from one event to the next.
    pub step: Duration,
    /// How long it keeps a caller waiting for an answer that comes too late.
    pub hang_for: Duration,
}

/// A parcel in the carrier's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// By which number it goes.
    pub tracking: String,
    /// By which service.
    pub service: String,
    /// It will not come.
    pub voided: bool,
    /// What was seen of it: id, what, when in microseconds.
    pub seen: Vec<(String, Tracked, i64)>,
}

#[derive(Default)]
struct Books {
    parcels: HashMap<String, Taken>,
    attempted: HashSet<String>,
}

struct Company {
    settings: Settings,
    signer: Option<Secret>,
    books: Mutex<Books>,
    caller: Caller,
}

/// The running carrier, seen from its own side.
#[derive(Clone)]
pub struct TestCarrier {
    company: Arc<Company>,
}

impl TestCarrier {
    /// A carrier with no parcels.
    pub fn new(settings: Settings) -> TestCarrier {
        let signer = Secret::parse(&settings.secret).ok();
        let caller = Caller::new(WEBHOOK_WAIT_MAX);
        TestCarrier { company: Arc::new(Company { settings, signer, books: Mutex::default(), caller }) }
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
            .route("/rates", post(rate))
            .route("/labels", post(label))
            .route("/void", post(void))
            .route("/track", post(track))
            .with_state(self.company.clone());
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    /// What the carrier's books say of a parcel, by the shop's key.
    pub fn parcel(&self, key: &str) -> Option<Taken> {
        self.company.books().parcels.get(key).cloned()
    }

    /// How many parcels it ever took.
    pub fn parcels(&self) -> usize {
        self.company.books().parcels.len()
    }

    /// The address under which a listener is reached.
    pub fn base_url(address: SocketAddr) -> String {
        format!("http://{address}")
    }
}

impl Company {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shop's key, when the caller shows what is shared.
    fn key(&self, headers: &HeaderMap) -> Result<String, StatusCode> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if text(header::AUTHORIZATION) != Some(&format!("Bearer {}", self.settings.secret)) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        key.map(str::to_owned).ok_or(StatusCode::BAD_REQUEST)
    }
}

#[derive(Deserialize)]
struct Parcel {
    weight_grams: i64,
    #[serde(default)]
    to: Value,
    #[serde(default)]
    service: String,
}

type Shared = State<Arc<Company>>;

async fn rate(State(company): Shared, headers: HeaderMap, Json(parcel): Json<Parcel>) -> Response {
    if let Err(status) = company.key(&headers) {
        return status.into_response();
    }
    if parcel.weight_grams > WEIGHT_GRAMS_MAX {
        return refused("it is too heavy");
    }
    Json(SERVICES.map(|(service, amount)| json!({ "service": service, "amount": amount }))).into_response()
}

async fn label(State(company): Shared, headers: HeaderMap, Json(parcel): Json<Parcel>) -> Response {
    let key = match company.key(&headers) {
        Ok(key) => key,
        Err(status) => return status.into_response(),
    };
    let first = company.books().attempted.insert(key.clone());
    let way = parcel.weight_grams % 10;
    if first && way == 4 {
        return (StatusCode::SERVICE_UNAVAILABLE, "come again").into_response();
    }
    if parcel.weight_grams > WEIGHT_GRAMS_MAX || way == 6 {
        return refused("the parcel is not accepted");
    }
    if !SERVICES.iter().any(|(service, _)| *service == parcel.service) {
        return refused("there is no such service");
    }
    if parcel.to["country"].as_str().is_none_or(str::is_empty) {
        return refused("the address has no country");
    }
    let taken = take(&company, &key, &parcel.service);
    if first && way == 5 {
        tokio::time::sleep(company.settings.hang_for).await;
    }
    if first {
        tokio::spawn(carry(company.clone(), key.clone(), way));
    }
    Json(json!({ "tracking": taken.tracking, "id": format!("tc_{}", taken.tracking), "service": taken.service })).into_response()
}

/// One label for each key, however often it is asked for.
fn take(company: &Company, key: &str, service: &str) -> Taken {
    let mut books = company.books();
    let number = books.parcels.len() + 1;
    let new = || Taken {
        tracking: format!("TC{number:010}"),
        service: service.to_owned(),
        voided: false,
        seen: Vec::new(),
    };
    books.parcels.entry(key.to_owned()).or_insert_with(new).clone()
}

async fn void(State(company): Shared, headers: HeaderMap) -> Response {
    let key = match company.key(&headers) {
        Ok(key) => key,
        Err(status) => return status.into_response(),
    };
    match company.books().parcels.get_mut(&key) {
        Some(taken) => {
            taken.voided = true;
            Json(json!({})).into_response()
        }
        None => refused("there is no such parcel"),
    }
}

async fn track(State(company): Shared, headers: HeaderMap) -> Response {
    let key = match company.key(&headers) {
        Ok(key) => key,
        Err(status) => return status.into_response(),
    };
    let Some(taken) = company.books().parcels.get(&key).cloned() else {
        return refused("there is no such parcel");
    };
    Json(
        taken
            .seen
            .iter()
            .map(|(id, tracked, at)| seen(&taken.tracking, id, *tracked, *at))
            .collect::<Vec<_>>(),
    )
    .into_response()
}

fn refused(reason: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "reason": reason }))).into_response()
}

fn seen(tracking: &str, id: &str, tracked: Tracked, at: i64) -> Value {
    json!({ "tracking": tracking, "id": id, "tracked": tracked.text(), "at": Instant::from_micros(at).to_string() })
}

/// Carries a parcel, step by step, and tells of each.
async fn carry(company: Arc<Company>, key: String, way: i64) {
    use Tracked::*;
    let steps: &[Tracked] = match way {
        1 => &[Accepted, InTransit, OutForDelivery, Delivered],
        2 => &[Accepted, OutForDelivery, AttemptFailed, OutForDelivery, Delivered],
        3 => &[Accepted, OutForDelivery, AttemptFailed, AttemptFailed, AttemptFailed, Returned],
        _ => &[Accepted],
    };
    let mut told: Vec<(String, String)> = Vec::new();
    for (number, tracked) in steps.iter().enumerate() {
        tokio::time::sleep(company.settings.step).await;
        // Each step is a second later by the carrier's own watch, however fast it is played.
        let at = company.settings.source.now().micros() + number as i64 * 1_000_000;
        let id = format!("evt_{key}_{number}");
        let tracking = {
            let mut books = company.books();
            let Some(taken) = books.parcels.get_mut(&key).filter(|taken| !taken.voided) else { return };
            taken.seen.push((id.clone(), *tracked, at));
            taken.tracking.clone()
        };
        told.push((id.clone(), seen(&tracking, &id, *tracked, at).to_string()));
        if way != 2 {
            tell(&company, &told[number]).await;
        }
    }
    if way == 2 {
        // The last first, and then all of it once more.
        for one in told.iter().rev().chain(&told) {
            tell(&company, one).await;
        }
    }
}

/// Sends a webhook until it is accepted, with longer and longer pauses.
async fn tell(company: &Company, (id, body): &(String, String)) {
    let Some((url, signer)) = company.settings.webhook_url.as_ref().zip(company.signer.as_ref()) else {
        return;
    };
    for attempt in 0..WEBHOOK_TRIES_MAX {
        let timestamp = company.settings.source.now().micros().div_euclid(1_000_000);
        let signature = signer.sign(id, timestamp, body.as_bytes());
        let timestamp = timestamp.to_string();
        let headers = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        match company.caller.post(url, &headers, body.clone()).await {
            Ok((status, _)) if status.is_success() => return,
            Ok((status, _)) => tracing::warn!(%status, id, "the test carrier's webhook was not accepted"),
            Err(unanswered) => {
                tracing::warn!(why = unanswered.0, id, "the test carrier's webhook was not answered")
            }
        }
        tokio::time::sleep(company.settings.step * 2u32.pow(attempt)).await;
    }
}
