//! What carts cost, as the API tells it.

use domain::tax::Taxed;
use domain::value::{Currency, Rate};
use engine::cart::{Cart, PricedCart, PricedLine};
use pricing::answer::DiscountShape;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shape::MoneyShape;

/// What a line of a cart is and costs now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLinePrice)]
pub(super) struct LinePriceShape {
    /// The retailer's code of it.
    sku: String,
    /// What it is called.
    title: String,
    /// What one base unit costs, with or without tax as the totals say.
    unit_price: MoneyShape,
    /// What lowered the line, and by how much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<DiscountShape>,
    /// Its tax rate in parts per million: 200000 is 20 %.
    tax_rate_ppm: i64,
    /// The line without tax.
    net: MoneyShape,
    /// Its tax.
    tax: MoneyShape,
    /// The line with tax.
    gross: MoneyShape,
}

/// How a cart is to be delivered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartDelivery)]
pub(super) struct DeliveryShape {
    /// The method.
    method: String,
    /// Where it is collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// What lowered the charge, and by how much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    discounts: Vec<DiscountShape>,
    /// The charge without tax; absent, as the rest, when the cart has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    net: Option<MoneyShape>,
    /// Its tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<MoneyShape>,
    /// The charge with tax.
    #[serde(skip_serializing_if = "Option::is_none")]
    gross: Option<MoneyShape>,
    /// Its tax rate in parts per million.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_rate_ppm: Option<i64>,
}

/// What a cart costs: the lines and the delivery together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartTotals)]
pub(super) struct TotalsShape {
    /// Unit prices contain the tax.
    prices_include_tax: bool,
    /// Without tax.
    net: MoneyShape,
    /// The tax.
    tax: MoneyShape,
    /// With tax: what is to be paid.
    gross: MoneyShape,
    /// The sums per tax rate, the lowest rate first.
    taxes: Vec<TaxShape>,
}

/// The sums of one tax rate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartTax)]
struct TaxShape {
    /// The rate in parts per million.
    rate_ppm: i64,
    /// Without tax.
    net: MoneyShape,
    /// The tax.
    tax: MoneyShape,
    /// With tax.
    gross: MoneyShape,
}

fn money(minor: i64, currency: Currency) -> MoneyShape {
    MoneyShape { amount: minor, currency: currency.code().to_owned() }
}

fn tax((rate, sums): &(Rate, Taxed), currency: Currency) -> TaxShape {
    TaxShape {
        rate_ppm: rate.parts_per_million(),
        net: money(sums.net_minor, currency),
        tax: money(sums.tax_minor, currency),
        gross: money(sums.gross_minor, currency),
    }
}

impl LinePriceShape {
    pub(super) fn new(line: &PricedLine, currency: Currency) -> LinePriceShape {
        LinePriceShape {
            sku: line.sku.clone(),
            title: line.title.clone(),
            unit_price: money(line.unit_minor, currency),
            discounts: line.discounts.iter().map(DiscountShape::from).collect(),
            tax_rate_ppm: line.tax_rate.parts_per_million(),
            net: money(line.net_minor, currency),
            tax: money(line.tax_minor, currency),
            gross: money(line.gross_minor, currency),
        }
    }
}

impl DeliveryShape {
    pub(super) fn ended(cart: &Cart) -> Option<DeliveryShape> {
        Some(DeliveryShape {
            method: cart.method?.to_string(),
            location: cart.pickup_location.map(|id| id.to_string()),
            discounts: Vec::new(),
            net: None,
            tax: None,
            gross: None,
            tax_rate_ppm: None,
        })
    }

    pub(super) fn priced(priced: &PricedCart) -> Option<DeliveryShape> {
        let (delivery, currency) = (priced.delivery.as_ref()?, priced.currency);
        Some(DeliveryShape {
            method: delivery.method.to_string(),
            location: priced.cart.pickup_location.map(|id| id.to_string()),
            discounts: delivery.discounts.iter().map(DiscountShape::from).collect(),
            net: Some(money(delivery.net_minor, currency)),
            tax: Some(money(delivery.tax_minor, currency)),
            gross: Some(money(delivery.gross_minor, currency)),
            tax_rate_ppm: Some(delivery.tax_rate.parts_per_million()),
        })
    }
}

impl TotalsShape {
    pub(super) fn new(priced: &PricedCart) -> TotalsShape {
        let currency = priced.currency;
        TotalsShape {
            prices_include_tax: priced.prices_include_tax,
            net: money(priced.net, currency),
            tax: money(priced.tax, currency),
            gross: money(priced.gross, currency),
            taxes: priced.rates.iter().map(|rate| tax(rate, currency)).collect(),
        }
    }
}
