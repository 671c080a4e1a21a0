//! The model's goods of a change: what it serves anew and puts in, and what is kept for it until somebody says yes.

use std::collections::BTreeMap;

use domain::Code;
use domain::change::What;
use domain::stock::State as StockState;

use super::Model;
use super::change::Change;
use super::order::Pieces;
use super::stock::{Place, Reach, at, world};

impl Model {
    /// The pieces a change serves anew: of whole units that have not left.
    pub(super) fn anew(&self, order: usize, change: &Change) -> Pieces {
        let sold = &self.orders[order];
        let mut pieces = Pieces::new();
        for number in (0..sold.lines.len()).filter(|_| change.served_anew) {
            let units = sold.untouched_units(number) - change.taken(number);
            for (variant, each) in sold.lines[number].takes.iter().filter(|_| units > 0) {
                pieces.insert((number, *variant), each * units);
            }
        }
        pieces
    }

    /// The pieces a change puts in; their lines follow those there are.
    pub(super) fn put_in(&self, order: usize, change: &Change) -> Pieces {
        let first = self.orders[order].lines.len();
        let mut pieces = Pieces::new();
        for (number, added) in change.of(What::Add).enumerate() {
            for (variant, each) in &self.plan.variants[added.variant].takes {
                pieces.insert((first + number, *variant), each * added.quantity);
            }
        }
        pieces
    }

    /// Keeps what a change needs beyond what its order has within reach already.
    pub(super) fn keep(&mut self, which: (usize, usize), change: &Change) -> Result<(), Code> {
        let order = which.0;
        let anew = self.anew(order, change);
        let mut needed: BTreeMap<usize, i64> = BTreeMap::new();
        for ((_, variant), quantity) in self.put_in(order, change).iter().chain(&anew) {
            *needed.entry(*variant).or_insert(0) += quantity;
        }
        let mut imagined = self.clone();
        imagined.redirect(order, change);
        let reach = imagined.reach_now(order);
        let own = self.own_free(order, change, &anew);
        let beyond = |needed: BTreeMap<usize, i64>, reach: &Reach| -> BTreeMap<usize, i64> {
            let own = |variant: &usize| -> i64 {
                reach.locations.iter().filter_map(|place| own.get(&(*variant, *place))).sum()
            };
            let lacking = needed.iter().map(|(variant, quantity)| (*variant, quantity - own(variant)));
            lacking.filter(|(_, quantity)| *quantity > 0).collect()
        };
        let here = beyond(needed, &reach);
        let Some(senders) = imagined.senders(order, &reach) else {
            return self.keep_from(which, &reach, &here);
        };
        let has = |variant: &usize, quantity: &i64| self.promisable(&reach, *variant).clamp(0, *quantity);
        let there: BTreeMap<_, _> =
            here.iter().map(|(variant, quantity)| (*variant, has(variant, quantity))).collect();
        let lacking = here.iter().map(|(variant, quantity)| (*variant, quantity - there[variant]));
        let coming = beyond(lacking.filter(|(_, quantity)| *quantity > 0).collect(), &senders);
        self.keep_from(which, &reach, &there)?;
        self.keep_from(which, &senders, &coming)
    }

    fn keep_from(
        &mut self,
        which: (usize, usize),
        reach: &Reach,
        wanted: &BTreeMap<usize, i64>,
    ) -> Result<(), Code> {
        for (variant, amount) in wanted.iter().filter(|(_, amount)| **amount > 0) {
            if self.promisable(reach, *variant) < *amount {
                return Err(Code::OutOfStock);
            }
            let (from, held) = if reach.pinned {
                let place = reach.locations[0];
                (at(place, StockState::Available), at(place, StockState::Held))
            } else {
                (world(StockState::Demand), (Place::Network, StockState::PoolHeld))
            };
            self.stock.keep_for(which, *variant, (from, held), *amount);
        }
        Ok(())
    }

    /// How many pieces of each variant become free at each location when an order's goods are taken back to go another way.
    fn own_free(&self, order: usize, change: &Change, anew: &Pieces) -> BTreeMap<(usize, usize), i64> {
        let mut without = self.clone();
        let first_of = |number: usize| anew.keys().find(|(line, _)| *line == number);
        for number in (0..self.orders[order].lines.len()).filter(|number| first_of(*number).is_some()) {
            let units = self.orders[order].untouched_units(number);
            without.give_back_units(order, (number, units), None);
        }
        let mut freed = BTreeMap::new();
        let variants: Vec<usize> = anew.keys().map(|(_, variant)| *variant).collect();
        for variant in variants.into_iter().filter(|_| change.served_anew) {
            for location in 0..self.plan.locations.len() {
                let shelf = at(location, StockState::Available);
                freed.insert(
                    (variant, location),
                    without.stock.count(variant, shelf) - self.stock.count(variant, shelf),
                );
            }
        }
        freed
    }
}
