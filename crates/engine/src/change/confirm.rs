//! Saying yes to a change: it is done exactly as it was shown, in one transaction, or not at all.

use domain::actor::Actor;
use domain::change::{self as rules, State, What};
use domain::fulfilment::Pieces;
use domain::order::State as OrderState;
use domain::{Code, Refusal};
use store::{Tx, change as rows, order as order_rows};

use super::keep::{put_in, served_anew, use_up};
use super::{Change, Ground, Which, after, find, frozen, lock_books, may_change, must_lead_to, plan, told};
use crate::checkout::cancel::cancellable;
use crate::checkout::{self, Tender, Whole, settle};
use crate::event::emit;
use crate::fulfilment::{FulfilmentOrder, give_back, parcel, pool};
use crate::order::{self, Order};
use crate::{Failure, World, promise};

/// A yes.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The change.
    pub which: Which,
    /// The difference that was shown, in minor units; another one refuses.
    pub expected_difference: i64,
    /// How what is more is paid, in order.
    pub tenders: Vec<Tender>,
}

/// Does a change as it was shown. What it puts in is not prepared before it is paid, or a colleague releases it.
///
/// # Errors
/// [`Code::WrongState`] when the change is not open any more or units of it have left; [`Code::TotalChanged`] when the difference is
/// another one than was shown; [`Code::OutOfStock`] when a count found lost what was kept for it; and what the payments refuse.
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Confirm,
) -> Result<(Whole, Change), Failure> {
    let order = order::lock(tx, input.which.0)?;
    order::may_see(tx, actor, &order)?;
    let ground = Ground::of(tx, order)?;
    may_change(actor, &ground, std::iter::empty())?;
    let mut change = find(tx, input.which)?;
    must_stand(&ground, &change, world, input.expected_difference)?;
    let mut order = ground.order.clone();
    let known: Vec<_> = ground.parts.iter().map(|part| part.id).collect();
    move_goods(tx, actor, world, (&ground, &mut order), &change)?;
    (change.state, change.ended_at) = (State::Confirmed, Some(world.now()));
    emit(tx, actor, world, order.id, "order.changed", told(&change));
    let order = settle::total_changed(tx, actor, world, (order, &ground.channel), input.tenders)?;
    if order.state == OrderState::Placed {
        super::money::wait(tx, actor, world, (&order, &ground.channel), (&mut change, &known))?;
    }
    rows::update(tx, &change)?;
    let whole = checkout::whole(tx, order)?;
    Ok((whole, change))
}

/// A change is done as it was shown or not at all.
fn must_stand(ground: &Ground, change: &Change, world: &World, expected: i64) -> Result<(), Refusal> {
    must_lead_to(change, State::Confirmed)?;
    if change.expires_at <= world.now() {
        let message = format!("change {} has expired; preview it again", change.id);
        return Err(Refusal::new(Code::WrongState, message));
    }
    let shown = change.difference.gross_minor;
    if shown != expected {
        let message = format!("the difference is {shown} minor units, {expected} was expected");
        return Err(Refusal::new(Code::TotalChanged, message).at("expected_difference"));
    }
    for one in change.lines.iter().filter(|one| one.what != What::Add) {
        let line = ground.line(one.line)?;
        if one.what == What::Correct && line.cancelled + line.returned > 0 {
            return Err(moved_on(&line.sku));
        }
        if one.what == What::Remove {
            let open = cancellable(line, &ground.parts);
            if one.quantity > open {
                let message = format!("{open} of sku {} have not left, {} asked", line.sku, one.quantity);
                return Err(Refusal::new(Code::WrongState, message));
            }
            let now = rules::beyond(rules::NOTHING, rules::removed(&frozen(line), one.quantity));
            if now != one.amounts {
                return Err(moved_on(&line.sku));
            }
        }
    }
    let order = &ground.order;
    if order.gross - order.cancelled - order.returned + shown < 0 {
        let message = "part of the order was given back meanwhile; preview the change again";
        return Err(Refusal::new(Code::TotalChanged, message));
    }
    Ok(())
}

fn moved_on(sku: &str) -> Refusal {
    let message = format!("part of sku {sku} was cancelled or came back meanwhile; preview the change again");
    Refusal::new(Code::TotalChanged, message)
}

