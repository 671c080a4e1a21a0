//! Draws what happens to goods between places: transfer orders, counts, and returns that were announced.

use domain::count::{LineState, State as CountState};
use domain::returns::{Condition, State as ReturnState};
use domain::stock::State;
use domain::transfer::{Shortage, State as TransferState};

use super::{brought, few, order, place, recent};
use crate::chance::Chance;
use crate::model::count::CountStep;
use crate::model::order::Order;
use crate::model::returns::{Return, ReturnStep};
use crate::model::stock::at;
use crate::model::transfer::{Transfer, TransferStep};
use crate::model::{Command, Model};

/// The longest time after which a scanner sends what was counted, in seconds.
const SENT_AFTER_SECONDS_MAX: u64 = 400;

pub fn between(chance: &mut Chance, model: &Model) -> Option<Command> {
    match chance.below(10) {
        0..4 => Some(transfer(chance, model)),
        4..7 => Some(count(chance, model)),
        _ => back(chance, model),
    }
}

/// One of several for which something is still to be done, the newest more often; now and then any.
fn open_one(chance: &mut Chance, len: usize, is_open: impl Fn(usize) -> bool) -> usize {
    let open: Vec<usize> = (0..len).filter(|number| is_open(*number)).collect();
    match open.as_slice() {
        [] => recent(chance, len),
        open if chance.happens(93) => open[recent(chance, open.len())],
        _ => recent(chance, len),
    }
}

/// Some variants, mostly such as lie on shelves.
fn some_variants(chance: &mut Chance, model: &Model, most: u64) -> Vec<usize> {
    let variants = &model.plan.variants;
    let stocked: Vec<usize> = (0..variants.len()).filter(|variant| variants[*variant].stocked).collect();
    let one = |chance: &mut Chance| {
        if chance.happens(96) { *chance.one_of(&stocked) } else { place(chance, variants.len()) }
    };
    (0..few(chance, most)).map(|_| one(chance)).collect()
}

/// What a location has to send, now and then a little more.
fn to_send(chance: &mut Chance, model: &Model, source: usize) -> Vec<(usize, i64)> {
    let variants = some_variants(chance, model, 3);
    let mut lines = Vec::new();
    for variant in variants {
        let there = model.stock.count(variant, at(source, State::Available));
        let most = if chance.happens(93) { there.clamp(1, 5) } else { there + 1 };
        lines.push((variant, few(chance, most.cast_unsigned())));
    }
    lines
}

fn transfer(chance: &mut Chance, model: &Model) -> Command {
    let open = model.transfers.iter().any(|one| one.state.is_open());
    if model.transfers.is_empty() || chance.happens(if open { 18 } else { 90 }) {
        let locations = model.plan.locations.len();
        let source = place(chance, locations);
        let other = (source + 1 + place(chance, locations - 1)) % locations;
        let destination = if chance.happens(3) { source } else { other };
        return Command::DraftTransfer { source, destination, lines: to_send(chance, model, source) };
    }
    let number = open_one(chance, model.transfers.len(), |number| model.transfers[number].state.is_open());
    let one = &model.transfers[number];
    let usual = match one.state {
        TransferState::Draft => [0, 1, 1, 1, 1, 1, 7],
        TransferState::Requested | TransferState::Picking => [2, 2, 3, 4, 4, 4, 7],
        _ => [5, 5, 5, 5, 5, 5, 6],
    };
    let drawn = if chance.happens(94) { *chance.one_of(&usual) } else { chance.below(8) };
    let step = match drawn {
        0 => TransferStep::SetLines(if chance.happens(90) {
            to_send(chance, model, one.source)
        } else {
            Vec::new()
        }),
        1 => TransferStep::Request,
        2 => TransferStep::Pick(part_of(chance, one)),
        3 => TransferStep::Miss(part_of(chance, one)),
        4 => TransferStep::Ship,
        5 => TransferStep::Arrive(arriving(chance, model, one)),
        6 => TransferStep::CloseShort(*chance.one_of(Shortage::ALL)),
        _ => TransferStep::Cancel,
    };
    Command::GoOnWithTransfer { number, step }
}

