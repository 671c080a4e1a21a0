//! What one person may do alone: above a value that the retailer sets for each location, a second one must agree.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::stock::needs_second_person;
use domain::value::id::{Location, Variant};
use domain::value::{Id, Money};
use serde_json::json;
use store::Tx;
use store::stock::{self as rows, rule};

pub use store::stock::rule::Rule;

use super::must_be_there;
use crate::event::emit;
use crate::{Failure, World};

/// Sets what one person may do alone at a location.
///
/// # Errors
/// [`domain::Code::Invalid`] for negative bounds.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: Rule) -> Result<Rule, Failure> {
    actor.may(Permission::EditPlaces, Some(new.location))?;
    must_be_there(tx, new.location)?;
    for (field, bound) in [("write_off", new.write_off_minor), ("transfer", new.transfer_minor)] {
        if bound.is_some_and(|bound| !(0..=Money::MAX).contains(&bound)) {
            return Err(Refusal::invalid(field, format!("give 0 to {} minor units", Money::MAX)).into());
        }
    }
    rule::set(tx, &new)?;
    let body = json!({
        "currency": new.currency.code(), "write_off": new.write_off_minor, "transfer": new.transfer_minor
    });
    emit(tx, actor, world, new.location, "stock.rule_set", body);
    Ok(new)
}

/// What one person may do alone at a location, if anybody said so.
///
/// # Errors
/// [`domain::Code::Forbidden`], [`domain::Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, location: Id<Location>) -> Result<Rule, Failure> {
    actor.may(Permission::ReadStock, Some(location))?;
    rule::find(tx, location)?
        .ok_or_else(|| Refusal::not_found("rule of a second person at location", location).into())
}

/// Are these goods worth so much that a second person must agree to send them elsewhere?
pub(crate) fn transfer_needs_approval(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    pieces: &[(Id<Variant>, i64)],
) -> Result<bool, Failure> {
    let bound = |rule: &Rule| rule.transfer_minor;
    exceeds(tx, location, bound, pieces)
}

/// Are these goods worth so much that a second person must agree to write them off?
pub(super) fn write_off_needs_approval(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    pieces: &[(Id<Variant>, i64)],
) -> Result<bool, Failure> {
    exceeds(tx, location, |rule| rule.write_off_minor, pieces)
}

fn exceeds(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    bound: impl Fn(&Rule) -> Option<i64>,
    pieces: &[(Id<Variant>, i64)],
) -> Result<bool, Failure> {
    let Some(rule) = rule::find(tx, location)? else { return Ok(false) };
    let Some(most) = bound(&rule) else { return Ok(false) };
    let most = Money::new(most, rule.currency).map_err(|error| Refusal::invalid("amount", error))?;
    let keys: Vec<_> = pieces.iter().map(|(variant, _)| variant.bytes()).collect();
    let values = rows::values(tx, &keys)?;
    let value = |variant| values.iter().find(|(known, _)| *known == variant).map(|(_, value)| *value);
    let goods: Vec<_> = pieces.iter().map(|(variant, pieces)| (*pieces, value(*variant))).collect();
    Ok(needs_second_person(Some(most), &goods))
}
