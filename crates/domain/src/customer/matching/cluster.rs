//! From pairs to persons: clusters by average linkage. That two were never compared, or scored too little to be kept, speaks against
//! them; a chain of likenesses alone makes nobody one person.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// How clusters are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linkage {
    /// The least average score of two clusters that become one.
    pub least: i32,
    /// What a pair counts that has no score.
    pub absent: i32,
}

/// What two clusters have in common.
#[derive(Clone, Copy, Default)]
struct Link {
    sum: i64,
    scored: u64,
}

/// The average of two clusters, which they are, and how often each had changed then.
type Offer = (i64, Reverse<(u32, u32)>, (u32, u32));

/// Clusters on their way to become larger.
struct Growing {
    linkage: Linkage,
    sizes: Vec<u64>,
    /// How often a cluster changed; what was reckoned before counts no more.
    changes: Vec<u32>,
    links: Vec<HashMap<u32, Link>>,
    into: Vec<u32>,
    heap: BinaryHeap<Offer>,
}

impl Growing {
    /// The average over all pairs of two clusters, in thousandths of a score.
    fn average(&self, one: u32, other: u32, link: Link) -> i64 {
        let all = self.sizes[one as usize] * self.sizes[other as usize];
        let absent = (all - link.scored.min(all)).cast_signed() * i64::from(self.linkage.absent);
        ((link.sum + absent) * 1_000).div_euclid(all.cast_signed())
    }

    fn offer(&mut self, one: u32, other: u32, link: Link) {
        let average = self.average(one, other, link);
        if average >= i64::from(self.linkage.least) * 1_000 {
            let (low, high) = (one.min(other), one.max(other));
            let changes = (self.changes[low as usize], self.changes[high as usize]);
            self.heap.push((average, Reverse((low, high)), changes));
        }
    }

    /// The higher becomes part of the lower.
    fn join(&mut self, low: u32, high: u32) {
        let mut links = std::mem::take(&mut self.links[low as usize]);
        let mut others = std::mem::take(&mut self.links[high as usize]);
        links.remove(&high);
        others.remove(&low);
        for (neighbour, link) in others {
            self.links[neighbour as usize].remove(&high);
            let both = links.entry(neighbour).or_default();
            both.sum += link.sum;
            both.scored += link.scored;
        }
        self.sizes[low as usize] += self.sizes[high as usize];
        self.changes[low as usize] += 1;
        self.changes[high as usize] += 1;
        self.into[high as usize] = low;
        for (neighbour, link) in &links {
            self.links[*neighbour as usize].insert(low, *link);
            self.offer(low, *neighbour, *link);
        }
        self.links[low as usize] = links;
    }
}

/// The clusters of two and more, each in the order of its members. Pairs may come in any order; the most alike come together first, and
/// where several are equally alike, those of the lowest names.
pub fn clusters<P: Copy + Ord>(pairs: &[(P, P, i32)], linkage: Linkage) -> Vec<Vec<P>> {
    let mut persons: Vec<P> = pairs.iter().flat_map(|(one, other, _)| [*one, *other]).collect();
    persons.sort_unstable();
    persons.dedup();
    let place = |person: &P| persons.binary_search(person).unwrap_or(0) as u32;
    let mut growing = Growing {
        linkage,
        sizes: vec![1; persons.len()],
        changes: vec![0; persons.len()],
        links: vec![HashMap::new(); persons.len()],
        into: (0..persons.len() as u32).collect(),
        heap: BinaryHeap::new(),
    };
    for (one, other, score) in pairs {
        let (one, other) = (place(one), place(other));
        if one != other {
            // The same pair twice counts once, by its better score.
            let known = growing.links[one as usize].get(&other).map_or(i64::MIN, |link| link.sum);
            let link = Link { sum: known.max(i64::from(*score)), scored: 1 };
            growing.links[one as usize].insert(other, link);
            growing.links[other as usize].insert(one, link);
        }
    }
    for one in 0..persons.len() as u32 {
        let links: Vec<(u32, Link)> = growing.links[one as usize]
            .iter()
            .filter(|(other, _)| **other > one)
            .map(|(o, l)| (*o, *l))
            .collect();
        links.into_iter().for_each(|(other, link)| growing.offer(one, other, link));
    }
    while let Some((_, Reverse((low, high)), changes)) = growing.heap.pop() {
        if changes == (growing.changes[low as usize], growing.changes[high as usize]) {
            growing.join(low, high);
        }
    }
    gathered(&persons, &growing.into)
}

fn gathered<P: Copy + Ord>(persons: &[P], into: &[u32]) -> Vec<Vec<P>> {
    let mut clusters: BTreeMap<u32, Vec<P>> = BTreeMap::new();
    for (at, person) in persons.iter().enumerate() {
        let mut root = at as u32;
        while into[root as usize] != root {
            root = into[root as usize];
        }
        clusters.entry(root).or_default().push(*person);
    }
    clusters.into_values().filter(|members| members.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKAGE: Linkage = Linkage { least: 0, absent: -10 };

    #[test]
    fn a_chain_is_not_one_person() {
        let chain = [(1, 2, 9), (2, 3, 8), (3, 4, 9)];
        assert_eq!(clusters(&chain, LINKAGE), [vec![1, 2], vec![3, 4]]);
        let all = [(1, 2, 9), (2, 3, 8), (3, 4, 9), (1, 3, 5), (2, 4, 5), (1, 4, -2)];
        assert_eq!(clusters(&all, LINKAGE), [vec![1, 2, 3, 4]]);
    }

    #[test]
    fn nobody_alone_is_a_cluster() {
        assert_eq!(clusters::<u8>(&[], LINKAGE), Vec::<Vec<u8>>::new());
        assert_eq!(clusters(&[(1, 1, 99), (1, 2, -1)], LINKAGE), Vec::<Vec<i32>>::new());
        assert_eq!(clusters(&[(2, 1, 0), (1, 2, -50)], LINKAGE), [[1, 2]]);
    }
}
