//! The rows of how many of each variant left each location for customers over the last 28 days: what days of supply are counted from.

use domain::value::id::{Location, Variant};
use domain::value::{Id, Instant};

use crate::{Param, StoreError, Tx, params};

/// A variant, a location, and how many units left it.
pub type Left = (Id<Variant>, Id<Location>, i64);

/// How many of these variants left each location: variant, location, units.
///
/// # Errors
/// What the store says.
pub fn of(tx: &mut Tx<'_>, variants: &[[u8; 16]]) -> Result<Vec<Left>, StoreError> {
    tx.rows(
        "select variant_id, location_id, units from outflow where variant_id {in ids $1}",
        &[Param::Ids(variants)],
        |row| Ok((row.id()?, row.id()?, row.int()?)),
    )
}

/// Until when it was counted; the beginning of time when never.
///
/// # Errors
/// What the store says.
pub fn mark(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.one("select until from outflow_mark where mark = 1", &[], |row| row.instant())
}

/// It is counted until then.
///
/// # Errors
/// What the store says.
pub fn set_mark(tx: &mut Tx<'_>, until: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into outflow_mark (mark, until) values (1, $1) on conflict (mark) do update set until = excluded.until",
        params![until],
    )?;
    Ok(())
}

/// When the last of the next so many goods left after one instant and until another; none when fewer did.
///
/// # Errors
/// What the store says.
pub fn leaving(
    tx: &mut Tx<'_>,
    (after, until): (Instant, Instant),
    many: i64,
) -> Result<Option<Instant>, StoreError> {
    tx.one(
        "select left_at from fulfilment_order where left_at > $1 and left_at <= $2 order by left_at limit 1 offset $3",
        params![after, until, many - 1],
        |row| row.instant(),
    )
}

/// When the first goods ever left.
///
/// # Errors
/// What the store says.
pub fn first_leaving(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    tx.one(
        "select left_at from fulfilment_order where left_at is not null order by left_at limit 1",
        &[],
        |row| row.instant(),
    )
}

/// Counts what left after one instant and until another, so many times each: 1 adds it, -1 takes it away.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>, (after, until): (Instant, Instant), times: i64) -> Result<(), StoreError> {
    tx.execute(
        "insert into outflow (variant_id, location_id, units)
         select l.variant_id, f.location_id, cast(sum(l.quantity) as {int}) * $3
         from fulfilment_order f
         join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
         where f.left_at > $1 and f.left_at <= $2 and f.location_id is not null and l.quantity > 0
         group by l.variant_id, f.location_id
         on conflict (variant_id, location_id) do update set units = outflow.units + excluded.units",
        params![after, until, times],
    )?;
    Ok(())
}

/// A variant, a location, how many units are counted, and how many left it.
pub type Unequal = (Id<Variant>, Id<Location>, i64, i64);

/// Variants at locations of which another number is counted than left in the time before the mark: variant, location, counted, left.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>, (after, until): (Instant, Instant)) -> Result<Vec<Unequal>, StoreError> {
    tx.rows(
        "select variant_id, location_id, cast(sum(counted) as {int}), cast(sum(pieces) as {int}) from (
            select variant_id, location_id, units as counted, 0 as pieces from outflow
            union all
            select l.variant_id as variant_id, f.location_id as location_id, 0 as counted, l.quantity as pieces
            from fulfilment_order f
            join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
            where f.left_at > $1 and f.left_at <= $2 and f.location_id is not null
         ) both_sides group by variant_id, location_id having sum(counted) <> sum(pieces)",
        params![after, until],
        |row| Ok((row.id()?, row.id()?, row.int()?, row.int()?)),
    )
}
