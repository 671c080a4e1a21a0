//! Goods leave: by parcel, or into the customer's hands; and the carrier says how it went.

use domain::actor::Actor;
use domain::fulfilment::{self as rules, State};
use domain::stock;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Order as OrderKind};
use store::fulfilment::parcel::Line as Piece;
use store::{Tx, fulfilment as rows};

use super::{FulfilmentOrder, Line, by_variant, find, go_to, location_of, shift, tell};
use crate::{Failure, World, order};

/// Moves a fulfilment order's goods, picked or not, from the location to the customer. The order is locked and paid.
///
/// # Errors
/// [`domain::Code::WrongState`] unless they lie at the location and are not on hold.
pub fn leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut one: FulfilmentOrder,
    tracking: Option<String>,
) -> Result<(), Failure> {
    let location = location_of(&one)?;
    let next = rules::left(one.kind);
    go_to(&mut one, next)?;
    one.tracking = tracking.or(one.tracking);
    one.left_at = Some(world.now());
    rows::update(tx, &one)?;
    let shipped = one.state == State::Shipped;
    let reason = if shipped { "shipped" } else { "handed_over" };
    let customer = stock::world(stock::State::Customer);
    let promised = by_variant(&one.lines, |line| line.quantity - line.picked);
    let from = stock::at(location, stock::State::Committed);
    shift(tx, actor, world, &one, (reason, from, customer), &promised)?;
    let picked = by_variant(&one.lines, |line| line.picked);
    let from = stock::at(location, stock::State::Picked);
    shift(tx, actor, world, &one, (reason, from, customer), &picked)?;
    let kind = if shipped { "fulfilment.shipped" } else { "fulfilment.collected" };
    tell(tx, actor, world, &one, kind);
    Ok(())
}

/// Takes goods that leave by themselves out of a fulfilment order: they are one of their own from now on. The order is locked.
///
/// # Errors
/// What the store says.
pub(crate) fn split_off(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut FulfilmentOrder,
    goods: &[Piece],
) -> Result<FulfilmentOrder, Failure> {
    let lines = goods.iter().map(|piece| Line {
        line: piece.line,
        variant: piece.variant,
        quantity: piece.quantity,
        picked: piece.quantity,
    });
    let own = FulfilmentOrder { id: world.id(), made_at: world.now(), lines: lines.collect(), ..one.clone() };
    rows::add(tx, &own)?;
    for piece in goods {
        let of = |line: &&mut Line| (line.line, line.variant) == (piece.line, piece.variant);
        let Some(line) = one.lines.iter_mut().find(of) else { continue };
        line.quantity -= piece.quantity;
        line.picked -= piece.quantity;
        let line = *line;
        rows::update_line(tx, one, &line)?;
        rows::wave::take_along(tx, (one.order, one.id), (line.line, line.variant, piece.quantity))?;
    }
    tell(tx, actor, world, &own, "fulfilment.split");
    Ok(own)
}

/// The carrier handed the parcel over.
///
/// # Errors
/// [`domain::Code::WrongState`] unless it was shipped.
pub fn delivered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): (Id<OrderKind>, Id<FulfilmentOrderKind>),
) -> Result<FulfilmentOrder, Failure> {
    let order = order::lock(tx, order)?;
    let mut one = find(tx, actor, &order, id)?;
    if one.state == State::Delivered {
        return Ok(one);
    }
    go_to(&mut one, State::Delivered)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.delivered");
    Ok(one)
}
