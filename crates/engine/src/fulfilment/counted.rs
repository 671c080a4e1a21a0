//! A count is posted. What it found lost and was promised to orders is taken from elsewhere in the same instant, as after a short pick.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::fulfilment::{Pieces, State};
use domain::stock;
use domain::value::Id;
use domain::value::id::{Count as CountKind, Location, Variant};
use store::{Tx, fulfilment as rows};

use super::pick::Which;
use super::{FulfilmentOrder, end_if_empty, inbound, pool, shift, tell};
use crate::count::{self, review};
use crate::{Failure, World, order};

/// Posts a count that was looked at. A loss that is more than what is free is taken from promises, the youngest first: their orders get
/// the goods from another place, or wait until one has them. What left meanwhile was there, so no more is lost than still lies there.
///
/// # Errors
/// [`domain::Code::WrongState`] unless the count is in review.
pub fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CountKind>,
) -> Result<count::Whole, Failure> {
    let (done, promised) = review::settle(tx, actor, world, id)?;
    for (variant, mut lost) in promised {
        for transfer in store::transfer::unpicked_at(tx, (variant, done.location))? {
            if lost > 0 {
                lost -= inbound::counted_short(tx, actor, world, transfer, (variant, lost))?;
            }
        }
        for which in rows::unpicked_at(tx, (variant, done.location))? {
            if lost > 0 {
                lost -= free(tx, actor, world, which, (id, done.location, variant, lost))?;
            }
        }
    }
    count::read(tx, actor, id)
}

/// Frees at most so many unpicked pieces that a fulfilment order was promised at a location: how many those were.
fn free(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    (cause, location, variant, most): (Id<CountKind>, Id<Location>, Id<Variant>, i64),
) -> Result<i64, Failure> {
    let order = order::lock(tx, which.0)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == which.1);
    let here = |one: &FulfilmentOrder| {
        let lies = one.state.is_at_location() || one.state == State::AwaitingTransfer;
        lies && one.location == Some(location)
    };
    let Some(mut one) = found.filter(here) else { return Ok(0) };
    let unpicked: i64 =
        one.lines.iter().filter(|line| line.variant == variant).map(|line| line.quantity - line.picked).sum();
    let most = most.min(unpicked - inbound::still_to_come(tx, &one, variant)?);
    let (mut parts, mut freed) = (Pieces::new(), 0);
    for number in 0..one.lines.len() {
        let line = &mut one.lines[number];
        let part = (line.quantity - line.picked).min(most - freed);
        if line.variant != variant || part < 1 {
            continue;
        }
        line.quantity -= part;
        freed += part;
        let line = *line;
        *parts.entry((line.line, line.variant)).or_insert(0) += part;
        rows::update_line(tx, &one, &line)?;
    }
    if freed == 0 {
        return Ok(0);
    }
    let way =
        ("counted", stock::at(location, stock::State::Committed), stock::world(stock::State::Shrinkage));
    shift(tx, actor, world, &one, way, &BTreeMap::from([(variant, freed)]))?;
    tell(tx, actor, world, &one, "fulfilment.short");
    let body = serde_json::json!({ "fulfilment_order": one.id.to_string(), "count": cause.to_string(), "variant": variant.to_string(), "pieces": freed });
    crate::event::emit(tx, actor, world, order.id, "fulfilment.counted_short", body);
    end_if_empty(tx, actor, world, &mut one, State::Rejected)?;
    pool::go_elsewhere(tx, actor, world, &order, (one.network, parts))?;
    Ok(freed)
}
