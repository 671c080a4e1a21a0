//! Fulfilment orders at no location: which can be served, who waits how long for what, and what each was promised.

use domain::stock::selling::Later;
use domain::value::id::{FulfilmentOrder, Location, Network, Order, Variant};
use domain::value::{Id, Instant};

use super::{Promised, Which};
use crate::{Param, Row, StoreError, Tx, params};

/// The fulfilment orders at no location that nobody holds, that wait for goods alone and of which some location has something, the longest waiting first, after
/// one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn servable(
    tx: &mut Tx<'_>,
    now: Instant,
    after: Id<FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select f.order_id, f.fulfilment_order_id from fulfilment_order f
         where f.state = 5 and f.fulfilment_order_id > $2 and f.on_hold is null and (f.not_before is null or f.not_before <= $1)
             and not exists (
                 select 1 from fulfilment_wait w
                 where w.order_id = f.order_id and w.fulfilment_order_id = f.fulfilment_order_id and w.reason in (2, 3))
             and exists (
                 select 1 from fulfilment_line l join account a on a.book_id = l.variant_id and a.state = 1 and a.amount > 0
                 where l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id and l.quantity > 0)
         order by f.fulfilment_order_id limit $3",
        params![now, after, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// How many pieces of each of these variants wait longer on a network than a fulfilment order: those sold from what was there, and those
/// sold beyond it.
///
/// # Errors
/// What the store says.
pub fn ahead(
    tx: &mut Tx<'_>,
    (network, before): (Id<Network>, Id<FulfilmentOrder>),
    variants: &[[u8; 16]],
) -> Result<Vec<(Id<Variant>, i64, i64)>, StoreError> {
    tx.rows(
        "select l.variant_id, cast(sum(case when f.later is null then l.quantity else 0 end) as {int}),
             cast(sum(case when f.later is null then 0 else l.quantity end) as {int})
         from fulfilment_line l
         join fulfilment_order f on f.order_id = l.order_id and f.fulfilment_order_id = l.fulfilment_order_id
         where l.waits = 1 and l.variant_id {in ids $1} and l.fulfilment_order_id < $3 and f.network_id = $2
         group by l.variant_id",
        &[Param::Ids(variants), network.into(), before.into()],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Pieces of a variant that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of which order.
    pub order: Id<Order>,
    /// Of which fulfilment order.
    pub id: Id<FulfilmentOrder>,
    /// Where they are collected, when the customer collects them.
    pub location: Option<Id<Location>>,
    /// How many.
    pub quantity: i64,
    /// How they were sold, when they were not there.
    pub later: Option<Later>,
    /// Before this instant they do not leave.
    pub not_before: Option<Instant>,
    /// Since when they wait.
    pub since: Instant,
    /// What the customer was promised.
    pub promised: Promised,
}

fn waiting(row: &mut Row<'_>) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        order: row.id()?,
        id: row.id()?,
        location: row.id_or_null()?,
        quantity: row.int()?,
        later: row.word_or_null(Later::coded)?,
        not_before: row.instant_or_null()?,
        since: row.instant()?,
        promised: Promised { from: row.instant_or_null()?, by: row.instant_or_null()? },
    })
}

/// Who waits for a variant after one, the longest waiting first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn queue(
    tx: &mut Tx<'_>,
    variant: Id<Variant>,
    after: Id<FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    tx.rows(
        "select f.order_id, f.fulfilment_order_id, o.location_id, l.quantity, f.later, f.not_before, f.made_at, f.promised_from, f.promised_by
         from (select order_id, fulfilment_order_id, cast(sum(quantity) as {int}) as quantity from fulfilment_line
               where waits = 1 and variant_id = $1 and fulfilment_order_id > $2
               group by order_id, fulfilment_order_id order by fulfilment_order_id limit $3) l
         join fulfilment_order f on f.order_id = l.order_id and f.fulfilment_order_id = l.fulfilment_order_id
         join order_head o on o.order_id = f.order_id
         order by f.fulfilment_order_id",
        params![variant, after, limit],
        waiting,
    )
}

/// How many pieces of a variant wait up to a fulfilment order, itself among them.
///
/// # Errors
/// What the store says.
pub fn pieces_up_to(
    tx: &mut Tx<'_>,
    variant: Id<Variant>,
    last: Id<FulfilmentOrder>,
) -> Result<i64, StoreError> {
    let sum = tx.one(
        "select cast(coalesce(sum(quantity), 0) as {int}) from fulfilment_line
         where waits = 1 and variant_id = $1 and fulfilment_order_id <= $2",
        params![variant, last],
        |row| row.int(),
    )?;
    Ok(sum.unwrap_or(0))
}

/// Writes what the customer was promised of a fulfilment order.
///
/// # Errors
/// What the store says.
pub fn promise(tx: &mut Tx<'_>, (order, id): Which, promised: Promised) -> Result<(), StoreError> {
    tx.execute(
        "update fulfilment_order set promised_from = $3, promised_by = $4 where order_id = $1 and fulfilment_order_id = $2",
        params![order, id, promised.from, promised.by],
    )?;
    Ok(())
}
