//! Forming sets one after the other, biggest first, and what no choice exceeds.

use super::{Cell, Chosen, SCALE, Set, Taking, alone, shares, worth};
use crate::promotion::{Gives, Off};
use crate::value::Rate;

/// The most orders of sets that are tried.
const ORDERS_MAX: usize = 64;
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
    let mut best = biggest_first(cells, sets, &all);
    let mut without: Vec<usize> = Vec::new();
    for number in all.iter().take(ORDERS_MAX / 2) {
        let mut first = biggest_first(cells, sets, &[*number]);
        first = more(cells, sets, first, &all);
        if first.value > best.value {
            best = first;
        }
        let others: Vec<usize> =
            all.iter().copied().filter(|set| set != number && !without.contains(set)).collect();
        let left_out = biggest_first(cells, sets, &others);
        if left_out.value > best.value {
            without.push(*number);
            best = left_out;
        }
    }
    best.bound = bound(cells, sets).max(best.value);
    best
}

/// Forms the set that brings most, as often as it can be, until none brings anything.
pub(super) fn biggest_first(cells: &[Cell], sets: &[Set], among: &[usize]) -> Chosen {
    let nothing = Chosen { takings: Vec::new(), value: alone(cells), bound: 0 };
    more(cells, sets, nothing, among)
}

/// Goes on forming sets from what is left.
fn more(cells: &[Cell], sets: &[Set], mut chosen: Chosen, among: &[usize]) -> Chosen {
    let mut left: Vec<i64> = cells.iter().map(|cell| cell.count).collect();
    let mut times: Vec<i64> = sets.iter().map(|set| set.times_max).collect();
    for taking in &chosen.takings {
        times[taking.set] -= taking.times;
        taking.pieces.iter().for_each(|(cell, _)| left[*cell] -= taking.times);
    }
    for _ in 0..STEPS_MAX {
        let formed = among
            .iter()
            .filter(|set| times[**set] > 0)
            .flat_map(|set| best_of_set(cells, &sets[*set], &left).map(|(gain, pieces)| (gain, *set, pieces)))
            .filter(|(gain, ..)| *gain > 0)
            .max_by_key(|(gain, set, _)| (*gain, std::cmp::Reverse(*set)));
        let Some((gain, set, pieces)) = formed else { break };
        let often = alike(&pieces, &left).min(times[set]);
        times[set] -= often;
        pieces.iter().for_each(|(cell, _)| left[*cell] -= often);
        chosen.value += gain * i128::from(often);
        chosen.takings.push(Taking { set, times: often, pieces });
    }
    chosen
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
    let plain = once(set, left, |cell| cells[cell].each == 0);
    [all, plain].into_iter().flatten().map(|pieces| (gain(&pieces), pieces)).max_by_key(|(gain, _)| *gain)
}

/// A set formed once: dearest pieces first, but the cheapest where they only open what another part is lowered by.
fn once(set: &Set, left: &[i64], may: impl Fn(usize) -> bool) -> Option<Vec<(usize, usize)>> {
    let mut left = left.to_vec();
    let mut pieces = Vec::new();
    let mut order: Vec<usize> = (0..set.parts.len()).collect();
    // The part with the least choice first.
    order.sort_by_key(|part| set.parts[*part].0.len());
    for part in order {
        let (cells, needed) = &set.parts[part];
        let opens = matches!(set.gives, Gives::Part { part: lowered, .. } if lowered != part);
        let mut needed = *needed;
        let mut take = |cell: usize| {
            let taken = left[cell].min(needed).max(0);
            left[cell] -= taken;
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
