//! Draws what is asked of the shop next: mostly what makes sense there and then, often enough what does not.

mod between;
mod change;
mod claim;
mod money;
mod parts;

use domain::order::State as OrderState;
use domain::returns::Condition;
use domain::stock::State;
use engine::stock::AdjustReason;

use crate::chance::Chance;
use crate::model::later::ExpectedStep;
use crate::model::order::Order;
use crate::model::returns::Brought;
use crate::model::stock::at;
use crate::model::{Choice, Command, Model};

/// How many of the newest carts and orders are asked about most.
const RECENT: usize = 10;
/// The channel of which most is asked: it holds stock for carts, sells from everywhere and takes money as goods leave.
const HOLDS_AND_SPLITS: usize = 1;
/// How often something is drawn again that is over.
const TRIES: usize = 4;
/// The longest usual pause, in seconds; every carts' and payments' time runs out within a few of them.
const PAUSE_SECONDS_MAX: u64 = 900;

/// The next command.
pub fn command(chance: &mut Chance, model: &Model) -> Command {
    loop {
        let drawn = match chance.below(100) {
            0..12 => Some(goods(chance, model)),
            12..40 => Some(filling(chance, model)),
            40..44 => money::money(chance, model),
            44..54 => money::provider(chance, model),
            54 => Some(money::credit(chance, model)),
            55..63 => parts::going_on(chance, model),
            63..67 => claim::parcel(chance, model),
            67..70 => claim::claim(chance, model),
            70..75 => leaving(chance, model),
            75..81 => change::change(chance, model),
            81..97 => between::between(chance, model),
            _ => Some(Command::Pass { seconds: pause(chance) }),
        };
        if let Some(command) = drawn {
            return command;
        }
    }
}

fn pause(chance: &mut Chance) -> i64 {
    let days = if chance.happens(3) { 86_400 * chance.below(40) } else { 0 };
    (61 + chance.below(PAUSE_SECONDS_MAX) + days).cast_signed()
}

fn place(chance: &mut Chance, len: usize) -> usize {
    chance.below(len as u64) as usize
}

/// One of many, more often than not a new one.
fn recent(chance: &mut Chance, len: usize) -> usize {
    let newest = if chance.happens(90) { len.min(RECENT) } else { len };
    len - 1 - place(chance, newest)
}

/// One of many for which something can still be done, as a rule.
fn living(chance: &mut Chance, len: usize, lives: impl Fn(usize) -> bool) -> usize {
    let mut drawn = recent(chance, len);
    for _ in 0..TRIES {
        if lives(drawn) {
            break;
        }
        drawn = recent(chance, len);
    }
    drawn
}

fn few(chance: &mut Chance, most: u64) -> i64 {
    1 + chance.below(most).cast_signed()
}

fn goods(chance: &mut Chance, model: &Model) -> Command {
    let variant = place(chance, model.plan.variants.len());
    let location = place(chance, model.plan.locations.len());
    let there = model.stock.count(variant, at(location, State::Available));
    if chance.happens(22) {
        return expected(chance, model, (variant, location));
    }
    match chance.below(20) {
        0..9 => {
            let state = *chance.one_of(&[State::Quality, State::Damaged, State::Held]);
            let state = if chance.happens(85) { State::Available } else { state };
            Command::Receive { variant, location, quantity: few(chance, 12), state }
        }
        9..11 => {
            let size = chance.below(9).cast_signed() - 4;
            let change = if chance.happens(10) { -there } else { size };
            Command::Adjust { variant, location, change, reason: *chance.one_of(AdjustReason::ALL) }
        }
        11 => {
            let expected = *chance.one_of(&[None, Some(there), Some(there), Some(there + 1)]);
            let quantity = chance.below(12).cast_signed() - i64::from(chance.happens(5));
            Command::Set { variant, location, quantity, expected }
        }
        12..15 => {
            let states = [
                State::Available,
                State::Damaged,
                State::Quality,
                State::Display,
                State::Missing,
                State::Held,
            ];
            let (from, to) = (*chance.one_of(&states), *chance.one_of(&states));
            Command::Move { variant, location, from, to, quantity: few(chance, 3) }
        }
        15 => Command::SetSafety { variant, location, safety: chance.below(4).cast_signed() },
        16..18 if !model.stock.asides.is_empty() => {
            Command::Release { aside: recent(chance, model.stock.asides.len()) }
        }
        _ => {
            let seconds = chance.below(4000).cast_signed() - 100;
            Command::SetAside { variant, location, quantity: few(chance, 4), seconds }
        }
    }
}

