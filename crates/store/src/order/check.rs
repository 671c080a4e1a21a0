//! What does not fit together in the order book: found when the books are checked.

use domain::value::{Id, id};

use crate::{StoreError, Tx};

/// Orders whose own sums do not agree with their lines: lines and delivery against gross, cancelled and returned against the lines' units.
///
/// # Errors
/// What the store says.
pub fn unequal_sums(tx: &mut Tx<'_>) -> Result<Vec<(Id<id::Order>, i64, i64)>, StoreError> {
    tx.rows(
        "select o.order_id, o.gross, cast(o.delivery_gross + coalesce(sum(l.gross), 0) as {int}) from order_head o
         left join order_line l on l.order_id = o.order_id group by o.order_id, o.gross, o.delivery_gross, o.net, o.tax
         having o.gross <> o.delivery_gross + coalesce(sum(l.gross), 0) or o.gross <> o.net + o.tax",
        &[],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Orders that are fulfilled, cancelled or expired but whose goods say otherwise: completed or cancelled with something still open.
///
/// # Errors
/// What the store says.
pub fn ended_with_open_goods(tx: &mut Tx<'_>) -> Result<Vec<Id<id::Order>>, StoreError> {
    tx.rows(
        "select distinct o.order_id from order_head o join fulfilment_order f on f.order_id = o.order_id where o.state in (3, 4)
             and f.state in (1, 5, 6, 7, 8, 9, 10, 13)",
        &[],
        |row| row.id(),
    )
}

/// Orders for which money was kept beyond what is owed, though nothing is on its way back: order, kept, owed.
///
/// # Errors
/// What the store says.
pub fn overpaid(tx: &mut Tx<'_>) -> Result<Vec<(Id<id::Order>, i64, i64)>, StoreError> {
    tx.rows(
        "select o.order_id, cast(sum(p.captured - p.refunded - p.carried - p.refunding) as {int}), o.gross - o.cancelled - o.returned from order_head o
         join payment p on p.order_id = o.order_id group by o.order_id, o.gross, o.cancelled, o.returned
         having sum(p.captured - p.refunded - p.carried - p.refunding) > o.gross - o.cancelled - o.returned",
        &[],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
