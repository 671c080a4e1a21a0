//! Fulfilment: goods of an order leave a location, by parcel or into the customer's hands.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::{self as rules, Part, State};
use domain::stock;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location, OrderLine, Variant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as rows};

pub use store::fulfilment::{FulfilmentOrder, Line};

use crate::event::emit;
use crate::order::{self, Order};
use crate::stock::onward::{Onward, move_on};
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
    parts: &[Part],
    gone: bool,
) -> Result<Vec<FulfilmentOrder>, Failure> {
    let mut made = Vec::new();
    for group in parts.chunk_by(|a, b| a.location == b.location) {
        let mut quantities: BTreeMap<(Id<OrderLine>, Id<Variant>), i64> = BTreeMap::new();
        for part in group {
            *quantities.entry((part.line, part.variant)).or_insert(0) += part.quantity;
        }
        let one = FulfilmentOrder {
            order: order.id,
            id: world.id(),
            location: group[0].location,
            kind: order.kind,
            state: if gone { rules::left(order.kind) } else { State::Open },
            tracking: None,
            made_at: world.now(),
            left_at: gone.then_some(world.now()),
            lines: quantities
                .into_iter()
                .map(|((line, variant), quantity)| Line { line, variant, quantity })
                .collect(),
        };
        rows::add(tx, &one)?;
        let kind = if gone { "fulfilment.collected" } else { "fulfilment.opened" };
        tell(tx, actor, world, &one, kind);
        made.push(one);
    }
    Ok(made)
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &FulfilmentOrder, kind: &'static str) {
    let lines: Vec<_> = one
        .lines
        .iter()
        .map(|line| json!({ "line": line.line.to_string(), "variant": line.variant.to_string(), "quantity": line.quantity }))
        .collect();
    let body = json!({ "fulfilment_order": one.id.to_string(), "location": one.location.to_string(), "state": one.state.text(), "tracking": one.tracking, "lines": lines });
    emit(tx, actor, world, one.order, kind, body);
}

/// The fulfilment orders of an order that the asker may see.
///
/// # Errors
/// [`Code::NotFound`].
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, order: &Order) -> Result<Vec<FulfilmentOrder>, Failure> {
    order::may_see(actor, order)?;
    Ok(rows::of_order(tx, order.id)?)
}

/// What a location has to pick, the oldest first.
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

/// A fulfilment order of an order, for who may hand out goods at its location.
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
    actor.may(Permission::EditOrders, Some(one.location))?;
    Ok(one)
}

/// Moves an open fulfilment order's goods from the location to the customer. The order is locked and paid.
///
/// # Errors
/// [`Code::WrongState`] unless it is open.
pub fn leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut one: FulfilmentOrder,
    tracking: Option<String>,
) -> Result<(), Failure> {
    if one.state != State::Open {
        let message = format!("fulfilment order {} is {}", one.id, one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    one.state = rules::left(one.kind);
    one.tracking = tracking;
    one.left_at = Some(world.now());
    rows::update(tx, &one)?;
    let quantities = by_variant(&one.lines);
    let onward = Onward {
        reason: if one.state == State::Shipped { "shipped" } else { "handed_over" },
        cause: ("order", one.order.to_string()),
        quantities: &quantities,
        from: stock::at(one.location, stock::State::Committed),
        to: stock::world(stock::State::Customer),
    };
    move_on(tx, actor, world, &onward)?;
    let kind = if one.state == State::Shipped { "fulfilment.shipped" } else { "fulfilment.collected" };
    tell(tx, actor, world, &one, kind);
    Ok(())
}

fn by_variant(lines: &[Line]) -> BTreeMap<Id<Variant>, i64> {
    let mut sum = BTreeMap::new();
    for line in lines.iter().filter(|line| line.quantity > 0) {
        *sum.entry(line.variant).or_insert(0) += line.quantity;
    }
    sum
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
    let open = all.iter().filter(|one| one.state == State::Open).flat_map(|one| &one.lines);
    open.filter(|part| part.line == line.id && part.variant == variant).map(|part| part.quantity).sum()
}

/// Takes units of a line out of open fulfilment orders and puts the goods back on their shelves. The order is locked.
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
        for one in all.iter_mut().filter(|one| one.state == State::Open) {
            let parts = one.lines.iter_mut().filter(|part| part.line == line.id && part.variant == *variant);
            let mut freed = 0;
            let mut changed = Vec::new();
            for part in parts {
                let quantity = part.quantity.min(left);
                part.quantity -= quantity;
                left -= quantity;
                freed += quantity;
                changed.push(*part);
            }
            if freed == 0 {
                continue;
            }
            for part in &changed {
                rows::update_line(tx, one, part)?;
            }
            put_on_shelf(tx, actor, world, one, (*variant, freed))?;
        }
        if left > 0 {
            return Err(Refusal::new(
                Code::WrongState,
                format!("line {} has fewer than {units} open", line.sku),
            )
            .into());
        }
    }
    for one in all
        .iter_mut()
        .filter(|one| one.state == State::Open && one.lines.iter().all(|part| part.quantity == 0))
    {
        one.state = State::Cancelled;
        rows::update(tx, one)?;
        tell(tx, actor, world, one, "fulfilment.cancelled");
    }
    Ok(())
}

fn put_on_shelf(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    (variant, quantity): (Id<Variant>, i64),
) -> Result<(), Failure> {
    let onward = Onward {
        reason: "released",
        cause: ("order", one.order.to_string()),
        quantities: &BTreeMap::from([(variant, quantity)]),
        from: stock::at(one.location, stock::State::Committed),
        to: stock::at(one.location, stock::State::Available),
    };
    move_on(tx, actor, world, &onward)
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
