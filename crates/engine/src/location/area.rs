//! Postal areas: which postal codes lie where, so that a country and a postal code lead to a point on the map.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::location::area as rules;
use domain::value::{Coordinates, Country};
use serde_json::json;
use store::{Tx, location::area as rows};

pub use store::location::area::PostalArea;

use crate::event::emit;
use crate::{Failure, World};

/// Sets where the postal codes lie that begin alike, and answers what was said of the same prefix before.
///
/// # Errors
/// What the store says.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    area: &PostalArea,
) -> Result<Option<PostalArea>, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let before = rows::find(tx, area.country, std::slice::from_ref(&area.prefix))?;
    if before.as_ref() != Some(area) {
        rows::set(tx, area)?;
        tell(tx, actor, world, (area.country, &area.prefix), "postal_area.set");
    }
    Ok(before)
}

/// Takes an area away.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (country, prefix): (Country, &str),
) -> Result<(), Failure> {
    actor.may(Permission::EditPlaces, None)?;
    if !rows::remove(tx, country, prefix)? {
        return Err(Refusal::not_found("postal area", name((country, prefix))).into());
    }
    tell(tx, actor, world, (country, prefix), "postal_area.removed");
    Ok(())
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, area: (Country, &str), kind: &'static str) {
    let body = json!({ "country": area.0.code(), "prefix": area.1 });
    emit(tx, actor, world, name(area), kind, body);
}

/// Country and prefix as one word: `GB-LS`.
pub fn name((country, prefix): (Country, &str)) -> String {
    format!("{}-{prefix}", country.code())
}

/// The areas after one, in the order of countries and prefixes.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<PostalArea>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The area a postal code lies in: the one with the longest prefix that the code begins with.
///
/// # Errors
/// [`domain::Code::NotFound`] when nothing is known of the code nor of its country.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (country, postal_code): (Country, &str),
) -> Result<PostalArea, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let found = rows::find(tx, country, &rules::beginnings(postal_code))?;
    found.ok_or_else(|| Refusal::not_found("postal area", name((country, postal_code))).into())
}

/// Where on the map a country's postal code lies, as far as it is known; for callers that have asked for the permission.
///
/// # Errors
/// What the store says.
pub fn coordinates_of(
    tx: &mut Tx<'_>,
    country: Country,
    postal_code: Option<&str>,
) -> Result<Option<Coordinates>, Failure> {
    let found = rows::find(tx, country, &rules::beginnings(postal_code.unwrap_or_default()))?;
    Ok(found.map(|area| area.coordinates))
}
