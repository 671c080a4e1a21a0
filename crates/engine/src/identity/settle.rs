//! Who is one person after what was seen: everything that hangs together is looked at anew, whether it was believed before or not, so
//! that the outcome depends on what was said and never on what was said first.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Actor;
use domain::identity::Kind;
use domain::identity::graph::{Key, Link, Node, partition};
use domain::identity::rule::Rules;
use domain::value::Id;
use domain::value::id::Profile;
use serde_json::json;
use store::identity::Known;
use store::{Tx, identity as rows};

use super::sight::{Ends, Plan, Sight, sorted, stronger};
use crate::event::emit;
use crate::{Failure, World};

/// The most links of a browser or device, and of anything else: a screen in a store that hundreds use ties nobody to anybody.
const LINKS_MAX: (i64, i64) = (50, 1_000);
/// The most identifiers that are looked at together; beyond, what is new is not believed.
const NODES_MAX: usize = 20_000;
/// How much later something must be seen again for it to be noted: a day.
const NOTED_AFTER_MICROS: i64 = 86_400_000_000;

pub(super) fn by_key(known: Vec<Known>) -> BTreeMap<Key, Known> {
    known.into_iter().map(|one| (one.key, one)).collect()
}

pub(super) fn each_once(links: Vec<Link>) -> BTreeMap<Ends, Link> {
    links.into_iter().map(|link| (sorted(link.ends), link)).collect()
}

/// Writes what was seen and finds out who is one person; answers all that was seen as it is known afterwards.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rules: &Rules,
    plan: &Plan,
) -> Result<BTreeMap<Key, Known>, Failure> {
    let keys: Vec<Key> = plan.sights.keys().copied().collect();
    let mut known = by_key(rows::find(tx, &keys)?);
    let made = add_missing(tx, world, plan, &mut known)?;
    let changed = changed_links(tx, plan, &known, &made)?;
    let earlier =
        |key: &&Key| known.get(*key).is_some_and(|known| plan.sights[*key].first < known.first_seen);
    let mut stirred: BTreeSet<Key> = keys.iter().filter(earlier).copied().collect();
    stirred.extend(changed.keys().chain(&plan.gone).flat_map(|(one, other)| [*one, *other]));
    if stirred.is_empty() {
        note_seen(tx, plan, &known)?;
        return Ok(known);
    }
    let (mut component, links) = gather(tx, &stirred, &changed, &plan.gone)?;
    if component.len() > NODES_MAX {
        note_seen(tx, plan, &known)?;
        return Ok(known);
    }
    component.extend(&keys);
    let held: Vec<Key> = component.into_iter().collect();
    if rows::lock(tx, &held)? && gather(tx, &stirred, &changed, &plan.gone)?.1 != links {
        return Err(tx.begin_anew().into());
    }
    note_seen(tx, plan, &known)?;
    rows::write_links(tx, changed.values())?;
    plan.gone.iter().try_for_each(|ends| rows::remove_link(tx, *ends))?;
    let links: Vec<Link> = links.into_values().collect();
    regroup(tx, actor, world, rules, (&held, &links, &made))?;
    Ok(by_key(rows::find(tx, &keys)?))
}

/// Adds what was never seen, in the order of the hashes, each with a profile of its own.
fn add_missing(
    tx: &mut Tx<'_>,
    world: &mut World,
    plan: &Plan,
    known: &mut BTreeMap<Key, Known>,
) -> Result<BTreeSet<Id<Profile>>, Failure> {
    let (mut made, mut missing) = (BTreeSet::new(), Vec::new());
    for (key, sight) in plan.sights.iter() {
        if known.contains_key(key) {
            continue;
        }
        let profile = world.id();
        let customer = sight.customer.map(|(customer, _)| customer);
        let new = Known {
            key: *key,
            kind: sight.kind,
            profile,
            root: profile,
            customer,
            root_customer: customer,
            outdated: false,
            trust: sight.trust,
            first_seen: sight.first,
            last_seen: sight.last,
        };
        made.insert(profile);
        known.insert(*key, new);
        missing.push((new, sight.customer.map(|(_, version)| version)));
    }
    if !rows::add(tx, &missing, world.now())? {
        return Err(tx.begin_anew().into());
    }
    Ok(made)
}

