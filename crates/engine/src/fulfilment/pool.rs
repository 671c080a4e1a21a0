//! Goods that are sold and lie at no location yet: routed as soon as some place has them, offered to stores, claimed, given on.
//!
//! They are promised in the variant's book on the network (`pool_committed` against `demand`), so nobody else is promised the same
//! pieces. The longest waiting are served first.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::{self as rules, Pieces, State};
use domain::stock;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location, Network, Variant};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as rows, ledger as books};

use super::pick::Which;
use super::{
    FulfilmentOrder, add, by_variant, find, go_to, location_of, open, promised_at, promised_in, shift, tell,
};
use crate::event::emit;
use crate::order::{self, Order};
use crate::routing::{self, Taking};
use crate::stock::availability::{Reach, pinned, reach};
use crate::stock::book_of;
use crate::{Failure, World};

/// The most fulfilment orders one round looks at.
const ROUND: i64 = 100;
/// How often one round looks further, when nothing of what it looked at can be served.
const LOOKS_MAX: usize = 20;
/// The most locations a fulfilment order is offered to.
pub const OFFERS_MAX: usize = 100;

/// Where goods of an order may come from now: not from a location that refused them.
fn reach_of(tx: &mut Tx<'_>, order: &Order, network: Id<Network>) -> Result<Reach, Failure> {
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let mut reach = match (order.kind, order.location) {
        (Kind::Pickup | Kind::HandOver, Some(location)) => pinned(&channel, location),
        _ => reach(tx, &channel)?,
    };
    reach.network = network;
    let refused: Vec<_> = rows::of_order(tx, order.id)?
        .into_iter()
        .filter(|one| one.state == State::Rejected)
        .filter_map(|one| one.location)
        .collect();
    reach.locations.retain(|location| !refused.contains(location));
    Ok(reach)
}

/// Pieces that a location does not give: taken from elsewhere as far as they can be had; the rest waits at no location.
pub(super) fn go_elsewhere(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    (network, parts): (Id<Network>, Pieces),
) -> Result<(), Failure> {
    let reach = reach_of(tx, order, network)?;
    let (_, rest) = take(tx, actor, world, (order, &reach), parts)?;
    if rest.is_empty() {
        return Ok(());
    }
    let waiting = add(tx, actor, world, order, (network, None), (State::Unrouted, rest))?;
    let way = ("unrouted", stock::world(stock::State::Demand), promised_at(&waiting));
    shift(tx, actor, world, &waiting, way, &by_variant(&waiting.lines, |line| line.quantity))
}

/// Takes what there is of the parts and opens fulfilment orders for it; what is not there is answered.
fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, reach): (&Order, &Reach),
    parts: Pieces,
) -> Result<(Vec<FulfilmentOrder>, Pieces), Failure> {
    let demand = of_variants(&parts);
    let cause = ("order", order.id.to_string());
    let taking = Taking { reach, cart: None, cause, demand: &demand, to: stock::State::Committed };
    let allocations = routing::take_what_there_is(tx, actor, world, &taking)?;
    let (taken, rest) = rules::share_out(parts, &allocations);
    let made = open(tx, actor, world, order, reach.network, &taken, false)?;
    Ok((made, rest))
}

fn of_variants(parts: &Pieces) -> BTreeMap<Id<Variant>, i64> {
    let mut sum = BTreeMap::new();
    for ((_, variant), quantity) in parts {
        *sum.entry(*variant).or_insert(0) += quantity;
    }
    sum
}

/// Routes what waits at no location, the longest waiting first; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn route_waiting(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    for which in rows::offers_over(tx, world.now(), ROUND)? {
        withdraw(tx, actor, world, which)?;
    }
    let mut after = Id::from_bytes([0; 16]);
    for _ in 0..LOOKS_MAX {
        let waiting = rows::waiting::servable(tx, world.now(), after, ROUND)?;
        let mut moved = false;
        for which in &waiting {
            moved |= route(tx, actor, world, *which)?;
        }
        let full = waiting.len() as i64 == ROUND;
        match waiting.last() {
            // Those at the front cannot be served from what there is: look behind them.
            Some((_, last)) if full && !moved => after = *last,
            _ => return Ok(moved && full),
        }
    }
    Ok(false)
}

