//! Stripe as a payment provider, by its public HTTP API: a payment is one payment intent, made and confirmed in one call. Every call that moves
//! money carries our key; what became of a call that was not answered is looked up by what we wrote onto the intent, and never guessed.
//!
//! Sources: <https://docs.stripe.com/api/payment_intents>, <https://docs.stripe.com/api/refunds>, <https://docs.stripe.com/api/errors>,
//! <https://docs.stripe.com/api/idempotent_requests>, <https://docs.stripe.com/payments/multicapture>.

mod form;

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use domain::payment::reconcile::Theirs;
use domain::payment::{Kind, Timing};
use engine::Keyring;
use engine::payment::account::{Account, secret_key};
use engine::payment::provider::Ask;
use engine::payment::reconciliation::Asked;
use engine::payment::stripe::{self as words, KEY, PAYMENT};
use engine::payment::{Operation, Verdict};
use serde_json::Value;

use crate::call::{Caller, Unanswered};
use crate::payment::Provider;
use crate::payment::reconciliation::bounded;
use form::Form;

/// The version of the API that is spoken here, whatever the account's own is.
const API_VERSION: &str = "2024-06-20";
/// How many things are asked for at once.
const PAGE: usize = 100;
/// The most pages looked through for one thing.
const PAGES_MAX: usize = 20;
/// How far Stripe's clock may be from ours when we look for what was made since.
const CLOCKS_SECONDS: i64 = 600;
/// Whole units of these Stripe counts in hundredths, though ISO 4217 gives them none: <https://docs.stripe.com/currencies#special-cases>.
const COUNTED_OTHERWISE: [&str; 2] = ["ISK", "UGX"];

/// How the shop reaches Stripe: by whatever account a payment names.
#[derive(Clone)]
pub struct StripeClient {
    caller: Caller,
    keyring: Arc<Keyring>,
}

/// What a call was answered.
enum Said {
    /// What was asked for.
    Given(Value),
    /// No, for good, and why.
    Refused(String),
}

impl StripeClient {
    /// A client that makes these calls and opens the accounts' secrets with this keyring.
    pub fn new(caller: Caller, keyring: Arc<Keyring>) -> StripeClient {
        StripeClient { caller, keyring }
    }

    fn reach(&self, account: &Account, path: &str) -> Result<(String, String), Unanswered> {
        let key = secret_key(&self.keyring, account);
        let key = key.ok_or_else(|| {
            Unanswered(format!("the secret key of payment account \"{}\" cannot be opened", account.code))
        })?;
        let base = account.url.as_deref().unwrap_or(account.kind.url());
        Ok((format!("{base}{path}"), format!("Bearer {key}")))
    }

    async fn get(&self, account: &Account, path: &str) -> Result<Value, Unanswered> {
        let (url, bearer) = self.reach(account, path)?;
        let headers = [("authorization", bearer.as_str()), ("stripe-version", API_VERSION)];
        let (status, body) = self.caller.get_with(&url, &headers).await?;
        match said(&url, status, &body)? {
            Said::Given(value) => Ok(value),
            Said::Refused(why) => Err(Unanswered(format!("{url}: {why}"))),
        }
    }

