//! What a promotion gives, and of which goods, in JSON.

use domain::promotion::{Benefit, Gives, Measure, Off, Part, Selection, Step, Tag};
use domain::value::Rate;
use domain::{Code, Refusal};
use serde::{Deserialize, Serialize};

use crate::{each, id, ids};

/// What goods are found by: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Tag))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TagShape {
    /// A variant.
    Variant(String),
    /// A product with all its variants.
    Product(String),
    /// A category with all that is below it.
    Category(String),
    /// A value of an attribute, such as a brand.
    Attribute(AttributeShape),
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = TagAttribute))]
#[serde(deny_unknown_fields)]
pub struct AttributeShape {
    /// The attribute.
    pub attribute: String,
    /// Its value, as products carry it.
    pub value: String,
}

impl TagShape {
    /// The tag.
    ///
    /// # Errors
    /// The refusal names the field.
    pub fn read(&self) -> Result<Tag, Refusal> {
        Ok(match self {
            TagShape::Variant(text) => Tag::Variant(id("variant", text)?),
            TagShape::Product(text) => Tag::Product(id("product", text)?),
            TagShape::Category(text) => Tag::Category(id("category", text)?),
            TagShape::Attribute(own) => Tag::Attribute(id("attribute", &own.attribute)?, own.value.clone()),
        })
    }
}

impl From<&Tag> for TagShape {
    fn from(tag: &Tag) -> TagShape {
        match tag {
            Tag::Variant(id) => TagShape::Variant(id.to_string()),
            Tag::Product(id) => TagShape::Product(id.to_string()),
            Tag::Category(id) => TagShape::Category(id.to_string()),
            Tag::Attribute(id, value) => {
                TagShape::Attribute(AttributeShape { attribute: id.to_string(), value: value.clone() })
            }
        }
    }
}

/// Which goods: any of these, none of those; all goods when nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Selection))]
#[serde(default, deny_unknown_fields)]
pub struct SelectionShape {
    /// One of these is needed; all goods when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(max_items = 1000))]
    pub any: Vec<TagShape>,
    /// None of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(max_items = 1000))]
    pub except: Vec<TagShape>,
}

impl SelectionShape {
    /// The selection.
    ///
    /// # Errors
    /// The refusal names every bad tag.
    pub fn read(&self) -> Result<Selection, Refusal> {
        let (any, except) =
            (each("any", &self.any, TagShape::read), each("except", &self.except, TagShape::read));
        match (any, except) {
            (Ok(any), Ok(except)) => Ok(Selection::of(any, except)),
            (any, except) => Err(together([any.err(), except.err()])),
        }
    }
}

impl From<&Selection> for SelectionShape {
    fn from(selection: &Selection) -> SelectionShape {
        let tags = |tags: &[Tag]| tags.iter().map(TagShape::from).collect();
        SelectionShape { any: tags(selection.any()), except: tags(selection.except()) }
    }
}

/// The refusals that there are, as one.
pub(crate) fn together<const N: usize>(refusals: [Option<Refusal>; N]) -> Refusal {
    Refusal::all(refusals.into_iter().flatten().collect())
        .unwrap_or_else(|| Refusal::new(Code::Invalid, "the values do not fit together"))
}

/// How much lower: exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Off))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OffShape {
    /// A share in parts per million: 100000 is 10 %.
    Rate(i64),
    /// So many minor units.
    Amount(i64),
    /// Down to so many minor units.
    Price(i64),
}

impl OffShape {
    /// How much lower.
    ///
    /// # Errors
    /// The refusal names the field `rate`.
    pub fn read(&self) -> Result<Off, Refusal> {
        Ok(match self {
            OffShape::Rate(parts) => Off::Rate(rate("rate", *parts)?),
            OffShape::Amount(minor) => Off::Amount(*minor),
            OffShape::Price(minor) => Off::Price(*minor),
        })
    }
}

pub(crate) fn rate(field: &str, parts: i64) -> Result<Rate, Refusal> {
    Rate::from_parts_per_million(parts).map_err(|error| Refusal::invalid(field, error))
}

impl From<Off> for OffShape {
    fn from(off: Off) -> OffShape {
        match off {
            Off::Rate(rate) => OffShape::Rate(rate.parts_per_million()),
            Off::Amount(minor) => OffShape::Amount(minor),
            Off::Price(minor) => OffShape::Price(minor),
        }
    }
}

