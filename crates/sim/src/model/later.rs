//! The model's goods that are sold though they are not there: back-ordered up to a cap, pre-ordered from what is expected, and served in
//! the order in which they began to wait.

use std::collections::BTreeMap;

use domain::Code;
use domain::fulfilment::State as PartState;
use domain::stock::State as StockState;
use domain::stock::expected::State;
use domain::stock::selling::{Later, Rule, WhenOut};

use super::Model;
use super::order::{Part, Pieces};
use super::stock::{Place, Reach, Spot, at, world};

/// Sold beyond what was there: those for whom goods have come, or come next, and those who wait for what is expected.
pub const BACKORDERED: Spot = (Place::Network, StockState::Backordered);
const PREORDERED: Spot = (Place::Network, StockState::Preordered);

/// Goods that are to arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub variant: usize,
    pub location: usize,
    pub quantity: i64,
    pub arrived: i64,
    pub due_at: i64,
    pub state: State,
    pub version: i64,
}

/// What can be done with expected goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedStep {
    Move { version: i64, quantity: Option<i64>, due_at: Option<i64> },
    Receive { available: i64, quality: i64, damaged: i64, last: bool },
    Cancel,
}

impl Expected {
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub fn to_come(&self) -> i64 {
        if self.state == State::Open { (self.quantity - self.arrived).max(0) } else { 0 }
    }
}

impl Model {
    pub(super) fn rule_for(&self, channel: usize, variant: usize) -> Option<Rule> {
        let rules = &self.plan.channels[channel].when_out;
        rules.iter().find(|(of, _)| *of == variant).map(|(_, rule)| *rule)
    }

    /// How many of a variant may be sold beyond what is there.
    fn beyond(&self, reach: &Reach, (variant, rule): (usize, Rule)) -> i64 {
        let count = |spot| self.stock.count(variant, spot);
        let (back, pre) = (count(BACKORDERED), count(PREORDERED));
        let left = rule.cap.unwrap_or(i64::MAX) - back - pre;
        match rule.when_out {
            WhenOut::Refuse => 0,
            WhenOut::BackOrder => left,
            WhenOut::PreOrder => {
                let free: i64 = reach.locations.iter().map(|place| self.free(reach, variant, *place)).sum();
                let held = count((Place::Network, StockState::PoolHeld));
                let sold = count((Place::Network, StockState::PoolCommitted));
                let unserved = (held + sold + back - free).max(0);
                let incoming = reach.locations.iter().map(|place| count(at(*place, StockState::Incoming)));
                left.min(incoming.sum::<i64>() - pre - unserved)
            }
        }
    }

    /// How many of so many are not there and may be sold all the same.
    pub(super) fn missing_of(
        &self,
        (channel, reach): (usize, &Reach),
        (variant, asked): (usize, i64),
    ) -> Option<(i64, Rule)> {
        let rule = self.rule_for(channel, variant)?;
        let missing = asked - self.promisable(reach, variant);
        (missing > 0 && missing <= self.beyond(reach, (variant, rule))).then_some((missing, rule))
    }

    /// What of an order's pieces is not there and is sold all the same, taken out of them: the last lines wait. A part for each variant.
    pub(super) fn set_apart(&mut self, order: usize, reach: &Reach, pieces: &mut Pieces) -> Vec<Part> {
        let (channel, kind) = (self.orders[order].channel, self.orders[order].kind);
        let mut demand: BTreeMap<usize, i64> = BTreeMap::new();
        for ((_, variant), quantity) in pieces.iter() {
            *demand.entry(*variant).or_insert(0) += quantity;
        }
        let mut parts = Vec::new();
        for (variant, asked) in demand {
            let Some((missing, rule)) = self.missing_of((channel, reach), (variant, asked)) else { continue };
            let Some(later) = rule.later() else { continue };
            let mut left = missing;
            let mut waiting = Pieces::new();
            for (piece, quantity) in pieces.iter_mut().rev().filter(|((_, own), _)| *own == variant) {
                let part = left.min(*quantity);
                if part > 0 {
                    (*quantity, left) = (*quantity - part, left - part);
                    waiting.insert(*piece, part);
                }
            }
            let mut part = Part::new(None, (kind, PartState::Unrouted), waiting);
            (part.later, part.not_before) = (Some(later), rule.releases_at.map(crate::model::seconds));
            parts.push(part);
        }
        pieces.retain(|_, quantity| *quantity > 0);
        parts
    }

    /// Promises what was sold and is not there.
    pub(super) fn promise_later(&mut self, parts: &[Part]) {
        for part in parts {
            let spot = if part.later == Some(Later::PreOrder) { PREORDERED } else { BACKORDERED };
            for (variant, quantity) in part.by_variant(|piece| piece.quantity) {
                self.stock.shift(variant, (world(StockState::Demand), spot), quantity);
            }
        }
    }

    /// So many pieces are promised to a part at no location no longer. Whoever leaves the queue frees a place at its end, for which nothing
    /// has come yet, if there is one.
    pub(super) fn leave_queue(&mut self, later: Option<Later>, variant: usize, quantity: i64) {
        let not_come = later.map_or(0, |_| self.stock.count(variant, PREORDERED).min(quantity));
        let come = if later.is_some() { BACKORDERED } else { super::goods::POOL };
        for (spot, part) in [(PREORDERED, not_come), (come, quantity - not_come)] {
            if part > 0 {
                self.stock.shift(variant, (spot, world(StockState::Demand)), part);
            }
        }
    }

