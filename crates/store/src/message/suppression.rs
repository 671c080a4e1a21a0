//! The rows of addresses that are not written to: only a keyed hash is kept, which names nobody.

use domain::message::Suppressed;
use domain::value::Instant;

use crate::{StoreError, Tx, params};

/// Puts an address on the list; the first reason stays unless the new one is stricter, a smaller number. When whoever had it was erased
/// last is kept whatever the reason.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, hash: &[u8; 32], reason: Suppressed, now: Instant) -> Result<(), StoreError> {
    let erased_at = (reason == Suppressed::Erased).then_some(now);
    tx.execute(
        "insert into suppression (hash, reason, at, erased_at) values ($1, $2, $3, $4)
         on conflict (hash) do update set erased_at = coalesce(excluded.erased_at, suppression.erased_at),
             at = case when suppression.reason > excluded.reason then excluded.at else suppression.at end,
             reason = case when suppression.reason > excluded.reason then excluded.reason else suppression.reason end",
        params![&hash[..], reason.code(), now, erased_at],
    )?;
    Ok(())
}

/// When whoever had an address was erased last; `None` when nobody was.
///
/// # Errors
/// What the store says.
pub fn erased_at(tx: &mut Tx<'_>, hash: &[u8]) -> Result<Option<Instant>, StoreError> {
    let found = tx.one("select erased_at from suppression where hash = $1", params![hash], |row| {
        row.instant_or_null()
    })?;
    Ok(found.flatten())
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
