//! Returns: goods come back to any location that takes them, by their condition onto the right account, and the money goes back to the
//! first means of payment.

pub mod claim;
pub mod exchange;
pub mod judge;
pub mod label;
mod money;
pub mod overdue;
pub mod policy;
pub mod reason;
pub mod request;
pub mod to_sender;

use domain::actor::{Actor, Permission};
use domain::returns::{Condition, Discrepancy, Means, State, Way};
use domain::stock;
use domain::value::id::{self, Location, OrderLine, Variant};
use domain::value::{Currency, Id};
use domain::{Code, Refusal};
use serde_json::json;
use store::job::Job;
use store::{Tx, returns as rows};

pub use store::returns::{Line, Paid, Return};

use self::judge::{Asked, Judged};
use crate::checkout::gift;
use crate::checkout::settle::payment_changed;
use crate::event::emit;
use crate::order::{self, Order};
use crate::stock::{Movement, never_short, post_movement};
use crate::{Failure, World, customer, external};

/// The most lines of one return.
pub const LINES_MAX: usize = 2000;

/// What is wished beyond the policy's usual ways.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// How the money shall be given back; the policy's first way when not given.
    pub means: Option<Means>,
    /// Why the policy shall not count; for who may override policies.
    pub override_reason: Option<String>,
}

impl Wish {
    /// Refuses what the policy objects to, unless who asks may override policies and says why.
    fn allows(&self, actor: &Actor, judged: &Judged, location: Id<Location>) -> Result<(), Refusal> {
        let outcome = judged.ruling.allowed();
        match (&outcome, &self.override_reason) {
            (Err(_), Some(_)) => actor.may(Permission::OverridePolicies, Some(location)),
            _ => outcome,
        }
    }
}

/// Goods of an order line that come back.
#[derive(Clone, Debug)]
pub struct BackLine {
    /// The order line.
    pub line: Id<OrderLine>,
    /// How many.
    pub quantity: i64,
    /// In which condition.
    pub condition: Condition,
}

/// Goods of an order that come back.
#[derive(Clone, Debug)]
pub struct Back {
    /// The order.
    pub order: Id<id::Order>,
    /// Where they come back to.
    pub location: Id<Location>,
    /// Why: a reason's code, or the retailer's words.
    pub reason: String,
    /// What.
    pub lines: Vec<BackLine>,
    /// What is wished beyond the policy's usual ways.
    pub wish: Wish,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// Takes goods of an order back over the counter: asked, allowed, received, looked at and paid in one step.
///
/// # Errors
/// [`Code::WrongState`] when the location takes nothing back or more is returned than was received; [`Code::PolicyRefuses`].
pub fn take_back(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Back) -> Result<Return, Failure> {
    let (order, taken, cash_max) = take_in(tx, actor, world, input)?;
    money::pay_out(tx, actor, world, (&order, &taken), cash_max)?;
    settle(tx, actor, world, &order)?;
    find(tx, taken.id)
}

/// Takes goods of an order back and lowers what the order owes; the money is not on its way yet. Answers also the most that may be
/// paid out in cash.
fn take_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Back,
) -> Result<(Order, Return, Option<i64>), Failure> {
    actor.may(Permission::EditOrders, Some(input.location))?;
    takes_back(tx, input.location)?;
    let mut order = order::lock(tx, input.order)?;
    let asked: Vec<Asked> = input
        .lines
        .iter()
        .map(|line| Asked { line: line.line, quantity: line.quantity, condition: Some(line.condition) })
        .collect();
    let judged = judge::lines(tx, world, &order, &asked, (&input.reason, input.wish.means))?;
    for (number, one) in judged.iter().enumerate() {
        let allowed = input.wish.allows(actor, one, input.location);
        allowed.map_err(|refusal| refusal.at(format!("lines.{number}")))?;
    }
    for one in &judged {
        gift::take_back(tx, actor, world, &order, (one.line.id, one.quantity))?;
        for (variant, each) in &one.line.takes {
            let goods = (*variant, each * one.quantity);
            let condition = one.condition.unwrap_or(Condition::Inspect);
            restock(tx, actor, world, goods, (input.location, condition), &order.id.to_string())?;
        }
    }
    let mut taken = judge::announced(world, &order, &judged, input.location, input.reason);
    taken.state = State::Received;
    taken.override_reason = input.wish.override_reason;
    taken.external_id = input.external_id;
    for line in &mut taken.lines {
        (line.received, line.graded) = (line.quantity, line.quantity);
    }
    let cash_max = judged.first().and_then(|one| one.terms.cash_minor_max);
    judge::credit(tx, &mut order, &mut taken, &judged)?;
    keep(tx, actor, world, &taken, "return.received")?;
    Ok((order, taken, cash_max))
}

