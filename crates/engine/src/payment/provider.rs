//! What a payment provider is asked and what it answered. Asked between two transactions, by a job, always under the same key of ours, so that
//! asking twice moves money once; an answer that did not arrive is never guessed but asked for.

use domain::payment::{self as rules, Kind, PartState, State, Timing};
use domain::value::id::{Capture, Payment as PaymentKind, PaymentAccount, Refund};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::payment::{self as rows, PartEnd, Payment, receivable};
use store::{StoreError, Tx};

use super::account::Account;
use super::{let_go, load, receivable as owing, tell, tell_order};
use crate::job::{self, Job};
use crate::signature::Secret;
use crate::{Failure, Keyring, World};
use domain::actor::Actor;

/// The least and the most seconds between two questions about a payment that is pending at the provider.
const POLL_SECONDS: (i64, i64) = (2, 600);

/// What the provider is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reserve the whole amount.
    Authorise,
    /// Take part of it.
    Capture(Id<Capture>),
    /// Give part of it back.
    Refund(Id<Refund>),
    /// Let go of it.
    Void,
}

impl Operation {
    /// The kinds of the jobs that ask the provider of a kind of payments. Each provider is asked by jobs of its own, so that one that does
    /// not answer keeps no other waiting.
    pub const fn jobs(kind: Kind) -> &'static [&'static str; 4] {
        match kind {
            Kind::Stripe => &[
                "payment.stripe.authorise",
                "payment.stripe.capture",
                "payment.stripe.refund",
                "payment.stripe.void",
            ],
            _ => &["payment.authorise", "payment.capture", "payment.refund", "payment.void"],
        }
    }

    const fn job(self, kind: Kind) -> &'static str {
        let [authorise, capture, refund, void] = Operation::jobs(kind);
        match self {
            Operation::Authorise => authorise,
            Operation::Capture(_) => capture,
            Operation::Refund(_) => refund,
            Operation::Void => void,
        }
    }

    /// The key under which the provider does it once.
    pub fn key(self, payment: Id<PaymentKind>) -> String {
        match self {
            Operation::Authorise => payment.to_string(),
            Operation::Capture(id) => id.to_string(),
            Operation::Refund(id) => id.to_string(),
            Operation::Void => format!("void-{payment}"),
        }
    }

    /// The operation of a payment that has this key.
    pub fn of_key(payment: Id<PaymentKind>, key: &str) -> Option<Operation> {
        let part =
            || Id::parse(key).map(Operation::Capture).or_else(|_| Id::parse(key).map(Operation::Refund)).ok();
        let whole = [Operation::Authorise, Operation::Void].into_iter().find(|one| one.key(payment) == key);
        whole.or_else(part)
    }
}

/// What the provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, under the provider's own id.
    Done {
        /// The provider's id; none where no provider was asked.
        reference: Option<String>,
    },
    /// It is under way; the provider tells when it ends, and we ask from time to time.
    Pending {
        /// The provider's id.
        reference: Option<String>,
    },
    /// The provider asks the customer something first, such as whether it is really him who pays; the browser shows it. Then as pending.
    Questioned {
        /// The provider's id.
        reference: String,
        /// What the browser shows the question with.
        client_secret: String,
    },
    /// It will not be done.
    Declined {
        /// Why, in the provider's words.
        reason: String,
    },
}

/// A question to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The payment.
    pub payment: Id<PaymentKind>,
    /// What is to be done.
    pub operation: Operation,
    /// Our key for it.
    pub key: String,
    /// How much, in minor units; the whole amount when letting go.
    pub amount: i64,
    /// The currency's three letters.
    pub currency: &'static str,
    /// What pays, when asking to authorise.
    pub token: Option<String>,
    /// The account it is taken by, where the retailer has several.
    pub account: Option<Account>,
    /// The provider's own id of the payment, once we know it.
    pub reference: Option<String>,
    /// When the money is taken once it is authorised.
    pub timing: Timing,
    /// How much of the payment was taken, as far as we know.
    pub captured: i64,
    /// An earlier capture of the payment is not ended: a provider that takes one after the other is asked later.
    pub waits: bool,
    /// When the payment was made.
    pub made_at: Instant,
    /// It may have been asked before, so the provider must first be asked what became of it.
    pub asked_before: bool,
}

/// Notes that the provider is to be asked after the commit.
pub(super) fn ask_soon(
    tx: &mut Tx<'_>,
    world: &mut World,
    operation: Operation,
    payment: &Payment,
) -> Result<(), Failure> {
    let now = world.now();
    let body = json!({ "key": operation.key(payment.id), "asked_before": false });
    job::enqueue(tx, world, operation.job(payment.kind), payment.id, body, now)
}

