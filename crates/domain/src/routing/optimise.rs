//! The lightest choice for one order: exact where it can be, and saying so where it is not.
//!
//! Small orders are counted out at once. For others a quick choice comes first, which is often the best of all: then no few other places
//! can be lighter. Else a proven bound lets go of places that cannot help. What remains is counted out state by state, or searched set by set. If even that is too much, the bound says how
//! far the choice can be from the best at most.

mod bound;
mod dynamic;
mod fill;
pub(super) mod problem;
mod search;
#[cfg(test)]
mod tests;

use self::problem::{Found, Problem, Weight};

/// Orders with at most so many steps are counted out at once.
const STEPS_AT_ONCE: u128 = 25_000;
/// The most steps that are counted out at all.
const STEPS_MAX: u128 = 1_500_000;
/// The most work of a search before there are prices, and with them: lines times places over all sets that are looked at.
const WORK_AT_ONCE: usize = 30_000;
const WORK_MAX: usize = 300_000;
/// The most places that are compared pair by pair.
const PAIRED_MAX: usize = 200;

/// A choice, and how good it is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Solved {
    pub(super) found: Found,
    /// No choice weighs less.
    pub(super) least: Weight,
}

/// The lightest choice.
pub(super) fn solve(problem: &Problem) -> Solved {
    solve_within(problem, STEPS_AT_ONCE, STEPS_MAX)
}

fn solve_within(problem: &Problem, steps_at_once: u128, steps_max: u128) -> Solved {
    let mut alive: Vec<usize> = (0..problem.nodes.len()).collect();
    alive.retain(|place| problem.nodes[*place].stock.iter().any(|units| *units > 0));
    if alive.is_empty() || problem.parts_max == 0 {
        return proven(problem.nothing());
    }
    match solve_at_once(problem, &alive, steps_at_once) {
        Ok(best) => proven(best),
        Err(best) => solve_at_length(problem, alive, best, steps_max),
    }
}

/// Can a run for so many parts be counted out in so many steps?
fn fits(problem: &Problem, alive: &[usize], parts_max: usize, steps_max: u128) -> bool {
    dynamic::steps(problem, alive, parts_max).is_some_and(|steps| steps <= steps_max)
}

/// The lightest choice of an order that is small, or that few places serve best; else the best that was found, as an error.
fn solve_at_once(problem: &Problem, alive: &[usize], steps_max: u128) -> Result<Found, Found> {
    if fits(problem, alive, usize::MAX, steps_max) {
        // Mostly the best needs no more parts than are allowed, and their number need not be told apart.
        let counted = dynamic::solve(problem, alive, usize::MAX);
        if counted.gives.len() <= problem.parts_max {
            return Ok(counted);
        }
    }
    if fits(problem, alive, problem.parts_max, steps_max) {
        return Ok(dynamic::solve(problem, alive, problem.parts_max));
    }
    let best = fill::improve(problem, fill::greedy(problem, alive), &[]);
    if !problem.is_separable() {
        return Err(best);
    }
    match search::search(problem, None, best, alive, WORK_AT_ONCE) {
        (found, true) => Ok(found),
        (found, false) => Err(found),
    }
}

/// The lightest choice, or a good one and how far it may be from it, beginning with the best that was found.
fn solve_at_length(problem: &Problem, mut alive: Vec<usize>, mut best: Found, steps_max: u128) -> Solved {
    let mut known = bound::bound(problem, &mut best, &mut alive);
    if known.least_fine <= (best.weight - 1) * bound::FINE {
        let better = fill::improve(problem, best.clone(), &alive);
        if better.weight < best.weight {
            best = better;
            let again = bound::bound(problem, &mut best, &mut alive);
            known = if again.least_fine > known.least_fine { again } else { known };
        }
    }
    // Only places are let go of with which no choice is lighter: where none is left, there is none.
    if known.least_fine > (best.weight - 1) * bound::FINE || alive.is_empty() {
        return proven(best);
    }
    undominated(problem, &mut alive);
    if fits(problem, &alive, usize::MAX, steps_max) {
        let counted = dynamic::solve(problem, &alive, usize::MAX);
        if counted.weight >= best.weight || counted.gives.len() <= problem.parts_max {
            return proven(if counted.weight < best.weight { counted } else { best });
        }
        known.least_fine = known.least_fine.max(counted.weight * bound::FINE);
    }
    if fits(problem, &alive, problem.parts_max, steps_max) {
        let counted = dynamic::solve(problem, &alive, problem.parts_max);
        return proven(if counted.weight < best.weight { counted } else { best });
    }
    if problem.is_separable() {
        let (found, is_complete) = search::search(problem, Some(&known), best, &alive, WORK_MAX);
        if is_complete {
            return proven(found);
        }
        best = found;
    }
    // Too much to prove: at least the best among the places that promise most.
    promising(&known, &best, &mut alive);
    while alive.len() > 1 && !fits(problem, &alive, problem.parts_max, steps_max / 4) {
        alive.pop();
    }
    if fits(problem, &alive, problem.parts_max, steps_max / 4) {
        let counted = dynamic::solve(problem, &alive, problem.parts_max);
        best = if counted.weight < best.weight { counted } else { best };
    }
    let least =
        known.least_fine.div_euclid(bound::FINE) + Weight::from(known.least_fine.rem_euclid(bound::FINE) > 0);
    Solved { least: least.min(best.weight), found: best }
}

/// The places most worth counting out first: those chosen, then those whose opening pays most.
fn promising(known: &bound::Bound, best: &Found, alive: &mut [usize]) {
    let is_chosen = |place: usize| best.gives.iter().any(|(chosen, _)| *chosen == place);
    alive.sort_unstable_by_key(|place| (!is_chosen(*place), known.reduced[*place], *place));
}

fn proven(found: Found) -> Solved {
    Solved { least: found.weight, found }
}

/// Lets go of places whose every load another place can carry, for no more, wholly.
fn undominated(problem: &Problem, alive: &mut Vec<usize>) {
    if alive.len() > PAIRED_MAX {
        return;
    }
    let everything: i64 = problem.demand.iter().sum();
    let carries = |better: usize, worse: usize| {
        let (a, b) = (&problem.nodes[better], &problem.nodes[worse]);
        let carries_line = |line: usize| {
            b.stock[line] == 0 || a.stock[line] >= problem.demand[line] && a.unit[line] <= b.unit[line]
        };
        a.open <= b.open && a.units_max >= everything && (0..problem.demand.len()).all(carries_line)
    };
    let all = alive.clone();
    alive.retain(|worse| {
        let beats = |better: &usize| {
            better != worse && carries(*better, *worse) && (better < worse || !carries(*worse, *better))
        };
        !all.iter().any(beats)
    });
}
