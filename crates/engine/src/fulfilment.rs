//! Fulfilment: the goods of an order are routed to a location, picked, packed, and leave by parcel or into the customer's hands.

pub mod by_hand;
pub mod carrier;
pub mod counted;
pub mod hold;
pub mod inbound;
pub mod label;
pub mod leave;
pub mod outflow;
pub mod parcel;
pub mod pick;
pub mod pool;
pub mod review;
mod room;
pub mod run;
pub mod substitute;
pub mod track;
pub mod visit;
pub mod wave;

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::{self as rules, Part, Pieces, State};
use domain::ledger::AccountKey;
use domain::stock;
use domain::stock::selling::Later;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location, Network, OrderLine, Variant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as rows};

pub use store::fulfilment::{FulfilmentOrder, Line, Promised};

use crate::event::emit;
use crate::order::{self, Order};
use crate::routing::Taken;
use crate::stock::book_of;
use crate::stock::onward::{Onward, move_on};
use crate::stock::selling::Beyond;
use crate::{Failure, World};

/// Makes the fulfilment orders of a new order, one for each location that gives something. `gone` when the goods were handed over already.
///
/// # Errors
/// What the store says.
pub fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    network: Id<Network>,
    parts: &[Part],
    gone: bool,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let state = if gone { rules::left(order.kind) } else { State::Open };
    let mut made = Vec::new();
    for group in parts.chunk_by(|a, b| a.location == b.location) {
        let mut quantities = Pieces::new();
        for part in group {
            *quantities.entry((part.line, part.variant)).or_insert(0) += part.quantity;
        }
        let place = (network, Some(group[0].location));
        made.push(add(tx, actor, world, order, place, (state, quantities))?);
    }
    Ok(made)
}

/// Makes the fulfilment orders of goods that were sold and are not there: one for each variant, because each comes at its own time.
///
/// # Errors
/// What the store says.
pub fn open_later(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, network): (&Order, Id<Network>),
    (sold, pieces): (&[Beyond], &Pieces),
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let mut made = Vec::with_capacity(sold.len());
    for beyond in sold {
        let own = pieces.iter().filter(|((_, variant), _)| *variant == beyond.variant);
        let quantities: Pieces = own.map(|(piece, quantity)| (*piece, *quantity)).collect();
        let mut one = begun(world, order, (network, None), (State::Unrouted, quantities));
        (one.later, one.not_before) = (Some(beyond.later), beyond.rule.releases_at);
        let (reason, kind, state) = match beyond.later {
            Later::BackOrder => ("back_ordered", "fulfilment.back_ordered", stock::State::Backordered),
            Later::PreOrder => ("pre_ordered", "fulfilment.pre_ordered", stock::State::Preordered),
        };
        rows::add(tx, &one)?;
        let way = (reason, stock::world(stock::State::Demand), stock::on(network, state));
        shift(tx, actor, world, &one, way, &by_variant(&one.lines, |line| line.quantity))?;
        tell(tx, actor, world, &one, kind);
        made.push(one);
    }
    Ok(made)
}

/// Makes the fulfilment orders of what was taken for an order; what was not waits at no location, promised on the network.
///
/// # Errors
/// What the store says.
pub fn open_taken(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, network): (&Order, Id<Network>),
    pieces: Pieces,
    (taken, gone): (&Taken, bool),
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let (parts, rest) = rules::share_out(pieces, &taken.allocations);
    let mut made = open(tx, actor, world, order, network, &parts, gone)?;
    made.extend(pool::wait(tx, actor, world, order, (network, rest), taken.waiting)?);
    Ok(made)
}