/// Goods are announced, and come sooner or later, more or fewer of them, or not at all.
fn expected(chance: &mut Chance, model: &Model, (variant, location): (usize, usize)) -> Command {
    let open: Vec<usize> =
        (0..model.expected.len()).filter(|number| model.expected[*number].to_come() > 0).collect();
    if open.len() < 3 || chance.happens(25) {
        let due_at = model.now + chance.below(5 * 86_400).cast_signed();
        return Command::Announce { variant, location, quantity: few(chance, 8), due_at };
    }
    let any = place(chance, model.expected.len());
    let number = if chance.happens(94) { *chance.one_of(&open) } else { any };
    let goods = &model.expected[number];
    let step = match chance.below(8) {
        0 => ExpectedStep::Cancel,
        1 | 2 => ExpectedStep::Move {
            version: goods.version - i64::from(chance.happens(10)),
            quantity: chance.happens(60).then(|| few(chance, 9)),
            due_at: chance.happens(50).then(|| model.now + chance.below(400_000).cast_signed()),
        },
        _ => ExpectedStep::Receive {
            available: chance.below(goods.to_come().cast_unsigned() + 2).cast_signed(),
            quality: i64::from(chance.happens(10)),
            damaged: i64::from(chance.happens(10)),
            last: chance.happens(20),
        },
    };
    Command::GoOnWithExpected { number, step }
}

fn filling(chance: &mut Chance, model: &Model) -> Command {
    let variant = place(chance, model.plan.variants.len());
    if model.carts.len() < 3 || chance.happens(25) {
        let lines =
            (0..5 - chance.below(6)).map(|_| (place(chance, model.plan.variants.len()), few(chance, 3)));
        let lines: Vec<_> = lines.collect();
        let selling = place(chance, model.plan.channels.len());
        let channel = if chance.happens(50) { HOLDS_AND_SPLITS } else { selling };
        let usual = model.plan.channels[channel].delivers != chance.happens(3);
        let choice = if usual { choice(chance, model) } else { None };
        let customer = chance.happens(40).then(|| place(chance, model.plan.customers));
        return Command::CreateCart { channel, lines, known: chance.happens(95), customer, choice };
    }
    let cart = living(chance, model.carts.len(), |number| {
        model.carts[number].state.is_open() && !model.carts[number].lines.is_empty()
    });
    let known = &model.carts[cart];
    let line = if known.lines.is_empty() { variant } else { chance.one_of(&known.lines).0 };
    let version = *chance.one_of(&[None, Some(known.version), Some(known.version), Some(known.version - 1)]);
    match chance.below(21) {
        0..5 => Command::AddLine { cart, variant, quantity: few(chance, 3) },
        5..7 => Command::SetQuantity { cart, variant: line, version, quantity: few(chance, 6) },
        7 => Command::RemoveLine { cart, variant: line, version },
        8 => Command::Choose { cart, version, choice: choice(chance, model) },
        9 => Command::Merge { from: cart, into: recent(chance, model.carts.len()) },
        _ => {
            let total = model.total(cart);
            let shown = if chance.happens(90) { total } else { total + 1 };
            let expected = chance.happens(80).then_some(shown);
            Command::Checkout { cart, expected, tenders: money::tenders(chance, model, total) }
        }
    }
}

