//! Better waves: a few orders that want the same things are taken out and put back another way.

use super::Effort;
use super::ground::{Chosen, Ground, Shared};
use crate::routing::optimise::problem::Weight;

/// The most orders that are taken out at once.
const OUT_MAX: u64 = 7;
/// How many ways of putting them back are tried.
const WAYS: usize = 3;

/// Makes the wave better, round by round, until nothing can be or the effort is spent.
pub(super) fn search(
    ground: &Ground<'_>,
    prices: &Shared<Weight>,
    effort: Effort,
    least: Weight,
    chosen: &mut [Chosen],
) {
    let free = ground.free();
    let mut chance = Chance(effort.seed);
    let mut left = ground.limits.clone();
    for (order, found) in chosen.iter().enumerate() {
        ground.take(order, found, 1, &mut left);
    }
    let wish = |order: usize| ground.solve(order, &free, &ground.limits).least;
    let wishes: Vec<Weight> = (0..chosen.len()).map(wish).collect();
    let rivals = rivals(ground);
    let mut burden = ground.burden(chosen);
    for _ in 0..effort.rounds {
        let unhappy: Vec<usize> =
            (0..chosen.len()).filter(|order| chosen[*order].weight > wishes[*order]).collect();
        if unhappy.is_empty() || burden <= least {
            return;
        }
        let first = unhappy[chance.below(unhappy.len())];
        let out = company(&rivals, first, chance.below(OUT_MAX as usize - 1) + 2, &mut chance);
        let before: Weight = out.iter().map(|order| chosen[*order].weight).sum();
        for order in &out {
            ground.take(*order, &chosen[*order], -1, &mut left);
        }
        let mut best: Option<(Weight, Vec<Chosen>)> = None;
        for way in 0..WAYS {
            let at = if way == 1 { &free } else { prices };
            let mut turns: Vec<usize> = (0..out.len()).collect();
            chance.shuffle(&mut turns);
            let trial = put_back(ground, &out, &turns, at, &mut left);
            let weight = trial.iter().map(|found| found.weight).sum();
            if best.as_ref().is_none_or(|(least, _)| weight < *least) {
                best = Some((weight, trial));
            }
        }
        if let Some((weight, trial)) = best.filter(|(weight, _)| *weight <= before) {
            burden += weight - before;
            for (order, found) in out.iter().zip(trial) {
                chosen[*order] = found;
            }
        }
        for order in &out {
            ground.take(*order, &chosen[*order], 1, &mut left);
        }
    }
}

/// The orders put back one after the other; what is left is as before.
fn put_back(
    ground: &Ground<'_>,
    out: &[usize],
    turns: &[usize],
    prices: &Shared<Weight>,
    left: &mut Shared<i64>,
) -> Vec<Chosen> {
    let mut trial: Vec<Chosen> = out.iter().map(|order| ground.orders[*order].problem.nothing()).collect();
    for turn in turns {
        let order = out[*turn];
        let found = ground.solve(order, prices, left).found;
        ground.take(order, &found, 1, left);
        trial[*turn] = ground.unpriced(order, found);
    }
    for (order, found) in out.iter().zip(&trial) {
        ground.take(*order, found, -1, left);
    }
    trial
}

/// Which orders want something that another wants too.
fn rivals(ground: &Ground<'_>) -> Vec<Vec<usize>> {
    let mut wanting: Vec<Vec<usize>> = vec![Vec::new(); ground.limits.stock.len()];
    for (order, own) in ground.orders.iter().enumerate() {
        for shelf in own.stock.iter().flatten() {
            wanting[*shelf].push(order);
        }
    }
    let meets = |own: &super::ground::Own<'_>| {
        let mut orders: Vec<usize> =
            own.stock.iter().flatten().flat_map(|shelf| wanting[*shelf].iter().copied()).collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    };
    ground.orders.iter().map(meets).collect()
}

/// An order with some of those that want the same; any others where there are too few.
fn company(rivals: &[Vec<usize>], first: usize, many: usize, chance: &mut Chance) -> Vec<usize> {
    let mut out = vec![first];
    for _ in 0..many * 3 {
        let of = out[chance.below(out.len())];
        let other = match rivals[of].len() {
            0 | 1 => chance.below(rivals.len()),
            known => rivals[of][chance.below(known)],
        };
        if out.len() < many && !out.contains(&other) {
            out.push(other);
        }
    }
    out
}

/// Chance that can be repeated: SplitMix64 (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    fn below(&mut self, many: usize) -> usize {
        (self.next() % many.max(1) as u64) as usize
    }

    fn shuffle(&mut self, list: &mut [usize]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}
