//! The exact programme: place by place, the lightest way to have served each number of units of each line.
//!
//! A state is how many units (or lots) of each line are served, as digits of a mixed radix. A place is either left out, or opened and
//! then gives to each line: a bounded knapsack per line where the lines are separate, else every load that its limits allow.

use super::problem::{Found, Problem, Weight};

/// Not reachable.
const NEVER: Weight = 1 << 125;
/// The place gives nothing in this state.
const UNUSED: u32 = u32::MAX;
/// The most memory cells of a run; each has four bytes.
const CELLS_MAX: u128 = 2_000_000;

/// The states of a run, and how far they may be counted.
struct Grid {
    lots: Vec<i64>,
    /// The highest digit of each line.
    top: Vec<usize>,
    /// How far apart neighbours along each line are.
    stride: Vec<usize>,
    states: usize,
    /// How many parts are told apart; 1 when their number cannot bind.
    layers: usize,
}

/// How many elementary steps a run for so many parts at most takes; `None` when it needs more memory than it may have.
pub(super) fn steps(problem: &Problem, nodes: &[usize], parts_max: usize) -> Option<u128> {
    let lots = problem.lots(nodes);
    let tops: Vec<u128> =
        lots.iter().zip(&problem.demand).map(|(lot, demand)| (demand / lot).cast_unsigned().into()).collect();
    let product = |factor: &dyn Fn(u128) -> u128| {
        tops.iter().try_fold(1u128, |product, top| {
            product.checked_mul(factor(*top)).filter(|product| *product < 1 << 60)
        })
    };
    let states = product(&|top| top + 1)?;
    let layers = layers(parts_max, nodes.len(), tops.iter().sum()) as u128;
    // The states lie in memory although no place is left.
    let cells = states * layers * nodes.len().max(1) as u128;
    if cells > CELLS_MAX {
        return None;
    }
    if problem.is_separable() {
        return Some(cells * tops.len() as u128);
    }
    product(&|top| (top + 1) * (top + 2) / 2).map(|pairs| pairs * layers * nodes.len() as u128 * 4)
}

/// The lightest choice among these places with so many parts at most. [`steps`] must have said that it can be found.
pub(super) fn solve(problem: &Problem, nodes: &[usize], parts_max: usize) -> Found {
    let grid = Grid::of(problem, nodes, parts_max);
    let mut best = vec![NEVER; grid.layers * grid.states];
    best[0] = 0;
    let mut trail = vec![UNUSED; nodes.len() * grid.layers * grid.states];
    let is_separable = problem.is_separable();
    for (place, node) in nodes.iter().enumerate() {
        let from = &mut trail[place * best.len()..][..best.len()];
        for layer in (0..grid.layers).rev() {
            let Some(target) = grid.target(layer) else { continue };
            let (before, into) = (layer * grid.states, target * grid.states);
            if best[before..][..grid.states].iter().all(|weight| *weight >= NEVER / 2) {
                continue;
            }
            let opened = if is_separable {
                by_line(problem, *node, &grid, &best[before..][..grid.states])
            } else {
                by_load(problem, *node, &grid, &best[before..][..grid.states])
            };
            for (state, (weight, origin)) in opened.into_iter().enumerate() {
                if weight < best[into + state] {
                    best[into + state] = weight;
                    from[into + state] = origin;
                }
            }
        }
    }
    walk_back(problem, nodes, &grid, &best, &trail)
}

fn layers(parts_max: usize, nodes: usize, units: u128) -> usize {
    let most = (nodes as u128).min(units);
    if parts_max as u128 >= most { 1 } else { parts_max + 1 }
}

impl Grid {
    fn of(problem: &Problem, nodes: &[usize], parts_max: usize) -> Grid {
        let lots = problem.lots(nodes);
        let top: Vec<usize> =
            lots.iter().zip(&problem.demand).map(|(lot, demand)| (demand / lot) as usize).collect();
        let mut stride = Vec::with_capacity(top.len());
        let mut states = 1;
        for top in &top {
            stride.push(states);
            states *= top + 1;
        }
        let units = top.iter().map(|top| *top as u128).sum();
        Grid { layers: layers(parts_max, nodes.len(), units), lots, top, stride, states }
    }

    /// Where a part more leads; nowhere from the last layer.
    fn target(&self, layer: usize) -> Option<usize> {
        match self.layers {
            1 => Some(0),
            layers => Some(layer + 1).filter(|next| *next < layers),
        }
    }

    fn digit(&self, state: usize, line: usize) -> usize {
        state / self.stride[line] % (self.top[line] + 1)
    }

    /// How many units of each line lie between two states.
    fn between(&self, from: usize, to: usize) -> Vec<i64> {
        let units = |line: usize| (self.digit(to, line) - self.digit(from, line)) as i64 * self.lots[line];
        (0..self.top.len()).map(units).collect()
    }
}

