//! Who refuses that something is done with their data: asked before it is done, of many people at once.

use std::collections::BTreeSet;

use domain::consent::{Cell, Held, Status, standing};
use domain::value::id::Customer;
use domain::value::{Id, Instant};
use store::Tx;
use store::consent::{self as all, refusal as rows};

use crate::Failure;

/// Is there anybody who refuses this purpose? What belongs to what was bought is not asked for.
///
/// # Errors
/// What the store says.
pub fn is_any(tx: &mut Tx<'_>, purpose: &str) -> Result<bool, Failure> {
    Ok(rows::is_any(tx, purpose)?)
}

/// Which of these customers refuse: what those merged into them said no to counts, and so does what was said no to from an address of theirs.
///
/// # Errors
/// What the store says.
pub fn of_customers(
    tx: &mut Tx<'_>,
    customers: &BTreeSet<Id<Customer>>,
    cell: &Cell,
    now: Instant,
) -> Result<BTreeSet<Id<Customer>>, Failure> {
    let ids: Vec<[u8; 16]> = customers.iter().map(|id| id.bytes()).collect();
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut refusing = rows::of_customers(tx, &ids, cell, now)?;
    let inherited = all::of_addresses(tx, &ids)?.into_iter();
    let holds = |held: &Held| standing(std::slice::from_ref(held), cell, now).is_some_and(Status::refuses);
    refusing.extend(inherited.filter(|(_, held)| holds(held)).map(|(id, _)| Id::from_bytes(id)));
    Ok(refusing)
}

/// Which of these addresses, by the beginning of their keyed hash, are of somebody known by them only who refuses.
///
/// # Errors
/// What the store says.
pub fn of_addresses(
    tx: &mut Tx<'_>,
    addresses: &BTreeSet<[u8; 16]>,
    cell: &Cell,
    now: Instant,
) -> Result<BTreeSet<[u8; 16]>, Failure> {
    let mut refusing = BTreeSet::new();
    for address in addresses {
        if rows::of_address(tx, address, cell, now)? {
            refusing.insert(*address);
        }
    }
    Ok(refusing)
}
