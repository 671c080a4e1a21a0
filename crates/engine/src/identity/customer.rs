//! Customers among the profiles: each has one as soon as anybody asks, known by the mail, phone and external id of the customer file.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::identity::graph::{Key, Link};
use domain::identity::rule::Rules;
use domain::identity::{Identifier, Kind, Trust};
use domain::value::Id;
use domain::value::id::{Customer as CustomerKind, Profile};
use domain::{Code, Refusal};
use store::customer::Customer;
use store::{StoreError, Tx, customer as customers, identity as rows};

use super::rules;
use super::settle::settle;
use super::sight::{Heard, Plan, Sight, Told, key, shortened, sorted};
use crate::{Failure, Keyring, World};

/// What the customer file says; what else a customer is known by stays when the file changes.
const FILED: [Kind; 3] = [Kind::Email, Kind::Phone, Kind::UserId];

/// The profile that stands for the person a customer is; it is made if there is none, and brought up to date with the customer file.
///
/// # Errors
/// [`Code::NotFound`], [`Code::WrongState`] when the person was erased.
pub fn of_customer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Id<Profile>, Failure> {
    let mut plan = Plan::default();
    let own = add_known(tx, world, &mut plan, id)?;
    let (_, rules) = rules::current(tx)?;
    let known = settle(tx, actor, world, &rules, &plan)?;
    let known = known.get(&own).ok_or_else(|| StoreError::Corrupt(format!("no profile of {id}")))?;
    Ok(known.root)
}

/// Makes two customers one person, as somebody decided; the profile of the first stands for both. Doing it twice is the same as once.
///
/// # Errors
/// As [`of_customer`].
pub fn join_customers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    winner: Id<CustomerKind>,
    loser: Id<CustomerKind>,
) -> Result<Id<Profile>, Failure> {
    let mut plan = Plan { insists: true, ..Plan::default() };
    let ends = (add_known(tx, world, &mut plan, winner)?, add_known(tx, world, &mut plan, loser)?);
    plan.link(Link { ends, trust: Trust::Decided, first_at: world.now() });
    let (_, rules) = rules::current(tx)?;
    let known = settle(tx, actor, world, &rules, &plan)?;
    let known = known.get(&ends.0).ok_or_else(|| StoreError::Corrupt(format!("no profile of {winner}")))?;
    Ok(known.root)
}

/// Takes [`join_customers`] back: all profiles are again whose they would be had it never been decided.
///
/// # Errors
/// What the store says.
pub fn part_customers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: Id<CustomerKind>,
    other: Id<CustomerKind>,
) -> Result<(), Failure> {
    let mut plan = Plan { insists: true, ..Plan::default() };
    plan.gone.insert(sorted((own_key(world.keyring(), one), own_key(world.keyring(), other))));
    let (_, rules) = rules::current(tx)?;
    settle(tx, actor, world, &rules, &plan)?;
    Ok(())
}

/// Lets a customer be known by what the shop gave him, such as the number of a loyalty card. Doing it twice is the same as once.
///
/// # Errors
/// As [`of_customer`].
pub(crate) fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, identifier): (Id<CustomerKind>, &Identifier),
) -> Result<(), Failure> {
    let (kind, at, trust) = (identifier.kind(), world.now(), Trust::Internal);
    let told = key(world.keyring(), identifier);
    let sight = Sight { kind, trust, first: at, last: at, customer: None };
    tie(tx, actor, world, id, (told, sight))
}

/// Forgets what the shop gave a customer and takes back before anybody used it, as if it had never been given.
///
/// # Errors
/// What the store says.
pub(crate) fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    identifier: &Identifier,
) -> Result<(), Failure> {
    let told = key(world.keyring(), identifier);
    let Some(known) = rows::find(tx, &[told])?.pop() else { return Ok(()) };
    let mut plan = Plan::default();
    plan.gone.extend(rows::links(tx, &[told])?.iter().map(|link| sorted(link.ends)));
    let (_, rules) = rules::current(tx)?;
    settle(tx, actor, world, &rules, &plan)?;
    rows::forget(tx, told)?;
    Ok(rows::remove_unused(tx, known.profile)?)
}

/// Lets a customer be known by the card with this profile, by which he paid: as sure as a till that says so. Whoever was erased is known by
/// nothing.
///
/// # Errors
/// What the store says.
pub(crate) fn paid_by(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, card): (Id<CustomerKind>, Id<Profile>),
) -> Result<(), Failure> {
    let erased = customers::find(tx, id)?.is_none_or(|customer| customer.erased_at.is_some());
    let (false, Some(card)) = (erased, rows::of_profile(tx, card)?) else { return Ok(()) };
    let (at, trust) = (world.now(), Trust::Authenticated);
    tie(
        tx,
        actor,
        world,
        id,
        (card.key, Sight { kind: card.kind, trust, first: at, last: at, customer: None }),
    )
}

fn tie(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    (key, sight): (Key, Sight),
) -> Result<(), Failure> {
    let mut plan = Plan::default();
    let own = add_known(tx, world, &mut plan, id)?;
    plan.see(key, sight);
    plan.link(Link { ends: (own, key), trust: sight.trust, first_at: sight.first });
    let (_, rules) = rules::current(tx)?;
    settle(tx, actor, world, &rules, &plan)?;
    Ok(())
}

