//! Room for links: an identifier keeps so many, and when more are said the less trusted give way.

use std::collections::{BTreeMap, BTreeSet};

use domain::identity::graph::{Key, Link, crowded_out, room};
use domain::identity::rule::Rules;
use domain::identity::{Kind, Trust};
use store::identity::Known;
use store::{Tx, identity as rows};

use super::settle::each_once;
use super::sight::{Ends, Plan, sorted, stronger};
use crate::Failure;

/// What was said, as far as there is room for it.
pub(super) struct Said {
    /// The links that say something new.
    pub changed: BTreeMap<Ends, Link>,
    /// Links that are no longer so, or gave way.
    pub gone: BTreeSet<Ends>,
    /// How many gave way to others, by the identifier that had no room for them.
    pub displaced: BTreeMap<Key, usize>,
}

/// An identifier that has not room for all, and what was written of it.
type Full = (Key, Kind, BTreeMap<Ends, Link>);

/// Makes room for what was said: what finds none is passed over, and what was written before and is weaker gives way.
pub(super) fn make(
    tx: &mut Tx<'_>,
    rules: &Rules,
    plan: &Plan,
    known: &BTreeMap<Key, Known>,
) -> Result<Said, Failure> {
    let (ones, others): (Vec<Key>, Vec<Key>) = plan.links.keys().copied().unzip();
    let mut said = Said { changed: BTreeMap::new(), gone: plan.gone.clone(), displaced: BTreeMap::new() };
    if ones.is_empty() {
        return Ok(said);
    }
    let written = each_once(rows::links_between(tx, &ones, &others)?);
    for (ends, link) in &plan.links {
        let before = written.get(ends);
        let both = before.map_or(*link, |before| stronger(before, link));
        if before != Some(&both) {
            said.changed.insert(*ends, both);
        }
    }
    let full = full(tx, rules, known, (&said.changed, &written))?;
    // What is new and finds no room at the one end must take none away at the other.
    for one in &full {
        for ends in beyond(one, &said, rules) {
            if !written.contains_key(&ends) && !one.2.contains_key(&ends) {
                said.changed.remove(&ends);
            }
        }
    }
    for one in &full {
        let gone = beyond(one, &said, rules);
        if !gone.is_empty() {
            said.displaced.insert(one.0, gone.len());
        }
        for ends in gone {
            said.changed.remove(&ends);
            said.gone.insert(ends);
        }
    }
    Ok(said)
}

/// The identifiers that have not room for all that was said.
fn full(
    tx: &mut Tx<'_>,
    rules: &Rules,
    known: &BTreeMap<Key, Known>,
    (changed, written): (&BTreeMap<Ends, Link>, &BTreeMap<Ends, Link>),
) -> Result<Vec<Full>, Failure> {
    let mut extent: BTreeMap<Key, (i64, i64)> = BTreeMap::new();
    for (ends, link) in changed.iter().filter(|(ends, _)| !written.contains_key(ends)) {
        for key in [ends.0, ends.1] {
            let (public, all) = extent.entry(key).or_default();
            (*public, *all) = (*public + i64::from(link.trust == Trust::Public), *all + 1);
        }
    }
    let keys: Vec<Key> = extent.keys().copied().collect();
    for (key, (public, all)) in rows::count_links(tx, &keys)? {
        extent.entry(key).and_modify(|new| *new = (new.0 + public, new.1 + all));
    }
    let mut full = Vec::new();
    for (key, (public, all)) in extent {
        let Some(kind) = known.get(&key).map(|known| known.kind) else { continue };
        let most = room(kind, rules);
        if usize::try_from(public).is_ok_and(|many| many > most.0)
            || usize::try_from(all).is_ok_and(|many| many > most.1)
        {
            full.push((key, kind, each_once(rows::links(tx, &[key])?)));
        }
    }
    Ok(full)
}

/// The links of one identifier for which there is no room.
fn beyond((key, kind, written): &Full, said: &Said, rules: &Rules) -> Vec<Ends> {
    let mut links = written.clone();
    let own = said.changed.iter().filter(|(ends, _)| ends.0 == *key || ends.1 == *key);
    links.extend(own.map(|(ends, link)| (*ends, *link)));
    links.retain(|ends, _| !said.gone.contains(ends));
    let links: Vec<Link> = links.into_values().collect();
    crowded_out(*kind, &links, rules).into_iter().map(|place| sorted(links[place].ends)).collect()
}
