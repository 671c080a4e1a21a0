//! The smaller things that documents of routing are made of.

use std::collections::BTreeMap;

use domain::delivery;
use domain::location::Kind;
use domain::routing::condition::Condition;
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::profile::Remainder;
use domain::routing::wanted::Tariff;
use domain::value::id::Variant;
use domain::value::{self, Id, Instant};
use serde_json::{Value, json};

/// A value that was read, or why it cannot be.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn number(value: &Value) -> Read<i64> {
    value.as_i64().ok_or_else(|| format!("a number was expected, not {value}"))
}

pub(super) fn number_or_null(value: &Value) -> Read<Option<i64>> {
    if value.is_null() { Ok(None) } else { number(value).map(Some) }
}

pub(super) fn text(value: &Value) -> Read<&str> {
    value.as_str().ok_or_else(|| format!("a text was expected, not {value}"))
}

pub(super) fn list(value: &Value) -> Read<&[Value]> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("a list was expected, not {value}"))
}

pub(super) fn each<T>(value: &Value, read: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    list(value)?.iter().map(read).collect()
}

pub(super) fn texts(value: &Value) -> Read<Vec<&str>> {
    list(value)?.iter().map(text).collect()
}

pub(super) fn word<T>(value: &Value, named: impl Fn(&str) -> Option<T>) -> Read<T> {
    named(text(value)?).ok_or_else(|| format!("no word is {value}"))
}

pub(super) fn id<K: value::Kind>(value: &Value) -> Read<Id<K>> {
    Id::parse(text(value)?).map_err(|error| error.to_string())
}

fn texts_of(things: impl IntoIterator<Item = impl ToString>) -> Value {
    Value::from_iter(things.into_iter().map(|one| one.to_string()))
}

/// Variants with numbers.
pub(super) fn of_counts(counts: &BTreeMap<Id<Variant>, i64>) -> Value {
    Value::from_iter(counts.iter().map(|(variant, units)| json!([variant.to_string(), units])))
}

pub(super) fn counts(value: &Value) -> Read<BTreeMap<Id<Variant>, i64>> {
    list(value)?.iter().map(|pair| Ok((id(&pair[0])?, number(&pair[1])?))).collect()
}

pub(super) fn of_tariff(tariff: &Tariff) -> Value {
    json!([tariff.parcel_minor, tariff.item_minor, tariff.kilogram_minor, tariff.kilometre_minor])
}

pub(super) fn tariff(value: &Value) -> Read<Tariff> {
    Ok(Tariff {
        parcel_minor: number(&value[0])?,
        item_minor: number(&value[1])?,
        kilogram_minor: number(&value[2])?,
        kilometre_minor: number(&value[3])?,
    })
}

pub(super) fn of_remainder(remainder: Remainder) -> Value {
    match remainder {
        Remainder::BackOrder => json!("back_order"),
        Remainder::Person => json!("person"),
        Remainder::Cancel { after_days } => json!(after_days),
    }
}

pub(super) fn remainder(value: &Value) -> Read<Remainder> {
    Ok(match value.as_str() {
        Some("back_order") => Remainder::BackOrder,
        Some(_) => Remainder::Person,
        None => Remainder::Cancel { after_days: number(value)? },
    })
}

/// `[what, …]`.
pub(super) fn of_condition(condition: &Condition) -> Value {
    match condition {
        Condition::Value { from, below } => json!(["value", from, below]),
        Condition::Channel(ids) => json!(["channel", texts_of(ids)]),
        Condition::Market(ids) => json!(["market", texts_of(ids)]),
        Condition::Group(labels) => json!(["group", labels]),
        Condition::Category(ids) => json!(["category", texts_of(ids)]),
        Condition::Variant(ids) => json!(["variant", texts_of(ids)]),
        Condition::Delivery(kinds) => json!(["delivery", texts_of(kinds.iter().map(|kind| kind.text()))]),
        Condition::Period { from, until } => json!(["period", from.micros(), until.micros()]),
    }
}

pub(super) fn condition(value: &Value) -> Read<Condition> {
    let named = &value[1];
    Ok(match text(&value[0])? {
        "value" => Condition::Value { from: number(named)?, below: number_or_null(&value[2])? },
        "channel" => Condition::Channel(each(named, id)?.into_iter().collect()),
        "market" => Condition::Market(each(named, id)?.into_iter().collect()),
        "group" => Condition::Group(texts(named)?.into_iter().map(str::to_owned).collect()),
        "category" => Condition::Category(each(named, id)?.into_iter().collect()),
        "variant" => Condition::Variant(each(named, id)?.into_iter().collect()),
        "delivery" => {
            let kinds = each(named, |kind| word(kind, delivery::Kind::named))?;
            Condition::Delivery(kinds.into_iter().collect())
        }
        "period" => Condition::Period {
            from: Instant::from_micros(number(named)?),
            until: Instant::from_micros(number(&value[2])?),
        },
        other => return Err(format!("no condition is \"{other}\"")),
    })
}

/// `[measure, its list, effect]`: the effect is null to rank, a number to exclude, a list of edges to band.
pub(super) fn of_criterion(criterion: &Criterion) -> Value {
    let named = match &criterion.measure {
        Measure::Kind(kinds) => texts_of(kinds.iter().map(|kind| kind.text())),
        Measure::List(locations) => texts_of(locations),
        _ => Value::Null,
    };
    let effect = match &criterion.effect {
        Effect::Rank => Value::Null,
        Effect::Exclude { limit } => json!(limit),
        Effect::Band { edges } => json!(edges),
    };
    json!([criterion.measure.text(), named, effect])
}

pub(super) fn criterion(value: &Value) -> Read<Criterion> {
    let measure = match text(&value[0])? {
        "market" => Measure::Market,
        "rank" => Measure::Rank,
        "kind" => Measure::Kind(each(&value[1], |kind| word(kind, Kind::named))?),
        "distance" => Measure::Distance,
        "days_of_supply" => Measure::DaysOfSupply,
        "capacity_left" => Measure::CapacityLeft,
        "cost" => Measure::Cost,
        "list" => Measure::List(each(&value[1], id)?),
        "first_part" => Measure::FirstPart,
        "parts" => Measure::Parts,
        "safety_stock" => Measure::SafetyStock,
        other => return Err(format!("no measure is \"{other}\"")),
    };
    let effect = match &value[2] {
        Value::Null => Effect::Rank,
        Value::Array(_) => Effect::Band { edges: each(&value[2], number)? },
        limit => Effect::Exclude { limit: number(limit)? },
    };
    Ok(Criterion { measure, effect })
}
