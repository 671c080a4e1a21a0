//! Picking and packing: pieces are taken from the shelf one by one; what is not found goes elsewhere in the same instant.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::fulfilment::{Pieces, State};
use domain::order::State as OrderState;
use domain::stock;
use domain::value::Id;
use domain::value::id::{Location, Variant};
use domain::{Code, Refusal};
use store::{Tx, fulfilment as rows};

use super::{FulfilmentOrder, by_variant, end_if_empty, find, go_to, location_of, pool, shift, tell};
use crate::order::{self, Order};
use crate::{Failure, World, count};

/// How many of each variant a colleague found, or did not find.
pub type Counted = Vec<(Id<Variant>, i64)>;

pub use store::fulfilment::Which;

/// The order and its fulfilment order, both to be worked on now.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (order, id): Which,
) -> Result<(Order, FulfilmentOrder), Failure> {
    let order = order::lock(tx, order)?;
    let one = find(tx, actor, &order, id)?;
    if order.state != OrderState::Placed {
        let message =
            format!("order {} is {}; only placed orders are fulfilled", order.number, order.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok((order, one))
}

/// A colleague begins to pick.
///
/// # Errors
/// [`Code::WrongState`] unless it waits at a location.
pub fn start(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
) -> Result<FulfilmentOrder, Failure> {
    let (_, mut one) = begin(tx, actor, which)?;
    go_to(&mut one, State::Picking)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.picking");
    Ok(one)
}

/// Pieces were taken from the shelf. Picking begins with the first.
///
/// # Errors
/// [`Code::WrongState`] when more are named than are still to be picked.
pub fn pick(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    found: &Counted,
) -> Result<FulfilmentOrder, Failure> {
    let (_, mut one) = begin(tx, actor, which)?;
    let location = location_of(&one)?;
    if one.state != State::Picking || one.on_hold.is_some() {
        go_to(&mut one, State::Picking)?;
        rows::update(tx, &one)?;
    }
    let way = ("picked", at(location, stock::State::Committed), at(location, stock::State::Picked));
    for (place, (variant, quantity)) in found.iter().enumerate() {
        for (number, part) in unpicked(&one, place, (*variant, *quantity))? {
            one.lines[number].picked += part;
            let line = one.lines[number];
            rows::update_line(tx, &one, &line)?;
        }
        shift(tx, actor, world, &one, way, &BTreeMap::from([(*variant, *quantity)]))?;
    }
    tell(tx, actor, world, &one, "fulfilment.picked");
    Ok(one)
}

const fn at(location: Id<Location>, state: stock::State) -> domain::ledger::AccountKey {
    stock::at(location, state)
}

/// Which lines so many pieces of a variant belong to that are still to be picked: their places and how many of each.
fn unpicked(
    one: &FulfilmentOrder,
    place: usize,
    (variant, quantity): (Id<Variant>, i64),
) -> Result<Vec<(usize, i64)>, Refusal> {
    let mut left = quantity;
    let mut parts = Vec::new();
    for (number, line) in one.lines.iter().enumerate().filter(|(_, line)| line.variant == variant) {
        let part = (line.quantity - line.picked).min(left);
        if part > 0 {
            parts.push((number, part));
            left -= part;
        }
    }
    if quantity < 1 || left > 0 {
        let message = format!("{} of {variant} are still to be picked, {quantity} named", quantity - left);
        return Err(Refusal::new(Code::WrongState, message).at(format!("lines.{place}.quantity")));
    }
    Ok(parts)
}

/// Everything that was picked is packed.
///
/// # Errors
/// [`Code::WrongState`] while something is still to be picked: pick it, or say that it is missing.
pub fn pack(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
) -> Result<FulfilmentOrder, Failure> {
    let (_, mut one) = begin(tx, actor, which)?;
    let open: i64 = one.lines.iter().map(|line| line.quantity - line.picked).sum();
    if open > 0 {
        let message =
            format!("{open} pieces are still to be picked; pick them, or say that they are missing");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    go_to(&mut one, State::Packed)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.packed");
    Ok(one)
}

/// Takes what is still to be picked from the shelf at once, for shops that do not scan each piece.
pub(super) fn pick_rest(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut FulfilmentOrder,
) -> Result<(), Failure> {
    let location = location_of(one)?;
    let rest = by_variant(&one.lines, |line| line.quantity - line.picked);
    let way = ("picked", at(location, stock::State::Committed), at(location, stock::State::Picked));
    shift(tx, actor, world, one, way, &rest)?;
    for number in 0..one.lines.len() {
        one.lines[number].picked = one.lines[number].quantity;
        let line = one.lines[number];
        rows::update_line(tx, one, &line)?;
    }
    Ok(())
}

/// Pieces were not found. In one transaction they become missing here, the place gives none of the variant to orders for a day, and the
/// order gets them from another place, or waits until one has them.
///
/// # Errors
/// [`Code::WrongState`] when more are named than are still to be picked.
pub fn short(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    missing: &Counted,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let (order, mut one) = begin(tx, actor, which)?;
    let location = location_of(&one)?;
    if one.state != State::Picking || one.on_hold.is_some() {
        go_to(&mut one, State::Picking)?;
    }
    let mut parts = Pieces::new();
    for (place, (variant, quantity)) in missing.iter().enumerate() {
        for (number, part) in unpicked(&one, place, (*variant, *quantity))? {
            one.lines[number].quantity -= part;
            let line = one.lines[number];
            *parts.entry((line.line, line.variant)).or_insert(0) += part;
            rows::update_line(tx, &one, &line)?;
        }
        miss(tx, actor, world, &one, (location, *variant, *quantity))?;
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.short");
    end_if_empty(tx, actor, world, &mut one, State::Rejected)?;
    pool::go_elsewhere(tx, actor, world, &order, (one.network, parts))?;
    Ok(rows::of_order(tx, order.id)?)
}

/// The books say that the pieces lie there; nobody finds them.
pub(super) fn miss(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    (location, variant, quantity): (Id<Location>, Id<Variant>, i64),
) -> Result<(), Failure> {
    let way = ("not_found", at(location, stock::State::Committed), at(location, stock::State::Missing));
    shift(tx, actor, world, one, way, &BTreeMap::from([(variant, quantity)]))?;
    let cause = ("order", one.order.to_string());
    count::doubt(tx, actor, world, (variant, location), (quantity, cause))
}
