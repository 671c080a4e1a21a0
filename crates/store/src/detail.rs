//! The rows of what customers tell beside the contact. Each row lies with the customer it was told of, and is read over all who are one.

pub mod note;
pub mod preference;

use domain::value::Id;
use domain::value::id::Customer;

use crate::{StoreError, Tx, params};

/// The customers who are one person, the one who stays among them.
pub type Whole = [[u8; 16]];

/// Forgets everything that was told of a customer, and noted.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, of: Id<Customer>) -> Result<(), StoreError> {
    crate::address::forget(tx, of.bytes())?;
    tx.execute("delete from customer_note where customer_id = $1", params![of])?;
    tx.execute("delete from customer_preference where customer_id = $1", params![of])?;
    Ok(())
}
