//! Money for a change: what it puts in is not prepared before it is paid, and is taken out again when nobody pays in time.

use domain::actor::Actor;
use domain::change::What;
use domain::order::{CancelReason, State as OrderState};
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, OrderChange};
use serde_json::json;
use store::job::Job;
use store::market::Channel;
use store::{Tx, change as rows};

use super::{Change, find};
use crate::checkout::cancel::cancellable;
use crate::checkout::{self, Cancel};
use crate::event::emit;
use crate::fulfilment::hold;
use crate::order::{self, Order};
use crate::returns;
use crate::{Failure, World};

/// The most changes one run looks at.
const UNPAID_BATCH: i64 = 50;

/// Why goods of a change wait.
fn why(change: Id<OrderChange>) -> String {
    format!("waits for the money of {change}")
}

/// Lets the goods of a change wait while money is missing: those it opened, or whatever is open when it opened nothing.
pub(super) fn wait(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, channel): (&Order, &Channel),
    (change, known): (&mut Change, &[Id<FulfilmentOrderKind>]),
) -> Result<(), Failure> {
    if order::sums(tx, order)?.missing() == 0 {
        return Ok(());
    }
    let open: Vec<_> =
        store::fulfilment::of_order(tx, order.id)?.into_iter().filter(|one| one.state.is_open()).collect();
    let opened = open.iter().any(|one| !known.contains(&one.id));
    for one in open.iter().filter(|one| one.on_hold.is_none() && (!opened || !known.contains(&one.id))) {
        hold::put(tx, &actor.trusted(), world, (order.id, one.id), &why(change.id))?;
    }
    change.paid_by = Some(world.now().plus_seconds(channel.payment_minutes.saturating_mul(60)));
    Ok(())
}

/// The job that tells an order that one of its payments changed: its returns hear of it, and goods that waited for the money go on.
///
/// # Errors
/// What [`returns::on_payment_changed`] says.
pub fn on_payment_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    job: &Job,
) -> Result<(), Failure> {
    returns::on_payment_changed(tx, actor, world, job)?;
    let order = Id::parse(&job.subject).map_err(|error| domain::Refusal::invalid("subject", error))?;
    let order = order::find(tx, order)?;
    if order::sums(tx, &order)?.missing() > 0 {
        return Ok(());
    }
    for id in rows::waiting(tx, order.id)? {
        let mut change = find(tx, (order.id, id))?;
        go_on(tx, actor, world, &mut change)?;
        emit(tx, actor, world, order.id, "order.change_paid", json!({ "change": id.to_string() }));
    }
    Ok(())
}

/// Goods that waited for the money of a change go on.
fn go_on(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, change: &mut Change) -> Result<(), Failure> {
    let why = why(change.id);
    for one in store::fulfilment::of_order(tx, change.order)? {
        if one.state.is_open() && one.on_hold.as_deref() == Some(why.as_str()) {
            hold::release(tx, &actor.trusted(), world, (change.order, one.id))?;
        }
    }
    change.paid_by = None;
    Ok(rows::update(tx, change)?)
}

/// Takes out again what changes put in and nobody paid in time; true when there may be more. What cannot be taken out, such as a charge,
/// stays open on the order, and the goods that wait for it wait for a person.
///
/// # Errors
/// What the store says.
pub fn give_up_unpaid(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::unpaid(tx, world.now(), UNPAID_BATCH)?;
    let full = due.len() as i64 == UNPAID_BATCH;
    for which in due {
        let order = order::lock(tx, which.0)?;
        let mut change = find(tx, which)?;
        if change.paid_by.is_none_or(|by| by > world.now()) {
            continue;
        }
        // An order that has ended keeps what nobody paid, such as a service: that is for a person to settle.
        if order.state == OrderState::Placed && order::sums(tx, &order)?.missing() > 0 {
            take_out(tx, actor, world, &change)?;
        }
        let order = order::find(tx, which.0)?;
        if order::sums(tx, &order)?.missing() > 0 {
            change.paid_by = None;
            rows::update(tx, &change)?;
        } else {
            go_on(tx, actor, world, &mut change)?;
        }
        emit(tx, actor, world, which.0, "order.change_unpaid", json!({ "change": which.1.to_string() }));
    }
    Ok(full)
}

fn take_out(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, change: &Change) -> Result<(), Failure> {
    let parts = store::fulfilment::of_order(tx, change.order)?;
    let mut units = Vec::new();
    for line in store::order::lines(tx, change.order)? {
        let added = change.lines.iter().any(|one| one.what == What::Add && one.line == line.id);
        let open = if added { cancellable(&line, &parts) } else { 0 };
        if open > 0 {
            units.push((line.id, open));
        }
    }
    if !units.is_empty() {
        let cancel =
            Cancel { order: change.order, lines: Some(units), part: None, reason: CancelReason::Unpaid };
        checkout::cancel(tx, &actor.trusted(), world, cancel)?;
    }
    Ok(())
}
