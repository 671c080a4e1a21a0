//! The rows of addresses that are not written to: only a keyed hash is kept, which names nobody.

use domain::message::Suppressed;
use domain::value::Instant;

use crate::{StoreError, Tx, params};

/// Puts an address on the list; the first reason stays unless the new one is stricter, a smaller number.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, hash: &[u8; 32], reason: Suppressed, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into suppression (hash, reason, at) values ($1, $2, $3)
         on conflict (hash) do update set reason = excluded.reason, at = excluded.at where suppression.reason > excluded.reason",
        params![&hash[..], reason.code(), now],
    )?;
    Ok(())
}

/// Why an address is not written to, and since when; `None` when it is.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<(Suppressed, Instant)>, StoreError> {
    tx.one("select reason, at from suppression where hash = $1", params![&hash[..]], |row| {
        Ok((row.word(Suppressed::coded)?, row.instant()?))
    })
}

/// Takes an address off the list; false when it was not there.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from suppression where hash = $1", params![&hash[..]])? == 1)
}