/// How much lower from some measure on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Step))]
#[serde(deny_unknown_fields)]
pub struct StepShape {
    /// From so many pieces, or minor units, on.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(minimum = 0))]
    pub from: i64,
    /// So much lower.
    pub off: OffShape,
}

/// Some pieces of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SetPart))]
#[serde(deny_unknown_fields)]
pub struct PartShape {
    /// Of which goods.
    #[serde(default)]
    pub of: SelectionShape,
    /// How many.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 24))]
    pub pieces: i64,
}

/// What a set brings: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SetGives))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum GivesShape {
    /// The whole set is lower by a share in parts per million.
    Rate(i64),
    /// The whole set is lower by so many minor units.
    Amount(i64),
    /// The whole set costs so many minor units.
    Price(i64),
    /// Its cheapest pieces are lower.
    Cheapest(CheapestShape),
    /// The pieces of one part are lower.
    Part(LoweredPartShape),
}

/// The cheapest pieces of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SetCheapest))]
#[serde(deny_unknown_fields)]
pub struct CheapestShape {
    /// How many.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 24))]
    pub pieces: i64,
    /// Lower by this share in parts per million; 1000000 is free.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1_000_000))]
    pub rate: i64,
}

/// One part of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = SetLoweredPart))]
#[serde(deny_unknown_fields)]
pub struct LoweredPartShape {
    /// Which, counted from 0.
    #[cfg_attr(feature = "schema", schema(minimum = 0, maximum = 5))]
    pub part: u32,
    /// Lower by this share in parts per million; 1000000 is free.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1_000_000))]
    pub rate: i64,
}

impl GivesShape {
    fn read(&self) -> Result<Gives, Refusal> {
        Ok(match self {
            GivesShape::Rate(parts) => Gives::Off(Off::Rate(rate("rate", *parts)?)),
            GivesShape::Amount(minor) => Gives::Off(Off::Amount(*minor)),
            GivesShape::Price(minor) => Gives::Off(Off::Price(*minor)),
            GivesShape::Cheapest(own) => {
                Gives::Cheapest { pieces: own.pieces, rate: rate("cheapest.rate", own.rate)? }
            }
            GivesShape::Part(own) => {
                let part = usize::try_from(own.part).unwrap_or(usize::MAX);
                Gives::Part { part, rate: rate("part.rate", own.rate)? }
            }
        })
    }
}

impl From<Gives> for GivesShape {
    fn from(gives: Gives) -> GivesShape {
        match gives {
            Gives::Off(Off::Rate(rate)) => GivesShape::Rate(rate.parts_per_million()),
            Gives::Off(Off::Amount(minor)) => GivesShape::Amount(minor),
            Gives::Off(Off::Price(minor)) => GivesShape::Price(minor),
            Gives::Cheapest { pieces, rate } => {
                GivesShape::Cheapest(CheapestShape { pieces, rate: rate.parts_per_million() })
            }
            Gives::Part { part, rate } => GivesShape::Part(LoweredPartShape {
                part: u32::try_from(part).unwrap_or(u32::MAX),
                rate: rate.parts_per_million(),
            }),
        }
    }
}

/// What a promotion gives: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Benefit))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BenefitShape {
    /// Each of some pieces is lower.
    Each(EachShape),
    /// Pieces together: three for two, a shirt and a tie for fifty.
    Set(SetShape),
    /// All of some goods together are lower.
    Whole(WholeShape),
    /// Delivery is lower.
    Delivery(DeliveryShape),
    /// So many of a variant for nothing.
    Gift(GiftShape),
}

/// Each of some pieces is lower; how much may depend on how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BenefitEach))]
#[serde(deny_unknown_fields)]
pub struct EachShape {
    /// Which.
    #[serde(default)]
    pub of: SelectionShape,
    /// What the steps measure: `quantity` or `amount`.
    #[serde(default = "quantity")]
    pub by: String,
    /// The highest step reached counts.
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 20))]
    pub steps: Vec<StepShape>,
}

fn quantity() -> String {
    Measure::Quantity.text().to_owned()
}

/// Pieces together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BenefitSet))]
#[serde(deny_unknown_fields)]
pub struct SetShape {
    /// What makes a set.
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 6))]
    pub parts: Vec<PartShape>,
    /// What it brings.
    pub gives: GivesShape,
    /// How often in a cart; as often as can be when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1000))]
    pub times_max: Option<i64>,
}

