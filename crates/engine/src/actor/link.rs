//! Links that work once within a day: by one the first owner sets up the shop, by others members of staff set their passwords.

use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::role::OWNER;
use domain::actor::{Actor, Who};
use domain::value::id::Staff as StaffKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::Tx;
use store::actor::role::Held;
use store::actor::{link as rows, role as role_rows, session as session_rows, staff as staff_rows};

use super::session::{Opened, open};
use super::staff::{Name, add, member};
use super::{role, session};
use crate::event::emit;
use crate::{Failure, Keyring, World};

/// How long a link works.
const LINK_SECONDS: i64 = 24 * 3600;

/// The token of a new set-up link, for `http://…/setup?token=…`; `None` when the shop has an owner. Links made before no longer work.
///
/// # Errors
/// What the store says.
pub fn setup_token(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<Option<String>, Failure> {
    role::make_built_in(tx, actor, world)?;
    if role_rows::holders(tx, OWNER)? > 0 {
        return Ok(None);
    }
    Ok(Some(make(tx, world, None)?))
}

/// The token of a link by which a member sets a password.
pub(super) fn invite(tx: &mut Tx<'_>, world: &mut World, staff: Id<StaffKind>) -> Result<String, Failure> {
    make(tx, world, Some(staff))
}

/// For whom the link is, before anything costly is done for it: `None` is the first owner, else the member with his e-mail.
///
/// # Errors
/// [`Code::SignInFailed`] when the link was used, is too old or never was.
pub fn check(tx: &mut Tx<'_>, keyring: &Keyring, token: &str, now: Instant) -> Result<Option<Name>, Failure> {
    let hash = hash_of(token).ok_or_else(refused)?;
    let staff = rows::find(tx, &hash, now)?.ok_or_else(refused)?;
    staff.map(|id| Ok(member(tx, keyring, id)?.name)).transpose()
}

/// Sets up the shop: makes the first owner and signs him in.
///
/// # Errors
/// As [`check`], and [`Code::WrongState`] when the shop has an owner.
pub fn set_up(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    name: &Name,
    password_hash: &str,
) -> Result<Opened, Failure> {
    role_rows::lock(tx, OWNER)?;
    let link = hash_of(token).ok_or_else(refused)?;
    if rows::find(tx, &link, world.now())? != Some(None) || !rows::take(tx, &link, world.now())? {
        return Err(refused().into());
    }
    if role_rows::holders(tx, OWNER)? > 0 {
        return Err(Refusal::new(
            Code::WrongState,
            "the shop has an owner already; ask him for an invitation",
        )
        .into());
    }
    let id = add(tx, world, name, Some(password_hash.to_owned()))?;
    let owner = role_rows::find_by_code(tx, OWNER)?.ok_or_else(|| Refusal::not_found("role", OWNER))?;
    role_rows::give(tx, id, Held { role: owner.id, location: None })?;
    emit(tx, &itself(id), world, id, "staff.set_up", json!({ "role": owner.id.to_string() }));
    open(tx, world, id)
}

/// Sets a member's password by a link, ends his other sessions and signs him in.
///
/// # Errors
/// As [`check`], and [`Code::SignInFailed`] when the member may not sign in.
pub fn accept(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    password_hash: &str,
) -> Result<Opened, Failure> {
    let link = hash_of(token).ok_or_else(refused)?;
    let id = rows::find(tx, &link, world.now())?.flatten().ok_or_else(refused)?;
    let row = staff_rows::find(tx, id)?.filter(|row| row.active).ok_or_else(refused)?;
    let set = staff_rows::set_password(tx, id, row.password_hash.as_deref(), password_hash)?;
    if !set || !rows::take(tx, &link, world.now())? {
        return Err(refused().into());
    }
    session_rows::end_others(tx, id, &[0; 32])?;
    emit(tx, &itself(id), world, id, "staff.password_set", json!({}));
    session::open(tx, world, id)
}

/// The member as actor of what concerns only himself.
pub(super) fn itself(id: Id<StaffKind>) -> Actor {
    Actor { who: Who::Staff(id), channel: None, grants: Vec::new() }
}

fn make(tx: &mut Tx<'_>, world: &mut World, staff: Option<Id<StaffKind>>) -> Result<String, Failure> {
    let token = world.bytes();
    rows::add(tx, &Sha256::digest(token).into(), staff, world.now().plus_seconds(LINK_SECONDS))?;
    Ok(hexadecimal(&token))
}

fn hash_of(token: &str) -> Option<[u8; 32]> {
    from_hexadecimal(token).map(|token| Sha256::digest(token).into())
}

fn refused() -> Refusal {
    let why = "the link was used, is older than a day or was copied in part; ask for a new one (the first owner starts tandem again)";
    Refusal::new(Code::SignInFailed, why)
}