/// The place opened, each line filled by itself.
fn by_line(problem: &Problem, node: usize, grid: &Grid, before: &[Weight]) -> Vec<(Weight, u32)> {
    let node = &problem.nodes[node];
    let mut opened: Vec<(Weight, u32)> =
        before.iter().zip(0..).map(|(weight, state)| (weight + node.open, state)).collect();
    for line in 0..grid.top.len() {
        let have = (node.stock[line] / grid.lots[line]) as usize;
        let unit = node.unit[line] * Weight::from(grid.lots[line]);
        let (stride, top) = (grid.stride[line], grid.top[line]);
        if have == 0 {
            continue;
        }
        for block in (0..grid.states).step_by(stride * (top + 1)) {
            let fiber = &mut opened[block..block + stride * (top + 1)];
            if have >= top {
                as_many_as_wanted(fiber, stride, unit);
            } else {
                at_most(fiber, stride, (have, top), unit);
            }
        }
    }
    opened
}

/// A place with enough of the line: one unit more than the neighbour, as often as one likes.
fn as_many_as_wanted(fiber: &mut [(Weight, u32)], stride: usize, unit: Weight) {
    for state in stride..fiber.len() {
        let (weight, origin) = fiber[state - stride];
        if weight + unit < fiber[state].0 {
            fiber[state] = (weight + unit, origin);
        }
    }
}

/// A place with fewer than are wanted: from the highest digit down, so that what is read is not yet written.
fn at_most(fiber: &mut [(Weight, u32)], stride: usize, (have, top): (usize, usize), unit: Weight) {
    for digit in (1..=top).rev() {
        for offset in 0..stride {
            let state = digit * stride + offset;
            let mut least = fiber[state];
            for units in 1..=have.min(digit) {
                let (weight, origin) = fiber[state - units * stride];
                let weight = weight + unit * units as Weight;
                if weight < least.0 {
                    least = (weight, origin);
                }
            }
            fiber[state] = least;
        }
    }
}

/// The place opened with every load that its limits allow.
fn by_load(problem: &Problem, node: usize, grid: &Grid, before: &[Weight]) -> Vec<(Weight, u32)> {
    let node = &problem.nodes[node];
    let mut opened = vec![(NEVER, UNUSED); grid.states];
    let have: Vec<usize> = node.stock.iter().map(|units| *units as usize).collect();
    let mut load = vec![0usize; have.len()];
    while advance(&mut load, &have) {
        let given: Vec<i64> = load.iter().map(|units| *units as i64).collect();
        if given.iter().sum::<i64>() > node.units_max || !problem.allows(&given) {
            continue;
        }
        let units = |(unit, units): (&Weight, &i64)| unit * Weight::from(*units);
        let weight = node.open + node.unit.iter().zip(&given).map(units).sum::<Weight>();
        let room: Vec<usize> = grid.top.iter().zip(&load).map(|(top, units)| top - units).collect();
        let shift: usize = load.iter().zip(&grid.stride).map(|(units, stride)| units * stride).sum();
        let mut state = vec![0usize; have.len()];
        loop {
            let origin: usize = state.iter().zip(&grid.stride).map(|(digit, stride)| digit * stride).sum();
            if before[origin] + weight < opened[origin + shift].0 {
                opened[origin + shift] = (before[origin] + weight, origin as u32);
            }
            if !advance(&mut state, &room) {
                break;
            }
        }
    }
    opened
}

/// The next number whose digits stay within the tops; false after the last.
fn advance(digits: &mut [usize], tops: &[usize]) -> bool {
    for (digit, top) in digits.iter_mut().zip(tops) {
        if *digit < *top {
            *digit += 1;
            return true;
        }
        *digit = 0;
    }
    false
}

/// The best last state, and from there the way back.
fn walk_back(problem: &Problem, nodes: &[usize], grid: &Grid, best: &[Weight], trail: &[u32]) -> Found {
    let missing = |state: usize| -> Weight {
        let left = |line: usize| (grid.top[line] - grid.digit(state, line)) as i64 * grid.lots[line];
        (0..grid.top.len()).map(|line| Weight::from(left(line)) * problem.missing[line]).sum()
    };
    let missing: Vec<Weight> = (0..grid.states).map(missing).collect();
    let reached = (0..best.len()).filter(|at| best[*at] < NEVER / 2);
    let Some(mut at) = reached.min_by_key(|at| best[*at] + missing[*at % grid.states]) else {
        return problem.nothing();
    };
    let mut gives = Vec::new();
    for (place, node) in nodes.iter().enumerate().rev() {
        let origin = trail[place * best.len() + at];
        if origin != UNUSED {
            gives.push((*node, grid.between(origin as usize, at % grid.states)));
            let layer = (at / grid.states).saturating_sub(1);
            at = layer * grid.states + origin as usize;
        }
    }
    problem.found(gives)
}
