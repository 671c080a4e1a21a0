//! The rows of exchanges: which return and which new order belong together.

use domain::value::id::{self, Location, Order, Return};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Goods that came back against other goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its identity.
    pub id: Id<id::Exchange>,
    /// The order the old goods were bought with.
    pub order: Id<Order>,
    /// Their return.
    pub taken: Id<Return>,
    /// The order of the new goods.
    pub new_order: Id<Order>,
    /// Where it was done.
    pub location: Id<Location>,
    /// How much of what was paid for the old goods pays for the new ones, in minor units.
    pub carried: i64,
    /// When.
    pub at: Instant,
}

fn exchange(row: &mut Row<'_>) -> Result<Exchange, StoreError> {
    Ok(Exchange {
        id: row.id()?,
        order: row.id()?,
        taken: row.id()?,
        new_order: row.id()?,
        location: row.id()?,
        carried: row.int()?,
        at: row.instant()?,
    })
}

/// Adds an exchange, found by both its orders.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Exchange) -> Result<(), StoreError> {
    tx.execute(
        "insert into exchange (exchange_id, order_id, return_id, new_order_id, location_id, carried, at) values ($1, $2, $3, $4, $5, $6, $7)",
        params![one.id, one.order, one.taken, one.new_order, one.location, one.carried, one.at],
    )?;
    for order in [one.order, one.new_order] {
        tx.execute(
            "insert into exchange_of_order (order_id, exchange_id) values ($1, $2)",
            params![order, one.id],
        )?;
    }
    Ok(())
}

/// An exchange.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Exchange>) -> Result<Option<Exchange>, StoreError> {
    tx.one(
        "select exchange_id, order_id, return_id, new_order_id, location_id, carried, at from exchange where exchange_id = $1",
        params![id],
        exchange,
    )
}

/// The exchanges an order had a part in, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Exchange>, StoreError> {
    tx.rows(
        "select e.exchange_id, e.order_id, e.return_id, e.new_order_id, e.location_id, e.carried, e.at from exchange_of_order o
         join exchange e on e.exchange_id = o.exchange_id where o.order_id = $1 order by e.exchange_id",
        params![order],
        exchange,
    )
}