/// The question a job stands for; `None` when it needs no answer any more.
///
/// # Errors
/// What the store says, or when the job is not one of a provider.
pub fn question(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Ask>, Failure> {
    let unreadable = || StoreError::Corrupt(format!("job {} does not name a payment and a key", job.id));
    let id: Id<PaymentKind> = Id::parse(&job.subject).map_err(|_| unreadable())?;
    let body: Value = serde_json::from_str(&job.body).map_err(|_| unreadable())?;
    let key = body["key"].as_str().ok_or_else(unreadable)?.to_owned();
    let operation = Operation::of_key(id, &key).ok_or_else(unreadable)?;
    let payment = load(tx, id)?;
    let captures = rows::captures(tx, id)?;
    let amount = match operation {
        Operation::Authorise => (payment.state == State::Created).then_some(payment.amounts.amount),
        Operation::Void => Some(payment.amounts.amount),
        Operation::Capture(capture) => pending(&captures, capture),
        Operation::Refund(refund) => pending(&rows::refunds(tx, id)?, refund),
    };
    let asked_before = job.attempts > 1 || body["asked_before"] == true;
    let currency = payment.currency.code();
    let account = payment.account.map(|id| super::account::load(tx, id)).transpose()?;
    let earlier = |part: &rows::Part<Capture>| match operation {
        Operation::Capture(capture) => part.state == PartState::Pending && part.id < capture,
        _ => false,
    };
    Ok(amount.map(|amount| Ask {
        payment: id,
        operation,
        key,
        amount,
        currency,
        token: payment.provider_token,
        account,
        reference: payment.provider_reference,
        timing: payment.timing,
        captured: payment.amounts.captured,
        waits: captures.iter().any(earlier),
        made_at: payment.made_at,
        asked_before,
    }))
}

fn pending<K: domain::value::Kind>(parts: &[rows::Part<K>], id: Id<K>) -> Option<i64> {
    parts.iter().find(|part| part.id == id && part.state == PartState::Pending).map(|part| part.amount)
}

/// Records what the provider answered, from a job's call or a webhook, in any order and any number of times: each operation ends once.
///
/// # Errors
/// [`Code::NotFound`] for a payment that is not ours, or what the store says.
pub fn outcome(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    operation: Operation,
    verdict: &Verdict,
) -> Result<(), Failure> {
    let payment = load(tx, id)?;
    if !payment.kind.has_provider() {
        let message = format!("a payment by {} has no provider", payment.kind.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    match operation {
        Operation::Authorise => authorisation_ended(tx, actor, world, &payment, verdict),
        Operation::Capture(capture) => capture_ended(tx, actor, world, &payment, capture, verdict),
        Operation::Refund(refund) => refund_ended(tx, actor, world, &payment, (refund, false), verdict),
        Operation::Void => Ok(()),
    }
}

/// Records what was told by an account, which may only speak of payments it takes itself.
///
/// # Errors
/// [`Code::NotFound`] for a payment of another account; else as [`outcome`].
pub fn heard(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    account: Id<PaymentAccount>,
    (payment, operation, verdict): (Id<PaymentKind>, Operation, &Verdict),
) -> Result<(), Failure> {
    if load(tx, payment)?.account != Some(account) {
        return Err(Refusal::not_found("payment", payment).into());
    }
    outcome(tx, actor, world, payment, operation, verdict)
}

/// Records what the provider answered to a job's question, and asks again later when it is still under way.
///
/// # Errors
/// As [`outcome`].
pub fn answered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ask: &Ask,
    verdict: &Verdict,
) -> Result<(), Failure> {
    outcome(tx, actor, world, ask.payment, ask.operation, verdict)?;
    if !matches!(verdict, Verdict::Pending { .. } | Verdict::Questioned { .. }) {
        return Ok(());
    }
    let (least, most) = POLL_SECONDS;
    let payment = load(tx, ask.payment)?;
    let waited = (world.now().micros() - payment.made_at.micros()) / 1_000_000;
    let again_at = world.now().plus_seconds((waited / 2).clamp(least, most));
    let body = json!({ "key": ask.key, "asked_before": true });
    job::enqueue(tx, world, ask.operation.job(payment.kind), ask.payment, body, again_at)
}

fn authorisation_ended(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    verdict: &Verdict,
) -> Result<(), Failure> {
    let id = payment.id;
    match verdict {
        Verdict::Pending { reference } => {
            if let Some(reference) = reference {
                rows::note_reference(tx, id, &bounded(reference))?;
            }
            Ok(())
        }
        Verdict::Questioned { reference, client_secret } => {
            if rows::note_question(tx, id, &bounded(reference), client_secret)? {
                tell(tx, actor, world, payment, "payment.questioned", json!({}))?;
            }
            Ok(())
        }
        Verdict::Declined { reason } => {
            let reason = bounded(reason);
            if rows::end(tx, id, State::Created, State::Failed, Some(&reason))? {
                if payment.client_secret.is_some() {
                    // The browser might go on with another card, of which we would not know.
                    let_go(tx, world, payment)?;
                }
                tell(tx, actor, world, payment, "payment.failed", json!({ "reason": reason }))?;
            }
            Ok(())
        }
        Verdict::Done { reference } => {
            let reference = bounded(reference.as_deref().unwrap_or_default());
            if !rows::authorise(tx, id, &reference)? {
                // Allowed after we had given it up: what the provider holds must be given free.
                let gone = matches!(load(tx, id)?.state, State::Voided | State::Expired | State::Failed);
                return if gone { let_go(tx, world, payment) } else { Ok(()) };
            }
            tell(
                tx,
                actor,
                world,
                payment,
                "payment.authorised",
                json!({ "amount": payment.amounts.amount }),
            )?;
            if payment.timing == Timing::AtOnce {
                super::capture(tx, &Actor::system(), world, id, None)?;
            }
            Ok(())
        }
    }
}

/// Ends a capture once.
pub(super) fn capture_ended(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    capture: Id<Capture>,
    verdict: &Verdict,
) -> Result<(), Failure> {
    let id = payment.id;
    let Some(end) = part_end(verdict) else { return Ok(()) };
    let Some(amount) = rows::end_capture(tx, id, capture, &end)? else { return Ok(()) };
    let body = json!({ "capture": capture.to_string(), "amount": amount });
    if end.state == PartState::Done {
        rows::finish_capture(tx, id, amount)?;
        let cause = (receivable::CAPTURE, capture.to_string());
        return moved(tx, actor, world, payment, (cause, amount), ("payment.captured", body));
    }
    rows::fail_capture(tx, id, amount)?;
    tell(tx, actor, world, payment, "payment.capture_failed", with_reason(body, &end))?;
    if rows::end(tx, id, State::Authorised, State::Failed, end.failure)? {
        let_go(tx, world, payment)?;
        tell(tx, actor, world, payment, "payment.failed", with_reason(json!({}), &end))?;
    }
    Ok(())
}

/// Tells that money moved; what a provider owes us moves with it.
fn moved(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    movement: ((&'static str, String), i64),
    (kind, body): (&'static str, Value),
) -> Result<(), Failure> {
    if !payment.kind.has_provider() {
        return tell(tx, actor, world, payment, kind, body);
    }
    let notice = owing::notice(payment, kind, body);
    owing::moved(tx, actor, world, payment, movement, notice)?;
    tell_order(tx, world, payment)
}

/// Ends a refund once; `elsewhere` when the money went by another way than it came.
pub(super) fn refund_ended(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    (refund, elsewhere): (Id<Refund>, bool),
    verdict: &Verdict,
) -> Result<(), Failure> {
    let id = payment.id;
    let Some(end) = part_end(verdict) else { return Ok(()) };
    let end = PartEnd { elsewhere, ..end };
    let Some(amount) = rows::end_refund(tx, id, refund, &end)? else { return Ok(()) };
    let body = json!({ "refund": refund.to_string(), "amount": amount });
    if end.state == PartState::Done {
        rows::finish_refund(tx, id, amount)?;
        if elsewhere {
            return tell(tx, actor, world, payment, "payment.refunded", body);
        }
        let cause = (receivable::REFUND, refund.to_string());
        return moved(tx, actor, world, payment, (cause, -amount), ("payment.refunded", body));
    }
    rows::fail_refund(tx, id, amount)?;
    tell(tx, actor, world, payment, "payment.refund_failed", with_reason(body, &end))
}

fn part_end(verdict: &Verdict) -> Option<PartEnd<'_>> {
    match verdict {
        Verdict::Pending { .. } | Verdict::Questioned { .. } => None,
        Verdict::Done { reference } => Some(PartEnd {
            state: PartState::Done,
            provider_reference: reference.as_deref().map(cut),
            failure: None,
            elsewhere: false,
        }),
        Verdict::Declined { reason } => Some(PartEnd {
            state: PartState::Failed,
            provider_reference: None,
            failure: Some(cut(reason)),
            elsewhere: false,
        }),
    }
}

fn with_reason(mut body: Value, end: &PartEnd<'_>) -> Value {
    body["reason"] = end.failure.into();
    body
}

/// What the outside says, held to the most characters we keep.
fn cut(text: &str) -> &str {
    text.char_indices().nth(rules::REFERENCE_LENGTH_MAX).map_or(text, |(end, _)| &text[..end])
}

fn bounded(text: &str) -> String {
    cut(text).to_owned()
}

/// The secret with which the test provider signs what it sends us; follows from the master key, so that nothing has to be set up.
pub fn test_secret(keyring: &Keyring) -> Secret {
    Secret::from_bytes(keyring.lookup_hash("webhook secret", "test"))
}
