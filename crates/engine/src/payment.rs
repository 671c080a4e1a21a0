//! Payments: money asked for an order, taken in parts, given back in parts. Every capture and every refund has an id of its own.
//!
//! Where a provider is asked, a command only notes what is wanted, and a job asks after the commit; see [`provider`].
//! Whoever keeps the order is told by a job `order.payment_changed`, because orders stand to the right of payments.

pub mod account;
pub mod carry;
mod credit;
pub mod provider;
mod receivable;
pub mod reconciliation;
pub mod sequence;
pub mod stripe;

use domain::actor::{Actor, Permission};
use domain::payment::{self as rules, Amounts, Card, Kind, PartState, State, Step, Timing};
use domain::value::id::{Capture, Location, Order, Payment as PaymentKind, PaymentAccount, Refund};
use domain::value::{Id, Instant, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, payment as rows};

pub use provider::{Operation, Verdict, outcome};
pub use store::payment::{Part, Payment};

use crate::event::emit;
use crate::loyalty::Credit;
use crate::{Failure, World, external, identity, job};

/// How long a payment is waited for when nobody says.
const WAITED_FOR_SECONDS: i64 = 24 * 3600;

/// The answer where nobody had to be asked.
const DONE: Verdict = Verdict::Done { reference: None };

/// A payment to be made.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The order it pays.
    pub order: Id<Order>,
    /// How it is paid.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// When the money is taken once it is authorised.
    pub timing: Timing,
    /// The account it is taken by; needed for kinds that have accounts.
    pub account: Option<Id<PaymentAccount>>,
    /// What the provider gave for the card, or whatever else pays; needed when a provider is asked.
    pub provider_token: Option<String>,
    /// What the terminal printed; needed for a card record.
    pub card: Option<Card>,
    /// The gift card, store credit or member's points it is paid with; needed for those.
    pub credit: Option<Credit>,
    /// How many points it is; needed for points.
    pub points: Option<i64>,
    /// Where the money is taken, if at a location.
    pub location: Option<Id<Location>>,
    /// When it expires unless it is authorised before; a day from now when not given.
    pub expires_at: Option<Instant>,
    /// The id other systems know it by.
    pub external_id: Option<String>,
}

/// Makes a payment: cash and card records are captured at once, money on a card of ours is set aside at once, a bank transfer is waited for,
/// a provider is asked after the commit.
/// Whoever makes it looks himself what the money in the hand means for the order; what comes later is told by a job.
///
/// # Errors
/// [`Code::Invalid`] when the amount is under 1, or the token, card or credit does not fit the kind; [`Code::AlreadyExists`] for a used external
/// id; [`Code::AmountExceeded`] when less is on the gift card or store credit.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewPayment,
) -> Result<Payment, Failure> {
    may_pay(actor, &new)?;
    check(&new)?;
    let now = world.now();
    let open = Amounts {
        amount: new.amount.minor(),
        authorised: 0,
        capturing: 0,
        captured: 0,
        refunding: 0,
        refunded: 0,
        carried: 0,
    };
    let token = new.card.as_ref().and_then(Card::token);
    let profile = match token {
        Some(token) => identity::of_card(tx, actor, world, token)?,
        None => None,
    };
    let expires_at = new.expires_at.unwrap_or_else(|| now.plus_seconds(WAITED_FOR_SECONDS));
    let payment = Payment {
        id: world.id(),
        order: new.order,
        kind: new.kind,
        state: State::Created,
        currency: new.amount.currency(),
        amounts: open,
        points: new.points,
        timing: new.timing,
        location: new.location,
        account: new.account,
        provider_token: new.provider_token,
        provider_reference: None,
        client_secret: None,
        failure: None,
        card: new
            .card
            .map(|card| (card.last_four().into(), card.approval_code().into(), card.terminal().into())),
        profile,
        expires_at: new.kind.has_provider().then_some(expires_at).or(new.expires_at),
        made_at: now,
        version: 1,
    };
    rows::add(tx, &payment)?;
    external::give(tx, payment.id, new.external_id.as_deref())?;
    let body = json!({ "order": payment.order.to_string(), "kind": payment.kind.text(), "amount": open.amount, "currency": payment.currency.code() });
    emit(tx, actor, world, payment.id, "payment.created", body);
    if payment.kind.is_taken_at_once() {
        received(tx, actor, world, &payment, open.amount)?;
    } else if payment.kind.has_provider() {
        provider::ask_soon(tx, world, Operation::Authorise, &payment)?;
    } else if let Some(credit) = &new.credit {
        credit::set_aside(tx, actor, world, &payment, credit)?;
    }
    load(tx, payment.id)
}

