//! A person says from where goods go: those that wait, and those that a location has not begun to pick.

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::State;
use domain::routing::profile::{Waiting, Waits};
use domain::stock;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as rows};

use super::pick::Which;
use super::pool::{back_to_shelf, must_be_released};
use super::{FulfilmentOrder, by_variant, find, go_to, leave_pool, promised_at, room, shift, tell};
use crate::event::emit;
use crate::order::{self, Order};
use crate::{Failure, World};

/// Places a fulfilment order at a location, all of it, whatever the profile says: one that is at no location yet, or one that is not
/// being picked. Only the location's shelves can refuse.
///
/// # Errors
/// [`Code::WrongState`] when it is being picked, on hold, not released, or there already; [`Code::Invalid`] for a location that cannot serve it;
/// [`Code::OutOfStock`] when it has too little.
pub fn place(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    (location, reason): (Id<Location>, Option<&str>),
) -> Result<FulfilmentOrder, Failure> {
    let order = order::lock(tx, which.0)?;
    actor.may(Permission::EditOrders, Some(location))?;
    let mut one = find(tx, actor, &order, which.1)?;
    serves(tx, &order, location)?;
    let before = one.location;
    if before == Some(location) {
        let message = format!("fulfilment order {} is at this location already", one.id);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    must_be_released(&one, world.now())?;
    let wanted = by_variant(&one.lines, |line| line.quantity);
    if matches!(one.state, State::Open | State::Claimed) && one.on_hold.is_none() {
        back_to_shelf(tx, actor, world, &one, "moved")?;
        (one.state, one.location) = (State::Unrouted, None);
    } else {
        leave_pool(tx, actor, world, &one, "routed")?;
    }
    go_to(&mut one, State::Open)?;
    one.location = Some(location);
    let way = ("committed", stock::at(location, stock::State::Available), promised_at(&one));
    shift(tx, actor, world, &one, way, &wanted)?;
    rows::update(tx, &one)?;
    rows::end_offers(tx, &one)?;
    rows::wait::end(tx, which)?;
    room::take(tx, world.now(), &one)?;
    tell(tx, actor, world, &one, "fulfilment.opened");
    let body = json!({
        "fulfilment_order": one.id.to_string(), "from": before.map(|from| from.to_string()), "location": location.to_string(),
        "reason": reason
    });
    emit(tx, actor, world, order.id, "fulfilment.placed_by_hand", body);
    Ok(one)
}

/// Can goods of an order leave from a location?
fn serves(tx: &mut Tx<'_>, order: &Order, location: Id<Location>) -> Result<(), Failure> {
    let found = store::location::find(tx, location)?;
    let found = found.ok_or_else(|| Refusal::not_found("location", location))?;
    let message = match order.kind {
        Kind::Ship if found.active && found.can_ship => return Ok(()),
        Kind::Ship => "parcels do not leave from there; name another, or change it first",
        Kind::Pickup | Kind::HandOver if order.location == Some(location) => return Ok(()),
        Kind::Pickup | Kind::HandOver => "the customer collects it elsewhere; name that location",
    };
    Err(Refusal::invalid("location", message).into())
}

/// The fulfilment orders at no location after one, the longest waiting first, with what they wait for.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn waiting(
    tx: &mut Tx<'_>,
    actor: &Actor,
    waits: Option<Waits>,
    after: Id<FulfilmentOrderKind>,
    limit: i64,
) -> Result<Vec<(FulfilmentOrder, Waiting)>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::wait::list(tx, waits, after, limit)?)
}
