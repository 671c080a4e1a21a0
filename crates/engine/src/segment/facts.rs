//! What is known of people, gathered for many at once, and only what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use domain::Refusal;
use domain::segment::Subject;
use domain::segment::facts::{Facts, Membership};
use domain::segment::goods::{Line, Order};
use domain::segment::needs::{Needs, VIEWED, VIEWED_PROPERTIES};
use domain::segment::occurrence::{Event, Scalar};
use domain::value::id::{Category, Product, Variant};
use domain::value::{Coordinates, Country, Id, Instant, Language};
use serde_json::Value;
use store::Tx;
use store::detail::preference;
use store::segment::facts::{self as rows, Key, Went};

use super::document::values_at;
use super::subject::{Atoms, atoms};
use crate::{Failure, location};

/// The most events of a person that count, the latest; and of people who are looked at together.
pub const EVENTS_MAX: i64 = 10_000;
/// The most orders of a person that count, the latest; and of people who are looked at together.
pub const ORDERS_MAX: i64 = 10_000;

/// What is known of these people, in their order. Of somebody with more than [`EVENTS_MAX`] events of the names that are asked for the
/// latest count.
///
/// # Errors
/// What the store says.
pub fn gather(
    tx: &mut Tx<'_>,
    subjects: &[Subject],
    needs: &Needs,
    now: Instant,
) -> Result<Vec<Facts>, Failure> {
    let atoms = atoms(tx, subjects)?;
    gather_of(tx, (subjects, &atoms), needs, now)
}

/// As [`gather`], of people of whom is known already what they are made of.
///
/// # Errors
/// As [`gather`].
pub(super) fn gather_of(
    tx: &mut Tx<'_>,
    (subjects, atoms): (&[Subject], &Atoms),
    needs: &Needs,
    now: Instant,
) -> Result<Vec<Facts>, Failure> {
    let mut facts: Vec<Facts> =
        subjects.iter().map(|one| Facts { subject: one.bytes(), ..Facts::default() }).collect();
    for (place, since, erased) in &atoms.made {
        facts[*place].customer_since = (!erased).then_some(*since);
        facts[*place].erased = *erased;
    }
    let many = subjects.len() > 1;
    let all_events = needs.events.is_empty() || events(tx, atoms, needs, now, &mut facts)?;
    let wants_orders = needs.orders || needs.place;
    let all_orders = !wants_orders || orders(tx, atoms, needs, &mut facts)?;
    if many && !(all_events && all_orders) {
        let (one, other) = subjects.split_at(subjects.len() / 2);
        let mut found = gather(tx, one, needs, now)?;
        found.extend(gather(tx, other, needs, now)?);
        return Ok(found);
    }
    of_customers(tx, atoms, needs, &mut facts)?;
    if needs.lists {
        let index: BTreeMap<Key, usize> = each_atom(atoms).collect();
        let keys: Vec<Key> = index.keys().copied().collect();
        for (key, list) in rows::lists(tx, &keys)? {
            facts[index[&key]].lists.insert(list);
        }
    }
    if needs.last_viewed {
        last_viewed(tx, &mut facts)?;
    }
    Ok(facts)
}

/// Every id that people are known by, with the person's place.
fn each_atom(atoms: &Atoms) -> impl Iterator<Item = (Key, usize)> {
    let customers = atoms.customers.iter().map(|(id, place, _)| (*id, *place));
    customers.chain(atoms.profiles.iter().copied())
}

/// What people did; false when there is more than can be looked at together.
fn events(
    tx: &mut Tx<'_>,
    atoms: &Atoms,
    needs: &Needs,
    now: Instant,
    facts: &mut [Facts],
) -> Result<bool, Failure> {
    let index: BTreeMap<Key, usize> = atoms.profiles.iter().copied().collect();
    let profiles: Vec<Key> = index.keys().copied().collect();
    if profiles.is_empty() {
        return Ok(true);
    }
    let names: Vec<String> = needs.events.keys().cloned().collect();
    let after = needs.events_after(now).unwrap_or(Instant::from_micros(i64::MIN));
    let mut found = rows::events(tx, &profiles, &names, after, EVENTS_MAX)?;
    let whole = (found.len() as i64) < EVENTS_MAX;
    found.sort_unstable_by_key(|(_, at, id, _, _)| (*at, *id));
    for (profile, at, _, name, body) in found {
        let wanted = needs.events.get(&name);
        let mut values = BTreeMap::new();
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
            let body: Value = serde_json::from_str(&body).unwrap_or_default();
            for property in wanted {
                let mut met = Vec::new();
                values_at(&body["properties"], property, &mut met);
                if !met.is_empty() {
                    values.insert(property.clone(), met);
                }
            }
        }
        facts[index[&profile]].events.push(Event { at, name, values });
    }
    Ok(whole)
}