/// Money in the hand is for who takes payments; asking a provider or for a transfer is for whoever may place orders.
fn may_pay(actor: &Actor, new: &NewPayment) -> Result<(), Refusal> {
    let taken = actor.may(Permission::TakePayments, new.location);
    if new.kind.is_taken_at_once() && new.kind.is_offered() {
        taken
    } else {
        taken.or_else(|_| actor.may(Permission::Shop, new.location))
    }
}

fn check(new: &NewPayment) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    if new.amount.minor() < 1 {
        refusals.push(Refusal::invalid("amount", "a payment is of at least 1 minor unit"));
    }
    if new.kind.has_provider() != new.provider_token.is_some() {
        let message = if new.kind.has_provider() {
            "give the provider's token for what pays"
        } else {
            "only a payment by a provider has a token"
        };
        refusals.push(Refusal::invalid("provider_token", message));
    }
    if (new.kind == Kind::Stripe) != new.account.is_some() {
        let message = if new.account.is_none() {
            "name the account that takes it"
        } else {
            "only a payment by a provider with accounts has one"
        };
        refusals.push(Refusal::invalid("account", message));
    }
    if (new.kind == Kind::CardRecord) != new.card.is_some() {
        let message =
            if new.card.is_none() { "give what the terminal printed" } else { "only a card record has this" };
        refusals.push(Refusal::invalid("card", message));
    }
    if new.kind.has_book() != new.credit.is_some() {
        let message = if new.credit.is_none() {
            "say which gift card, store credit or member it is paid with"
        } else {
            "only a gift card, store credit or member has this"
        };
        refusals.push(Refusal::invalid("credit", message));
    }
    if (new.kind == Kind::Points) != new.points.is_some_and(|points| points > 0) {
        refusals.push(Refusal::invalid("points", "say how many points a payment by points is, and no other"));
    }
    Refusal::all(refusals).map_or(Ok(()), Err)
}

/// Records money that arrived by bank transfer, wholly or in part; everything open when no amount is given.
///
/// # Errors
/// [`Code::WrongState`] when the payment is of another kind or has ended, [`Code::AmountExceeded`] when less is open.
pub fn record_receipt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    amount: Option<i64>,
) -> Result<Id<Capture>, Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    if payment.kind != Kind::Manual {
        let message = format!("a payment by {} is not recorded by hand", payment.kind.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let amount = rules::part(Step::Receive, payment.state, &payment.amounts, payment.currency, amount)?;
    let capture = received(tx, actor, world, &payment, amount)?;
    tell_order(tx, world, &payment)?;
    Ok(capture)
}

/// Money in our hands: allowed and taken in one.
fn received(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    amount: i64,
) -> Result<Id<Capture>, Failure> {
    if !rows::receive(tx, payment.id, amount)? {
        return Err(refused_meanwhile(tx, payment.id, Step::Receive, amount));
    }
    let capture = Part::new(world.id(), PartState::Done, amount, world.now());
    rows::add_capture(tx, payment.id, &capture)?;
    let body = json!({ "capture": capture.id.to_string(), "amount": amount });
    note(tx, actor, world, payment, "payment.captured", body);
    Ok(capture.id)
}

/// Takes authorised money, wholly or in part; everything open when no amount is given. A provider is asked after the commit.
///
/// # Errors
/// [`Code::WrongState`] when nothing is authorised, [`Code::AmountExceeded`] when less is open.
pub fn capture(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    amount: Option<i64>,
) -> Result<Id<Capture>, Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    let amount = rules::part(Step::Capture, payment.state, &payment.amounts, payment.currency, amount)?;
    if !rows::begin_capture(tx, id, amount)? {
        return Err(refused_meanwhile(tx, id, Step::Capture, amount));
    }
    let capture = Part::new(world.id(), PartState::Pending, amount, world.now());
    rows::add_capture(tx, id, &capture)?;
    if payment.kind.has_book() {
        credit::spend(tx, actor, world, &payment, amount)?;
        provider::capture_ended(tx, actor, world, &payment, capture.id, &DONE)?;
    } else {
        provider::ask_soon(tx, world, Operation::Capture(capture.id), &payment)?;
    }
    Ok(capture.id)
}