/// Adds one fulfilment order and tells of it.
fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: &Order,
    place: (Id<Network>, Option<Id<Location>>),
    what: (State, Pieces),
) -> Result<FulfilmentOrder, Failure> {
    let one = begun(world, order, place, what);
    rows::add(tx, &one)?;
    if one.state.is_at_location() {
        room::take(tx, world.now(), &one)?;
    }
    let kind = match one.state {
        State::Unrouted => "fulfilment.unrouted",
        State::AwaitingTransfer => "fulfilment.awaiting_transfer",
        state if state.has_left() => "fulfilment.collected",
        _ => "fulfilment.opened",
    };
    tell(tx, actor, world, &one, kind);
    Ok(one)
}

fn begun(
    world: &mut World,
    order: &Order,
    (network, location): (Id<Network>, Option<Id<Location>>),
    (state, quantities): (State, Pieces),
) -> FulfilmentOrder {
    let line = |((line, variant), quantity)| Line { line, variant, quantity, picked: 0 };
    FulfilmentOrder {
        order: order.id,
        id: world.id(),
        network,
        location,
        kind: order.kind,
        state,
        on_hold: None,
        tracking: None,
        made_at: world.now(),
        ready_at: None,
        collect_by: None,
        left_at: state.has_left().then_some(world.now()),
        later: None,
        not_before: None,
        promised: Promised::default(),
        expected_at: None,
        lines: quantities.into_iter().map(line).collect(),
    }
}

/// Tells what happened to a fulfilment order, with everything that stands in it.
fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &FulfilmentOrder, kind: &'static str) {
    let lines: Vec<_> = one
        .lines
        .iter()
        .map(|line| json!({ "line": line.line.to_string(), "variant": line.variant.to_string(), "quantity": line.quantity, "picked": line.picked }))
        .collect();
    let body = json!({
        "fulfilment_order": one.id.to_string(), "location": one.location.map(|location| location.to_string()),
        "state": one.state.text(), "later": one.later.map(Later::text), "on_hold": one.on_hold, "tracking": one.tracking, "lines": lines
    });
    emit(tx, actor, world, one.order, kind, body);
}

/// The fulfilment orders of an order that the asker may see.
///
/// # Errors
/// [`Code::NotFound`].
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, order: &Order) -> Result<Vec<FulfilmentOrder>, Failure> {
    order::may_see(tx, actor, order)?;
    Ok(rows::of_order(tx, order.id)?)
}

/// What a location has to get ready, the oldest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn open_at(
    tx: &mut Tx<'_>,
    actor: &Actor,
    location: Id<Location>,
    after: Id<FulfilmentOrderKind>,
    limit: i64,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    actor.may(Permission::ReadOrders, Some(location))?;
    Ok(rows::open_at(tx, location, after, limit)?)
}

/// A fulfilment order of an order, for who may work on it at its location.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    order: &Order,
    id: Id<FulfilmentOrderKind>,
) -> Result<FulfilmentOrder, Failure> {
    let all = rows::of_order(tx, order.id)?;
    let one =
        all.into_iter().find(|one| one.id == id).ok_or_else(|| Refusal::not_found("fulfilment order", id))?;
    actor.may(Permission::EditOrders, one.location)?;
    Ok(one)
}

/// Brings a fulfilment order into its next state, unless the rules or somebody's hold forbid it.
fn go_to(one: &mut FulfilmentOrder, next: State) -> Result<(), Refusal> {
    if let Some(reason) = &one.on_hold {
        let message = format!("fulfilment order {} is on hold: {reason}", one.id);
        return Err(Refusal::new(Code::WrongState, message));
    }
    if !one.state.leads_to(next) {
        let message = format!("fulfilment order {} is {}", one.id, one.state.text());
        return Err(Refusal::new(Code::WrongState, message));
    }
    one.state = next;
    Ok(())
}

/// The location of a fulfilment order whose goods lie at one.
fn location_of(one: &FulfilmentOrder) -> Result<Id<Location>, Refusal> {
    one.location.ok_or_else(|| {
        Refusal::new(Code::WrongState, format!("fulfilment order {} is at no location yet", one.id))
    })
}

