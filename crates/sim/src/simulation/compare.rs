//! Lays the real shop beside the model and names what is not the same.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::delivery::Kind;
use domain::fulfilment::State as PartState;
use domain::ledger::AccountKey;
use domain::payment::Timing;
use domain::returns::policy::When;
use domain::stock::State;
use domain::stock::selling::Later;
use domain::value::id::{self, Variant};
use domain::value::{Id, Quantity};
use engine::check::check;
use engine::loyalty::Credit;
use engine::stock::{availability::availability, book_of};
use engine::{Failure, cart, returns};
use store::stock::expected;
use store::{
    Tx, count as counts, fulfilment, ledger, market, order as orders, payment as payments, transfer,
};

use super::real::Real;
use super::{change, claim};
use crate::model::cart::Cart;
use crate::model::count::{Count, Found, Line as CountLine};
use crate::model::later::Expected;
use crate::model::money::Payment;
use crate::model::order::{Line, Order, Part, Piece};
use crate::model::promise::Promised;
use crate::model::returns::{Return, ReturnLine};
use crate::model::stock::{Place, Spot};
use crate::model::transfer::Transfer;
use crate::model::{Choice, Model, seconds};

/// What is not the same, in words.
pub type Differences = Vec<String>;

pub fn differs<T: PartialEq + std::fmt::Debug>(what: &str, model: &T, real: &T) -> Option<String> {
    (model != real).then(|| format!("{what}:\n  model {model:?}\n  real  {real:?}"))
}

pub fn number<K: domain::value::Kind>(of: &[Id<K>], id: Id<K>) -> usize {
    of.iter().position(|known| *known == id).expect("a thing the simulation made")
}

/// Every piece of every variant, and what each channel can promise.
pub fn stock(real: &Real, model: &Model) -> Result<Differences, Failure> {
    let mut found: BTreeMap<(usize, Spot), i64> = BTreeMap::new();
    for (variant, id) in real.variants.iter().copied().enumerate() {
        let balances = real.shop.read(move |tx| Ok::<_, Failure>(ledger::balances(tx, book_of(id))?))?;
        for (account, amount) in balances.into_iter().filter(|(_, amount)| *amount != 0) {
            found.insert((variant, spot(real, account)), amount);
        }
    }
    let mut differences: Differences = differs("stock", &model.stock.amounts, &found).into_iter().collect();
    for channel in 0..real.channels.len() {
        let (model, real) = promised(real, model, channel)?;
        differences.extend(differs(&format!("what channel {channel} can promise"), &model, &real));
    }
    Ok(differences)
}

fn spot(real: &Real, account: AccountKey) -> Spot {
    let state = State::coded(account.state).expect("a state of stock");
    let place = match state {
        world if world.is_world() => Place::World,
        State::PoolHeld | State::PoolCommitted | State::Backordered | State::Preordered => Place::Network,
        _ => Place::Location(number(&real.locations, Id::from_bytes(account.place))),
    };
    (place, state)
}

/// What a channel can promise of each variant, kits among them.
fn promised(real: &Real, model: &Model, channel: usize) -> Result<(Vec<i64>, Vec<i64>), Failure> {
    let (id, variants) = (real.channels[channel], real.variants.clone());
    let answer = real.shop.read(move |tx| {
        let channel = market::find_channel(tx, id)?.expect("the channel is there");
        availability(tx, &Actor::system(), &channel, &variants)
    })?;
    let of = |id: &Id<Variant>| answer.iter().find(|one| one.variant == *id).map_or(-1, |one| one.promisable);
    let reach = model.reach(channel);
    let kits = |takes: &Vec<(usize, i64)>| {
        takes.iter().map(|(part, each)| model.promisable(&reach, *part) / each).min().unwrap_or(Quantity::MAX)
    };
    let expected = model.plan.variants.iter().map(|variant| kits(&variant.takes)).collect();
    Ok((expected, real.variants.iter().map(of).collect()))
}