/// Lets go of a payment before anything was taken.
///
/// # Errors
/// [`Code::WrongState`] when money was taken or is being taken, or the payment has ended.
pub fn void(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<PaymentKind>) -> Result<(), Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    rules::may_void(payment.state, &payment.amounts)?;
    if !rows::end(tx, id, payment.state, State::Voided, None)? {
        let payment = load(tx, id)?;
        rules::may_void(payment.state, &payment.amounts)?;
        return Err(Refusal::new(
            Code::WrongState,
            "the payment changed meanwhile; read it again and repeat",
        )
        .into());
    }
    let_go(tx, world, &payment)?;
    if payment.kind.has_book() {
        credit::free(tx, actor, world, &payment, None)?;
    }
    tell(tx, actor, world, &payment, "payment.voided", json!({}))
}

/// Lets go of part of what a gift card, store credit or member has set aside for an order, because the order will never ask for it. All of it is
/// let go by [`void`].
///
/// # Errors
/// [`Code::AmountExceeded`] when less is open.
pub fn reduce(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    amount: i64,
) -> Result<(), Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    if !payment.kind.has_book() || !rows::reduce(tx, id, amount)? {
        return Err(refused_meanwhile(tx, id, Step::Capture, amount));
    }
    credit::free(tx, actor, world, &payment, Some(amount))?;
    note(tx, actor, world, &payment, "payment.reduced", json!({ "amount": amount }));
    Ok(())
}

/// Gives money back, wholly or in part; everything open when no amount is given. A provider is asked after the commit.
///
/// # Errors
/// [`Code::WrongState`] when nothing was taken, [`Code::AmountExceeded`] when less is open.
pub fn refund(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    amount: Option<i64>,
) -> Result<Id<Refund>, Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    let amount = rules::part(Step::Refund, payment.state, &payment.amounts, payment.currency, amount)?;
    if !rows::begin_refund(tx, id, amount)? {
        return Err(refused_meanwhile(tx, id, Step::Refund, amount));
    }
    let refund = Part::new(world.id(), PartState::Pending, amount, world.now());
    rows::add_refund(tx, id, &refund)?;
    if payment.kind.has_provider() {
        provider::ask_soon(tx, world, Operation::Refund(refund.id), &payment)?;
        return Ok(refund.id);
    }
    if payment.kind == Kind::Exchange {
        carry::back(tx, world, id, amount)?;
    }
    if payment.kind.has_book() {
        credit::give_back(tx, actor, world, &payment, amount)?;
    }
    provider::refund_ended(tx, actor, world, &payment, (refund.id, false), &DONE)?;
    Ok(refund.id)
}

/// Gives money back by another way than it came: onto a card or credit, or in cash. No provider is asked; `onto` says where it went.
///
/// # Errors
/// As [`refund`].
pub fn refund_elsewhere(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<PaymentKind>,
    (amount, onto): (i64, &str),
) -> Result<Id<Refund>, Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::TakePayments, payment.location)?;
    let amount = rules::part(Step::Refund, payment.state, &payment.amounts, payment.currency, Some(amount))?;
    if !rows::begin_refund(tx, id, amount)? {
        return Err(refused_meanwhile(tx, id, Step::Refund, amount));
    }
    let refund = Part::new(world.id(), PartState::Pending, amount, world.now());
    rows::add_refund(tx, id, &refund)?;
    let done = Verdict::Done { reference: Some(onto.to_owned()) };
    provider::refund_ended(tx, actor, world, &payment, (refund.id, true), &done)?;
    Ok(refund.id)
}

