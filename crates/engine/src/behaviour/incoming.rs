//! An event as it was read from what a browser or program sent, the same whatever library sent it.

use domain::behaviour::plan::ValueType;
use domain::behaviour::{Call, Fault, IDENTIFIERS_MAX};
use domain::identity::{Identifier, Kind, Trust};
use domain::value::Instant;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::object;
use crate::identity::Seen;

/// Where in the context it stands that data is not to be sold or shared (`Sec-GPC: 1`).
const SIGNAL: &str = "sec_gpc";

/// An event on its way in.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    /// What it says.
    pub call: Call,
    /// What was done, or which page or screen.
    pub name: Option<String>,
    /// The id its sender gave it, or that follows from what it says, by which it is known when it is sent again.
    pub message: Option<String>,
    /// What the person is known by: kind, system, value as they were sent.
    pub identifiers: Vec<(Kind, Option<String>, String)>,
    /// When it happened.
    pub at: Instant,
    /// Properties, traits and context, as a JSON object; of what cannot be taken in, what was sent, as it came.
    pub body: Value,
    /// Why it cannot be taken in, if that shows at once.
    pub fault: Option<(Fault, String)>,
}

impl Incoming {
    /// Was it sent by somebody whose browser says that data is not to be sold or shared, or by a program that passes this on?
    pub(super) fn is_signalled(&self) -> bool {
        self.body["context"][SIGNAL] == Value::Bool(true)
    }

    /// Notes that the browser which sent it says that data is not to be sold or shared.
    pub fn note_signal(&mut self) {
        if self.fault.is_some() {
            return;
        }
        let Some(sent) = self.body.as_object_mut() else { return };
        let context = sent.entry("context").or_insert_with(|| json!({}));
        if let Some(context) = context.as_object_mut() {
            context.insert(SIGNAL.to_owned(), Value::Bool(true));
        }
    }

    /// What it is known by when it comes again: the id it was given, or else all that it says.
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
            "at": self.at.micros(), "body": self.body,
            "fault": self.fault.as_ref().map(|(fault, why)| json!([fault.text(), why])) })
    }

    /// Reads what [`Incoming::written`] wrote.
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
            fault: Fault::named(document["fault"][0].as_str().unwrap_or_default())
                .zip(text(&document["fault"][1])),
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

/// The body of an event: only what was sent of it.
pub fn body(properties: Option<Value>, traits: Option<Value>, context: Option<Value>) -> Value {
    let given =
        |value: Option<Value>| value.filter(|value| value.as_object().is_some_and(|one| !one.is_empty()));
    object([("properties", given(properties)), ("traits", given(traits)), ("context", given(context))])
}
