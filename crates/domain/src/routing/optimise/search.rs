//! Branch and bound over sets of places, for orders whose lines are separate. Three bounds rule sets out: what opening alone weighs, with
//! every unit from where it weighs least, which proves at once that few places are the best; once there are prices per line, these; and
//! then what the units weigh if every later place were open already.

use super::bound::{Bound, FINE};
use super::fill::{fill, weigh};
use super::problem::{Found, Problem, Weight};

/// What units weigh, and how many such there are.
type Lots = Vec<(Weight, i64)>;

struct Search<'a> {
    problem: &'a Problem,
    /// The places: those that weigh least to open first, or those whose opening pays most.
    places: Vec<usize>,
    /// What the place that weighs least to open weighs, from each place on.
    open_from: Vec<Weight>,
    /// What is known from prices.
    known: Option<&'a Bound>,
    rest: Rest,
    /// What lies from each place on, line by line; only where prices are known.
    later: Vec<Vec<Lots>>,
    best: Found,
    /// The most work: lines times places over all sets that are looked at.
    work_max: usize,
    work: usize,
    scratch: Lots,
}

/// What is known of everything beside opening places.
struct Rest {
    /// What all units weigh, each from where it weighs least.
    units: Weight,
    /// What a unit that is not placed weighs more than that, at least.
    left_out: Weight,
    /// The most units that one place gives.
    most: i64,
    /// The most of each line that one place gives.
    most_of: Vec<i64>,
}

/// What is chosen so far.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    /// What opening it weighs.
    open: Weight,
    /// The same at the known prices, in fine parts.
    reduced: Weight,
    /// How many of each line are still to be given.
    left: &'a [i64],
}

/// The lightest choice of places, beginning with the best known, and whether every lighter one is ruled out.
pub(super) fn search(
    problem: &Problem,
    known: Option<&Bound>,
    best: Found,
    alive: &[usize],
    work_max: usize,
) -> (Found, bool) {
    let mut places = alive.to_vec();
    match known {
        None => places.sort_unstable_by_key(|place| (problem.nodes[*place].open, *place)),
        Some(known) => places.sort_unstable_by_key(|place| (known.reduced[*place], *place)),
    }
    let mut open_from: Vec<Weight> = places.iter().map(|place| problem.nodes[*place].open).collect();
    for at in (1..open_from.len()).rev() {
        open_from[at - 1] = open_from[at - 1].min(open_from[at]);
    }
    let rest = Rest::of(problem, &places);
    let later = if known.is_some() { later(problem, &places) } else { Vec::new() };
    let (work, scratch) = (0, Vec::new());
    let mut search = Search { problem, places, open_from, known, rest, later, best, work_max, work, scratch };
    search.add(0, &mut Vec::new(), Chosen { open: 0, reduced: 0, left: &problem.demand });
    (search.best, search.work < work_max)
}

impl Search<'_> {
    /// Every place from `next` on, beside those chosen.
    fn add(&mut self, next: usize, chosen: &mut Vec<usize>, so_far: Chosen<'_>) {
        let room = self.problem.parts_max - chosen.len();
        if room == 0 {
            return;
        }
        let needed = self.rest.needed(so_far.left);
        for at in next..self.places.len() {
            if self.work >= self.work_max
                || self.is_heavy(at, (needed, room), so_far)
                || self.known.is_some()
                    && so_far.open + self.open_from[at] + self.units(at, chosen) >= self.best.weight
            {
                return;
            }
            let place = self.places[at];
            chosen.push(place);
            self.work += chosen.len() * so_far.left.len();
            if weigh(self.problem, chosen, &mut self.scratch) < self.best.weight {
                self.best = fill(self.problem, chosen);
            }
            let node = &self.problem.nodes[place];
            let left: Vec<i64> =
                so_far.left.iter().zip(&node.stock).map(|(left, have)| (left - have).max(0)).collect();
            let reduced = so_far.reduced + self.known.map_or(0, |known| known.reduced[place]);
            self.add(at + 1, chosen, Chosen { open: so_far.open + node.open, reduced, left: &left });
            chosen.pop();
        }
    }

    /// Is no choice lighter than the best that adds a place from here on? Nor is one then that adds only later places.
    fn is_heavy(&self, at: usize, (needed, room): ((i64, i64), usize), so_far: Chosen<'_>) -> bool {
        if so_far.open + self.rest.least(self.open_from[at], needed, room) >= self.best.weight {
            return true;
        }
        let Some(known) = self.known else { return false };
        let more = self.places[at..].iter().take(room);
        let pays: Weight = more.map(|place| known.reduced[*place].min(0)).sum();
        known.paid + so_far.reduced + pays > (self.best.weight - 1) * FINE
    }
}

