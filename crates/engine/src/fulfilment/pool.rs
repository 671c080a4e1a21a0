//! Goods that are sold and lie at no location yet: routed as soon as some place has them, offered to stores, claimed, given on.
//!
//! They are promised in the variant's book on the network (`pool_committed` against `demand`), so nobody else is promised the same
//! pieces. The longest waiting are served first.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::{self as rules, Pieces, State};
use domain::routing::decision::Occasion;
use domain::routing::profile::Waiting;
use domain::stock;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location, Network, Variant};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as rows, ledger as books};

use super::pick::Which;
use super::{
    FulfilmentOrder, Promised, add, by_variant, find, go_to, inbound, leave_pool, location_of, open,
    promised_at, room, shift, tell,
};
use crate::event::emit;
use crate::order::{self, Order};
use crate::routing::{self, Of, Taking};
use crate::stock::availability::{Ahead, Reach, pinned, reach};
use crate::stock::book_of;
use crate::{Failure, World};

/// The most fulfilment orders one round looks at.
const ROUND: i64 = 100;
/// How often one round looks further, when nothing of what it looked at can be served.
const LOOKS_MAX: usize = 20;
/// The most locations a fulfilment order is offered to.
pub const OFFERS_MAX: usize = 100;

/// Where goods of an order may come from now: not from a location that refused them.
pub(crate) fn reach_of(tx: &mut Tx<'_>, order: &Order, network: Id<Network>) -> Result<Reach, Failure> {
    Ok(from_where(tx, order, network)?.reach)
}

/// Where goods of an order may come from now, and where parts of it are: not from a location that refused them. And what their customer was
/// promised, which stays so wherever they come from.
pub(super) struct From {
    pub(super) reach: Reach,
    pub(super) first: Vec<Id<Location>>,
    pub(super) promised: Promised,
}

pub(super) fn from_where(tx: &mut Tx<'_>, order: &Order, network: Id<Network>) -> Result<From, Failure> {
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let mut reach = match (order.kind, order.location) {
        (Kind::Pickup | Kind::HandOver, Some(location)) => pinned(&channel, location),
        _ => reach(tx, &channel)?,
    };
    reach.network = network;
    let all = rows::of_order(tx, order.id)?;
    let at = |is: fn(State) -> bool| {
        all.iter().filter(|one| is(one.state)).filter_map(|one| one.location).collect::<Vec<_>>()
    };
    let refused = at(|state| state == State::Rejected);
    reach.locations.retain(|location| !refused.contains(location));
    let promised = all.iter().map(|one| one.promised).filter(|promised| promised.by.is_some());
    Ok(From {
        reach,
        first: at(|state| state.is_at_location() || state.has_left()),
        promised: promised.min_by_key(|promised| promised.by).unwrap_or_default(),
    })
}

/// Pieces that a location does not give: taken from elsewhere as far as they can be had; the rest waits at no location.
pub(crate) fn go_elsewhere(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    (network, parts): (Id<Network>, Pieces),
) -> Result<(), Failure> {
    let from = from_where(tx, order, network)?;
    let (rest, waiting) = take(tx, actor, world, (order, &from, Occasion::Elsewhere), parts)?;
    if let Some(one) = wait(tx, actor, world, order, (network, rest), waiting)? {
        rows::waiting::promise(tx, (one.order, one.id), from.promised)?;
    }
    Ok(())
}

/// Pieces that nobody gives yet wait at no location, promised on the network; none when there are none.
pub(super) fn wait(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    (network, rest): (Id<Network>, Pieces),
    waiting: Waiting,
) -> Result<Option<FulfilmentOrder>, Failure> {
    if rest.is_empty() {
        return Ok(None);
    }
    let one = add(tx, actor, world, order, (network, None), (State::Unrouted, rest))?;
    let way = ("unrouted", stock::world(stock::State::Demand), promised_at(&one));
    shift(tx, actor, world, &one, way, &by_variant(&one.lines, |line| line.quantity))?;
    rows::wait::set(tx, ((one.order, one.id), network), waiting)?;
    Ok(Some(one))
}

/// Takes what there is of the parts and opens fulfilment orders for it; what is not there is answered, and what it waits for.
pub(super) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, from, occasion): (&Order, &From, Occasion),
    parts: Pieces,
) -> Result<(Pieces, Waiting), Failure> {
    let demand = of_variants(&parts);
    let lines = store::order::lines(tx, order.id)?;
    let taking = Taking {
        of: Of { order, lines: &lines, occasion, first: &from.first },
        reach: &from.reach,
        cart: None,
        cause: ("order", order.id.to_string()),
        demand: &demand,
        to: stock::State::Committed,
    };
    let taken = routing::take_what_there_is(tx, actor, world, &taking)?;
    let (parts, rest) = rules::share_out(parts, &taken.allocations);
    let (coming, rest) = inbound::take(tx, actor, world, (order, &lines, from.reach.ahead.clone()), rest)?;
    let network = from.reach.network;
    if coming.parts.is_empty() {
        for made in open(tx, actor, world, order, network, &parts, false)? {
            rows::waiting::promise(tx, (made.order, made.id), from.promised)?;
        }
    } else {
        inbound::open(tx, actor, world, (order, network), (&parts, &coming))?;
    }
    Ok((rest, taken.waiting))
}