/// The carts of these numbers.
pub fn carts(real: &Real, model: &Model, numbers: &[usize]) -> Result<Differences, Failure> {
    let mut differences = Vec::new();
    for number in numbers {
        let id = real.carts[*number];
        let row = real.shop.read(move |tx| cart::load(tx, id))?;
        let lines = row.lines.iter().map(|line| (self::number(&real.variants, line.variant), line.quantity));
        let found = Cart {
            channel: self::number(&real.channels, row.channel),
            lines: lines.collect(),
            state: row.state,
            known: row.contact.is_some(),
            customer: row.customer.map(|id| self::number(&real.customers, id)),
            choice: choice(real.sent, &real.locations, (row.method, row.pickup_location)),
            merged_into: row.merged_into.map(|into| self::number(&real.carts, into)),
            version: row.version,
            expires_at: seconds(row.expires_at),
        };
        differences.extend(differs(&format!("cart {number}"), &*model.carts[*number], &found));
    }
    Ok(differences)
}

/// How something is delivered: by which method, and where it is collected.
pub fn choice(
    sent: Id<id::DeliveryMethod>,
    places: &[Id<id::Location>],
    (method, place): (Option<Id<id::DeliveryMethod>>, Option<Id<id::Location>>),
) -> Option<Choice> {
    let place = place.map(|place| number(places, place));
    match (method?, place) {
        (method, Some(place)) if method == sent => Some(Choice::Sent(place)),
        (_, Some(place)) => Some(Choice::Collected(place)),
        (_, None) => Some(Choice::Parcel),
    }
}

/// The orders of these numbers, with their lines, parts and payments.
pub fn orders(real: &Real, model: &Model, numbers: &[usize]) -> Result<Differences, Failure> {
    let mut differences = Vec::new();
    for number in numbers {
        let id = real.orders[*number];
        let model = &*model.orders[*number];
        let (variants, places, channels) =
            (real.variants.clone(), real.locations.clone(), real.channels.clone());
        let (customers, credits) = (real.customers.clone(), real.credits.clone());
        let earning = model.earning.clone();
        let (told, sent, allowed) = (model.told, real.sent, model.allowed.clone());
        let pays: Vec<_> = model.returns.iter().map(|one| one.pays).collect();
        let readdressed: Vec<_> = model.changes.iter().map(|one| one.readdressed).collect();
        let carried: Vec<_> = model.payments.iter().map(|one| one.carried_from.clone()).collect();
        let (found, parts, gross) = real.shop.read(move |tx| {
            let (allowed, earning) = (allowed.clone(), earning.clone());
            let row = orders::find(tx, id)?.expect("the order is there");
            let lines = orders::lines(tx, id)?;
            let back = returns::of_order(tx, &Actor::system(), id)?;
            let found = Order {
                channel: self::number(&channels, row.channel),
                customer: row.customer.map(|id| self::number(&customers, id)),
                state: row.state,
                kind: row.kind,
                known: row.contact.is_some(),
                choice: choice(sent, &places, (row.delivery_method, row.location)),
                lines: lines.iter().map(|line| self::line(&variants, line)).collect(),
                delivery: row.delivery_gross,
                cancelled: row.cancelled,
                returned: row.returned,
                due_at: row.payment_due_at.map(seconds),
                place: row.location.map(|location| self::number(&places, location)),
                parts: Vec::new(),
                payments: paid(tx, id, &carried, &credits)?,
                carried_back: Vec::new(),
                moved: Vec::new(),
                earning,
                points_told: Vec::new(),
                allowed,
                changes: change::of_order(tx, id, (&lines, &variants, &places, sent), &readdressed)?,
                parcels: claim::parcels(tx, id, (&lines, &variants, &places))?,
                claims: claim::claims(tx, id, (&lines, &places))?,
                returns: brought_back(&back, &pays, (&lines, &places)),
                told,
            };
            let parts = parts(tx, id, (&lines, &variants, &places))?;
            Ok::<_, Failure>((found, parts, row.gross))
        })?;
        let expected: Vec<SeenPart> = model.parts.iter().map(seen).collect();
        differences.extend(differs(&format!("parts of order {number}"), &expected, &parts));
        let head = Order { parts: Vec::new(), ..model.clone() };
        differences.extend(differs(&format!("order {number}"), &head, &found));
        differences.extend(differs(&format!("gross of order {number}"), &model.gross(), &gross));
    }
    Ok(differences)
}