/// Some of what is still to be picked, now and then too much.
fn part_of(chance: &mut Chance, one: &Transfer) -> Vec<(usize, i64)> {
    let open = one.lines.iter().map(|(variant, line)| (*variant, line.unpicked()));
    let mut some = Vec::new();
    for (variant, pieces) in open.filter(|(_, pieces)| *pieces > 0) {
        if chance.happens(60) {
            let more = i64::from(chance.happens(8));
            some.push((
                variant,
                if chance.happens(50) { pieces + more } else { few(chance, pieces.cast_unsigned()) },
            ));
        }
    }
    some
}

/// Some of what is on its way, whole or damaged, and now and then what nobody sent.
fn arriving(chance: &mut Chance, model: &Model, one: &Transfer) -> Vec<(usize, i64, State)> {
    let mut come = Vec::new();
    for (variant, line) in &one.lines {
        let coming = line.on_the_way();
        if coming > 0 && chance.happens(70) {
            let pieces = if chance.happens(60) { coming } else { few(chance, coming.cast_unsigned() + 1) };
            let state = *chance.one_of(&[State::Quality, State::Damaged]);
            come.push((*variant, pieces, if chance.happens(80) { State::Available } else { state }));
        }
    }
    if chance.happens(8) {
        let state = *chance.one_of(&[State::Available, State::Damaged, State::Held]);
        come.push((place(chance, model.plan.variants.len()), few(chance, 2), state));
    }
    come
}

fn count(chance: &mut Chance, model: &Model) -> Command {
    let open = model.counts.iter().any(|one| one.state.is_open());
    if model.counts.is_empty() || chance.happens(if open { 14 } else { 90 }) {
        let location = place(chance, model.plan.locations.len());
        let mut variants = some_variants(chance, model, 4);
        variants.sort_unstable();
        variants.dedup();
        return Command::AskForCount { location, variants };
    }
    let number = open_one(chance, model.counts.len(), |number| model.counts[number].state.is_open());
    let one = &model.counts[number];
    let all_counted = one.lines.iter().all(|(variant, line)| {
        line.state == LineState::Counted || one.tallies.contains_key(&(*variant, line.round))
    });
    let usual = match one.state {
        CountState::InReview => [3, 3, 3, 3, 3, 2, 4],
        _ if all_counted => [1, 1, 1, 1, 1, 0, 4],
        _ => [0, 0, 0, 0, 0, 0, 1],
    };
    let drawn = if chance.happens(94) { *chance.one_of(&usual) } else { chance.below(5) };
    let step = match drawn {
        0 => CountStep::Tally(counted(chance, model, number)),
        1 => CountStep::Finish { rest_is_none: chance.happens(25) },
        2 => {
            CountStep::Recount(if chance.happens(50) { Vec::new() } else { some_variants(chance, model, 2) })
        }
        3 => CountStep::Post,
        _ => CountStep::Cancel,
    };
    Command::GoOnWithCount { number, step }
}

/// What a colleague counts: mostly what the books have, else a few more or fewer, or what nobody asked for.
fn counted(chance: &mut Chance, model: &Model, number: usize) -> Vec<(usize, i64, i64)> {
    let one = &model.counts[number];
    let mut pieces = Vec::new();
    for (variant, line) in &one.lines {
        if line.state == LineState::Counted || chance.happens(30) {
            continue;
        }
        let shelf = [State::Available, State::Held, State::Committed];
        let booked: i64 =
            shelf.iter().map(|state| model.stock.count(*variant, at(one.location, *state))).sum();
        let known = one.tallies.get(&(*variant, line.round)).map_or(0, |tally| tally.pieces);
        let wrong = if chance.happens(55) { 0 } else { chance.below(9).cast_signed() - 5 };
        let ago = if chance.happens(75) { 0 } else { chance.below(SENT_AFTER_SECONDS_MAX).cast_signed() };
        let there = (booked + wrong).max(0) - known;
        let all = known == 0 || there < 0 || chance.happens(70);
        pieces.push((
            *variant,
            if all { there } else { chance.below(there.cast_unsigned() + 1).cast_signed() },
            ago,
        ));
    }
    // Alone: which of several refusals is named first follows from ids.
    if pieces.is_empty() || chance.happens(7) {
        return vec![(place(chance, model.plan.variants.len()), chance.below(4).cast_signed() - 1, 0)];
    }
    pieces
}

