//! Proof by few parts: sets of places in the order of what opening them weighs, as long as what opening alone weighs leaves room for a
//! lighter choice. Orders that one, two or three places can serve are proven so before any prices are looked for.

use super::fill::{fill, weigh};
use super::problem::{Found, Problem, Weight};

/// The most work: lines times places over all sets that are looked at.
const WORK_MAX: usize = 200_000;

struct Few<'a> {
    problem: &'a Problem,
    /// The places, those that weigh least to open first.
    places: Vec<usize>,
    /// What all units weigh, each from where it weighs least.
    units: Weight,
    /// What a unit that is not placed weighs more than from where it weighs least, at least.
    left_out: Weight,
    /// The most units that one place gives.
    most: i64,
    /// The most of each line that one place gives.
    most_of: Vec<i64>,
    best: Found,
    work: usize,
    scratch: Vec<(Weight, i64)>,
}

/// The lightest choice, beginning with the best known, and whether every lighter one is ruled out. Lines must be separate.
pub(super) fn search(problem: &Problem, best: Found, alive: &[usize]) -> (Found, bool) {
    let mut places = alive.to_vec();
    places.sort_unstable_by_key(|place| (problem.nodes[*place].open, *place));
    let lines = 0..problem.demand.len();
    let least_of = |line: usize| {
        let has = places.iter().map(|place| &problem.nodes[*place]).filter(|node| node.stock[line] > 0);
        has.map(|node| node.unit[line])
            .min()
            .map_or(problem.missing[line], |unit| unit.min(problem.missing[line]))
    };
    let least: Vec<Weight> = lines.clone().map(least_of).collect();
    let each = |line: usize| least[line] * Weight::from(problem.demand[line]);
    let most_of =
        |line: usize| places.iter().map(|place| problem.nodes[*place].stock[line]).max().unwrap_or(0);
    let mut few = Few {
        problem,
        units: lines.clone().map(each).sum(),
        left_out: lines.clone().map(|line| problem.missing[line] - least[line]).min().unwrap_or(0),
        most: places.iter().map(|place| problem.nodes[*place].stock.iter().sum()).max().unwrap_or(0),
        most_of: lines.map(most_of).collect(),
        places,
        best,
        work: 0,
        scratch: Vec::new(),
    };
    few.add(0, &mut Vec::new(), (0, &problem.demand));
    (few.best, few.work < WORK_MAX)
}

impl Few<'_> {
    /// Every place from `next` on, beside those chosen, which weigh so much to open and leave so much to be given.
    fn add(&mut self, next: usize, chosen: &mut Vec<usize>, (opened, left): (Weight, &[i64])) {
        let room = self.problem.parts_max - chosen.len();
        if room == 0 {
            return;
        }
        let needed = self.needed(left);
        for at in next..self.places.len() {
            let place = self.places[at];
            let open = self.problem.nodes[place].open;
            // No later place is lighter to open.
            if self.work >= WORK_MAX || opened + self.least(open, needed, room) >= self.best.weight {
                return;
            }
            chosen.push(place);
            self.work += chosen.len() * left.len();
            if weigh(self.problem, chosen, &mut self.scratch) < self.best.weight {
                self.best = fill(self.problem, chosen);
            }
            let stock = self.problem.nodes[place].stock.iter();
            let left: Vec<i64> = left.iter().zip(stock).map(|(left, have)| (left - have).max(0)).collect();
            self.add(at + 1, chosen, (opened + open, &left));
            chosen.pop();
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
