//! The sender's side: pieces are taken from the shelf, missed, sent on their way; or nothing is sent after all.

use domain::actor::{Actor, Permission};
use domain::stock::{self, State as Stock};
use domain::transfer::{Progress, State};
use domain::value::id::{TransferOrder as Kind, Variant};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use store::{Tx, transfer as rows};

use super::{Pieces, TEXT_MAX, TransferOrder, begin, go_to, may_at_either, shift, tell, wrong_state};
use crate::stock::onward::{Onward, move_on};
use crate::{Failure, World, count};

/// A transfer order whose goods lie at the source, for who works there.
fn at_source(tx: &mut Tx<'_>, actor: &Actor, id: Id<Kind>) -> Result<TransferOrder, Failure> {
    let one = begin(tx, id)?;
    actor.may(Permission::MoveTransfers, Some(one.source))?;
    if !one.state.is_at_source() {
        return Err(wrong_state(&one, "its goods are not to be picked").into());
    }
    if one.approved_at.is_none() {
        return Err(wrong_state(&one, "a second person must approve it first").into());
    }
    Ok(one)
}

/// The place of the line of a variant with so many pieces that were not picked yet.
fn unpicked(
    one: &TransferOrder,
    place: usize,
    (variant, pieces): (Id<Variant>, i64),
) -> Result<usize, Refusal> {
    let number = one.lines.iter().position(|line| line.variant == variant);
    let open = number.map_or(0, |number| one.lines[number].progress.unpicked());
    match number {
        Some(number) if (1..=open).contains(&pieces) => Ok(number),
        _ => {
            let message = format!("{open} of {variant} are still to be picked, {pieces} named");
            Err(Refusal::new(Code::WrongState, message).at(format!("lines.{place}.quantity")))
        }
    }
}

/// Pieces were taken from the shelf. Picking begins with the first.
///
/// # Errors
/// [`Code::WrongState`] when more are named than are still to be picked.
pub fn pick(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    found: &Pieces,
) -> Result<TransferOrder, Failure> {
    let mut one = at_source(tx, actor, id)?;
    let way = (stock::at(one.source, Stock::Committed), stock::at(one.source, Stock::Picked));
    for (place, (variant, pieces)) in found.iter().enumerate() {
        let number = unpicked(&one, place, (*variant, *pieces))?;
        one.lines[number].progress.picked += pieces;
        rows::set_line(tx, id, &one.lines[number])?;
        let quantities = [(*variant, *pieces)].into();
        let cause = ("transfer", id.to_string());
        let onward = Onward { reason: "picked", cause, quantities: &quantities, from: way.0, to: way.1 };
        move_on(tx, actor, world, &onward)?;
    }
    start(tx, &mut one)?;
    tell(tx, actor, world, &one, "transfer.picked");
    Ok(one)
}

fn start(tx: &mut Tx<'_>, one: &mut TransferOrder) -> Result<(), Failure> {
    if one.state == State::Requested {
        go_to(one, State::Picking)?;
        rows::update(tx, one)?;
    }
    Ok(())
}

/// Pieces were not found: they become missing, the shelf is to be counted, and so many fewer are sent.
///
/// # Errors
/// [`Code::WrongState`] when more are named than are still to be picked.
pub(crate) fn short(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    missing: &Pieces,
) -> Result<TransferOrder, Failure> {
    let mut one = at_source(tx, actor, id)?;
    start(tx, &mut one)?;
    for (place, (variant, pieces)) in missing.iter().enumerate() {
        let number = unpicked(&one, place, (*variant, *pieces))?;
        let cause = ("transfer", id.to_string());
        drop_pieces(tx, actor, world, &mut one, (number, *pieces), ("not_found", Stock::Missing))?;
        count::doubt(tx, actor, world, (*variant, one.source), (*pieces, cause))?;
    }
    tell(tx, actor, world, &one, "transfer.short");
    Ok(one)
}

