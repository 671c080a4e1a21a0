//! External ids: the names by which the retailer's other systems know our things, found by kind and text.

use domain::value::id::{CategoryTree, Channel, Location, Market, Network, TaxClass, TaxZone};
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

/// Is there a thing with this id? For the kinds that others name in what they keep.
///
/// # Errors
/// What the store says.
///
/// # Panics
/// For a kind that is not looked up here: a mistake in the program.
pub fn exists<K: Kind>(tx: &mut Tx<'_>, id: Id<K>) -> Result<bool, StoreError> {
    let sql = match K::PREFIX {
        Location::PREFIX => "select location_id from location where location_id = $1",
        Network::PREFIX => "select network_id from network where network_id = $1",
        Market::PREFIX => "select market_id from market where market_id = $1",
        Channel::PREFIX => "select channel_id from channel where channel_id = $1",
        CategoryTree::PREFIX => "select tree_id from category_tree where tree_id = $1",
        TaxZone::PREFIX => "select tax_zone_id from tax_zone where tax_zone_id = $1",
        TaxClass::PREFIX => "select tax_class_id from tax_class where tax_class_id = $1",
        prefix => unreachable!("things with the prefix {prefix} are not looked up by their id alone"),
    };
    Ok(tx.one(sql, params![id], |row| row.key())?.is_some())
}
