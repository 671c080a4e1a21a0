//! The rows of customers, and the keyed hashes by which they are found.

pub mod matching;
pub mod record;

use domain::value::id::{Contact, Customer as CustomerKind, Person};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A person who buys. Name, addresses, mail and phone are in the contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its identity.
    pub id: Id<CustomerKind>,
    /// The person whose key protects the contacts.
    pub person: Id<Person>,
    /// The contact that is current.
    pub contact: Id<Contact>,
    /// What other systems know the customer by.
    pub external_id: Option<String>,
    /// The groups the retailer put the customer into; the first decides on prices.
    pub groups: Vec<String>,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// When the person was erased.
    pub erased_at: Option<Instant>,
    /// The customer who has all of this one's now.
    pub merged_into: Option<Id<CustomerKind>>,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn customer(row: &mut Row<'_>) -> Result<Customer, StoreError> {
    Ok(Customer {
        id: row.id()?,
        person: row.id()?,
        contact: row.id()?,
        external_id: row.text_or_null()?,
        groups: Vec::new(),
        made_at: row.instant()?,
        changed_at: row.instant()?,
        erased_at: row.instant_or_null()?,
        merged_into: row.id_or_null()?,
        version: row.int()?,
    })
}

/// Adds a customer with the groups.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer (customer_id, person_id, contact_id, external_id, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            customer.id,
            customer.person,
            customer.contact,
            customer.external_id.as_ref(),
            customer.made_at,
            customer.changed_at,
            customer.version
        ],
    )?;
    add_groups(tx, customer)
}

fn add_groups(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), StoreError> {
    for (place, label) in (0i64..).zip(&customer.groups) {
        tx.execute(
            "insert into customer_group (customer_id, place, label) values ($1, $2, $3)",
            params![customer.id, place, label],
        )?;
    }
    Ok(())
}

/// Writes a customer's contact, groups, external id and erasure, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, customer: &Customer, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update customer set contact_id = $3, external_id = $4, changed_at = $5, erased_at = $6, version = $7
         where customer_id = $1 and version = $2",
        params![
            customer.id,
            was,
            customer.contact,
            customer.external_id.as_ref(),
            customer.changed_at,
            customer.erased_at,
            customer.version
        ],
    )?;
    if touched == 0 {
        return Ok(false);
    }
    tx.execute("delete from customer_group where customer_id = $1", params![customer.id])?;
    add_groups(tx, customer)?;
    Ok(true)
}

/// The customer with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Customer>, StoreError> {
    let found = tx.one(
        "select customer_id, person_id, contact_id, external_id, made_at, changed_at, erased_at, merged_into, version
         from customer where customer_id = $1",
        params![id],
        customer,
    )?;
    let Some(mut found) = found else { return Ok(None) };
    found.groups = tx.rows(
        "select label from customer_group where customer_id = $1 order by place",
        params![id],
        |row| row.text(),
    )?;
    Ok(Some(found))
}

/// As [`find`] without the groups; until the commit the customer stays who he is: neither merged nor erased.
///
/// # Errors
/// What the store says.
pub fn stay(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Customer>, StoreError> {
    tx.one(
        "select customer_id, person_id, contact_id, external_id, made_at, changed_at, erased_at, merged_into, version
         from customer where customer_id = $1 {stay}",
        params![id],
        customer,
    )
}

/// Locks customers, the first id first, for who merges or erases them.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, ids: &[Id<CustomerKind>]) -> Result<(), StoreError> {
    let mut ids: Vec<[u8; 16]> = ids.iter().map(|id| id.bytes()).collect();
    ids.sort_unstable();
    for id in ids {
        tx.one("select version from customer where customer_id = $1 {lock}", params![id], |row| row.int())?;
    }
    Ok(())
}

