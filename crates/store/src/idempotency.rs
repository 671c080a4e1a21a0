//! Answers already given: a command that comes again with the same key gets the same answer and changes nothing.

use domain::value::Instant;

use crate::{StoreError, Tx, params};

/// What claiming a key found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody used it before; it is ours until the commit.
    New,
    /// The command was done before with the same input.
    Answered {
        /// The status that was answered.
        status: i64,
        /// The body that was answered.
        answer: String,
    },
    /// It was used before with another input.
    OtherInput,
}

/// Claims a key before anything else happens. Somebody who is just using the same key is waited for.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, key_hash: &[u8], input_hash: &[u8], now: Instant) -> Result<Claim, StoreError> {
    let made = tx.execute("insert into idempotency (key_hash, input_hash, at) values ($1, $2, $3) on conflict (key_hash) do nothing", params![key_hash, input_hash, now])?;
    if made == 1 {
        return Ok(Claim::New);
    }
    let found = tx.one(
        "select input_hash, status, answer from idempotency where key_hash = $1",
        params![key_hash],
        |row| Ok((row.bytes()?, row.int_or_null()?, row.text_or_null()?)),
    )?;
    match found {
        Some((hash, Some(status), Some(answer))) if hash == input_hash => {
            Ok(Claim::Answered { status, answer })
        }
        Some((hash, ..)) if hash != input_hash => Ok(Claim::OtherInput),
        _ => Err(StoreError::Conflict),
    }
}

/// Records the answer under the claimed key.
///
/// # Errors
/// What the store says.
pub fn record(tx: &mut Tx<'_>, key_hash: &[u8], status: i64, answer: &str) -> Result<(), StoreError> {
    tx.execute(
        "update idempotency set status = $2, answer = $3 where key_hash = $1",
        params![key_hash, status, answer],
    )?;
    Ok(())
}

/// Forgets answers older than an instant, at most `limit` of them; answers how many.
///
/// # Errors
/// What the store says.
pub fn forget_before(tx: &mut Tx<'_>, instant: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute("delete from idempotency where key_hash in (select key_hash from idempotency where at < $1 order by at limit $2)", params![instant, limit])
}
