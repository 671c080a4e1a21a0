//! Draws what happens to parcels, and what customers say of goods that were lost or came damaged.

use domain::delivery::Kind as DeliveryKind;
use domain::fulfilment::parcel::State;
use domain::order::State as OrderState;
use domain::returns::claim::{CarrierState, Kind, Remedy, State as ClaimState, Whereabouts};

use super::{few, order, place};
use crate::chance::Chance;
use crate::model::claim::{Claim, ClaimStep, Claimed};
use crate::model::order::Order;
use crate::model::parcel::ParcelStep;
use crate::model::{Command, Model};

/// In how many of the newest orders something is packed, sent or claimed.
const NEWEST: usize = 40;

/// The newest orders, with something about each that is still to happen.
fn newest<T>(model: &Model, look: impl Fn(&Order) -> Vec<T>) -> Vec<(usize, T)> {
    let first = model.orders.len().saturating_sub(NEWEST);
    let orders = model.orders.iter().enumerate().skip(first);
    orders.flat_map(|(number, order)| look(order).into_iter().map(move |one| (number, one))).collect()
}

pub fn parcel(chance: &mut Chance, model: &Model) -> Option<Command> {
    let can_pack = |order: &Order| -> Vec<usize> {
        let placed = order.state == OrderState::Placed;
        let parts = 0..order.parts.len();
        let free = |part: &usize| {
            let one = &order.parts[*part];
            let sent = one.kind == DeliveryKind::Ship && one.state.is_at_location() && one.held.is_none();
            placed && sent && order.unpacked(*part).iter().any(|piece| piece.quantity > 0)
        };
        parts.filter(free).collect()
    };
    let in_state = |order: &Order, state: State| -> Vec<usize> {
        (0..order.parcels.len()).filter(|one| order.parcels[*one].state == state).collect()
    };
    let to_pack = newest(model, can_pack);
    if !to_pack.is_empty() && chance.happens(60) {
        let (order, part) = *chance.one_of(&to_pack);
        let goods = goods(chance, &model.orders[order], part);
        return Some(Command::Parcel {
            order,
            step: ParcelStep::Pack { part, goods, by_van: chance.happens(60) },
        });
    }
    let packed = newest(model, |order| in_state(order, State::Packed));
    let sent = newest(model, |order| in_state(order, State::Shipped));
    let any = newest(model, |order| (0..order.parcels.len()).collect());
    let usual = match chance.below(10) {
        0..6 if !packed.is_empty() => &packed,
        6..9 if !sent.is_empty() => &sent,
        _ => &any,
    };
    if usual.is_empty() {
        return None;
    }
    let (order, parcel) = *chance.one_of(usual);
    let state = model.orders[order].parcels[parcel].state;
    let step = match (state, chance.below(10)) {
        (State::Packed, 0..8) | (_, 9) => ParcelStep::Ship(parcel),
        (State::Packed, _) | (_, 8) => ParcelStep::Unpack(parcel),
        _ => ParcelStep::Attempt { parcel, delivered: chance.happens(55) },
    };
    Some(Command::Parcel { order, step })
}

/// Everything that is picked, or some of it, now and then more than there is.
fn goods(chance: &mut Chance, order: &Order, part: usize) -> Option<Vec<(usize, i64)>> {
    if chance.happens(45) {
        return None;
    }
    let mut some: Vec<(usize, i64)> = Vec::new();
    for piece in order.unpacked(part).into_iter().filter(|piece| piece.quantity > 0) {
        if some.iter().all(|(variant, _)| *variant != piece.variant) && chance.happens(70) {
            let most = piece.quantity + i64::from(chance.happens(5));
            some.push((piece.variant, few(chance, most.cast_unsigned())));
        }
    }
    Some(some)
}

