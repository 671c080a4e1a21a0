//! Transfers: goods are asked for at one location, picked and sent there, and received at another, piece by piece.

pub mod receive;
pub mod send;

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::ledger::AccountKey;
use domain::stock::{self, State as Stock};
use domain::transfer::{Progress, Reason, State};
use domain::value::id::{FulfilmentOrder, Location, Order, TransferOrder as Kind, Variant};
use domain::value::{Id, Instant, Quantity};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, transfer as rows};

pub use store::transfer::{Line, Side, TransferOrder};

use crate::event::emit;
use crate::stock::onward::{Onward, move_on};
use crate::stock::{in_skus, must_be_stocked, must_be_there, rule};
use crate::{Failure, World};

/// The most variants of one transfer order.
pub const LINES_MAX: usize = 500;
/// The longest note or reference, in characters.
pub const TEXT_MAX: usize = 200;

/// How many of each variant.
pub type Pieces = Vec<(Id<Variant>, i64)>;

/// Goods to be moved.
#[derive(Clone, Debug)]
pub struct NewTransfer {
    /// From where.
    pub source: Id<Location>,
    /// To where.
    pub destination: Id<Location>,
    /// What.
    pub lines: Pieces,
    /// Why.
    pub reason: Reason,
    /// The retailer's words, without personal data.
    pub note: Option<String>,
    /// When it is expected.
    pub expected_at: Option<Instant>,
}

/// Puts a transfer order together; nothing is promised until it is requested.
///
/// # Errors
/// [`Code::Invalid`] for the same place twice, no line, or a quantity that is none; [`Code::WrongState`] when the destination does not
/// receive.
pub fn draft(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewTransfer,
) -> Result<TransferOrder, Failure> {
    may_at_either(actor, Permission::MoveTransfers, (new.source, new.destination))?;
    if new.source == new.destination {
        return Err(Refusal::invalid("destination", "give another location than the source").into());
    }
    must_be_there(tx, new.source).map_err(|failure| failure.at("source"))?;
    let destination = must_be_there(tx, new.destination).map_err(|failure| failure.at("destination"))?;
    if !destination.can_receive || !destination.active {
        let message = format!("location \"{}\" does not receive goods; choose another", destination.code);
        return Err(Refusal::new(Code::WrongState, message).at("destination").into());
    }
    let one = TransferOrder {
        id: world.id(),
        source: new.source,
        destination: new.destination,
        state: State::Draft,
        reason: new.reason,
        note: new.note,
        waiting: None,
        asked_by: actor.who.label(),
        made_at: world.now(),
        needs_approval: false,
        approved_at: None,
        expected_at: new.expected_at,
        reference: None,
        shipped_at: None,
        ended_at: None,
        lines: summed(tx, &new.lines)?,
    };
    rows::add(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.drafted");
    Ok(one)
}

/// The lines of named pieces, each variant once.
fn summed(tx: &mut Tx<'_>, pieces: &Pieces) -> Result<Vec<Line>, Failure> {
    if pieces.is_empty() || pieces.len() > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("name 1 to {LINES_MAX} variants")).into());
    }
    let mut sum: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    for (place, (variant, quantity)) in pieces.iter().enumerate() {
        let path = format!("lines.{place}");
        Quantity::new(*quantity).map_err(|error| Refusal::invalid(format!("{path}.quantity"), error))?;
        must_be_stocked(tx, *variant).map_err(|failure| failure.at(format!("{path}.variant")))?;
        *sum.entry(*variant).or_insert(0) += quantity;
    }
    let line = |(variant, quantity)| Line { variant, progress: Progress { quantity, ..Progress::default() } };
    Ok(sum.into_iter().map(line).collect())
}

/// Replaces the lines of a draft.
///
/// # Errors
/// [`Code::WrongState`] unless it is a draft.
pub fn set_lines(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    lines: &Pieces,
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    may_at_either(actor, Permission::MoveTransfers, (one.source, one.destination))?;
    if one.state != State::Draft {
        return Err(wrong_state(&one, "only a draft is changed").into());
    }
    one.lines = summed(tx, lines)?;
    rows::clear_lines(tx, id)?;
    one.lines.iter().try_for_each(|line| rows::set_line(tx, id, line))?;
    tell(tx, actor, world, &one, "transfer.drafted");
    Ok(one)
}

/// Asks for a drafted transfer. Its goods are committed where they lie, unless they are worth so much that a second person must agree.
///
/// # Errors
/// [`Code::OutOfStock`] when the source has too little.
pub fn request(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    may_at_either(actor, Permission::MoveTransfers, (one.source, one.destination))?;
    go_to(&mut one, State::Requested)?;
    let pieces: Vec<_> = one.lines.iter().map(|line| (line.variant, line.progress.quantity)).collect();
    one.needs_approval = rule::transfer_needs_approval(tx, one.source, &pieces)?;
    if !one.needs_approval {
        commit(tx, actor, world, &mut one)?;
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.requested");
    Ok(one)
}

/// A second person agrees to a transfer: its goods are committed where they lie.
///
/// # Errors
/// [`Code::WrongState`] when it waits for nobody, or for somebody else than who asked for it.
pub fn approve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    actor.may(Permission::ApproveTransfers, Some(one.source))?;
    if one.state != State::Requested || one.approved_at.is_some() {
        return Err(wrong_state(&one, "it waits for nobody's approval").into());
    }
    if one.asked_by == actor.who.label() {
        return Err(wrong_state(&one, "somebody else than who asked for it must approve it").into());
    }
    commit(tx, actor, world, &mut one)?;
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.approved");
    Ok(one)
}

