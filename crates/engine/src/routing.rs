//! Routing: goods for an order are taken from the shelves that the retailer's profile or the plain rule chooses, in the order's own
//! transaction, with the judge always the shelf itself.

pub mod decision;
mod ground;
pub mod profile;
pub mod simulation;
pub mod together;

pub use ground::{OUTFLOW_DAYS, Outline, Values, WhereTo, day_of, opens_within, room};

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::routing::decision::{Decision, Occasion, decide, plain};
use domain::routing::profile::Waiting;
use domain::routing::{self, Allocation, Candidate};
use domain::stock::{self, Shelf, State};
use domain::value::id::{Cart, Location, Variant};
use domain::value::{Id, Instant};
use store::routing::Version;
use store::{Tx, ledger as books};

use crate::order::{Line, Order};
use crate::stock::availability::{Picture, Reach, picture};
use crate::stock::{Movement, book_of, hold, never_short, post_movement, too_few};
use crate::{Failure, World};

/// What an order takes.
pub struct Taking<'a> {
    /// For which order, and why now.
    pub of: Of<'a>,
    /// From where.
    pub reach: &'a Reach,
    /// The cart whose holds are used up.
    pub cart: Option<Id<Cart>>,
    /// What caused it: kind and id in text.
    pub cause: (&'static str, String),
    /// How many of each variant.
    pub demand: &'a BTreeMap<Id<Variant>, i64>,
    /// Where they go: [`State::Committed`] to be fulfilled, [`State::Customer`] handed over at once.
    pub to: State,
}

/// An order that takes goods.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its lines.
    pub lines: &'a [Line],
    /// What it takes them for.
    pub occasion: Occasion,
    /// The locations that have a part of it already.
    pub first: &'a [Id<Location>],
}

/// What was taken from where, and what the rest waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What was taken.
    pub allocations: Vec<Allocation>,
    /// What the rest waits for.
    pub waiting: Waiting,
}

/// Takes all goods for an order and says from where. Refuses when they cannot all be promised. What a profile would not place is
/// placed by the plain rule, for those who cannot wait.
///
/// # Errors
/// [`domain::Code::OutOfStock`], naming the variant, how many can be had and how many were asked.
pub fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
) -> Result<Vec<Allocation>, Failure> {
    let mut taken = take_or_wait(tx, actor, world, taking)?.allocations;
    let mut rest = taking.demand.clone();
    for one in &taken {
        *rest.entry(one.variant).or_insert(0) -= one.quantity;
    }
    rest.retain(|_, quantity| *quantity > 0);
    if !rest.is_empty() {
        let variants: Vec<_> = rest.keys().copied().collect();
        let picture = picture(tx, taking.reach, &variants)?;
        let taking = Taking { demand: &rest, cart: None, cause: taking.cause.clone(), ..*taking };
        let plan = by_rank(&taking, &picture)?;
        post_allocations(tx, actor, world, &taking, &picture, (&plan.allocations, true))?;
        taken.extend(plan.allocations);
    }
    Ok(taken)
}

/// Takes goods for an order as its profile says; what that would not place yet waits. Refuses when they cannot all be promised.
///
/// # Errors
/// As [`take`].
pub fn take_or_wait(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
) -> Result<Taken, Failure> {
    lock(tx, taking)?;
    if let Some(cart) = taking.cart {
        hold::use_up(tx, actor, world, cart)?;
    }
    let variants: Vec<_> = taking.demand.keys().copied().collect();
    let picture = picture(tx, taking.reach, &variants)?;
    for (variant, asked) in taking.demand {
        let found = picture.promisable(*variant);
        if found < *asked {
            return Err(too_few(*variant, found, *asked).into());
        }
    }
    allocate(tx, actor, world, taking, &picture)
}