pub fn claim(chance: &mut Chance, model: &Model) -> Option<Command> {
    let open =
        newest(model, |order| (0..order.claims.len()).filter(|one| goes_on(&order.claims[*one])).collect());
    if !open.is_empty() && chance.happens(60) {
        let (order, number) = *chance.one_of(&open);
        let step = step(chance, model, &model.orders[order].claims[number]);
        return Some(Command::GoOnWithClaim { order, number, step });
    }
    let claimed = newest(model, |order| (0..order.claims.len()).collect());
    if !claimed.is_empty() && chance.happens(10) {
        let (order, number) = *chance.one_of(&claimed);
        let step = step(chance, model, &model.orders[order].claims[number]);
        return Some(Command::GoOnWithClaim { order, number, step });
    }
    let has = |order: &Order| (0..order.lines.len()).any(|line| order.returnable_units(line) > 0);
    let number = order(chance, model, has)?;
    Some(Command::ClaimGoods { order: number, asked: claimed_of(chance, &model.orders[number]) })
}

/// Something of a claim is still to happen, as a rule.
fn goes_on(one: &Claim) -> bool {
    let carrier = one.carrier.is_some_and(|carrier| carrier.0.is_pending());
    let turned_up = one.state == ClaimState::Resolved && one.found.is_some() && one.whereabouts.is_none();
    one.state.is_live() || carrier || turned_up
}

fn claimed_of(chance: &mut Chance, order: &Order) -> Claimed {
    let gone = |one: &usize| matches!(order.parcels[*one].state, State::Shipped | State::Delivered);
    let gone: Vec<usize> = (0..order.parcels.len()).filter(gone).collect();
    let mut kind = *chance.one_of(Kind::ALL);
    let mut parcel = None;
    if !gone.is_empty() && chance.happens(75) {
        kind = if chance.happens(95) { *chance.one_of(&[Kind::Lost, Kind::Damaged]) } else { kind };
        parcel = Some(*chance.one_of(&gone));
    } else if !order.parcels.is_empty() && chance.happens(5) {
        parcel = Some(place(chance, order.parcels.len()));
    }
    let mut lines = Vec::new();
    for line in 0..order.lines.len() {
        let free = order.returnable_units(line);
        let held = parcel.is_none_or(|one| order.parcels[one].pieces.iter().any(|piece| piece.0 == line));
        if free > 0 && held && chance.happens(60) {
            lines.push((line, few(chance, free.cast_unsigned())));
        }
    }
    if lines.is_empty() || chance.happens(5) {
        lines.push((place(chance, order.lines.len()), few(chance, 2)));
    }
    let wished = chance.happens(50).then(|| *chance.one_of(Remedy::ALL));
    Claimed { kind, parcel, lines, wished, by_customer: chance.happens(50) }
}

fn step(chance: &mut Chance, model: &Model, one: &Claim) -> ClaimStep {
    let location = chance.happens(30).then(|| place(chance, model.plan.locations.len()));
    let usual = match one.state {
        ClaimState::Requested => [0, 0, 0, 1, 2],
        ClaimState::Approved => [3, 3, 3, 3, 4],
        _ if one.found.is_some() && one.whereabouts.is_none() => [5, 5, 5, 5, 4],
        _ => [4, 4, 4, 4, 5],
    };
    let drawn = if chance.happens(93) { *chance.one_of(&usual) } else { chance.below(6) };
    match drawn {
        0 => ClaimStep::Approve,
        1 => ClaimStep::Decline,
        2 => ClaimStep::Withdraw,
        3 => {
            let remedy = *chance.one_of(Remedy::ALL);
            let mut amounts = Vec::new();
            for line in &one.lines {
                let part = chance.happens(if remedy == Remedy::Refund { 25 } else { 4 });
                amounts.extend(part.then(|| (line.line, few(chance, line.value.cast_unsigned() + 1))));
            }
            ClaimStep::MakeGood { remedy, amounts, location }
        }
        4 => {
            let state = *chance.one_of(&[
                CarrierState::Filed,
                CarrierState::Paid,
                CarrierState::Refused,
                CarrierState::Withdrawn,
            ]);
            let paid = chance.happens(30).then(|| few(chance, one.value.cast_unsigned() + 1));
            ClaimStep::CarrierSaid { state, paid }
        }
        _ => {
            let whereabouts = *chance.one_of(Whereabouts::ALL);
            let back = whereabouts == Whereabouts::Restocked;
            let usual = back.then(|| place(chance, model.plan.locations.len()));
            ClaimStep::Settle { whereabouts, location: if chance.happens(93) { usual } else { location } }
        }
    }
}
