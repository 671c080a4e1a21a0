//! The rows of records: what a source of files says of a customer, under the number it knows the customer by.

use domain::value::id::{Customer, Person};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// What a source says of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The source's code.
    pub source: String,
    /// A keyed hash of the number the source knows the person by, or of the e-mail address.
    pub key: [u8; 32],
    /// The customer it was put to.
    pub customer: Id<Customer>,
    /// The number the source knows the person by, if it has numbers.
    pub external_id: Option<String>,
    /// Under whose key it is sealed.
    pub person: Id<Person>,
    /// What is said; nothing of whoever was erased.
    pub sealed: Option<Vec<u8>>,
    /// A keyed hash of what is said, so that the same is known again.
    pub said_hash: Option<Vec<u8>>,
    /// When it was said.
    pub said_at: Instant,
    /// What the e-mail address is found by.
    pub email_hash: Option<Vec<u8>>,
    /// What the phone number is found by.
    pub phone_hash: Option<Vec<u8>>,
}

fn record(row: &mut Row<'_>) -> Result<Record, StoreError> {
    let source = row.text()?;
    let key = row.bytes()?;
    let key = key.try_into().map_err(|_| StoreError::Corrupt("the key of a record is no hash".into()))?;
    Ok(Record {
        source,
        key,
        customer: row.id()?,
        external_id: row.text_or_null()?,
        person: row.id()?,
        sealed: row.bytes_or_null()?,
        said_hash: row.bytes_or_null()?,
        said_at: row.instant()?,
        email_hash: row.bytes_or_null()?,
        phone_hash: row.bytes_or_null()?,
    })
}

/// Writes a record; the one with the same key is replaced.
///
/// # Errors
/// What the store says.
pub fn put(tx: &mut Tx<'_>, one: &Record) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_record (source, key, customer_id, external_id, person_id, sealed, said_hash, said_at, email_hash, phone_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (source, key) do update set customer_id = excluded.customer_id, external_id = excluded.external_id,
             person_id = excluded.person_id, sealed = excluded.sealed, said_hash = excluded.said_hash, said_at = excluded.said_at,
             email_hash = excluded.email_hash, phone_hash = excluded.phone_hash",
        params![
            &one.source,
            &one.key[..],
            one.customer,
            one.external_id.as_ref(),
            one.person,
            one.sealed.as_ref(),
            one.said_hash.as_ref(),
            one.said_at,
            one.email_hash.as_ref(),
            one.phone_hash.as_ref(),
        ],
    )?;
    Ok(())
}

/// The record of a source under a key, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, source: &str, key: &[u8; 32]) -> Result<Option<Record>, StoreError> {
    tx.one(
        "select source, key, customer_id, external_id, person_id, sealed, said_hash, said_at, email_hash, phone_hash
         from customer_record where source = $1 and key = $2 {lock}",
        params![source, &key[..]],
        record,
    )
}

/// The records of a customer and of those who were merged into him, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customer(tx: &mut Tx<'_>, customer: Id<Customer>, limit: i64) -> Result<Vec<Record>, StoreError> {
    tx.rows(
        "select source, key, customer_id, external_id, person_id, sealed, said_hash, said_at, email_hash, phone_hash from customer_record
         where customer_id = $1 or customer_id in (select c.customer_id from customer c where c.merged_into = $1)
         order by source, key limit $2",
        params![customer, limit],
        record,
    )
}

/// The customers of whom a source says this e-mail address, or whom they were merged into, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn by_email(tx: &mut Tx<'_>, hash: &[u8; 32], limit: i64) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) as found from customer_record r
         join customer c on c.customer_id = r.customer_id where r.email_hash = $1 order by found limit $2",
        params![&hash[..], limit],
        |row| row.id(),
    )
}

/// The customers of whom a source says this phone number, or whom they were merged into, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn by_phone(tx: &mut Tx<'_>, hash: &[u8; 32], limit: i64) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) as found from customer_record r
         join customer c on c.customer_id = r.customer_id where r.phone_hash = $1 order by found limit $2",
        params![&hash[..], limit],
        |row| row.id(),
    )
}

/// Forgets what sources say of a customer; that they said something stays, so that an old file does not bring the person back.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), StoreError> {
    tx.execute(
        "update customer_record set external_id = null, sealed = null, said_hash = null, email_hash = null, phone_hash = null
         where customer_id = $1",
        params![customer],
    )?;
    Ok(())
}

/// The numbers of sources that lead to somebody else than the customer their record was put to, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(Id<Customer>, String)>, StoreError> {
    tx.rows(
        "select r.customer_id, r.source || ':' || r.external_id from customer_record r
         left join external_id e on e.kind = 'cus' and e.external_id = r.source || ':' || r.external_id
         where r.external_id is not null and (e.id is null or e.id <> r.customer_id) order by r.customer_id limit $1",
        params![limit],
        |row| Ok((row.id()?, row.text()?)),
    )
}