fn choice(chance: &mut Chance, model: &Model) -> Option<Choice> {
    match chance.below(16) {
        0 => None,
        1..3 => Some(Choice::Collected(place(chance, model.plan.locations.len()))),
        3..6 => Some(Choice::Sent(place(chance, model.plan.locations.len()))),
        _ => Some(Choice::Parcel),
    }
}

/// An order of which something has not happened yet, as a rule.
fn order(chance: &mut Chance, model: &Model, lives: impl Fn(&Order) -> bool) -> Option<usize> {
    if model.orders.is_empty() {
        return None;
    }
    Some(living(chance, model.orders.len(), |number| lives(&model.orders[number])))
}

fn leaving(chance: &mut Chance, model: &Model) -> Option<Command> {
    let is_placed = |order: &Order| order.state == OrderState::Placed;
    match chance.below(17) {
        0..8 => {
            let number = order(chance, model, is_placed)?;
            let parts = &model.orders[number].parts;
            let open = parts.iter().position(|part| part.is_open()).filter(|_| chance.happens(95));
            let part = open.or_else(|| (!parts.is_empty()).then(|| place(chance, parts.len())))?;
            Some(Command::Fulfil { order: number, part })
        }
        8..10 => {
            let number = order(chance, model, is_placed)?;
            let line = place(chance, model.orders[number].lines.len());
            let some = vec![(line, few(chance, 3) - i64::from(chance.happens(3)))];
            Some(Command::Cancel { order: number, lines: chance.happens(70).then_some(some) })
        }
        10..16 => {
            let has = |order: &Order| (0..order.lines.len()).any(|line| order.had_units(line) > 0);
            let half_left = |order: &Order| is_placed(order) && has(order);
            let number = if chance.happens(50) {
                order(chance, model, half_left)?
            } else {
                order(chance, model, has)?
            };
            let location = place(chance, model.plan.locations.len());
            let lines = brought(chance, &model.orders[number]);
            if chance.happens(35) {
                return Some(exchange(chance, model, (number, location, lines)));
            }
            Some(Command::TakeBack { order: number, location, lines })
        }
        _ => Some(Command::TakeBackBlind {
            variant: place(chance, model.plan.variants.len()),
            location: place(chance, model.plan.locations.len()),
            quantity: few(chance, 2),
            condition: *chance.one_of(Condition::ALL),
        }),
    }
}

/// Goods come back against those in a cart, as a rule one that can be ordered.
fn exchange(
    chance: &mut Chance,
    model: &Model,
    (order, location, lines): (usize, usize, Vec<Brought>),
) -> Command {
    let cart = living(chance, model.carts.len(), |number| {
        model.carts[number].state.is_open() && !model.carts[number].lines.is_empty()
    });
    let total = model.total(cart);
    let expected = chance.happens(50).then_some(if chance.happens(95) { total } else { total + 1 });
    let paid: i64 = lines.iter().map(|(line, units, _)| model.orders[order].lines[*line].unit * units).sum();
    let tenders = if paid >= total && chance.happens(70) {
        Vec::new()
    } else {
        money::tenders(chance, model, total - paid)
    };
    Command::Exchange { order, location, lines, cart, expected, tenders }
}

/// What a customer brings back: some or all of what he has, now and then what he has not.
fn brought(chance: &mut Chance, order: &Order) -> Vec<Brought> {
    let mut lines = Vec::new();
    for line in 0..order.lines.len() {
        let has = order.had_units(line);
        if has > 0 && chance.happens(60) {
            let units = if chance.happens(50) { has } else { few(chance, has.cast_unsigned()) };
            lines.push((line, units, *chance.one_of(Condition::ALL)));
        }
    }
    if lines.is_empty() || chance.happens(10) {
        lines.push((place(chance, order.lines.len()), few(chance, 2), *chance.one_of(Condition::ALL)));
    }
    lines
}
