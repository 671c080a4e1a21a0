//! Quick choices: fill an order from given places, and make a choice better by adding, leaving out and swapping places.

use super::problem::{Found, Problem, Weight};

/// The most rounds of improving a choice.
const ROUNDS_MAX: usize = 20;

/// Everything that these places can give, the lightest first. Exact where lines are separate and all places may be used.
pub(super) fn fill(problem: &Problem, places: &[usize]) -> Found {
    let mut places = places.to_vec();
    loop {
        let gives = pour(problem, &places);
        let small =
            |(_, given): &&(usize, Vec<i64>)| given.iter().any(|units| *units > 0) && !problem.allows(given);
        let worth = |given: &[i64]| -> i128 {
            given.iter().zip(&problem.value).map(|(units, each)| i128::from(*units) * i128::from(*each)).sum()
        };
        let Some((smallest, _)) = gives.iter().filter(small).min_by_key(|(_, given)| worth(given)) else {
            return problem.found(gives);
        };
        let smallest = *smallest;
        places.retain(|place| *place != smallest);
    }
}

fn pour(problem: &Problem, places: &[usize]) -> Vec<(usize, Vec<i64>)> {
    let lines = problem.demand.len();
    let mut offers: Vec<(Weight, usize, usize)> = Vec::with_capacity(places.len() * lines);
    for (at, place) in places.iter().enumerate() {
        let node = &problem.nodes[*place];
        let has = (0..lines).filter(|line| node.stock[*line] > 0);
        offers.extend(has.map(|line| (node.unit[line] - problem.missing[line], line, at)));
    }
    offers.sort_unstable();
    let mut left = problem.demand.clone();
    let mut room: Vec<i64> = places.iter().map(|place| problem.nodes[*place].units_max).collect();
    let mut gives: Vec<(usize, Vec<i64>)> = places.iter().map(|place| (*place, vec![0; lines])).collect();
    for (weight, line, at) in offers {
        let units = problem.nodes[places[at]].stock[line].min(left[line]).min(room[at]);
        if weight < 0 && units > 0 {
            gives[at].1[line] = units;
            left[line] -= units;
            room[at] -= units;
        }
    }
    gives
}

/// What filling from these places weighs, at most; exact where lines are separate. `scratch` saves memory calls.
pub(super) fn weigh(problem: &Problem, places: &[usize], scratch: &mut Vec<(Weight, i64)>) -> Weight {
    let mut weight: Weight = places.iter().map(|place| problem.nodes[*place].open).sum();
    for line in 0..problem.demand.len() {
        scratch.clear();
        let nodes = places.iter().map(|place| &problem.nodes[*place]).filter(|node| node.stock[line] > 0);
        scratch.extend(nodes.map(|node| (node.unit[line], node.stock[line])));
        scratch.sort_unstable();
        let mut left = problem.demand[line];
        for (unit, stock) in scratch.iter() {
            let units = left.min(*stock);
            weight += unit * Weight::from(units);
            left -= units;
        }
        weight += problem.missing[line] * Weight::from(left);
    }
    weight
}

/// A first choice: the place that helps most, then the next, until none helps.
pub(super) fn greedy(problem: &Problem, places: &[usize]) -> Found {
    let mut chosen: Vec<usize> = Vec::new();
    let mut weight = problem.weight_of_nothing();
    while chosen.len() < problem.parts_max {
        let others = places.iter().filter(|place| !chosen.contains(place));
        let Some((least, place)) = lightest(problem, &chosen, others, weight) else { break };
        weight = least;
        chosen.push(place);
    }
    fill(problem, &chosen)
}

fn lightest<'a>(
    problem: &Problem,
    chosen: &[usize],
    others: impl Iterator<Item = &'a usize>,
    below: Weight,
) -> Option<(Weight, usize)> {
    let mut trial = chosen.to_vec();
    trial.push(0);
    let mut scratch = Vec::new();
    let is_separable = problem.is_separable();
    let mut best: Option<(Weight, usize)> = None;
    for place in others {
        trial[chosen.len()] = *place;
        let weight =
            if is_separable { weigh(problem, &trial, &mut scratch) } else { fill(problem, &trial).weight };
        if weight < best.map_or(below, |(weight, _)| weight) {
            best = Some((weight, *place));
        }
    }
    best
}

/// A choice made better: a place left out, another added, or one swapped for another, as long as it helps.
pub(super) fn improve(problem: &Problem, found: Found, places: &[usize]) -> Found {
    let mut best = found;
    for _ in 0..ROUNDS_MAX {
        let chosen: Vec<usize> = best.gives.iter().map(|(place, _)| *place).collect();
        let others = || places.iter().filter(|place| !chosen.contains(place));
        let mut next: Option<Found> = None;
        let mut consider = |trial: Vec<usize>| {
            let trial = fill(problem, &trial);
            if trial.weight < next.as_ref().map_or(best.weight, |found| found.weight) {
                next = Some(trial);
            }
        };
        if chosen.len() < problem.parts_max
            && let Some((_, place)) = lightest(problem, &chosen, others(), best.weight)
        {
            consider([chosen.as_slice(), &[place]].concat());
        }
        for out in &chosen {
            let rest: Vec<usize> = chosen.iter().copied().filter(|place| place != out).collect();
            if let Some((_, place)) = lightest(problem, &rest, others(), best.weight) {
                consider([rest.as_slice(), &[place]].concat());
            }
            consider(rest);
        }
        match next {
            Some(found) => best = found,
            None => break,
        }
    }
    best
}