/// Takes as much of the demand as can be promised and says from where; the rest is left.
///
/// # Errors
/// What the store says.
pub fn take_what_there_is(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
) -> Result<Taken, Failure> {
    lock(tx, taking)?;
    let variants: Vec<_> = taking.demand.keys().copied().collect();
    let picture = picture(tx, taking.reach, &variants)?;
    let can_be_had = |(variant, asked): (&Id<Variant>, &i64)| {
        let quantity = picture.promisable(*variant).min(*asked);
        (quantity > 0).then_some((*variant, quantity))
    };
    let demand = taking.demand.iter().filter_map(can_be_had).collect();
    let taking = Taking { demand: &demand, cause: taking.cause.clone(), ..*taking };
    allocate(tx, actor, world, &taking, &picture)
}

/// Can any of these be had, beside what is promised to others?
///
/// # Errors
/// What the store says.
pub fn is_something_there(
    tx: &mut Tx<'_>,
    reach: &Reach,
    waiting: &BTreeMap<Id<Variant>, i64>,
) -> Result<bool, Failure> {
    let variants: Vec<_> = waiting.keys().copied().collect();
    let picture = picture(tx, reach, &variants)?;
    Ok(variants.iter().any(|variant| picture.promisable(*variant) > 0))
}

/// From where goods would be taken if they were ordered now, as a profile says, or else the plain rule; nothing is taken. What would wait,
/// for goods, for a person or for a run, is left out.
///
/// # Errors
/// What the store says.
pub(crate) fn imagine(
    tx: &mut Tx<'_>,
    now: Instant,
    version: Option<&Version>,
    outline: &Outline<'_>,
    picture: &Picture,
) -> Result<Vec<Allocation>, Failure> {
    let Some(version) = version else {
        let variants: Vec<_> = outline.demand.keys().copied().collect();
        let candidates = candidates(outline.reach, picture, &variants);
        return Ok(routing::route(outline.demand, &candidates).unwrap_or_default());
    };
    let set_out = ground::set_out(tx, now, version, outline, picture)?;
    let profile = &version.profile;
    let first = profile.strategies_for(&set_out.facts).next().unwrap_or(profile.fallback());
    if first.next_run(now).is_some() {
        return Ok(Vec::new());
    }
    let decision = decide(profile, &set_out.facts, &set_out.wanted, &set_out.candidates);
    Ok(ground::in_order(&decision))
}

/// A promise from a sum over locations stays true only while nobody else promises from the same book.
fn lock(tx: &mut Tx<'_>, taking: &Taking<'_>) -> Result<(), Failure> {
    if !taking.reach.pinned {
        books::lock_books(tx, &mut taking.demand.keys().map(|variant| book_of(*variant)).collect())?;
    }
    Ok(())
}

/// What was chosen: from where, by which decision, and what the rest waits for.
struct Plan<'a> {
    allocations: Vec<Allocation>,
    decided: Option<(Decision, Option<&'a Version>)>,
    waiting: Waiting,
    /// Do shelves keep their safety stock?
    keeps_safety: bool,
}

fn allocate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    picture: &Picture,
) -> Result<Taken, Failure> {
    let of = (taking.of.order.channel, taking.of.order.currency);
    let version = profile::of_order(tx, world.now(), of, taking.reach)?;
    let plan = match &version {
        None => by_rank(taking, picture)?,
        Some(version) => by_profile(tx, world, taking, picture, version)?,
    };
    post(tx, actor, world, taking, picture, plan)
}

/// Posts what was chosen and keeps why.
fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    picture: &Picture,
    plan: Plan<'_>,
) -> Result<Taken, Failure> {
    post_allocations(tx, actor, world, taking, picture, (&plan.allocations, plan.keeps_safety))?;
    if let Some((decision, version)) = plan.decided {
        decision::keep(tx, actor, world, taking, (decision, version))?;
    }
    Ok(Taken { allocations: plan.allocations, waiting: plan.waiting })
}