/// Routes one fulfilment order that waits at no location as far as it can be served now; true when something moved.
fn route(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, (order, id): Which) -> Result<bool, Failure> {
    let order = order::lock(tx, order)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == id);
    let Some(mut one) = found.filter(|one| one.state == State::Unrouted && one.on_hold.is_none()) else {
        return Ok(false);
    };
    let mut reach = reach_of(tx, &order, one.network)?;
    let (parts, ahead) = served_first(tx, &one)?;
    reach.ahead = Some(ahead);
    if parts.is_empty() || !routing::is_something_there(tx, &reach, &of_variants(&parts))? {
        return Ok(false);
    }
    let (made, rest) = take(tx, actor, world, (&order, &reach), parts.clone())?;
    for part in &made {
        rows::waiting::promise(tx, (part.order, part.id), one.promised)?;
    }
    let mut taken = BTreeMap::new();
    for line in &mut one.lines {
        let key = (line.line, line.variant);
        let of = |pieces: &Pieces| pieces.get(&key).copied().unwrap_or(0);
        let given = of(&parts) - of(&rest);
        line.quantity -= given;
        if given > 0 {
            *taken.entry(line.variant).or_insert(0) += given;
        }
    }
    for line in one.lines.clone() {
        rows::update_line(tx, &one, &line)?;
    }
    let way = ("routed", promised_at(&one), stock::world(stock::State::Demand));
    shift(tx, actor, world, &one, way, &taken)?;
    super::end_if_empty(tx, actor, world, &mut one, State::Cancelled)?;
    Ok(!taken.is_empty())
}

/// What of a waiting fulfilment order may be served now, and how many of each variant those may have who wait longer. Of goods that were
/// not there when they were sold, no more than have come for the queue.
fn served_first(
    tx: &mut Tx<'_>,
    one: &FulfilmentOrder,
) -> Result<(Pieces, BTreeMap<Id<Variant>, i64>), Failure> {
    let variants = by_variant(&one.lines, |line| line.quantity);
    let keys: Vec<[u8; 16]> = variants.keys().map(|variant| variant.bytes()).collect();
    books::lock_books(tx, &mut variants.keys().map(|variant| book_of(*variant)).collect())?;
    let mut entitled = variants;
    let mut ahead = BTreeMap::new();
    let longer: BTreeMap<_, _> = rows::waiting::ahead(tx, (one.network, one.id), &keys)?
        .into_iter()
        .map(|(variant, pool, later)| (variant, (pool, later)))
        .collect();
    for (variant, quantity) in &mut entitled {
        let (pool, later) = longer.get(variant).copied().unwrap_or_default();
        let come = stock::on(one.network, stock::State::Backordered);
        let come = books::balance(tx, book_of(*variant), come)?;
        ahead.insert(*variant, pool + later.min(come));
        if one.later.is_some() {
            *quantity = (come - later).clamp(0, *quantity);
        }
    }
    let mut parts = Pieces::new();
    for line in &one.lines {
        let left = entitled.entry(line.variant).or_insert(0);
        let quantity = line.quantity.min(*left);
        *left -= quantity;
        if quantity > 0 {
            parts.insert((line.line, line.variant), quantity);
        }
    }
    Ok((parts, ahead))
}

/// A location does not serve a fulfilment order: its goods go back to the shelf, and another place serves it, or it waits for one.
///
/// # Errors
/// [`Code::WrongState`] unless the goods lie at the location.
pub fn reject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    reason: &str,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let order = order::lock(tx, which.0)?;
    let mut one = find(tx, actor, &order, which.1)?;
    go_to(&mut one, State::Rejected)?;
    back_to_shelf(tx, actor, world, &one, "rejected")?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.rejected");
    let body = json!({ "fulfilment_order": one.id.to_string(), "reason": reason });
    emit(tx, actor, world, order.id, "fulfilment.reason_given", body);
    let parts = one.lines.iter().filter(|line| line.quantity > 0);
    let parts = parts.map(|line| ((line.line, line.variant), line.quantity)).collect();
    go_elsewhere(tx, actor, world, &order, (one.network, parts))?;
    Ok(rows::of_order(tx, order.id)?)
}

