//! Simulations: the orders of a past period routed again by another version of a profile, beside how they are routed now, from the
//! same shelves. Nothing of the trade is touched; the work is done in small steps.
//!
//! Shelves begin as they were at the period's first instant, more or less of it as asked, and nothing comes in meanwhile. Capacity is
//! not counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::routing::condition::Facts;
use domain::routing::decision::{Decision, Occasion, decide, place};
use domain::routing::profile::{Limits, PARTS_MAX, Profile};
use domain::routing::wanted::Candidate;
use domain::stock::{self, State};
use domain::value::id::{Location as LocationKind, RoutingProfile, RoutingSimulation, Variant};
use domain::value::{Id, Instant};
use serde_json::json;
use store::job::Job;
use store::location::Location;
use store::routing::{Version, simulation as rows};
use store::{Tx, ledger as books};

pub use store::routing::simulation::{Simulation, Sums};

use super::ground::{self, Outline, SetOut};
use super::{Of, Taking, profile};
use crate::event::emit;
use crate::order::{self, Order};
use crate::stock::availability::{Picture, Reach, reach};
use crate::stock::book_of;
use crate::{Failure, World, job};

/// The most orders of a simulation.
pub const ORDERS_MAX: i64 = 100_000;
/// The most stock there can be, in hundredths of what there was.
pub const STOCK_PERCENT_MAX: i64 = 1000;
/// The longest time after which a part is late, in hours.
pub const LATE_HOURS_MAX: i64 = 24 * 30;
/// The orders of one step.
const STEP: i64 = 10;
/// The job of one step.
const JOB: &str = "routing.simulate";

/// What is to be tried.
#[derive(Clone, Copy, Debug)]
pub struct NewSimulation {
    /// The version of a profile; a draft too.
    pub profile: (Id<RoutingProfile>, i64),
    /// From when on orders were placed, and before when.
    pub period: (Instant, Instant),
    /// The most orders.
    pub orders_max: i64,
    /// How much of the stock there is.
    pub stock_percent: i64,
    /// When a part is late.
    pub late_after_hours: i64,
}

/// Begins a simulation; its steps follow.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Invalid`] naming what is out of bounds.
pub fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewSimulation,
) -> Result<Simulation, Failure> {
    actor.may(Permission::EditRouting, None)?;
    let (from, until) = new.period;
    let mut refusals = Vec::new();
    if until <= from || until > world.now() {
        refusals.push(Refusal::invalid("until", "give an instant after `from` that is over"));
    }
    for (field, number, most) in [
        ("orders_max", new.orders_max, ORDERS_MAX),
        ("stock_percent", new.stock_percent, STOCK_PERCENT_MAX),
        ("late_after_hours", new.late_after_hours, LATE_HOURS_MAX),
    ] {
        if !(1..=most).contains(&number) {
            refusals.push(Refusal::invalid(field, format!("give 1 to {most}, not {number}")));
        }
    }
    if let Some(refusal) = Refusal::all(refusals) {
        return Err(refusal.into());
    }
    profile::find(tx, actor, new.profile)?;
    let one = Simulation {
        id: world.id(),
        profile: new.profile,
        from,
        until,
        orders_max: new.orders_max,
        stock_percent: new.stock_percent,
        late_after_hours: new.late_after_hours,
        is_done: false,
        after: (from, Id::from_bytes([0; 16])),
        now: Sums::default(),
        then: Sums::default(),
        made_at: world.now(),
    };
    rows::add(tx, &one)?;
    emit(
        tx,
        actor,
        world,
        one.id,
        "routing_simulation.begun",
        json!({ "profile": one.profile.0.to_string(), "version": one.profile.1 }),
    );
    let now = world.now();
    job::enqueue(tx, world, JOB, one.id, json!({}), now)?;
    Ok(one)
}

/// A simulation.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: Id<RoutingSimulation>) -> Result<Simulation, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("routing simulation", id).into())
}

