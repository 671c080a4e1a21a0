//! The rows of sessions: who signed in, found by the hash of what only the browser holds.

use domain::value::id::{Session as SessionKind, Staff};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A sign-in of a member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identity.
    pub id: Id<SessionKind>,
    /// Who signed in.
    pub staff: Id<Staff>,
    /// When.
    pub made_at: Instant,
    /// When it was last used, give or take a few minutes.
    pub used_at: Instant,
}

fn session(row: &mut Row<'_>) -> Result<Session, StoreError> {
    Ok(Session { id: row.id()?, staff: row.id()?, made_at: row.instant()?, used_at: row.instant()? })
}

/// Adds a session.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, token_hash: &[u8; 32], session: &Session) -> Result<(), StoreError> {
    tx.execute(
        "insert into session (token_hash, session_id, staff_id, made_at, used_at) values ($1, $2, $3, $4, $5)",
        params![token_hash.as_slice(), session.id, session.staff, session.made_at, session.used_at],
    )?;
    Ok(())
}

/// The session with this hash, if its member may sign in.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    tx.one(
        "select session.session_id, session.staff_id, session.made_at, session.used_at
         from session join staff on staff.staff_id = session.staff_id
         where session.token_hash = $1 and staff.active = 1",
        params![token_hash.as_slice()],
        session,
    )
}

/// Notes that a session is used.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Instant) -> Result<(), StoreError> {
    let sql = "update session set used_at = $2 where token_hash = $1 and used_at < $2";
    tx.execute(sql, params![token_hash.as_slice(), now])?;
    Ok(())
}

/// Ends a session; false when there was none.
///
/// # Errors
/// What the store says.
pub fn end(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from session where token_hash = $1", params![token_hash.as_slice()])? == 1)
}

/// Ends all sessions of a member but one.
///
/// # Errors
/// What the store says.
pub fn end_others(tx: &mut Tx<'_>, staff: Id<Staff>, kept: &[u8; 32]) -> Result<(), StoreError> {
    let sql = "delete from session where staff_id = $1 and token_hash <> $2";
    tx.execute(sql, params![staff, kept.as_slice()])?;
    Ok(())
}

/// Forgets the sessions of a member that were made or last used too long ago.
///
/// # Errors
/// What the store says.
pub fn forget_old(
    tx: &mut Tx<'_>,
    staff: Id<Staff>,
    made_before: Instant,
    used_before: Instant,
) -> Result<(), StoreError> {
    let sql = "delete from session where staff_id = $1 and (made_at <= $2 or used_at <= $3)";
    tx.execute(sql, params![staff, made_before, used_before])?;
    Ok(())
}