/// The duty that ends payments nobody answered in time; true when more wait.
///
/// # Errors
/// What the store says.
pub fn expire(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let overdue = rows::overdue(tx, world.now(), job::BATCH_MAX)?;
    for id in &overdue {
        let payment = load(tx, *id)?;
        if rows::end(tx, *id, State::Created, State::Expired, None)? {
            let_go(tx, world, &payment)?;
            tell(tx, actor, world, &payment, "payment.expired", json!({}))?;
        }
    }
    Ok(overdue.len() as i64 >= job::BATCH_MAX)
}

/// A payment with its captures and refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The payment.
    pub payment: Payment,
    /// Its captures, in the order they were asked for.
    pub captures: Vec<Part<Capture>>,
    /// Its refunds, in the order they were asked for.
    pub refunds: Vec<Part<Refund>>,
}

/// A payment with its captures and refunds.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::Forbidden`] when it may not be seen.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<PaymentKind>) -> Result<Whole, Failure> {
    let payment = load(tx, id)?;
    actor.may(Permission::ReadOrders, payment.location)?;
    whole(tx, payment)
}

/// A payment as it stands after a command that was allowed, for its answer.
///
/// # Errors
/// [`Code::NotFound`].
pub fn changed(tx: &mut Tx<'_>, id: Id<PaymentKind>) -> Result<Whole, Failure> {
    let payment = load(tx, id)?;
    whole(tx, payment)
}

/// The payments of an order that the asker may see, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`] for who may see none at all.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, order: Id<Order>) -> Result<Vec<Whole>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    let payments = rows::of_order(tx, order)?;
    let seen =
        payments.into_iter().filter(|payment| actor.may(Permission::ReadOrders, payment.location).is_ok());
    seen.map(|payment| whole(tx, payment)).collect()
}

fn whole(tx: &mut Tx<'_>, payment: Payment) -> Result<Whole, Failure> {
    Ok(Whole { captures: rows::captures(tx, payment.id)?, refunds: rows::refunds(tx, payment.id)?, payment })
}

fn load(tx: &mut Tx<'_>, id: Id<PaymentKind>) -> Result<Payment, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("payment", id).into())
}

/// Tells what happened to a payment, in the journal and to the order.
fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    kind: &'static str,
    body: serde_json::Value,
) -> Result<(), Failure> {
    note(tx, actor, world, payment, kind, body);
    tell_order(tx, world, payment)
}

fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    kind: &'static str,
    body: serde_json::Value,
) {
    emit(tx, actor, world, payment.id, kind, with_order(payment, body));
}

fn with_order(payment: &Payment, mut body: serde_json::Value) -> serde_json::Value {
    body["order"] = payment.order.to_string().into();
    body["currency"] = payment.currency.code().into();
    body
}

fn tell_order(tx: &mut Tx<'_>, world: &mut World, payment: &Payment) -> Result<(), Failure> {
    let now = world.now();
    job::enqueue(tx, world, "order.payment_changed", payment.order, json!({}), now)
}

/// Whatever a provider holds for a payment that has ended is given free.
fn let_go(tx: &mut Tx<'_>, world: &mut World, payment: &Payment) -> Result<(), Failure> {
    if payment.kind.has_provider() { provider::ask_soon(tx, world, Operation::Void, payment) } else { Ok(()) }
}

/// Why a step was refused though it looked possible: somebody else was faster.
fn refused_meanwhile(tx: &mut Tx<'_>, id: Id<PaymentKind>, step: Step, amount: i64) -> Failure {
    let payment = match load(tx, id) {
        Ok(payment) => payment,
        Err(failure) => return failure,
    };
    match rules::part(step, payment.state, &payment.amounts, payment.currency, Some(amount)) {
        Err(refusal) => refusal.into(),
        Ok(_) => {
            Refusal::new(Code::WrongState, "the payment changed meanwhile; read it again and repeat").into()
        }
    }
}
