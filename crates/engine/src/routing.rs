//! Routing: goods for an order are taken from the shelves a rule chooses, in the order's own transaction, with the judge always the shelf itself.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::routing::{self, Allocation, Candidate};
use domain::stock::{self, Shelf, State};
use domain::value::Id;
use domain::value::id::{Cart, Location, Variant};
use store::{Tx, ledger as books};

use crate::stock::availability::{Picture, Reach, picture};
use crate::stock::{Movement, book_of, hold, never_short, post_movement, too_few};
use crate::{Failure, World};

/// What an order takes.
pub struct Taking<'a> {
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

/// Takes goods for an order and says from where. Refuses when they cannot all be promised.
///
/// # Errors
/// [`domain::Code::OutOfStock`], naming the variant, how many can be had and how many were asked.
pub fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
) -> Result<Vec<Allocation>, Failure> {
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
) -> Result<Vec<Allocation>, Failure> {
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

/// A promise from a sum over locations stays true only while nobody else promises from the same book.
fn lock(tx: &mut Tx<'_>, taking: &Taking<'_>) -> Result<(), Failure> {
    if !taking.reach.pinned {
        books::lock_books(tx, &mut taking.demand.keys().map(|variant| book_of(*variant)).collect())?;
    }
    Ok(())
}

fn allocate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    picture: &Picture,
) -> Result<Vec<Allocation>, Failure> {
    let variants: Vec<_> = taking.demand.keys().copied().collect();
    let candidates = candidates(taking.reach, picture, &variants);
    let allocations = routing::route(taking.demand, &candidates)
        .map_err(|short| too_few(short.variant, short.found, short.asked))?;
    post_allocations(tx, actor, world, taking, picture, &allocations)?;
    Ok(allocations)
}

fn candidates(reach: &Reach, picture: &Picture, variants: &[Id<Variant>]) -> Vec<Candidate> {
    let free = |location: Id<Location>| {
        let of = |variant: &Id<Variant>| {
            let shelf = picture.shelves(*variant).iter().find(|shelf| shelf.location == location)?;
            Some((*variant, shelf.free()))
        };
        Candidate { location, free: variants.iter().filter_map(of).collect() }
    };
    reach.locations.iter().map(|location| free(*location)).collect()
}

fn post_allocations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    taking: &Taking<'_>,
    picture: &Picture,
    allocations: &[Allocation],
) -> Result<(), Failure> {
    for parts in allocations.chunk_by(|a, b| a.variant == b.variant) {
        let variant = parts[0].variant;
        let mut postings = Vec::with_capacity(parts.len() * 2);
        for part in parts {
            let safety = picture
                .shelves(variant)
                .iter()
                .find(|shelf| shelf.location == part.location)
                .map_or(0, |shelf: &Shelf| shelf.safety);
            let to = if taking.to.is_world() {
                stock::world(taking.to)
            } else {
                stock::at(part.location, taking.to)
            };
            postings.extend(stock::moving(
                stock::at(part.location, State::Available),
                to,
                part.quantity,
                safety,
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
