//! Cancelling: an order or part of it goes no further; its goods go back to their shelves and its money to the customer.

use domain::actor::{Actor, Permission};
use domain::fulfilment::State as Part;
use domain::order::{CancelReason, State, share};
use domain::routing::profile::Waits;
use domain::value::Id;
use domain::value::id::{self, FulfilmentOrder as FulfilmentOrderKind, OrderLine};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, order as rows};

use super::{Whole, complete_if_done, settle, whole};
use crate::event::emit;
use crate::fulfilment::{self, FulfilmentOrder, untouched_units, visit};
use crate::order::{self, Line, Order};
use crate::{Failure, World};

/// The most unpaid orders one run expires.
const EXPIRE_BATCH: i64 = 50;

/// What is cancelled.
#[derive(Clone, Debug)]
pub struct Cancel {
    /// The order.
    pub order: Id<id::Order>,
    /// How many of which lines; everything that has not left when `None`.
    pub lines: Option<Vec<(Id<OrderLine>, i64)>>,
    /// Only what belongs to this fulfilment order, when one is named.
    pub part: Option<Id<FulfilmentOrderKind>>,
    /// Why.
    pub reason: CancelReason,
}

/// Cancels an order, or part of it, that has not left.
///
/// # Errors
/// [`Code::WrongState`] when the order is cancelled or completed, or more is asked than has not left.
pub fn cancel(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Cancel) -> Result<Whole, Failure> {
    let order = order::lock(tx, input.order)?;
    order::may_see(tx, actor, &order)?;
    actor.may(Permission::EditOrders, order.location)?;
    if matches!(order.state, State::Completed | State::Cancelled) {
        return Err(Refusal::new(
            Code::WrongState,
            format!("order {} is {}; what has left comes back as a return", order.number, order.state.text()),
        )
        .into());
    }
    let order = cancel_locked(tx, actor, world, order, input)?;
    whole(tx, order)
}

pub(super) fn cancel_locked(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
    input: Cancel,
) -> Result<Order, Failure> {
    let mut lines = rows::lines(tx, order.id)?;
    let mut all = store::fulfilment::of_order(tx, order.id)?;
    if let Some(part) = input.part {
        // What the other fulfilment orders have is out of sight, so it is neither counted nor given back.
        all.retain(|one| one.id == part);
        lines.retain(|line| all.iter().flat_map(|one| &one.lines).any(|piece| piece.line == line.id));
    }
    let asked = asked(&lines, &all, input.lines)?;
    let mut told = Vec::new();
    for (place, units) in asked {
        let line = &mut lines[place];
        fulfilment::give_back(tx, actor, world, &mut all, (line, units))?;
        order.cancelled += share(line.gross, line.quantity, line.cancelled + line.returned, units);
        line.cancelled += units;
        rows::update_line(tx, order.id, line)?;
        told.push(
            json!({ "line": line.id.to_string(), "variant": line.variant.to_string(), "quantity": units }),
        );
    }
    let all = store::fulfilment::of_order(tx, order.id)?;
    let lines = rows::lines(tx, order.id)?;
    let nothing_left = !all.iter().any(|one| one.state.is_open() || one.state.has_left());
    if nothing_left && lines.iter().all(|line| line.cancelled == line.quantity) {
        order.cancelled = order.gross;
        order.payment_due_at = None;
        order::go_to(&mut order, State::Cancelled)?;
        let lowered = rows::discount::of_order(tx, order.id)?;
        let promotions = lowered.iter().map(|discount| discount.promotion).collect();
        crate::promotion::redeem::give_back(tx, order.id, promotions)?;
    }
    rows::update(tx, &mut order)?;
    let body = json!({ "number": order.number, "reason": input.reason.text(), "cancelled": order.cancelled, "lines": told });
    let kind = if order.state == State::Cancelled { "order.cancelled" } else { "order.partly_cancelled" };
    emit(tx, actor, world, order.id, kind, body);
    settle::give_back_too_much(tx, actor, world, &order)?;
    let order = settle::place_if_paid(tx, actor, world, order)?;
    complete_if_done(tx, actor, world, order)
}

/// How many units of a line have not left, so that they can be cancelled.
pub(crate) fn cancellable(line: &Line, all: &[FulfilmentOrder]) -> i64 {
    if line.takes.is_empty() {
        line.quantity - line.cancelled - line.returned.max(line.handed)
    } else {
        untouched_units(line, all)
    }
}

