//! The rows of customers who sign in: codes that were mailed, and sessions, found by the hash of what only the browser holds.

pub mod passkey;
pub mod sign_on;

use domain::value::id::{Channel, Customer, Merge, Session as SessionKind, SignInCode};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A code that was mailed to an address. Its digits follow from its id and the master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Its identity.
    pub id: Id<SignInCode>,
    /// When it was made.
    pub made_at: Instant,
    /// From when on it does not work.
    pub expires_at: Instant,
    /// How many wrong ones were heard in its place.
    pub tries: i64,
    /// When somebody signed in by it.
    pub used_at: Option<Instant>,
}

/// A sign-in of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identity.
    pub id: Id<SessionKind>,
    /// Who signed in.
    pub customer: Id<Customer>,
    /// Through which channel.
    pub channel: Id<Channel>,
    /// When.
    pub made_at: Instant,
    /// When it was last used, give or take an hour.
    pub used_at: Instant,
}

/// Adds a code for the address with this hash.
///
/// # Errors
/// What the store says.
pub fn add_code(tx: &mut Tx<'_>, hash: &[u8; 32], code: &Code) -> Result<(), StoreError> {
    tx.execute(
        "insert into sign_in_code (hash, code_id, made_at, expires_at, tries) values ($1, $2, $3, $4, $5)",
        params![&hash[..], code.id, code.made_at, code.expires_at, code.tries],
    )?;
    Ok(())
}

/// The codes mailed to an address since an instant, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn codes(tx: &mut Tx<'_>, hash: &[u8; 32], since: Instant, limit: i64) -> Result<Vec<Code>, StoreError> {
    tx.rows(
        "select code_id, made_at, expires_at, tries, used_at from sign_in_code
         where hash = $1 and made_at > $2 order by code_id desc limit $3",
        params![&hash[..], since, limit],
        |row| {
            Ok(Code {
                id: row.id()?,
                made_at: row.instant()?,
                expires_at: row.instant()?,
                tries: row.int()?,
                used_at: row.instant_or_null()?,
            })
        },
    )
}

/// Notes a wrong code in place of this one; false when too many were heard or it was used.
///
/// # Errors
/// What the store says.
pub fn try_code(tx: &mut Tx<'_>, hash: &[u8; 32], id: Id<SignInCode>, most: i64) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update sign_in_code set tries = tries + 1 where hash = $1 and code_id = $2 and used_at is null and tries < $3",
        params![&hash[..], id, most],
    )?;
    Ok(noted == 1)
}

/// Uses a code; false when it was used before or too many wrong ones were heard.
///
/// # Errors
/// What the store says.
pub fn use_code(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    (id, most): (Id<SignInCode>, i64),
    now: Instant,
) -> Result<bool, StoreError> {
    let used = tx.execute(
        "update sign_in_code set used_at = $3 where hash = $1 and code_id = $2 and used_at is null and tries < $4",
        params![&hash[..], id, now, most],
    )?;
    Ok(used == 1)
}

/// Forgets codes that expired before an instant, at most `limit`; how many.
///
/// # Errors
/// What the store says.
pub fn forget_codes(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<(Vec<u8>, Id<SignInCode>)> = tx.rows(
        "select hash, code_id from sign_in_code where expires_at < $1 order by expires_at limit $2",
        params![before, limit],
        |row| Ok((row.bytes()?, row.id()?)),
    )?;
    for (hash, id) in &old {
        tx.execute("delete from sign_in_code where hash = $1 and code_id = $2", params![&hash[..], *id])?;
    }
    Ok(old.len())
}

/// Adds a session.
///
/// # Errors
/// What the store says.
pub fn add_session(tx: &mut Tx<'_>, token_hash: &[u8; 32], session: &Session) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_session (token_hash, session_id, customer_id, channel_id, made_at, used_at) values ($1, $2, $3, $4, $5, $6)",
        params![
            &token_hash[..],
            session.id,
            session.customer,
            session.channel,
            session.made_at,
            session.used_at
        ],
    )?;
    Ok(())
}

fn session(row: &mut Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.id()?,
        customer: row.id()?,
        channel: row.id()?,
        made_at: row.instant()?,
        used_at: row.instant()?,
    })
}

/// The session with this hash, unless its customer was erased; of whoever the customer was merged into.
///
/// # Errors
/// What the store says.
pub fn find_session(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    tx.one(
        "select s.session_id, coalesce(c.merged_into, s.customer_id), s.channel_id, s.made_at, s.used_at from customer_session s
         join customer c on c.customer_id = s.customer_id where s.token_hash = $1 and c.erased_at is null",
        params![&token_hash[..]],
        session,
    )
}

/// Notes that a session is used.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, token_hash: &[u8; 32], now: Instant) -> Result<(), StoreError> {
    let sql = "update customer_session set used_at = $2 where token_hash = $1 and used_at < $2";
    tx.execute(sql, params![&token_hash[..], now])?;
    Ok(())
}

/// The sessions of these customers, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn sessions_of(tx: &mut Tx<'_>, of: &[[u8; 16]], limit: i64) -> Result<Vec<Session>, StoreError> {
    tx.rows(
        "select session_id, customer_id, channel_id, made_at, used_at from customer_session where customer_id {in ids $1}
         order by session_id desc limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        session,
    )
}

/// Ends a session; false when there was none.
///
/// # Errors
/// What the store says.
pub fn end_session(tx: &mut Tx<'_>, token_hash: &[u8; 32]) -> Result<bool, StoreError> {
    let sql = "delete from customer_session where token_hash = $1";
    Ok(tx.execute(sql, params![&token_hash[..]])? == 1)
}

/// Ends all sessions of a customer.
///
/// # Errors
/// What the store says.
pub fn end_all(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), StoreError> {
    tx.execute("delete from customer_session where customer_id = $1", params![customer])?;
    Ok(())
}

/// Ends the sessions of these customers that were opened since a merge; how many.
///
/// # Errors
/// What the store says.
pub fn end_since(tx: &mut Tx<'_>, of: &[[u8; 16]], merge: Id<Merge>) -> Result<u64, StoreError> {
    let sql = "delete from customer_session where customer_id {in ids $1} and session_id > $2";
    tx.execute(sql, &[Param::Ids(of), Param::Id(merge.bytes())])
}

/// Forgets sessions that were not used since an instant, at most `limit`; how many.
///
/// # Errors
/// What the store says.
pub fn forget_sessions(tx: &mut Tx<'_>, since: Instant, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<Vec<u8>> = tx.rows(
        "select token_hash from customer_session where used_at < $1 order by used_at limit $2",
        params![since, limit],
        |row| row.bytes(),
    )?;
    for hash in &old {
        tx.execute("delete from customer_session where token_hash = $1", params![&hash[..]])?;
    }
    Ok(old.len())
}