/// Everything a change does to lines, goods and totals.
fn move_goods(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (ground, order): (&Ground, &mut Order),
    change: &Change,
) -> Result<(), Failure> {
    let network = lock_books(tx, ground, change)?;
    use_up(tx, actor, world, change)?;
    let before = plan::charge_of(order);
    *order = after(order, change);
    let mut parts = ground.parts.clone();
    for one in change.lines.iter().filter(|one| one.what == What::Remove) {
        let mut line = ground.line(one.line)?.clone();
        give_back(tx, actor, world, &mut parts, (&line, one.quantity))?;
        line.cancelled += one.quantity;
        order.cancelled -= one.amounts.gross_minor;
        order_rows::update_line(tx, order.id, &line)?;
    }
    let anew = served_anew(ground, change);
    take_back(tx, actor, world, ground, (&mut parts, &anew))?;
    if order.contact != ground.order.contact {
        parcel::unpack_all(tx, actor, world, order.id)?;
    }
    let mut gained = rules::beyond(plan::charge_of(order), before);
    for one in change.lines.iter().filter(|one| one.what != What::Remove) {
        gained = rules::together(gained, one.amounts);
    }
    order.net += gained.net_minor;
    order.tax += gained.tax_minor;
    order.gross += gained.gross_minor;
    correct(tx, ground, change)?;
    order.units += add_lines(tx, ground, change)?;
    (order.open_change, order.changed_at) = (None, Some(world.now()));
    order_rows::change(tx, order)?;
    store::cart::redirect(tx, order.cart, change.after.destination.as_ref())?;
    // Together: the customer comes once, and no more parcels are sent than need be.
    let mut pieces = anew;
    pieces.extend(put_in(change));
    if !pieces.is_empty() {
        pool::go_elsewhere(tx, actor, world, order, (network, pieces))?;
    }
    let made: Vec<_> = store::fulfilment::of_order(tx, order.id)?
        .into_iter()
        .filter(|one| !ground.parts.iter().any(|known| known.id == one.id))
        .collect();
    promise::date::give(tx, order, &made, world.now())
}

/// Goods that go another way are taken back first: from no place, from shelves, from pickers' hands.
fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ground: &Ground,
    (parts, anew): (&mut [FulfilmentOrder], &Pieces),
) -> Result<(), Failure> {
    for line in &ground.lines {
        let first =
            line.takes.first().and_then(|(variant, each)| Some((anew.get(&(line.id, *variant))?, each)));
        if let Some((pieces, each)) = first {
            give_back(tx, actor, world, parts, (line, pieces / (*each).max(1)))?;
        }
    }
    Ok(())
}

fn correct(tx: &mut Tx<'_>, ground: &Ground, change: &Change) -> Result<(), Failure> {
    for one in change.lines.iter().filter(|one| one.what == What::Correct) {
        let mut line = ground.line(one.line)?.clone();
        line.unit = one.unit;
        line.net += one.amounts.net_minor;
        line.tax += one.amounts.tax_minor;
        line.gross += one.amounts.gross_minor;
        order_rows::correct_line(tx, ground.order.id, &line)?;
    }
    Ok(())
}

/// Adds what is put in as lines of their own; how many units those are.
fn add_lines(tx: &mut Tx<'_>, ground: &Ground, change: &Change) -> Result<i64, Failure> {
    let next = ground.lines.last().map_or(0, |line| line.position + 1);
    let mut units = 0;
    for (position, one) in (next..).zip(change.lines.iter().filter(|one| one.what == What::Add)) {
        let line = order::Line {
            id: one.line,
            position,
            variant: one.variant,
            sku: one.sku.clone(),
            title: one.title.clone(),
            quantity: one.quantity,
            unit: one.unit,
            net: one.amounts.net_minor,
            tax: one.amounts.tax_minor,
            gross: one.amounts.gross_minor,
            tax_rate: one.tax_rate,
            cancelled: 0,
            returned: 0,
            handed: 0,
            takes: one.takes.clone(),
        };
        order_rows::add_line(tx, ground.order.id, &line)?;
        units += one.quantity;
    }
    Ok(units)
}