/// Takes unpicked pieces out of a transfer order; they go from committed into this state. A promise to its order stays until its
/// fulfilment order is told.
pub(crate) fn drop_pieces(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut TransferOrder,
    (number, pieces): (usize, i64),
    (reason, to): (&'static str, Stock),
) -> Result<(), Failure> {
    let (source, variant) = (one.source, one.lines[number].variant);
    let account = if to.is_world() { stock::world(to) } else { stock::at(source, to) };
    let quantities = [(variant, pieces)].into();
    let onward = Onward {
        reason,
        cause: ("transfer", one.id.to_string()),
        quantities: &quantities,
        from: stock::at(source, Stock::Committed),
        to: account,
    };
    move_on(tx, actor, world, &onward)?;
    let progress = &mut one.lines[number].progress;
    progress.quantity -= pieces;
    // The table keeps promises within what is sent; what is beyond is told to the fulfilment order by who called this.
    let kept = Progress { promised: progress.promised.min(progress.quantity), ..*progress };
    rows::set_line(tx, one.id, &super::Line { variant, progress: kept })?;
    Ok(())
}

/// What is told of parcels that leave.
#[derive(Clone, Debug, Default)]
pub struct Shipping {
    /// The carrier's or the parcels' numbers.
    pub reference: Option<String>,
    /// When they are expected, if another instant than before.
    pub expected_at: Option<Instant>,
}

/// The goods leave; what was not picked piece by piece is taken from the shelf at once.
///
/// # Errors
/// [`Code::WrongState`] when nothing is left to send; [`Code::Invalid`] for a reference that is too long.
pub fn ship(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    shipping: Shipping,
) -> Result<TransferOrder, Failure> {
    let mut one = at_source(tx, actor, id)?;
    let reference = shipping.reference.filter(|text| !text.trim().is_empty());
    if reference.as_ref().is_some_and(|text| text.chars().count() > TEXT_MAX) {
        return Err(Refusal::invalid("reference", format!("give at most {TEXT_MAX} characters")).into());
    }
    if one.lines.iter().all(|line| line.progress.quantity == 0) {
        return Err(wrong_state(&one, "there is nothing left to send").into());
    }
    let on_the_way = stock::at(one.destination, Stock::InTransit);
    let way = ("sent", stock::at(one.source, Stock::Committed), on_the_way);
    shift(tx, actor, world, &one, way, Progress::unpicked)?;
    let way = ("sent", stock::at(one.source, Stock::Picked), on_the_way);
    shift(tx, actor, world, &one, way, |progress| progress.picked)?;
    for line in &mut one.lines {
        line.progress.picked = line.progress.quantity;
        line.progress.shipped = line.progress.quantity;
        rows::set_line(tx, id, line)?;
    }
    go_to(&mut one, State::InTransit)?;
    one.reference = reference.or(one.reference);
    one.expected_at = shipping.expected_at.or(one.expected_at);
    one.shipped_at = Some(world.now());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.sent");
    Ok(one)
}

/// Nothing is sent after all: the goods are free again.
///
/// # Errors
/// [`Code::WrongState`] when they left, or it has ended.
pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    may_at_either(actor, Permission::MoveTransfers, (one.source, one.destination))?;
    go_to(&mut one, State::Cancelled)?;
    if one.approved_at.is_some() {
        let shelf = stock::at(one.source, Stock::Available);
        let way = ("released", stock::at(one.source, Stock::Committed), shelf);
        shift(tx, actor, world, &one, way, Progress::unpicked)?;
        let way = ("released", stock::at(one.source, Stock::Picked), shelf);
        shift(tx, actor, world, &one, way, |progress| progress.picked)?;
    }
    one.ended_at = Some(world.now());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.cancelled");
    Ok(one)
}

/// The order does not want so many pieces of a variant any more. What still lies at the source is free again there, a transfer order of
/// which nothing is left ends; what is on its way becomes free when it arrives. Answers how many pieces that were.
pub(crate) fn unpromise(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    (variant, most): (Id<Variant>, i64),
) -> Result<i64, Failure> {
    let mut one = begin(tx, id)?;
    let Some(number) = one.lines.iter().position(|line| line.variant == variant) else { return Ok(0) };
    let freed = one.lines[number].progress.promised.min(most);
    if freed < 1 || !one.state.is_open() {
        return Ok(0);
    }
    one.lines[number].progress.promised -= freed;
    if one.state.is_at_source() {
        let unpicked = freed.min(one.lines[number].progress.unpicked());
        if unpicked > 0 {
            drop_pieces(tx, actor, world, &mut one, (number, unpicked), ("released", Stock::Available))?;
        }
        put_back(tx, actor, world, &mut one, (number, freed - unpicked))?;
    } else {
        rows::set_line(tx, id, &one.lines[number])?;
    }
    if one.state.is_at_source() && one.lines.iter().all(|line| line.progress.quantity == 0) {
        go_to(&mut one, State::Cancelled)?;
        one.ended_at = Some(world.now());
        rows::update(tx, &one)?;
        tell(tx, actor, world, &one, "transfer.cancelled");
    }
    Ok(freed)
}

/// Puts picked pieces back on the source's shelf.
fn put_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut TransferOrder,
    (number, pieces): (usize, i64),
) -> Result<(), Failure> {
    if pieces < 1 {
        return Ok(());
    }
    let quantities = [(one.lines[number].variant, pieces)].into();
    let onward = Onward {
        reason: "released",
        cause: ("transfer", one.id.to_string()),
        quantities: &quantities,
        from: stock::at(one.source, Stock::Picked),
        to: stock::at(one.source, Stock::Available),
    };
    move_on(tx, actor, world, &onward)?;
    let progress = &mut one.lines[number].progress;
    (progress.quantity, progress.picked) = (progress.quantity - pieces, progress.picked - pieces);
    Ok(rows::set_line(tx, one.id, &one.lines[number])?)
}