/// The plain rule. It is told as a decision where there was something to decide.
fn by_rank<'a>(taking: &Taking<'_>, picture: &Picture) -> Result<Plan<'a>, Failure> {
    let variants: Vec<_> = taking.demand.keys().copied().collect();
    let candidates = candidates(taking.reach, picture, &variants);
    let allocations = routing::route(taking.demand, &candidates)
        .map_err(|short| too_few(short.variant, short.found, short.asked))?;
    let is_a_choice = !taking.reach.pinned && candidates.len() > 1 && !allocations.is_empty();
    let decided = is_a_choice.then(|| (plain(taking.demand, &candidates, &allocations), None));
    Ok(Plan { allocations, decided, waiting: profile::FOR_GOODS, keeps_safety: true })
}

/// As the retailer's profile says. A new order of a strategy with runs waits for the next one.
fn by_profile<'a>(
    tx: &mut Tx<'_>,
    world: &World,
    taking: &Taking<'_>,
    picture: &Picture,
    version: &'a Version,
) -> Result<Plan<'a>, Failure> {
    let profile = &version.profile;
    let set_out = ground::set_out(tx, world.now(), version, &Outline::of(taking), picture)?;
    let first = profile.strategies_for(&set_out.facts).next().unwrap_or(profile.fallback());
    let nothing = |waiting| Plan { allocations: Vec::new(), decided: None, waiting, keeps_safety: true };
    if let (Occasion::Placed, Some(run)) = (taking.of.occasion, first.next_run(world.now())) {
        return Ok(nothing(run));
    }
    let placed_at = taking.of.order.placed_at;
    if taking.demand.is_empty() {
        return Ok(nothing(first.remainder.waits(placed_at)));
    }
    let decision = decide(profile, &set_out.facts, &set_out.wanted, &set_out.candidates);
    ground::keep_room(tx, &set_out, &decision)?;
    let strategy = profile.strategy(&decision.strategy);
    Ok(Plan {
        allocations: ground::in_order(&decision),
        waiting: strategy.remainder.waits(placed_at),
        keeps_safety: ground::keeps_safety(strategy),
        decided: Some((decision, Some(version))),
    })
}

fn candidates(reach: &Reach, picture: &Picture, variants: &[Id<Variant>]) -> Vec<Candidate> {
    let at = picture.shelves_at(&reach.locations, variants.iter().copied());
    let candidate = |(location, shelves): (&Id<Location>, Vec<(Id<Variant>, &Shelf)>)| {
        let free = shelves.into_iter().map(|(variant, shelf)| (variant, shelf.free()));
        Candidate { location: *location, free: free.filter(|(_, free)| *free > 0).collect() }
    };
    reach.locations.iter().zip(at).map(candidate).collect()
}

fn post_allocations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    picture: &Picture,
    (allocations, keeps_safety): (&[Allocation], bool),
) -> Result<(), Failure> {
    for parts in allocations.chunk_by(|a, b| a.variant == b.variant) {
        let variant = parts[0].variant;
        let mut postings = Vec::with_capacity(parts.len() * 2);
        for part in parts {
            let shelf = picture.shelf(variant, part.location);
            let safety = shelf.map_or(0, |shelf: &Shelf| shelf.safety);
            let to = if taking.to.is_world() {
                stock::world(taking.to)
            } else {
                stock::at(part.location, taking.to)
            };
            postings.extend(stock::moving(
                stock::at(part.location, State::Available),
                to,
                part.quantity,
                if keeps_safety { safety } else { 0 },
            ));
        }
        let reason = if taking.to.is_world() { "sold" } else { "committed" };
        let movement = Movement { variant, reason, cause: Some(taking.cause.clone()), postings };
        let mut short = None;
        let outcome = post_movement(tx, actor, world, movement, |shortfall| {
            short = Some(shortfall);
            never_short(shortfall)
        });
        match (outcome, short) {
            // A till took from the shelf between our look and our taking: look again.
            (Err(_), Some(_)) => return Err(tx.begin_anew().into()),
            (outcome, _) => outcome?,
        };
    }
    Ok(())
}
