//! The rows of taxes: classes, zones and rates.

use domain::tax::Area;
use domain::value::id::{TaxClass, TaxZone};
use domain::value::{Country, Id, Instant, Rate as PartsPerMillion};

use crate::{Row, StoreError, Tx, params};

/// A class of goods that are taxed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its identity.
    pub id: Id<TaxClass>,
    /// The short word it goes by in files; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
}

fn class(row: &mut Row<'_>) -> Result<Class, StoreError> {
    Ok(Class { id: row.id()?, code: row.text()?, name: row.text()? })
}

/// Adds a class; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_class(tx: &mut Tx<'_>, class: &Class) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into tax_class (tax_class_id, code, name) values ($1, $2, $3) on conflict (code) do nothing",
        params![class.id, &class.code, &class.name],
    )?;
    Ok(made == 1)
}

/// The classes after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_classes(tx: &mut Tx<'_>, after: Id<TaxClass>, limit: i64) -> Result<Vec<Class>, StoreError> {
    tx.rows("select tax_class_id, code, name from tax_class where tax_class_id > $1 order by tax_class_id limit $2", params![after, limit], class)
}

/// The class with this id.
///
/// # Errors
/// What the store says.
pub fn find_class(tx: &mut Tx<'_>, id: Id<TaxClass>) -> Result<Option<Class>, StoreError> {
    tx.one("select tax_class_id, code, name from tax_class where tax_class_id = $1", params![id], class)
}

/// A part of the world that is taxed alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its identity.
    pub id: Id<TaxZone>,
    /// The short word it goes by in files; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The countries and regions in it.
    pub areas: Vec<Area>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// What a class of goods is taxed in a zone, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The zone.
    pub zone: Id<TaxZone>,
    /// The class.
    pub class: Id<TaxClass>,
    /// The first instant at which it holds.
    pub valid_from: Instant,
    /// The first instant at which it does not hold any more.
    pub valid_until: Option<Instant>,
    /// How much.
    pub rate: PartsPerMillion,
    /// The goods are exempt, which is more than a rate of nothing: documents say so.
    pub exempt: bool,
}

fn zone(row: &mut Row<'_>) -> Result<Zone, StoreError> {
    Ok(Zone { id: row.id()?, code: row.text()?, name: row.text()?, areas: Vec::new(), version: row.int()? })
}

fn rate(row: &mut Row<'_>) -> Result<Rate, StoreError> {
    Ok(Rate {
        zone: row.id()?,
        class: row.id()?,
        valid_from: row.instant()?,
        valid_until: row.instant_or_null()?,
        rate: PartsPerMillion::from_parts_per_million(row.int()?)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        exempt: row.yes()?,
    })
}

/// Adds a zone without its areas; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_zone(tx: &mut Tx<'_>, zone: &Zone) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into tax_zone (tax_zone_id, code, name, version) values ($1, $2, $3, $4) on conflict (code) do nothing",
        params![zone.id, &zone.code, &zone.name, zone.version],
    )?;
    Ok(made == 1)
}

/// Writes a zone's name and frees its areas, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change_zone(tx: &mut Tx<'_>, zone: &Zone, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update tax_zone set name = $3, version = $4 where tax_zone_id = $1 and version = $2",
        params![zone.id, was, &zone.name, zone.version],
    )?;
    if touched == 1 {
        tx.execute("delete from tax_area where tax_zone_id = $1", params![zone.id])?;
    }
    Ok(touched == 1)
}

/// Puts an area into a zone; false when it belongs to a zone already.
///
/// # Errors
/// What the store says.
pub fn add_area(tx: &mut Tx<'_>, zone: Id<TaxZone>, area: &Area) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into tax_area (country, region, tax_zone_id) values ($1, $2, $3) on conflict (country, region) do nothing",
        params![area.country.code(), &area.region, zone],
    )?;
    Ok(made == 1)
}

/// The zone with this id.
///
/// # Errors
/// What the store says.
pub fn find_zone(tx: &mut Tx<'_>, id: Id<TaxZone>) -> Result<Option<Zone>, StoreError> {
    let found = tx.one(
        "select tax_zone_id, code, name, version from tax_zone where tax_zone_id = $1",
        params![id],
        zone,
    )?;
    found.map(|zone| with_areas(tx, zone)).transpose()
}

/// The zones after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_zones(tx: &mut Tx<'_>, after: Id<TaxZone>, limit: i64) -> Result<Vec<Zone>, StoreError> {
    let found = tx.rows(
        "select tax_zone_id, code, name, version from tax_zone where tax_zone_id > $1 order by tax_zone_id limit $2",
        params![after, limit],
        zone,
    )?;
    found.into_iter().map(|zone| with_areas(tx, zone)).collect()
}

fn with_areas(tx: &mut Tx<'_>, mut zone: Zone) -> Result<Zone, StoreError> {
    zone.areas = tx.rows(
        "select country, region from tax_area where tax_zone_id = $1 order by country, region",
        params![zone.id],
        |row| {
            let country =
                Country::parse(&row.text()?).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            Ok(Area { country, region: row.text()? })
        },
    )?;
    Ok(zone)
}

/// The zone of an address: that of its region, else that of its country.
///
/// # Errors
/// What the store says.
pub fn zone_of(tx: &mut Tx<'_>, area: &Area) -> Result<Option<Id<TaxZone>>, StoreError> {
    tx.one(
        "select tax_zone_id from tax_area where country = $1 and region in ($2, '') order by region desc limit 1",
        params![area.country.code(), &area.region],
        |row| row.id(),
    )
}

/// Writes the rate that holds from an instant on, over one that held from the same instant.
///
/// # Errors
/// What the store says.
pub fn set_rate(tx: &mut Tx<'_>, rate: &Rate) -> Result<(), StoreError> {
    tx.execute(
        "insert into tax_rate (tax_zone_id, tax_class_id, valid_from, valid_until, rate, exempt)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tax_zone_id, tax_class_id, valid_from)
         do update set valid_until = excluded.valid_until, rate = excluded.rate, exempt = excluded.exempt",
        params![
            rate.zone,
            rate.class,
            rate.valid_from,
            rate.valid_until,
            rate.rate.parts_per_million(),
            rate.exempt
        ],
    )?;
    Ok(())
}

/// The rates of a zone, by class and time.
///
/// # Errors
/// What the store says.
pub fn list_rates(tx: &mut Tx<'_>, zone: Id<TaxZone>) -> Result<Vec<Rate>, StoreError> {
    tx.rows(
        "select tax_zone_id, tax_class_id, valid_from, valid_until, rate, exempt from tax_rate
         where tax_zone_id = $1 order by tax_class_id, valid_from",
        params![zone],
        rate,
    )
}

/// The rate of a class in a zone at an instant: of several that hold, the one that began last.
///
/// # Errors
/// What the store says.
pub fn rate_at(
    tx: &mut Tx<'_>,
    zone: Id<TaxZone>,
    class: Id<TaxClass>,
    at: Instant,
) -> Result<Option<Rate>, StoreError> {
    tx.one(
        "select tax_zone_id, tax_class_id, valid_from, valid_until, rate, exempt from tax_rate
         where tax_zone_id = $1 and tax_class_id = $2 and valid_from <= $3 and (valid_until is null or valid_until > $3)
         order by valid_from desc limit 1",
        params![zone, class, at],
        rate,
    )
}