/// Moves goods of a fulfilment order from one account to another, for a reason in a word of the trade.
fn shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    (reason, from, to): (&'static str, AccountKey, AccountKey),
    quantities: &BTreeMap<Id<Variant>, i64>,
) -> Result<(), Failure> {
    let onward = Onward { reason, cause: ("order", one.order.to_string()), quantities, from, to };
    move_on(tx, actor, world, &onward)
}

/// How many of each variant the lines have, counted in this way; variants of which there is nothing are left out.
fn by_variant(lines: &[Line], count: impl Fn(&Line) -> i64) -> BTreeMap<Id<Variant>, i64> {
    let mut sum = BTreeMap::new();
    for line in lines.iter().filter(|line| count(line) > 0) {
        *sum.entry(line.variant).or_insert(0) += count(line);
    }
    sum
}

/// Where the goods of a fulfilment order lie that were not picked yet; of those that were not there when they were sold, where they are
/// promised once they have come.
fn promised_at(one: &FulfilmentOrder) -> AccountKey {
    match (one.location, one.later) {
        (Some(location), _) => stock::at(location, stock::State::Committed),
        (None, None) => stock::on(one.network, stock::State::PoolCommitted),
        (None, Some(_)) => stock::on(one.network, stock::State::Backordered),
    }
}

/// From which accounts a promise is taken back. All who wait for goods that were not there stand in one queue, and what has come is
/// promised to the first of it: whoever leaves the queue frees a place at its end, for which nothing has come yet, if there is one.
fn promised_in(
    tx: &mut Tx<'_>,
    one: &FulfilmentOrder,
    (variant, quantity): (Id<Variant>, i64),
) -> Result<Vec<(AccountKey, i64)>, Failure> {
    if one.location.is_some() || one.later.is_none() {
        return Ok(vec![(promised_at(one), quantity)]);
    }
    store::ledger::lock_books(tx, &mut vec![book_of(variant)])?;
    let end = stock::on(one.network, stock::State::Preordered);
    let not_come = store::ledger::balance(tx, book_of(variant), end)?.min(quantity);
    let parts = [(end, not_come), (promised_at(one), quantity - not_come)];
    Ok(parts.into_iter().filter(|(_, part)| *part > 0).collect())
}

/// The pieces of a fulfilment order at no location are promised in the pool no longer.
fn leave_pool(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    reason: &'static str,
) -> Result<(), Failure> {
    for (variant, quantity) in by_variant(&one.lines, |line| line.quantity) {
        for (from, part) in promised_in(tx, one, (variant, quantity))? {
            let way = (reason, from, stock::world(stock::State::Demand));
            shift(tx, actor, world, one, way, &BTreeMap::from([(variant, part)]))?;
        }
    }
    Ok(())
}

/// How many units of a line have not wholly left yet.
pub fn open_units(line: &order::Line, all: &[FulfilmentOrder]) -> i64 {
    rules::open_units(&line.takes, |variant| open_pieces(line, variant, all))
}

/// How many units of a line have not left, not even a part of them: those can be cancelled.
pub fn untouched_units(line: &order::Line, all: &[FulfilmentOrder]) -> i64 {
    rules::untouched_units(&line.takes, |variant| open_pieces(line, variant, all))
}

fn open_pieces(line: &order::Line, variant: Id<Variant>, all: &[FulfilmentOrder]) -> i64 {
    let open = all.iter().filter(|one| one.state.is_open()).flat_map(|one| &one.lines);
    open.filter(|part| part.line == line.id && part.variant == variant).map(|part| part.quantity).sum()
}

