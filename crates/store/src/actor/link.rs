//! The rows of links that work once: for the first owner, and for members who set a password.

use domain::value::id::Staff;
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// Adds a link in place of those given before for the same member (`None`: for the first owner).
///
/// # Errors
/// What the store says.
pub fn add(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    staff: Option<Id<Staff>>,
    expires_at: Instant,
) -> Result<(), StoreError> {
    let nobody = Id::from_bytes([0; 16]);
    let sql = "delete from access_link where coalesce(staff_id, $2) = $1";
    tx.execute(sql, params![staff.unwrap_or(nobody), nobody])?;
    let sql = "insert into access_link (token_hash, staff_id, expires_at) values ($1, $2, $3)";
    tx.execute(sql, params![token_hash.as_slice(), staff, expires_at])?;
    Ok(())
}

/// For whom a link is (`None` inside: the first owner), if it can still be used.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
    now: Instant,
) -> Result<Option<Option<Id<Staff>>>, StoreError> {
    tx.one(
        "select staff_id from access_link where token_hash = $1 and used_at is null and expires_at > $2",
        params![token_hash.as_slice(), now],
        |row| row.id_or_null(),
    )
}

/// Uses a link; false when it was used meanwhile.
///
/// # Errors
/// What the store says.
pub fn take(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Instant) -> Result<bool, StoreError> {
    let sql =
        "update access_link set used_at = $2 where token_hash = $1 and used_at is null and expires_at > $2";
    Ok(tx.execute(sql, params![token_hash.as_slice(), now])? == 1)
}
