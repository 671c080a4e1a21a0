//! Postal areas from files: each takes the place of the one with the same country and prefix; and into files.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::import::Outcome;
use domain::location::area as rules;
use domain::value::{Coordinates, Country, text};
use store::Tx;

use super::export::Read;
use super::row::{CellError, Cells};
use crate::location::area::{self, PostalArea};
use crate::{Failure, World};

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<PostalArea, Vec<CellError>> {
    let own = |said: &str| Ok::<_, String>(said.replace(',', "."));
    let country = row.need("country", |said| Country::parse(&said.to_uppercase()));
    let prefix = row.may("prefix", rules::prefix);
    let place = row.may("place", |said| text::bounded("place", said, 1, text::NAME_CHARS_MAX));
    let point = row.need("latitude", own).zip(row.need("longitude", own));
    let coordinates = point.and_then(|(latitude, longitude)| {
        let point = Coordinates::parse(&latitude, &longitude);
        point.map_err(|error| row.refuse("latitude", error)).ok()
    });
    let read = (|| {
        Some(PostalArea {
            country: country?,
            prefix: prefix?.unwrap_or_default(),
            place: place?,
            coordinates: coordinates?,
        })
    })();
    row.done(read)
}

/// Sets the area.
pub(super) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &PostalArea,
) -> Result<Outcome, Failure> {
    Ok(match area::set(tx, actor, world, row)? {
        None => Outcome::Made,
        Some(before) if before == *row => Outcome::Same,
        Some(_) => Outcome::Changed,
    })
}

/// The rows of the areas after a place, which is the country and the prefix of one.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: [u8; 16],
    limit: i64,
) -> Result<Read, Failure> {
    let place: String = after.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    let (country, prefix) = place.split_at(place.len().min(2));
    let found = area::list(tx, actor, (country, prefix), limit)?;
    let row = |one: &PostalArea| {
        let degrees = one.coordinates.to_string();
        let (latitude, longitude) = degrees.split_once(',').unwrap_or_default();
        BTreeMap::from([
            ("country", one.country.code().to_owned()),
            ("prefix", one.prefix.clone()),
            ("place", one.place.clone().unwrap_or_default()),
            ("latitude", latitude.to_owned()),
            ("longitude", longitude.to_owned()),
        ])
    };
    let last = found.last().map(|one| {
        let place = format!("{}{}", one.country.code(), one.prefix);
        std::array::from_fn(|at| place.as_bytes().get(at).copied().unwrap_or(0))
    });
    Ok((found.len(), found.iter().map(row).collect(), last))
}
