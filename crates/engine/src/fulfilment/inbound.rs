//! Sent to where it is collected: what a pickup location lacks comes from another one under a transfer order. The customer is told the
//! later date, and the goods wait for nobody else from the moment they are committed at the sender.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::delivery::Kind;
use domain::fulfilment::{self as rules, Part, Pieces, State};
use domain::routing::decision::Occasion;
use domain::stock;
use domain::transfer::{self, Shortage};
use domain::value::id::{Network, TransferOrder as TransferKind, Variant};
use domain::value::{Id, Instant};
use serde_json::json;
use store::{Tx, fulfilment as rows};

use super::{FulfilmentOrder, add, end_if_empty, pool, room, tell};
use crate::event::emit;
use crate::order::{self, Line, Order};
use crate::routing::{self, Of, Taking};
use crate::stock::availability::Reach;
use crate::transfer::receive::Received;
use crate::transfer::{self as transfers, TransferOrder, receive, send};
use crate::{Failure, World};

/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// From where an order's pickup location can be sent what it lacks, and how many days that takes; `None` when it is sent nothing.
///
/// # Errors
/// What the store says.
pub(crate) fn reach_of(tx: &mut Tx<'_>, order: &Order) -> Result<Option<(Reach, i64)>, Failure> {
    let (Kind::Pickup, Some(destination), Some(method)) = (order.kind, order.location, order.delivery_method)
    else {
        return Ok(None);
    };
    let Some(sending) = store::delivery::sending::find(tx, method)? else { return Ok(None) };
    let mut reach = senders(tx, sending.network)?;
    reach.locations.retain(|location| *location != destination);
    Ok(Some((reach, sending.days)))
}

/// The locations of a network that send to where orders are collected.
///
/// # Errors
/// What the store says.
pub(crate) fn senders(tx: &mut Tx<'_>, network: Id<Network>) -> Result<Reach, Failure> {
    let sites = store::location::sites(tx, network)?;
    Ok(Reach {
        network,
        overlapping: store::location::overlapping_networks(tx, network)?,
        locations: sites.iter().filter(|site| site.can_ship).map(|site| site.id).collect(),
        pinned: false,
        threshold: 0,
        ahead: None,
    })
}

/// When goods are expected that are sent now and are on their way so many days.
pub(crate) const fn expected_at(now: Instant, days: i64) -> Instant {
    now.plus_seconds(days * DAY)
}

/// Pieces that other locations send, committed there already.
#[derive(Clone, Debug, Default)]
pub struct Coming {
    /// What each location sends, by location.
    pub parts: Vec<Part>,
    /// When it is expected.
    pub expected_at: Option<Instant>,
}

/// Takes what other locations can send to where an order is collected; answers that, and what nobody can send.
///
/// # Errors
/// What the store says.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, lines): (&Order, &[Line]),
    wanted: Pieces,
) -> Result<(Coming, Pieces), Failure> {
    if wanted.is_empty() {
        return Ok((Coming::default(), wanted));
    }
    let Some((reach, days)) = reach_of(tx, order)? else { return Ok((Coming::default(), wanted)) };
    let demand = pool::of_variants(&wanted);
    let cause = ("order", order.id.to_string());
    let taking = Taking {
        of: Of { order, lines, occasion: Occasion::Elsewhere, first: &[] },
        reach: &reach,
        cart: None,
        cause,
        demand: &demand,
        to: stock::State::Committed,
    };
    let taken = routing::take_what_there_is(tx, actor, world, &taking)?;
    let (parts, rest) = rules::share_out(wanted, &taken.allocations);
    let expected_at = (!parts.is_empty()).then(|| expected_at(world.now(), days));
    Ok((Coming { parts, expected_at }, rest))
}

/// Could other locations send any of these to where an order is collected?
///
/// # Errors
/// What the store says.
pub(super) fn is_something_there(
    tx: &mut Tx<'_>,
    order: &Order,
    wanted: &BTreeMap<Id<Variant>, i64>,
) -> Result<bool, Failure> {
    match reach_of(tx, order)? {
        Some((reach, _)) => routing::is_something_there(tx, &reach, wanted),
        None => Ok(false),
    }
}

