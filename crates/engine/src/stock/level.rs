//! Levels: what of a variant must stay at a location, when it counts as low there, on which shelf it lies, and whether the location gives
//! any of it to orders.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::value::id::{Location, Variant};
use domain::value::{Id, Money, Quantity};
use serde_json::json;
use store::{Tx, stock as rows};

use super::{must_be_stocked, must_be_there};
use crate::event::emit;
use crate::{Failure, World};

pub use store::stock::Level as LevelSetting;

/// The longest name of a shelf, in characters.
const SHELF_MAX: usize = 40;
/// The most a base unit may be worth in minor units, so that the worth of all counted together stays within 64 bits.
const VALUE_MINOR_MAX: i64 = 100_000_000;
/// The most exclusions one round ends.
const EXCLUSIONS_ROUND: i64 = 200;

/// Sets what must stay at a location and when it counts as low there.
///
/// # Errors
/// [`Code::Invalid`] for negative numbers.
pub fn set_level(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    level: LevelSetting,
) -> Result<(), Failure> {
    actor.may(Permission::MoveStock, Some(level.location))?;
    for (field, number) in [("safety", level.safety), ("low_below", level.low_below)] {
        if !(0..=Quantity::MAX).contains(&number) {
            return Err(
                Refusal::invalid(field, format!("give a whole number from 0 to {}", Quantity::MAX)).into()
            );
        }
    }
    must_be_stocked(tx, level.variant)?;
    must_be_there(tx, level.location)?;
    if level.shelf.as_ref().is_some_and(|shelf| shelf.is_empty() || shelf.chars().count() > SHELF_MAX) {
        return Err(Refusal::invalid("shelf", format!("give 1 to {SHELF_MAX} characters")).into());
    }
    rows::set_level(tx, &level)?;
    let body = json!({ "location": level.location.to_string(), "safety": level.safety, "low_below": level.low_below, "shelf": level.shelf });
    emit(tx, actor, world, level.variant, "stock.level_set", body);
    Ok(())
}

/// Locations give variants to orders again after a picker's miss, when the time for it is over; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn end_exclusions(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let over = rows::exclusions_over(tx, world.now(), EXCLUSIONS_ROUND)?;
    for (variant, location) in &over {
        include(tx, actor, world, (*variant, *location))?;
    }
    Ok(over.len() as i64 == EXCLUSIONS_ROUND)
}

/// A location gives a variant to orders again.
///
/// # Errors
/// What the store says.
pub fn include(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, location): (Id<Variant>, Id<Location>),
) -> Result<(), Failure> {
    if rows::include(tx, variant, location)? {
        emit(tx, actor, world, variant, "stock.included", json!({ "location": location.to_string() }));
    }
    Ok(())
}

/// Says what a piece of a variant is worth in the books: counts and write-offs are weighed by it.
///
/// # Errors
/// [`Code::NotFound`] for an unknown variant, [`Code::Invalid`] for a negative value.
pub fn set_value(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    value: Money,
) -> Result<(), Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    if !(0..=VALUE_MINOR_MAX).contains(&value.minor()) {
        let message = format!("give 0 to {VALUE_MINOR_MAX} minor units for one base unit");
        return Err(Refusal::invalid("amount", message).into());
    }
    must_be_stocked(tx, variant)?;
    rows::set_value(tx, variant, value)?;
    let body = json!({ "amount": value.minor(), "currency": value.currency().code() });
    emit(tx, actor, world, variant, "stock.value_set", body);
    Ok(())
}
