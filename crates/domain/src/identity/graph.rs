//! Which traces are one person's: a pure function of all that was ever said of them, so that it does not matter what was said first.

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
    /// Which of two links is believed first: the more trusted, then the older; the hashes decide between equals.
    fn rank(&self) -> (std::cmp::Reverse<Trust>, Instant, Key, Key) {
        let (one, other) = self.ends;
        (std::cmp::Reverse(self.trust), self.first_at, one.min(other), one.max(other))
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

/// Who is one person. Links are believed one after another, the best first; one that would give a person more identifiers of a kind than
/// the rules allow, or tie two customers together, does not hold. A person made of several customers by decision may have as much as they
/// had. Links to nodes that are not given do not hold.
///
/// # Panics
/// Never for nodes in the order of their keys.
pub fn partition(nodes: &[Node], links: &[Link], rules: &Rules) -> Partition {
    assert!(nodes.windows(2).all(|pair| pair[0].key < pair[1].key), "nodes come in the order of their keys");
    let mut person: Vec<usize> = (0..nodes.len()).collect();
    let mut members: Vec<Vec<usize>> = (0..nodes.len()).map(|place| vec![place]).collect();
    let mut holds = vec![false; links.len()];
    let mut order: Vec<usize> = (0..links.len()).collect();
    order.sort_by_key(|place| links[*place].rank());
    let place_of = |key: &Key| nodes.binary_search_by_key(key, |node| node.key).ok();
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