fn back_to_shelf(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    reason: &'static str,
) -> Result<(), Failure> {
    let location = location_of(one)?;
    let shelf = stock::at(location, stock::State::Available);
    let promised = by_variant(&one.lines, |line| line.quantity - line.picked);
    shift(tx, actor, world, one, (reason, stock::at(location, stock::State::Committed), shelf), &promised)?;
    let picked = by_variant(&one.lines, |line| line.picked);
    shift(tx, actor, world, one, (reason, stock::at(location, stock::State::Picked), shelf), &picked)
}

/// Offers a fulfilment order that nobody works on yet to several locations until an instant; the first to claim it serves it.
///
/// # Errors
/// [`Code::WrongState`] unless it is open or unrouted; [`Code::Invalid`] for no location, too many, or a time that is over.
pub fn offer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    (locations, until): (&[Id<Location>], Instant),
) -> Result<FulfilmentOrder, Failure> {
    if locations.is_empty() || locations.len() > OFFERS_MAX {
        return Err(Refusal::invalid("locations", format!("name 1 to {OFFERS_MAX} locations")).into());
    }
    if until <= world.now() {
        return Err(Refusal::invalid("until", "the offer must end in the future").into());
    }
    let order = order::lock(tx, which.0)?;
    let mut one = find(tx, actor, &order, which.1)?;
    if one.state == State::Open && one.on_hold.is_none() {
        back_to_shelf(tx, actor, world, &one, "offered")?;
        (one.location, one.state) = (None, State::Unrouted);
        let way = ("unrouted", stock::world(stock::State::Demand), promised_at(&one));
        shift(tx, actor, world, &one, way, &by_variant(&one.lines, |line| line.quantity))?;
    }
    go_to(&mut one, State::Offered)?;
    rows::update(tx, &one)?;
    for (place, location) in locations.iter().enumerate() {
        store::location::find(tx, *location)?
            .ok_or_else(|| Refusal::not_found("location", *location).at(format!("locations.{place}")))?;
        rows::add_offer(tx, &one, *location, until)?;
    }
    tell(tx, actor, world, &one, "fulfilment.offered");
    Ok(one)
}

/// A location takes a fulfilment order that it was offered; all of it must lie there.
///
/// # Errors
/// [`Code::WrongState`] when it is not offered to the location any more; [`Code::OutOfStock`] when the location has too little.
pub fn claim(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    location: Id<Location>,
) -> Result<FulfilmentOrder, Failure> {
    actor.may(Permission::EditOrders, Some(location))?;
    let order = order::lock(tx, which.0)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == which.1);
    let mut one = found.ok_or_else(|| Refusal::not_found("fulfilment order", which.1))?;
    let offered = rows::offers(tx, &one)?;
    if !offered.iter().any(|(to, until)| *to == location && *until > world.now()) {
        let message = format!("fulfilment order {} is not offered to this location any more", one.id);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    go_to(&mut one, State::Claimed)?;
    let wanted = by_variant(&one.lines, |line| line.quantity);
    for (variant, quantity) in &wanted {
        for (from, part) in promised_in(tx, &one, (*variant, *quantity))? {
            let way = ("claimed", from, stock::world(stock::State::Demand));
            shift(tx, actor, world, &one, way, &BTreeMap::from([(*variant, part)]))?;
        }
    }
    one.location = Some(location);
    let way = ("committed", stock::at(location, stock::State::Available), promised_at(&one));
    shift(tx, actor, world, &one, way, &wanted)?;
    rows::update(tx, &one)?;
    rows::end_offers(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.claimed");
    Ok(one)
}

/// An offer whose time is over: the fulfilment order is routed as any other.
fn withdraw(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, (order, id): Which) -> Result<(), Failure> {
    let order = order::lock(tx, order)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == id);
    let Some(mut one) = found else { return Ok(()) };
    rows::end_offers(tx, &one)?;
    if one.state == State::Offered {
        one.state = State::Unrouted;
        rows::update(tx, &one)?;
        tell(tx, actor, world, &one, "fulfilment.unrouted");
    }
    Ok(())
}

/// The fulfilment orders offered to a location now, after one, at most `limit`.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn offered_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (location, now): (Id<Location>, Instant),
    after: Id<FulfilmentOrderKind>,
    limit: i64,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    actor.may(Permission::ReadOrders, Some(location))?;
    Ok(rows::offered_to(tx, (location, now), after, limit)?)
}
