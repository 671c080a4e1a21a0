//! Segments and traits as documents: one form for the API and the books, described in `docs/SEGMENTS.md`.

mod read;
mod write;

use domain::segment::occurrence::{Scalar, UNIT};
use serde_json::Value;

pub use read::{expression, trait_of};
pub use write::{leaf_of, of_expression, of_trait};

/// Digits in millionths, what is less than one of them left away; `None` when it is too large.
fn millionths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.chars().all(|one| one.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let kept: String = part.chars().chain("000000".chars()).take(6).collect();
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = kept.parse().ok()?;
    whole.checked_mul(UNIT)?.checked_add(part)?.checked_mul(sign)
}

/// A number as JSON has it, in millionths.
pub(super) fn number_of(number: &serde_json::Number) -> Option<i64> {
    let text = number.to_string();
    if text.contains('e') { millionths(&format!("{:.6}", number.as_f64()?)) } else { millionths(&text) }
}

/// A value of a document, if it is one that can be compared.
pub fn scalar(value: &Value) -> Option<Scalar> {
    match value {
        Value::Bool(yes) => Some(Scalar::Yes(*yes)),
        Value::Number(number) => number_of(number).map(Scalar::Number),
        Value::String(text) => Some(Scalar::Text(text.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value as it is written into a document.
pub fn of_scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Yes(yes) => Value::from(*yes),
        Scalar::Number(number) => of_millionths(*number),
        Scalar::Text(text) => Value::from(text.as_str()),
    }
}

fn of_millionths(number: i64) -> Value {
    if number % UNIT == 0 {
        return Value::from(number / UNIT);
    }
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) =
        (number.unsigned_abs() / UNIT.unsigned_abs(), number.unsigned_abs() % UNIT.unsigned_abs());
    serde_json::from_str(&format!("{sign}{whole}.{part:06}")).unwrap_or(Value::Null)
}

/// The values at a path within a document, such as `products.sku`, through all lists on the way.
pub(super) fn values_at(value: &Value, path: &str, found: &mut Vec<Scalar>) {
    match value {
        Value::Array(each) => each.iter().for_each(|one| values_at(one, path, found)),
        Value::Object(parts) if !path.is_empty() => {
            if let Some(whole) = parts.get(path) {
                values_at(whole, "", found);
            } else if let Some((name, rest)) = path.split_once('.')
                && let Some(inner) = parts.get(name)
            {
                values_at(inner, rest, found);
            }
        }
        other if path.is_empty() => found.extend(scalar(other)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_kept_in_millionths_and_come_back_as_they_were() {
        for value in
            [json!(0), json!(-3), json!(19.5), json!(-0.25), json!(0.000_001), json!(true), json!("a")]
        {
            let read = scalar(&value).expect("a value");
            assert_eq!(of_scalar(&read), value);
        }
        assert_eq!(millionths("1e3"), None);
        assert_eq!(millionths("99999999999999"), None);
    }

    #[test]
    fn values_are_found_through_lists() {
        let body = json!({ "products": [{ "sku": "A" }, { "sku": "B", "x.y": 1 }], "price": 2 });
        let at = |path: &str| {
            let mut found = Vec::new();
            values_at(&body, path, &mut found);
            found.iter().map(of_scalar).collect::<Vec<_>>()
        };
        assert_eq!(at("products.sku"), [json!("A"), json!("B")]);
        assert_eq!(at("products.x.y"), [json!(1)]);
        assert_eq!(at("price"), [json!(2)]);
        assert!(at("products").is_empty() && at("none").is_empty());
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let document = json!({ "all": [
            { "event": { "name": "Product Viewed", "where": [{ "property": "price", "at_least": 19.5 },
                { "property": "sku", "is": ["A", 3, true] }, { "property": "gone", "exists": false }], "within_days": 30, "at_most": 2 } },
            { "any": [{ "sequence": { "first": { "name": "A" }, "then": { "name": "B" }, "within_minutes": 60, "followed": false } },
                { "trait": { "code": "spent", "at_most": 3 } }] },
            { "orders": { "measure": "spend", "currency": "GBP", "older_than_days": 7, "at_least": 5000 } },
            { "not": { "groups": ["colleague"] } }, { "countries": ["GB"] }, { "languages": ["de"] },
            { "consent": { "purpose": "marketing", "medium": "mail" } },
            { "share": { "seed": "spring", "from": 0, "below": 10 } }, { "life_cycle": ["new", "at_risk"] }, { "rfm": ["champion"] },
        ] });
        let read = expression(&document, "expression").expect("it reads");
        assert_eq!(of_expression(&read), document);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let document = json!({ "all": [{ "event": { "name": "A", "whitin_days": 3 } }, { "groups": "vip" }, { "moon": 1 },
            { "near": { "location": "cus_1", "km": 5 } }, {}] });
        let refusal = expression(&document, "expression").unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(domain::Refusal::field).collect();
        assert_eq!(
            fields,
            [
                "expression.all.0.event.whitin_days",
                "expression.all.1.groups",
                "expression.all.2",
                "expression.all.3.near.location",
                "expression.all.4"
            ]
        );
    }
}
