//! What is to be priced: goods, delivery, coupons, who buys, where and when.

use super::{COUPONS_MAX, Off, Tag};
use crate::Refusal;
use crate::value::id::{Channel, Coupon, DeliveryMethod, Location, Promotion, Variant};
use crate::value::{Currency, Id, Instant, Rate, Unit, Zone};

/// A line to be priced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub variant: Id<Variant>,
    /// What it is found by, beside itself.
    pub tags: Vec<Tag>,
    /// How many base units.
    pub quantity: i64,
    /// What it is counted in; only pieces make sets.
    pub unit: Unit,
    /// What one base unit costs by the price lists, in minor units.
    pub unit_minor: i64,
    /// Its tax rate.
    pub rate: Rate,
    /// The price was agreed: promotions leave it as it is.
    pub agreed: bool,
    /// A colleague's discount on the line, after all promotions.
    pub discount: Option<Off>,
}

/// What delivery costs before promotions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// By which method.
    pub method: Id<DeliveryMethod>,
    /// Minor units.
    pub minor: i64,
    /// Its tax rate.
    pub rate: Rate,
}

/// A coupon the customer gave, and the promotion it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The coupon.
    pub coupon: Id<Coupon>,
    /// What it opens.
    pub promotion: Id<Promotion>,
}

/// Everything that is bought together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// The lines.
    pub lines: Vec<Line>,
    /// The delivery chosen.
    pub delivery: Option<Charge>,
    /// The coupons given.
    pub coupons: Vec<Presented>,
    /// A colleague's discount on the whole, last of all.
    pub discount: Option<Off>,
}

/// What promotions know of the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// Groups the retailer put the customer into.
    pub groups: Vec<String>,
    /// Segments the customer is in.
    pub segments: Vec<String>,
    /// Known, and never ordered before.
    pub first_order: bool,
    /// Works for the retailer.
    pub colleague: bool,
}

/// Who buys, where, when and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// Through which channel.
    pub channel: Id<Channel>,
    /// In which store it is bought or collected.
    pub store: Option<Id<Location>>,
    /// Whose clock tells the hours.
    pub zone: Zone,
    /// When.
    pub at: Instant,
    /// What all amounts are in.
    pub currency: Currency,
    /// How it is to be paid, when that is known.
    pub payment: Option<String>,
    /// Who buys.
    pub customer: Customer,
}

impl Goods {
    /// What the goods cost by the price lists, in minor units.
    pub fn listed_minor(&self) -> i64 {
        self.lines.iter().map(Line::listed_minor).sum()
    }
}

impl Line {
    /// What the line costs by the price lists, in minor units.
    pub const fn listed_minor(&self) -> i64 {
        self.unit_minor * self.quantity
    }
}

/// Refuses more coupons than a cart holds.
///
/// # Errors
/// The refusal points at `coupons`.
pub fn check_coupons(count: usize) -> Result<(), Refusal> {
    if count > COUPONS_MAX {
        return Err(Refusal::invalid(
            "coupons",
            format!("a cart has at most {COUPONS_MAX} coupons; take one off first"),
        ));
    }
    Ok(())
}