/// Which lines lose how many units: those named, or all that have not left.
fn asked(
    lines: &[Line],
    all: &[FulfilmentOrder],
    named: Option<Vec<(Id<OrderLine>, i64)>>,
) -> Result<Vec<(usize, i64)>, Failure> {
    let open = |line: &Line| cancellable(line, all);
    let Some(named) = named else {
        return Ok(lines
            .iter()
            .enumerate()
            .map(|(place, line)| (place, open(line)))
            .filter(|(_, units)| *units > 0)
            .collect());
    };
    let mut asked: Vec<(usize, i64)> = Vec::new();
    for (number, (id, units)) in named.into_iter().enumerate() {
        let place = lines
            .iter()
            .position(|line| line.id == id)
            .ok_or_else(|| Refusal::not_found("order line", id).at(format!("lines.{number}.line")))?;
        let before: i64 = asked.iter().filter(|(other, _)| *other == place).map(|(_, units)| units).sum();
        let open = open(&lines[place]) - before;
        if units < 1 || units > open {
            let refusal = Refusal::new(
                Code::WrongState,
                format!("{open} of sku {} have not left, {units} asked", lines[place].sku),
            );
            return Err(refusal.at(format!("lines.{number}.quantity")).into());
        }
        asked.push((place, units));
    }
    Ok(asked)
}

/// Cancels orders that were not paid in time; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_unpaid(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::unpaid_due(tx, world.now(), EXPIRE_BATCH)?;
    let full = due.len() as i64 == EXPIRE_BATCH;
    for id in due {
        let order = order::lock(tx, id)?;
        let late = order.payment_due_at.is_some_and(|due| due <= world.now());
        if order.state == State::PendingPayment && late {
            cancel_locked(
                tx,
                actor,
                world,
                order,
                Cancel { order: id, lines: None, part: None, reason: CancelReason::Unpaid },
            )?;
        }
    }
    Ok(full)
}

/// Cancels goods that their customer did not come for in time and puts them back on the shelf; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_uncollected(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = store::fulfilment::uncollected(tx, world.now(), EXPIRE_BATCH)?;
    let full = due.len() as i64 == EXPIRE_BATCH;
    for id in due {
        let late = |one: &FulfilmentOrder, now| {
            one.state == Part::Ready && one.on_hold.is_none() && one.collect_by.is_some_and(|by| by <= now)
        };
        let now = world.now();
        order::lock(tx, id)?;
        for part in store::fulfilment::of_order(tx, id)?.iter().filter(|one| late(one, now)) {
            visit::no_show(tx, actor, world, (id, part.id))?;
            give_up(tx, actor, world, part, CancelReason::Uncollected)?;
        }
    }
    Ok(full)
}

/// Cancels goods that could not be placed at any location in the time their profile gives; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn cancel_unplaced(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = store::fulfilment::wait::due(tx, Waits::Goods, world.now(), EXPIRE_BATCH)?;
    let full = due.len() as i64 == EXPIRE_BATCH;
    for ((id, part), _, _) in due {
        let order = order::lock(tx, id)?;
        let found = store::fulfilment::of_order(tx, id)?.into_iter().find(|one| one.id == part);
        let Some(part) = found.filter(|one| one.state == Part::Unrouted) else { continue };
        if matches!(order.state, State::Completed | State::Cancelled) {
            continue;
        }
        give_up(tx, actor, world, &part, CancelReason::Stock)?;
    }
    store::fulfilment::wait::forget_over(tx, EXPIRE_BATCH)?;
    Ok(full)
}

/// Cancels goods that nobody came for or no place has. Parts of sets whose rest is elsewhere cannot be cancelled alone: they are held, for a person to decide.
fn give_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    part: &FulfilmentOrder,
    reason: CancelReason,
) -> Result<(), Failure> {
    let own = std::slice::from_ref(part);
    let is_whole = |line: &Line| !line.takes.is_empty() && untouched_units(line, own) > 0;
    if !rows::lines(tx, part.order)?.iter().any(is_whole) {
        let why = match reason {
            CancelReason::Uncollected => {
                "not collected, and the rest of the set is elsewhere: decide what becomes of it"
            }
            _ => "no place has it, and the rest of the set is elsewhere: decide what becomes of it",
        };
        fulfilment::hold::put(tx, actor, world, (part.order, part.id), why)?;
        return Ok(());
    }
    let order = order::find(tx, part.order)?;
    let cancel = Cancel { order: part.order, lines: None, part: Some(part.id), reason };
    cancel_locked(tx, actor, world, order, cancel)?;
    Ok(())
}
