//! The rows of what goods wait for that are sold and at no location yet. Goods without a row wait for goods, first come first served.

use domain::routing::profile::{Waiting, Waits};
use domain::value::id::{self, Network, Order};
use domain::value::{Id, Instant};

use super::{FulfilmentOrder, Which, fulfilment_order, lines_of};
use crate::{StoreError, Tx, params};

/// Says what a fulfilment order waits for, in place of what was said before.
///
/// # Errors
/// What the store says.
pub fn set(
    tx: &mut Tx<'_>,
    (of, network): (Which, Id<Network>),
    (waits, until): Waiting,
) -> Result<(), StoreError> {
    if (waits, until) == (Waits::Goods, None) {
        return end(tx, of);
    }
    tx.execute(
        "insert into fulfilment_wait (order_id, fulfilment_order_id, network_id, reason, until) values ($1, $2, $3, $4, $5)
         on conflict (order_id, fulfilment_order_id) do update set reason = excluded.reason, until = excluded.until",
        params![of.0, of.1, network, waits.code(), until],
    )?;
    Ok(())
}

/// A fulfilment order waits for nothing but goods.
///
/// # Errors
/// What the store says.
pub fn end(tx: &mut Tx<'_>, of: Which) -> Result<(), StoreError> {
    tx.execute(
        "delete from fulfilment_wait where order_id = $1 and fulfilment_order_id = $2",
        params![of.0, of.1],
    )?;
    Ok(())
}

/// What the fulfilment orders of an order wait for.
///
/// # Errors
/// What the store says.
pub fn of_order(
    tx: &mut Tx<'_>,
    order: Id<Order>,
) -> Result<Vec<(Id<id::FulfilmentOrder>, Waiting)>, StoreError> {
    tx.rows(
        "select fulfilment_order_id, reason, until from fulfilment_wait where order_id = $1 order by fulfilment_order_id",
        params![order],
        |row| Ok((row.id()?, (row.word(Waits::coded)?, row.instant_or_null()?))),
    )
}

/// The fulfilment orders at no location that wait for something until an instant or earlier, the earliest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(
    tx: &mut Tx<'_>,
    waits: Waits,
    now: Instant,
    limit: i64,
) -> Result<Vec<(Which, Id<Network>, Instant)>, StoreError> {
    tx.rows(
        "select w.order_id, w.fulfilment_order_id, w.network_id, w.until from fulfilment_wait w
         join fulfilment_order f on f.order_id = w.order_id and f.fulfilment_order_id = w.fulfilment_order_id
         where w.reason = $1 and w.until <= $2 and f.state = 5 and f.on_hold is null
         order by w.until, w.network_id, w.fulfilment_order_id limit $3",
        params![waits.code(), now, limit],
        |row| Ok(((row.id()?, row.id()?), row.id()?, row.instant()?)),
    )
}

/// The fulfilment orders at no location after one, at most `limit`, with lines and what they wait for, the longest waiting first. Only
/// those that wait for this, when something is named.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    waits: Option<Waits>,
    after: Id<id::FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<(FulfilmentOrder, Waiting)>, StoreError> {
    let mut found = tx.rows(
        "select coalesce(w.reason, 1), w.until, f.order_id, f.fulfilment_order_id, f.network_id, f.location_id, f.kind, f.state,
             f.on_hold, f.tracking, f.made_at, f.ready_at, f.collect_by, f.left_at, f.later, f.not_before,
             f.promised_from, f.promised_by, f.expected_at
         from fulfilment_order f
         left join fulfilment_wait w on w.order_id = f.order_id and w.fulfilment_order_id = f.fulfilment_order_id
         where f.state in (5, 6) and f.fulfilment_order_id > $1
             and coalesce(w.reason, 1) = coalesce(cast($2 as {int}), coalesce(w.reason, 1))
         order by f.fulfilment_order_id limit $3",
        params![after, waits.map(Waits::code), limit],
        |row| {
            let waiting = (row.word(Waits::coded)?, row.instant_or_null()?);
            Ok((fulfilment_order(row)?, waiting))
        },
    )?;
    for (one, _) in &mut found {
        one.lines = lines_of(tx, one)?;
    }
    Ok(found)
}

/// Forgets what was said of fulfilment orders that wait no more, at most `limit`; how many those were.
///
/// # Errors
/// What the store says.
pub fn forget_over(tx: &mut Tx<'_>, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from fulfilment_wait where (order_id, fulfilment_order_id) in
             (select w.order_id, w.fulfilment_order_id from fulfilment_wait w
              join fulfilment_order f on f.order_id = w.order_id and f.fulfilment_order_id = w.fulfilment_order_id
              where f.state not in (5, 6) limit $1)",
        params![limit],
    )
}
