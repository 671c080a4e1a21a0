//! What one person left among the profiles, found by everything the person is known by: to be told whole, and to be forgotten whole.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Actor;
use domain::identity::graph::Key;
use domain::value::Id;
use domain::value::id::{Customer as CustomerKind, Profile};
use store::customer::Customer;
use store::identity::Known;
use store::{Tx, customer as customers, identity as rows};

use super::customer::{add, own_key};
use super::rules;
use super::settle::{by_key, settle};
use super::sight::{Plan, shortened, sorted};
use crate::{Failure, World};

/// The most identifiers of a profile that are read at once.
const PAGE: i64 = 1_000;
/// The most customers who share a phone number and are looked at.
const SHARING_MAX: i64 = 50;

/// All that a person is known by: who is these customers, and has or had these addresses. The profiles of the customers and of nobody are
/// the person's as a whole. What the file of another living customer names is that customer's; of a profile that stands for another
/// customer, only what is known of this person by name is this person's.
///
/// # Errors
/// What the store says.
pub(crate) fn of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, addresses): (&[Id<CustomerKind>], &[[u8; 32]]),
) -> Result<Vec<Known>, Failure> {
    let (mut own, mut theirs) = (BTreeSet::new(), BTreeSet::new());
    own.extend(addresses.iter().map(|hash| shortened(hash)));
    for id in of {
        own.insert(own_key(world.keyring(), *id));
        if let Some(customer) = living(tx, *id)? {
            own.extend(up_to_date(tx, actor, world, &customer)?);
        }
    }
    for customer in sharing(tx, of, addresses)? {
        theirs.extend(up_to_date(tx, actor, world, &customer)?);
    }
    let own: Vec<Key> = own.difference(&theirs).copied().collect();
    let (mut found, mut whole) = (BTreeMap::new(), BTreeSet::new());
    for known in rows::find(tx, &own)? {
        let other = known.root_customer.filter(|id| !of.contains(id));
        match other.map(|id| living(tx, id)).transpose()?.flatten() {
            Some(_) => drop(found.insert(known.key, known)),
            None => drop(whole.insert(known.root)),
        }
    }
    for root in whole {
        let all = of_root(tx, root)?.into_iter().filter(|known| !theirs.contains(&known.key));
        found.extend(all.map(|known| (known.key, known)));
    }
    Ok(found.into_values().collect())
}

/// Forgets what a person is known by, and destroys the keys to what its profiles hold. What hung together with it and is not the person's is
/// settled anew. Events stay with profiles that nobody can be found by.
///
/// # Errors
/// What the store says.
pub(crate) fn forget(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    all: &[Known],
) -> Result<(), Failure> {
    let own: BTreeMap<Key, Known> = all.iter().map(|known| (known.key, *known)).collect();
    let keys: Vec<Key> = own.keys().copied().collect();
    let links = rows::links(tx, &keys)?;
    let beside: Vec<Key> = links
        .iter()
        .flat_map(|link| [link.ends.0, link.ends.1])
        .filter(|key| !own.contains_key(key))
        .collect();
    let beside = by_key(rows::find(tx, &beside)?);
    let mut plan = Plan::default();
    for link in &links {
        let (one, other) = link.ends;
        let (mine, other) = if own.contains_key(&one) { (one, other) } else { (other, one) };
        if beside.get(&other).is_some_and(|other| other.root == own[&mine].root) {
            plan.gone.insert(sorted(link.ends));
        }
    }
    if !plan.gone.is_empty() {
        let (_, rules) = rules::current(tx)?;
        settle(tx, actor, world, &rules, &plan)?;
    }
    let profiles: Vec<[u8; 16]> = all.iter().map(|known| known.profile.bytes()).collect();
    for (_, person, _) in rows::persons(tx, &profiles)? {
        if let Some(person) = person {
            store::contact::erase(tx, person, world.now())?;
        }
    }
    keys.into_iter().try_for_each(|key| Ok(rows::forget(tx, key)?))
}

/// Brings the profile of a customer up to date with the file, and answers what the file says that the customer is known by.
fn up_to_date(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: &Customer,
) -> Result<Vec<Key>, Failure> {
    let mut plan = Plan::default();
    add(tx, world, &mut plan, customer)?;
    let (_, rules) = rules::current(tx)?;
    settle(tx, actor, world, &rules, &plan)?;
    Ok(plan.sights.into_keys().collect())
}

fn living(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Option<Customer>, Failure> {
    Ok(customers::find(tx, id)?.filter(|customer| customer.erased_at.is_none()))
}

/// The other living customers who have one of these addresses now.
fn sharing(
    tx: &mut Tx<'_>,
    of: &[Id<CustomerKind>],
    addresses: &[[u8; 32]],
) -> Result<Vec<Customer>, Failure> {
    let mut ids = BTreeSet::new();
    for hash in addresses {
        ids.extend(customers::by_email(tx, hash)?);
        ids.extend(customers::by_phone(tx, hash, SHARING_MAX)?);
    }
    let mut found = Vec::new();
    for id in ids.into_iter().filter(|id| !of.contains(id)) {
        found.extend(living(tx, id)?);
    }
    Ok(found)
}

fn of_root(tx: &mut Tx<'_>, root: Id<Profile>) -> Result<Vec<Known>, Failure> {
    let mut all: Vec<Known> = Vec::new();
    loop {
        let after = all.last().map_or(Id::from_bytes([0; 16]), |known| known.profile);
        let page = rows::of_root(tx, root, after, PAGE)?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