/// Goods that come back without a known order, and what is given back for each line by hand.
#[derive(Clone, Debug)]
pub struct BlindLine {
    /// What comes back.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// In which condition.
    pub condition: Condition,
    /// What is given back, in minor units.
    pub refund: i64,
}

/// Goods that come back without a known order.
#[derive(Clone, Debug)]
pub struct Blind {
    /// Where they come back to.
    pub location: Id<Location>,
    /// Why, in the retailer's words.
    pub reason: String,
    /// The currency given back.
    pub currency: Currency,
    /// What.
    pub lines: Vec<BlindLine>,
    /// Who brings them, if a customer is known.
    pub customer: Option<Id<id::Customer>>,
    /// What is wished beyond the policy's usual ways.
    pub wish: Wish,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// Takes goods back whose order is not known; the money is given back by hand, so who asks must be allowed to handle payments too.
///
/// # Errors
/// [`Code::WrongState`] when the location takes nothing back; [`Code::CurrencyMismatch`] when no channel that sells from it trades in
/// the currency; [`Code::NotFound`] for an unknown variant.
pub fn take_back_blind(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Blind,
) -> Result<Return, Failure> {
    actor.may(Permission::EditOrders, Some(input.location))?;
    actor.may(Permission::TakePayments, Some(input.location))?;
    takes_back(tx, input.location)?;
    if !store::market::trades_in(tx, input.location, input.currency)? {
        let message = format!("nothing is sold in {} at this location", input.currency);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("currency").into());
    }
    let ids: Vec<Id<Variant>> = input.lines.iter().map(|line| line.variant).collect();
    let known = store::catalogue::variants(tx, &ids)?;
    let (mut lines, mut means) = (Vec::new(), None);
    let mut cash_max = None;
    for (number, line) in input.lines.iter().enumerate() {
        let variant = known.iter().find(|variant| variant.id == line.variant);
        let variant = variant.ok_or_else(|| {
            Refusal::not_found("variant", line.variant).at(format!("lines.{number}.variant"))
        })?;
        let judged = judge::unreceipted(tx, actor, world, (&input, line), variant)?;
        let allowed = input.wish.allows(actor, &judged, input.location);
        allowed.map_err(|refusal| refusal.at(format!("lines.{number}")))?;
        means.get_or_insert(judged.ruling.means);
        cash_max = cash_max.or(judged.terms.cash_minor_max);
        let reference = input.external_id.clone().unwrap_or_default();
        for (part, each) in variant.takes() {
            let goods = (part, each * line.quantity);
            restock(tx, actor, world, goods, (input.location, line.condition), &reference)?;
        }
        lines.push(unreceipted_line(world, line, judged.policy));
    }
    let taken = Return {
        id: world.id(),
        order: None,
        customer: input.customer.map(|id| customer::stay(tx, id)).transpose()?.map(|known| known.id),
        location: input.location,
        state: State::Refunded,
        way: Way::Counter,
        reason: input.reason,
        override_reason: input.wish.override_reason,
        currency: input.currency,
        refund: lines.iter().map(|line| line.refund).sum(),
        fee: 0,
        postage: 0,
        delivery: 0,
        tax: 0,
        means: means.unwrap_or(Means::Cash),
        credited: true,
        label: None,
        due_at: None,
        external_id: input.external_id,
        at: world.now(),
        lines,
    };
    keep(tx, actor, world, &taken, "return.received")?;
    money::pay_out_unreceipted(tx, actor, world, &taken, cash_max)?;
    Ok(taken)
}

fn unreceipted_line(
    world: &mut World,
    line: &BlindLine,
    policy: Option<(Id<id::ReturnPolicy>, i64)>,
) -> Line {
    Line {
        id: world.id(),
        order_line: None,
        variant: line.variant,
        quantity: line.quantity,
        received: line.quantity,
        graded: line.quantity,
        condition: line.condition,
        refund: line.refund,
        policy,
    }
}

fn takes_back(tx: &mut Tx<'_>, location: Id<Location>) -> Result<(), Failure> {
    let found = store::location::find(tx, location)?
        .ok_or_else(|| Refusal::not_found("location", location).at("location"))?;
    if found.can_return {
        return Ok(());
    }
    Err(Refusal::new(
        Code::WrongState,
        format!("location \"{}\" takes nothing back; choose another", found.code),
    )
    .at("location")
    .into())
}

