//! A promotion in JSON: what the API takes, the books keep and a till prices by.

use domain::Refusal;
use domain::promotion::{Promotion, Stacking};
use domain::value::{Currency, Id, Instant, id};
use serde::{Deserialize, Serialize};

use crate::benefit::{BenefitShape, together};
use crate::condition::ConditionShape;
use crate::each;

/// What a promotion says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PromotionTerms))]
#[serde(deny_unknown_fields)]
pub struct PromotionShape {
    /// Where it stands in the order of lanes, 0 to 9: the lower goes first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 9))]
    pub lane: u8,
    /// The higher goes first among equals, 0 to 1000.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 1000))]
    pub priority: i64,
    /// What else may lower the same: `with_others`, `alone_on_pieces` or `alone_in_cart`.
    #[serde(default = "with_others")]
    pub stacking: String,
    /// Only with a coupon for it.
    #[serde(default)]
    pub needs_coupon: bool,
    /// What its amounts are in, ISO 4217; it may be absent when it says no amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// From when; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub starts_at: Option<String>,
    /// Until when, not included; for ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = DateTime))]
    pub ends_at: Option<String>,
    /// All of these must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(max_items = 20))]
    pub conditions: Vec<ConditionShape>,
    /// What it gives.
    pub benefit: BenefitShape,
}

fn with_others() -> String {
    Stacking::WithOthers.text().to_owned()
}

impl PromotionShape {
    /// The promotion of this id.
    ///
    /// # Errors
    /// The refusal names every field that cannot be read. Whether it makes sense, [`domain::promotion::check()`] says.
    pub fn read(&self, id: Id<id::Promotion>) -> Result<Promotion, Refusal> {
        let instant = |field: &str, text: &Option<String>| {
            let read = text.as_deref().map(Instant::parse).transpose();
            read.map_err(|error| Refusal::invalid(field, error))
        };
        let stacking = Stacking::parse(&self.stacking).map_err(|error| Refusal::invalid("stacking", error));
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        let currency = currency.map_err(|error| Refusal::invalid("currency", error));
        let (starts_at, ends_at) = (instant("starts_at", &self.starts_at), instant("ends_at", &self.ends_at));
        let conditions = each("conditions", &self.conditions, ConditionShape::read);
        let benefit = self.benefit.read().map_err(|refusal| refusal.within("benefit"));
        match (stacking, currency, starts_at, ends_at, conditions, benefit) {
            (Ok(stacking), Ok(currency), Ok(starts_at), Ok(ends_at), Ok(conditions), Ok(benefit)) => {
                Ok(Promotion {
                    id,
                    lane: self.lane,
                    priority: self.priority,
                    stacking,
                    needs_coupon: self.needs_coupon,
                    currency,
                    starts_at,
                    ends_at,
                    conditions,
                    benefit,
                    left_minor: None,
                })
            }
            (stacking, currency, starts_at, ends_at, conditions, benefit) => Err(together([
                stacking.err(),
                currency.err(),
                starts_at.err(),
                ends_at.err(),
                conditions.err(),
                benefit.err(),
            ])),
        }
    }
}

impl From<&Promotion> for PromotionShape {
    fn from(promotion: &Promotion) -> PromotionShape {
        PromotionShape {
            lane: promotion.lane,
            priority: promotion.priority,
            stacking: promotion.stacking.text().to_owned(),
            needs_coupon: promotion.needs_coupon,
            currency: promotion.currency.map(|currency| currency.code().to_owned()),
            starts_at: promotion.starts_at.map(|at| at.to_string()),
            ends_at: promotion.ends_at.map(|at| at.to_string()),
            conditions: promotion.conditions.iter().map(ConditionShape::from).collect(),
            benefit: (&promotion.benefit).into(),
        }
    }
}
