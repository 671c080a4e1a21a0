//! Staff: who works here, what each may do where, and who may still sign in. Names and e-mails are sealed under each member's own key.

use domain::actor::role::OWNER;
use domain::actor::{Actor, Grant, Permission};
use domain::value::id::{Location, Role as RoleKind, Staff as StaffKind};
use domain::value::{Email, Id, Instant, Reference};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::actor::role::Held;
use store::actor::staff::Staff;
use store::actor::{role as role_rows, staff as rows};
use store::{StoreError, Tx};

use super::{link, role};
use crate::event::emit;
use crate::external::known_at;
use crate::{Failure, Keyring, World};

/// Who somebody is: a name and the e-mail to sign in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// What colleagues call the member.
    pub name: String,
    /// The e-mail to sign in with.
    pub email: Email,
}

/// A role to be held at a place.
#[derive(Clone, Debug)]
pub struct NewHeld {
    /// The role, by id or code.
    pub role: Reference<RoleKind>,
    /// Where; everywhere when `None`.
    pub location: Option<Reference<Location>>,
}

/// A member of staff, as those see who manage access.
#[derive(Clone)]
pub struct Member {
    /// The identity.
    pub id: Id<StaffKind>,
    /// Name and e-mail.
    pub name: Name,
    /// The roles held.
    pub roles: Vec<Held>,
    /// May the member sign in?
    pub active: bool,
    /// Has the member set a password?
    pub has_password: bool,
    /// Since when.
    pub made_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Takes a member on; answers with a token that works once within a day, by which the member sets a password.
///
/// # Errors
/// [`Code::AlreadyExists`] when a member has the e-mail; [`Code::Forbidden`] when who asks lacks what the roles allow.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    name: Name,
    roles: &[NewHeld],
) -> Result<(Member, String), Failure> {
    actor.may(Permission::ManageAccess, None)?;
    let held = resolve_roles(tx, actor, roles)?;
    let id = add(tx, world, &name, None)?;
    for one in held {
        role_rows::give(tx, id, one)?;
    }
    tell(tx, actor, world, id, "staff.created")?;
    let token = link::invite(tx, world, id)?;
    Ok((member(tx, world.keyring(), id)?, token))
}

/// Gives a member other roles, in place of all before.
///
/// # Errors
/// [`Code::Stale`] when the member was changed meanwhile; [`Code::Forbidden`] when who asks lacks what the member may do or shall;
/// [`Code::WrongState`] when no owner would be left.
pub fn set_roles(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<StaffKind>, i64),
    roles: &[NewHeld],
) -> Result<Member, Failure> {
    let before = changeable(tx, actor, id)?;
    let held = resolve_roles(tx, actor, roles)?;
    let owners = lock_owners(tx)?;
    if !rows::change(tx, id, version, before.active)? {
        return Err(role::stale("the member").into());
    }
    role_rows::take_all(tx, id)?;
    for one in held {
        role_rows::give(tx, id, one)?;
    }
    keep_an_owner(tx, owners)?;
    tell(tx, actor, world, id, "staff.roles_set")?;
    member(tx, world.keyring(), id)
}

/// Lets a member sign in again, or no more; in the latter case every session ends at once.
///
/// # Errors
/// As [`set_roles`].
pub fn set_active(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<StaffKind>,
    active: bool,
) -> Result<Member, Failure> {
    let before = changeable(tx, actor, id)?;
    if before.active != active {
        let owners = lock_owners(tx)?;
        if !rows::change(tx, id, before.version, active)? {
            return Err(role::stale("the member").into());
        }
        keep_an_owner(tx, owners)?;
        store::actor::session::end_others(tx, id, &[0; 32])?;
        tell(tx, actor, world, id, if active { "staff.activated" } else { "staff.deactivated" })?;
    }
    member(tx, world.keyring(), id)
}

/// A new token by which a member sets a password, such as after having forgotten it. Those given before no longer work.
///
/// # Errors
/// [`Code::Forbidden`] when who asks lacks what the member may do: else he could sign in as the member.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<StaffKind>,
) -> Result<String, Failure> {
    changeable(tx, actor, id)?;
    emit(tx, actor, world, id, "staff.invited", json!({}));
    link::invite(tx, world, id)
}

/// One member.
///
/// # Errors
/// [`Code::NotFound`] when there is no such member.
pub fn find(tx: &mut Tx<'_>, actor: &Actor, keyring: &Keyring, id: Id<StaffKind>) -> Result<Member, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    member(tx, keyring, id)
}

/// The members after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`] without the permission to manage access.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    keyring: &Keyring,
    after: Id<StaffKind>,
    limit: i64,
) -> Result<Vec<Member>, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    let found = rows::list(tx, after, limit)?;
    found.into_iter().map(|row| shown(tx, keyring, row)).collect()
}

