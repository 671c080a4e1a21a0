//! An event as it was read from what a browser or program sent, the same whatever library sent it; and which part of it names a person.

use domain::behaviour::plan::ValueType;
use domain::behaviour::{Call, Fault, IDENTIFIERS_MAX};
use domain::identity::{Identifier, Kind, Trust};
use domain::value::Instant;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::object;
use crate::identity::Seen;

/// An event on its way in.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    /// What it says.
    pub call: Call,
    /// What was done, or which page or screen.
    pub name: Option<String>,
    /// The id its sender gave it, by which it is known when it is sent again.
    pub message: Option<String>,
    /// What the person is known by: kind, system, value as they were sent.
    pub identifiers: Vec<(Kind, Option<String>, String)>,
    /// When it happened.
    pub at: Instant,
    /// Properties, traits and context, as a JSON object.
    pub body: Value,
    /// Why it cannot be taken in, if that shows at once.
    pub fault: Option<(Fault, String)>,
}

impl Incoming {
    /// What it is known by when it comes again: its sender's id, or else all that it says.
    pub(super) fn hash(&self) -> [u8; 16] {
        let text = match &self.message {
            Some(message) => format!("id:{message}"),
            None => self.written().to_string(),
        };
        let digest = Sha256::digest(text);
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        hash
    }

    /// Whom it is about, for as much as can be read.
    pub(super) fn seen(&self, trust: Trust) -> Seen {
        let read = self.identifiers.iter().take(IDENTIFIERS_MAX);
        let identifiers =
            read.filter_map(|(kind, system, value)| Identifier::new(*kind, system.as_deref(), value).ok());
        Seen { identifiers: identifiers.collect(), trust, at: self.at }
    }

    /// As a document, to be sealed and read again.
    pub(super) fn written(&self) -> Value {
        let identifiers: Vec<Value> = self
            .identifiers
            .iter()
            .map(|(kind, system, value)| json!([kind.text(), system, value]))
            .collect();
        json!({ "call": self.call.text(), "name": self.name, "message": self.message, "identifiers": identifiers,
            "at": self.at.micros(), "body": self.body })
    }

    /// Reads what [`Incoming::written`] wrote; what was wrong with it then is judged anew.
    pub(super) fn read(document: &Value) -> Option<Incoming> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let identifier = |one: &Value| Some((Kind::named(one[0].as_str()?)?, text(&one[1]), text(&one[2])?));
        Some(Incoming {
            call: Call::named(document["call"].as_str()?)?,
            name: text(&document["name"]),
            message: text(&document["message"]),
            identifiers: document["identifiers"].as_array()?.iter().map(identifier).collect::<Option<_>>()?,
            at: Instant::from_micros(document["at"].as_i64()?),
            body: document["body"].clone(),
            fault: None,
        })
    }
}

/// What sort of value a property has; none when it is not there.
pub(super) fn sort_of(value: Option<&Value>) -> Option<ValueType> {
    match value? {
        Value::Null => None,
        Value::Bool(_) => Some(ValueType::YesNo),
        Value::Number(_) => Some(ValueType::Number),
        Value::String(_) => Some(ValueType::Text),
        Value::Array(_) => Some(ValueType::List),
        Value::Object(_) => Some(ValueType::Object),
    }
}

/// Names of values that tell who somebody is, in small letters without signs.
const PERSONAL: &[&str] = &[
    "email",
    "emailaddress",
    "mail",
    "phone",
    "phonenumber",
    "mobile",
    "firstname",
    "lastname",
    "fullname",
    "username",
    "nickname",
    "address",
    "street",
    "city",
    "postalcode",
    "postcode",
    "zip",
    "zipcode",
    "birthday",
    "birthdate",
    "dateofbirth",
    "avatar",
    "ip",
    "userid",
    "anonymousid",
    "distinctid",
    "deviceid",
    "anondistinctid",
    "previousid",
    "alias",
    "advertisingid",
    "token",
    "latitude",
    "longitude",
    "company",
    "groupkey",
    "groupid",
    "loyaltynumber",
    "cardtoken",
    "externalids",
];

/// Parts a document into what names nobody and what does. A name alone (`name`) is personal among traits and no product's there.
pub(super) fn part(body: &Value) -> (Value, Option<Value>) {
    let Value::Object(parts) = body else { return (json!({}), None) };
    let (clear, personal) = part_object(parts, false);
    (Value::Object(clear), (!personal.is_empty()).then_some(Value::Object(personal)))
}

fn part_object(parts: &Map<String, Value>, traits: bool) -> (Map<String, Value>, Map<String, Value>) {
    let (mut clear, mut personal) = (Map::new(), Map::new());
    for (name, value) in parts {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let within = traits || matches!(plain.as_str(), "traits" | "set" | "setonce");
        if PERSONAL.contains(&plain.as_str()) || (traits && plain == "name") || names_somebody(value) {
            personal.insert(name.clone(), value.clone());
            continue;
        }
        let Value::Object(inner) = value else {
            clear.insert(name.clone(), value.clone());
            continue;
        };
        let (shown, hidden) = part_object(inner, within);
        if !shown.is_empty() {
            clear.insert(name.clone(), Value::Object(shown));
        }
        if !hidden.is_empty() {
            personal.insert(name.clone(), Value::Object(hidden));
        }
    }
    (clear, personal)
}

/// Does a text, or one in a list, look like an address of mail, as in a page's own address after `?`?
fn names_somebody(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('@') || text.contains("%40"),
        Value::Array(values) => values.iter().any(|value| match value {
            Value::Object(parts) => !part_object(parts, false).1.is_empty(),
            other => names_somebody(other),
        }),
        _ => false,
    }
}

/// The body of an event: only what was sent of it.
pub fn body(properties: Option<Value>, traits: Option<Value>, context: Option<Value>) -> Value {
    let given =
        |value: Option<Value>| value.filter(|value| value.as_object().is_some_and(|one| !one.is_empty()));
    object([("properties", given(properties)), ("traits", given(traits)), ("context", given(context))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_somebody_is_parted_from_what_does_not() {
        let sent = json!({
            "properties": { "name": "Teapot", "price": 19.5, "url": "https://shop/?m=a%40b.c", "products": [{ "sku": "T" }] },
            "traits": { "name": "Ada", "plan": "gold", "First-Name": "Ada" },
            "context": { "ip": "10.0.0.1", "locale": "en", "traits": { "email": "a@b.c" } },
        });
        let (clear, personal) = part(&sent);
        assert_eq!(
            clear,
            json!({ "properties": { "name": "Teapot", "price": 19.5, "products": [{ "sku": "T" }] }, "traits": { "plan": "gold" },
                "context": { "locale": "en" } })
        );
        assert_eq!(
            personal,
            Some(
                json!({ "properties": { "url": "https://shop/?m=a%40b.c" }, "traits": { "name": "Ada", "First-Name": "Ada" },
                "context": { "ip": "10.0.0.1", "traits": { "email": "a@b.c" } } })
            )
        );
        assert_eq!(part(&json!({ "properties": { "sku": "T" } })).1, None);
    }
}