/// The simulations after one, in the order they were asked for.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<RoutingSimulation>,
    limit: i64,
) -> Result<Vec<Simulation>, Failure> {
    actor.may_somewhere(Permission::EditRouting)?;
    Ok(rows::list(tx, after, limit)?)
}

/// One step: a few orders are routed both ways; the next step follows until all are.
///
/// # Errors
/// What the store says.
pub fn step(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<RoutingSimulation>::parse(&job.subject) else { return Ok(()) };
    let Some(mut one) = rows::find(tx, id)?.filter(|one| !one.is_done) else { return Ok(()) };
    let tried = profile::find(tx, actor, one.profile)?;
    let many = STEP.min(one.orders_max - one.then.orders);
    let orders = rows::orders(tx, one.after, one.until, many)?;
    for id in &orders {
        let order = order::find(tx, *id)?;
        one.after = (order.placed_at, order.id);
        route_both_ways(tx, world, &mut one, (&order, &tried))?;
    }
    one.is_done = (orders.len() as i64) < STEP || one.then.orders >= one.orders_max;
    rows::update(tx, &one)?;
    if one.is_done {
        rows::clear_shelves(tx, one.id)?;
        emit(tx, actor, world, one.id, "routing_simulation.done", json!({ "orders": one.then.orders }));
        return Ok(());
    }
    let now = world.now();
    job::enqueue(tx, world, JOB, one.id, json!({}), now)
}

fn route_both_ways(
    tx: &mut Tx<'_>,
    world: &World,
    one: &mut Simulation,
    (order, tried): (&Order, &Version),
) -> Result<(), Failure> {
    let Some(channel) = store::market::find_channel(tx, order.channel)? else { return Ok(()) };
    let lines = store::order::lines(tx, order.id)?;
    let mut demand: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    for line in &lines {
        for (variant, each) in &line.takes {
            *demand.entry(*variant).or_insert(0) += each * line.quantity;
        }
    }
    let reach = reach(tx, &channel)?;
    if demand.is_empty() || reach.pinned || tried.profile.costs().currency != order.currency {
        return Ok(());
    }
    let mut shelves = shelves(tx, one, &reach, &demand)?;
    let current = profile::of_channel(tx, world.now(), (order.channel, reach.network))?;
    let taking = Taking {
        of: Of { order, lines: &lines, occasion: Occasion::Waiting, first: &[] },
        reach: &reach,
        cart: None,
        cause: ("order", order.id.to_string()),
        demand: &demand,
        to: State::Committed,
    };
    let members = store::location::network_members(tx, reach.network)?;
    let members: Vec<Location> = members.into_iter().map(|(location, _)| location).collect();
    let mut touched = BTreeSet::new();
    for is_then in [false, true] {
        let picture = Picture::of_shelves(shelves.iter().map(|((variant, location), (now, then))| {
            let available = if is_then { *then } else { *now };
            (*variant, stock::Shelf { location: *location, available, safety: 0 })
        }));
        let mut set_out = ground::set_out(tx, order.placed_at, tried, &Outline::of(&taking), &picture)?;
        set_out.candidates.iter_mut().for_each(|candidate| candidate.parcels_left = None);
        let decision = if is_then {
            decide_by(&tried.profile, &set_out)
        } else {
            match &current {
                Some(version) => decide_by(&version.profile, &set_out),
                None => by_rank(&tried.profile, &set_out),
            }
        };
        for allocation in decision.allocations() {
            if let Some(free) = shelves.get_mut(&(allocation.variant, allocation.location)) {
                *(if is_then { &mut free.1 } else { &mut free.0 }) -= allocation.quantity;
                touched.insert((allocation.variant, allocation.location));
            }
        }
        let late_after = one.late_after_hours;
        let sums = if is_then { &mut one.then } else { &mut one.now };
        add(sums, &decision, &set_out.candidates, (&members, order.placed_at, late_after));
    }
    for key in touched {
        if let Some((now, then)) = shelves.get(&key) {
            rows::set_shelf(tx, one.id, (key.0, key.1, *now, *then))?;
        }
    }
    Ok(())
}

