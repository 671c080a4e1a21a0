//! The receiver's side: pieces arrive, whole or damaged, fewer or more than were sent, and somebody ends the waiting for the rest.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::ledger::Posting;
use domain::stock::{self, State as Stock};
use domain::transfer::{self as rules, Arrival, Progress, Shortage, State};
use domain::value::id::{TransferOrder as Kind, Variant};
use domain::value::{Id, Quantity};
use serde_json::json;
use store::{Tx, transfer as rows};

use super::{LINES_MAX, Line, TransferOrder, begin, go_to, shift, tell, wrong_state};
use crate::event::emit;
use crate::stock::{Movement, must_be_stocked, never_short, post_movement};
use crate::{Failure, World};

/// Pieces that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many.
    pub pieces: i64,
    /// In which state: available, quality or damaged.
    pub state: Stock,
}

/// Pieces arrive. Those an order waits for are committed to it at once, so nobody else can buy them. What was not sent by the books is
/// found. When all that was sent is there, the transfer order has ended.
///
/// # Errors
/// [`Code::WrongState`] unless it is on the way; [`Code::Invalid`] for another state.
pub(crate) fn receive(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    received: &[Received],
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    actor.may(Permission::MoveTransfers, Some(one.destination))?;
    if !one.state.is_on_the_way() {
        return Err(wrong_state(&one, "nothing of it is on its way").into());
    }
    if received.is_empty() || received.len() > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("name 1 to {LINES_MAX} variants")).into());
    }
    for (place, part) in received.iter().enumerate() {
        receive_one(tx, actor, world, &mut one, (place, *part))?;
    }
    let all_there = one.lines.iter().all(|line| line.progress.on_the_way() == 0);
    go_to(&mut one, if all_there { State::Received } else { State::PartlyReceived })?;
    one.ended_at = all_there.then(|| world.now());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.received");
    Ok(one)
}

fn receive_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &mut TransferOrder,
    (place, part): (usize, Received),
) -> Result<(), Failure> {
    let field = |name: &str| format!("lines.{place}.{name}");
    Quantity::new(part.pieces).map_err(|error| Refusal::invalid(field("quantity"), error))?;
    if !matches!(part.state, Stock::Available | Stock::Quality | Stock::Damaged) {
        let message = "goods arrive available, in quality or damaged";
        return Err(Refusal::invalid(field("state"), message).into());
    }
    let number = match one.lines.iter().position(|line| line.variant == part.variant) {
        Some(number) => number,
        None => {
            must_be_stocked(tx, part.variant)?;
            one.lines.push(Line { variant: part.variant, progress: Progress::default() });
            one.lines.len() - 1
        }
    };
    let whole = part.state == Stock::Available;
    let arrival = rules::arrive(&one.lines[number].progress, part.pieces, whole);
    let movement = Movement {
        variant: part.variant,
        reason: "received",
        cause: Some(("transfer", one.id.to_string())),
        postings: postings(one, arrival, part.state),
    };
    post_movement(tx, actor, world, movement, never_short)?;
    let progress = &mut one.lines[number].progress;
    progress.arrived += arrival.to_order + arrival.free + arrival.aside;
    progress.damaged += arrival.aside;
    progress.promised -= arrival.to_order;
    progress.over += arrival.over;
    Ok(rows::set_line(tx, one.id, &one.lines[number])?)
}

fn postings(one: &TransferOrder, arrival: Arrival, state: Stock) -> Vec<Posting> {
    let at = |state| stock::at(one.destination, state);
    let moves = [
        (at(Stock::InTransit), at(Stock::Committed), arrival.to_order),
        (at(Stock::InTransit), at(Stock::Available), arrival.free),
        (at(Stock::InTransit), at(state), arrival.aside),
        (stock::world(Stock::Found), at(state), arrival.over),
    ];
    let moves = moves.into_iter().filter(|(.., pieces)| *pieces > 0);
    moves.flat_map(|(from, to, pieces)| stock::moving(from, to, pieces, 0)).collect()
}

/// Nobody waits any longer for what did not arrive, for a reason: it is lost, destroyed, or never left the source.
///
/// # Errors
/// [`Code::WrongState`] unless it is on the way.
pub(crate) fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Kind>,
    why: Shortage,
) -> Result<TransferOrder, Failure> {
    let mut one = begin(tx, id)?;
    actor.may(Permission::ApproveTransfers, Some(one.destination))?;
    go_to(&mut one, State::ClosedShort)?;
    let to = why.world_side().map_or(stock::at(one.source, Stock::Available), stock::world);
    let way = (why.text(), stock::at(one.destination, Stock::InTransit), to);
    shift(tx, actor, world, &one, way, Progress::on_the_way)?;
    for line in &mut one.lines {
        line.progress.lost += line.progress.on_the_way();
        rows::set_line(tx, id, line)?;
    }
    one.ended_at = Some(world.now());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "transfer.closed_short");
    emit(tx, actor, world, id, "transfer.reason_given", json!({ "reason": why.text() }));
    Ok(one)
}
