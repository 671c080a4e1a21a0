//! Reasons with codes of the retailer's own: why goods come back, are claimed, exchanged, not served or written off.

use domain::actor::{Actor, Permission};
use domain::catalogue::Wording;
use domain::returns::FIRST_REASONS;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::returns::reason as rows;

pub use store::returns::reason::Reason;

use crate::event::emit;
use crate::{Failure, World};

/// The most reasons a retailer has.
pub const REASONS_MAX: i64 = 500;

/// Writes a reason; the one with the same code is replaced.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::Invalid`] without a purpose; [`Code::WrongState`] when there are too many.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Reason) -> Result<Reason, Failure> {
    actor.may(Permission::EditPolicies, None)?;
    if one.purposes.is_empty() {
        return Err(Refusal::invalid("purposes", "name at least one").into());
    }
    let known = rows::list(tx, REASONS_MAX)?;
    if known.len() as i64 >= REASONS_MAX && known.iter().all(|other| other.code != one.code) {
        let why = format!("there are {REASONS_MAX} reasons; change one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    rows::set(tx, &one)?;
    emit(tx, actor, world, format!("reason:{}", one.code), "reason.written", json!({ "active": one.active }));
    Ok(one)
}

/// All reasons, by code.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Reason>, Failure> {
    Ok(rows::list(tx, REASONS_MAX)?)
}

/// Writes the reasons a new shop begins with.
///
/// # Errors
/// What the store says.
pub fn lay(tx: &mut Tx<'_>) -> Result<(), Failure> {
    for (code, text, purposes) in FIRST_REASONS {
        let wording = Wording::stored((*text).to_owned(), Vec::new());
        let one = Reason { code: (*code).to_owned(), wording, purposes: purposes.to_vec(), active: true };
        rows::set(tx, &one)?;
    }
    Ok(())
}
