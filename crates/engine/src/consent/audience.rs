//! Who agreed to something: whoever takes data out of the shop asks here, and gets only those of whom it may be taken.

use domain::actor::{Actor, Permission};
use domain::consent::Cell;
use domain::value::id::Customer as CustomerKind;
use domain::value::{Id, Instant};
use store::Tx;
use store::consent::audience as rows;

use super::purpose;
use crate::Failure;
use crate::customer::{self, Customer};

/// The customers who agreed to what a cell asks and took nothing back, after one. There is no list of customers that is then thinned out: the
/// one statement begins from the yes that holds, so nobody can be in it without one.
///
/// # Errors
/// [`domain::Code::Forbidden`] without the permission everywhere: whom data is handed on of is no single store's to say; [`domain::Code::Invalid`] at `purpose` when there is none.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    cell: &Cell,
    now: Instant,
    page: (Id<CustomerKind>, i64),
) -> Result<Vec<Customer>, Failure> {
    actor.may(Permission::EditConsents, None)?;
    if !purpose::load(tx, &cell.purpose)?.active {
        return Ok(Vec::new());
    }
    rows::agreed(tx, cell, now, page)?.into_iter().map(|id| customer::load(tx, id)).collect()
}
