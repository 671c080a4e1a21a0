//! Whom a segment can reach at all: people of whom something is known that it asks for. Nobody else belongs to it, and by time alone nobody else
//! comes in. So a segment over a million people is built from the few who matter.

use super::facts::{Facts, Ground};
use super::goods::Measure;
use super::judge::{Verdict, judge};
use super::needs::VIEWED;
use super::{Expression, Leaf, NESTED_MAX};
use crate::value::id::{CustomerList, LoyaltyProgramme};
use crate::value::{Id, Instant, Language};

/// Whom a segment can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anybody.
    Everybody,
    /// Those of whom this is known.
    Known(Known),
    /// Those whom each of these reaches.
    Each(Vec<Reach>),
    /// Those whom one of these reaches; nobody when there is none.
    Either(Vec<Reach>),
}

/// Something that is known of some people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Did something of this name so often.
    Events {
        /// The name.
        name: String,
        /// Less than so many days ago; ever when `None`.
        within_days: Option<i64>,
        /// How often, at least 1.
        at_least: i64,
    },
    /// Ordered so often.
    Orders {
        /// Less than so many days ago; ever when `None`.
        within_days: Option<i64>,
        /// How often, at least 1.
        at_least: i64,
    },
    /// Takes part in a loyalty programme.
    Takes(Id<LoyaltyProgramme>),
    /// Said yes to a purpose, over some medium, on some topic.
    Agreed(String),
    /// Is in one of these customer groups.
    Groups(Vec<String>),
    /// Is written to in one of these languages.
    Languages(Vec<Language>),
    /// Is on a list.
    List(Id<CustomerList>),
}

/// Whom a segment can reach. The ground is without shelves.
pub fn reach(expression: &Expression, ground: &Ground) -> Reach {
    Looking { ground }.of(expression, true, 0)
}

struct Looking<'a> {
    ground: &'a Ground,
}

impl Looking<'_> {
    /// For whom an expression can be so: for everybody else it is the contrary, and stays that by time alone.
    fn of(&self, expression: &Expression, so: bool, nested: usize) -> Reach {
        let each = |parts: &[Expression]| parts.iter().map(|part| self.of(part, so, nested)).collect();
        match (expression, so) {
            (Expression::All(parts), true) | (Expression::Any(parts), false) => narrowest(each(parts)),
            (Expression::All(parts), false) | (Expression::Any(parts), true) => either(each(parts)),
            (Expression::Not(part), so) => self.of(part, !so, nested),
            (Expression::Is(leaf), so) => self.leaf(leaf, so, nested),
        }
    }

    fn leaf(&self, leaf: &Leaf, so: bool, nested: usize) -> Reach {
        match leaf {
            Leaf::Segment(id) => {
                let named = self.ground.segments.get(id).filter(|_| nested < NESTED_MAX);
                match (named, so) {
                    (Some(named), _) => self.of(named, so, nested + 1),
                    (None, true) => Reach::Either(Vec::new()),
                    (None, false) => Reach::Everybody,
                }
            }
            Leaf::Share { .. } => Reach::Everybody,
            _ if self.is_so_of_whom_nothing_is_known(leaf, !so) => self.known(leaf, so),
            _ => Reach::Everybody,
        }
    }

    /// Is it so, and for ever, of a customer and of somebody who is none, if nothing else is known of them?
    fn is_so_of_whom_nothing_is_known(&self, leaf: &Leaf, so: bool) -> bool {
        let lasting = Verdict { is_in: Some(so), next_change: None };
        let expression = Expression::Is(leaf.clone());
        [None, Some(Instant::EPOCH)].into_iter().all(|customer_since| {
            let blank = Facts { customer_since, ..Facts::default() };
            judge(&expression, &blank, self.ground, Instant::EPOCH) == lasting
        })
    }

    /// What must be known of somebody for whom it is so.
    fn known(&self, leaf: &Leaf, so: bool) -> Reach {
        let events = |name: &str, within_days, at_least| {
            Reach::Known(Known::Events { name: name.to_owned(), within_days, at_least })
        };
        let ordered = |within_days, at_least| Reach::Known(Known::Orders { within_days, at_least });
        match leaf {
            Leaf::Event(one) => {
                let at_least = least(so, one.at_least, one.at_most);
                events(&one.kind.name, one.window.within_days, at_least)
            }
            Leaf::Sequence(one) => events(&one.first.name, one.window.within_days, 1),
            Leaf::Trait { code, .. } => match self.ground.traits.get(code) {
                Some(one) => events(&one.kind.name, one.window.within_days, 1),
                None => Reach::Everybody,
            },
            Leaf::Stock(_) => events(VIEWED, None, 1),
            Leaf::Orders(one) => match one.measure {
                Measure::Count => ordered(one.window.within_days, least(so, one.at_least, one.at_most)),
                Measure::Spend(_) | Measure::First | Measure::Last => ordered(one.window.within_days, 1),
            },
            Leaf::LifeCycle(_) | Leaf::Rfm(_) | Leaf::Countries(_) | Leaf::Near { .. } => ordered(None, 1),
            Leaf::Loyalty { programme, .. } => Reach::Known(Known::Takes(*programme)),
            Leaf::Consent(cell) if so => Reach::Known(Known::Agreed(cell.purpose.clone())),
            Leaf::Groups(groups) => Reach::Known(Known::Groups(groups.clone())),
            Leaf::Languages(languages) => Reach::Known(Known::Languages(languages.clone())),
            Leaf::List(id) => Reach::Known(Known::List(*id)),
            Leaf::Consent(_) | Leaf::Segment(_) | Leaf::Share { .. } => Reach::Everybody,
        }
    }
}

/// The smallest count for which bounds say so, if they say the contrary of none.
fn least(so: bool, at_least: Option<i64>, at_most: Option<i64>) -> i64 {
    let turns = if so { at_least.unwrap_or(1) } else { at_most.map_or(1, |most| most.saturating_add(1)) };
    turns.max(1)
}

/// Those whom each of these reaches.
fn narrowest(parts: Vec<Reach>) -> Reach {
    let mut parts: Vec<Reach> = parts.into_iter().filter(|part| *part != Reach::Everybody).collect();
    match parts.pop() {
        None => Reach::Everybody,
        Some(one) if parts.is_empty() => one,
        Some(one) => {
            parts.push(one);
            Reach::Each(parts)
        }
    }
}

/// Those whom one of these reaches.
fn either(mut parts: Vec<Reach>) -> Reach {
    if parts.contains(&Reach::Everybody) {
        return Reach::Everybody;
    }
    match parts.pop() {
        Some(one) if parts.is_empty() => one,
        Some(one) => {
            parts.push(one);
            Reach::Either(parts)
        }
        None => Reach::Either(parts),
    }
}
