//! Asking carriers. Each parcel goes out under a key of ours, so that asking again makes one label. The recipient is unsealed here, for the
//! time of the call, and kept nowhere.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use domain::actor::Actor;
use domain::fulfilment::parcel::Tracked;
use domain::value::Instant;
use engine::fulfilment::carrier::secret_of;
use engine::fulfilment::track::{self, Ask, Heard, Operation, Verdict};
use engine::job::Job;
use engine::{Failure, Keyring, World, contact};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;

use crate::call::{Caller, Unanswered};
use crate::job::Outside;

/// A carrier, seen from the shop. Every operation is done once per parcel, however often it is asked.
pub trait Carrier: Send + Sync + 'static {
    /// What each of its services would cost for a parcel, the cheapest first.
    fn rate(&self, asked: &Asked<'_>) -> impl Future<Output = Result<Vec<Rate>, Unanswered>> + Send;
    /// Takes a parcel by a service.
    fn label(
        &self,
        asked: &Asked<'_>,
        service: &str,
    ) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// Forgets a parcel that does not come.
    fn void(&self, asked: &Asked<'_>) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// Where a parcel was and is.
    fn track(&self, asked: &Asked<'_>) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
}

/// A question, opened for a carrier.
pub struct Asked<'a> {
    /// The question.
    pub ask: &'a Ask,
    /// What is shared with the carrier.
    pub secret: String,
    /// Who receives the parcel, as the carrier reads it.
    pub to: Value,
}

/// What a service would cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Rate {
    /// The service.
    pub service: String,
    /// What it costs, in minor units.
    pub amount: i64,
}

/// The jobs that ask carriers.
pub struct Carriers<C> {
    carrier: C,
    keyring: Arc<Keyring>,
}

impl<C: Carrier> Carriers<C> {
    /// Jobs that ask carriers in this way.
    pub fn new(carrier: C, keyring: Arc<Keyring>) -> Carriers<C> {
        Carriers { carrier, keyring }
    }

    /// Takes a parcel by the service that was asked for, or by the cheapest.
    async fn label(&self, asked: &Asked<'_>) -> Result<Verdict, Unanswered> {
        if let Some(service) = &asked.ask.service {
            return self.carrier.label(asked, service).await;
        }
        let known = |rate: &Rate| asked.ask.carrier.services.contains(&rate.service);
        let rates = self.carrier.rate(asked).await?;
        let cheapest = rates.into_iter().filter(known).min_by_key(|rate| rate.amount);
        match cheapest {
            Some(rate) => self.carrier.label(asked, &rate.service).await,
            None => Ok(Verdict::Refused { reason: "none of its services takes this parcel".into() }),
        }
    }
}

impl<C: Carrier> Outside for Carriers<C> {
    type Ask = Ask;
    type Answer = Verdict;

    fn kinds(&self) -> &'static [&'static str] {
        &Operation::JOBS
    }

    fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Ask>, Failure> {
        track::question(tx, job)
    }

    async fn call(&self, ask: Ask) -> Result<Verdict, String> {
        let secret = secret_of(&self.keyring, &ask.carrier).ok_or("the carrier's secret cannot be opened")?;
        let to = match &ask.to {
            Some((id, sealed)) => match contact::unsealed(&self.keyring, *id, sealed) {
                Some(card) => {
                    let text = card.text();
                    json!({ "name": text.name, "company": text.company, "street": text.street, "city": text.city,
                        "region": text.region, "postal_code": text.postal_code, "country": text.country })
                }
                None => return Ok(Verdict::Refused { reason: "the recipient was erased".into() }),
            },
            None if ask.operation == Operation::Label => {
                return Ok(Verdict::Refused { reason: "the order names no recipient".into() });
            }
            None => Value::Null,
        };
        let asked = Asked { ask: &ask, secret, to };
        let verdict = match ask.operation {
            Operation::Label => self.label(&asked).await,
            Operation::Void => self.carrier.void(&asked).await,
            Operation::Track => self.carrier.track(&asked).await,
        };
        verdict.map_err(|unanswered| unanswered.0)
    }

    fn record(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        ask: &Ask,
        verdict: &Verdict,
    ) -> Result<(), Failure> {
        track::answered(tx, actor, world, ask, verdict)
    }
}