/// The returns of an order; when their money goes back is not compared.
fn brought_back(
    rows: &[returns::Return],
    pays: &[When],
    (lines, places): (&[orders::Line], &[Id<id::Location>]),
) -> Vec<Return> {
    let line = |back: &returns::Line| ReturnLine {
        line: lines.iter().position(|line| Some(line.id) == back.order_line).expect("a line of the order"),
        quantity: back.quantity,
        received: back.received,
        graded: back.graded,
        condition: back.condition,
        refund: back.refund,
    };
    let one = |(place, row): (usize, &returns::Return)| Return {
        location: number(places, row.location),
        state: row.state,
        refund: row.refund,
        delivery: row.delivery,
        credited: row.credited,
        due_at: row.due_at.map(seconds),
        pays: pays.get(place).copied().unwrap_or(When::AfterInspection),
        lines: row.lines.iter().map(line).collect(),
    };
    rows.iter().enumerate().map(one).collect()
}

/// The expected goods of these numbers.
pub fn expected(real: &Real, model: &Model, numbers: &[usize]) -> Result<Differences, Failure> {
    let mut differences = Vec::new();
    for number in numbers {
        let id = real.expected[*number];
        let row =
            real.shop.read(move |tx| Ok::<_, Failure>(expected::find(tx, id)?))?.expect("they are there");
        let found = Expected {
            variant: self::number(&real.variants, row.variant),
            location: self::number(&real.locations, row.location),
            quantity: row.quantity,
            arrived: row.arrived,
            due_at: seconds(row.due_at),
            state: row.state,
            version: row.version,
        };
        differences.extend(differs(&format!("expected goods {number}"), &model.expected[*number], &found));
    }
    Ok(differences)
}

/// The transfer orders and counts of these numbers.
pub fn between(
    real: &Real,
    model: &Model,
    (transfers, asked): (&[usize], &[usize]),
) -> Result<Differences, Failure> {
    let mut differences: Differences =
        differs("how many counts", &model.counts.len(), &real.counts.len()).into_iter().collect();
    differences.extend(differs("how many transfer orders", &model.transfers.len(), &real.transfers.len()));
    for number in transfers.iter().filter(|number| **number < real.transfers.len()) {
        let id = real.transfers[*number];
        let row = real.shop.read(move |tx| Ok::<_, Failure>(transfer::find(tx, id)?))?.expect("it is there");
        let lines = row.lines.iter().map(|line| (self::number(&real.variants, line.variant), line.progress));
        let found = Transfer {
            source: self::number(&real.locations, row.source),
            destination: self::number(&real.locations, row.destination),
            state: row.state,
            waiting: row.waiting.map(|waiting| part_that_waits(real, waiting)).transpose()?,
            lines: lines.collect(),
        };
        differences.extend(differs(&format!("transfer order {number}"), &*model.transfers[*number], &found));
    }
    for number in asked.iter().filter(|number| **number < real.counts.len()) {
        let id = real.counts[*number];
        let read = move |tx: &mut Tx<'_>| Ok::<_, Failure>((counts::find(tx, id)?, counts::lines(tx, id)?));
        let (row, lines) = real.shop.read(read)?;
        let row = row.expect("the count is there");
        let line = |line: &counts::Line| {
            let finding = line.counted.map(|counted| counted.finding);
            let found = finding.map(|one| Found {
                counted: one.counted,
                least: one.booked_least,
                most: one.booked_most,
            });
            CountLine { state: line.state, round: line.round, found, missing: line.missing }
        };
        let lines = lines.iter().map(|one| (self::number(&real.variants, one.variant), line(one)));
        let model = &*model.counts[*number];
        let found = Count {
            location: self::number(&real.locations, row.location),
            state: row.state,
            asked_at: seconds(row.asked_at),
            counted_at: row.counted_at.map(seconds),
            lines: lines.collect(),
            tallies: model.tallies.clone(),
        };
        differences.extend(differs(&format!("count {number}"), model, &found));
    }
    Ok(differences)
}

/// The number of an order, and which of its parts it is.
pub(super) fn part_that_waits(
    real: &Real,
    (order, part): (Id<id::Order>, Id<id::FulfilmentOrder>),
) -> Result<(usize, usize), Failure> {
    let parts = real.shop.read(move |tx| Ok::<_, Failure>(fulfilment::of_order(tx, order)?))?;
    let place = parts.iter().position(|one| one.id == part).expect("a part of the order");
    Ok((number(&real.orders, order), place))
}

