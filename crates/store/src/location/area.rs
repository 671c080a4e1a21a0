//! The rows of postal areas: where on the map the postal codes lie that begin alike.

use domain::value::{Coordinates, Country};

use crate::{Param, Row, StoreError, Tx, params};

/// Postal codes of a country that begin alike, and where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalArea {
    /// The country.
    pub country: Country,
    /// What the codes begin with, letters and digits in capitals; empty for the whole country.
    pub prefix: String,
    /// What people call the area.
    pub place: Option<String>,
    /// About its middle.
    pub coordinates: Coordinates,
}

fn area(row: &mut Row<'_>) -> Result<PostalArea, StoreError> {
    let (country, prefix, place) = (row.value(Country::parse)?, row.text()?, row.text_or_null()?);
    let missing = || StoreError::Corrupt(format!("postal area {country} {prefix} is not on the map"));
    Ok(PostalArea { country, coordinates: super::coordinates(row)?.ok_or_else(missing)?, prefix, place })
}

/// Sets an area, in place of the one with the same prefix.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, area: &PostalArea) -> Result<(), StoreError> {
    let (latitude, longitude) = (area.coordinates.latitude_micro(), area.coordinates.longitude_micro());
    tx.execute(
        "insert into postal_area (country, prefix, place, latitude_micro, longitude_micro) values ($1, $2, $3, $4, $5)
         on conflict (country, prefix) do update set place = excluded.place,
             latitude_micro = excluded.latitude_micro, longitude_micro = excluded.longitude_micro",
        params![
            area.country.code(),
            &area.prefix,
            area.place.as_ref(),
            i64::from(latitude),
            i64::from(longitude)
        ],
    )?;
    Ok(())
}

/// Takes an area away; false when there was none.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, country: Country, prefix: &str) -> Result<bool, StoreError> {
    let removed = tx.execute(
        "delete from postal_area where country = $1 and prefix = $2",
        params![country.code(), prefix],
    )?;
    Ok(removed > 0)
}

/// The area with the longest of these prefixes.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    country: Country,
    prefixes: &[String],
) -> Result<Option<PostalArea>, StoreError> {
    tx.one(
        "select country, prefix, place, latitude_micro, longitude_micro from postal_area
         where country = $1 and prefix {in texts $2} order by length(prefix) desc limit 1",
        &[country.code().into(), Param::Texts(prefixes)],
        area,
    )
}

/// The areas after one, in the order of countries and prefixes, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: (&str, &str), limit: i64) -> Result<Vec<PostalArea>, StoreError> {
    tx.rows(
        "select country, prefix, place, latitude_micro, longitude_micro from postal_area
         where (country, prefix) > ($1, $2) order by country, prefix limit $3",
        params![after.0, after.1, limit],
        area,
    )
}
