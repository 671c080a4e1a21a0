//! The pieces of a cart and what each costs so far: every discount is spread over pieces, to the minor unit.

use std::collections::BTreeMap;

use crate::value::money::split;

/// Pieces of one line that cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heap {
    /// What one costs, in minor units.
    pub unit: i64,
    /// How many.
    pub count: i64,
    /// Nothing may lower them any more.
    pub closed: bool,
}

/// What one promotion did to one line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lowered {
    /// On so many pieces,
    pub pieces: i64,
    /// so many minor units in all.
    pub minor: i64,
}

/// The pieces of all lines.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    heaps: Vec<Vec<Heap>>,
    /// By promotion (its place among the candidates) and line.
    pub lowered: BTreeMap<(usize, usize), Lowered>,
}

impl Pieces {
    /// Of so many lines, each with a unit price, a quantity, and whether it is closed from the start.
    pub fn new(lines: impl Iterator<Item = (i64, i64, bool)>) -> Pieces {
        let heaps = lines.map(|(unit, count, closed)| vec![Heap { unit, count, closed }]).collect();
        Pieces { heaps, lowered: BTreeMap::new() }
    }

    /// What a line costs so far.
    pub fn amount(&self, line: usize) -> i64 {
        self.heaps[line].iter().map(|heap| heap.unit * heap.count).sum()
    }

    /// What of a line may still be lowered.
    pub fn open_amount(&self, line: usize) -> i64 {
        self.open(line).map(|heap| heap.unit * heap.count).sum()
    }

    /// The pieces of a line that may still be lowered, dearest first.
    pub fn open(&self, line: usize) -> impl Iterator<Item = &Heap> {
        self.heaps[line].iter().filter(|heap| !heap.closed)
    }

    /// A promotion takes so many open pieces of a line that cost `unit` each, and lowers them by `minor` together.
    pub fn lower(&mut self, by: (usize, bool), line: usize, (unit, count): (i64, i64), minor: i64) {
        let (promotion, closes) = by;
        let heaps = &mut self.heaps[line];
        let found = heaps.iter_mut().find(|heap| heap.unit == unit && !heap.closed);
        let heap = found.expect("pieces are taken from what is there");
        assert!(
            heap.count >= count && (0..=unit * count).contains(&minor),
            "a discount lies between nothing and all"
        );
        heap.count -= count;
        let (each, more) = (minor / count, minor % count);
        for (unit, count) in [(unit - each, count - more), (unit - each - 1, more)] {
            add(heaps, Heap { unit, count, closed: closes });
        }
        heaps.retain(|heap| heap.count > 0);
        heaps.sort_by_key(|heap| std::cmp::Reverse(heap.unit));
        let lowered = self.lowered.entry((promotion, line)).or_default();
        lowered.pieces += count;
        lowered.minor += minor;
    }

    /// A promotion lowers some open heaps of a line by `minor` together, each in proportion to what it costs.
    pub fn lower_heaps(&mut self, by: (usize, bool), line: usize, heaps: &[(i64, i64)], minor: i64) {
        let amounts: Vec<i64> = heaps.iter().map(|(unit, count)| unit * count).collect();
        for (heap, part) in heaps.iter().zip(split(minor, &amounts)) {
            self.lower(by, line, *heap, part);
        }
    }

    /// A promotion lowers all open pieces of some lines by `minor` together: shared out by largest remainder, ties to the earlier line.
    pub fn lower_lines(&mut self, by: (usize, bool), lines: &[usize], minor: i64) {
        let amounts: Vec<i64> = lines.iter().map(|line| self.open_amount(*line)).collect();
        for (line, part) in lines.iter().zip(split(minor, &amounts)) {
            let heaps: Vec<(i64, i64)> = self.open(*line).map(|heap| (heap.unit, heap.count)).collect();
            if !heaps.is_empty() {
                self.lower_heaps(by, *line, &heaps, part);
            }
        }
    }
}

fn add(heaps: &mut Vec<Heap>, new: Heap) {
    match heaps.iter_mut().find(|heap| (heap.unit, heap.closed) == (new.unit, new.closed)) {
        Some(heap) => heap.count += new.count,
        None => heaps.push(new),
    }
}
