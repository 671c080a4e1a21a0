//! An event parted into what can name nobody, which is kept open and counted, and all else, which is sealed under the person's key.

use domain::behaviour::open::{self, Open, Place};
use serde_json::{Map, Value};

use super::Incoming;

/// An event in two parts.
pub(super) struct Parted {
    /// Its name, without what may name somebody.
    pub name: Option<String>,
    /// What lies open.
    pub open: Value,
    /// What is sealed.
    pub sealed: Option<Value>,
}

/// Parts an event; `named` are the names of properties that the retailer opens, in small letters without signs and in order. What is said
/// of the person (traits) is never open.
pub(super) fn part(event: &Incoming, named: &[String]) -> Parted {
    let (mut open, mut sealed) = (Map::new(), Map::new());
    for (section, value) in event.body.as_object().into_iter().flat_map(Map::iter) {
        let place = match section.as_str() {
            "properties" => Some(Place::Properties),
            "context" => Some(Place::Context),
            _ => None,
        };
        let halves = match (place, value) {
            (Some(place), Value::Object(parts)) => Parting { place, named }.of_object(parts),
            _ => (None, Some(value.clone())),
        };
        put(&mut open, section, halves.0);
        put(&mut sealed, section, halves.1);
    }
    let name = event.name.as_deref().map(open::name_of);
    if let (Some(told), Some(shown)) = (&event.name, &name)
        && shown.as_ref() != told
    {
        sealed.insert("name".to_owned(), Value::from(told.as_str()));
    }
    let sealed = (!sealed.is_empty()).then_some(Value::Object(sealed));
    Parted { name: name.map(Into::into), open: Value::Object(open), sealed }
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value);
    }
}

/// What of a value lies open, and what is sealed.
type Halves = (Option<Value>, Option<Value>);

/// By which names a part of an event is parted.
struct Parting<'a> {
    place: Place,
    named: &'a [String],
}

impl Parting<'_> {
    fn of_object(&self, parts: &Map<String, Value>) -> Halves {
        let (mut open, mut sealed) = (Map::new(), Map::new());
        for (name, value) in parts {
            let known = open::of(self.place, name, self.named);
            let known =
                known.filter(|known| *known != Open::Title || parts.keys().any(|one| open::is_goods(one)));
            let halves = match known {
                Some(known) => self.of_known(known, value),
                None => of_unknown(name, value),
            };
            put(&mut open, name, halves.0);
            put(&mut sealed, name, halves.1);
        }
        let given = |parts: Map<String, Value>| (!parts.is_empty()).then_some(Value::Object(parts));
        (given(open), given(sealed))
    }

    fn of_known(&self, known: Open, value: &Value) -> Halves {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => (Some(value.clone()), None),
            Value::String(text) if known == Open::Address => of_address(text),
            Value::String(text) if open::text(known, text) => (Some(value.clone()), None),
            Value::Object(parts) if matches!(known, Open::Part | Open::Named) => self.of_object(parts),
            Value::Array(each) => self.of_list(known, each),
            Value::String(_) | Value::Object(_) => (None, Some(value.clone())),
        }
    }

    /// Lists keep their places in both halves.
    fn of_list(&self, known: Open, each: &[Value]) -> Halves {
        let (open, sealed): (Vec<_>, Vec<_>) = each.iter().map(|one| self.of_known(known, one)).unzip();
        let given = |half: Vec<Option<Value>>| {
            let some = half.iter().any(Option::is_some);
            some.then(|| half.into_iter().map(Option::unwrap_or_default).collect())
        };
        if each.is_empty() {
            (Some(Value::from(Vec::<Value>::new())), None)
        } else {
            (given(open), given(sealed))
        }
    }
}

/// Of a page's address the path lies open; the whole is sealed beside it when there is more.
fn of_address(text: &str) -> Halves {
    let path = open::path_of(text);
    let whole = (path != text).then(|| Value::from(text));
    if open::text(Open::Address, path) {
        (Some(Value::from(path)), whole)
    } else {
        (None, Some(Value::from(text)))
    }
}

fn of_unknown(name: &str, value: &Value) -> Halves {
    let is_open = match value {
        Value::Bool(_) => open::flag(name),
        Value::Number(number) => open::figure(name, &number.to_string()),
        _ => false,
    };
    if is_open { (Some(value.clone()), None) } else { (None, Some(value.clone())) }
}

