//! Promotions: what lowers a price, for whom, when and where; and what a cart costs with all of them, explained line by line.
//!
//! [`price::price`] is the one price engine: a pure function that the web shop, the till (on line and off), the phone desk and programs
//! share. Promotions stand in lanes. Lanes follow each other, each on what the lanes before left; within a lane no piece is lowered
//! twice. A lane has three steps: pieces, the whole, delivery.

pub mod check;
pub mod choice;
pub mod coupon;
pub mod discount;
pub mod goods;
mod lane;
pub mod limit;
mod pieces;
pub mod price;
pub mod rules;

use crate::value::id::{
    Attribute, Category, Channel, DeliveryMethod, Location, Product, Promotion as Kind, Variant,
};
use crate::value::{Currency, Id, Instant, OpeningHours, Rate};
use crate::words;

pub use check::check;
pub use goods::{Charge, Customer, Goods, Line, Occasion, Presented};
pub use price::{Priced, price};
pub use rules::Rules;

/// Lanes are numbered from 0 to this.
pub const LANE_MAX: u8 = 9;
/// The highest priority of a promotion.
pub const PRIORITY_MAX: i64 = 1_000;
/// The most pieces of one set.
pub const SET_PIECES_MAX: i64 = 24;
/// The most coupons on one cart: the engine tries every choice among them.
pub const COUPONS_MAX: usize = 4;

words! {
    /// Where a promotion stands.
    State {
        /// Being written; lowers nothing.
        Draft 1 "draft";
        /// In force, within its dates.
        Active 2 "active";
        /// Over for good.
        Ended 3 "ended";
    }
}

words! {
    /// How a lane chooses among its promotions.
    Mode {
        /// What lowers the total most, each piece in one promotion at most.
        BestDeal 1 "best_deal";
        /// The higher priority first, each taking what the ones before left.
        Priority 2 "priority";
        /// Only the one promotion that lowers the total most.
        BestOne 3 "best_one";
    }
}

words! {
    /// What else may lower what a promotion has lowered.
    Stacking {
        /// Promotions of later lanes.
        WithOthers 1 "with_others";
        /// Nothing may lower the pieces it took.
        AloneOnPieces 2 "alone_on_pieces";
        /// Nothing else may lower anything in the cart.
        AloneInCart 3 "alone_in_cart";
    }
}

words! {
    /// What is measured of goods.
    Measure {
        /// How many pieces or base units.
        Quantity 1 "quantity";
        /// What they cost so far, in minor units.
        Amount 2 "amount";
    }
}

/// What a variant is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    /// Itself.
    Variant(Id<Variant>),
    /// Its product.
    Product(Id<Product>),
    /// A category it is in, or one above.
    Category(Id<Category>),
    /// A value of an attribute, such as a brand.
    Attribute(Id<Attribute>, String),
}

/// Which goods are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    any: Vec<Tag>,
    except: Vec<Tag>,
}

impl Selection {
    /// Goods with any of these tags (all goods when there are none) that have none of the others.
    pub fn of(mut any: Vec<Tag>, mut except: Vec<Tag>) -> Selection {
        any.sort_unstable();
        any.dedup();
        except.sort_unstable();
        except.dedup();
        Selection { any, except }
    }

    /// All goods.
    pub fn all() -> Selection {
        Selection::default()
    }

    /// The tags of which one is needed, in order; all goods when empty.
    pub fn any(&self) -> &[Tag] {
        &self.any
    }

    /// The tags that shut out, in order.
    pub fn except(&self) -> &[Tag] {
        &self.except
    }
}

/// How much lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Off {
    /// A share of the price.
    Rate(Rate),
    /// So many minor units, never below nothing.
    Amount(i64),
    /// Down to so many minor units; what costs less stays.
    Price(i64),
}

/// How much lower from some measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From so much on.
    pub from: i64,
    /// So much lower.
    pub off: Off,
}

/// Some pieces of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Of these goods,
    pub of: Selection,
    /// so many.
    pub pieces: i64,
}

