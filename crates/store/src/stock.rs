//! The rows of stock beside the ledger: levels per location, and the balances of many variants at once.

use domain::ledger::AccountKey;
use domain::value::Id;
use domain::value::id::{Location, Variant};

use crate::{Param, StoreError, Tx, params};

/// What of a variant must stay at a location, and when it counts as low there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// The variant.
    pub variant: Id<Variant>,
    /// The location.
    pub location: Id<Location>,
    /// Out of reach of channels that sell from the network.
    pub safety: i64,
    /// Fewer than this is low.
    pub low_below: i64,
}

/// Sets a level.
///
/// # Errors
/// What the store says.
pub fn set_level(tx: &mut Tx<'_>, level: &Level) -> Result<(), StoreError> {
    tx.execute(
        "insert into stock_level (variant_id, location_id, safety, low_below) values ($1, $2, $3, $4)
         on conflict (variant_id, location_id) do update set safety = excluded.safety, low_below = excluded.low_below",
        params![level.variant, level.location, level.safety, level.low_below],
    )?;
    Ok(())
}

/// The level of one variant at one location; nothing must stay when none was set.
///
/// # Errors
/// What the store says.
pub fn level(tx: &mut Tx<'_>, variant: Id<Variant>, location: Id<Location>) -> Result<Level, StoreError> {
    let found = tx.one(
        "select safety, low_below from stock_level where variant_id = $1 and location_id = $2",
        params![variant, location],
        |row| Ok(Level { variant, location, safety: row.int()?, low_below: row.int()? }),
    )?;
    Ok(found.unwrap_or(Level { variant, location, safety: 0, low_below: 0 }))
}

/// The levels set for these variants.
///
/// # Errors
/// What the store says.
pub fn levels(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<Vec<Level>, StoreError> {
    tx.rows(
        "select variant_id, location_id, safety, low_below from stock_level where variant_id in {ids $1}",
        &[Param::Ids(variants)],
        |row| {
            Ok(Level { variant: row.id()?, location: row.id()?, safety: row.int()?, low_below: row.int()? })
        },
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
        "select book_id, place, state, amount from account where book_id in {ids $1} and state < 40 order by book_id, place, state",
        &[Param::Ids(variants)],
        |row| Ok((row.id()?, AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
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