    async fn post(&self, ask: &Ask, path: &str, form: Form) -> Result<Said, Unanswered> {
        let (url, bearer) = self.reach(account(ask)?, path)?;
        let headers = [
            ("authorization", bearer.as_str()),
            ("stripe-version", API_VERSION),
            ("idempotency-key", ask.key.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let (status, body) = self.caller.post(&url, &headers, form.text()).await?;
        said(&url, status, &body)
    }

    /// What stands in a list for which `found` holds, looked through page by page; whatever is older than `since` in whole pages is not.
    async fn find(
        &self,
        account: &Account,
        path: &str,
        since: i64,
        found: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, Unanswered> {
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(account, &format!("{path}{joint}limit={PAGE}{after}")).await?;
            let items = page["data"].as_array().map_or(&[][..], Vec::as_slice);
            if let Some(one) = items.iter().find(|one| found(one)) {
                return Ok(Some(one.clone()));
            }
            let is_older = |one: &Value| one["created"].as_i64().is_some_and(|at| at < since);
            let last = items.last().and_then(|one| one["id"].as_str());
            match last.filter(|_| page["has_more"] == true && !items.iter().all(is_older)) {
                Some(last) => after = format!("&starting_after={last}"),
                None => return Ok(None),
            }
        }
        Err(Unanswered(format!("{path}: not among the {} newest, and there are more", PAGE * PAGES_MAX)))
    }

    /// The intent of a payment; `None` when none was ever made.
    async fn intent(&self, ask: &Ask) -> Result<Option<Value>, Unanswered> {
        let account = account(ask)?;
        if let Some(reference) = &ask.reference {
            let path = format!("/v1/payment_intents/{reference}?expand[]=latest_charge");
            return self.get(account, &path).await.map(Some);
        }
        let payment = ask.payment.to_string();
        let since = ask.made_at.micros().div_euclid(1_000_000) - CLOCKS_SECONDS;
        let path = "/v1/payment_intents?expand[]=data.latest_charge";
        self.find(account, path, since, |one| one["metadata"][PAYMENT] == payment.as_str()).await
    }

    async fn known_intent(&self, ask: &Ask) -> Result<Value, Unanswered> {
        let lost = || Unanswered(format!("the intent of payment {} is not found", ask.payment));
        self.intent(ask).await?.ok_or_else(lost)
    }

    async fn give_back(&self, ask: &Ask, intent: &str, amount: Option<i64>) -> Result<Said, Unanswered> {
        let form = Form::default().with("payment_intent", intent).with_some("amount", amount);
        let form = form.with("metadata[payment]", ask.payment).with("metadata[key]", &ask.key);
        self.post(ask, "/v1/refunds", form).await
    }
}

fn account(ask: &Ask) -> Result<&Account, Unanswered> {
    ask.account.as_ref().ok_or_else(|| Unanswered(format!("payment {} names no account", ask.payment)))
}

/// Declined cards and questions that can never be answered are a no. A wrong key, a limit, an error of theirs, another question under the same
/// key leave open what happened: then it is looked up, and asked again.
fn said(url: &str, status: StatusCode, body: &Bytes) -> Result<Said, Unanswered> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Unanswered(format!("{url}: answered {status}, not in the agreed form")))?;
    if status == StatusCode::OK {
        return Ok(Said::Given(value));
    }
    let error = &value["error"];
    let words = |name: &str| error[name].as_str().unwrap_or_default();
    let (kind, message) = (words("type"), words("message"));
    let asked_wrongly = matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND);
    match kind {
        "card_error" => Ok(Said::Refused(or(message, "the card was declined"))),
        "invalid_request_error" if status == StatusCode::PAYMENT_REQUIRED => {
            Ok(Said::Refused(or(message, "the card was declined")))
        }
        "invalid_request_error" if asked_wrongly => Ok(Said::Refused(or(message, "it is not possible"))),
        _ => Err(Unanswered(format!("{url}: answered {status} {kind}: {message}"))),
    }
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

fn declined(reason: impl Into<String>) -> Verdict {
    Verdict::Declined { reason: reason.into() }
}

/// The verdict on an answer, read with the words for what was asked for.
fn verdict(said: Said, read: impl Fn(&Value) -> Option<Verdict>) -> Result<Verdict, Unanswered> {
    match said {
        Said::Refused(why) => Ok(declined(why)),
        Said::Given(value) => {
            read(&value).ok_or_else(|| Unanswered(format!("a status that is not known: {}", value["status"])))
        }
    }
}

/// A capture that the intent already shows. Captures of a payment are asked for one after the other, so what was taken beyond what we know of
/// was taken by this one; an intent that is captured once only and succeeded had its one capture.
fn captured(ask: &Ask, intent: &Value) -> Option<Verdict> {
    let more = match intent["amount_received"].as_i64() {
        Some(received) => received > ask.captured,
        None => intent["status"] == "succeeded" && ask.captured == 0,
    };
    more.then(|| Verdict::Done { reference: charge(intent) })
}

/// The charge behind an intent: its id, or the whole of it.
fn charge(intent: &Value) -> Option<String> {
    let charge = &intent["latest_charge"];
    charge.as_str().or_else(|| charge["id"].as_str()).map(str::to_owned)
}

impl Provider for StripeClient {
    const KIND: Kind = Kind::Stripe;

    async fn authorise(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        if COUNTED_OTHERWISE.contains(&ask.currency) {
            return Ok(declined(format!("{} is counted otherwise by Stripe", ask.currency)));
        }
        let token = ask.token.as_deref().unwrap_or_default();
        let pays = if token.starts_with("ctoken_") { "confirmation_token" } else { "payment_method" };
        let mut form = Form::default()
            .with("amount", ask.amount)
            .with("currency", ask.currency.to_ascii_lowercase())
            .with("confirm", "true")
            .with(pays, token)
            .with("payment_method_types[]", "card")
            .with("metadata[payment]", ask.payment);
        form = match ask.timing {
            Timing::AtOnce => form.with("capture_method", "automatic"),
            Timing::WhenAsked => form
                .with("capture_method", "manual")
                .with("payment_method_options[card][request_multicapture]", "if_available"),
        };
        verdict(self.post(ask, "/v1/payment_intents", form).await?, words::intent)
    }