/// Carriers that are asked as the test carrier is: JSON over HTTP, with the shared secret as a bearer token.
#[derive(Clone)]
pub struct TestClient {
    caller: Caller,
}

#[derive(Deserialize)]
struct Labelled {
    tracking: String,
    id: String,
    service: String,
}

#[derive(Deserialize)]
struct Refused {
    reason: String,
}

#[derive(Deserialize)]
struct Told {
    id: String,
    tracked: String,
    at: String,
    note: Option<String>,
}

impl TestClient {
    /// A client that calls in this way.
    pub fn new(caller: Caller) -> TestClient {
        TestClient { caller }
    }

    async fn post(
        &self,
        asked: &Asked<'_>,
        path: &str,
        body: Value,
    ) -> Result<(String, StatusCode, Bytes), Unanswered> {
        let url = format!("{}{path}", asked.ask.carrier.url.as_deref().unwrap_or_default());
        let (key, bearer) = (asked.ask.parcel.1.to_string(), format!("Bearer {}", asked.secret));
        let headers = [("idempotency-key", key.as_str()), ("authorization", bearer.as_str())];
        let (status, body) = self.caller.post(&url, &headers, body.to_string()).await?;
        Ok((url, status, body))
    }

    fn parcel(asked: &Asked<'_>) -> Value {
        let (length, width, height) = asked.ask.size.edges_mm.unwrap_or_default();
        json!({ "weight_grams": asked.ask.size.weight_grams, "length_mm": length, "width_mm": width, "height_mm": height, "to": asked.to })
    }
}

/// Only an answer we understand is one; everything else leaves open what happened.
fn read<'b, T: Deserialize<'b>>(url: &str, status: StatusCode, body: &'b Bytes) -> Result<T, Unanswered> {
    serde_json::from_slice(body)
        .map_err(|_| Unanswered(format!("{url}: answered {status}, not in the agreed form")))
}

fn refused(url: &str, status: StatusCode, body: &Bytes) -> Result<Verdict, Unanswered> {
    if status != StatusCode::UNPROCESSABLE_ENTITY {
        return Err(Unanswered(format!("{url}: answered {status}, which says nothing about the parcel")));
    }
    read::<Refused>(url, status, body).map(|refused| Verdict::Refused { reason: refused.reason })
}

impl Carrier for TestClient {
    async fn rate(&self, asked: &Asked<'_>) -> Result<Vec<Rate>, Unanswered> {
        let (url, status, body) = self.post(asked, "/rates", TestClient::parcel(asked)).await?;
        match status {
            StatusCode::OK => read(&url, status, &body),
            _ => refused(&url, status, &body).map(|_| Vec::new()),
        }
    }

    async fn label(&self, asked: &Asked<'_>, service: &str) -> Result<Verdict, Unanswered> {
        let mut parcel = TestClient::parcel(asked);
        parcel["service"] = service.into();
        let (url, status, body) = self.post(asked, "/labels", parcel).await?;
        if status != StatusCode::OK {
            return refused(&url, status, &body);
        }
        let Labelled { tracking, id, service } = read(&url, status, &body)?;
        Ok(Verdict::Labelled { tracking, reference: id, service })
    }

    async fn void(&self, asked: &Asked<'_>) -> Result<Verdict, Unanswered> {
        let (url, status, body) = self.post(asked, "/void", json!({})).await?;
        if status == StatusCode::OK { Ok(Verdict::Voided) } else { refused(&url, status, &body) }
    }

    async fn track(&self, asked: &Asked<'_>) -> Result<Verdict, Unanswered> {
        let (url, status, body) = self.post(asked, "/track", json!({})).await?;
        if status != StatusCode::OK {
            return refused(&url, status, &body);
        }
        let told: Vec<Told> = read(&url, status, &body)?;
        let heard = |told: Told| {
            let tracked = Tracked::named(&told.tracked).zip(Instant::parse(&told.at).ok());
            tracked.map(|(tracked, at)| Heard { id: told.id, tracked, at, note: told.note })
        };
        Ok(Verdict::Tracked(told.into_iter().filter_map(heard).collect()))
    }
}
