//! Money and orders: an order becomes placed when it is paid, money is taken for what leaves, and given back for what does not.

use domain::actor::{Actor, Permission};
use domain::market::CapturePolicy;
use domain::order::{Sums, share};
use domain::payment::Timing;
use domain::value::id::{self};
use domain::value::{Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::market::Channel;
use store::{Tx, order as rows};

use super::{Tender, Whole, whole};
use crate::event::emit;
use crate::fulfilment::open_units;
use crate::order::{self, Order};
use crate::payment::{self, NewPayment};
use crate::{Failure, World, job};

/// The payment a tender begins, by the channel's rules.
///
/// # Errors
/// [`Code::Invalid`] when the channel does not allow the means.
pub(super) fn new_payment(
    order: &Order,
    channel: &Channel,
    tender: Tender,
    amount: i64,
) -> Result<NewPayment, Failure> {
    if tender.kind.is_offered() && !channel.payment_kinds.contains(&tender.kind) {
        let allowed: Vec<_> = channel.payment_kinds.iter().map(|kind| kind.text()).collect();
        return Err(Refusal::invalid(
            "payments",
            format!("channel \"{}\" takes {}", channel.code, allowed.join(", ")),
        )
        .into());
    }
    let timing = match channel.capture_policy {
        CapturePolicy::AtOrder => Timing::AtOnce,
        CapturePolicy::AtFulfilment => Timing::WhenAsked,
    };
    let amount = Money::new(amount, order.currency).map_err(|error| Refusal::invalid("payments", error))?;
    Ok(tender.payment(order, timing, amount))
}

/// Begins another payment of an order that is not paid yet.
///
/// # Errors
/// [`Code::WrongState`] when the order does not wait for money, [`Code::AmountExceeded`] when less is missing.
pub fn pay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
    tender: Tender,
) -> Result<Whole, Failure> {
    let order = order::lock(tx, id)?;
    order::may_see(actor, &order)?;
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    actor.may(Permission::Shop, channel.location)?;
    let missing = open_amount(tx, &order)?;
    if missing == 0 || order.state == domain::order::State::Cancelled {
        return Err(Refusal::new(
            Code::WrongState,
            format!("order {} is {} and waits for no money", order.number, order.state.text()),
        )
        .into());
    }
    let amount = tender.amount.unwrap_or(missing);
    if amount > missing {
        return Err(Refusal::new(
            Code::AmountExceeded,
            format!("{missing} minor units are open, {amount} offered"),
        )
        .at("amount")
        .into());
    }
    let new = new_payment(&order, &channel, tender, amount)?;
    payment::create(tx, actor, world, new)?;
    if order.state == domain::order::State::Placed {
        // Goods that a change put in may wait for this money.
        let now = world.now();
        job::enqueue(tx, world, "order.payment_changed", order.id, json!({}), now)?;
    }
    let order = place_if_paid(tx, actor, world, order)?;
    let order = super::complete_if_done(tx, actor, world, order)?;
    whole(tx, order)
}

/// The order's total was changed: what is missing is asked for by these means, what is too much is given back, and the order goes on.
///
/// # Errors
/// What the payments refuse.
pub fn total_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, channel): (Order, &Channel),
    tenders: Vec<Tender>,
) -> Result<Order, Failure> {
    let missing = open_amount(tx, &order)?;
    super::place::begin_payments(tx, actor, world, (&order, channel), tenders, missing)?;
    give_back_too_much(tx, actor, world, &order)?;
    let order = place_if_paid(tx, actor, world, order)?;
    super::complete_if_done(tx, actor, world, order)
}

/// What no payment covers or is being asked for.
fn open_amount(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    let asked: i64 = store::payment::of_order(tx, order.id)?
        .iter()
        .filter(|payment| !payment.state.has_ended() && payment.amounts.authorised == 0)
        .map(|payment| payment.amounts.amount)
        .sum();
    Ok((order::sums(tx, order)?.missing() - asked).max(0))
}

/// A payment of the order changed: the order may be placed now, or what is too much is given back. Idempotent.
///
/// # Errors
/// What the store says.
pub fn payment_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
) -> Result<(), Failure> {
    let order = order::lock(tx, id)?;
    let order = place_if_paid(tx, actor, world, order)?;
    let order = super::complete_if_done(tx, actor, world, order)?;
    give_back_too_much(tx, actor, world, &order)
}

/// Places an order that waited for its payment and has it.
pub(super) fn place_if_paid(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
) -> Result<Order, Failure> {
    if order.state != domain::order::State::PendingPayment || order::sums(tx, &order)?.missing() > 0 {
        return Ok(order);
    }
    order::go_to(&mut order, domain::order::State::Placed)?;
    order.payment_due_at = None;
    rows::update(tx, &mut order)?;
    let body = json!({ "number": order.number, "channel": order.channel.to_string(), "currency": order.currency.code(), "gross": order.gross });
    emit(tx, actor, world, order.id, "order.placed", body);
    Ok(order)
}

/// Takes authorised money for the goods that have left and did not come back, the delivery with the first of them; everything owed
/// with the last.
pub(super) fn capture_for_what_left(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let all = store::fulfilment::of_order(tx, order.id)?;
    let mut due = order.delivery_gross;
    for line in rows::lines(tx, order.id)? {
        let left = line.quantity - line.cancelled - open_units(&line, &all);
        due += share(line.gross, line.quantity, line.cancelled, left);
    }
    let sums = order::sums(tx, order)?;
    let mut missing = (due - sums.returned).min(sums.owed()) - sums.kept() - capturing(tx, order)?;
    for one in store::payment::of_order(tx, order.id)? {
        let part = one.amounts.open_to_capture().min(missing);
        if part > 0 && !one.state.has_ended() {
            payment::capture(tx, &actor.trusted(), world, one.id, Some(part))?;
            missing -= part;
        }
    }
    Ok(())
}

fn capturing(tx: &mut Tx<'_>, order: &Order) -> Result<i64, Failure> {
    Ok(store::payment::of_order(tx, order.id)?.iter().map(|payment| payment.amounts.capturing).sum())
}

/// Gives back what we have beyond what is owed: to the first means of payment first. What was only promised is let go when nothing is owed.
///
/// # Errors
/// What the payments say.
pub fn give_back_too_much(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
) -> Result<(), Failure> {
    let sums: Sums = order::sums(tx, order)?;
    let mut left = sums.to_refund();
    for one in store::payment::of_order(tx, order.id)? {
        let part = one.amounts.open_to_refund().min(left);
        if part > 0 {
            payment::refund(tx, &actor.trusted(), world, one.id, Some(part))?;
            left -= part;
        } else if sums.owed() <= sums.kept() && domain::payment::may_void(one.state, &one.amounts).is_ok() {
            payment::void(tx, &actor.trusted(), world, one.id)?;
        }
    }
    Ok(())
}
