//! Computed traits: a value worked out from what a person did, always from all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::CHARS_MAX;
use super::occurrence::{Event, Kind, Scalar, UNIT};
use super::window::Window;
use crate::Refusal;
use crate::value::Instant;

/// The most different values a trait lists.
pub const UNIQUE_MAX: usize = 1_000;

/// How a trait is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many events.
    Count,
    /// The sum of a property's numbers.
    Sum,
    /// The least of a property's numbers.
    Min,
    /// The greatest of a property's numbers.
    Max,
    /// The property's value in the earliest event that has one.
    First,
    /// The property's value in the latest event that has one.
    Last,
    /// The property's value that occurs most often; of several, the one that occurred last.
    MostFrequent,
    /// Every value of the property.
    Unique,
}

impl Aggregate {
    /// Every one.
    pub const ALL: &'static [Aggregate] = &[
        Aggregate::Count,
        Aggregate::Sum,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::First,
        Aggregate::Last,
        Aggregate::MostFrequent,
        Aggregate::Unique,
    ];

    /// The word for it.
    pub const fn text(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::First => "first",
            Aggregate::Last => "last",
            Aggregate::MostFrequent => "most_frequent",
            Aggregate::Unique => "unique",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// Names the words there are.
    pub fn parse(text: &str) -> Result<Aggregate, String> {
        let known = Aggregate::ALL.iter().copied().find(|one| one.text() == text);
        known.ok_or_else(|| {
            let words: Vec<&str> = Aggregate::ALL.iter().map(|one| one.text()).collect();
            format!("give one of {}", words.join(", "))
        })
    }
}

/// A computed trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trait {
    /// Of which events.
    pub kind: Kind,
    /// When.
    pub window: Window,
    /// How.
    pub aggregate: Aggregate,
    /// Of which property; none for a count.
    pub property: Option<String>,
}

impl Trait {
    /// The trait, if it is within all bounds.
    ///
    /// # Errors
    /// The refusal names every field at fault.
    pub fn checked(self) -> Result<Trait, Refusal> {
        let mut wrong = Vec::new();
        wrong.extend(self.kind.check().err().map(|why| Refusal::invalid("event", why)));
        wrong.extend(self.window.check().err().map(|why| Refusal::invalid("within_days", why)));
        let fits = |text: &String| !text.is_empty() && text.chars().count() <= CHARS_MAX;
        match (&self.property, self.aggregate) {
            (None, Aggregate::Count) => {}
            (Some(_), Aggregate::Count) => {
                wrong.push(Refusal::invalid("property", "leave it out: a count is of events"));
            }
            (Some(property), _) if fits(property) => {}
            _ => {
                let why = format!("give the property it is worked out from, 1 to {CHARS_MAX} characters");
                wrong.push(Refusal::invalid("property", why));
            }
        }
        Refusal::all(wrong).map_or(Ok(self), Err)
    }

    /// Its values seen from `now`; none when nothing of the kind happened, several only of [`Aggregate::Unique`] and of properties that are
    /// lists.
    pub fn values(&self, events: &[Event], now: Instant) -> Vec<Scalar> {
        let counts = |event: &&Event| self.window.has(event.at, now) && self.kind.takes(event);
        let events: Vec<&Event> = events.iter().filter(counts).collect();
        if self.aggregate == Aggregate::Count {
            return vec![Scalar::Number((events.len() as i64).saturating_mul(UNIT))];
        }
        let property = self.property.as_deref().unwrap_or_default();
        let all = events.iter().filter_map(|event| event.values.get(property));
        let all: Vec<&Vec<Scalar>> = all.filter(|values| !values.is_empty()).collect();
        let numbers = || all.iter().flat_map(|values| values.iter()).filter_map(number);
        let one = |number: i64| vec![Scalar::Number(number)];
        match self.aggregate {
            Aggregate::Count => Vec::new(),
            Aggregate::Sum if numbers().next().is_none() => Vec::new(),
            Aggregate::Sum => one(numbers().fold(0, i64::saturating_add)),
            Aggregate::Min => numbers().min().map(one).unwrap_or_default(),
            Aggregate::Max => numbers().max().map(one).unwrap_or_default(),
            Aggregate::First => all.first().map(|values| (*values).clone()).unwrap_or_default(),
            Aggregate::Last => all.last().map(|values| (*values).clone()).unwrap_or_default(),
            Aggregate::MostFrequent => most_frequent(&all),
            Aggregate::Unique => {
                let each: BTreeSet<&Scalar> = all.iter().flat_map(|values| values.iter()).collect();
                each.into_iter().take(UNIQUE_MAX).cloned().collect()
            }
        }
    }

    /// When time alone may change it.
    pub fn moments(&self, events: &[Event]) -> Vec<Instant> {
        let taken = events.iter().filter(|event| self.kind.takes(event));
        taken.flat_map(|event| self.window.moments(event.at)).collect()
    }
}

fn number(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Number(number) => Some(*number),
        Scalar::Yes(_) | Scalar::Text(_) => None,
    }
}

fn most_frequent(all: &[&Vec<Scalar>]) -> Vec<Scalar> {
    let mut met: BTreeMap<&Scalar, (usize, usize)> = BTreeMap::new();
    for (place, value) in all.iter().flat_map(|values| values.iter()).enumerate() {
        let known = met.entry(value).or_default();
        *known = (known.0 + 1, place);
    }
    let best = met.into_iter().max_by_key(|(_, often_and_last)| *often_and_last);
    best.map(|(value, _)| vec![value.clone()]).unwrap_or_default()
}