/// What people ordered, and where that went; false when there is more than can be looked at together.
fn orders(tx: &mut Tx<'_>, atoms: &Atoms, needs: &Needs, facts: &mut [Facts]) -> Result<bool, Failure> {
    let index: BTreeMap<Key, usize> = atoms.customers.iter().map(|(id, place, _)| (*id, *place)).collect();
    let customers: Vec<Key> = index.keys().copied().collect();
    if customers.is_empty() {
        return Ok(true);
    }
    let mut found = rows::orders(tx, &customers, ORDERS_MAX)?;
    let whole = (found.len() as i64) < ORDERS_MAX;
    found.sort_unstable_by_key(|order| (order.at, order.order));
    let keys: Vec<Key> = found.iter().map(|order| order.order).collect();
    if needs.orders {
        let mut lines = if needs.lines { lines(tx, &keys, needs.categories)? } else { BTreeMap::new() };
        for order in &found {
            facts[index[&order.customer]].orders.push(Order {
                at: order.at,
                channel: order.channel,
                currency: order.currency,
                worth: order.worth,
                lines: lines.remove(&order.order).unwrap_or_default(),
            });
        }
    }
    if needs.place {
        let whose = found.iter().map(|order| (order.order, index[&order.customer]));
        places(tx, &whose.collect::<Vec<_>>(), facts)?;
    }
    Ok(whole)
}

/// Where these orders went, each with the person's place, the earliest first: the latest that went anywhere says where somebody is.
fn places(tx: &mut Tx<'_>, orders: &[(Key, usize)], facts: &mut [Facts]) -> Result<(), Failure> {
    let keys: Vec<Key> = orders.iter().map(|(order, _)| *order).collect();
    let went: BTreeMap<Key, Went> =
        rows::destinations(tx, &keys)?.into_iter().map(|one| (one.order, one)).collect();
    let latest: BTreeMap<usize, &Went> = orders
        .iter()
        .filter_map(|(order, whose)| Some((*whose, went.get(order)?)))
        .filter(|(_, went)| went.sent.is_some() || went.handed_over != (None, None))
        .collect();
    let mut areas: BTreeMap<&(Country, Option<String>), Option<Coordinates>> = BTreeMap::new();
    for (whose, went) in latest {
        let one = &mut facts[whose];
        (one.country, one.place) = match &went.sent {
            None => went.handed_over,
            Some(sent) => {
                let known = match areas.get(sent) {
                    Some(known) => *known,
                    None => location::area::coordinates_of(tx, sent.0, sent.1.as_deref())?,
                };
                areas.insert(sent, known);
                (Some(sent.0), known)
            }
        };
    }
    Ok(())
}

/// What is left of the lines of these orders.
fn lines(tx: &mut Tx<'_>, orders: &[Key], categories: bool) -> Result<BTreeMap<Key, Vec<Line>>, Failure> {
    let found = rows::lines(tx, orders)?;
    let mut above: BTreeMap<Id<Product>, Vec<Id<Category>>> = BTreeMap::new();
    if categories {
        let products: BTreeSet<Key> = found.iter().map(|line| line.2.bytes()).collect();
        for (product, category) in rows::categories(tx, &products.into_iter().collect::<Vec<_>>())? {
            above.entry(product).or_default().push(category);
        }
    }
    let mut lines: BTreeMap<Key, Vec<Line>> = BTreeMap::new();
    for (order, variant, product, quantity, left, gross) in found {
        lines.entry(order).or_default().push(Line {
            variant,
            product,
            categories: above.get(&product).cloned().unwrap_or_default(),
            worth: domain::order::share(gross, quantity, 0, left),
        });
    }
    Ok(lines)
}

