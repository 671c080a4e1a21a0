//! What a customer tells beside the contact, and what colleagues note. Each thing stays with the customer it was told of and is read over all
//! who were merged into one, so that a merge moves nothing of it and its undoing gives everything back.

pub mod note;
pub mod preference;

use domain::actor::{Actor, Permission, Who};
use domain::value::Id;
use domain::value::id::Customer as CustomerKind;
use domain::{Code, Refusal};
use store::{Tx, customer as customers, detail as rows};

use crate::customer::{self, Customer};
use crate::{Failure, contact};

/// The customer somebody is now, for who may see or change what was told: those with the permission somewhere, and the customer.
pub(crate) fn admitted(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CustomerKind>,
    permission: Permission,
) -> Result<Customer, Failure> {
    let now = customers::merged_into(tx, id)?.unwrap_or(id);
    if actor.who != Who::Customer(now) {
        actor.may_somewhere(permission)?;
    }
    customer::load(tx, now)
}

/// As [`admitted`] for a change: nobody else changes, merges or erases the customer before the commit.
pub(crate) fn held(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CustomerKind>,
    permission: Permission,
) -> Result<Customer, Failure> {
    let id = admitted(tx, actor, id, permission)?.id;
    customers::lock(tx, &[id])?;
    let known = customer::load(tx, id)?;
    if known.merged_into.is_some() {
        return Err(tx.begin_anew().into());
    }
    if known.erased_at.is_some() {
        let why = format!("customer {id} was erased; nothing can be kept of whoever it was");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    Ok(known)
}

/// All customers who are this one, the one who stays last.
///
/// # Errors
/// What the store says.
pub(crate) fn whole(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Vec<[u8; 16]>, Failure> {
    let mut all: Vec<[u8; 16]> = customers::merged_with(tx, id)?.iter().map(|one| one.bytes()).collect();
    all.push(id.bytes());
    Ok(all)
}

/// Opens a text that was sealed under the key of the customer it was told of; `None` when the person was erased.
fn opened(
    tx: &mut Tx<'_>,
    world: &crate::World,
    of: Id<CustomerKind>,
    (sealed, context): (&[u8], &[u8; 16]),
) -> Result<Option<String>, Failure> {
    let person = customer::load(tx, of)?.person;
    let text = contact::unseal(tx, world, person, sealed, context)?;
    Ok(text.and_then(|text| String::from_utf8(text).ok()))
}

/// Forgets everything that was told of a customer who is erased.
///
/// # Errors
/// What the store says.
pub(crate) fn forget(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<(), Failure> {
    Ok(rows::forget(tx, id)?)
}
