//! The rows of what customers tell beside the contact. Each row lies with the customer it was told of, and is read over all who are one.

pub mod note;
pub mod preference;

use domain::value::id::{Address as AddressKind, Contact, Customer};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// The customers who are one person, the one who stays among them.
pub type Whole = [[u8; 16]];

/// Where a customer wants things sent, or the invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whom it was told of.
    pub customer: Id<Customer>,
    /// Its identity.
    pub id: Id<AddressKind>,
    /// Name and address.
    pub contact: Id<Contact>,
    /// What the customer calls it, sealed under the person's key.
    pub label: Option<Vec<u8>>,
    /// Since when it is where goods go when nothing is said.
    pub delivery_since: Option<Instant>,
    /// Since when it is where invoices go when nothing is said.
    pub billing_since: Option<Instant>,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn address(row: &mut Row<'_>) -> Result<Address, StoreError> {
    Ok(Address {
        customer: row.id()?,
        id: row.id()?,
        contact: row.id()?,
        label: row.bytes_or_null()?,
        delivery_since: row.instant_or_null()?,
        billing_since: row.instant_or_null()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds an address.
///
/// # Errors
/// What the store says.
pub fn add_address(tx: &mut Tx<'_>, one: &Address) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_address (customer_id, address_id, contact_id, label, delivery_since, billing_since, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            one.customer,
            one.id,
            one.contact,
            one.label.as_ref(),
            one.delivery_since,
            one.billing_since,
            one.made_at,
            one.changed_at,
            one.version
        ],
    )?;
    Ok(())
}

/// Writes an address, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change_address(tx: &mut Tx<'_>, one: &Address, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update customer_address set contact_id = $4, label = $5, delivery_since = $6, billing_since = $7, changed_at = $8, version = $9
         where customer_id = $1 and address_id = $2 and version = $3",
        params![
            one.customer,
            one.id,
            was,
            one.contact,
            one.label.as_ref(),
            one.delivery_since,
            one.billing_since,
            one.changed_at,
            one.version
        ],
    )?;
    Ok(touched == 1)
}

/// Takes an address away; false when it is gone.
///
/// # Errors
/// What the store says.
pub fn remove_address(tx: &mut Tx<'_>, of: Id<Customer>, id: Id<AddressKind>) -> Result<bool, StoreError> {
    let sql = "delete from customer_address where customer_id = $1 and address_id = $2";
    Ok(tx.execute(sql, params![of, id])? == 1)
}

/// The addresses of customers who are one, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn addresses(tx: &mut Tx<'_>, of: &Whole, limit: i64) -> Result<Vec<Address>, StoreError> {
    tx.rows(
        "select customer_id, address_id, contact_id, label, delivery_since, billing_since, made_at, changed_at, version
         from customer_address where customer_id in {ids $1} order by address_id limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        address,
    )
}

/// Forgets everything that was told of a customer, and noted.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, of: Id<Customer>) -> Result<(), StoreError> {
    tx.execute("delete from customer_address where customer_id = $1", params![of])?;
    tx.execute("delete from customer_note where customer_id = $1", params![of])?;
    tx.execute("delete from customer_preference where customer_id = $1", params![of])?;
    Ok(())
}
