//! Whom something that was seen would be about, looked up before anything of it is written.

use std::collections::{BTreeMap, BTreeSet};

use domain::identity::Kind;
use domain::identity::graph::Key;
use domain::value::Id;
use domain::value::id::{Customer, Profile};
use store::{Tx, identity as rows};

use super::sight::Heard;
use super::{Seen, customer, rules, settle};
use crate::{Failure, World};

/// Who is meant.
#[derive(Default)]
pub(crate) struct Meant {
    /// The customers.
    pub customers: BTreeSet<Id<Customer>>,
    /// The addresses of mail of who is no customer, by the beginning of their keyed hashes.
    pub addresses: BTreeSet<Key>,
}

/// Who is meant by each of what was seen, believed or not.
///
/// # Errors
/// What the store says.
pub(crate) fn look(tx: &mut Tx<'_>, world: &World, seen: &[Seen]) -> Result<Vec<Meant>, Failure> {
    let (_, rules) = rules::current(tx)?;
    let mut heard: Vec<Heard> = seen.iter().map(|one| Heard::of(world.keyring(), &rules, one)).collect();
    customer::recognise_own_ids(tx, world, &rules, &mut heard)?;
    let keys: BTreeSet<Key> = heard.iter().flat_map(|one| &one.told).map(|told| told.key).collect();
    let known = settle::by_key(rows::find(tx, &keys.into_iter().collect::<Vec<_>>())?);
    let nobodys: BTreeSet<Id<Profile>> =
        known.values().filter(|one| one.root_customer.is_none()).map(|one| one.root).collect();
    let mut addresses: BTreeMap<Id<Profile>, Vec<Key>> = BTreeMap::new();
    for (root, key) in rows::addresses_of(tx, &nobodys.iter().map(|id| id.bytes()).collect::<Vec<_>>())? {
        addresses.entry(root).or_default().push(key);
    }
    let mut asked: BTreeMap<Key, Option<Id<Customer>>> = BTreeMap::new();
    let mut all = Vec::with_capacity(heard.len());
    for one in &heard {
        let mut meant = Meant::default();
        for told in &one.told {
            let found = known.get(&told.key);
            let mut customer = found.and_then(|found| found.root_customer);
            if customer.is_none() {
                customer = match asked.get(&told.key) {
                    Some(known) => *known,
                    None => customer::meant_by(tx, world.keyring(), told)?,
                };
                asked.insert(told.key, customer);
            }
            meant.customers.extend(customer);
            if customer.is_none() {
                meant.addresses.extend((told.kind == Kind::Email).then_some(told.key));
                meant
                    .addresses
                    .extend(found.and_then(|found| addresses.get(&found.root)).into_iter().flatten());
            }
        }
        all.push(meant);
    }
    Ok(all)
}