/// Opens a fulfilment order that waits for goods on their way, together with what lies at its location already, so that the customer
/// comes once; and the transfer orders that bring them.
///
/// # Errors
/// What the store says.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, network): (&Order, Id<Network>),
    (here, coming): (&[Part], &Coming),
) -> Result<(), Failure> {
    let (Some(destination), Some(expected_at)) = (order.location, coming.expected_at) else { return Ok(()) };
    let mut quantities = Pieces::new();
    for part in here.iter().chain(&coming.parts) {
        *quantities.entry((part.line, part.variant)).or_insert(0) += part.quantity;
    }
    let place = (network, Some(destination));
    let mut one = add(tx, actor, world, order, place, (State::AwaitingTransfer, quantities))?;
    one.expected_at = Some(expected_at);
    rows::update(tx, &one)?;
    for parts in coming.parts.chunk_by(|a, b| a.location == b.location) {
        let mut sent: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
        for part in parts {
            *sent.entry(part.variant).or_insert(0) += part.quantity;
        }
        let way = (parts[0].location, destination);
        let waiting = ((order.id, one.id), expected_at);
        transfers::for_order(tx, actor, world, way, waiting, &sent)?;
    }
    let body = json!({ "fulfilment_order": one.id.to_string(), "expected_at": expected_at.to_string() });
    emit(tx, actor, world, order.id, "fulfilment.expected", body);
    Ok(())
}

/// Locks the order that waits for a transfer order's goods, if one does, before anything else.
fn lock_waiting(tx: &mut Tx<'_>, id: Id<TransferKind>) -> Result<Option<Order>, Failure> {
    let waiting = transfers::find(tx, id)?.waiting;
    waiting.map(|(order, _)| order::lock(tx, order)).transpose()
}

/// Pieces of a transfer order arrive. What an order waits for is committed to it, and once all is there the order is to be picked.
///
/// # Errors
/// [`domain::Code::WrongState`] unless it is on the way.
pub fn receive(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<TransferKind>,
    received: &[Received],
) -> Result<TransferOrder, Failure> {
    let order = lock_waiting(tx, id)?;
    let one = receive::receive(tx, actor, world, id, received)?;
    follow(tx, actor, world, (order, one))
}

/// Pieces of a transfer order were not found at the source. An order that waits for them gets them from another location in the same
/// transaction, or waits until one has them.
///
/// # Errors
/// [`domain::Code::WrongState`] when more are named than are still to be picked.
pub fn short(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<TransferKind>,
    missing: &transfers::Pieces,
) -> Result<TransferOrder, Failure> {
    let order = lock_waiting(tx, id)?;
    let one = send::short(tx, actor, world, id, missing)?;
    follow(tx, actor, world, (order, one))
}

/// Nobody waits any longer for what did not arrive. An order that does gets it from elsewhere.
///
/// # Errors
/// [`domain::Code::WrongState`] unless it is on the way.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<TransferKind>,
    why: Shortage,
) -> Result<TransferOrder, Failure> {
    let order = lock_waiting(tx, id)?;
    let one = receive::close(tx, actor, world, id, why)?;
    follow(tx, actor, world, (order, one))
}

/// Nothing of a transfer order is sent after all. An order that waits for it gets the goods from elsewhere.
///
/// # Errors
/// [`domain::Code::WrongState`] when it left, or has ended.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<TransferKind>,
) -> Result<TransferOrder, Failure> {
    let order = lock_waiting(tx, id)?;
    let one = send::cancel(tx, actor, world, id)?;
    follow(tx, actor, world, (order, one))
}

