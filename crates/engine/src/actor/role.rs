//! Roles: making and changing named sets of permissions. Nobody makes a role that may do more than he.

use domain::actor::role::{OWNER, built_in};
use domain::actor::{Actor, Grant, Permission, Permissions};
use domain::value::id::Role as RoleKind;
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, actor::role as rows};

pub use store::actor::role::{Held, Role};

use crate::event::emit;
use crate::{Failure, World};

/// A role to be made.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
}

/// Makes a role.
///
/// # Errors
/// [`Code::AlreadyExists`] when the code is taken; [`Code::Forbidden`] when who asks lacks one of the permissions.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewRole) -> Result<Role, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    actor.may_give(Grant { location: None, permissions: new.permissions })?;
    let role =
        Role { id: world.id(), code: new.code, name: new.name, permissions: new.permissions, version: 1 };
    if !rows::add(tx, &role)? {
        let why = format!("a role \"{}\" exists already", role.code);
        return Err(Refusal::new(Code::AlreadyExists, why).at("code").into());
    }
    tell(tx, actor, world, &role, "role.created");
    Ok(role)
}

/// Changes a role's name and permissions, for everybody who holds it.
///
/// # Errors
/// [`Code::Stale`] when it was changed meanwhile; [`Code::WrongState`] for the owner's role; [`Code::Forbidden`] when who asks lacks one
/// of the permissions it has or shall have.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<RoleKind>, i64),
    (name, permissions): (String, Permissions),
) -> Result<Role, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    let before = find(tx, actor, id)?;
    actor.may_give(Grant { location: None, permissions: before.permissions })?;
    actor.may_give(Grant { location: None, permissions })?;
    if before.code == OWNER {
        return Err(Refusal::new(
            Code::WrongState,
            "the owner's role may do everything and cannot be changed",
        )
        .into());
    }
    let role = Role { name, permissions, version: version + 1, ..before };
    if !rows::change(tx, &role, version)? {
        return Err(stale("the role").into());
    }
    tell(tx, actor, world, &role, "role.changed");
    Ok(role)
}

/// One role.
///
/// # Errors
/// [`Code::NotFound`] when there is no such role.
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: Id<RoleKind>) -> Result<Role, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("role", id))?)
}

/// The roles after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`] without the permission to manage access.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: Id<RoleKind>, limit: i64) -> Result<Vec<Role>, Failure> {
    actor.may(Permission::ManageAccess, None)?;
    Ok(rows::list(tx, after, limit)?)
}

/// Makes the roles that come with the shop, where they are missing.
///
/// # Errors
/// What the store says.
pub(super) fn make_built_in(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<(), Failure> {
    for one in built_in() {
        let role = Role {
            id: world.id(),
            code: one.code.to_owned(),
            name: one.name.to_owned(),
            permissions: one.permissions,
            version: 1,
        };
        if rows::add(tx, &role)? {
            tell(tx, actor, world, &role, "role.created");
        }
    }
    Ok(())
}

/// The role named in a body by its id or code.
pub(super) fn named(tx: &mut Tx<'_>, field: &str, reference: &Reference<RoleKind>) -> Result<Role, Failure> {
    let (found, name) = match reference {
        Reference::Id(id) => (rows::find(tx, *id)?, id.to_string()),
        Reference::External(code) => (rows::find_by_code(tx, code)?, code.clone()),
    };
    Ok(found
        .ok_or_else(|| Refusal::invalid(field, format!("no role \"{name}\"; GET /v1/roles lists them")))?)
}

/// The refusal of a change to something that was changed meanwhile.
pub(super) fn stale(what: &str) -> Refusal {
    Refusal::new(
        Code::Stale,
        format!("{what} was changed since it was read; read it again and repeat the change"),
    )
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, role: &Role, kind: &'static str) {
    let permissions: Vec<_> = role.permissions.each().map(Permission::text).collect();
    emit(tx, actor, world, role.id, kind, json!({ "code": role.code, "permissions": permissions }));
}
