//! Runs: orders that wait for one are routed together, before anybody picks them.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::fulfilment::{self as rules, Pieces, State};
use domain::routing::decision::Occasion;
use domain::routing::profile::Waits;
use domain::stock;
use domain::value::Id;
use domain::value::id::Variant;
use store::order::{Line, Order};
use store::{Tx, fulfilment as rows};

use super::pick::Which;
use super::pool::{From, from_where, settle_rest};
use super::{FulfilmentOrder, by_variant, open, promised_at, shift};
use crate::routing::together::take_together;
use crate::routing::{Of, Taking};
use crate::{Failure, World, order};

/// The most fulfilment orders that one run routes together, in one transaction.
const RUN_MAX: i64 = 40;

/// A fulfilment order of the run.
struct Part {
    order: Order,
    lines: Vec<Line>,
    one: FulfilmentOrder,
    from: From,
    demand: BTreeMap<Id<Variant>, i64>,
}

/// Routes the orders whose run is due, those of one network together; true when there are more.
///
/// # Errors
/// What the store says.
pub fn run_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::wait::due(tx, Waits::Run, world.now(), RUN_MAX)?;
    let Some((_, network, _)) = due.first().copied() else { return Ok(false) };
    let mut together: Vec<Which> =
        due.iter().filter(|(_, of, _)| *of == network).map(|(which, _, _)| *which).collect();
    together.sort_unstable();
    let mut parts = Vec::with_capacity(together.len());
    for which in together {
        parts.extend(begin(tx, actor, world, which)?);
    }
    let takings: Vec<Taking<'_>> = parts.iter().map(taking).collect();
    let taken = take_together(tx, actor, world, &takings)?;
    drop(takings);
    for (part, taken) in parts.into_iter().zip(taken) {
        let pieces: Pieces = part
            .one
            .lines
            .iter()
            .filter(|line| line.quantity > 0)
            .map(|line| ((line.line, line.variant), line.quantity))
            .collect();
        let (given, rest) = rules::share_out(pieces.clone(), &taken.allocations);
        for made in open(tx, actor, world, &part.order, part.one.network, &given, false)? {
            rows::waiting::promise(tx, (made.order, made.id), part.one.promised)?;
        }
        settle_rest(tx, actor, world, part.one, (&pieces, &rest, taken.waiting))?;
    }
    Ok(due.len() as i64 == RUN_MAX || due.iter().any(|(_, of, _)| *of != network))
}

/// Takes a fulfilment order out of the pool, to be routed; none when it waits no more.
fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): Which,
) -> Result<Option<Part>, Failure> {
    let order = order::lock(tx, order)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == id);
    let Some(one) = found.filter(|one| one.state == State::Unrouted && one.on_hold.is_none()) else {
        return Ok(None);
    };
    let demand = by_variant(&one.lines, |line| line.quantity);
    let way = ("routed", promised_at(&one), stock::world(stock::State::Demand));
    shift(tx, actor, world, &one, way, &demand)?;
    let (lines, from) = (store::order::lines(tx, order.id)?, from_where(tx, &order, one.network)?);
    Ok(Some(Part { order, lines, one, from, demand }))
}

fn taking(part: &Part) -> Taking<'_> {
    Taking {
        of: Of { order: &part.order, lines: &part.lines, occasion: Occasion::Batch, first: &part.from.first },
        reach: &part.from.reach,
        cart: None,
        cause: ("order", part.order.id.to_string()),
        demand: &part.demand,
        to: stock::State::Committed,
    }
}