fn line(variants: &[Id<Variant>], row: &orders::Line) -> Line {
    let takes = row.takes.iter().map(|(variant, each)| (number(variants, *variant), *each));
    let mut takes: Vec<_> = takes.collect();
    takes.sort_unstable();
    Line {
        variant: number(variants, row.variant),
        quantity: row.quantity,
        unit: row.unit,
        cancelled: row.cancelled,
        returned: row.returned,
        takes,
    }
}

/// A part as both sides see it: where, how far, held, waiting until when, promised what, left when, and its pieces.
type SeenPart = (
    Option<usize>,
    (Kind, PartState),
    (Option<Later>, Option<i64>, Promised),
    bool,
    (Option<i64>, Option<i64>),
    Vec<Piece>,
);

/// What it is promised is compared while it waits for goods that were not there.
fn waits(later: Option<Later>, state: PartState) -> bool {
    later.is_some() && state.is_unplaced()
}

fn seen(part: &Part) -> SeenPart {
    (
        part.location,
        (part.kind, part.state),
        (part.later, part.not_before, part.promised.filter(|_| waits(part.later, part.state))),
        part.held.is_some(),
        (part.collect_by, part.left_at),
        part.pieces.clone(),
    )
}

type Lists<'a> = (&'a [orders::Line], &'a [Id<Variant>], &'a [Id<id::Location>]);

fn parts(
    tx: &mut Tx<'_>,
    order: Id<id::Order>,
    (lines, variants, places): Lists<'_>,
) -> Result<Vec<SeenPart>, Failure> {
    let part = |row: fulfilment::FulfilmentOrder| {
        let piece = |piece: &fulfilment::Line| {
            let line = lines.iter().position(|line| line.id == piece.line).expect("a line of the order");
            Piece {
                line,
                variant: number(variants, piece.variant),
                quantity: piece.quantity,
                picked: piece.picked,
            }
        };
        let mut pieces: Vec<_> = row.lines.iter().filter(|one| one.quantity > 0).map(piece).collect();
        pieces.sort_unstable();
        let promised = row.promised.from.zip(row.promised.by);
        let promised = promised.map(|(from, by)| (seconds(from), seconds(by)));
        (
            row.location.map(|location| number(places, location)),
            (row.kind, row.state),
            (row.later, row.not_before.map(seconds), promised.filter(|_| waits(row.later, row.state))),
            row.on_hold.is_some(),
            (row.collect_by.map(seconds), row.left_at.map(seconds)),
            pieces,
        )
    };
    Ok(fulfilment::of_order(tx, order)?.into_iter().map(part).collect())
}

/// The payments of an order; of what they were carried over from, only how much is left is compared.
fn paid(
    tx: &mut Tx<'_>,
    order: Id<id::Order>,
    carried: &[Vec<(usize, usize, i64)>],
    credits: &[Credit],
) -> Result<Vec<Payment>, Failure> {
    let rows = payments::of_order(tx, order)?;
    let paid = rows.into_iter().enumerate().map(|(place, row)| {
        let open = payments::carry::carried(tx, row.id)?.into_iter().map(|(_, open)| open);
        let from = carried.get(place).into_iter().flatten();

        let captures = payments::captures(tx, row.id)?.iter().map(|one| (one.amount, one.state)).collect();
        let refunds = payments::refunds(tx, row.id)?.iter().map(|one| (one.amount, one.state)).collect();
        Ok(Payment {
            kind: row.kind,
            credit: row
                .provider_reference
                .and_then(|named| credits.iter().position(|one| one.subject == named)),
            points: row.points,
            state: row.state,
            at_once: row.timing == Timing::AtOnce,
            amounts: row.amounts,
            expires_at: row.expires_at.map(seconds),
            captures,
            refunds,
            carried_from: from
                .zip(open)
                .map(|((order, payment, _), open)| (*order, *payment, open))
                .collect(),
        })
    });
    paid.collect()
}

/// The books against themselves.
pub fn books(real: &Real) -> Result<Differences, Failure> {
    let report = real.shop.read(|tx| check(tx, [7; 32], &mut |_, _| ()))?;
    Ok(report.differences.iter().map(|difference| format!("check: {difference}")).collect())
}
