//! Which traces are one person's: a pure function of all that was ever said of them, so that it does not matter what was said first.

use std::cmp::Reverse;

use crate::identity::rule::Rules;
use crate::identity::{Kind, Trust};
use crate::value::Instant;

/// The keyed hash of an identifier.
pub type Key = [u8; 16];

/// An identifier and when it was seen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its keyed hash.
    pub key: Key,
    /// What sort of thing it is.
    pub kind: Kind,
    /// When it was seen first.
    pub first_seen: Instant,
}

/// That two identifiers are one person's, as somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The two; of customers who were joined by decision, the first remains.
    pub ends: (Key, Key),
    /// The most trusted who said it.
    pub trust: Trust,
    /// When it was said first.
    pub first_at: Instant,
}

impl Link {
    /// The hashes, by which equals are told apart.
    fn sorted(&self) -> (Key, Key) {
        let (one, other) = self.ends;
        (one.min(other), one.max(other))
    }
}

/// The persons behind some identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// For each node, the place of the first node of its person.
    pub person: Vec<usize>,
    /// For each link, whether it holds.
    pub holds: Vec<bool>,
}

/// Who is one person. Links are believed one after another: the more trusted first, then the one whose identifiers are surer by the rules'
/// priority, then the older. One that would give a person more identifiers of a kind than the rules allow, or tie two customers together,
/// does not hold. A person made of several customers by decision may have as much as they had. Links to nodes that are not given do not hold.
///
/// # Panics
/// Never for nodes in the order of their keys.
pub fn partition(nodes: &[Node], links: &[Link], rules: &Rules) -> Partition {
    assert!(nodes.windows(2).all(|pair| pair[0].key < pair[1].key), "nodes come in the order of their keys");
    let mut person: Vec<usize> = (0..nodes.len()).collect();
    let mut members: Vec<Vec<usize>> = (0..nodes.len()).map(|place| vec![place]).collect();
    let mut holds = vec![false; links.len()];
    let place_of = |key: &Key| nodes.binary_search_by_key(key, |node| node.key).ok();
    let priority = |key: &Key| place_of(key).map(|place| rules.of(nodes[place].kind).priority);
    let mut order: Vec<usize> = (0..links.len()).collect();
    order.sort_by_cached_key(|place| {
        let link = &links[*place];
        let weaker = priority(&link.ends.0).max(priority(&link.ends.1));
        (Reverse(link.trust), weaker, link.first_at, link.sorted())
    });
    for link in order {
        let (one, other) = links[link].ends;
        let (Some(one), Some(other)) = (place_of(&one), place_of(&other)) else { continue };
        let (one, other) = (person[one].min(person[other]), person[one].max(person[other]));
        let decided = links[link].trust == Trust::Decided;
        holds[link] = one == other || decided || fit(nodes, &members[one], &members[other], rules);
        if one == other || !holds[link] {
            continue;
        }
        let moved = std::mem::take(&mut members[other]);
        moved.iter().for_each(|place| person[*place] = one);
        members[one].extend(moved);
    }
    Partition { person, holds }
}

/// The most links of a browser or device, and of anything else: a screen in a store that hundreds use ties nobody to anybody.
const LINKS_MAX: (usize, usize) = (50, 1_000);

/// The most links that an identifier of a kind has: said by anybody, and in all.
pub fn room(kind: Kind, rules: &Rules) -> (usize, usize) {
    let most = if kind.is_anonymous() { LINKS_MAX.0 } else { LINKS_MAX.1 };
    (usize::try_from(rules.public_links()).map_or(most, |public| public.min(most)), most)
}

/// For which of the links of one identifier there is no room: the less trusted give way, and what anybody may say has room of its own that it
/// cannot leave. Among equals the younger gives way. Only of what anybody said of a person, not of a browser, the older does: a browser
/// that is in use is said again with every event, so who floods a person with others shuts no door. What was decided never gives way.
pub fn crowded_out(kind: Kind, links: &[Link], rules: &Rules) -> Vec<usize> {
    let (public, most) = room(kind, rules);
    let mut order: Vec<usize> =
        (0..links.len()).filter(|place| links[*place].trust < Trust::Decided).collect();
    let decided = links.len() - order.len();
    order.sort_by_cached_key(|place| {
        let Link { trust, first_at, .. } = links[*place];
        let youngest_first = trust == Trust::Public && !kind.is_anonymous();
        let age = if youngest_first { -first_at.micros() } else { first_at.micros() };
        (Reverse(trust), age, links[*place].sorted())
    });
    let trusted = order.partition_point(|place| links[*place].trust > Trust::Public);
    let kept = most.saturating_sub(decided).min(trusted.saturating_add(public));
    order.split_off(kept.min(order.len()))
}

/// May these two groups be one person?
fn fit(nodes: &[Node], one: &[usize], other: &[usize], rules: &Rules) -> bool {
    let of_kind = |group: &[usize], kind: Kind| -> Vec<Instant> {
        let same = group.iter().map(|place| &nodes[*place]).filter(|node| node.kind == kind);
        same.map(|node| node.first_seen).collect()
    };
    let customers = of_kind(one, Kind::Customer).len() + of_kind(other, Kind::Customer).len();
    Kind::ALL.iter().all(|kind| {
        let (mut seen, others) = (of_kind(one, *kind), of_kind(other, *kind));
        if seen.is_empty() || others.is_empty() {
            return true;
        }
        if *kind == Kind::Customer {
            return false;
        }
        seen.extend(others);
        seen.sort_unstable();
        let rule = rules.of(*kind);
        let most = usize::try_from(rule.limit).unwrap_or(1) * customers.max(1);
        let Some(days) = rule.window_days else { return seen.len() <= most };
        let window = days * 86_400_000_000;
        seen.iter().zip(seen.iter().skip(most)).all(|(first, last)| last.micros() - first.micros() >= window)
    })
}
