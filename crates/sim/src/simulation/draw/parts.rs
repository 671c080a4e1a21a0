//! Draws how goods of an order go on at a location: picked, missed, replaced, packed, refused, offered, claimed.

use domain::delivery::Kind;
use domain::fulfilment::State as GoodsState;
use domain::fulfilment::substitute::Allowed;
use domain::order::State as OrderState;
use domain::stock::State as Stock;

use super::{few, order, place};
use crate::chance::Chance;
use crate::model::order::{Order, Part, Piece};
use crate::model::stock::at;
use crate::model::substitute::Replaced;
use crate::model::{Command, Model, Step};

/// How many of the newest orders something is replaced in.
const NEWEST: usize = 40;

/// The next step of a part of an order, mostly one that can follow.
pub fn going_on(chance: &mut Chance, model: &Model) -> Option<Command> {
    let alive = |order: &Order| order.state == OrderState::Placed && order.parts.iter().any(Part::is_open);
    let number = order(chance, model, alive)?;
    let parts = &model.orders[number].parts;
    let open: Vec<usize> = (0..parts.len()).filter(|place| parts[*place].is_open()).collect();
    let part = match open.as_slice() {
        [] if parts.is_empty() => return None,
        [] => place(chance, parts.len()),
        open if chance.happens(95) => *chance.one_of(open),
        _ => place(chance, parts.len()),
    };
    if chance.happens(30) {
        return substitute(chance, model, (number, part));
    }
    let step = step(chance, model, &parts[part]);
    Some(Command::GoOn { order: number, part, step })
}

/// Pieces still to be picked that something may take the place of: of which order, in which part.
fn replaceable(model: &Model) -> Vec<(usize, usize, Piece)> {
    let first = model.orders.len().saturating_sub(NEWEST);
    let mut found = Vec::new();
    for (number, order) in model.orders.iter().enumerate().skip(first) {
        // Lines of a change that is shown have their ids already: which of the new lines is older would be hard to say.
        let is_changing = model.open_change(number).is_some();
        if order.state != OrderState::Placed || order.allowed.0 == Allowed::None || is_changing {
            continue;
        }
        for (place, part) in order.parts.iter().enumerate() {
            let has = |variant: usize| {
                part.location.is_some_and(|here| model.stock.count(variant, at(here, Stock::Available)) > 0)
            };
            let can_be = |piece: &&Piece| {
                let is_whole = order.lines[piece.line].takes.len() == 1;
                let mut choices = model.choices(number, piece.variant).into_iter();
                is_whole && piece.picked < piece.quantity && choices.any(has)
            };
            let is_here = part.state.is_at_location() && part.held.is_none();
            found.extend(
                part.pieces.iter().filter(|_| is_here).filter(can_be).map(|one| (number, place, *one)),
            );
        }
    }
    found
}

/// Something takes the place of what is to be picked, or the customer of an order says what may.
fn substitute(chance: &mut Chance, model: &Model, (order, part): (usize, usize)) -> Option<Command> {
    let open = replaceable(model);
    if open.is_empty() || chance.happens(15) {
        let piece = model.orders[order].parts[part].pieces.first()?;
        let rules = &model.plan.variants[piece.variant].substitutes;
        let allowed = *chance.one_of(&[Allowed::Similar, Allowed::Named, Allowed::Named, Allowed::None]);
        let some = (allowed == Allowed::Named) != chance.happens(4);
        let usual = rules.first().copied().filter(|_| chance.happens(90));
        let named = some.then(|| usual.unwrap_or_else(|| place(chance, model.plan.variants.len())));
        return Some(Command::Allow { order, allowed, named: named.into_iter().collect() });
    }
    let (order, part, piece) = *chance.one_of(&open);
    let any = place(chance, model.plan.variants.len());
    let choices = model.choices(order, piece.variant);
    let by = if chance.happens(5) { any } else { *chance.one_of(&choices) };
    let still = piece.quantity - piece.picked;
    let quantity = if chance.happens(92) { few(chance, still.cast_unsigned()) } else { still + 1 };
    let replaced = Replaced { line: piece.line, by, quantity, missing: chance.happens(50) };
    Some(Command::Substitute { order, part, replaced })
}

fn step(chance: &mut Chance, model: &Model, part: &Part) -> Step {
    let location = place(chance, model.plan.locations.len());
    if part.held.is_some() && chance.happens(60) {
        return Step::Release;
    }
    let all_picked = part.pieces.iter().all(|piece| piece.picked == piece.quantity);
    if all_picked && part.state == GoodsState::Picking && chance.happens(60) {
        return Step::Pack;
    }
    if part.kind == Kind::Pickup && part.state.leads_to(GoodsState::Ready) && chance.happens(30) {
        return Step::MakeReady;
    }
    let usual = match part.state {
        GoodsState::Unrouted => chance.below(3) + 14,
        GoodsState::Offered => 17,
        GoodsState::Shipped => 9,
        _ => chance.below(16),
    };
    let drawn = if chance.happens(95) { usual } else { chance.below(19) };
    match drawn {
        0 | 1 => Step::StartPicking,
        2..5 => Step::Pick(some_pieces(chance, part)),
        5 | 6 => Step::Miss(some_pieces(chance, part)),
        7 => Step::Pack,
        8 => Step::MakeReady,
        9 => Step::Deliver,
        10 | 11 => Step::Reject,
        12 => Step::Hold,
        13 => Step::Release,
        14..17 => {
            let count = chance.below(3);
            let locations = (0..count).map(|_| place(chance, model.plan.locations.len())).collect();
            Step::Offer { locations, seconds: chance.below(2000).cast_signed() - 50 }
        }
        _ => Step::Claim {
            location: part.offers.keys().next().copied().filter(|_| chance.happens(80)).unwrap_or(location),
        },
    }
}

/// Some of what is still to be picked, now and then too much.
fn some_pieces(chance: &mut Chance, part: &Part) -> Vec<(usize, i64)> {
    let open = part.by_variant(|piece| piece.quantity - piece.picked);
    let mut some = Vec::new();
    for (variant, quantity) in open {
        if chance.happens(60) {
            let units = if chance.happens(60) { quantity } else { few(chance, quantity.cast_unsigned() + 1) };
            some.push((variant, units));
        }
    }
    some
}