fn commit(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &mut TransferOrder) -> Result<(), Failure> {
    one.approved_at = Some(world.now());
    let way = ("committed", stock::at(one.source, Stock::Available), stock::at(one.source, Stock::Committed));
    let outcome = shift(tx, actor, world, one, way, |progress| progress.quantity);
    let variants: Vec<_> = one.lines.iter().map(|line| line.variant).collect();
    in_skus(tx, &variants, outcome)
}

/// Goods of an order that another location sends to where they are collected: they are committed at the source already.
pub(crate) fn for_order(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (source, destination): (Id<Location>, Id<Location>),
    (waiting, expected_at): ((Id<Order>, Id<FulfilmentOrder>), Instant),
    quantities: &BTreeMap<Id<Variant>, i64>,
) -> Result<TransferOrder, Failure> {
    let line = |(variant, quantity): (&Id<Variant>, &i64)| Line {
        variant: *variant,
        progress: Progress { quantity: *quantity, promised: *quantity, ..Progress::default() },
    };
    let one = TransferOrder {
        id: world.id(),
        source,
        destination,
        state: State::Requested,
        reason: Reason::Order,
        note: None,
        waiting: Some(waiting),
        asked_by: actor.who.label(),
        made_at: world.now(),
        needs_approval: false,
        approved_at: Some(world.now()),
        expected_at: Some(expected_at),
        reference: None,
        shipped_at: None,
        ended_at: None,
        lines: quantities.iter().map(line).collect(),
    };
    rows::add(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.requested");
    Ok(one)
}

/// A transfer order, for who works on it at either end.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<Kind>) -> Result<TransferOrder, Failure> {
    let one = find(tx, id)?;
    may_at_either(actor, Permission::MoveTransfers, (one.source, one.destination))
        .or_else(|_| may_at_either(actor, Permission::ApproveTransfers, (one.source, one.destination)))?;
    Ok(one)
}

/// A transfer order, whoever asks.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn find(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<TransferOrder, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("transfer order", id).into())
}

/// The transfer orders a location sends or receives, before one, the newest first: the open ones, or all.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    which: (Id<Location>, Side, bool),
    before: Id<Kind>,
    limit: i64,
) -> Result<Vec<TransferOrder>, Failure> {
    actor
        .may(Permission::MoveTransfers, Some(which.0))
        .or_else(|refusal| actor.may(Permission::ApproveTransfers, Some(which.0)).map_err(|_| refusal))?;
    Ok(rows::list(tx, which, before, limit)?)
}

fn may_at_either(
    actor: &Actor,
    permission: Permission,
    (source, destination): (Id<Location>, Id<Location>),
) -> Result<(), Refusal> {
    actor
        .may(permission, Some(source))
        .or_else(|refusal| actor.may(permission, Some(destination)).map_err(|_| refusal))
}

/// A transfer order to be worked on, locked.
pub(crate) fn begin(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<TransferOrder, Failure> {
    rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("transfer order", id).into())
}

fn wrong_state(one: &TransferOrder, why: &str) -> Refusal {
    Refusal::new(Code::WrongState, format!("transfer order {} is {}; {why}", one.id, one.state.text()))
}

/// Brings a transfer order into its next state, unless the rules forbid it.
fn go_to(one: &mut TransferOrder, next: State) -> Result<(), Refusal> {
    if !one.state.leads_to(next) {
        return Err(wrong_state(one, &format!("it cannot become {}", next.text())));
    }
    one.state = next;
    Ok(())
}

/// Moves the goods of all lines from one account to another, as many of each as is counted in this way.
fn shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &TransferOrder,
    (reason, from, to): (&'static str, AccountKey, AccountKey),
    count: impl Fn(&Progress) -> i64,
) -> Result<(), Failure> {
    let counted = one.lines.iter().map(|line| (line.variant, count(&line.progress)));
    let quantities = counted.filter(|(_, pieces)| *pieces > 0).collect();
    let cause = ("transfer", one.id.to_string());
    move_on(tx, actor, world, &Onward { reason, cause, quantities: &quantities, from, to })
}

/// Tells what happened to a transfer order, with everything that stands in it.
pub(crate) fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &TransferOrder,
    kind: &'static str,
) {
    let lines: Vec<_> = one
        .lines
        .iter()
        .map(|line| {
            let progress = line.progress;
            json!({
                "variant": line.variant.to_string(), "quantity": progress.quantity, "picked": progress.picked, "shipped": progress.shipped,
                "arrived": progress.arrived, "damaged": progress.damaged, "over": progress.over, "lost": progress.lost
            })
        })
        .collect();
    let body = json!({
        "source": one.source.to_string(), "destination": one.destination.to_string(), "state": one.state.text(),
        "order": one.waiting.map(|(order, _)| order.to_string()), "expected_at": one.expected_at.map(|at| at.to_string()),
        "lines": lines
    });
    emit(tx, actor, world, one.id, kind, body);
}
