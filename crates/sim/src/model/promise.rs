//! The model's promised dates: who waits for goods that were not there is told when he has them, by his place in the queue and what is
//! expected, and told anew when that changes.

use domain::stock::State as StockState;
use domain::stock::selling::Later;
use domain::value::{Instant, LocalDay, Zone};

use super::Model;
use super::order::Part;
use super::stock::at;
use crate::shop::OPENING;

/// The minutes in which a location gets an order ready.
const PREPARATION_MINUTES: i64 = 30;
/// After how many working days a parcel is there, at least and at most.
const LEAD_DAYS: (usize, usize) = (1, 3);
/// On the first so many days of a week parcels are brought.
const WORKING_DAYS: usize = 5;
const DAY_SECONDS: i64 = 86_400;

/// From when on and by when a customer has his goods.
pub type Promised = Option<(i64, i64)>;

/// When a parcel is there whose goods are at a location from an instant on.
fn by_parcel(from: i64) -> Promised {
    let zone = Zone::parse("Europe/London").expect("a zone");
    let prepared = OPENING.micros() + (from + PREPARATION_MINUTES * 60) * 1_000_000;
    let leaves_on = LocalDay::of(Instant::from_micros(prepared), &zone);
    let days = (1..).map_while(|days| leaves_on.plus_days(days));
    let mut working = days.filter(|day| day.weekday() < WORKING_DAYS);
    let first = working.nth(LEAD_DAYS.0 - 1)?;
    let last = working.nth(LEAD_DAYS.1 - LEAD_DAYS.0 - 1)?;
    let end = last.next()?.first_instant(&zone);
    Some((super::seconds(first.first_instant(&zone)), super::seconds(end)))
}

impl Model {
    /// With which goods so many pieces of a variant have come, those on shelves first: from when on; of goods that are collected, only what
    /// is or comes there counts.
    fn comes(&self, variant: usize, collected: Option<usize>, pieces: i64) -> Option<i64> {
        let counts = |location: usize| collected.is_none_or(|own| own == location);
        let shelves = (0..self.plan.locations.len()).filter(|place| counts(*place));
        let there = shelves.map(|place| self.stock.count(variant, at(place, StockState::Available)));
        let mut come: i64 = there.sum();
        if come >= pieces {
            return Some(self.now);
        }
        let open = self
            .expected
            .iter()
            .enumerate()
            .filter(|(_, goods)| goods.variant == variant && goods.is_open() && counts(goods.location));
        let mut open: Vec<(i64, usize, i64)> =
            open.map(|(number, goods)| (goods.due_at, number, goods.to_come())).collect();
        open.sort_unstable();
        for (due_at, _, quantity) in open {
            come += quantity;
            if come >= pieces {
                return Some(due_at.max(self.now));
            }
        }
        None
    }

    /// What a part that waits for a variant is promised.
    fn promised_to(&self, (order, part): (usize, usize), variant: usize) -> Promised {
        let sold = &self.orders[order];
        let one = &sold.parts[part];
        let own: i64 =
            one.pieces.iter().filter(|piece| piece.variant == variant).map(|piece| piece.quantity).sum();
        let (pool, later) = self.longer(one.number, variant);
        let rule = self.rule_for(sold.channel, variant);
        let lead_days = rule.and_then(|rule| rule.lead_days).filter(|_| one.later == Some(Later::BackOrder));
        let comes = self.comes(variant, sold.place, pool + later + own);
        let there_at = comes.or(lead_days.map(|days| one.made_at + days * DAY_SECONDS))?;
        // Nobody knows the opening hours of where it would be collected.
        if sold.place.is_some() {
            return None;
        }
        by_parcel(there_at.max(self.now).max(one.not_before.unwrap_or(self.now)))
    }

    /// Parts of a new order that wait are promised a date by their place at the end of the queue.
    pub(super) fn promise_dates(&mut self, order: usize) {
        for part in 0..self.orders[order].parts.len() {
            let one = &self.orders[order].parts[part];
            if let (Some(_), Some(piece)) = (one.later, one.pieces.first()) {
                let promised = self.promised_to((order, part), piece.variant);
                self.part_mut(order, part).promised = promised;
            }
        }
    }

    /// What is expected of a variant changed: those who wait for it are promised anew.
    pub(super) fn promise_anew(&mut self, variant: usize) {
        let waits = |one: &Part| {
            let mine = one.pieces.iter().any(|piece| piece.variant == variant);
            one.later.is_some() && one.state.is_unplaced() && mine
        };
        for order in 0..self.orders.len() {
            for part in 0..self.orders[order].parts.len() {
                if waits(&self.orders[order].parts[part]) {
                    let promised = self.promised_to((order, part), variant);
                    if self.orders[order].parts[part].promised != promised {
                        self.part_mut(order, part).promised = promised;
                    }
                }
            }
        }
    }
}