/// What a whole set brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// The set is so much lower, or costs so much.
    Off(Off),
    /// So many of its cheapest pieces are lower by a rate; at 100 % they are free.
    Cheapest {
        /// How many.
        pieces: i64,
        /// By how much.
        rate: Rate,
    },
    /// The pieces of one part are lower by a rate: buy those, get these.
    Part {
        /// Which part, counted from 0.
        part: usize,
        /// By how much.
        rate: Rate,
    },
}

/// What a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// Each of some pieces is lower; how much may depend on how many there are, or on what they cost.
    Each {
        /// Which.
        of: Selection,
        /// What the steps measure.
        by: Measure,
        /// The highest step reached counts.
        steps: Vec<Step>,
    },
    /// Pieces together: three for two, buy one get one, a shirt and a tie for fifty.
    Set {
        /// What makes a set.
        parts: Vec<Part>,
        /// What it brings.
        gives: Gives,
        /// How often in a cart; as often as can be when `None`.
        times_max: Option<i64>,
    },
    /// All of some goods together are lower; shared out to the lines.
    Whole {
        /// Which.
        of: Selection,
        /// The highest step their amount reaches counts.
        steps: Vec<Step>,
        /// Never more than so many minor units.
        minor_max: Option<i64>,
    },
    /// Delivery is lower, by these methods or by any.
    Delivery {
        /// The methods; any when empty.
        methods: Vec<Id<DeliveryMethod>>,
        /// How much lower.
        off: Off,
    },
    /// So many of a variant for nothing: those in the cart are free, others are offered.
    Gift {
        /// Of what.
        variant: Id<Variant>,
        /// How many.
        pieces: i64,
    },
}

/// What must be true for a promotion to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Bought in one of these channels.
    Channels(Vec<Id<Channel>>),
    /// Bought or collected in one of these stores.
    Stores(Vec<Id<Location>>),
    /// The customer belongs to one of these groups.
    Groups(Vec<String>),
    /// The customer belongs to one of these segments.
    Segments(Vec<String>),
    /// The customer never ordered before.
    FirstOrder,
    /// The customer works for the retailer.
    Colleague,
    /// Paid by one of these kinds of payment.
    Payments(Vec<String>),
    /// Within these hours by the clock of the store, or of the channel where there is no store.
    Hours(Box<OpeningHours>),
    /// The cart has so much of some goods.
    Has {
        /// Of which goods.
        of: Selection,
        /// What is measured.
        by: Measure,
        /// How much at least.
        at_least: i64,
    },
}

/// A promotion as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its identity.
    pub id: Id<Kind>,
    /// Where it stands in the order of lanes.
    pub lane: u8,
    /// The higher goes first among equals, or in a lane that goes by priority.
    pub priority: i64,
    /// What else may lower the same.
    pub stacking: Stacking,
    /// Only with a coupon for it.
    pub needs_coupon: bool,
    /// What its amounts are in; any currency when it has none.
    pub currency: Option<Currency>,
    /// From when; always when `None`.
    pub starts_at: Option<Instant>,
    /// Until when, not included; for ever when `None`.
    pub ends_at: Option<Instant>,
    /// All of these must hold.
    pub conditions: Vec<Condition>,
    /// What it gives.
    pub benefit: Benefit,
    /// What is left of its budget in minor units: it gives no cart more. Without bounds when `None`.
    pub left_minor: Option<i64>,
}

impl Promotion {
    /// Every selection of goods in it: those of the conditions first, then those of the benefit.
    pub(crate) fn selections(&self) -> impl Iterator<Item = &Selection> {
        let asked = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Has { of, .. } => Some(of),
            _ => None,
        });
        asked.chain(self.benefit.selections())
    }
}

impl Benefit {
    fn selections(&self) -> Box<dyn Iterator<Item = &Selection> + '_> {
        match self {
            Benefit::Each { of, .. } | Benefit::Whole { of, .. } => Box::new(std::iter::once(of)),
            Benefit::Set { parts, .. } => Box::new(parts.iter().map(|part| &part.of)),
            Benefit::Delivery { .. } | Benefit::Gift { .. } => Box::new(std::iter::empty()),
        }
    }
}
