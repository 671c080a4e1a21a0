//! Branch and bound over the places that are still worth looking at, for orders with more states than can be counted.

use super::bound::{Bound, FINE};
use super::fill::{fill, weigh};
use super::problem::{Found, Problem, Weight};

/// The most work: lines times places over all sets that are looked at.
const WORK_MAX: usize = 300_000;

struct Search<'a> {
    problem: &'a Problem,
    known: &'a Bound,
    /// The places, those whose opening pays most first.
    places: Vec<usize>,
    best: Found,
    work: usize,
    scratch: Vec<(Weight, i64)>,
}

/// The lightest choice of places, and whether everything was looked at. Lines must be separate.
pub(super) fn search(problem: &Problem, known: &Bound, best: Found, alive: &[usize]) -> (Found, bool) {
    let mut places = alive.to_vec();
    places.sort_unstable_by_key(|place| (known.reduced[*place], *place));
    let mut search = Search { problem, known, places, best, work: 0, scratch: Vec::new() };
    search.decide(0, &mut Vec::new(), 0);
    (search.best, search.work < WORK_MAX)
}

impl Search<'_> {
    /// The place at `next`: with it, then without it.
    fn decide(&mut self, next: usize, chosen: &mut Vec<usize>, opened: Weight) {
        if next == self.places.len()
            || chosen.len() == self.problem.parts_max
            || self.work >= WORK_MAX
            || self.least(next, chosen.len(), opened) > (self.best.weight - 1) * FINE
        {
            return;
        }
        let place = self.places[next];
        chosen.push(place);
        self.work += chosen.len() * self.problem.demand.len();
        if weigh(self.problem, chosen, &mut self.scratch) < self.best.weight {
            self.best = fill(self.problem, chosen);
        }
        self.decide(next + 1, chosen, opened + self.known.reduced[place]);
        chosen.pop();
        self.decide(next + 1, chosen, opened);
    }

    /// What every choice weighs at least that has so many places and adds only from `next` on.
    fn least(&self, next: usize, chosen: usize, opened: Weight) -> Weight {
        let more = self.places[next..].iter().take(self.problem.parts_max - chosen);
        let pays: Weight = more.map(|place| self.known.reduced[*place].min(0)).sum();
        self.known.paid + opened + pays
    }
}