/// The links that say something new. One too many of an identifier is passed over.
fn changed_links(
    tx: &mut Tx<'_>,
    plan: &Plan,
    known: &BTreeMap<Key, Known>,
    made: &BTreeSet<Id<Profile>>,
) -> Result<BTreeMap<Ends, Link>, Failure> {
    let (ones, others): (Vec<Key>, Vec<Key>) = plan.links.keys().copied().unzip();
    if ones.is_empty() {
        return Ok(BTreeMap::new());
    }
    let written = each_once(rows::links_between(tx, &ones, &others)?);
    let mut changed = BTreeMap::new();
    'links: for (ends, link) in &plan.links {
        if let Some(written) = written.get(ends) {
            let both = stronger(written, link);
            if both != *written {
                changed.insert(*ends, both);
            }
            continue;
        }
        for key in [ends.0, ends.1] {
            let Some(end) = known.get(&key).filter(|known| !made.contains(&known.profile)) else { continue };
            let most = if end.kind.is_anonymous() { LINKS_MAX.0 } else { LINKS_MAX.1 };
            if end.kind != Kind::Customer && rows::count_links(tx, key, most)? >= most {
                continue 'links;
            }
        }
        changed.insert(*ends, *link);
    }
    Ok(changed)
}

fn note_seen(tx: &mut Tx<'_>, plan: &Plan, known: &BTreeMap<Key, Known>) -> Result<(), Failure> {
    let (mut seen, mut versions) = (Vec::new(), Vec::new());
    for (key, Sight { trust, first, last, customer, .. }) in plan.sights.iter() {
        let Some(known) = known.get(key) else { continue };
        let later = last.micros() - known.last_seen.micros() > NOTED_AFTER_MICROS;
        if *first < known.first_seen || later || *trust > known.trust {
            seen.push((*key, *trust, (*first, *last)));
        }
        versions.extend(customer.map(|(_, version)| (known.profile, version)));
    }
    rows::note_seen(tx, &seen)?;
    Ok(rows::note_versions(tx, &versions)?)
}

/// Everything that hangs together with these by what anybody ever said, and by what is being said.
fn gather(
    tx: &mut Tx<'_>,
    from: &BTreeSet<Key>,
    changed: &BTreeMap<Ends, Link>,
    gone: &BTreeSet<Ends>,
) -> Result<(BTreeSet<Key>, BTreeMap<Ends, Link>), Failure> {
    let (mut found, mut links) = (from.clone(), changed.clone());
    let mut next: Vec<Key> = from.iter().copied().collect();
    while !next.is_empty() && found.len() <= NODES_MAX {
        let met = rows::links(tx, &next)?;
        next.clear();
        for link in met {
            let ends = sorted(link.ends);
            next.extend([ends.0, ends.1].into_iter().filter(|key| found.insert(*key)));
            let link = changed.get(&ends).map_or(link, |changed| stronger(&link, changed));
            links.insert(ends, link);
        }
    }
    links.retain(|ends, _| !gone.contains(ends));
    Ok((found, links))
}

/// Lets one profile stand for each person: the one of the customer, or the oldest.
fn regroup(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rules: &Rules,
    (held, links, made): (&[Key], &[Link], &BTreeSet<Id<Profile>>),
) -> Result<(), Failure> {
    let known = rows::find(tx, held)?;
    let node = |known: &Known| Node { key: known.key, kind: known.kind, first_seen: known.first_seen };
    let nodes: Vec<Node> = known.iter().map(node).collect();
    let partition = partition(&nodes, links, rules);
    let decided = links.iter().filter(|link| link.trust == domain::identity::Trust::Decided);
    let gave_way: BTreeSet<Key> = decided.map(|link| link.ends.1).collect();
    let mut roots: BTreeMap<usize, (bool, Id<Profile>)> = BTreeMap::new();
    for (known, person) in known.iter().zip(&partition.person) {
        let leads = known.customer.is_some() && !gave_way.contains(&known.key);
        let mine = (!leads, known.profile);
        roots.entry(*person).and_modify(|best| *best = mine.min(*best)).or_insert(mine);
    }
    let mut moves: BTreeMap<(Id<Profile>, Id<Profile>), i64> = BTreeMap::new();
    let mut whole: BTreeSet<(Id<Profile>, Id<Profile>)> = BTreeSet::new();
    let mut changed = Vec::new();
    for (known, person) in known.iter().zip(&partition.person) {
        let (_, root) = roots[person];
        if known.root == root {
            continue;
        }
        changed.push((known.profile, root));
        if !made.contains(&known.profile) {
            *moves.entry((known.root, root)).or_default() += 1;
            if known.profile == known.root {
                whole.insert((known.root, root));
            }
        }
    }
    rows::set_roots(tx, &changed)?;
    for ((from, root), profiles) in moves {
        let kind = if whole.contains(&(from, root)) { "profile.joined" } else { "profile.parted" };
        let body = json!({ "from": from.to_string(), "profiles": profiles });
        emit(tx, actor, world, root, kind, body);
    }
    Ok(())
}