fn back(chance: &mut Chance, model: &Model) -> Option<Command> {
    let has = |order: &Order| (0..order.lines.len()).any(|line| order.returnable_units(line) > 0);
    let open = |order: &Order| order.returns.iter().any(goes_on);
    if chance.happens(30) {
        let number = order(chance, model, has)?;
        let location = chance.happens(70).then(|| place(chance, model.plan.locations.len()));
        let lines = brought(chance, &model.orders[number]);
        return Some(Command::AskBack { order: number, location, lines });
    }
    let order = order(chance, model, open)?;
    let returns = &model.orders[order].returns;
    if returns.is_empty() {
        return None;
    }
    let number = open_one(chance, returns.len(), |number| goes_on(&returns[number]));
    let one = &returns[number];
    let waits = one.lines.iter().any(|line| line.graded < line.received);
    let usual = match one.state {
        ReturnState::Approved => [0, 0, 0, 0, 0, 0, 3],
        ReturnState::Received if waits => [1, 1, 1, 1, 0, 0, 2],
        ReturnState::Received | ReturnState::Inspected => [0, 0, 0, 2, 2, 2, 2],
        ReturnState::Refunded if waits => [1, 1, 1, 1, 1, 3, 3],
        _ => [3, 3, 3, 3, 4, 5, 0],
    };
    let drawn = if chance.happens(94) { *chance.one_of(&usual) } else { chance.below(6) };
    let step = match drawn {
        0 => come(chance, model, one),
        1 => ReturnStep::Inspect(looked_at(chance, one)),
        2 => ReturnStep::Refund,
        3 => ReturnStep::Close,
        4 => ReturnStep::Approve,
        _ => ReturnStep::Decline,
    };
    Some(Command::GoOnWithReturn { order, number, step })
}

/// Something of a return is still to happen, as a rule.
fn goes_on(one: &Return) -> bool {
    let waits = one.lines.iter().any(|line| line.graded < line.received);
    waits || matches!(one.state, ReturnState::Approved | ReturnState::Received | ReturnState::Inspected)
}

fn come(chance: &mut Chance, model: &Model, one: &Return) -> ReturnStep {
    let mut lines = Vec::new();
    for (place, line) in one.lines.iter().enumerate() {
        let coming = line.quantity - line.received;
        if coming > 0 && chance.happens(75) {
            let pieces = if chance.happens(60) { coming } else { few(chance, coming.cast_unsigned() + 1) };
            lines.push((place, pieces, chance.happens(60).then(|| *chance.one_of(Condition::ALL))));
        }
    }
    let others = chance.happens(8).then(|| (place(chance, model.plan.variants.len()), few(chance, 2)));
    let location = if chance.happens(50) { one.location } else { place(chance, model.plan.locations.len()) };
    let complete = chance.happens(12);
    ReturnStep::Receive { location, lines, others: others.into_iter().collect(), complete }
}

fn looked_at(chance: &mut Chance, one: &Return) -> Vec<(usize, i64, Condition)> {
    let mut lines = Vec::new();
    for (place, line) in one.lines.iter().enumerate() {
        let waits = line.received - line.graded;
        if waits > 0 && chance.happens(75) {
            let pieces = if chance.happens(70) { waits } else { few(chance, waits.cast_unsigned() + 1) };
            let graded = [Condition::Resellable, Condition::Damaged, Condition::Scrap];
            let condition =
                if chance.happens(95) { *chance.one_of(&graded) } else { *chance.one_of(Condition::ALL) };
            lines.push((place, pieces, condition));
        }
    }
    lines
}