/// Whom a customer was merged into.
///
/// # Errors
/// What the store says.
pub fn merged_into(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Id<CustomerKind>>, StoreError> {
    let found = tx.one("select merged_into from customer where customer_id = $1", params![id], |row| {
        row.id_or_null()
    })?;
    Ok(found.flatten())
}

/// The customer who stands for this one now: whom it was merged into, or itself; `None` when there is no such customer.
///
/// # Errors
/// What the store says.
pub fn standing_for(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Id<CustomerKind>>, StoreError> {
    tx.one(
        "select coalesce(merged_into, customer_id) from customer where customer_id = $1",
        params![id],
        |row| row.id(),
    )
}

/// The customers who were merged into one.
///
/// # Errors
/// What the store says.
pub fn merged_with(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Vec<Id<CustomerKind>>, StoreError> {
    tx.rows(
        "select customer_id from customer where merged_into = $1 order by customer_id",
        params![id],
        |row| row.id(),
    )
}

/// The customer a person is.
///
/// # Errors
/// What the store says.
pub fn of_person(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Option<Id<CustomerKind>>, StoreError> {
    tx.one("select customer_id from customer where person_id = $1", params![person], |row| row.id())
}

/// Did the customer ever order?
///
/// # Errors
/// What the store says.
pub fn has_ordered(tx: &mut Tx<'_>, customer: Id<CustomerKind>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select order_id from order_of_customer where customer_id = $1 limit 1",
        params![customer],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}

/// Had the customer ordered before an instant?
///
/// # Errors
/// What the store says.
pub fn had_ordered(tx: &mut Tx<'_>, customer: Id<CustomerKind>, before: Instant) -> Result<bool, StoreError> {
    let found = tx.one(
        "select c.order_id from order_of_customer c join order_head h on h.order_id = c.order_id
         where c.customer_id = $1 and h.placed_at < $2 limit 1",
        params![customer, before],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}

/// The codes of the segments a customer is told to belong to at an instant.
///
/// # Errors
/// What the store says.
pub fn segments(tx: &mut Tx<'_>, customer: Id<CustomerKind>, at: Instant) -> Result<Vec<String>, StoreError> {
    tx.rows(
        "select code from customer_segment where customer_id = $1 and (until is null or until > $2) order by code",
        params![customer, at],
        |row| row.text(),
    )
}

/// That a customer belongs to a segment, until an instant or for good; or that it does not any more.
#[derive(Clone, Copy, Debug)]
pub struct Told<'s> {
    /// Who.
    pub customer: Id<CustomerKind>,
    /// The code of the segment.
    pub code: &'s str,
    /// Until when it belongs to it.
    pub until: Option<Instant>,
}

/// Tells that customers belong to segments.
///
/// # Errors
/// What the store says.
pub fn tell_segments(tx: &mut Tx<'_>, all: &[Told<'_>]) -> Result<(), StoreError> {
    tx.execute_each(
        "insert into customer_segment (customer_id, code, until) values ($1, $2, $3)
         on conflict (customer_id, code) do update set until = excluded.until",
        &all.iter().map(|one| params![one.customer, one.code, one.until].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Tells that customers do not belong to segments any more.
///
/// # Errors
/// What the store says.
pub fn untell_segments(tx: &mut Tx<'_>, all: &[Told<'_>]) -> Result<(), StoreError> {
    tx.execute_each(
        "delete from customer_segment where customer_id = $1 and code = $2",
        &all.iter().map(|one| params![one.customer, one.code].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Tells that nobody belongs to a segment any more.
///
/// # Errors
/// What the store says.
pub fn untell_everybody(tx: &mut Tx<'_>, code: &str) -> Result<(), StoreError> {
    tx.execute("delete from customer_segment where code = $1", params![code])?;
    Ok(())
}

/// The customers after one who were not merged into another, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<CustomerKind>, limit: i64) -> Result<Vec<Customer>, StoreError> {
    let mut found = tx.rows(
        "select customer_id, person_id, contact_id, external_id, made_at, changed_at, erased_at, merged_into, version
         from customer where customer_id > $1 and merged_into is null order by customer_id limit $2",
        params![after, limit],
        customer,
    )?;
    let ids: Vec<[u8; 16]> = found.iter().map(|customer| customer.id.bytes()).collect();
    let labels = tx.rows(
        "select customer_id, label from customer_group where customer_id {in ids $1} order by customer_id, place",
        &[crate::Param::Ids(&ids)],
        |row| Ok((row.id::<CustomerKind>()?, row.text()?)),
    )?;
    for (id, label) in labels {
        if let Ok(place) = found.binary_search_by_key(&id, |customer| customer.id) {
            found[place].groups.push(label);
        }
    }
    Ok(found)
}

/// Claims an e-mail's hash for a customer; false when it is another customer's who was not merged into this one. Who was merged into this one
/// keeps it: it leads here as long as he is, and with him when he goes again. Somebody who is just claiming it is waited for.
///
/// # Errors
/// What the store says.
pub fn claim_email(tx: &mut Tx<'_>, hash: &[u8; 32], customer: Id<CustomerKind>) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into customer_by_email (hash, customer_id) values ($1, $2)
         on conflict (hash) do update set customer_id = customer_by_email.customer_id
         where exists (select 1 from customer c where c.customer_id = customer_by_email.customer_id and c.merged_into = excluded.customer_id)",
        params![&hash[..], customer],
    )?;
    Ok(made == 1)
}

/// Lets a customer be found by a phone number's hash; several customers may share one.
///
/// # Errors
/// What the store says.
pub fn add_phone(tx: &mut Tx<'_>, hash: &[u8; 32], customer: Id<CustomerKind>) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_by_phone (hash, customer_id) values ($1, $2) on conflict (hash, customer_id) do nothing",
        params![&hash[..], customer],
    )?;
    Ok(())
}

/// Forgets what a customer is found by.
///
/// # Errors
/// What the store says.
pub fn forget_lookups(tx: &mut Tx<'_>, customer: Id<CustomerKind>) -> Result<(), StoreError> {
    tx.execute("delete from customer_by_email where customer_id = $1", params![customer])?;
    tx.execute("delete from customer_by_phone where customer_id = $1", params![customer])?;
    Ok(())
}

/// The hashes a customer is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookups {
    /// Of the e-mail.
    pub emails: Vec<Vec<u8>>,
    /// Of phone numbers.
    pub phones: Vec<Vec<u8>>,
}

/// The hashes a customer is found by: of the e-mail, and of phone numbers.
///
/// # Errors
/// What the store says.
pub fn lookups(tx: &mut Tx<'_>, customer: Id<CustomerKind>) -> Result<Lookups, StoreError> {
    let emails = tx.rows(
        "select hash from customer_by_email where customer_id = $1 order by hash",
        params![customer],
        |row| row.bytes(),
    )?;
    let phones = tx.rows(
        "select hash from customer_by_phone where customer_id = $1 order by hash",
        params![customer],
        |row| row.bytes(),
    )?;
    Ok(Lookups { emails, phones })
}

/// The customer with this e-mail, or whoever he was merged into.
///
/// # Errors
/// What the store says.
pub fn by_email(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<CustomerKind>>, StoreError> {
    tx.one(
        "select coalesce(c.merged_into, c.customer_id) from customer_by_email e join customer c on c.customer_id = e.customer_id
         where e.hash = $1",
        params![&hash[..]],
        |row| row.id(),
    )
}

/// A customer, and the current contact.
pub type Holder = (Id<CustomerKind>, Id<Contact>);

/// Who holds this e-mail, whether or not he was merged into another since, and his contact with that very address.
///
/// # Errors
/// What the store says.
pub fn holder(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Holder>, StoreError> {
    tx.one(
        "select c.customer_id, c.contact_id from customer_by_email e join customer c on c.customer_id = e.customer_id
         where e.hash = $1",
        params![&hash[..]],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// The customers with this phone number, or whoever they were merged into, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn by_phone(tx: &mut Tx<'_>, hash: &[u8; 32], limit: i64) -> Result<Vec<Id<CustomerKind>>, StoreError> {
    tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) as found from customer_by_phone p
         join customer c on c.customer_id = p.customer_id where p.hash = $1 order by found limit $2",
        params![&hash[..], limit],
        |row| row.id(),
    )
}