impl Search<'_> {
    /// What all units weigh at least from these places and those from here on.
    fn units(&mut self, at: usize, chosen: &[usize]) -> Weight {
        self.work += self.problem.demand.len();
        let mut weight = 0;
        for (line, demand) in self.problem.demand.iter().enumerate() {
            let nodes = chosen.iter().map(|place| &self.problem.nodes[*place]);
            self.scratch.clear();
            self.scratch.extend(nodes.map(|node| (node.unit[line], node.stock[line])));
            self.scratch.sort_unstable();
            let (mut own, mut others) =
                (self.scratch.iter().peekable(), self.later[at][line].iter().peekable());
            let missing = self.problem.missing[line];
            let mut left = *demand;
            while left > 0 {
                let lot = match (own.peek(), others.peek()) {
                    (Some(one), Some(other)) if one <= other => own.next(),
                    (Some(_), None) => own.next(),
                    _ => others.next(),
                };
                let (unit, units) = lot.copied().unwrap_or((missing, left));
                weight += unit.min(missing) * Weight::from(units.min(left));
                left -= units.min(left);
            }
        }
        weight
    }
}

/// From each place on: the units of each line, those that weigh least first, at least as many as are wanted where there are so many.
fn later(problem: &Problem, places: &[usize]) -> Vec<Vec<Lots>> {
    let mut lines: Vec<Lots> = vec![Vec::new(); problem.demand.len()];
    let mut later = vec![Vec::new(); places.len()];
    for (at, place) in places.iter().enumerate().rev() {
        let node = &problem.nodes[*place];
        for (line, lots) in lines.iter_mut().enumerate().filter(|(line, _)| node.stock[*line] > 0) {
            let lot = (node.unit[line], node.stock[line]);
            lots.insert(lots.partition_point(|one| *one < lot), lot);
            let mut before = 0;
            let needed = lots.iter().take_while(|(_, units)| {
                let is_needed = before < problem.demand[line];
                before += units;
                is_needed
            });
            let needed = needed.count();
            lots.truncate(needed);
        }
        later[at].clone_from(&lines);
    }
    later
}

impl Rest {
    fn of(problem: &Problem, places: &[usize]) -> Rest {
        let nodes = || places.iter().map(|place| &problem.nodes[*place]);
        let lines = 0..problem.demand.len();
        let least_of = |line: usize| {
            let units = nodes().filter(|node| node.stock[line] > 0).map(|node| node.unit[line]);
            units.fold(problem.missing[line], Weight::min)
        };
        let least: Vec<Weight> = lines.clone().map(least_of).collect();
        Rest {
            units: lines.clone().map(|line| least[line] * Weight::from(problem.demand[line])).sum(),
            left_out: lines.clone().map(|line| problem.missing[line] - least[line]).min().unwrap_or(0),
            most: nodes().map(|node| node.stock.iter().sum()).max().unwrap_or(0),
            most_of: lines.map(|line| nodes().map(|node| node.stock[line]).max().unwrap_or(0)).collect(),
        }
    }

    /// How many units are left, and how many more places they need at least.
    fn needed(&self, left: &[i64]) -> (i64, i64) {
        let units: i64 = left.iter().sum();
        let of_line = left.iter().zip(&self.most_of).map(|(left, most)| ceiling(*left, *most)).max();
        (units, ceiling(units, self.most).max(of_line.unwrap_or(0)))
    }

    /// What everything else weighs at least with one more place or several, none of which weighs less than this to open.
    fn least(&self, open: Weight, (units, needed): (i64, i64), room: usize) -> Weight {
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        let with = |more: i64| {
            let without = (units - more.saturating_mul(self.most)).max(0);
            open * Weight::from(more) + self.left_out * Weight::from(without)
        };
        self.units + (1..=needed.clamp(1, room)).map(with).min().unwrap_or(0)
    }
}

fn ceiling(units: i64, each: i64) -> i64 {
    if units <= 0 { 0 } else { (units + each.max(1) - 1) / each.max(1) }
}
