//! What must be true for a promotion to apply, in JSON.

use domain::Refusal;
use domain::promotion::{Condition, Measure};
use domain::value::OpeningHours;
use serde::{Deserialize, Serialize};

use crate::benefit::SelectionShape;
use crate::ids;

/// What must be true: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PromotionCondition))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ConditionShape {
    /// Bought in one of these channels.
    Channels(Vec<String>),
    /// Bought or collected in one of these stores.
    Stores(Vec<String>),
    /// The customer belongs to one of these groups.
    Groups(Vec<String>),
    /// The customer belongs to one of these segments.
    Segments(Vec<String>),
    /// `true`: the customer never ordered before.
    FirstOrder(bool),
    /// `true`: the customer works for the retailer.
    Colleague(bool),
    /// Paid by one of these kinds of payment.
    Payments(Vec<String>),
    /// Within these hours by the clock of the store, written like opening hours: `fr 17:00-19:00`.
    Hours(String),
    /// The cart has so much of some goods.
    Has(HasShape),
}

/// So much of some goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = PromotionConditionHas))]
#[serde(deny_unknown_fields)]
pub struct HasShape {
    /// Of which goods.
    #[serde(default)]
    pub of: SelectionShape,
    /// What is measured: `quantity` or `amount`.
    pub by: String,
    /// How much at least.
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub at_least: i64,
}

impl ConditionShape {
    /// The condition.
    ///
    /// # Errors
    /// The refusal names the fields at fault.
    pub fn read(&self) -> Result<Condition, Refusal> {
        let only_true = |field: &str, given: bool, condition: Condition| {
            given.then_some(condition).ok_or_else(|| Refusal::invalid(field, "give true, or leave it out"))
        };
        match self {
            ConditionShape::Channels(channels) => Ok(Condition::Channels(ids("channels", channels)?)),
            ConditionShape::Stores(stores) => Ok(Condition::Stores(ids("stores", stores)?)),
            ConditionShape::Groups(groups) => Ok(Condition::Groups(groups.clone())),
            ConditionShape::Segments(segments) => Ok(Condition::Segments(segments.clone())),
            ConditionShape::Payments(kinds) => Ok(Condition::Payments(kinds.clone())),
            ConditionShape::FirstOrder(given) => only_true("first_order", *given, Condition::FirstOrder),
            ConditionShape::Colleague(given) => only_true("colleague", *given, Condition::Colleague),
            ConditionShape::Hours(text) => OpeningHours::parse(text)
                .map(|hours| Condition::Hours(Box::new(hours)))
                .map_err(|error| Refusal::invalid("hours", error)),
            ConditionShape::Has(own) => {
                let of = own.of.read().map_err(|refusal| refusal.within("of").within("has"))?;
                let by = Measure::parse(&own.by).map_err(|error| Refusal::invalid("has.by", error))?;
                Ok(Condition::Has { of, by, at_least: own.at_least })
            }
        }
    }
}

impl From<&Condition> for ConditionShape {
    fn from(condition: &Condition) -> ConditionShape {
        match condition {
            Condition::Channels(channels) => {
                ConditionShape::Channels(channels.iter().map(ToString::to_string).collect())
            }
            Condition::Stores(stores) => {
                ConditionShape::Stores(stores.iter().map(ToString::to_string).collect())
            }
            Condition::Groups(groups) => ConditionShape::Groups(groups.clone()),
            Condition::Segments(segments) => ConditionShape::Segments(segments.clone()),
            Condition::Payments(kinds) => ConditionShape::Payments(kinds.clone()),
            Condition::FirstOrder => ConditionShape::FirstOrder(true),
            Condition::Colleague => ConditionShape::Colleague(true),
            Condition::Hours(hours) => ConditionShape::Hours(hours.to_string()),
            Condition::Has { of, by, at_least } => {
                ConditionShape::Has(HasShape { of: of.into(), by: by.text().to_owned(), at_least: *at_least })
            }
        }
    }
}