fn decide_by(profile: &Profile, set_out: &SetOut) -> Decision {
    let facts: &Facts = &set_out.facts;
    decide(profile, facts, &set_out.wanted, &set_out.candidates)
}

/// As the plain rule would, weighed by the costs that are tried: few parts, then by rank.
fn by_rank(tried: &Profile, set_out: &SetOut) -> Decision {
    use domain::routing::criterion::{Criterion, Effect, Measure};
    use domain::routing::profile::{Objective, Strategy};
    let ranks = [Measure::Parts, Measure::Rank];
    let strategy = Strategy {
        conditions: Vec::new(),
        criteria: ranks.map(|measure| Criterion { measure, effect: Effect::Rank }).to_vec(),
        limits: Limits { parts_max: PARTS_MAX, part_value_minor: 0, split_minor: 0 },
        objective: Objective::Criteria,
        ..tried.fallback().clone()
    };
    place(&strategy, &set_out.wanted, &set_out.candidates)
}

fn add(
    sums: &mut Sums,
    decision: &Decision,
    candidates: &[Candidate],
    (members, placed_at, late_after_hours): (&[Location], Instant, i64),
) {
    let missing: i64 = decision.unplaced.iter().map(|short| short.asked - short.found).sum();
    let asked: i64 = decision.asked.values().sum();
    let distance = |location: Id<LocationKind>| {
        candidates.iter().find(|one| one.location == location).and_then(|one| one.distance_m).unwrap_or(0)
    };
    let limit = placed_at.plus_seconds(late_after_hours * 3600);
    let leaves_late = |location: Id<LocationKind>| {
        members.iter().find(|one| one.id == location).is_some_and(|one| leaves_at(one, placed_at) > limit)
    };
    sums.orders += 1;
    sums.filled += i64::from(missing == 0);
    sums.units += asked;
    sums.placed += asked - missing;
    sums.parts += decision.parts.len() as i64;
    sums.cost_minor += decision.cost.total_minor();
    sums.distance_m += decision.parts.iter().map(|part| distance(part.location)).sum::<i64>();
    let is_late = missing > 0 || decision.parts.iter().any(|part| leaves_late(part.location));
    sums.late += i64::from(is_late);
}

/// When goods ordered at an instant leave a location at the earliest: at its next cut-off, else when its door opens.
fn leaves_at(location: &Location, placed_at: Instant) -> Instant {
    if let Some(cut_off) = location.cut_off.as_ref().and_then(|one| one.next(placed_at, &location.zone)) {
        return cut_off;
    }
    match &location.hours {
        Some(hours) if !hours.is_open(placed_at, &location.zone) => {
            hours.next_opening(placed_at, &location.zone).unwrap_or(Instant::from_micros(i64::MAX))
        }
        _ => placed_at,
    }
}

type Shelves = HashMap<(Id<Variant>, Id<LocationKind>), (i64, i64)>;

/// The shelves of the variants as the simulation has left them; those it has not touched are as they were when the period began.
fn shelves(
    tx: &mut Tx<'_>,
    one: &Simulation,
    reach: &Reach,
    demand: &BTreeMap<Id<Variant>, i64>,
) -> Result<Shelves, Failure> {
    let keys: Vec<_> = demand.keys().map(|variant| variant.bytes()).collect();
    let known = rows::shelves(tx, one.id, &keys)?.into_iter();
    let mut shelves: Shelves =
        known.map(|(variant, location, now, then)| ((variant, location), (now, then))).collect();
    for variant in demand.keys() {
        if shelves.keys().any(|(known, _)| known == variant) {
            continue;
        }
        let balances = books::balances_as_of(tx, book_of(*variant), one.from)?;
        for location in &reach.locations {
            let shelf = stock::at(*location, State::Available);
            let there =
                balances.iter().find(|(account, _)| *account == shelf).map_or(0, |(_, amount)| *amount);
            let free = there.saturating_mul(one.stock_percent) / 100;
            rows::set_shelf(tx, one.id, (*variant, *location, free, free))?;
            shelves.insert((*variant, *location), (free, free));
        }
    }
    Ok(shelves)
}