/// Takes units of a line out of open fulfilment orders and puts the goods back on their shelves: what is at no location yet first, what
/// is picked already last. The order is locked.
///
/// # Errors
/// [`Code::WrongState`] when fewer units are open.
pub fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    all: &mut [FulfilmentOrder],
    (line, units): (&order::Line, i64),
) -> Result<(), Failure> {
    for (variant, each) in &line.takes {
        let mut left = each * units;
        let mut open: Vec<_> = all.iter_mut().filter(|one| one.state.is_open()).collect();
        open.sort_by_key(|one| (one.location.is_some(), one.lines.iter().any(|part| part.picked > 0)));
        for one in open {
            left -= give_back_part(tx, actor, world, one, (line.id, *variant, left))?;
        }
        if left > 0 {
            let message = format!("line {} has fewer than {units} open", line.sku);
            return Err(Refusal::new(Code::WrongState, message).into());
        }
    }
    for one in all.iter_mut().filter(|one| one.state.is_open()) {
        end_if_empty(tx, actor, world, one, State::Cancelled)?;
        inbound::open_when_all_there(tx, actor, world, one)?;
    }
    Ok(())
}

/// Gives back as many pieces of a line as one fulfilment order has, at most so many; how many those were.
fn give_back_part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut FulfilmentOrder,
    (line, variant, most): (Id<OrderLine>, Id<Variant>, i64),
) -> Result<i64, Failure> {
    let part = one.lines.iter_mut().find(|part| part.line == line && part.variant == variant);
    let Some(part) = part.filter(|part| part.quantity > 0 && most > 0) else { return Ok(0) };
    let freed = part.quantity.min(most);
    let promised = freed.min(part.quantity - part.picked);
    part.quantity -= freed;
    part.picked -= freed - promised;
    let part = *part;
    rows::update_line(tx, one, &part)?;
    let back = match one.location {
        Some(location) => stock::at(location, stock::State::Available),
        None => stock::world(stock::State::Demand),
    };
    let here = inbound::let_go(tx, actor, world, one, (variant, promised))?;
    if here > 0 {
        for (from, quantity) in promised_in(tx, one, (variant, here))? {
            let quantities = BTreeMap::from([(variant, quantity)]);
            shift(tx, actor, world, one, ("released", from, back), &quantities)?;
        }
    }
    if let (Some(location), true) = (one.location, freed > promised) {
        let way = ("released", stock::at(location, stock::State::Picked), back);
        shift(tx, actor, world, one, way, &BTreeMap::from([(variant, freed - promised)]))?;
        put_back(tx, actor, world, one, (variant, freed - promised));
        parcel::fit(tx, actor, world, one)?;
    }
    Ok(freed)
}

/// Tells the picker which pieces he has in hand that go back to the shelf.
fn put_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    (variant, quantity): (Id<Variant>, i64),
) {
    let body = json!({
        "fulfilment_order": one.id.to_string(), "location": one.location.map(|location| location.to_string()),
        "variant": variant.to_string(), "quantity": quantity
    });
    emit(tx, actor, world, one.order, "fulfilment.put_back", body);
}

/// Ends a fulfilment order of which nothing is left.
fn end_if_empty(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut FulfilmentOrder,
    end: State,
) -> Result<(), Failure> {
    if one.lines.iter().any(|part| part.quantity > 0) {
        return Ok(());
    }
    one.state = end;
    rows::update(tx, one)?;
    room::give_back(tx, one)?;
    let kind = if end == State::Rejected { "fulfilment.rejected" } else { "fulfilment.cancelled" };
    tell(tx, actor, world, one, kind);
    Ok(())
}

/// Checks that a fulfilment order leaves in one of these ways.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::WrongState`] when it leaves in another way.
pub fn leaves_by(
    tx: &mut Tx<'_>,
    order: Id<domain::value::id::Order>,
    id: Id<FulfilmentOrderKind>,
    kinds: &[Kind],
) -> Result<(), Failure> {
    let all = rows::of_order(tx, order)?;
    let one =
        all.iter().find(|one| one.id == id).ok_or_else(|| Refusal::not_found("fulfilment order", id))?;
    if kinds.contains(&one.kind) {
        return Ok(());
    }
    let message = match one.kind {
        Kind::Ship => "it leaves by parcel: ship it",
        Kind::Pickup | Kind::HandOver => "the customer takes it: hand it over",
    };
    Err(Refusal::new(Code::WrongState, message).into())
}
