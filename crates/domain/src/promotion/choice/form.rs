//! Forming sets one after the other, biggest first, and what no choice exceeds.

use super::{Cell, Chosen, SCALE, Set, Taking, alone, shares, worth};
use crate::promotion::{Gives, Off};
use crate::value::Rate;

/// So many of the sets that bring most are each tried first, and left out.
const TRIED_MAX: usize = 8;
/// The most sets formed one after the other; each uses up a cell, so there are never as many.
const STEPS_MAX: usize = 20_000;

/// Are sets formed dearest pieces first the best there is? So it is for one set of one part whose pieces are worth nothing alone.
pub(super) fn is_best_in_order(cells: &[Cell], sets: &[Set]) -> bool {
    let [set] = sets else { return false };
    let simple = match set.gives {
        // Less than free is rounded set by set, so that the order matters by a minor unit.
        Gives::Cheapest { rate, .. } => rate.parts_per_million() == Rate::WHOLE,
        gives => matches!(gives, Gives::Off(Off::Price(_))),
    };
    simple && set.parts.len() == 1 && cells.iter().all(|cell| cell.each == 0)
}

/// The best of several orders, with a bound.
pub(super) fn form(cells: &[Cell], sets: &[Set]) -> Chosen {
    let all: Vec<usize> = (0..sets.len()).collect();
    let table = Table::new(cells, sets);
    let fresh = table.fresh();
    let mut best = table.go_on(fresh.clone(), &all);
    let mut tried: Vec<usize> = all.clone();
    tried.sort_by_key(|set| std::cmp::Reverse(fresh.offers[*set].as_ref().map(|(gain, _)| *gain)));
    for number in tried.into_iter().take(TRIED_MAX) {
        let first = table.go_on(table.go_on(fresh.clone(), &[number]), &all);
        let others: Vec<usize> = all.iter().copied().filter(|set| *set != number).collect();
        let without = table.go_on(fresh.clone(), &others);
        for other in [first, without] {
            if other.chosen.value > best.chosen.value {
                best = other;
            }
        }
    }
    Chosen { bound: bound(cells, sets).max(best.chosen.value), ..best.chosen }
}

/// Forms the set that brings most, as often as it can be, until none brings anything.
pub(super) fn biggest_first(cells: &[Cell], sets: &[Set], among: &[usize]) -> Chosen {
    let table = Table::new(cells, sets);
    table.go_on(table.fresh(), among).chosen
}

/// What a set could bring now: by how much more than its pieces alone, and which pieces.
type Offer = Option<(i128, Vec<(usize, usize)>)>;

/// Sets being formed one after the other.
#[derive(Clone)]
struct Run {
    left: Vec<i64>,
    times: Vec<i64>,
    offers: Vec<Offer>,
    chosen: Chosen,
}

struct Table<'a> {
    cells: &'a [Cell],
    sets: &'a [Set],
    /// The sets that may take from each cell.
    touching: Vec<Vec<usize>>,
}

impl<'a> Table<'a> {
    fn new(cells: &'a [Cell], sets: &'a [Set]) -> Table<'a> {
        let mut touching = vec![Vec::new(); cells.len()];
        for (number, set) in sets.iter().enumerate() {
            for cell in set.parts.iter().flat_map(|(cells, _)| cells) {
                let known: &mut Vec<usize> = &mut touching[*cell];
                if known.last() != Some(&number) {
                    known.push(number);
                }
            }
        }
        Table { cells, sets, touching }
    }

    /// Nothing is formed yet.
    fn fresh(&self) -> Run {
        let left: Vec<i64> = self.cells.iter().map(|cell| cell.count).collect();
        Run {
            times: self.sets.iter().map(|set| set.times_max).collect(),
            offers: self.sets.iter().map(|set| best_of_set(self.cells, set, &left)).collect(),
            chosen: Chosen { takings: Vec::new(), value: alone(self.cells), bound: 0 },
            left,
        }
    }

    /// Goes on forming these sets from what is left.
    fn go_on(&self, mut run: Run, among: &[usize]) -> Run {
        for _ in 0..STEPS_MAX {
            let gain = |set: usize| run.offers[set].as_ref().map_or(0, |(gain, _)| *gain);
            let set = among.iter().copied().max_by_key(|set| (gain(*set), std::cmp::Reverse(*set)));
            let Some(set) = set.filter(|set| gain(*set) > 0) else { break };
            let Some((gain, pieces)) = run.offers[set].take() else { break };
            let often = alike(&pieces, &run.left).min(run.times[set]);
            run.times[set] -= often;
            pieces.iter().for_each(|(cell, _)| run.left[*cell] -= often);
            run.chosen.value += gain * i128::from(often);
            let mut stale: Vec<usize> =
                pieces.iter().flat_map(|(cell, _)| self.touching[*cell].iter().copied()).collect();
            stale.sort_unstable();
            stale.dedup();
            for own in stale {
                let may = run.times[own] > 0;
                run.offers[own] =
                    if may { best_of_set(self.cells, &self.sets[own], &run.left) } else { None };
            }
            run.chosen.takings.push(Taking { set, times: often, pieces });
        }
        run
    }
}

