//! The rows of staff.

use domain::value::id::Staff as StaffKind;
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// The identity.
    pub id: Id<StaffKind>,
    /// The member's data key, wrapped by the master key.
    pub wrapped_key: Vec<u8>,
    /// Name and e-mail, sealed under that key.
    pub sealed: Vec<u8>,
    /// The argon2id hash of the password, once one is set.
    pub password_hash: Option<String>,
    /// May the member sign in?
    pub active: bool,
    /// Since when.
    pub made_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn staff(row: &mut Row<'_>) -> Result<Staff, StoreError> {
    Ok(Staff {
        id: row.id()?,
        wrapped_key: row.bytes()?,
        sealed: row.bytes()?,
        password_hash: row.text_or_null()?,
        active: row.yes()?,
        made_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds a member found by the hash of the e-mail; false when another member has it.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, staff: &Staff, email_hash: &[u8; 32]) -> Result<bool, StoreError> {
    let sql = "insert into staff_by_email (hash, staff_id) values ($1, $2) on conflict (hash) do nothing";
    if tx.execute(sql, params![email_hash.as_slice(), staff.id])? == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into staff (staff_id, wrapped_key, sealed, password_hash, active, made_at, version) values ($1, $2, $3, $4, $5, $6, 1)",
        params![
            staff.id,
            &staff.wrapped_key,
            &staff.sealed,
            staff.password_hash.as_deref(),
            staff.active,
            staff.made_at
        ],
    )?;
    Ok(true)
}

/// The member with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<StaffKind>) -> Result<Option<Staff>, StoreError> {
    tx.one(
        "select staff_id, wrapped_key, sealed, password_hash, active, made_at, version from staff where staff_id = $1",
        params![id],
        staff,
    )
}

/// The member with this hash of an e-mail.
///
/// # Errors
/// What the store says.
pub fn find_by_email(tx: &mut Tx<'_>, email_hash: &[u8; 32]) -> Result<Option<Staff>, StoreError> {
    let sql = "select staff_id from staff_by_email where hash = $1";
    let found = tx.one(sql, params![email_hash.as_slice()], |row| row.id())?;
    found.map_or(Ok(None), |id| find(tx, id))
}

/// The members after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<StaffKind>, limit: i64) -> Result<Vec<Staff>, StoreError> {
    tx.rows(
        "select staff_id, wrapped_key, sealed, password_hash, active, made_at, version
         from staff where staff_id > $1 order by staff_id limit $2",
        params![after, limit],
        staff,
    )
}

/// Counts a change and notes whether the member may sign in; false when the member has another version by now.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, id: Id<StaffKind>, version: i64, active: bool) -> Result<bool, StoreError> {
    let sql = "update staff set active = $3, version = version + 1 where staff_id = $1 and version = $2";
    Ok(tx.execute(sql, params![id, version, active])? == 1)
}

/// Sets a password; false when the member does not have the password it was before (`None`: none).
///
/// # Errors
/// What the store says.
pub fn set_password(
    tx: &mut Tx<'_>,
    id: Id<StaffKind>,
    before: Option<&str>,
    after: &str,
) -> Result<bool, StoreError> {
    let sql = "update staff set password_hash = $3 where staff_id = $1 and coalesce(password_hash, '') = $2";
    Ok(tx.execute(sql, params![id, before.unwrap_or_default(), after])? == 1)
}
