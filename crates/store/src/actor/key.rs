//! The rows of programs' keys.

use domain::actor::Permissions;
use domain::actor::key::KeyKind;
use domain::value::id::{ApiKey as ApiKeyKind, Channel, Location};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A program's key to the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its identity.
    pub id: Id<ApiKeyKind>,
    /// What people call it.
    pub name: String,
    /// Whether it must be kept secret.
    pub kind: KeyKind,
    /// The SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub permissions: Permissions,
    /// The sales channel all its requests come through.
    pub channel: Option<Id<Channel>>,
    /// Where it may do it; everywhere when `None`.
    pub location: Option<Id<Location>>,
    /// When it was made.
    pub made_at: Instant,
    /// When it stopped being valid.
    pub revoked_at: Option<Instant>,
    /// The last day it was used, as days since 1970 in UTC.
    pub last_used_day: Option<i64>,
}

fn api_key(row: &mut Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.id()?,
        name: row.text()?,
        kind: KeyKind::coded(row.int()?)
            .ok_or_else(|| StoreError::Corrupt("a key has an unknown kind".into()))?,
        secret_hash: row.bytes()?,
        permissions: Permissions::from_bits(row.int()?),
        channel: row.id_or_null()?,
        location: row.id_or_null()?,
        made_at: row.instant()?,
        revoked_at: row.instant_or_null()?,
        last_used_day: row.int_or_null()?,
    })
}

/// Adds a key.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, key: &ApiKey) -> Result<(), StoreError> {
    tx.execute(
        "insert into api_key (api_key_id, name, kind, secret_hash, permissions, channel_id, location_id, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            key.id,
            &key.name,
            key.kind.code(),
            &key.secret_hash,
            key.permissions.bits(),
            key.channel,
            key.location,
            key.made_at
        ],
    )?;
    Ok(())
}

/// The key with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<ApiKeyKind>) -> Result<Option<ApiKey>, StoreError> {
    tx.one(
        "select api_key_id, name, kind, secret_hash, permissions, channel_id, location_id, made_at, revoked_at, last_used_day
         from api_key where api_key_id = $1",
        params![id],
        api_key,
    )
}

/// The keys after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<ApiKeyKind>, limit: i64) -> Result<Vec<ApiKey>, StoreError> {
    tx.rows(
        "select api_key_id, name, kind, secret_hash, permissions, channel_id, location_id, made_at, revoked_at, last_used_day
         from api_key where api_key_id > $1 order by api_key_id limit $2",
        params![after, limit],
        api_key,
    )
}

/// Makes a key invalid; false when it was so before.
///
/// # Errors
/// What the store says.
pub fn revoke(tx: &mut Tx<'_>, id: Id<ApiKeyKind>, now: Instant) -> Result<bool, StoreError> {
    let sql = "update api_key set revoked_at = $2 where api_key_id = $1 and revoked_at is null";
    Ok(tx.execute(sql, params![id, now])? == 1)
}

/// Notes that a key was used on a day.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, id: Id<ApiKeyKind>, day: i64) -> Result<(), StoreError> {
    let sql = "update api_key set last_used_day = $2 where api_key_id = $1 and (last_used_day is null or last_used_day < $2)";
    tx.execute(sql, params![id, day])?;
    Ok(())
}
