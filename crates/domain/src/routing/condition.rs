//! Conditions: for which orders a strategy is meant.

use std::collections::BTreeSet;

use crate::delivery;
use crate::refusal::Refusal;
use crate::value::id::{Category, Channel, Market, Variant};
use crate::value::{Id, Instant};

/// The most things that one condition names.
pub const NAMED_MAX: usize = 1000;

/// What is known of an order when a strategy is chosen for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the goods are worth, in minor units.
    pub value_minor: i64,
    /// The channel it came through.
    pub channel: Id<Channel>,
    /// The market.
    pub market: Id<Market>,
    /// The customer's groups and tier, by their labels.
    pub groups: BTreeSet<String>,
    /// The categories its goods stand in, with those above them.
    pub categories: BTreeSet<Id<Category>>,
    /// Its variants.
    pub variants: BTreeSet<Id<Variant>>,
    /// How the goods get to the customer.
    pub delivery: delivery::Kind,
    /// When it was placed.
    pub placed_at: Instant,
}

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The goods are worth at least `from` and, if there is one, less than `below`, in minor units.
    Value {
        /// The least.
        from: i64,
        /// The first amount that is too much.
        below: Option<i64>,
    },
    /// It came through one of these channels.
    Channel(BTreeSet<Id<Channel>>),
    /// It belongs to one of these markets.
    Market(BTreeSet<Id<Market>>),
    /// The customer is in one of these groups or tiers.
    Group(BTreeSet<String>),
    /// Some of its goods stand in one of these categories.
    Category(BTreeSet<Id<Category>>),
    /// It has one of these variants.
    Variant(BTreeSet<Id<Variant>>),
    /// The goods get to the customer in one of these ways.
    Delivery(BTreeSet<delivery::Kind>),
    /// It was placed from one instant on and before the other.
    Period {
        /// The first instant.
        from: Instant,
        /// The first instant that is too late.
        until: Instant,
    },
}

impl Condition {
    /// Is it so?
    pub fn holds(&self, facts: &Facts) -> bool {
        match self {
            Condition::Value { from, below } => {
                facts.value_minor >= *from && below.is_none_or(|below| facts.value_minor < below)
            }
            Condition::Channel(channels) => channels.contains(&facts.channel),
            Condition::Market(markets) => markets.contains(&facts.market),
            Condition::Group(groups) => !groups.is_disjoint(&facts.groups),
            Condition::Category(categories) => !categories.is_disjoint(&facts.categories),
            Condition::Variant(variants) => !variants.is_disjoint(&facts.variants),
            Condition::Delivery(kinds) => kinds.contains(&facts.delivery),
            Condition::Period { from, until } => (*from..*until).contains(&facts.placed_at),
        }
    }

    /// Checks that it can hold for some order and names not too much.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Condition::Value { from, .. } if *from < 0 => {
                Err(Refusal::invalid("from", "give 0 or more minor units"))
            }
            Condition::Value { from, below: Some(below) } if below <= from => {
                Err(Refusal::invalid("below", "no value is both from here on and below there; give more"))
            }
            Condition::Period { from, until } if until <= from => {
                Err(Refusal::invalid("until", "it ends before it begins; give a later instant"))
            }
            Condition::Value { .. } | Condition::Period { .. } => Ok(()),
            Condition::Channel(channels) => named("channels", channels.len()),
            Condition::Market(markets) => named("markets", markets.len()),
            Condition::Group(groups) => named("groups", groups.len()),
            Condition::Category(categories) => named("categories", categories.len()),
            Condition::Variant(variants) => named("variants", variants.len()),
            Condition::Delivery(kinds) => named("delivery", kinds.len()),
        }
    }
}

fn named(field: &str, many: usize) -> Result<(), Refusal> {
    if (1..=NAMED_MAX).contains(&many) {
        return Ok(());
    }
    Err(Refusal::invalid(field, format!("name 1 to {NAMED_MAX}")))
}
