//! What people did: events of a name with properties, how often, and in which sequence.

use std::collections::BTreeMap;

use super::window::{DAY, DAYS_MAX, Window};
use super::{CHARS_MAX, VALUES_MAX, Wrong, between};
use crate::value::Instant;

/// The most conditions on the properties of an event.
pub const CONDITIONS_MAX: usize = 10;
/// How many millionths a number is kept in.
pub const UNIT: i64 = 1_000_000;

/// A value of a property. Numbers are in millionths, so that equal is equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Yes or no.
    Yes(bool),
    /// A number, in millionths.
    Number(i64),
    /// A text.
    Text(String),
}

/// What is asked of the values of a property or trait. One that is not there has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// One of the values is one of these.
    Is(Vec<Scalar>),
    /// None of the values is one of these.
    IsNot(Vec<Scalar>),
    /// One of the values is a number of at least this, in millionths.
    AtLeast(i64),
    /// One of the values is a number of at most this, in millionths.
    AtMost(i64),
    /// One of the values is a text that has this in it, whatever the capitals.
    Contains(String),
    /// There is a value, or there is none.
    Exists(bool),
}

impl Test {
    /// Do these values pass?
    pub fn passes(&self, values: &[Scalar]) -> bool {
        let number = |holds: &dyn Fn(i64) -> bool| {
            values.iter().any(|value| matches!(value, Scalar::Number(number) if holds(*number)))
        };
        match self {
            Test::Is(wanted) => values.iter().any(|value| wanted.contains(value)),
            Test::IsNot(wanted) => !values.iter().any(|value| wanted.contains(value)),
            Test::AtLeast(least) => number(&|number| number >= *least),
            Test::AtMost(most) => number(&|number| number <= *most),
            Test::Contains(part) => {
                let part = part.to_lowercase();
                let has = |value: &Scalar| matches!(value, Scalar::Text(text) if text.to_lowercase().contains(&part));
                values.iter().any(has)
            }
            Test::Exists(there) => *there != values.is_empty(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            Test::Is(values) | Test::IsNot(values) => {
                let fits = |value: &Scalar| match value {
                    Scalar::Text(text) => text.chars().count() <= CHARS_MAX,
                    Scalar::Number(_) | Scalar::Yes(_) => true,
                };
                if values.is_empty() || values.len() > VALUES_MAX || !values.iter().all(fits) {
                    return Err(format!("give 1 to {VALUES_MAX} values of at most {CHARS_MAX} characters"));
                }
                Ok(())
            }
            Test::Contains(part) if part.is_empty() || part.chars().count() > CHARS_MAX => {
                Err(format!("give 1 to {CHARS_MAX} characters"))
            }
            _ => Ok(()),
        }
    }
}

/// Something a person did, with the values of the properties that anybody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When. Events lie in this order; of those at the same instant, in the order in which we heard of them.
    pub at: Instant,
    /// What.
    pub name: String,
    /// The values of each property.
    pub values: BTreeMap<String, Vec<Scalar>>,
}

/// Events of a name, with properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The name.
    pub name: String,
    /// What is asked of properties: the path of each, such as `products.sku`, and the test.
    pub conditions: Vec<(String, Test)>,
}

impl Kind {
    /// Is an event of this kind?
    pub fn takes(&self, event: &Event) -> bool {
        let passes = |(property, test): &(String, Test)| {
            test.passes(event.values.get(property).map_or(&[], Vec::as_slice))
        };
        event.name == self.name && self.conditions.iter().all(passes)
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= CHARS_MAX;
        if !fits(&self.name) {
            return Err(format!("give the name of an event, 1 to {CHARS_MAX} characters"));
        }
        if self.conditions.len() > CONDITIONS_MAX {
            return Err(format!("give at most {CONDITIONS_MAX} conditions"));
        }
        for (property, test) in &self.conditions {
            if !fits(property) {
                return Err(format!("give the name of a property, 1 to {CHARS_MAX} characters"));
            }
            test.check().map_err(|why| format!("{property}: {why}"))?;
        }
        Ok(())
    }
}

/// Did something within a window so and so often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// What.
    pub kind: Kind,
    /// When.
    pub window: Window,
    /// How often at least.
    pub at_least: Option<i64>,
    /// How often at most.
    pub at_most: Option<i64>,
}

impl Occurrence {
    /// How often it happened, seen from `now`.
    pub fn count(&self, events: &[Event], now: Instant) -> i64 {
        let counts = |event: &&Event| self.window.has(event.at, now) && self.kind.takes(event);
        events.iter().filter(counts).count() as i64
    }

    /// Is this often enough, and not too often?
    pub fn holds(&self, count: i64) -> bool {
        within(count, self.at_least, self.at_most)
    }

    pub(crate) fn check(&self) -> Result<(), Wrong> {
        self.kind.check().map_err(|why| ("event", why))?;
        self.window.check().map_err(|why| ("event.within_days", why))?;
        between("event.at_least", self.at_least, self.at_most)
    }
}

/// Is a number within bounds? Without any, one is enough.
pub(crate) fn within(number: i64, least: Option<i64>, most: Option<i64>) -> bool {
    let least = least.unwrap_or(if most.is_some() { i64::MIN } else { 1 });
    number >= least && most.is_none_or(|most| number <= most)
}

/// Did one thing, and within a time after it another, or did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// What came first.
    pub first: Kind,
    /// What was to follow.
    pub then: Kind,
    /// Within how many minutes.
    pub within_minutes: i64,
    /// Did it follow?
    pub followed: bool,
    /// When the first thing happened.
    pub window: Window,
}

impl Sequence {
    fn span(&self) -> i64 {
        self.within_minutes * 60_000_000
    }

    /// Is it so, seen from `now`? What did not follow is known only when the time for it is over.
    pub fn holds(&self, events: &[Event], now: Instant) -> bool {
        let is_first = |event: &Event| self.window.has(event.at, now) && self.first.takes(event);
        let followed = |place: usize, first: &Event| {
            let last = first.at.micros() + self.span();
            let until = |event: &&Event| event.at.micros() <= last && event.at <= now;
            events[place + 1..].iter().take_while(until).any(|event| self.then.takes(event))
        };
        let over = |first: &Event| now.micros() > first.at.micros() + self.span();
        events.iter().enumerate().any(|(place, first)| {
            is_first(first)
                && if self.followed { followed(place, first) } else { over(first) && !followed(place, first) }
        })
    }

    /// When time alone may change it.
    pub fn moments(&self, events: &[Event]) -> Vec<Instant> {
        let mut moments = Vec::new();
        for first in events.iter().filter(|event| self.first.takes(event)) {
            moments.extend(self.window.moments(first.at));
            if !self.followed {
                moments.push(Instant::from_micros(first.at.micros() + self.span() + 1));
            }
        }
        moments
    }

    pub(crate) fn check(&self) -> Result<(), Wrong> {
        self.first.check().map_err(|why| ("sequence.first", why))?;
        self.then.check().map_err(|why| ("sequence.then", why))?;
        self.window.check().map_err(|why| ("sequence.within_days", why))?;
        let most = DAYS_MAX * DAY / 60_000_000;
        if !(1..=most).contains(&self.within_minutes) {
            return Err(("sequence.within_minutes", format!("give 1 to {most}")));
        }
        Ok(())
    }
}
