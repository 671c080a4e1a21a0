//! Writing return policies: each change is a new version, and every return keeps the version it was judged by.

use domain::actor::{Actor, Permission};
use domain::returns::policy::{Scope, Terms};
use domain::value::Id;
use domain::value::id::ReturnPolicy;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::returns::policy as rows;

pub use store::returns::policy::Policy;

use crate::event::emit;
use crate::{Failure, World, edit};

/// The most policies a retailer has.
pub const POLICIES_MAX: i64 = 200;

/// A policy as it shall be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What people call it.
    pub name: String,
    /// For what it is.
    pub scope: Scope,
    /// Is it asked?
    pub active: bool,
    /// What it says.
    pub terms: Terms,
}

/// Writes a new policy.
///
/// # Errors
/// [`Code::AlreadyExists`] for a code that is taken, [`Code::Invalid`] naming every bad term.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    code: String,
    draft: Draft,
) -> Result<Policy, Failure> {
    actor.may(Permission::EditPolicies, None)?;
    let known = rows::list(tx, POLICIES_MAX)?;
    if known.iter().any(|one| one.code == code) {
        return Err(edit::code_taken::<ReturnPolicy>(&code).into());
    }
    if known.len() as i64 >= POLICIES_MAX {
        let why = format!("there are {POLICIES_MAX} policies; change one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let Draft { name, scope, active, terms } = draft;
    let terms = checked(terms)?;
    let one = Policy { id: world.id(), code, name, scope, active, terms, version: 1 };
    rows::add(tx, &one, world.now())?;
    tell(tx, actor, world, &one);
    Ok(one)
}

/// Writes the next version of a policy.
///
/// # Errors
/// [`Code::Stale`] when it is not as it was read, [`Code::NotFound`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, read): (Id<ReturnPolicy>, Option<i64>),
    draft: Draft,
) -> Result<Policy, Failure> {
    actor.may(Permission::EditPolicies, None)?;
    let old = find(tx, id)?;
    edit::unchanged(id, old.version, read)?;
    let Draft { name, scope, active, terms } = draft;
    let terms = checked(terms)?;
    let one = Policy { id, code: old.code, name, scope, active, terms, version: old.version + 1 };
    if !rows::update(tx, &one, world.now())? {
        return Err(edit::stale(id).into());
    }
    tell(tx, actor, world, &one);
    Ok(one)
}

fn checked(terms: Terms) -> Result<Terms, Refusal> {
    terms.checked().map_err(|refusal| refusal.within("terms"))
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Policy) {
    let body = json!({ "code": one.code, "version": one.version, "active": one.active });
    emit(tx, actor, world, one.id, "return_policy.written", body);
}

fn find(tx: &mut Tx<'_>, id: Id<ReturnPolicy>) -> Result<Policy, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("return policy", id).into())
}

/// A policy, for who may see orders.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<ReturnPolicy>) -> Result<Policy, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    find(tx, id)
}

/// All policies, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Policy>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    Ok(rows::list(tx, POLICIES_MAX)?)
}

/// The policies that are asked.
pub(super) fn active(tx: &mut Tx<'_>) -> Result<Vec<Policy>, Failure> {
    Ok(rows::list(tx, POLICIES_MAX)?.into_iter().filter(|one| one.active).collect())
}
