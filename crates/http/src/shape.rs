//! Shapes that many answers share, and the collector that reads values from a body and names every bad field at once.

use std::fmt::Display;

use domain::Refusal;
use domain::value::{Currency, Id, Instant, Kind, Money};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// An amount of money.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 1999, "currency": "GBP"}))]
pub struct MoneyShape {
    /// Minor units: pence, cents.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

impl From<Money> for MoneyShape {
    fn from(money: Money) -> MoneyShape {
        MoneyShape { amount: money.minor(), currency: money.currency().code().to_owned() }
    }
}

/// Reads values and remembers every one that cannot be accepted, with its field.
#[derive(Default)]
pub struct Fields {
    refusals: Vec<Refusal>,
    prefix: String,
}

impl Fields {
    /// A collector for a body.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// Reads the fields of a part, such as `lines.0`, under its path.
    pub fn within<T>(&mut self, path: impl Display, read: impl FnOnce(&mut Fields) -> T) -> T {
        let mut part = Fields { refusals: Vec::new(), prefix: format!("{}{path}.", self.prefix) };
        let value = read(&mut part);
        self.refusals.append(&mut part.refusals);
        value
    }

    /// The value, or `None` with the refusal remembered.
    pub fn take<T, E: Display>(&mut self, field: &str, value: Result<T, E>) -> Option<T> {
        value
            .map_err(|error| self.refusals.push(Refusal::invalid(format!("{}{field}", self.prefix), error)))
            .ok()
    }

    /// As [`Fields::take`] for a value that may be absent.
    pub fn take_if<S, T, E: Display>(
        &mut self,
        field: &str,
        source: Option<S>,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Option<Option<T>> {
        source.map_or(Some(None), |source| self.take(field, read(source)).map(Some))
    }

    /// As [`Fields::take`] for a value of several parts, whose refusal names the parts.
    pub fn part<T>(&mut self, field: &str, value: Result<T, Refusal>) -> Option<T> {
        let path = format!("{}{field}", self.prefix);
        value.map_err(|refusal| self.refusals.push(refusal.within(&path))).ok()
    }

    /// Every thing of a list, each under its place.
    pub fn each<S, T>(
        &mut self,
        field: &str,
        sources: &[S],
        mut read: impl FnMut(&mut Fields, &S) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::with_capacity(sources.len());
        for (place, source) in sources.iter().enumerate() {
            values.extend(self.within(format!("{field}.{place}"), |fields| read(fields, source)));
        }
        (values.len() == sources.len()).then_some(values)
    }

    /// An id.
    pub fn id<K: Kind>(&mut self, field: &str, text: &str) -> Option<Id<K>> {
        self.take(field, Id::parse(text))
    }

    /// An amount of money.
    pub fn money(&mut self, field: &str, shape: &MoneyShape) -> Option<Money> {
        self.take(
            field,
            Currency::parse(&shape.currency).and_then(|currency| Money::new(shape.amount, currency)),
        )
    }

    /// An instant.
    pub fn instant(&mut self, field: &str, text: &str) -> Option<Instant> {
        self.take(field, Instant::parse(text))
    }

    /// Remembers a refusal that concerns a field.
    pub fn refuse(&mut self, field: &str, message: impl Display) {
        self.refusals.push(Refusal::invalid(format!("{}{field}", self.prefix), message));
    }

    /// The value read from all fields, or the refusal that names every bad one.
    ///
    /// # Errors
    /// That refusal.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match (Refusal::all(self.refusals), value) {
            (None, Some(value)) => Ok(value),
            (Some(refusal), _) => Err(refusal),
            (None, None) => Err(Refusal::invalid("body", "the values do not fit together")),
        }
    }
}

/// For fields of a change where leaving out (`None`), `null` (`Some(None)`) and a value differ: use with `#[serde(default, deserialize_with = "changed")]`.
///
/// # Errors
/// What the value's own reading says.
pub fn changed<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
