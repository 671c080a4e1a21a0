//! Writing: what is read again is the same.

use domain::consent::{Cell, Medium};
use domain::segment::goods::{Measure, Orders};
use domain::segment::life::Stage;
use domain::segment::occurrence::{Kind, Occurrence, Sequence, Test};
use domain::segment::rfm::Group;
use domain::segment::traits::Trait;
use domain::segment::window::Window;
use domain::segment::{Expression, Leaf, Shelf};
use domain::value::Id;
use serde_json::{Map, Value, json};

use super::{of_millionths, of_scalar};

/// An expression as a document.
pub fn of_expression(expression: &Expression) -> Value {
    let all = |parts: &[Expression]| parts.iter().map(of_expression).collect::<Vec<_>>();
    match expression {
        Expression::All(parts) => json!({ "all": all(parts) }),
        Expression::Any(parts) => json!({ "any": all(parts) }),
        Expression::Not(part) => json!({ "not": of_expression(part) }),
        Expression::Is(leaf) => leaf_of(leaf),
    }
}

/// The definition of a trait as a document.
pub fn of_trait(one: &Trait) -> Value {
    let mut fields = kind(&one.kind);
    put_window(&mut fields, one.window);
    fields.insert("aggregate".into(), one.aggregate.text().into());
    put(&mut fields, "property", one.property.clone());
    fields.into()
}

/// One thing that is asked of a person, as a document.
pub fn leaf_of(leaf: &Leaf) -> Value {
    match leaf {
        Leaf::Event(one) => json!({ "event": occurrence(one) }),
        Leaf::Sequence(one) => json!({ "sequence": sequence(one) }),
        Leaf::Trait { code, test } => {
            let mut fields = Map::from_iter([("code".to_owned(), Value::from(code.as_str()))]);
            put_test(&mut fields, test);
            json!({ "trait": fields })
        }
        Leaf::Orders(one) => json!({ "orders": orders(one) }),
        Leaf::Loyalty { programme, tiers, at_least, at_most } => {
            let mut fields = Map::from_iter([("programme".to_owned(), Value::from(programme.to_string()))]);
            put(&mut fields, "tiers", (!tiers.is_empty()).then_some(tiers.clone()));
            put(&mut fields, "points_at_least", *at_least);
            put(&mut fields, "points_at_most", *at_most);
            json!({ "loyalty": fields })
        }
        Leaf::Consent(cell) => json!({ "consent": consent(cell) }),
        Leaf::Groups(groups) => json!({ "groups": groups }),
        Leaf::Countries(countries) => {
            json!({ "countries": countries.iter().map(|one| one.code()).collect::<Vec<_>>() })
        }
        Leaf::Languages(languages) => {
            json!({ "languages": languages.iter().map(|one| one.code()).collect::<Vec<_>>() })
        }
        Leaf::Near { location, km } => json!({ "near": { "location": location.to_string(), "km": km } }),
        Leaf::Stock(shelf) => json!({ "stock": stock(shelf) }),
        Leaf::Segment(id) => json!({ "segment": id.to_string() }),
        Leaf::List(id) => json!({ "list": id.to_string() }),
        Leaf::Share { seed, from, below } => {
            json!({ "share": { "seed": seed, "from": from, "below": below } })
        }
        Leaf::LifeCycle(stages) => {
            json!({ "life_cycle": stages.iter().copied().map(Stage::text).collect::<Vec<_>>() })
        }
        Leaf::Rfm(groups) => json!({ "rfm": groups.iter().copied().map(Group::text).collect::<Vec<_>>() }),
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

fn put_window(fields: &mut Map<String, Value>, window: Window) {
    put(fields, "within_days", window.within_days);
    put(fields, "older_than_days", window.older_days);
}

fn put_test(fields: &mut Map<String, Value>, test: &Test) {
    let (name, value) = match test {
        Test::Is(values) => ("is", values.iter().map(of_scalar).collect()),
        Test::IsNot(values) => ("is_not", values.iter().map(of_scalar).collect()),
        Test::AtLeast(number) => ("at_least", of_millionths(*number)),
        Test::AtMost(number) => ("at_most", of_millionths(*number)),
        Test::Contains(text) => ("contains", Value::from(text.as_str())),
        Test::Exists(there) => ("exists", Value::from(*there)),
    };
    fields.insert(name.to_owned(), value);
}

fn kind(kind: &Kind) -> Map<String, Value> {
    let condition = |(property, test): &(String, Test)| {
        let mut fields = Map::from_iter([("property".to_owned(), Value::from(property.as_str()))]);
        put_test(&mut fields, test);
        Value::from(fields)
    };
    let mut fields = Map::from_iter([("name".to_owned(), Value::from(kind.name.as_str()))]);
    let conditions: Vec<Value> = kind.conditions.iter().map(condition).collect();
    put(&mut fields, "where", (!conditions.is_empty()).then_some(conditions));
    fields
}

fn occurrence(one: &Occurrence) -> Map<String, Value> {
    let mut fields = kind(&one.kind);
    put_window(&mut fields, one.window);
    put(&mut fields, "at_least", one.at_least);
    put(&mut fields, "at_most", one.at_most);
    fields
}

fn sequence(one: &Sequence) -> Map<String, Value> {
    let mut fields = Map::from_iter([
        ("first".to_owned(), Value::from(kind(&one.first))),
        ("then".to_owned(), Value::from(kind(&one.then))),
        ("within_minutes".to_owned(), Value::from(one.within_minutes)),
    ]);
    put(&mut fields, "followed", (!one.followed).then_some(false));
    put_window(&mut fields, one.window);
    fields
}

fn orders(one: &Orders) -> Map<String, Value> {
    let (measure, currency) = match one.measure {
        Measure::Count => ("count", None),
        Measure::Spend(currency) => ("spend", Some(currency.code())),
        Measure::First => ("first", None),
        Measure::Last => ("last", None),
    };
    let mut fields = Map::from_iter([("measure".to_owned(), Value::from(measure))]);
    put(&mut fields, "currency", currency);
    put_window(&mut fields, one.window);
    put(&mut fields, "variants", ids(&one.variants));
    put(&mut fields, "products", ids(&one.products));
    put(&mut fields, "categories", ids(&one.categories));
    put(&mut fields, "channels", ids(&one.channels));
    put(&mut fields, "at_least", one.at_least);
    put(&mut fields, "at_most", one.at_most);
    fields
}

fn ids<K: domain::value::Kind>(ids: &[Id<K>]) -> Option<Vec<String>> {
    (!ids.is_empty()).then(|| ids.iter().map(Id::to_string).collect())
}

fn consent(cell: &Cell) -> Map<String, Value> {
    let mut fields = Map::from_iter([("purpose".to_owned(), Value::from(cell.purpose.as_str()))]);
    put(&mut fields, "medium", (cell.medium != Medium::Every).then(|| cell.medium.text()));
    put(&mut fields, "topic", Some(cell.topic.as_str()).filter(|topic| !topic.is_empty()));
    fields
}

fn stock(shelf: &Shelf) -> Map<String, Value> {
    let variant = shelf.variant.map_or_else(|| "last_viewed".to_owned(), |id| id.to_string());
    let mut fields = Map::from_iter([("variant".to_owned(), Value::from(variant))]);
    put(&mut fields, "location", shelf.location.map(|id| id.to_string()));
    put(&mut fields, "km", shelf.km);
    put(&mut fields, "at_least", (shelf.at_least != 1).then_some(shelf.at_least));
    fields
}
