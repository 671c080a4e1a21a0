//! Programs' keys: making, recognising and revoking them. The secret is handed out once and kept only as a hash.

use domain::actor::key::{KeyKind, KeyToken};
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::value::id::{ApiKey as ApiKeyKind, Channel, Location};
use domain::value::{Id, Instant, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Tx, actor::key as rows};
use subtle::ConstantTimeEq;

pub use store::actor::key::ApiKey;

use crate::event::emit;
use crate::external::known_at;
use crate::{Failure, World};

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// Whether it must be kept secret.
    pub kind: KeyKind,
    /// What it may do; for a storefront key only what [`domain::actor::key::STOREFRONT`] lists.
    pub permissions: Permissions,
    /// The sales channel all its requests come through.
    pub channel: Option<Reference<Channel>>,
    /// Where it may do it; everywhere when `None`.
    pub location: Option<Reference<Location>>,
}

/// Makes a key; answers it with the text to hand out, which nobody can read again.
///
/// # Errors
/// [`Code::Forbidden`] when who asks may not manage access, or lacks himself what the key shall carry.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewKey,
) -> Result<(ApiKey, String), Failure> {
    actor.may(Permission::ManageAccess, None)?;
    let location = new.location.map(|location| known_at(tx, "location", &location)).transpose()?;
    let channel = new.channel.map(|channel| known_at(tx, "channel", &channel)).transpose()?;
    actor.may_give(Grant { location, permissions: new.permissions })?;
    let token = KeyToken { id: world.id(), secret: world.bytes() };
    let key = ApiKey {
        id: token.id,
        name: new.name,
        kind: new.kind,
        secret_hash: Sha256::digest(token.secret).to_vec(),
        permissions: new.permissions,
        channel,
        location,
        made_at: world.now(),
        revoked_at: None,
        last_used_day: None,
    };
    rows::add(tx, &key)?;
    let permissions: Vec<_> = key.permissions.each().map(Permission::text).collect();
    emit(
        tx,
        actor,
        world,
        key.id,
        "api_key.created",
        json!({ "kind": key.kind.text(), "permissions": permissions }),
    );
    Ok((key, token.text()))
}

/// Makes a key invalid from now on. Revoking it again changes nothing.
///
/// # Errors
/// [`Code::NotFound`] when there is no such key.
pub fn revoke(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<ApiKeyKind>,
) -> Result<ApiKey, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    if rows::revoke(tx, id, world.now())? {
        emit(tx, actor, world, id, "api_key.revoked", json!({}));
    }
    find(tx, actor, id)
}

/// One key.
///
/// # Errors
/// [`Code::NotFound`] when there is no such key.
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: Id<ApiKeyKind>) -> Result<ApiKey, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("API key", id))?)
}

/// The keys after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<ApiKeyKind>,
    limit: i64,
) -> Result<Vec<ApiKey>, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The actor behind the text a program sent, and whether this is its first use today (see [`note_use`]).
///
/// # Errors
/// [`Code::SignInFailed`] when it is not a key, or not a valid one any more; never which.
pub fn recognise(tx: &mut Tx<'_>, text: &str, now: Instant) -> Result<(Actor, bool), Failure> {
    let refused = || Refusal::new(Code::SignInFailed, "the key is not valid: it is misspelt or was revoked");
    let key = valid(tx, text)?.ok_or_else(refused)?;
    let grants = vec![Grant { location: key.location, permissions: key.permissions }];
    let first_today = key.last_used_day.is_none_or(|day| day < day_of(now));
    Ok((Actor { who: Who::Key(key.id), channel: key.channel, grants }, first_today))
}

/// The key behind the text a program sent, if it is one and was not revoked.
///
/// # Errors
/// What the store says.
pub fn valid(tx: &mut Tx<'_>, text: &str) -> Result<Option<ApiKey>, Failure> {
    let Some(token) = KeyToken::parse(text) else { return Ok(None) };
    let key = rows::find(tx, token.id)?;
    let same = |key: &ApiKey| Sha256::digest(token.secret).as_slice().ct_eq(&key.secret_hash).into();
    Ok(key.filter(|key| key.revoked_at.is_none()).filter(same))
}

/// Notes that a key is used today.
///
/// # Errors
/// What the store says.
pub fn note_use(tx: &mut Tx<'_>, id: Id<ApiKeyKind>, now: Instant) -> Result<(), Failure> {
    Ok(rows::note_use(tx, id, day_of(now))?)
}

fn day_of(now: Instant) -> i64 {
    now.micros().div_euclid(DAY_MICROS)
}

/// The start of the last day a key was used, in UTC.
pub fn last_used(key: &ApiKey) -> Option<Instant> {
    key.last_used_day.map(|day| Instant::from_micros(day.saturating_mul(DAY_MICROS)))
}
