//! Legal holds: a customer whom the law forbids to forget as long as something is disputed.

use domain::actor::{Actor, Permission};
use domain::value::id::Customer;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::privacy as rows;

use crate::event::emit;
use crate::{Failure, World, customer};

/// Forbids that a customer is forgotten, with a reason that names nobody.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    reason: &str,
) -> Result<(), Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    customer::load(tx, id)?;
    rows::set_hold(tx, id, (reason, &actor.who.label()), world.now())?;
    emit(tx, actor, world, id, "customer.held", json!({}));
    Ok(())
}

/// Lifts it.
///
/// # Errors
/// [`Code::NotFound`] when nothing forbids it.
pub fn lift(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<Customer>) -> Result<(), Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    if !rows::lift_hold(tx, id)? {
        return Err(Refusal::not_found("legal hold of customer", id).into());
    }
    emit(tx, actor, world, id, "customer.released", json!({}));
    Ok(())
}

/// Why a customer must not be forgotten, and since when.
///
/// # Errors
/// [`Code::NotFound`] when nothing forbids it.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<Customer>) -> Result<(String, Instant), Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    Ok(rows::hold(tx, id)?.ok_or_else(|| Refusal::not_found("legal hold of customer", id))?)
}

/// Refuses while the law forbids to forget a customer.
///
/// # Errors
/// [`Code::PolicyRefuses`].
pub(crate) fn must_be_free(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<(), Failure> {
    match rows::hold(tx, id)? {
        None => Ok(()),
        Some(_) => {
            let why = format!("customer {id} is under a legal hold; lift it first, then erase");
            Err(Refusal::new(Code::PolicyRefuses, why).into())
        }
    }
}
