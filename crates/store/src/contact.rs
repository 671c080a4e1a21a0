//! The rows of contacts: people with their wrapped keys, sealed snapshots, and the keyed hashes by which they are found.

use domain::value::id::{Contact, Person};
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// A sealed snapshot with the wrapped key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Whose it is.
    pub person: Id<Person>,
    /// The snapshot, sealed with the person's key.
    pub sealed: Vec<u8>,
    /// The person's key, wrapped by the master key; gone when the person was erased.
    pub wrapped_key: Option<Vec<u8>>,
}

/// A person who was found, with the newest contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who.
    pub person: Id<Person>,
    /// The newest contact with what was looked for.
    pub contact: Id<Contact>,
}

/// Adds people, each with the wrapped key.
///
/// # Errors
/// What the store says.
pub fn add_persons(tx: &mut Tx<'_>, all: &[(Id<Person>, Vec<u8>)], now: Instant) -> Result<(), StoreError> {
    let rows: Vec<_> = all.iter().map(|(person, key)| params![*person, key, now].to_vec()).collect();
    tx.execute_each("insert into person (person_id, wrapped_key, made_at) values ($1, $2, $3)", &rows)?;
    Ok(())
}

/// The wrapped key of a person; `None` when there is no such person or the person was erased. Nobody can erase the
/// person until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_key(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Option<Vec<u8>>, StoreError> {
    let found =
        tx.one("select wrapped_key from person where person_id = $1 {lock}", params![person], |row| {
            row.bytes_or_null()
        })?;
    Ok(found.flatten())
}

/// The wrapped key of a person, as it is now; `None` when the person was erased.
///
/// # Errors
/// What the store says.
pub fn key(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Option<Vec<u8>>, StoreError> {
    let found = tx.one("select wrapped_key from person where person_id = $1", params![person], |row| {
        row.bytes_or_null()
    })?;
    Ok(found.flatten())
}

/// Adds a sealed snapshot.
///
/// # Errors
/// What the store says.
pub fn add(
    tx: &mut Tx<'_>,
    id: Id<Contact>,
    person: Id<Person>,
    sealed: &[u8],
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into contact (contact_id, person_id, sealed, made_at) values ($1, $2, $3, $4)",
        params![id, person, sealed, now],
    )?;
    Ok(())
}

/// The snapshot with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<Contact>) -> Result<Option<Sealed>, StoreError> {
    tx.one(
        "select c.person_id, c.sealed, p.wrapped_key from contact c join person p on p.person_id = c.person_id
         where c.contact_id = $1",
        params![id],
        |row| Ok(Sealed { person: row.id()?, sealed: row.bytes()?, wrapped_key: row.bytes_or_null()? }),
    )
}

/// Lets a person be found by a hash; the newest contact counts.
///
/// # Errors
/// What the store says.
pub fn add_lookup(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    person: Id<Person>,
    contact: Id<Contact>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into contact_lookup (hash, person_id, contact_id) values ($1, $2, $3)
         on conflict (hash, person_id) do update set contact_id = excluded.contact_id",
        params![&hash[..], person, contact],
    )?;
    Ok(())
}

/// The people found by a hash with their newest contact, after a person, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn find_people(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    after: Id<Person>,
    limit: i64,
) -> Result<Vec<Known>, StoreError> {
    tx.rows(
        "select person_id, contact_id from contact_lookup where hash = $1 and person_id > $2
         order by person_id limit $3",
        params![&hash[..], after, limit],
        |row| Ok(Known { person: row.id()?, contact: row.id()? }),
    )
}

/// The hashes a person is or was found by, at most ten thousand.
///
/// # Errors
/// What the store says.
pub fn lookups_of(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Vec<[u8; 32]>, StoreError> {
    tx.rows(
        "select hash from contact_lookup where person_id = $1 order by hash limit 10000",
        params![person],
        |row| row.bytes()?.try_into().map_err(|_| StoreError::Corrupt("a hash has 32 bytes".into())),
    )
}

/// Destroys a person's key and everything the person is found by; false when that was done before.
///
/// # Errors
/// What the store says.
pub fn erase(tx: &mut Tx<'_>, person: Id<Person>, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update person set wrapped_key = null, erased_at = $2 where person_id = $1 and erased_at is null",
        params![person, now],
    )?;
    tx.execute("delete from contact_lookup where person_id = $1", params![person])?;
    Ok(touched == 1)
}
