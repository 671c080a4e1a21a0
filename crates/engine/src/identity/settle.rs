//! Who is one person after what was seen: everything that hangs together is looked at anew, whether it was believed before or not, so
//! that the outcome depends on what was said and never on what was said first.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Actor;
use domain::identity::Trust;
use domain::identity::graph::{Key, Link, Node, partition};
use domain::identity::rule::Rules;
use domain::value::Id;
use domain::value::id::Profile;
use domain::{Code, Refusal};
use serde_json::json;
use store::identity::Known;
use store::{Tx, identity as rows};

use super::room::{self, Said};
use super::sight::{Ends, Plan, Sight, sorted, stronger};
use crate::event::emit;
use crate::{Failure, World};

/// The most identifiers that are looked at together beside those that were seen; where more hang together, the less trusted links are not
/// followed.
const NODES_MAX: usize = 20_000;
/// The most that are looked at because anybody said that they hang together.
const PUBLIC_NODES_MAX: usize = 2_000;
/// How many are asked for at once.
const WALKED_MAX: usize = 100;
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
    let said = room::make(tx, rules, plan, &known)?;
    let earlier =
        |key: &&Key| known.get(*key).is_some_and(|known| plan.sights[*key].first < known.first_seen);
    let mut stirred: BTreeSet<Key> = keys.iter().filter(earlier).copied().collect();
    stirred.extend(said.changed.keys().chain(&said.gone).flat_map(|(one, other)| [*one, *other]));
    if stirred.is_empty() {
        note_seen(tx, plan, &known)?;
        return Ok(known);
    }
    let Some(around) = gather(tx, &stirred, &said)? else {
        let why = format!("more than {NODES_MAX} identifiers hang together with these");
        if plan.insists {
            let todo = "take some of the links between them back first";
            return Err(Refusal::new(Code::WrongState, format!("{why}; {todo}")).into());
        }
        if let Some(first) = plan.links.keys().find_map(|(one, _)| known.get(one)) {
            emit(tx, actor, world, first.root, "profile.not_settled", json!({ "why": why }));
        }
        note_seen(tx, plan, &known)?;
        return Ok(known);
    };
    let held: Vec<Key> = around.nodes.union(&keys.iter().copied().collect()).copied().collect();
    if rows::lock(tx, &held)? && gather(tx, &stirred, &said)?.as_ref() != Some(&around) {
        return Err(tx.begin_anew().into());
    }
    note_seen(tx, plan, &known)?;
    rows::write_links(tx, said.changed.values())?;
    said.gone.iter().try_for_each(|ends| rows::remove_link(tx, *ends))?;
    let links: Vec<Link> = around.links.into_values().collect();
    // Only whoever was looked at whole: what else was seen stays with whom it is.
    let nodes: Vec<Key> = around.nodes.into_iter().collect();
    regroup(tx, actor, world, rules, (&nodes, &links, &made))?;
    let known = by_key(rows::find(tx, &keys)?);
    for (key, links) in said.displaced {
        if let Some(end) = known.get(&key) {
            let body = json!({ "kind": end.kind.text(), "links": links });
            emit(tx, actor, world, end.root, "profile.links_dropped", body);
        }
    }
    Ok(known)
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

/// Identifiers that are looked at together, and what was said of them.
#[derive(PartialEq)]
struct Around {
    nodes: BTreeSet<Key>,
    links: BTreeMap<Ends, Link>,
}

/// Everything that hangs together with these by what anybody ever said, and by what is being said. Where that is too much, what anybody may
/// have said is not followed, then what programs said, and so on: persons then stay as they are put together, and only what is followed
/// can move them. None when even what was decided is too much.
fn gather(tx: &mut Tx<'_>, from: &BTreeSet<Key>, said: &Said) -> Result<Option<Around>, Failure> {
    for least in Trust::ALL {
        if let Some(around) = walk(tx, from, said, *least)? {
            return Ok(Some(around));
        }
    }
    Ok(None)
}

/// Follows the links that were said with at least this trust.
fn walk(tx: &mut Tx<'_>, from: &BTreeSet<Key>, said: &Said, least: Trust) -> Result<Option<Around>, Failure> {
    let whole = least == Trust::Public;
    let most = from.len() + if whole { PUBLIC_NODES_MAX } else { NODES_MAX };
    let (mut nodes, mut met) = (from.clone(), Vec::new());
    let mut next: Vec<Key> = from.iter().copied().collect();
    while !next.is_empty() {
        let asked = next.split_off(next.len().saturating_sub(WALKED_MAX));
        let links = rows::links_said(tx, &asked, least)?;
        let together = if whole { Vec::new() } else { rows::together(tx, &asked)? };
        let ends = links.iter().flat_map(|link| [link.ends.0, link.ends.1]);
        next.extend(ends.chain(together).filter(|key| nodes.insert(*key)));
        met.extend(links);
        if nodes.len() > most {
            return Ok(None);
        }
    }
    if !whole {
        let all: Vec<Key> = nodes.iter().copied().collect();
        met = rows::links_between(tx, &all, &all)?;
    }
    let mut links = each_once(met);
    for (ends, link) in &said.changed {
        links.entry(*ends).and_modify(|met| *met = stronger(met, link)).or_insert(*link);
    }
    links.retain(|ends, _| !said.gone.contains(ends));
    Ok(Some(Around { nodes, links }))
}

/// Lets one profile stand for each person: the one of the customer, or the oldest.
fn regroup(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rules: &Rules,
    (nodes, links, made): (&[Key], &[Link], &BTreeSet<Id<Profile>>),
) -> Result<(), Failure> {
    let known = rows::find(tx, nodes)?;
    let node = |known: &Known| Node { key: known.key, kind: known.kind, first_seen: known.first_seen };
    let nodes: Vec<Node> = known.iter().map(node).collect();
    let partition = partition(&nodes, links, rules);
    let decided = links.iter().filter(|link| link.trust == Trust::Decided);
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