/// How often the same pieces can be taken.
fn alike(pieces: &[(usize, usize)], left: &[i64]) -> i64 {
    let needs = |cell: usize| pieces.iter().filter(|(own, _)| *own == cell).count() as i64;
    pieces.iter().map(|(cell, _)| left[*cell] / needs(*cell)).min().unwrap_or(0)
}

/// The better of two ways to form a set once: from all that is left, or from what is worth nothing alone.
fn best_of_set(cells: &[Cell], set: &Set, left: &[i64]) -> Option<(i128, Vec<(usize, usize)>)> {
    let gain = |pieces: &Vec<(usize, usize)>| {
        worth(set, cells, pieces) - pieces.iter().map(|(cell, _)| cells[*cell].each).sum::<i128>()
    };
    let all = once(set, left, |_| true);
    let is_lowered = |(own, _): &(Vec<usize>, i64)| own.iter().any(|cell| cells[*cell].each != 0);
    let plain =
        if set.parts.iter().any(is_lowered) { once(set, left, |cell| cells[cell].each == 0) } else { None };
    [all, plain].into_iter().flatten().map(|pieces| (gain(&pieces), pieces)).max_by_key(|(gain, _)| *gain)
}

/// A set formed once: dearest pieces first, but the cheapest where they only open what another part is lowered by.
fn once(set: &Set, left: &[i64], may: impl Fn(usize) -> bool) -> Option<Vec<(usize, usize)>> {
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    let mut order: Vec<usize> = (0..set.parts.len()).collect();
    // The part with the least choice first.
    order.sort_by_key(|part| set.parts[*part].0.len());
    for part in order {
        let (cells, needed) = &set.parts[part];
        let opens = matches!(set.gives, Gives::Part { part: lowered, .. } if lowered != part);
        let mut needed = *needed;
        let mut take = |cell: usize| {
            let used = pieces.iter().filter(|(own, _)| *own == cell).count() as i64;
            let taken = (left[cell] - used).min(needed).max(0);
            needed -= taken;
            pieces.extend(std::iter::repeat_n((cell, part), usize::try_from(taken).unwrap_or(0)));
        };
        let allowed = cells.iter().copied().filter(|cell| may(*cell));
        if opens {
            allowed.rev().for_each(&mut take)
        } else {
            allowed.for_each(&mut take)
        }
        if needed > 0 {
            return None;
        }
    }
    Some(pieces)
}

/// What no choice exceeds: each set as often as it could ever be formed, of its dearest pieces, and every piece's worth alone; nor
/// more than everything.
fn bound(cells: &[Cell], sets: &[Set]) -> i128 {
    let everything: i128 = cells.iter().map(|cell| i128::from(cell.unit) * i128::from(cell.count)).sum();
    let of_sets: i128 = sets
        .iter()
        .map(|set| {
            let has = |cells_of: &[usize]| cells_of.iter().map(|cell| cells[*cell].count).sum::<i64>();
            let often = set.parts.iter().map(|(own, pieces)| has(own) / pieces).min().unwrap_or(0);
            i128::from(often.min(set.times_max)) * dearest(cells, set)
        })
        .sum();
    (everything * SCALE).min(alone(cells) + of_sets)
}

/// What a set is lowered by when every part has its dearest pieces, as if no two parts shared any.
fn dearest(cells: &[Cell], set: &Set) -> i128 {
    let mut units = Vec::new();
    for (part, (own, pieces)) in set.parts.iter().enumerate() {
        let all = own.iter().flat_map(|cell| {
            let many = cells[*cell].count.min(*pieces);
            std::iter::repeat_n(cells[*cell].unit, usize::try_from(many).unwrap_or(0))
        });
        units.extend(all.take(usize::try_from(*pieces).unwrap_or(0)).map(|unit| (unit, part)));
    }
    i128::from(shares(set.gives, &units).iter().sum::<i64>()) * SCALE
}
