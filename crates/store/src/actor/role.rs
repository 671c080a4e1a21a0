//! The rows of roles, and of who holds them where.

use domain::actor::{Grant, Permissions};
use domain::value::Id;
use domain::value::id::{Location, Role as RoleKind, Staff};

use crate::{Row, StoreError, Tx, params};

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its identity.
    pub id: Id<RoleKind>,
    /// The short word it goes by; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Counts its changes, from 1.
    pub version: i64,
}

/// A role held at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The role.
    pub role: Id<RoleKind>,
    /// Where; everywhere when `None`.
    pub location: Option<Id<Location>>,
}

/// How everywhere is stored.
const EVERYWHERE: [u8; 16] = [0; 16];

fn role(row: &mut Row<'_>) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        permissions: Permissions::from_bits(row.int()?),
        version: row.int()?,
    })
}

fn place(row: &mut Row<'_>) -> Result<Option<Id<Location>>, StoreError> {
    Ok(Some(row.key()?).filter(|key| *key != EVERYWHERE).map(Id::from_bytes))
}

/// Adds a role; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, role: &Role) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into role (role_id, code, name, permissions, version) values ($1, $2, $3, $4, 1) on conflict (code) do nothing",
        params![role.id, &role.code, &role.name, role.permissions.bits()],
    )?;
    Ok(made == 1)
}

/// Changes a role; false when it has another version by now.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, role: &Role, version: i64) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update role set name = $3, permissions = $4, version = version + 1 where role_id = $1 and version = $2",
        params![role.id, version, &role.name, role.permissions.bits()],
    )?;
    Ok(changed == 1)
}

/// The role with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<RoleKind>) -> Result<Option<Role>, StoreError> {
    let sql = "select role_id, code, name, permissions, version from role where role_id = $1";
    tx.one(sql, params![id], role)
}

/// The role with this code.
///
/// # Errors
/// What the store says.
pub fn find_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Role>, StoreError> {
    let sql = "select role_id, code, name, permissions, version from role where code = $1";
    tx.one(sql, params![code], role)
}

/// The roles after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<RoleKind>, limit: i64) -> Result<Vec<Role>, StoreError> {
    let sql = "select role_id, code, name, permissions, version from role where role_id > $1 order by role_id limit $2";
    tx.rows(sql, params![after, limit], role)
}

/// Holds a role until the commit, so that two commands cannot take it from the last two members at once.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, code: &str) -> Result<(), StoreError> {
    tx.rows("select role_id from role where code = $1 {lock}", params![code], |row| row.key())?;
    Ok(())
}

/// Gives a member a role; giving it again changes nothing.
///
/// # Errors
/// What the store says.
pub fn give(tx: &mut Tx<'_>, staff: Id<Staff>, held: Held) -> Result<(), StoreError> {
    let location = held.location.map_or(EVERYWHERE, Id::bytes);
    tx.execute(
        "insert into staff_role (staff_id, role_id, location_id) values ($1, $2, $3) on conflict (staff_id, role_id, location_id) do nothing",
        params![staff, held.role, location],
    )?;
    Ok(())
}

/// Takes all roles from a member.
///
/// # Errors
/// What the store says.
pub fn take_all(tx: &mut Tx<'_>, staff: Id<Staff>) -> Result<(), StoreError> {
    tx.execute("delete from staff_role where staff_id = $1", params![staff])?;
    Ok(())
}

/// The roles a member holds.
///
/// # Errors
/// What the store says.
pub fn held_by(tx: &mut Tx<'_>, staff: Id<Staff>) -> Result<Vec<Held>, StoreError> {
    let sql = "select role_id, location_id from staff_role where staff_id = $1 order by role_id, location_id";
    tx.rows(sql, params![staff], |row| Ok(Held { role: row.id()?, location: place(row)? }))
}

/// What a member may do, and where.
///
/// # Errors
/// What the store says.
pub fn grants_of(tx: &mut Tx<'_>, staff: Id<Staff>) -> Result<Vec<Grant>, StoreError> {
    tx.rows(
        "select role.permissions, staff_role.location_id from staff_role join role on role.role_id = staff_role.role_id
         where staff_role.staff_id = $1 order by staff_role.role_id, staff_role.location_id",
        params![staff],
        |row| Ok(Grant { permissions: Permissions::from_bits(row.int()?), location: place(row)? }),
    )
}

/// How many members who can sign in hold a role everywhere.
///
/// # Errors
/// What the store says.
pub fn holders(tx: &mut Tx<'_>, code: &str) -> Result<i64, StoreError> {
    let counted = tx.one(
        "select cast(count(*) as {int}) from staff_role join role on role.role_id = staff_role.role_id
         join staff on staff.staff_id = staff_role.staff_id
         where role.code = $1 and staff_role.location_id = $2 and staff.active = 1 and staff.password_hash is not null",
        params![code, EVERYWHERE],
        |row| row.int(),
    )?;
    Ok(counted.unwrap_or(0))
}