    /// How many pieces of a variant wait longer than a part: sold from what was there, and beyond it.
    pub(super) fn longer(&self, part: u64, variant: usize) -> (i64, i64) {
        let waits = |one: &&Part| one.state.is_unplaced() && one.number < part;
        let (mut pool, mut later) = (0, 0);
        for one in self.orders.iter().flat_map(|order| &order.parts).filter(waits) {
            let mine = one.pieces.iter().filter(|piece| piece.variant == variant);
            let sum = if one.later.is_some() { &mut later } else { &mut pool };
            *sum += mine.map(|piece| piece.quantity).sum::<i64>();
        }
        (pool, later)
    }

    /// What of a waiting part may be served now: of goods that were not there, no more than have come for the queue.
    pub(super) fn entitled(&self, one: &Part) -> Pieces {
        let mut pieces: Pieces =
            one.pieces.iter().map(|piece| ((piece.line, piece.variant), piece.quantity)).collect();
        if one.later.is_some() {
            for variant in one.by_variant(|piece| piece.quantity).into_keys() {
                let come = self.stock.count(variant, BACKORDERED);
                let mut left = (come - self.longer(one.number, variant).1).max(0);
                for (_, quantity) in pieces.iter_mut().filter(|((_, own), _)| *own == variant) {
                    *quantity = (*quantity).min(left);
                    left -= *quantity;
                }
            }
        }
        pieces.retain(|_, quantity| *quantity > 0);
        pieces
    }

    /// Goods came: so many that wait for what is expected are served before anybody else can buy them.
    fn come(&mut self, variant: usize, arrived: i64) {
        let claimed = self.stock.count(variant, PREORDERED).min(arrived);
        if claimed > 0 {
            self.stock.shift(variant, (PREORDERED, BACKORDERED), claimed);
        }
    }

    /// Goods come that nobody announced: they serve those whom nothing expected covers any more.
    pub(super) fn come_unannounced(&mut self, variant: usize, arriving: i64) {
        let incoming = (0..self.plan.locations.len()).map(|place| at(place, StockState::Incoming));
        let incoming: i64 = incoming.map(|spot| self.stock.count(variant, spot)).sum();
        let uncovered = self.stock.count(variant, PREORDERED) - incoming;
        self.come(variant, uncovered.min(arriving));
    }

    pub(super) fn announce(
        &mut self,
        (variant, location): (usize, usize),
        quantity: i64,
        due_at: i64,
    ) -> Result<(), Code> {
        self.must_be_stocked(variant)?;
        if !self.plan.locations[location].can_receive {
            return Err(Code::WrongState);
        }
        self.stock.shift(
            variant,
            (world(StockState::Expected), at(location, StockState::Incoming)),
            quantity,
        );
        self.touched.expected.insert(self.expected.len());
        let state = State::Open;
        self.expected.push(Expected { variant, location, quantity, arrived: 0, due_at, state, version: 1 });
        self.promise_anew(variant);
        Ok(())
    }

    pub(super) fn go_on_with_expected(&mut self, number: usize, step: &ExpectedStep) -> Result<(), Code> {
        if let ExpectedStep::Receive { available, quality, damaged, last: false } = step
            && available + quality + damaged == 0
        {
            return Err(Code::Invalid);
        }
        let goods = self.expected[number].clone();
        if let ExpectedStep::Move { version, .. } = step
            && *version != goods.version
        {
            return Err(Code::Stale);
        }
        if goods.state != State::Open {
            return Err(Code::WrongState);
        }
        self.touched.expected.insert(number);
        self.expected[number].version += 1;
        let (outside, there) = (world(StockState::Expected), at(goods.location, StockState::Incoming));
        let before = goods.to_come();
        match *step {
            ExpectedStep::Move { quantity, due_at, .. } => {
                let one = &mut self.expected[number];
                if quantity.is_some_and(|quantity| quantity <= one.arrived) {
                    return Err(Code::Invalid);
                }
                one.quantity = quantity.unwrap_or(one.quantity);
                one.due_at = due_at.unwrap_or(one.due_at);
                let change = one.to_come() - before;
                if change != 0 {
                    let way = if change > 0 { (outside, there) } else { (there, outside) };
                    self.stock.shift(goods.variant, way, change.abs());
                }
            }
            ExpectedStep::Cancel => {
                self.expected[number].state = State::Cancelled;
                self.stock.shift_some(goods.variant, (there, outside), before);
            }
            ExpectedStep::Receive { available, quality, damaged, last } => {
                let total = available + quality + damaged;
                let ends = last || total >= before;
                let one = &mut self.expected[number];
                one.arrived += total;
                one.state = if ends { State::Received } else { State::Open };
                let over = if ends { before } else { total };
                self.stock.shift_some(goods.variant, (there, outside), over);
                for (state, quantity) in [
                    (StockState::Available, available),
                    (StockState::Quality, quality),
                    (StockState::Damaged, damaged),
                ] {
                    let way = (world(StockState::Supplier), at(goods.location, state));
                    self.stock.shift_some(goods.variant, way, quantity);
                }
                self.come(goods.variant, available);
                let waits = |one: &Part| {
                    one.state.is_unplaced() && one.pieces.iter().any(|piece| piece.variant == goods.variant)
                };
                let any = self.orders.iter().flat_map(|order| &order.parts).any(waits);
                self.serve_soon += usize::from(available > 0 && any);
            }
        }
        self.promise_anew(goods.variant);
        Ok(())
    }
}
