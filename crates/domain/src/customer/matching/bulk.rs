//! All pairs of a crowd that may be one person: found block by block, scored, and kept from a floor on. Memory is bounded: by the keys of a
//! person, the persons of a block, and the pairs that are kept.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::block::{Key, RULES, keys_of};
use super::crowd::{Crowd, One};
use super::level::{Level, Pattern, SWAPPED, is_open, likest, same, swap};
use super::model::Model;
use super::person::Field;

/// The most persons of a block; larger ones are parted, and what is still larger is left out and counted.
pub const BLOCK_MAX: usize = 100;
/// The most pairs that are kept.
pub const PAIRS_MAX: u64 = 30_000_000;
/// So many entries of blocks are looked at in one go.
const CHUNK: usize = 4_096;

/// How a crowd is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// One thread, or two.
    pub threads: Threads,
    /// The least score of a pair that is kept.
    pub floor: i32,
}

/// How many threads work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// One.
    One,
    /// Two.
    Two,
}

/// Two persons of a crowd, by their places, the lower first, and their score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The one.
    pub one: u32,
    /// The other.
    pub other: u32,
    /// The score.
    pub score: i32,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Pairs from the floor on, in order.
    pub pairs: Vec<Pair>,
    /// How many pairs were compared.
    pub compared: u64,
    /// How many blocks were too large and were parted.
    pub parted: u64,
    /// How many were still too large and were left out, and how many places of persons they had.
    pub left_out: (u64, u64),
}

/// More pairs than are kept lie above the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "more than {PAIRS_MAX} pairs score as much: raise the floor")
    }
}

impl std::error::Error for TooMany {}

/// Who shares which keys.
pub(super) struct Blocks {
    /// Key and person, sorted; only keys that several have.
    entries: Vec<u64>,
    /// The keys of each person, rising: where they begin, and all of them.
    starts: Vec<u32>,
    keys: Vec<u32>,
    parted: u64,
    left_out: (u64, u64),
}

/// Key and person of an entry.
const fn parts(entry: u64) -> (u32, u32) {
    ((entry >> 32) as u32, entry as u32)
}

/// The runs of entries of one key.
fn runs(entries: &[u64]) -> impl Iterator<Item = &[u64]> {
    entries.chunk_by(|a, b| parts(*a).0 == parts(*b).0)
}

impl Blocks {
    pub(super) fn of(crowd: &Crowd) -> Blocks {
        let mut blocks =
            Blocks { entries: Vec::new(), starts: Vec::new(), keys: Vec::new(), parted: 0, left_out: (0, 0) };
        for rule in 0..RULES.len() {
            let everybody = entries(crowd, rule, false, 0..crowd.len());
            let mut large = Vec::new();
            for run in runs(&everybody) {
                if run.len() > BLOCK_MAX {
                    blocks.parted += 1;
                    large.extend(run.iter().map(|entry| parts(*entry).1));
                } else if run.len() > 1 {
                    blocks.entries.extend(run);
                }
            }
            drop(everybody);
            large.sort_unstable();
            large.dedup();
            for run in runs(&entries(crowd, rule, true, large.into_iter())) {
                if run.len() > BLOCK_MAX {
                    blocks.left_out.0 += 1;
                    blocks.left_out.1 += run.len() as u64;
                } else if run.len() > 1 {
                    blocks.entries.extend(run);
                }
            }
        }
        blocks.turn(crowd.len());
        blocks
    }

    /// From who has a key to which keys somebody has.
    fn turn(&mut self, persons: u32) {
        let mut ends = vec![0u32; persons as usize + 1];
        self.entries.iter().for_each(|entry| ends[parts(*entry).1 as usize + 1] += 1);
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        self.starts = ends.clone();
        self.keys = vec![0; self.entries.len()];
        // Entries rise by key, rule by rule, coarse before fine: so do the keys of each person.
        for entry in &self.entries {
            let (key, person) = parts(*entry);
            let end = &mut ends[person as usize];
            self.keys[*end as usize] = key;
            *end += 1;
        }
    }