#[cfg(test)]
mod tests {
    use domain::behaviour::Call;
    use domain::value::Instant;
    use serde_json::json;

    use super::*;

    fn parted(name: &str, body: Value, named: &[&str]) -> (Value, Option<Value>) {
        let event = Incoming {
            call: Call::Track,
            name: Some(name.to_owned()),
            message: None,
            identifiers: Vec::new(),
            at: Instant::from_micros(0),
            body,
            fault: None,
        };
        let named: Vec<String> = named.iter().map(|one| (*one).to_owned()).collect();
        let parted = part(&event, &named);
        (parted.open, parted.sealed)
    }

    #[test]
    fn what_may_name_somebody_is_sealed_whatever_it_is_called() {
        let sent = json!({
            "traits": { "given_name": "Ada", "surname": "Lovelace", "plan": "gold", "age": 36 },
            "properties": { "sku": "T", "name": "Teapot", "price": 19.5, "gift": true, "receiver": "Ada", "tel": 447911123456_i64,
                "url": "https://shop.example/teapots?mail=ada%40example.com", "coupon": "for ada@example.com",
                "shipping_address": { "name": "Ada Lovelace", "line1": "1 St James's Square" }, "ada@example.com": true,
                "products": [{ "product_id": "5012345678900", "name": "Mug", "engraving": "For Ada" }, { "sku": "B" }] },
            "context": { "library": { "name": "x" }, "device": { "id": "d-1", "type": "ios" }, "ip": "10.0.0.1", "sec_gpc": true,
                "externalIds": [{ "type": "crm", "id": "77" }] },
        });
        let (open, sealed) = parted("Product Viewed", sent, &[]);
        assert_eq!(
            open,
            json!({ "properties": { "sku": "T", "name": "Teapot", "price": 19.5, "gift": true, "url": "https://shop.example/teapots",
                    "products": [{ "product_id": "5012345678900", "name": "Mug" }, { "sku": "B" }] },
                "context": { "library": { "name": "x" }, "sec_gpc": true } })
        );
        assert_eq!(
            sealed,
            Some(json!({
                "traits": { "given_name": "Ada", "surname": "Lovelace", "plan": "gold", "age": 36 },
                "properties": { "receiver": "Ada", "tel": 447911123456_i64, "coupon": "for ada@example.com",
                    "url": "https://shop.example/teapots?mail=ada%40example.com", "ada@example.com": true,
                    "shipping_address": { "name": "Ada Lovelace", "line1": "1 St James's Square" },
                    "products": [{ "engraving": "For Ada" }, null] },
                "context": { "device": { "id": "d-1", "type": "ios" }, "ip": "10.0.0.1", "externalIds": [{ "type": "crm", "id": "77" }] },
            }))
        );
    }

    #[test]
    fn the_retailer_opens_names_of_its_own() {
        let sent = || json!({ "properties": { "heel_height": "flat", "fabric": { "weave": "twill", "worn_by": "Ada" }, "sku": "S" } });
        assert_eq!(parted("x", sent(), &[]).0, json!({ "properties": { "sku": "S" } }));
        let (open, sealed) = parted("x", sent(), &["fabric", "heelheight", "weave"]);
        assert_eq!(
            open,
            json!({ "properties": { "heel_height": "flat", "fabric": { "weave": "twill" }, "sku": "S" } })
        );
        assert_eq!(sealed, Some(json!({ "properties": { "fabric": { "worn_by": "Ada" } } })));
    }

    #[test]
    fn what_names_nobody_is_not_sealed_and_a_name_alone_is_somebodys() {
        assert_eq!(
            parted("x", json!({ "properties": { "sku": "T", "tags": null } }), &[]).1,
            Some(json!({ "properties": { "tags": null } }))
        );
        assert_eq!(parted("x", json!({ "properties": { "sku": "T", "name": "Teapot" } }), &[]).1, None);
        let (open, sealed) =
            parted("Mailed ada@example.com", json!({ "properties": { "name": "Ada" } }), &[]);
        assert_eq!(open, json!({}));
        assert_eq!(
            sealed,
            Some(json!({ "name": "Mailed ada@example.com", "properties": { "name": "Ada" } }))
        );
    }
}
