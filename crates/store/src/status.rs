//! The rows of status links: by whose token a customer follows an order.

use domain::value::id::Order;
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// Adds a link to an order. What expired is forgotten.
///
/// # Errors
/// What the store says.
pub fn add_link(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    order: Id<Order>,
    (made_at, expires_at): (Instant, Instant),
) -> Result<(), StoreError> {
    tx.execute("delete from status_link where order_id = $1 and expires_at <= $2", params![order, made_at])?;
    tx.execute(
        "insert into status_link (token_hash, order_id, made_at, expires_at) values ($1, $2, $3, $4)",
        params![token_hash.as_slice(), order, made_at, expires_at],
    )?;
    Ok(())
}

/// How many links to an order work.
///
/// # Errors
/// What the store says.
pub fn links(tx: &mut Tx<'_>, order: Id<Order>, now: Instant) -> Result<i64, StoreError> {
    let sql = "select cast(count(*) as {int}) from status_link where order_id = $1 and expires_at > $2";
    Ok(tx.one(sql, params![order, now], |row| row.int())?.unwrap_or(0))
}

/// The order a link leads to, as long as it works.
///
/// # Errors
/// What the store says.
pub fn order_of_link(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    now: Instant,
) -> Result<Option<Id<Order>>, StoreError> {
    tx.one(
        "select order_id from status_link where token_hash = $1 and expires_at > $2",
        params![token_hash.as_slice(), now],
        |row| row.id(),
    )
}

/// Withdraws every link to an order: how many there were.
///
/// # Errors
/// What the store says.
pub fn withdraw_links(tx: &mut Tx<'_>, order: Id<Order>) -> Result<usize, StoreError> {
    let gone = tx.execute("delete from status_link where order_id = $1", params![order])?;
    Ok(usize::try_from(gone).unwrap_or(0))
}
