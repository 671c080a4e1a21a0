//! Goods leave and their money is taken: shipped with a tracking number, or into the customer's hands, all of them or those that are wanted.

use domain::actor::Actor;
use domain::fulfilment::parcel::State as Packed;
use domain::order::{CancelReason, State};
use domain::value::Id;
use domain::value::id::{self, FulfilmentOrder as FulfilmentOrderKind, OrderLine};
use domain::{Code, Refusal};
use store::{Tx, order as rows};

use super::cancel::{Cancel, cancel_locked};
use super::{Whole, complete_if_done, settle, whole};
use crate::fulfilment::leave::{leave, split_off};
use crate::fulfilment::parcel;
use crate::fulfilment::visit::{self, Proof};
use crate::fulfilment::{self, FulfilmentOrder, untouched_units};
use crate::order::{self, Order};
use crate::{Failure, World};

/// How goods leave.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// For goods that were ready for pickup: how it was made sure that they go into the right hands, and whose, when it is not the
    /// customer's.
    pub proof: (Option<Proof>, Option<Id<id::Contact>>),
    /// Which of them the customer takes: how many units of which lines. The rest goes back to its shelf, and its money to the customer.
    /// All of them when `None`.
    pub taken: Option<Vec<(Id<OrderLine>, i64)>>,
}

/// Goods leave a location: shipped with a tracking number, or into the customer's hands. Takes the money for what left.
///
/// # Errors
/// [`Code::WrongState`] unless the order is placed and this part of it open.
pub fn fulfil(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
    part: Id<FulfilmentOrderKind>,
    leaving: Leaving,
) -> Result<Whole, Failure> {
    let (mut order, mut one) = begin(tx, actor, world, (id, part))?;
    visit::verify(tx, actor, world, &one, leaving.proof)?;
    if let Some(taken) = leaving.taken {
        order = leave_behind(tx, actor, world, order, (&one, &taken))?;
        one = fulfilment::find(tx, actor, &order, part)?;
    }
    let mut parcels = parcel::of_whole(tx, &one)?;
    let tracking = leaving.tracking.or_else(|| parcels.iter().find_map(|parcel| parcel.tracking.clone()));
    let (part, told) = (one.id, tracking.clone());
    leave(tx, actor, world, one, tracking)?;
    for one in &mut parcels {
        parcel::left(tx, actor, world, one, (part, told.as_ref()))?;
    }
    settle::capture_for_what_left(tx, actor, world, &order)?;
    let order = complete_if_done(tx, actor, world, order)?;
    whole(tx, order)
}

/// A parcel leaves; what is not in it stays open. Takes the money for what left.
///
/// # Errors
/// [`Code::WrongState`] unless the order is placed and the parcel packed, with its label.
pub fn ship_parcel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, parcel): parcel::Which,
    tracking: Option<String>,
) -> Result<Whole, Failure> {
    let order = order::lock(tx, id)?;
    let (mut parcel, _) = parcel::find_one(tx, actor, &order, parcel)?;
    parcel::must_be(&parcel, Packed::Packed)?;
    let (order, mut one) = begin(tx, actor, world, (id, parcel.fulfilment_order))?;
    if let Some(reason) = &one.on_hold {
        let message = format!("fulfilment order {} is on hold: {reason}", one.id);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    if !parcel::holds_all(&parcel, &one) {
        one = split_off(tx, actor, world, &mut one, &parcel.lines)?;
    }
    let part = one.id;
    leave(tx, actor, world, one, parcel.tracking.clone().or(tracking.clone()))?;
    parcel::left(tx, actor, world, &mut parcel, (part, tracking.as_ref()))?;
    settle::capture_for_what_left(tx, actor, world, &order)?;
    let order = complete_if_done(tx, actor, world, order)?;
    whole(tx, order)
}

/// The order and its fulfilment order, whose goods may leave now.
fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, part): (Id<id::Order>, Id<FulfilmentOrderKind>),
) -> Result<(Order, FulfilmentOrder), Failure> {
    let order = order::lock(tx, id)?;
    let part = fulfilment::find(tx, actor, &order, part)?;
    // Its money may have come a moment ago, before the job that tells the order of it.
    let order = settle::place_if_paid(tx, actor, world, order)?;
    if order.state != State::Placed {
        let message =
            format!("order {} is {}; only placed orders are fulfilled", order.number, order.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok((order, part))
}

/// The customer takes only some of the goods: the rest of this part of the order is cancelled.
fn leave_behind(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Order,
    (one, taken): (&FulfilmentOrder, &[(Id<OrderLine>, i64)]),
) -> Result<Order, Failure> {
    let own = std::slice::from_ref(one);
    let mut rest = Vec::new();
    let mut known = 0;
    for line in rows::lines(tx, order.id)? {
        let open = if line.takes.is_empty() { 0 } else { untouched_units(&line, own) };
        let asked: Vec<_> = taken.iter().enumerate().filter(|(_, (id, _))| *id == line.id).collect();
        known += asked.len();
        let wanted: i64 = asked.iter().map(|(_, (_, units))| *units).sum();
        if let Some((place, _)) = asked.iter().find(|(_, (_, units))| *units < 1 || wanted > open) {
            let message = format!("{open} of sku {} wait here, {wanted} taken", line.sku);
            let refusal = Refusal::new(Code::WrongState, message);
            return Err(refusal.at(format!("lines.{place}.quantity")).into());
        }
        if open > wanted {
            rest.push((line.id, open - wanted));
        }
    }
    if taken.is_empty() || known < taken.len() {
        let message = "name lines of the order of which at least one piece is taken; to take none, cancel it";
        return Err(Refusal::invalid("lines", message).into());
    }
    if rest.is_empty() {
        return Ok(order);
    }
    let cancel =
        Cancel { order: order.id, lines: Some(rest), part: Some(one.id), reason: CancelReason::Customer };
    cancel_locked(tx, actor, world, order, cancel)
}
