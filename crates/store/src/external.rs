//! External ids: the names by which the retailer's other systems know our things, found by kind and text.

use domain::value::{Id, Kind};

use crate::{StoreError, Tx, params};

/// Notes an external id; false when another thing of this kind has it.
///
/// # Errors
/// What the store says.
pub fn add<K: Kind>(tx: &mut Tx<'_>, external_id: &str, id: Id<K>) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into external_id (kind, external_id, id) values ($1, $2, $3)
         on conflict (kind, external_id) do update set id = excluded.id where external_id.id = excluded.id",
        params![K::PREFIX, external_id, id],
    )?;
    Ok(made == 1)
}

/// The thing with this external id.
///
/// # Errors
/// What the store says.
pub fn find<K: Kind>(tx: &mut Tx<'_>, external_id: &str) -> Result<Option<Id<K>>, StoreError> {
    tx.one(
        "select id from external_id where kind = $1 and external_id = $2",
        params![K::PREFIX, external_id],
        |row| row.id(),
    )
}

/// Forgets an external id.
///
/// # Errors
/// What the store says.
pub fn remove<K: Kind>(tx: &mut Tx<'_>, external_id: &str) -> Result<(), StoreError> {
    tx.execute(
        "delete from external_id where kind = $1 and external_id = $2",
        params![K::PREFIX, external_id],
    )?;
    Ok(())
}