/// Who somebody is, for himself.
pub(super) fn member(tx: &mut Tx<'_>, keyring: &Keyring, id: Id<StaffKind>) -> Result<Member, Failure> {
    let row = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("staff member", id))?;
    shown(tx, keyring, row)
}

/// Adds a member with a sealed name.
pub(super) fn add(
    tx: &mut Tx<'_>,
    world: &mut World,
    name: &Name,
    password_hash: Option<String>,
) -> Result<Id<StaffKind>, Failure> {
    let id: Id<StaffKind> = world.id();
    let (chance, nonce, second_nonce) = (world.bytes(), world.bytes(), world.bytes());
    let (key, wrapped_key) = world.keyring().new_data_key(chance, nonce, &id.bytes());
    let written = json!({ "name": name.name, "email": name.email.as_str() }).to_string();
    let sealed = key.seal(second_nonce, written.as_bytes(), &id.bytes());
    let row =
        Staff { id, wrapped_key, sealed, password_hash, active: true, made_at: world.now(), version: 1 };
    if !rows::add(tx, &row, &email_hash(world.keyring(), &name.email))? {
        let why = "a member of staff with this e-mail exists already";
        return Err(Refusal::new(Code::AlreadyExists, why).at("email").into());
    }
    Ok(id)
}

/// The hash a member is found by at sign-in.
pub fn email_hash(keyring: &Keyring, email: &Email) -> [u8; 32] {
    keyring.lookup_hash("staff email", &email.lookup_form())
}

fn shown(tx: &mut Tx<'_>, keyring: &Keyring, row: Staff) -> Result<Member, Failure> {
    let corrupt =
        || StoreError::Corrupt(format!("the name of {} cannot be opened with this master key", row.id));
    let key = keyring.unwrap_data_key(&row.wrapped_key, &row.id.bytes()).ok_or_else(corrupt)?;
    let text = key.open(&row.sealed, &row.id.bytes()).ok_or_else(corrupt)?;
    let read: Value = serde_json::from_slice(&text).map_err(|_| corrupt())?;
    let email = read["email"].as_str().and_then(|email| Email::parse(email).ok()).ok_or_else(corrupt)?;
    let name = Name { name: read["name"].as_str().unwrap_or_default().to_owned(), email };
    let roles = role_rows::held_by(tx, row.id)?;
    let has_password = row.password_hash.is_some();
    Ok(Member {
        id: row.id,
        name,
        roles,
        active: row.active,
        has_password,
        made_at: row.made_at,
        version: row.version,
    })
}

/// The roles asked for, if who asks may give them.
fn resolve_roles(tx: &mut Tx<'_>, actor: &Actor, roles: &[NewHeld]) -> Result<Vec<Held>, Failure> {
    let mut held = Vec::new();
    for (place, new) in roles.iter().enumerate() {
        let found = role::named(tx, &format!("roles.{place}.role"), &new.role)?;
        let at = format!("roles.{place}.location");
        let location = new.location.as_ref().map(|location| known_at(tx, &at, location)).transpose()?;
        actor.may_give(Grant { location, permissions: found.permissions })?;
        held.push(Held { role: found.id, location });
    }
    Ok(held)
}

/// The member, if who asks may change it: he must be able to do all that the member can.
fn changeable(tx: &mut Tx<'_>, actor: &Actor, id: Id<StaffKind>) -> Result<Staff, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    let row = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("staff member", id))?;
    for grant in role_rows::grants_of(tx, id)? {
        actor.may_give(grant)?;
    }
    Ok(row)
}

/// How many owners there are; nobody else changes that until the commit.
fn lock_owners(tx: &mut Tx<'_>) -> Result<i64, Failure> {
    role_rows::lock(tx, OWNER)?;
    Ok(role_rows::holders(tx, OWNER)?)
}

fn keep_an_owner(tx: &mut Tx<'_>, before: i64) -> Result<(), Failure> {
    if before > 0 && role_rows::holders(tx, OWNER)? == 0 {
        let why = "this is the last owner who can sign in; make somebody else an owner first";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    Ok(())
}

/// Tells what a member may do now.
fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<StaffKind>,
    kind: &'static str,
) -> Result<(), Failure> {
    let held = role_rows::held_by(tx, id)?;
    let shape = |one: &Held| json!({ "role": one.role.to_string(), "location": one.location.map(|id| id.to_string()) });
    let roles: Vec<Value> = held.iter().map(shape).collect();
    emit(tx, actor, world, id, kind, json!({ "roles": roles }));
    Ok(())
}