/// A count found that committed pieces of a transfer order are not there: fewer are sent. Answers how many that were.
pub(super) fn counted_short(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<TransferKind>,
    (variant, most): (Id<Variant>, i64),
) -> Result<i64, Failure> {
    let order = lock_waiting(tx, id)?;
    let mut one = transfers::begin(tx, id)?;
    let number = one.lines.iter().position(|line| line.variant == variant);
    let Some(number) = number.filter(|_| one.state.is_at_source()) else { return Ok(0) };
    let lost = one.lines[number].progress.unpicked().min(most);
    if lost > 0 {
        let way = ("counted", stock::State::Shrinkage);
        send::drop_pieces(tx, actor, world, &mut one, (number, lost), way)?;
        transfers::tell(tx, actor, world, &one, "transfer.short");
        follow(tx, actor, world, (order, one))?;
    }
    Ok(lost)
}

/// What happened to a transfer order is told to the fulfilment order that waits for it: what will not come is taken from elsewhere, and
/// when nothing more is to come it is to be picked.
fn follow(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, mut one): (Option<Order>, TransferOrder),
) -> Result<TransferOrder, Failure> {
    let (Some(order), Some(which)) = (order, one.waiting) else { return Ok(one) };
    let mut lost: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    let open = one.state.is_open();
    for line in &mut one.lines {
        let progress = &mut line.progress;
        let unkept = if open { transfer::unkept(progress) } else { progress.promised };
        if unkept > 0 {
            progress.promised -= unkept;
            store::transfer::set_line(tx, one.id, line)?;
            lost.insert(line.variant, unkept);
        }
    }
    let found = rows::of_order(tx, order.id)?.into_iter().find(|part| part.id == which.1);
    let Some(mut part) = found.filter(|part| part.state == State::AwaitingTransfer) else { return Ok(one) };
    let pieces = give_up(tx, &mut part, lost)?;
    if !pieces.is_empty() {
        tell(tx, actor, world, &part, "fulfilment.short");
        end_if_empty(tx, actor, world, &mut part, State::Cancelled)?;
    }
    open_when_all_there(tx, actor, world, &mut part)?;
    if !pieces.is_empty() {
        pool::go_elsewhere(tx, actor, world, &order, (part.network, pieces))?;
    }
    Ok(one)
}

/// Takes pieces that will not come out of a fulfilment order: of which lines they were.
fn give_up(
    tx: &mut Tx<'_>,
    part: &mut FulfilmentOrder,
    mut lost: BTreeMap<Id<Variant>, i64>,
) -> Result<Pieces, Failure> {
    let mut pieces = Pieces::new();
    for number in 0..part.lines.len() {
        let line = &mut part.lines[number];
        let left = lost.entry(line.variant).or_insert(0);
        let taken = (*left).min(line.quantity - line.picked);
        if taken > 0 {
            *left -= taken;
            line.quantity -= taken;
            let line = *line;
            *pieces.entry((line.line, line.variant)).or_insert(0) += taken;
            rows::update_line(tx, part, &line)?;
        }
    }
    Ok(pieces)
}

/// A fulfilment order for which nothing more is to come is to be picked.
pub(super) fn open_when_all_there(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    part: &mut FulfilmentOrder,
) -> Result<(), Failure> {
    if part.state != State::AwaitingTransfer || part.lines.iter().all(|line| line.quantity == 0) {
        return Ok(());
    }
    for id in store::transfer::for_order(tx, (part.order, part.id))? {
        if transfers::find(tx, id)?.lines.iter().any(|line| line.progress.promised > 0) {
            return Ok(());
        }
    }
    part.state = State::Open;
    rows::update(tx, part)?;
    room::take(tx, world.now(), part)?;
    tell(tx, actor, world, part, "fulfilment.opened");
    Ok(())
}

/// The order wants fewer pieces of a line that is still to come: what did not leave its sender stays there, what is on its way becomes
/// free when it arrives. Answers how many of those pieces lie at the location already.
pub(super) fn let_go(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    part: &FulfilmentOrder,
    (variant, most): (Id<Variant>, i64),
) -> Result<i64, Failure> {
    let mut left = most;
    if part.state != State::AwaitingTransfer {
        return Ok(left);
    }
    for id in store::transfer::for_order(tx, (part.order, part.id))? {
        if left > 0 {
            left -= send::unpromise(tx, actor, world, id, (variant, left))?;
        }
    }
    Ok(left)
}
