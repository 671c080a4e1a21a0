//! What a cart costs, in JSON, with who lowered what.

use domain::promotion::Priced;
use domain::promotion::price::{Applied, PricedLine, Source};
use serde::Serialize;

/// What a cart costs.
#[derive(Debug, Serialize)]
pub struct AnswerShape {
    lines: Vec<LineAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<LineAnswer>,
    net: i64,
    tax: i64,
    gross: i64,
    rates: Vec<(i64, i64, i64, i64)>,
    coupons: Vec<String>,
    gifts: Vec<GiftAnswer>,
    unused: Vec<UnusedAnswer>,
    slack: i64,
}

#[derive(Debug, Serialize)]
struct LineAnswer {
    listed: i64,
    amount: i64,
    net: i64,
    tax: i64,
    gross: i64,
    discounts: Vec<DiscountShape>,
}

/// Who lowered something, and by how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Discount))]
pub struct DiscountShape {
    /// By a `promotion`, or a colleague's discount on the `line` or the `whole` cart.
    pub by: &'static str,
    /// The promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<String>,
    /// The coupon that opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// On so many base units; those that open a set count too.
    pub quantity: i64,
    /// By so many minor units.
    pub amount: i64,
}

#[derive(Debug, Serialize)]
struct GiftAnswer {
    promotion: String,
    variant: String,
    quantity: i64,
}

#[derive(Debug, Serialize)]
struct UnusedAnswer {
    promotion: String,
    why: &'static str,
}

impl From<&Applied> for DiscountShape {
    fn from(applied: &Applied) -> DiscountShape {
        let (by, promotion, coupon) = match applied.source {
            Source::Promotion(promotion, coupon) => {
                ("promotion", Some(promotion.to_string()), coupon.map(|coupon| coupon.to_string()))
            }
            Source::Line => ("line", None, None),
            Source::Whole => ("whole", None, None),
        };
        DiscountShape { by, promotion, coupon, quantity: applied.quantity, amount: applied.minor }
    }
}

impl From<&PricedLine> for LineAnswer {
    fn from(line: &PricedLine) -> LineAnswer {
        LineAnswer {
            listed: line.listed_minor,
            amount: line.minor,
            net: line.taxed.net_minor,
            tax: line.taxed.tax_minor,
            gross: line.taxed.gross_minor,
            discounts: line.applied.iter().map(DiscountShape::from).collect(),
        }
    }
}

impl From<&Priced> for AnswerShape {
    fn from(priced: &Priced) -> AnswerShape {
        let rate = |(rate, sum): &(domain::value::Rate, domain::tax::Taxed)| {
            (rate.parts_per_million(), sum.net_minor, sum.tax_minor, sum.gross_minor)
        };
        AnswerShape {
            lines: priced.lines.iter().map(LineAnswer::from).collect(),
            delivery: priced.delivery.as_ref().map(LineAnswer::from),
            net: priced.total.net_minor,
            tax: priced.total.tax_minor,
            gross: priced.total.gross_minor,
            rates: priced.rates.iter().map(rate).collect(),
            coupons: priced.coupons.iter().map(|given| given.coupon.to_string()).collect(),
            gifts: priced
                .gifts
                .iter()
                .map(|gift| GiftAnswer {
                    promotion: gift.promotion.to_string(),
                    variant: gift.variant.to_string(),
                    quantity: gift.quantity,
                })
                .collect(),
            unused: priced
                .unused
                .iter()
                .map(|(promotion, why)| UnusedAnswer { promotion: promotion.to_string(), why: why.text() })
                .collect(),
            slack: priced.slack_minor,
        }
    }
}
