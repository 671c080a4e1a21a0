//! A proven bound: what an order weighs at least, from prices per unit of each line.
//!
//! Each line gets a price that is paid for a served unit. Then every place decides for itself whether opening pays, and the sum of what
//! they gain can never be more than what is possible: the Lagrangian relaxation of "everything is served", improved by subgradient
//! steps (Held, Wolfe and Crowder 1974; for opening places, Cornuéjols, Fisher and Nemhauser 1977). Whole numbers throughout, so
//! that the bound is exact.

use super::fill::fill;
use super::problem::{Found, Node, Problem, Weight};

/// Prices are kept in this part of a unit of weight, so that rounding costs little.
pub(super) const FINE: Weight = 64;
/// The most steps.
const STEPS_MAX: usize = 160;
/// Steps without a better bound after which they become smaller.
const PATIENCE: usize = 8;
/// Smaller than this part of the first length, steps are not worth taking.
const SMALLEST: Weight = 256;

/// What is known about every choice.
pub(super) struct Bound {
    /// No choice weighs less than this many [`FINE`] parts.
    pub(super) least_fine: Weight,
    /// What each place adds when it is opened at the best prices, in [`FINE`] parts; negative when opening pays.
    pub(super) reduced: Vec<Weight>,
    /// What the prices pay for everything, in [`FINE`] parts.
    pub(super) paid: Weight,
}

/// Bounds the weight from below; makes `best` better when a step happens on something, and keeps in `alive` only places that a
/// better choice could use.
pub(super) fn bound(problem: &Problem, best: &mut Found, alive: &mut Vec<usize>) -> Bound {
    let lines = problem.demand.len();
    let mut prices = first_prices(problem, best);
    let mut known = Bound { least_fine: Weight::MIN, reduced: vec![0; problem.nodes.len()], paid: 0 };
    let (mut pace, mut waited) = (SMALLEST, 0);
    let mut tried: Vec<usize> = Vec::new();
    let mut reduced = vec![0; problem.nodes.len()];
    let mut given = vec![0; lines];
    for _ in 0..STEPS_MAX {
        for place in alive.iter() {
            reduced[*place] = reduced_weight(&problem.nodes[*place], &prices, None);
        }
        let paid: Weight = (0..lines).map(|line| prices[line] * Weight::from(problem.demand[line])).sum();
        let opened = opened(problem, alive, &reduced);
        let least = paid + opened.iter().map(|place| reduced[*place]).sum::<Weight>();
        if opened.len() <= problem.parts_max.min(2 * lines + 2) && opened != tried {
            let trial = fill(problem, &opened);
            if trial.weight < best.weight {
                *best = trial;
            }
            tried.clone_from(&opened);
        }
        waited += 1;
        if least > known.least_fine {
            known = Bound { least_fine: least, reduced: reduced.clone(), paid };
            keep(problem, &known, best.weight, &opened, alive);
            waited = 0;
        }
        if known.least_fine > (best.weight - 1) * FINE || alive.is_empty() {
            break;
        }
        if waited > PATIENCE {
            (pace, waited) = (pace / 2, 0);
        }
        given.fill(0);
        for place in &opened {
            reduced_weight(&problem.nodes[*place], &prices, Some(&mut given));
        }
        let gap = best.weight * FINE - least;
        if pace == 0 || !step(problem, &mut prices, &given, gap * pace / SMALLEST) {
            break;
        }
    }
    known
}

/// What the best choice so far pays per unit, its parts' opening shared evenly: a good guess of the prices.
fn first_prices(problem: &Problem, best: &Found) -> Vec<Weight> {
    let mut paid = vec![(0, 0); problem.demand.len()];
    for (place, given) in &best.gives {
        let node = &problem.nodes[*place];
        let share = node.open * FINE / Weight::from(given.iter().sum::<i64>().max(1));
        for (line, units) in given.iter().enumerate() {
            paid[line].0 += Weight::from(*units) * (node.unit[line] * FINE + share);
            paid[line].1 += Weight::from(*units);
        }
    }
    let price = |(line, (sum, units)): (usize, &(Weight, Weight))| {
        if *units == Weight::from(problem.demand[line]) && *units > 0 {
            sum / units
        } else {
            problem.missing[line] * FINE
        }
    };
    paid.iter().enumerate().map(price).collect()
}

/// What opening a place adds at these prices, in fine parts: it gives what pays. Adds what it gives to `given`.
fn reduced_weight(node: &Node, prices: &[Weight], given: Option<&mut Vec<i64>>) -> Weight {
    let mut weight = node.open * FINE;
    let gain = |line: usize| node.unit[line] * FINE - prices[line];
    if node.stock.iter().sum::<i64>() <= node.units_max {
        for line in 0..prices.len() {
            weight += gain(line).min(0) * Weight::from(node.stock[line]);
        }
        if let Some(given) = given {
            for line in (0..prices.len()).filter(|line| gain(*line) < 0) {
                given[line] += node.stock[line];
            }
        }
        return weight;
    }
    let mut gains: Vec<(Weight, usize)> = (0..prices.len()).map(|line| (gain(line), line)).collect();
    gains.sort_unstable();
    let mut room = node.units_max;
    let mut taken = vec![0; prices.len()];
    for (gain, line) in gains.into_iter().filter(|(gain, _)| *gain < 0) {
        taken[line] = node.stock[line].min(room);
        room -= taken[line];
        weight += gain * Weight::from(taken[line]);
    }
    if let Some(given) = given {
        given.iter_mut().zip(taken).for_each(|(given, taken)| *given += taken);
    }
    weight
}

/// The places whose opening pays, the best first, no more than there may be parts.
fn opened(problem: &Problem, alive: &[usize], reduced: &[Weight]) -> Vec<usize> {
    let mut opened: Vec<usize> = alive.iter().copied().filter(|place| reduced[*place] < 0).collect();
    opened.sort_unstable_by_key(|place| (reduced[*place], *place));
    opened.truncate(problem.parts_max);
    opened
}

/// Lets go of places with which no choice can be lighter than the one we have.
fn keep(problem: &Problem, known: &Bound, best: Weight, opened: &[usize], alive: &mut Vec<usize>) {
    let replaced = match opened.last() {
        Some(last) if opened.len() == problem.parts_max => known.reduced[*last],
        _ => 0,
    };
    let limit = (best - 1) * FINE;
    alive.retain(|place| {
        opened.contains(place) || known.least_fine + (known.reduced[*place] - replaced).max(0) <= limit
    });
}

/// Lowers the price of what is served too often, raises that of what is not; false when nothing is to change.
fn step(problem: &Problem, prices: &mut [Weight], given: &[i64], length: Weight) -> bool {
    let over = |line: usize| Weight::from(problem.demand[line]) - Weight::from(given[line]);
    let square: Weight = (0..prices.len()).map(|line| over(line) * over(line)).sum();
    let mut has_moved = false;
    for (line, price) in prices.iter_mut().enumerate() {
        // A price above what a missing unit weighs would only make the bound worse.
        let next = (*price + length * over(line) / square.max(1)).min(problem.missing[line] * FINE);
        has_moved |= next != *price;
        *price = next;
    }
    has_moved
}
