//! Orders, refunds and returns in the words of trackers' e-commerce vocabulary: amounts as decimal numbers in the currency's unit.

use std::collections::BTreeMap;

use domain::order::{State, share};
use domain::value::id::{OrderLine, Payment, Return as ReturnKind, Variant};
use domain::value::{Currency, Id, Instant, Money};
use serde_json::{Value, json};
use store::catalogue::{self, category};
use store::order::discount;
use store::promotion::coupon;
use store::{Tx, order as orders, returns};

use super::What;
use crate::Failure;
use crate::behaviour::object;

/// What is told of what became of an order.
pub(super) fn properties(
    tx: &mut Tx<'_>,
    what: What,
    order: &orders::Order,
    (subject, body, at): (&str, &Value, Instant),
) -> Result<Value, Failure> {
    let lines = orders::lines(tx, order.id)?;
    let told = match what {
        What::Completed | What::Cancelled => {
            let all: Vec<_> = lines.iter().map(|line| (line, line.quantity)).collect();
            sold(tx, order, &all)?
        }
        What::Updated => {
            let left: Vec<_> = lines.iter().map(|line| (line, line.quantity - line.cancelled)).collect();
            sold(tx, order, &left)?
        }
        What::Refunded => {
            let amount = body["amount"].as_i64().unwrap_or_default();
            let payment = Id::<Payment>::parse(subject).ok();
            let found = payment.map(|payment| returns::refunded_by(tx, order.id, (payment, amount), at));
            let goods = match found.transpose()?.flatten() {
                Some(id) => came_back(tx, &lines, id)?,
                None if order.state == State::Cancelled => {
                    lines.iter().map(|line| (line, line.cancelled)).collect()
                }
                None => Vec::new(),
            };
            json!({ "total": number(amount, order.currency), "products": products(tx, order, &goods)? })
        }
        What::Returned => {
            let Ok(id) = Id::<ReturnKind>::parse(subject) else { return Ok(json!({})) };
            let goods = came_back(tx, &lines, id)?;
            let worth = body["refund"].as_i64().unwrap_or_default();
            json!({ "return_id": id.to_string(), "method": body["means"], "total": number(worth, order.currency),
                "products": products(tx, order, &goods)? })
        }
    };
    let mut all = json!({ "order_id": order.id.to_string(), "number": order.number, "currency": order.currency.code() });
    if let (Some(all), Value::Object(told)) = (all.as_object_mut(), told) {
        all.extend(told);
    }
    Ok(all)
}

/// Lines of an order, with how many pieces of each.
type Goods<'a> = Vec<(&'a orders::Line, i64)>;

/// What was bought: the revenue is without tax and shipping, so that the three make up the total.
fn sold(tx: &mut Tx<'_>, order: &orders::Order, goods: &Goods<'_>) -> Result<Value, Failure> {
    let part = |of: fn(&orders::Line) -> i64| -> i64 {
        let left = goods.iter().filter(|(_, left)| *left > 0);
        left.map(|(line, left)| share(of(line), line.quantity, 0, *left)).sum()
    };
    let amount = |minor| number(minor, order.currency);
    let (revenue, tax) = (part(|line| line.net), part(|line| line.tax) + order.delivery_tax);
    let discounts = discount::of_order(tx, order.id)?;
    let lowered: i64 = discounts.iter().map(|one| one.minor).sum();
    let code = codes(tx, &discounts)?.into_values().next();
    Ok(object([
        ("total", Some(amount(revenue + tax + order.delivery_net))),
        ("revenue", Some(amount(revenue))),
        ("shipping", Some(amount(order.delivery_net))),
        ("tax", Some(amount(tax))),
        ("discount", Some(amount(lowered))),
        ("coupon", code.map(Value::from)),
        ("products", Some(products(tx, order, goods)?)),
    ]))
}

/// The goods of a return that are here, or were left with the customer.
fn came_back<'a>(
    tx: &mut Tx<'_>,
    lines: &'a [orders::Line],
    id: Id<ReturnKind>,
) -> Result<Goods<'a>, Failure> {
    let back = returns::find(tx, id)?.map_or_else(Vec::new, |found| found.lines);
    let of = |one: &returns::Line| {
        let line = lines.iter().find(|line| Some(line.id) == one.order_line)?;
        Some((line, if one.received > 0 { one.received } else { one.quantity }))
    };
    Ok(back.iter().filter_map(of).collect())
}

/// The coupon of each line, and of the whole order.
fn codes(
    tx: &mut Tx<'_>,
    discounts: &[discount::Discount],
) -> Result<BTreeMap<Option<Id<OrderLine>>, String>, Failure> {
    let mut codes = BTreeMap::new();
    for one in discounts {
        let Some(id) = one.coupon else { continue };
        if let Some(code) = coupon::code_of(tx, (one.promotion, id))? {
            codes.entry(one.line).or_insert(code);
        }
    }
    Ok(codes)
}

fn products(tx: &mut Tx<'_>, order: &orders::Order, goods: &Goods<'_>) -> Result<Value, Failure> {
    let discounts = discount::of_order(tx, order.id)?;
    let codes = codes(tx, &discounts)?;
    let variants: Vec<Id<Variant>> = goods.iter().map(|(line, _)| line.variant).collect();
    let variants = catalogue::variants(tx, &variants)?;
    let ids: Vec<_> = variants.iter().map(|variant| variant.product).collect();
    let known = catalogue::products(tx, &ids)?;
    let mut told = Vec::new();
    for (line, quantity) in goods.iter().filter(|(_, quantity)| *quantity > 0) {
        let variant = variants.iter().find(|variant| variant.id == line.variant);
        let product = variant.and_then(|variant| known.iter().find(|product| product.id == variant.product));
        let first = match product {
            Some(product) => category::of_product(tx, product.id)?.first().copied(),
            None => None,
        };
        let category = first.map(|id| category::find(tx, id)).transpose()?.flatten();
        let text = |text: Option<String>| text.map(Value::from);
        told.push(object([
            ("product_id", text(variant.map(|variant| variant.product.to_string()))),
            ("variant_id", text(Some(line.variant.to_string()))),
            ("sku", text(Some(line.sku.clone()))),
            ("name", text(Some(line.title.clone()))),
            ("price", Some(number(line.unit, order.currency))),
            ("quantity", Some(Value::from(*quantity))),
            ("category", text(category.map(|category| category.title.text().to_owned()))),
            (
                "variant",
                text(variant.map(|variant| variant.options.join(" / ")).filter(|name| !name.is_empty())),
            ),
            ("brand", text(product.and_then(|product| product.brand.clone()))),
            ("coupon", text(codes.get(&Some(line.id)).cloned())),
            ("position", Some(Value::from(line.position))),
        ]));
    }
    Ok(Value::from(told))
}

/// An amount in the currency's unit, exactly as it is written.
fn number(minor: i64, currency: Currency) -> Value {
    let written = Money::new(minor, currency).ok().map(|money| money.to_string());
    let digits = written.as_deref().and_then(|text| text.rsplit(' ').next());
    digits.and_then(|digits| serde_json::from_str(digits).ok()).unwrap_or_default()
}
