//! The shop's side of the test provider: each operation as a call over HTTP, its answer as a verdict.

use axum::body::Bytes;
use axum::http::StatusCode;
use domain::payment::Kind;
use domain::payment::reconcile::{Side, Theirs};
use domain::value::{Currency, Id, Instant};
use engine::payment::provider::Ask;
use engine::payment::reconciliation::Asked;
use engine::payment::{Operation, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Caller, Unanswered};
use crate::payment::Provider;
use crate::payment::reconciliation::bounded;

use super::account::Movement;

/// How the shop reaches the test provider.
#[derive(Clone)]
pub struct TestClient {
    base_url: String,
    caller: Caller,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    id: Option<String>,
    reason: Option<String>,
}

impl TestClient {
    /// A client of the provider at an address such as `http://127.0.0.1:4010`, which calls in this way.
    pub fn new(base_url: impl Into<String>, caller: Caller) -> TestClient {
        TestClient { base_url: base_url.into(), caller }
    }

    async fn post(&self, ask: &Ask, path: &str, body: Value) -> Result<Verdict, Unanswered> {
        let url = format!("{}{path}", self.base_url);
        let headers = [("idempotency-key", ask.key.as_str())];
        let (status, body) = self.caller.post(&url, &headers, body.to_string()).await?;
        verdict(&url, status, &body)
    }

    /// A path below the payment.
    fn below(ask: &Ask, word: &str) -> String {
        format!("/payments/{}/{word}", Operation::Authorise.key(ask.payment))
    }
}

impl Provider for TestClient {
    const KIND: Kind = Kind::Test;

    async fn authorise(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        let body = json!({ "amount": ask.amount, "currency": ask.currency, "token": ask.token });
        self.post(ask, "/payments", body).await
    }

    async fn capture(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        self.post(ask, &TestClient::below(ask, "captures"), json!({ "amount": ask.amount })).await
    }

    async fn refund(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        self.post(ask, &TestClient::below(ask, "refunds"), json!({ "amount": ask.amount })).await
    }

    async fn void(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        self.post(ask, &TestClient::below(ask, "void"), json!({})).await
    }

    async fn status(&self, ask: &Ask) -> Result<Option<Verdict>, Unanswered> {
        let url = format!("{}/operations/{}", self.base_url, ask.key);
        let (status, body) = self.caller.get(&url).await?;
        if status == StatusCode::NOT_FOUND { Ok(None) } else { verdict(&url, status, &body).map(Some) }
    }

    async fn movements(&self, asked: &Asked) -> Result<Vec<Theirs>, Unanswered> {
        let (from, until) = (asked.window.0.micros(), asked.window.1.micros());
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let url = format!("{}/movements?from={from}&until={until}&after={after}", self.base_url);
            let (status, body) = self.caller.get(&url).await?;
            let unreadable = || Unanswered(format!("{url}: answered {status}, not in the agreed form"));
            let page: Movements = serde_json::from_slice(&body).map_err(|_| unreadable())?;
            after = page.items.last().map_or(after, |last| last.number);
            for one in &page.items {
                found.push(read(one).ok_or_else(unreadable)?);
            }
            bounded(&found)?;
            if !page.has_more || page.items.is_empty() {
                return Ok(found);
            }
        }
    }
}

#[derive(Deserialize)]
struct Movements {
    items: Vec<Movement>,
    has_more: bool,
}

fn read(one: &Movement) -> Option<Theirs> {
    let currency = Currency::parse(&one.currency).ok()?;
    Some(Theirs {
        side: if one.amount < 0 { Side::Refunded } else { Side::Captured },
        reference: one.id.clone(),
        key: Some(one.key.clone()),
        payment: Id::parse(&one.payment).ok(),
        payment_reference: None,
        amount: one.amount,
        currency,
        fee: (one.fee != 0).then_some((one.fee, currency)),
        at: Instant::from_micros(one.at_micros),
        takes_back: false,
    })
}

/// Only an answer we understand is a verdict; everything else leaves open what happened.
fn verdict(url: &str, status: StatusCode, body: &Bytes) -> Result<Verdict, Unanswered> {
    let unanswered = |why: &str| Unanswered(format!("{url}: answered {status}, {why}"));
    if status != StatusCode::OK && status != StatusCode::UNPROCESSABLE_ENTITY {
        return Err(unanswered("which says nothing about the money"));
    }
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| unanswered("and not in the agreed form"))?;
    match answer.status.as_str() {
        "done" => Ok(Verdict::Done { reference: answer.id }),
        "pending" => Ok(Verdict::Pending { reference: answer.id }),
        "declined" => Ok(Verdict::Declined { reason: answer.reason.unwrap_or_else(|| "declined".into()) }),
        _ => Err(unanswered("with a status that is not known")),
    }
}