pub(super) fn of_variants(parts: &Pieces) -> BTreeMap<Id<Variant>, i64> {
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
    let Some(one) = found.filter(|one| one.state == State::Unrouted && one.on_hold.is_none()) else {
        return Ok(false);
    };
    let mut from = from_where(tx, &order, one.network)?;
    let (parts, ahead) = served_first(tx, &one)?;
    (from.reach.ahead, from.promised) = (Some(Ahead { network: one.network, pieces: ahead }), one.promised);
    if parts.is_empty() {
        return Ok(false);
    }
    let wanted = of_variants(&parts);
    let there = routing::is_something_there(tx, &from.reach, &wanted)?;
    if !there && !inbound::is_something_there(tx, (&order, from.reach.ahead.clone()), &wanted)? {
        return Ok(false);
    }
    // Where the profile gives nothing of what is there, nothing is to be written.
    let moved = tx.savepoint(|tx| {
        let way = ("routed", promised_at(&one), stock::world(stock::State::Demand));
        shift(tx, actor, world, &one, way, &of_variants(&parts))?;
        let (rest, waiting) = take(tx, actor, world, (&order, &from, Occasion::Waiting), parts.clone())?;
        if rest == parts {
            return Err(Failure::from(Refusal::new(Code::OutOfStock, "no place gives any of it now")));
        }
        settle_rest(tx, actor, world, one, (&parts, &rest, waiting))
    });
    match moved {
        Err(Failure::Refused(refusal)) if refusal.code() == Code::OutOfStock => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// What of a fulfilment order's pieces that were taken out of the pool nobody gives goes back into it and waits on; it ends when nothing is
/// left.
pub(super) fn settle_rest(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut one: FulfilmentOrder,
    (out, rest, waiting): (&Pieces, &Pieces, Waiting),
) -> Result<(), Failure> {
    for number in 0..one.lines.len() {
        let line = &mut one.lines[number];
        let of = |pieces: &Pieces| pieces.get(&(line.line, line.variant)).copied().unwrap_or(0);
        line.quantity -= of(out) - of(rest);
        let line = *line;
        rows::update_line(tx, &one, &line)?;
    }
    let way = ("unrouted", stock::world(stock::State::Demand), promised_at(&one));
    shift(tx, actor, world, &one, way, &of_variants(rest))?;
    // What was sold though it was not there waits for goods, whatever a profile says.
    if one.later.is_none() {
        rows::wait::set(tx, ((one.order, one.id), one.network), waiting)?;
    }
    super::end_if_empty(tx, actor, world, &mut one, State::Cancelled)
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
    let one = find(tx, actor, &order, which.1)?;
    leave_to_others(tx, actor, world, &order, one, reason)?;
    Ok(rows::of_order(tx, order.id)?)
}

/// The goods of a fulfilment order go back to the shelf where they lie, and another place serves it, or it waits for one.
pub(super) fn leave_to_others(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    mut one: FulfilmentOrder,
    reason: &str,
) -> Result<(), Failure> {
    go_to(&mut one, State::Rejected)?;
    back_to_shelf(tx, actor, world, &one, "rejected")?;
    rows::update(tx, &one)?;
    super::parcel::fit(tx, actor, world, &one)?;
    tell(tx, actor, world, &one, "fulfilment.rejected");
    let body = json!({ "fulfilment_order": one.id.to_string(), "reason": reason });
    emit(tx, actor, world, order.id, "fulfilment.reason_given", body);
    let parts = one.lines.iter().filter(|line| line.quantity > 0);
    let parts = parts.map(|line| ((line.line, line.variant), line.quantity)).collect();
    go_elsewhere(tx, actor, world, order, (one.network, parts))
}

pub(super) fn back_to_shelf(
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
    shift(tx, actor, world, one, (reason, stock::at(location, stock::State::Picked), shelf), &picked)?;
    room::give_back(tx, one)
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

/// Goods that were pre-ordered do not leave before their release, whoever asks: until then anybody may buy what lies on the shelf.
pub(super) fn must_be_released(one: &FulfilmentOrder, now: Instant) -> Result<(), Refusal> {
    match one.not_before.filter(|at| *at > now) {
        None => Ok(()),
        Some(at) => {
            let message =
                format!("fulfilment order {} was pre-ordered and is not released before {at}", one.id);
            Err(Refusal::new(Code::WrongState, message))
        }
    }
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
    must_be_released(&one, world.now())?;
    go_to(&mut one, State::Claimed)?;
    let wanted = by_variant(&one.lines, |line| line.quantity);
    leave_pool(tx, actor, world, &one, "claimed")?;
    one.location = Some(location);
    let way = ("committed", stock::at(location, stock::State::Available), promised_at(&one));
    shift(tx, actor, world, &one, way, &wanted)?;
    rows::update(tx, &one)?;
    rows::end_offers(tx, &one)?;
    rows::wait::end(tx, which)?;
    room::take(tx, world.now(), &one)?;
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
