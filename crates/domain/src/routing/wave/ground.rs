//! What the orders of a wave share, and each order as bare numbers.

use std::collections::BTreeMap;

use super::Order;
use crate::routing::optimise::problem::{Found, Node, Problem, Weight};
use crate::routing::optimise::{Solved, solve};
use crate::routing::setting::{Setting, worth};
use crate::value::Id;
use crate::value::id::{Location, Variant};

/// Weights in waves are sixteenths of a minor unit, so that prices can be fine.
pub(super) const SIXTEENTH: Weight = 16;

/// What one order takes.
pub(super) type Chosen = Found;

/// How much there is of everything that is shared, or what each unit of it costs.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    /// Of each variant at each location.
    pub(super) stock: Vec<T>,
    /// Parcels of each location.
    pub(super) parcels: Vec<T>,
    /// Units that each location can prepare.
    pub(super) units: Vec<T>,
}

/// An order of the wave.
pub(super) struct Own<'a> {
    pub(super) setting: Setting<'a>,
    /// Its numbers, when it has everything to itself.
    pub(super) problem: Problem,
    /// Which location each node is.
    pub(super) location: Vec<usize>,
    /// Which stock each node has of each line.
    pub(super) stock: Vec<Vec<usize>>,
}

/// All orders and what they share.
pub(super) struct Ground<'a> {
    pub(super) orders: Vec<Own<'a>>,
    /// What there is.
    pub(super) limits: Shared<i64>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(orders: &[Order<'a>]) -> Ground<'a> {
        let mut shelves: BTreeMap<(Id<Location>, Id<Variant>), usize> = BTreeMap::new();
        let mut locations: BTreeMap<Id<Location>, usize> = BTreeMap::new();
        let mut limits = Shared { stock: Vec::new(), parcels: Vec::new(), units: Vec::new() };
        let mut own = Vec::with_capacity(orders.len());
        for order in orders {
            let setting = Setting::new(order.strategy, order.wanted, order.candidates);
            let mut location = Vec::new();
            let mut stock = Vec::new();
            for place in &setting.eligible {
                let candidate = setting.candidates[*place];
                let parcels = candidate.parcels_left.unwrap_or(i64::MAX);
                let at = *locations.entry(candidate.location).or_insert_with(|| {
                    limits.parcels.push(parcels);
                    limits.units.push(candidate.units_max());
                    limits.parcels.len() - 1
                });
                limits.parcels[at] = limits.parcels[at].min(parcels);
                limits.units[at] = limits.units[at].min(candidate.units_max());
                location.push(at);
                let shelf = |asked: &crate::routing::wanted::Asked| {
                    let free = candidate.gives(asked.variant, setting.keeps_safety);
                    let at = *shelves.entry((candidate.location, asked.variant)).or_insert_with(|| {
                        limits.stock.push(free);
                        limits.stock.len() - 1
                    });
                    limits.stock[at] = limits.stock[at].min(free);
                    at
                };
                stock.push(setting.asked.iter().map(shelf).collect());
            }
            let problem = numbers(&setting);
            own.push(Own { setting, problem, location, stock });
        }
        Ground { orders: own, limits }
    }

    /// What the whole wave weighs.
    pub(super) fn burden(&self, chosen: &[Chosen]) -> Weight {
        chosen.iter().map(|found| found.weight).sum()
    }

    /// The best for an order at these prices, within what is left; what it weighs is with the prices.
    pub(super) fn solve(&self, order: usize, prices: &Shared<Weight>, left: &Shared<i64>) -> Solved {
        let own = &self.orders[order];
        let mut problem = own.problem.clone();
        for (place, node) in problem.nodes.iter_mut().enumerate() {
            own.adapt(place, node, prices, left);
        }
        let mut lost: Weight = 0;
        for line in 0..problem.demand.len() {
            let all = problem.nodes.iter().fold(0i64, |sum, node| sum.saturating_add(node.stock[line]));
            let demand = problem.demand[line].min(all);
            if demand < problem.demand[line] {
                lost += problem.missing[line] * Weight::from(problem.demand[line] - demand);
                problem.is_whole = false;
                problem.demand[line] = demand;
                problem.nodes.iter_mut().for_each(|node| node.stock[line] = node.stock[line].min(demand));
            }
        }
        let mut solved = solve(&problem);
        solved.found.weight += lost;
        solved.least += lost;
        solved
    }

    /// A choice at what it truly costs.
    pub(super) fn unpriced(&self, order: usize, found: Found) -> Chosen {
        self.orders[order].problem.found(found.gives)
    }

    /// Takes what a choice uses out of what is left, or puts it back.
    pub(super) fn take(&self, order: usize, found: &Found, times: i64, left: &mut Shared<i64>) {
        let own = &self.orders[order];
        for (place, given) in &found.gives {
            let at = own.location[*place];
            left.parcels[at] -= times;
            left.units[at] -= times * given.iter().sum::<i64>();
            for (line, units) in given.iter().enumerate() {
                left.stock[own.stock[*place][line]] -= times * units;
            }
        }
    }

    /// No prices.
    pub(super) fn free(&self) -> Shared<Weight> {
        let nothing = |limits: &Vec<i64>| vec![0; limits.len()];
        Shared {
            stock: nothing(&self.limits.stock),
            parcels: nothing(&self.limits.parcels),
            units: nothing(&self.limits.units),
        }
    }

    /// Places the orders one after the other, each within what the earlier ones left.
    pub(super) fn in_turn(&self, turns: &[usize], prices: &Shared<Weight>) -> Vec<Chosen> {
        let mut left = self.limits.clone();
        let mut chosen: Vec<Chosen> = self.orders.iter().map(|own| own.problem.nothing()).collect();
        for order in turns {
            let found = self.solve(*order, prices, &left).found;
            self.take(*order, &found, 1, &mut left);
            chosen[*order] = self.unpriced(*order, found);
        }
        chosen
    }
}

impl Own<'_> {
    fn adapt(&self, place: usize, node: &mut Node, prices: &Shared<Weight>, left: &Shared<i64>) {
        let at = self.location[place];
        node.open += prices.parcels[at];
        node.units_max = node.units_max.min(left.units[at]).max(0);
        let is_full = left.parcels[at] <= 0;
        for line in 0..node.stock.len() {
            let shelf = self.stock[place][line];
            node.unit[line] += prices.stock[shelf] + prices.units[at];
            node.stock[line] =
                if is_full { 0 } else { node.stock[line].min(left.stock[shelf]).min(node.units_max).max(0) };
        }
    }
}

/// An order as bare numbers, in sixteenths of minor units: a unit that is left out weighs its value and more than the whole order can
/// cost, so that it pays to place it.
fn numbers(setting: &Setting<'_>) -> Problem {
    let (mut problem, _) = setting.problem();
    let mut dearest: Weight = 0;
    let mut units: Weight = 0;
    for (node, place) in problem.nodes.iter_mut().zip(&setting.eligible) {
        node.open = SIXTEENTH * setting.open_minor(*place);
        dearest = dearest.max(node.open);
        for line in 0..node.unit.len() {
            node.unit[line] = SIXTEENTH * setting.unit_minor(*place, line);
            units = units.max(node.unit[line].abs());
        }
    }
    let all: Weight = problem.demand.iter().map(|units| Weight::from(*units)).sum();
    let parts = (problem.parts_max as Weight).min(all);
    let whole = dearest * parts + units * all * 2;
    problem.missing = setting.asked.iter().map(|asked| SIXTEENTH * worth(asked) + whole + 1).collect();
    problem
}