/// Puts goods that came back where their condition says.
fn restock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, quantity): (Id<Variant>, i64),
    (location, condition): (Id<Location>, Condition),
    cause: &str,
) -> Result<(), Failure> {
    let Some(state) = condition.state() else { return Ok(()) };
    let to = if state.is_world() { stock::world(state) } else { stock::at(location, state) };
    let postings = stock::moving(stock::world(stock::State::Customer), to, quantity, 0).into();
    let movement =
        Movement { variant, reason: "returned", cause: Some(("order", cause.to_owned())), postings };
    post_movement(tx, actor, world, movement, never_short)?;
    Ok(())
}

/// Takes in what came though nobody announced it; of a kit, what it is made of.
fn take_in_others(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: &request::Arrival,
    order: &Order,
) -> Result<(), Failure> {
    let ids: Vec<Id<Variant>> = input.others.iter().map(|(variant, _)| *variant).collect();
    let known = store::catalogue::variants(tx, &ids)?;
    for (number, (id, quantity)) in input.others.iter().enumerate() {
        let found = known.iter().find(|variant| variant.id == *id);
        let found =
            found.ok_or_else(|| Refusal::not_found("variant", id).at(format!("others.{number}.variant")))?;
        for (part, each) in found.takes() {
            let place = (input.location, Condition::Inspect);
            restock(tx, actor, world, (part, each * quantity), place, &order.id.to_string())?;
        }
        rows::add_discrepancy(tx, input.id, (Discrepancy::WrongGoods, *id, *quantity), world.now())?;
    }
    Ok(())
}

fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taken: &Return,
    kind: &'static str,
) -> Result<(), Failure> {
    rows::add(tx, taken)?;
    external::give(tx, taken.id, taken.external_id.as_deref())?;
    tell(tx, actor, world, taken, kind);
    Ok(())
}

/// Tells what happened to a return, with everything that stands in it.
fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, taken: &Return, kind: &'static str) {
    let lines: Vec<_> = taken
        .lines
        .iter()
        .map(|line| json!({ "variant": line.variant.to_string(), "quantity": line.quantity, "received": line.received, "condition": line.condition.text(), "refund": line.refund }))
        .collect();
    let body = json!({
        "order": taken.order.map(|order| order.to_string()), "location": taken.location.to_string(),
        "state": taken.state.text(), "currency": taken.currency.code(), "refund": taken.refund, "fee": taken.fee, "means": taken.means.text(),
        "overridden": taken.override_reason.is_some(), "lines": lines
    });
    emit(tx, actor, world, taken.id, kind, body);
}

/// The job that tells an order that one of its payments changed, and its returns that their money was given back.
///
/// # Errors
/// What [`payment_changed`] says.
pub fn on_payment_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    job: &Job,
) -> Result<(), Failure> {
    let order = Id::parse(&job.subject).map_err(|error| Refusal::invalid("subject", error))?;
    payment_changed(tx, actor, world, order)?;
    let order = order::find(tx, order)?;
    settle(tx, actor, world, &order)
}

/// Closes the returns of an order once nothing is on its way back any more. Idempotent.
///
/// # Errors
/// What the store says.
pub fn settle(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, order: &Order) -> Result<(), Failure> {
    let pending = store::payment::of_order(tx, order.id)?.iter().any(|payment| payment.amounts.refunding > 0);
    if pending || order::sums(tx, order)?.to_refund() > 0 {
        return Ok(());
    }
    for id in rows::of_order(tx, order.id)? {
        let one = find(tx, id)?;
        let is_here =
            one.lines.iter().all(|line| line.received == line.quantity || line.condition == Condition::Kept);
        if one.credited
            && matches!(one.state, State::Received | State::Inspected)
            && (is_here || one.due_at.is_none())
        {
            rows::refunded(tx, id)?;
            emit(tx, actor, world, id, "return.refunded", json!({ "order": order.id.to_string() }));
        }
    }
    Ok(())
}

fn find(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<Return, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("return", id).into())
}

/// A return, for who may read orders where it came back.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Return>) -> Result<Return, Failure> {
    let found = find(tx, id)?;
    actor.may(Permission::ReadOrders, Some(found.location))?;
    Ok(found)
}

/// The returns of an order the asker may see.
///
/// # Errors
/// [`Code::NotFound`].
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<Return>, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    all_of(tx, id)
}

/// The returns of an order that somebody may see.
pub(crate) fn all_of(tx: &mut Tx<'_>, order: Id<id::Order>) -> Result<Vec<Return>, Failure> {
    rows::of_order(tx, order)?.into_iter().map(|id| find(tx, id)).collect()
}

/// Returns before one, the newest first, without their lines.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<id::Return>,
    limit: i64,
) -> Result<Vec<Return>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::list(tx, before, limit)?)
}
