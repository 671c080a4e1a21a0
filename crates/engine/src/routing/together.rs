//! Orders that are routed together: what one takes another does not get, and all of them are served for the least cost together.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::routing::decision::{Decision, Occasion};
use domain::routing::wave::{self, Effort};
use domain::value::Id;
use domain::value::id::{Location, Variant};
use store::routing::{Version, capacity};
use store::{Tx, ledger as books};

use super::ground::{self, Outline, SetOut};
use super::{Plan, Taken, Taking, allocate, post, profile};
use crate::stock::availability::{Picture, picture};
use crate::stock::book_of;
use crate::{Failure, World};

/// How long is searched for the least cost: little, because the shop waits meanwhile.
const EFFORT: Effort = Effort { price_steps: 40, rounds: 200, seed: 1 };

/// An order of the run, set out.
struct Ready<'a> {
    demand: BTreeMap<Id<Variant>, i64>,
    picture: Picture,
    version: Option<(Version, SetOut)>,
    taking: &'a Taking<'a>,
}

/// Takes as much of the demands as can be promised, of all orders together, and says from where; in the order of the orders.
///
/// # Errors
/// What the store says.
pub fn take_together(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    takings: &[Taking<'_>],
) -> Result<Vec<Taken>, Failure> {
    let variants = takings.iter().flat_map(|taking| taking.demand.keys());
    books::lock_books(tx, &mut variants.map(|variant| book_of(*variant)).collect())?;
    let mut promised: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    let mut ready = Vec::with_capacity(takings.len());
    for taking in takings {
        ready.push(set_out(tx, world, taking, &mut promised)?);
    }
    let mut decisions = decide(&ready).into_iter();
    let mut found = Vec::with_capacity(ready.len());
    for one in &ready {
        found.push(one.version.as_ref().and_then(|_| decisions.next()));
    }
    keep_room(tx, &ready, &found)?;
    let mut taken = Vec::with_capacity(ready.len());
    for (one, decision) in ready.iter().zip(found) {
        let taking = Taking { demand: &one.demand, cause: one.taking.cause.clone(), ..*one.taking };
        taken.push(match (decision, &one.version) {
            (Some(decision), Some((version, _))) => {
                let plan = plan(&taking, version, decision);
                post(tx, actor, world, &taking, &one.picture, plan)?
            }
            _ => allocate(tx, actor, world, &taking, &one.picture)?,
        });
    }
    Ok(taken)
}

/// Sets an order out; what earlier orders of the run may take is not promised again.
fn set_out<'a>(
    tx: &mut Tx<'_>,
    world: &World,
    taking: &'a Taking<'a>,
    promised: &mut BTreeMap<Id<Variant>, i64>,
) -> Result<Ready<'a>, Failure> {
    let variants: Vec<_> = taking.demand.keys().copied().collect();
    let picture = picture(tx, taking.reach, &variants)?;
    let mut demand = BTreeMap::new();
    for (variant, asked) in taking.demand {
        let before = promised.entry(*variant).or_insert(0);
        let quantity = (picture.promisable(*variant) - *before).min(*asked);
        if quantity > 0 {
            demand.insert(*variant, quantity);
            *before += quantity;
        }
    }
    let of = (taking.of.order.channel, taking.of.order.currency);
    let version = profile::of_order(tx, world.now(), of, taking.reach)?;
    let version = match version.filter(|_| !demand.is_empty()) {
        Some(version) => {
            let taking = Taking { demand: &demand, cause: taking.cause.clone(), ..*taking };
            let set_out = ground::set_out(tx, world.now(), &version, &Outline::of(&taking), &picture)?;
            Some((version, set_out))
        }
        None => None,
    };
    Ok(Ready { demand, picture, version, taking })
}

/// The decisions of the orders that go by a profile, in their order.
fn decide(ready: &[Ready<'_>]) -> Vec<Decision> {
    let by_profile = ready.iter().filter_map(|one| one.version.as_ref());
    let orders: Vec<_> = by_profile
        .map(|(version, set_out)| wave::Order {
            strategy: version
                .profile
                .strategies_for(&set_out.facts)
                .next()
                .unwrap_or(version.profile.fallback()),
            wanted: &set_out.wanted,
            candidates: &set_out.candidates,
        })
        .collect();
    wave::route(&orders, EFFORT).decisions
}

fn plan<'v>(taking: &Taking<'_>, version: &'v Version, decision: Decision) -> Plan<'v> {
    debug_assert_eq!(taking.of.occasion, Occasion::Batch);
    let strategy = version.profile.strategy(&decision.strategy);
    Plan {
        allocations: ground::in_order(&decision),
        waiting: strategy.remainder.waits(taking.of.order.placed_at),
        keeps_safety: ground::keeps_safety(strategy),
        decided: Some((decision, Some(version))),
    }
}

/// Every location can still prepare what the run gives it, until the commit.
fn keep_room(tx: &mut Tx<'_>, ready: &[Ready<'_>], decisions: &[Option<Decision>]) -> Result<(), Failure> {
    let mut parts: BTreeMap<Id<Location>, (i64, i64, i64)> = BTreeMap::new();
    for (one, decision) in ready.iter().zip(decisions) {
        let (Some((_, set_out)), Some(decision)) = (&one.version, decision) else { continue };
        for part in &decision.parts {
            if let Some((day, most)) = set_out.rooms.get(&part.location) {
                parts.entry(part.location).or_insert((*day, *most, 0)).2 += 1;
            }
        }
    }
    for (location, (day, most, many)) in parts {
        if !capacity::keep_room(tx, (location, day), most - many)? {
            return Err(tx.begin_anew().into());
        }
    }
    Ok(())
}
