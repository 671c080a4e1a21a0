//! The rows of lists: people somebody put together by name.

use domain::segment::Subject;
use domain::value::id::CustomerList;
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its identity.
    pub id: Id<CustomerList>,
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub name: String,
    /// When it was made.
    pub made_at: Instant,
    /// Its version.
    pub version: i64,
}

fn list_of(row: &mut Row<'_>) -> Result<List, StoreError> {
    Ok(List {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        made_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds a list; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &List) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into customer_list (customer_list_id, code, name, made_at, version) values ($1, $2, $3, $4, $5)
         on conflict (code) do nothing",
        params![one.id, &one.code, &one.name, one.made_at, one.version],
    )?;
    Ok(made == 1)
}

/// Gives a list that stands at the version before another name; false when it does not.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &List) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update customer_list set name = $2, version = $3 where customer_list_id = $1 and version = $3 - 1",
        params![one.id, &one.name, one.version],
    )?;
    Ok(touched == 1)
}

/// The lists with these ids.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, ids: &[[u8; 16]]) -> Result<Vec<List>, StoreError> {
    tx.rows(
        "select customer_list_id, code, name, made_at, version from customer_list where customer_list_id {in ids $1}",
        &[Param::Ids(ids)],
        list_of,
    )
}

/// The list with this code.
///
/// # Errors
/// What the store says.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<List>, StoreError> {
    tx.one(
        "select customer_list_id, code, name, made_at, version from customer_list where code = $1",
        params![code],
        list_of,
    )
}

/// The lists that anybody is on after somebody: who, and the codes and names of the lists, at most `limit` people.
///
/// # Errors
/// What the store says.
pub fn of_people(
    tx: &mut Tx<'_>,
    after: [u8; 16],
    limit: i64,
) -> Result<Vec<(Subject, String, String)>, StoreError> {
    tx.rows(
        "select e.subject_id, e.is_customer, l.code, l.name from customer_list_entry e
         join customer_list l on l.customer_list_id = e.customer_list_id
         where e.subject_id in (select distinct o.subject_id from customer_list_entry o where o.subject_id > $1 order by o.subject_id limit $2)
         order by e.subject_id, l.code",
        params![after, limit],
        |row| Ok((Subject::of(row.key()?, row.yes()?), row.text()?, row.text()?)),
    )
}

/// The lists after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<CustomerList>, limit: i64) -> Result<Vec<List>, StoreError> {
    tx.rows(
        "select customer_list_id, code, name, made_at, version from customer_list
         where customer_list_id > $1 order by customer_list_id limit $2",
        params![after, limit],
        list_of,
    )
}

/// Puts somebody on a list; false when already on it.
///
/// # Errors
/// What the store says.
pub fn put(tx: &mut Tx<'_>, list: Id<CustomerList>, who: Subject, now: Instant) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into customer_list_entry (customer_list_id, subject_id, is_customer, added_at) values ($1, $2, $3, $4)
         on conflict (customer_list_id, subject_id) do nothing",
        params![list, who.bytes(), who.is_customer(), now],
    )?;
    Ok(made == 1)
}

/// Takes somebody off a list, by any of the ids the person is known by; false when not on it.
///
/// # Errors
/// What the store says.
pub fn take_off(tx: &mut Tx<'_>, list: Id<CustomerList>, atoms: &[[u8; 16]]) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "delete from customer_list_entry where customer_list_id = $1 and subject_id {in ids $2}",
        &[list.into(), Param::Ids(atoms)],
    )?;
    Ok(touched > 0)
}

/// Who was put on a list, after one, at most `limit`, each with when.
///
/// # Errors
/// What the store says.
pub fn entries(
    tx: &mut Tx<'_>,
    list: Id<CustomerList>,
    after: [u8; 16],
    limit: i64,
) -> Result<Vec<(Subject, Instant)>, StoreError> {
    tx.rows(
        "select subject_id, is_customer, added_at from customer_list_entry
         where customer_list_id = $1 and subject_id > $2 order by subject_id limit $3",
        params![list, after, limit],
        |row| Ok((Subject::of(row.key()?, row.yes()?), row.instant()?)),
    )
}