/// Adds the customers who are meant by what was heard: by their mail, phone, external id or own id. Those whose file was changed since
/// are brought up to date.
pub(super) fn add_all_meant(
    tx: &mut Tx<'_>,
    world: &World,
    plan: &mut Plan,
    heard: &[Heard],
) -> Result<(), Failure> {
    let keys: Vec<Key> = plan.sights.keys().copied().collect();
    let known = super::settle::by_key(rows::find(tx, &keys)?);
    let mut meant: Vec<Id<CustomerKind>> =
        known.values().filter(|one| one.outdated).filter_map(|one| one.root_customer).collect();
    let mut asked: BTreeSet<Key> = BTreeSet::new();
    for told in heard.iter().flat_map(|heard| &heard.told) {
        let settled = known.get(&told.key).is_some_and(|one| one.root_customer.is_some());
        if (!settled || told.kind == Kind::Email) && asked.insert(told.key) {
            meant.extend(meant_by(tx, world.keyring(), told)?);
        }
    }
    meant.sort_unstable();
    meant.dedup();
    for id in meant {
        if let Some(customer) = customers::find(tx, id)?.filter(|customer| customer.erased_at.is_none()) {
            add(tx, world, plan, &customer)?;
        }
    }
    Ok(())
}

/// Takes a customer's own id, told as a user's, for what it is.
pub(super) fn recognise_own_ids(
    tx: &mut Tx<'_>,
    world: &World,
    rules: &Rules,
    heard: &mut [Heard],
) -> Result<(), Failure> {
    for one in heard {
        let mut met = false;
        for told in one.told.iter_mut().filter(|told| told.kind == Kind::UserId) {
            let Ok(id) = Id::<CustomerKind>::parse(told.identifier.value()) else { continue };
            if customers::find(tx, id)?.is_some_and(|customer| customer.erased_at.is_none()) {
                (told.key, told.kind, met) = (own_key(world.keyring(), id), Kind::Customer, true);
            }
        }
        if met {
            one.sort(rules);
        }
    }
    Ok(())
}

/// The customer meant by what was told; a phone number that several share means none.
pub(super) fn meant_by(
    tx: &mut Tx<'_>,
    keyring: &Keyring,
    told: &Told,
) -> Result<Option<Id<CustomerKind>>, StoreError> {
    let value = told.identifier.value();
    let hash = || keyring.lookup_hash(told.kind.text(), value);
    match told.kind {
        Kind::Customer => Ok(Id::parse(value).ok()),
        Kind::UserId => store::external::find(tx, value),
        Kind::Email => customers::by_email(tx, &hash()),
        Kind::Phone => {
            let found = customers::by_phone(tx, &hash(), 2)?;
            Ok(found.first().copied().filter(|_| found.len() == 1))
        }
        _ => Ok(None),
    }
}

pub(super) fn own_key(keyring: &Keyring, id: Id<CustomerKind>) -> Key {
    shortened(&keyring.lookup_hash(Kind::Customer.text(), &id.to_string()))
}

fn add_known(tx: &mut Tx<'_>, world: &World, plan: &mut Plan, id: Id<CustomerKind>) -> Result<Key, Failure> {
    let customer = customers::find(tx, id)?.ok_or_else(|| Refusal::not_found("customer", id))?;
    if customer.erased_at.is_some() {
        let why = format!("customer {id} was erased and is known by nothing");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    add(tx, world, plan, &customer)
}

/// Adds a customer with all that the customer file says; what it no longer says is gone.
pub(super) fn add(
    tx: &mut Tx<'_>,
    world: &World,
    plan: &mut Plan,
    customer: &Customer,
) -> Result<Key, Failure> {
    let (keyring, at) = (world.keyring(), customer.made_at);
    let own = own_key(keyring, customer.id);
    let sight = |kind, customer| Sight { kind, trust: Trust::Internal, first: at, last: at, customer };
    plan.see(own, sight(Kind::Customer, Some((customer.id, customer.version))));
    let customers::Lookups { emails, phones } = customers::lookups(tx, customer.id)?;
    let mut facts: Vec<(Kind, Key)> = emails.iter().map(|hash| (Kind::Email, shortened(hash))).collect();
    facts.extend(phones.iter().map(|hash| (Kind::Phone, shortened(hash))));
    let signed_in = customer.external_id.as_deref().map(|text| Identifier::new(Kind::UserId, None, text));
    if let Some(Ok(identifier)) = signed_in {
        facts.push((Kind::UserId, key(keyring, &identifier)));
    }
    let mut others: Vec<Key> = Vec::new();
    for link in rows::links(tx, &[own])?.iter().filter(|link| link.trust == Trust::Internal) {
        let (one, other) = link.ends;
        others.push(if one == own { other } else { one });
    }
    others.retain(|end| !facts.iter().any(|(_, fact)| fact == end));
    for end in rows::find(tx, &others)?.iter().filter(|end| FILED.contains(&end.kind)) {
        plan.gone.insert(sorted((own, end.key)));
    }
    for (kind, fact) in facts {
        plan.see(fact, sight(kind, None));
        plan.link(Link { ends: (own, fact), trust: Trust::Internal, first_at: at });
    }
    Ok(own)
}