    fn keys(&self, person: u32) -> &[u32] {
        let at = person as usize;
        &self.keys[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// Is the key the first that both have? A pair is looked at only there.
    fn is_first(&self, key: u32, one: u32, other: u32) -> bool {
        let (mut ones, mut others) = (self.keys(one), self.keys(other));
        while let (Some(a), Some(b)) = (ones.first(), others.first()) {
            if a == b {
                return *a == key;
            }
            if a < b { ones = &ones[1..] } else { others = &others[1..] }
        }
        false
    }

    /// Every pair of a rule's blocks that no earlier key has.
    fn visit(&self, from: usize, to: usize, look: &mut dyn FnMut(u32, u32)) {
        for run in runs(&self.entries[from..to]) {
            for (at, entry) in run.iter().enumerate() {
                let (key, one) = parts(*entry);
                for other in &run[at + 1..] {
                    let other = parts(*other).1;
                    if self.is_first(key, one, other) {
                        look(one, other);
                    }
                }
            }
        }
    }

    /// Pairs of one rule's blocks, evenly, about as many as are asked for.
    pub(super) fn sample(&self, rule: usize, most: usize, look: &mut dyn FnMut(u32, u32)) {
        let (from, to) = self.of_rule(rule);
        let entries = &self.entries[from..to];
        let all: usize = runs(entries).map(|run| run.len() * (run.len() - 1) / 2).sum();
        let each = all.div_ceil(most.max(1)).max(1);
        for run in runs(entries).step_by(each) {
            for (at, one) in run.iter().enumerate() {
                run[at + 1..].iter().for_each(|other| look(parts(*one).1, parts(*other).1));
            }
        }
    }

    /// Where the entries of a rule lie.
    fn of_rule(&self, rule: usize) -> (usize, usize) {
        let begins = |number: usize| {
            let least = (number as u64) << 60;
            self.entries.partition_point(|entry| *entry < least)
        };
        let end = if rule == 15 { self.entries.len() } else { begins(rule + 1) };
        (begins(rule), end)
    }

    /// The blocks in chunks of about one size; none is cut.
    fn chunks(&self) -> Vec<(usize, usize)> {
        let (mut chunks, mut from, mut at) = (Vec::new(), 0, 0);
        for run in runs(&self.entries) {
            at += run.len();
            if at - from >= CHUNK {
                chunks.push((from, at));
                from = at;
            }
        }
        chunks.push((from, at));
        chunks
    }
}

/// Key and person by one rule, sorted.
fn entries(crowd: &Crowd, rule: usize, is_finer: bool, persons: impl Iterator<Item = u32>) -> Vec<u64> {
    let entry = |key: Key, person: u32| u64::from(key.number()) << 32 | u64::from(person);
    let mut entries: Vec<u64> = persons
        .flat_map(|person| {
            keys_of(&crowd.one(person), rule, is_finer).into_iter().map(move |key| entry(key, person))
        })
        .collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// All pairs that score as much as the floor, or more.
///
/// # Errors
/// When there are more than are kept.
pub fn pairs(crowd: &Crowd, model: &Model, effort: Effort) -> Result<Found, TooMany> {
    let blocks = Blocks::of(crowd);
    let chunks = blocks.chunks();
    let (next, kept) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let (mut pairs, mut compared) = (Vec::new(), 0u64);
        while let Some((from, to)) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let before = pairs.len();
            blocks.visit(*from, *to, &mut |one, other| {
                compared += 1;
                let score = score_from(&crowd.one(one), &crowd.one(other), model, effort.floor);
                pairs.extend(score.map(|score| Pair { one, other, score }));
            });
            let more = (pairs.len() - before) as u64;
            if kept.fetch_add(more, Ordering::Relaxed) + more > PAIRS_MAX {
                break;
            }
        }
        (pairs, compared)
    };
    let (mut pairs, compared) = match effort.threads {
        Threads::One => work(),
        Threads::Two => std::thread::scope(|scope| {
            let beside = scope.spawn(work);
            let (mut pairs, compared) = work();
            let (others, more) = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            pairs.extend(others);
            (pairs, compared + more)
        }),
    };
    if kept.into_inner() > PAIRS_MAX {
        return Err(TooMany);
    }
    pairs.sort_unstable();
    Ok(Found { pairs, compared, parted: blocks.parted, left_out: blocks.left_out })
}

/// Fields in the order in which they are looked at: what costs little first, and those that may be swapped together.
const ORDER: [&[Field]; 9] = [
    &[Field::Birth],
    &[Field::PostalCode],
    &[Field::Number],
    &[Field::Given, Field::Family],
    &[Field::City],
    &[Field::Email],
    &[Field::Phone],
    &[Field::Street, Field::Premises],
    &[Field::Region],
];

/// The score, unless it is below the floor; most pairs are given up early.
fn score_from(one: &One<'_>, other: &One<'_>, model: &Model, floor: i32) -> Option<i32> {
    let mut pattern = same(one, other);
    let gain = |pattern: &Pattern, field: Field| {
        if is_open(pattern, field) { most_gain(model, field) } else { 0 }
    };
    let mut hoped: i32 = Field::ALL.into_iter().map(|field| gain(&pattern, field)).sum();
    for fields in ORDER {
        if bare_score(model, &pattern) + hoped < floor {
            return None;
        }
        for field in fields {
            if is_open(&pattern, *field) {
                hoped -= most_gain(model, *field);
                pattern[field.place()] = likest(one, *field, other, *field);
            }
        }
        if let Some(pair) = SWAPPED.iter().find(|(a, _)| fields.contains(a)) {
            swap(one, other, *pair, &mut pattern);
        }
    }
    let score = model.score(&pattern);
    (score >= floor).then_some(score)
}

/// What a field may gain at most above being different.
fn most_gain(model: &Model, field: Field) -> i32 {
    model.weight(field, Level::Close) - model.weight(field, Level::Different)
}

/// The sum without what may be taken off it: never less than the score.
fn bare_score(model: &Model, pattern: &Pattern) -> i32 {
    let weight = |field: Field| pattern[field.place()].map_or(0, |agreement| model.weigh(field, agreement));
    Field::ALL.into_iter().map(weight).sum::<i32>() + model.parts().prior
}
