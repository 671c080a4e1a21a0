//! What people ordered: how often, for how much, of which goods, in which channels.

use super::occurrence::within;
use super::window::Window;
use super::{Wrong, between, count};
use crate::value::id::{Category, Channel, Product, Variant};
use crate::value::{Currency, Id, Instant};

/// An order that was not cancelled whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it was placed.
    pub at: Instant,
    /// In which channel.
    pub channel: Id<Channel>,
    /// The currency.
    pub currency: Currency,
    /// What is left of its total after cancels and returns, in minor units.
    pub worth: i64,
    /// What the customer has of it.
    pub lines: Vec<Line>,
}

/// Goods of an order that were neither cancelled nor given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The variant.
    pub variant: Id<Variant>,
    /// Its product.
    pub product: Id<Product>,
    /// The categories the product is in now, and those above them.
    pub categories: Vec<Id<Category>>,
    /// Their share of the line's amount, in minor units.
    pub worth: i64,
}

/// What of orders is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many there are.
    Count,
    /// What was spent, in minor units of a currency.
    Spend(Currency),
    /// The first order of all lies within the window.
    First,
    /// The last order of all lies within the window.
    Last,
}

/// What was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// What is measured.
    pub measure: Measure,
    /// When the orders were placed.
    pub window: Window,
    /// Only those with one of these.
    pub variants: Vec<Id<Variant>>,
    /// Only those with one of these.
    pub products: Vec<Id<Product>>,
    /// Only those with goods of one of these.
    pub categories: Vec<Id<Category>>,
    /// Only those of these channels.
    pub channels: Vec<Id<Channel>>,
    /// How many or how much at least.
    pub at_least: Option<i64>,
    /// How many or how much at most.
    pub at_most: Option<i64>,
}

impl Orders {
    /// Does it ask for certain goods?
    pub fn of_goods(&self) -> bool {
        !(self.variants.is_empty() && self.products.is_empty() && self.categories.is_empty())
    }

    fn wants(&self, line: &Line) -> bool {
        self.variants.contains(&line.variant)
            || self.products.contains(&line.product)
            || line.categories.iter().any(|category| self.categories.contains(category))
    }

    fn takes(&self, order: &Order) -> bool {
        (self.channels.is_empty() || self.channels.contains(&order.channel))
            && (!self.of_goods() || order.lines.iter().any(|line| self.wants(line)))
    }

    /// What is measured, seen from `now`: a number, an amount, or whether the first or last order lies in the window (1 or 0).
    pub fn measured(&self, orders: &[Order], now: Instant) -> i64 {
        let happened = orders.iter().filter(|order| order.at <= now && self.takes(order));
        let in_window = |order: &&Order| self.window.has(order.at, now);
        match self.measure {
            Measure::Count => happened.filter(in_window).count() as i64,
            Measure::Spend(currency) => {
                let worth = |order: &Order| match self.of_goods() {
                    false => order.worth,
                    true => order.lines.iter().filter(|line| self.wants(line)).map(|line| line.worth).sum(),
                };
                let of_currency = |order: &&Order| order.currency == currency;
                happened.filter(in_window).filter(of_currency).map(worth).fold(0, i64::saturating_add)
            }
            Measure::First => happened.min_by_key(|order| order.at).filter(in_window).map_or(0, |_| 1),
            Measure::Last => happened.max_by_key(|order| order.at).filter(in_window).map_or(0, |_| 1),
        }
    }

    /// Is that enough, and not too much?
    pub fn holds(&self, measured: i64) -> bool {
        within(measured, self.at_least, self.at_most)
    }

    /// When time alone may change it.
    pub fn moments(&self, orders: &[Order]) -> Vec<Instant> {
        let taken = orders.iter().filter(|order| self.takes(order));
        taken.flat_map(|order| self.window.moments(order.at)).collect()
    }

    pub(crate) fn check(&self) -> Result<(), Wrong> {
        self.window.check().map_err(|why| ("orders.within_days", why))?;
        count("orders.variants", self.variants.len(), 0)?;
        count("orders.products", self.products.len(), 0)?;
        count("orders.categories", self.categories.len(), 0)?;
        count("orders.channels", self.channels.len(), 0)?;
        between("orders.at_least", self.at_least, self.at_most)
    }
}
