//! The rows of stock beside the ledger: levels per location, and the balances of many variants at once.

pub mod expected;
pub mod rule;
pub mod selling;

use domain::ledger::AccountKey;
use domain::value::id::{Location, Variant};
use domain::value::{Currency, Id, Instant, Money};

use crate::{Param, Row, StoreError, Tx, params};

/// A variant at a location.
pub type Spot = (Id<Variant>, Id<Location>);

/// What of a variant must stay at a location, when it counts as low there, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The variant.
    pub variant: Id<Variant>,
    /// The location.
    pub location: Id<Location>,
    /// Out of reach of channels that sell from the network.
    pub safety: i64,
    /// Fewer than this is low.
    pub low_below: i64,
    /// The shelf it lies on, in the location's own words; pick lists are sorted by it.
    pub shelf: Option<String>,
    /// Until when the location gives none of it to orders, because a picker did not find it.
    pub excluded_until: Option<Instant>,
}

impl Level {
    /// The level where none was set.
    pub const fn unset(variant: Id<Variant>, location: Id<Location>) -> Level {
        Level { variant, location, safety: 0, low_below: 0, shelf: None, excluded_until: None }
    }

    /// What channels that sell from the network cannot have: everything while a picker's miss is not cleared up.
    pub const fn out_of_reach(&self) -> i64 {
        if self.excluded_until.is_some() { i64::MAX } else { self.safety }
    }
}

/// Sets a level; an exclusion stays as it is.
///
/// # Errors
/// What the store says.
pub fn set_level(tx: &mut Tx<'_>, level: &Level) -> Result<(), StoreError> {
    tx.execute(
        "insert into stock_level (variant_id, location_id, safety, low_below, shelf) values ($1, $2, $3, $4, $5)
         on conflict (variant_id, location_id) do update set safety = excluded.safety, low_below = excluded.low_below, shelf = excluded.shelf",
        params![level.variant, level.location, level.safety, level.low_below, level.shelf.as_ref()],
    )?;
    Ok(())
}

/// A location gives none of a variant to orders until then.
///
/// # Errors
/// What the store says.
pub fn exclude(
    tx: &mut Tx<'_>,
    (variant, location): (Id<Variant>, Id<Location>),
    until: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into stock_level (variant_id, location_id, safety, low_below, excluded_until) values ($1, $2, 0, 0, $3)
         on conflict (variant_id, location_id) do update set excluded_until = excluded.excluded_until",
        params![variant, location, until],
    )?;
    Ok(())
}

/// Ends the exclusion of a variant at a location; false when there was none.
///
/// # Errors
/// What the store says.
pub fn include(tx: &mut Tx<'_>, variant: Id<Variant>, location: Id<Location>) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update stock_level set excluded_until = null where variant_id = $1 and location_id = $2 and excluded_until is not null",
        params![variant, location],
    )?;
    Ok(changed > 0)
}