/// What is known of customers only.
fn of_customers(tx: &mut Tx<'_>, atoms: &Atoms, needs: &Needs, facts: &mut [Facts]) -> Result<(), Failure> {
    let themselves: BTreeMap<Key, usize> =
        atoms.customers.iter().filter(|one| one.2).map(|one| (one.0, one.1)).collect();
    let keys: Vec<Key> = themselves.keys().copied().collect();
    if keys.is_empty() {
        return Ok(());
    }
    if needs.loyalty {
        for (customer, programme, tier, falls_at, points) in rows::memberships(tx, &keys)? {
            let own = Membership { programme, tier, falls_at, points };
            facts[themselves[&customer]].memberships.push(own);
        }
    }
    if needs.consents {
        let index: BTreeMap<Key, usize> = atoms.customers.iter().map(|one| (one.0, one.1)).collect();
        for (customer, held) in rows::consents(tx, &index.keys().copied().collect::<Vec<_>>())? {
            if themselves.contains_key(&customer) || held.status.refuses() {
                facts[index[&customer]].consents.push(held);
            }
        }
        for (customer, held) in store::consent::of_addresses(tx, &keys)? {
            facts[themselves[&customer]].consents.push(held);
        }
    }
    if needs.groups {
        for (customer, label) in rows::groups(tx, &keys)? {
            facts[themselves[&customer]].groups.insert(label);
        }
    }
    if needs.language {
        for (customer, language) in rows::languages(tx, &keys)? {
            facts[themselves[&customer]].language = Language::parse(&language).ok();
        }
        said_languages(tx, atoms, facts)?;
    }
    Ok(())
}

/// The language somebody said last goes before the one they were written to in first.
fn said_languages(tx: &mut Tx<'_>, atoms: &Atoms, facts: &mut [Facts]) -> Result<(), Failure> {
    let index: BTreeMap<Key, usize> = atoms.customers.iter().map(|one| (one.0, one.1)).collect();
    let mut said = preference::languages(tx, &index.keys().copied().collect::<Vec<_>>())?;
    said.sort_by_key(|(customer, _, at)| (*at, *customer));
    let newest: BTreeMap<usize, Option<String>> =
        said.into_iter().map(|(customer, language, _)| (index[&customer], language)).collect();
    for (place, language) in newest {
        let said = language.and_then(|code| Language::parse(&code).ok());
        facts[place].language = said.or(facts[place].language);
    }
    Ok(())
}

/// Which goods people viewed last: what the latest event that names any names.
fn last_viewed(tx: &mut Tx<'_>, facts: &mut [Facts]) -> Result<(), Failure> {
    let named = |facts: &Facts| -> Option<String> {
        let viewed = facts.events.iter().rev().filter(|event| event.name == VIEWED);
        let name = |event: &Event| {
            let first = |property: &&str| event.values.get(*property).and_then(|values| values.first());
            VIEWED_PROPERTIES.iter().find_map(first).cloned()
        };
        match viewed.filter_map(name).next()? {
            Scalar::Text(text) => Some(text),
            Scalar::Yes(_) | Scalar::Number(_) => None,
        }
    };
    let names: Vec<Option<String>> = facts.iter().map(named).collect();
    let skus: BTreeSet<String> = names.iter().flatten().cloned().collect();
    let by_sku: BTreeMap<String, Id<Variant>> =
        rows::variants_by_sku(tx, &skus.into_iter().collect::<Vec<_>>())?.into_iter().collect();
    for (one, name) in facts.iter_mut().zip(names) {
        let Some(name) = name else { continue };
        one.last_viewed = Id::parse(&name).ok().or_else(|| by_sku.get(&name).copied());
    }
    Ok(())
}

/// Refuses a list of people that is too long to be looked at together.
pub(super) fn few(field: &str, given: usize, most: usize) -> Result<(), Refusal> {
    if (1..=most).contains(&given) {
        Ok(())
    } else {
        Err(Refusal::invalid(field, format!("give 1 to {most}")))
    }
}
