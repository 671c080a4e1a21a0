//! What is asked of the price engine, in JSON: the rules it is to keep, and a cart.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::market::RoundingLevel;
use domain::promotion::{Charge, Customer, Goods, Line, Mode, Occasion, Presented, Rules, Tag};
use domain::tax::Policy;
use domain::value::{Currency, Instant, Quantity, Rounding, Unit, Zone};
use serde::Deserialize;

use crate::benefit::{OffShape, TagShape, rate};
use crate::promotion::PromotionShape;
use crate::{each, id, ids};

/// The most lines of a cart.
const LINES_MAX: usize = 2_000;
/// The most promotions in force.
const PROMOTIONS_MAX: usize = 100_000;

/// Promotions in force, as the server gives them out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesShape {
    promotions: Vec<KeptShape>,
    /// The mode of each lane that does not take the best deal, by the lane's number.
    #[serde(default)]
    modes: BTreeMap<u8, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptShape {
    id: String,
    terms: PromotionShape,
    #[serde(default)]
    left: Option<i64>,
}

impl RulesShape {
    /// The rules.
    ///
    /// # Errors
    /// The refusal names the fields at fault.
    pub fn read(&self) -> Result<Rules, Refusal> {
        if self.promotions.len() > PROMOTIONS_MAX {
            return Err(Refusal::invalid("promotions", format!("give at most {PROMOTIONS_MAX}")));
        }
        let promotions = each("promotions", &self.promotions, |kept| {
            let promotion = kept.terms.read(id("id", &kept.id)?)?;
            domain::promotion::check(&promotion)?;
            Ok(domain::promotion::Promotion { left_minor: kept.left, ..promotion })
        })?;
        let mut modes = BTreeMap::new();
        for (lane, mode) in &self.modes {
            let mode = Mode::parse(mode).map_err(|error| Refusal::invalid(format!("modes.{lane}"), error))?;
            if *lane > domain::promotion::LANE_MAX {
                return Err(Refusal::invalid(format!("modes.{lane}"), "no such lane"));
            }
            modes.insert(*lane, mode);
        }
        Ok(Rules::new(promotions, &modes))
    }
}

/// A cart to be priced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionShape {
    lines: Vec<LineShape>,
    #[serde(default)]
    delivery: Option<ChargeShape>,
    #[serde(default)]
    coupons: Vec<CouponShape>,
    #[serde(default)]
    discount: Option<OffShape>,
    occasion: OccasionShape,
    policy: PolicyShape,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineShape {
    variant: String,
    #[serde(default)]
    tags: Vec<TagShape>,
    quantity: i64,
    #[serde(default = "piece")]
    unit: String,
    unit_price: i64,
    tax_rate: i64,
    #[serde(default)]
    agreed: bool,
    #[serde(default)]
    discount: Option<OffShape>,
}

fn piece() -> String {
    Unit::Piece.name().to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChargeShape {
    method: String,
    amount: i64,
    tax_rate: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CouponShape {
    coupon: String,
    promotion: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OccasionShape {
    channel: String,
    #[serde(default)]
    store: Option<String>,
    time_zone: String,
    at: String,
    currency: String,
    #[serde(default)]
    payment: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    segments: Vec<String>,
    #[serde(default)]
    first_order: bool,
    #[serde(default)]
    colleague: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyShape {
    prices_include_tax: bool,
    rounding_level: String,
    rounding: String,
}

impl QuestionShape {
    /// The goods, the occasion and how it is taxed.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn read(&self) -> Result<(Goods, Occasion, Policy), Refusal> {
        if self.lines.len() > LINES_MAX {
            return Err(Refusal::invalid("lines", format!("give at most {LINES_MAX}")));
        }
        domain::promotion::goods::check_coupons(self.coupons.len())?;
        let goods = Goods {
            lines: each("lines", &self.lines, LineShape::read)?,
            delivery: self.delivery.as_ref().map(ChargeShape::read).transpose()?,
            coupons: each("coupons", &self.coupons, |own| {
                Ok(Presented {
                    coupon: id("coupon", &own.coupon)?,
                    promotion: id("promotion", &own.promotion)?,
                })
            })?,
            discount: self.discount.as_ref().map(OffShape::read).transpose()?,
        };
        Ok((goods, self.occasion.read()?, self.policy.read()?))
    }
}

impl LineShape {
    fn read(&self) -> Result<Line, Refusal> {
        let quantity = Quantity::new(self.quantity).map_err(|error| Refusal::invalid("quantity", error))?;
        if !(0..=domain::price::PRICE_MINOR_MAX).contains(&self.unit_price)
            || self.unit_price.saturating_mul(quantity.units()) > domain::value::Money::MAX
        {
            return Err(Refusal::invalid("unit_price", "it is negative or too large"));
        }
        let unit = Unit::named(&self.unit).ok_or_else(|| Refusal::invalid("unit", "no such unit"))?;
        Ok(Line {
            variant: id("variant", &self.variant)?,
            tags: each::<_, Tag>("tags", &self.tags, TagShape::read)?,
            quantity: quantity.units(),
            unit,
            unit_minor: self.unit_price,
            rate: rate("tax_rate", self.tax_rate)?,
            agreed: self.agreed,
            discount: self.discount.as_ref().map(OffShape::read).transpose()?,
        })
    }
}

impl ChargeShape {
    fn read(&self) -> Result<Charge, Refusal> {
        if !(0..=domain::value::Money::MAX).contains(&self.amount) {
            return Err(Refusal::invalid("delivery.amount", "it is negative or too large"));
        }
        Ok(Charge {
            method: id("delivery.method", &self.method)?,
            minor: self.amount,
            rate: rate("delivery.tax_rate", self.tax_rate)?,
        })
    }
}

impl OccasionShape {
    fn read(&self) -> Result<Occasion, Refusal> {
        let bad = |field: &str, error: &dyn std::fmt::Display| {
            Refusal::invalid(format!("occasion.{field}"), error.to_string())
        };
        let stores: Vec<String> = self.store.iter().cloned().collect();
        Ok(Occasion {
            channel: id("occasion.channel", &self.channel)?,
            store: ids("occasion.store", &stores)?.first().copied(),
            zone: Zone::parse(&self.time_zone).map_err(|error| bad("time_zone", &error))?,
            at: Instant::parse(&self.at).map_err(|error| bad("at", &error))?,
            currency: Currency::parse(&self.currency).map_err(|error| bad("currency", &error))?,
            payment: self.payment.clone(),
            customer: Customer {
                groups: self.groups.clone(),
                segments: self.segments.clone(),
                first_order: self.first_order,
                colleague: self.colleague,
            },
        })
    }
}

impl PolicyShape {
    fn read(&self) -> Result<Policy, Refusal> {
        let level = RoundingLevel::parse(&self.rounding_level)
            .map_err(|error| Refusal::invalid("policy.rounding_level", error))?;
        let rounding = Rounding::named(&self.rounding)
            .ok_or_else(|| Refusal::invalid("policy.rounding", "give half_up or half_even"))?;
        Ok(Policy { prices_include_tax: self.prices_include_tax, level, rounding })
    }
}
