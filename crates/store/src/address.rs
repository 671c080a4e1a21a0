//! The rows of addresses. Each lies with the customer or the company it was told of, and is read over all customers who are one.

use domain::value::id::{Address as AddressKind, Contact};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// Where a customer or a company wants things sent, or the invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The customer or the company it was told of.
    pub holder: [u8; 16],
    /// Its identity.
    pub id: Id<AddressKind>,
    /// Name and address.
    pub contact: Id<Contact>,
    /// What the holder calls it, sealed under the holder's key.
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
        holder: row.key()?,
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
pub fn add(tx: &mut Tx<'_>, one: &Address) -> Result<(), StoreError> {
    tx.execute(
        "insert into address (holder_id, address_id, contact_id, label, delivery_since, billing_since, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            &one.holder[..],
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
pub fn change(tx: &mut Tx<'_>, one: &Address, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update address set contact_id = $4, label = $5, delivery_since = $6, billing_since = $7, changed_at = $8, version = $9
         where holder_id = $1 and address_id = $2 and version = $3",
        params![
            &one.holder[..],
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
pub fn remove(tx: &mut Tx<'_>, of: [u8; 16], id: Id<AddressKind>) -> Result<bool, StoreError> {
    let sql = "delete from address where holder_id = $1 and address_id = $2";
    Ok(tx.execute(sql, params![&of[..], id])? == 1)
}

/// The addresses of customers who are one, or of a company, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, of: &[[u8; 16]], limit: i64) -> Result<Vec<Address>, StoreError> {
    tx.rows(
        "select holder_id, address_id, contact_id, label, delivery_since, billing_since, made_at, changed_at, version
         from address where holder_id {in ids $1} order by address_id limit $2",
        &[Param::Ids(of), Param::Int(limit)],
        address,
    )
}

/// The address of this id, if it is one of theirs.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, of: &[[u8; 16]], id: Id<AddressKind>) -> Result<Option<Address>, StoreError> {
    tx.one(
        "select holder_id, address_id, contact_id, label, delivery_since, billing_since, made_at, changed_at, version
         from address where holder_id {in ids $1} and address_id = $2",
        &[Param::Ids(of), id.into()],
        address,
    )
}

/// Forgets the addresses of a holder.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, of: [u8; 16]) -> Result<(), StoreError> {
    tx.execute("delete from address where holder_id = $1", params![&of[..]])?;
    Ok(())
}