/// Exclusions whose time is over, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn exclusions_over(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Spot>, StoreError> {
    tx.rows(
        "select variant_id, location_id from stock_level where excluded_until <= $1 order by variant_id, location_id limit $2",
        params![now, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

fn level_of(row: &mut Row<'_>) -> Result<Level, StoreError> {
    Ok(Level {
        variant: row.id()?,
        location: row.id()?,
        safety: row.int()?,
        low_below: row.int()?,
        shelf: row.text_or_null()?,
        excluded_until: row.instant_or_null()?,
    })
}

/// The level of one variant at one location; nothing must stay when none was set.
///
/// # Errors
/// What the store says.
pub fn level(tx: &mut Tx<'_>, variant: Id<Variant>, location: Id<Location>) -> Result<Level, StoreError> {
    let found = tx.one(
        "select variant_id, location_id, safety, low_below, shelf, excluded_until from stock_level
         where variant_id = $1 and location_id = $2",
        params![variant, location],
        level_of,
    )?;
    Ok(found.unwrap_or(Level::unset(variant, location)))
}

/// The levels set for these variants.
///
/// # Errors
/// What the store says.
pub fn levels(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<Vec<Level>, StoreError> {
    tx.rows(
        "select variant_id, location_id, safety, low_below, shelf, excluded_until from stock_level
         where variant_id {in ids $1}",
        &[Param::Ids(variants)],
        level_of,
    )
}

/// The balances of these variants at all places, without the world's side: variant, account, amount.
///
/// # Errors
/// What the store says.
pub fn balances(
    tx: &mut Tx<'_>,
    variants: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, AccountKey, i64)>, StoreError> {
    tx.rows(
        "select book_id, place, state, amount from account where book_id {in ids $1} and state < 40 order by book_id, place, state",
        &[Param::Ids(variants)],
        |row| Ok((row.id()?, AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
    )
}

/// What decides how many of these variants can be promised: what is available, what is expected, and what is promised already. In no order.
///
/// # Errors
/// What the store says.
pub fn promising(
    tx: &mut Tx<'_>,
    variants: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, AccountKey, i64)>, StoreError> {
    tx.rows(
        "select book_id, place, state, amount from account
         where book_id {in ids $1} and (state = 1 or state = 10 or state between 20 and 23) and amount > 0",
        &[Param::Ids(variants)],
        |row| Ok((row.id()?, AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
    )
}

/// The same at these places only.
///
/// # Errors
/// What the store says.
pub fn promising_at(
    tx: &mut Tx<'_>,
    variants: &[[u8; 16]],
    places: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, AccountKey, i64)>, StoreError> {
    tx.rows(
        "select book_id, place, state, amount from account
         where book_id {in ids $1} and place {in ids $2}
             and (state = 1 or state = 10 or state between 20 and 23) and amount > 0",
        &[Param::Ids(variants), Param::Ids(places)],
        |row| Ok((row.id()?, AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
    )
}

/// What of these variants lies free on the shelves of these locations.
///
/// # Errors
/// What the store says.
pub fn on_shelves(
    tx: &mut Tx<'_>,
    variants: &[[u8; 16]],
    locations: &[[u8; 16]],
) -> Result<Vec<(Spot, i64)>, StoreError> {
    tx.rows(
        "select book_id, place, amount from account
         where book_id {in ids $1} and place {in ids $2} and state = 1 and amount > 0",
        &[Param::Ids(variants), Param::Ids(locations)],
        |row| Ok(((row.id()?, row.id()?), row.int()?)),
    )
}

/// The levels of these variants at locations that keep something back from orders.
///
/// # Errors
/// What the store says.
pub fn kept_back(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<Vec<Level>, StoreError> {
    tx.rows(
        "select variant_id, location_id, safety, low_below, shelf, excluded_until from stock_level
         where variant_id {in ids $1} and (safety > 0 or excluded_until is not null)",
        &[Param::Ids(variants)],
        level_of,
    )
}

/// The variants with a balance at a location after one, in the order of variants, at most `limit`: each with its states' amounts.
///
/// # Errors
/// What the store says.
pub fn variants_after(
    tx: &mut Tx<'_>,
    after: Id<Variant>,
    limit: i64,
) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select book_id from book where kind = 1 and book_id > $1 order by book_id limit $2",
        params![after, limit],
        |row| row.id(),
    )
}

/// Pieces on hand at each location that has any, whatever the variant; units of measure are not told apart.
///
/// # Errors
/// What the store says.
pub fn on_hand(tx: &mut Tx<'_>) -> Result<Vec<(Id<Location>, i64)>, StoreError> {
    tx.rows(
        "select a.place, cast(sum(a.amount) as {int}) from account a join book b on b.book_id = a.book_id
         where b.kind = 1 and a.state < 9 and a.amount > 0 group by a.place order by a.place",
        &[],
        |row| Ok((row.id()?, row.int()?)),
    )
}

/// What a piece of these variants is worth in the books, for those somebody gave a value.
///
/// # Errors
/// What the store says.
pub fn values(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<Vec<(Id<Variant>, Money)>, StoreError> {
    tx.rows(
        "select variant_id, value_minor, currency from stock_value where variant_id {in ids $1} order by variant_id",
        &[Param::Ids(variants)],
        |row| {
            let (variant, minor, currency) = (row.id()?, row.int()?, row.value(Currency::parse)?);
            let money = Money::new(minor, currency);
            Ok((variant, money.map_err(|error| StoreError::Corrupt(format!("a value: {error}")))?))
        },
    )
}

/// Says what a piece of a variant is worth in the books.
///
/// # Errors
/// What the store says.
pub fn set_value(tx: &mut Tx<'_>, variant: Id<Variant>, value: Money) -> Result<(), StoreError> {
    tx.execute(
        "insert into stock_value (variant_id, value_minor, currency) values ($1, $2, $3)
         on conflict (variant_id) do update set value_minor = excluded.value_minor, currency = excluded.currency",
        params![variant, value.minor(), value.currency().code()],
    )?;
    Ok(())
}