    async fn capture(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        if ask.waits {
            return Err(Unanswered("an earlier capture of the payment is under way".into()));
        }
        let intent = self.known_intent(ask).await?;
        if let Some(done) = captured(ask, &intent) {
            return Ok(done);
        }
        let status = intent["status"].as_str().unwrap_or_default();
        if status != "requires_capture" {
            return Ok(declined(format!(
                "the payment is {status} at the provider: what was not taken was let go"
            )));
        }
        let mut form = Form::default().with("amount_to_capture", ask.amount);
        let card = &intent["latest_charge"]["payment_method_details"]["card"];
        if card["multicapture"]["status"] == "available" {
            let open = intent["amount_capturable"].as_i64().unwrap_or_default();
            form = form.with("final_capture", if ask.amount < open { "false" } else { "true" });
        }
        let path = format!("/v1/payment_intents/{}/capture", intent["id"].as_str().unwrap_or_default());
        let said = self.post(ask, &path, form).await?;
        verdict(said, |intent| Some(Verdict::Done { reference: charge(intent) }))
    }

    async fn refund(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        let intent = self.known_intent(ask).await?;
        let id = intent["id"].as_str().unwrap_or_default();
        verdict(self.give_back(ask, id, Some(ask.amount)).await?, words::refund)
    }

    /// What was taken at once, before we let go of it, is given back.
    async fn void(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        let Some(intent) = self.intent(ask).await? else { return Ok(Verdict::Done { reference: None }) };
        let id = intent["id"].as_str().unwrap_or_default();
        let said = match intent["status"].as_str().unwrap_or_default() {
            "canceled" => return Ok(Verdict::Done { reference: Some(id.to_owned()) }),
            "succeeded" => {
                let path = format!("/v1/refunds?payment_intent={id}");
                let own = |one: &Value| one["metadata"][KEY] == ask.key.as_str();
                if self.find(account(ask)?, &path, i64::MIN, own).await?.is_some() {
                    return Ok(Verdict::Done { reference: Some(id.to_owned()) });
                }
                self.give_back(ask, id, None).await?
            }
            _ => self.post(ask, &format!("/v1/payment_intents/{id}/cancel"), Form::default()).await?,
        };
        match said {
            Said::Given(_) => Ok(Verdict::Done { reference: Some(id.to_owned()) }),
            // It went on meanwhile: it is looked at again.
            Said::Refused(why) => Err(Unanswered(format!("intent {id} cannot be let go now: {why}"))),
        }
    }

    async fn status(&self, ask: &Ask) -> Result<Option<Verdict>, Unanswered> {
        match ask.operation {
            Operation::Authorise => Ok(self.intent(ask).await?.as_ref().and_then(words::intent)),
            Operation::Capture(_) if ask.waits => Ok(None),
            Operation::Capture(_) => Ok(captured(ask, &self.known_intent(ask).await?)),
            Operation::Refund(_) => {
                let intent = self.known_intent(ask).await?;
                let path =
                    format!("/v1/refunds?payment_intent={}", intent["id"].as_str().unwrap_or_default());
                let own = |one: &Value| one["metadata"][KEY] == ask.key.as_str();
                Ok(self.find(account(ask)?, &path, i64::MIN, own).await?.as_ref().and_then(words::refund))
            }
            // Letting go looks by itself what there is to let go of.
            Operation::Void => Ok(None),
        }
    }

    /// The account's balance transactions, which are Stripe's own books.
    async fn movements(&self, asked: &Asked) -> Result<Vec<Theirs>, Unanswered> {
        let account = asked.account.as_ref().ok_or_else(|| Unanswered("no account is named".into()))?;
        let [from, until] = [asked.window.0, asked.window.1].map(|at| at.micros().div_euclid(1_000_000));
        let path = format!(
            "/v1/balance_transactions?expand[]=data.source&created[gte]={from}&created[lt]={until}&limit={PAGE}"
        );
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(account, &format!("{path}{after}")).await?;
            let items = page["data"].as_array().map_or(&[][..], Vec::as_slice);
            for item in items {
                let unknown =
                    || Unanswered(format!("balance transaction {} is not in the agreed form", item["id"]));
                found.push(words::movement(item).ok_or_else(unknown)?);
            }
            bounded(&found)?;
            match items.last().and_then(|one| one["id"].as_str()).filter(|_| page["has_more"] == true) {
                Some(last) => after = format!("&starting_after={last}"),
                None => return Ok(found),
            }
        }
    }
}
