//! Goods that never came though their money was given back before: the order owes for them again, and the return is about what came.

use domain::actor::Actor;
use domain::order::share;
use domain::returns::{Condition, State};
use store::{Tx, order as order_rows, returns as rows};

use super::request::locked;
use super::{Line, Return, settle, tell};
use crate::checkout::points;
use crate::order::Order;
use crate::{Failure, World};

/// The most returns one run claims money back for.
const CLAIM_BATCH: i64 = 50;

/// The duty that claims money back for goods that did not come in time. True when there may be more.
///
/// # Errors
/// What the store says.
pub fn claim_back(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::overdue(tx, world.now(), CLAIM_BATCH)?;
    let full = due.len() as i64 == CLAIM_BATCH;
    for id in due {
        let (mut order, mut one) = locked(tx, id)?;
        let waits = matches!(one.state, State::Approved | State::Received | State::Inspected);
        if waits && one.due_at.is_some_and(|due| due <= world.now()) {
            give_up(tx, actor, world, (&mut order, &mut one))?;
            settle(tx, actor, world, &order)?;
        }
    }
    Ok(full)
}

/// How many units of a line did not come; what the customer keeps was never to.
const fn missing(line: &Line) -> i64 {
    if matches!(line.condition, Condition::Kept) { 0 } else { line.quantity - line.received }
}

/// Nobody waits any longer for what did not come of a return whose money was given back before: the order owes for it again. A return of
/// which nothing came is closed.
pub(super) fn give_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, one): (&mut Order, &mut Return),
) -> Result<(), Failure> {
    let mut lines = order_rows::lines(tx, order.id)?;
    let worth: i64 = one.lines.iter().map(|line| line.refund).sum();
    let nothing_came = one.lines.iter().all(|line| missing(line) == line.quantity);
    let mut lost = 0;
    for line in &mut one.lines {
        let units = missing(line);
        if let Some(known) = lines.iter_mut().find(|known| Some(known.id) == line.order_line) {
            known.returned -= units;
            order_rows::update_line(tx, order.id, known)?;
        }
        let value = share(line.refund, line.quantity, line.quantity - units, units);
        lost += value;
        if !nothing_came {
            line.refund -= value;
        }
    }
    if nothing_came {
        order.returned -= one.refund;
        (one.state, one.credited) = (State::Closed, false);
    } else if lost > 0 {
        // Fee, postage and tax are shared as the goods are.
        let part = |amount: i64| share(amount, worth, worth - lost, lost);
        let owed = part(one.refund - one.delivery);
        (one.refund, order.returned) = (one.refund - owed, order.returned - owed);
        (one.fee, one.tax) = (one.fee - part(one.fee), one.tax - part(one.tax));
        one.postage -= part(one.postage);
    }
    if one.state == State::Approved {
        one.state = State::Received;
    }
    one.due_at = None;
    order_rows::update(tx, order)?;
    rows::update(tx, one)?;
    tell(tx, actor, world, one, "return.claimed_back");
    points::recount(tx, actor, world, order)
}