/// All of some goods together are lower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BenefitWhole))]
#[serde(deny_unknown_fields)]
pub struct WholeShape {
    /// Which.
    #[serde(default)]
    pub of: SelectionShape,
    /// The highest step their amount reaches counts.
    #[cfg_attr(feature = "schema", schema(min_items = 1, max_items = 20))]
    pub steps: Vec<StepShape>,
    /// Never more than so many minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 1))]
    pub amount_max: Option<i64>,
}

/// Delivery is lower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BenefitDelivery))]
#[serde(deny_unknown_fields)]
pub struct DeliveryShape {
    /// By these methods; by any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schema(max_items = 1000))]
    pub methods: Vec<String>,
    /// So much lower.
    pub off: OffShape,
}

/// So many of a variant for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = BenefitGift))]
#[serde(deny_unknown_fields)]
pub struct GiftShape {
    /// Of what.
    pub variant: String,
    /// How many.
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1000))]
    pub pieces: i64,
}

impl BenefitShape {
    /// The benefit.
    ///
    /// # Errors
    /// The refusal names the fields at fault.
    pub fn read(&self) -> Result<Benefit, Refusal> {
        let of = |own: &SelectionShape| own.read().map_err(|refusal| refusal.within("of"));
        match self {
            BenefitShape::Each(own) => Ok(Benefit::Each {
                of: of(&own.of)?,
                by: Measure::parse(&own.by).map_err(|error| Refusal::invalid("by", error))?,
                steps: steps(&own.steps)?,
            }),
            BenefitShape::Set(own) => {
                let part = |part: &PartShape| Ok(Part { of: of(&part.of)?, pieces: part.pieces });
                Ok(Benefit::Set {
                    parts: each("parts", &own.parts, part)?,
                    gives: own.gives.read().map_err(|refusal| refusal.within("gives"))?,
                    times_max: own.times_max,
                })
            }
            BenefitShape::Whole(own) => {
                Ok(Benefit::Whole { of: of(&own.of)?, steps: steps(&own.steps)?, minor_max: own.amount_max })
            }
            BenefitShape::Delivery(own) => {
                let off = own.off.read().map_err(|refusal| refusal.within("off"))?;
                Ok(Benefit::Delivery { methods: ids("methods", &own.methods)?, off })
            }
            BenefitShape::Gift(own) => {
                Ok(Benefit::Gift { variant: id("variant", &own.variant)?, pieces: own.pieces })
            }
        }
        .map_err(|refusal: Refusal| refusal.within(self.name()))
    }

    fn name(&self) -> &'static str {
        match self {
            BenefitShape::Each(_) => "each",
            BenefitShape::Set(_) => "set",
            BenefitShape::Whole(_) => "whole",
            BenefitShape::Delivery(_) => "delivery",
            BenefitShape::Gift(_) => "gift",
        }
    }
}

fn steps(shapes: &[StepShape]) -> Result<Vec<Step>, Refusal> {
    let step = |shape: &StepShape| {
        Ok(Step { from: shape.from, off: shape.off.read().map_err(|refusal| refusal.within("off"))? })
    };
    each("steps", shapes, step)
}

impl From<&Benefit> for BenefitShape {
    fn from(benefit: &Benefit) -> BenefitShape {
        let steps = |steps: &[Step]| {
            steps.iter().map(|step| StepShape { from: step.from, off: step.off.into() }).collect()
        };
        match benefit {
            Benefit::Each { of, by, steps: own } => {
                BenefitShape::Each(EachShape { of: of.into(), by: by.text().to_owned(), steps: steps(own) })
            }
            Benefit::Set { parts, gives, times_max } => BenefitShape::Set(SetShape {
                parts: parts
                    .iter()
                    .map(|part| PartShape { of: (&part.of).into(), pieces: part.pieces })
                    .collect(),
                gives: (*gives).into(),
                times_max: *times_max,
            }),
            Benefit::Whole { of, steps: own, minor_max } => {
                BenefitShape::Whole(WholeShape { of: of.into(), steps: steps(own), amount_max: *minor_max })
            }
            Benefit::Delivery { methods, off } => BenefitShape::Delivery(DeliveryShape {
                methods: methods.iter().map(ToString::to_string).collect(),
                off: (*off).into(),
            }),
            Benefit::Gift { variant, pieces } => {
                BenefitShape::Gift(GiftShape { variant: variant.to_string(), pieces: *pieces })
            }
        }
    }
}
