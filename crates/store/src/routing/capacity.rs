//! The rows of what locations were given on a day, beside what they can prepare.

use domain::value::Id;
use domain::value::id::{FulfilmentOrder, Location, Order};

use crate::{Param, StoreError, Tx, params};

/// A fulfilment order's place among what a location prepares on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The order.
    pub order: Id<Order>,
    /// Which part of it.
    pub part: Id<FulfilmentOrder>,
    /// Where.
    pub location: Id<Location>,
    /// The day on the location's clock, as `yyyymmdd`.
    pub day: i64,
}

/// How many fulfilment orders these locations were given on days from one to another: location, day, how many.
///
/// # Errors
/// What the store says.
pub fn given(
    tx: &mut Tx<'_>,
    locations: &[[u8; 16]],
    (from, until): (i64, i64),
) -> Result<Vec<(Id<Location>, i64, i64)>, StoreError> {
    tx.rows(
        "select location_id, day, given from location_day where location_id {in ids $1} and day >= $2 and day <= $3",
        &[Param::Ids(locations), from.into(), until.into()],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Makes sure that a location was given at most so many on a day and that nobody else gives it more until the commit; false when it was
/// given more.
///
/// # Errors
/// What the store says.
pub fn keep_room(
    tx: &mut Tx<'_>,
    (location, day): (Id<Location>, i64),
    given_max: i64,
) -> Result<bool, StoreError> {
    tx.execute(
        "insert into location_day (location_id, day, given) values ($1, $2, 0) on conflict (location_id, day) do nothing",
        params![location, day],
    )?;
    let kept = tx.execute(
        "update location_day set given = given where location_id = $1 and day = $2 and given <= $3",
        params![location, day, given_max],
    )?;
    Ok(kept == 1)
}

/// Counts a fulfilment order among what a location was given on a day; counting it again changes nothing.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, claim: &Claim) -> Result<(), StoreError> {
    let made = tx.execute(
        "insert into capacity_claim (order_id, fulfilment_order_id, location_id, day) values ($1, $2, $3, $4)
         on conflict (order_id, fulfilment_order_id) do nothing",
        params![claim.order, claim.part, claim.location, claim.day],
    )?;
    if made == 1 {
        tx.execute(
            "insert into location_day (location_id, day, given) values ($1, $2, 1)
             on conflict (location_id, day) do update set given = location_day.given + 1",
            params![claim.location, claim.day],
        )?;
    }
    Ok(())
}

/// The place of a fulfilment order is free again; nothing when it had none.
///
/// # Errors
/// What the store says.
pub fn give_back(tx: &mut Tx<'_>, order: Id<Order>, part: Id<FulfilmentOrder>) -> Result<(), StoreError> {
    let claimed = tx.one(
        "select location_id, day from capacity_claim where order_id = $1 and fulfilment_order_id = $2",
        params![order, part],
        |row| Ok((row.id::<domain::value::id::Location>()?, row.int()?)),
    )?;
    let Some((location, day)) = claimed else { return Ok(()) };
    tx.execute(
        "delete from capacity_claim where order_id = $1 and fulfilment_order_id = $2",
        params![order, part],
    )?;
    tx.execute(
        "update location_day set given = given - 1 where location_id = $1 and day = $2",
        params![location, day],
    )?;
    Ok(())
}

/// A fulfilment order that a location was given: its order, and itself.
pub type Given = (Id<Order>, Id<FulfilmentOrder>);

/// What a location was given on a day, the newest first, beyond the first so many; at most `limit`.
///
/// # Errors
/// What the store says.
pub fn beyond(
    tx: &mut Tx<'_>,
    (location, day): (Id<Location>, i64),
    (kept, limit): (i64, i64),
) -> Result<Vec<Given>, StoreError> {
    let mut given = tx.rows(
        "select order_id, fulfilment_order_id from capacity_claim where location_id = $1 and day = $2
         order by fulfilment_order_id limit $3",
        params![location, day, kept.saturating_add(limit)],
        |row| Ok((row.id()?, row.id()?)),
    )?;
    let mut beyond = given.split_off(given.len().min(usize::try_from(kept).unwrap_or(0)));
    beyond.reverse();
    Ok(beyond)
}

/// A location, a day, how many it is said to have been given, and how many fulfilment orders there are.
pub type Unequal = (Id<Location>, i64, i64, i64);

/// Days of locations on which they were given another number than there are fulfilment orders: location, day, counted, there.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<Unequal>, StoreError> {
    tx.rows(
        "select location_id, day, cast(sum(given) as {int}), cast(sum(claims) as {int}) from (
            select location_id, day, given, 0 as claims from location_day
            union all
            select location_id, day, 0 as given, 1 as claims from capacity_claim
         ) both_sides group by location_id, day having sum(given) <> sum(claims)",
        &[],
        |row| Ok((row.id()?, row.int()?, row.int()?, row.int()?)),
    )
}
