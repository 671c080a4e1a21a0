//! Who belongs to a segment: a pure function of an expression, what is known, and the instant. It also says until when time alone changes
//! nothing, and why.

use super::facts::{Facts, Ground};
use super::occurrence::{Scalar, UNIT};
use super::{Expression, HUNDREDTHS, Leaf, NESTED_MAX, Shelf};
use crate::consent::{permits, standing};
use crate::value::id::Location;
use crate::value::{Coordinates, Id, Instant};

/// How many instants at which a part may change are tried for whether it does.
const LOOKED_AT_MAX: usize = 16;

/// What is to be said of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Belongs to the segment; open when it depends on shelves that were not looked at.
    pub is_in: Option<bool>,
    /// Before this instant time alone changes nothing; never when `None`.
    pub next_change: Option<Instant>,
}

/// Why somebody belongs to a segment or does not: the expression with what is so of this person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The part.
    pub part: Part,
    /// Does it hold?
    pub holds: Option<bool>,
    /// What was found.
    pub actual: Vec<Scalar>,
    /// Before which instant time alone does not change it.
    pub until: Option<Instant>,
    /// The parts of it.
    pub parts: Vec<Why>,
}

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of its parts.
    All,
    /// One of its parts.
    Any,
    /// Not its part.
    Not,
    /// Something that is known of a person.
    Is(Leaf),
}

/// Judges one person.
pub fn judge(expression: &Expression, facts: &Facts, ground: &Ground, now: Instant) -> Verdict {
    if facts.erased {
        return Verdict { is_in: Some(false), next_change: None };
    }
    let judge = Judge { facts, ground, now };
    let (is_in, next_change) = judge.of(expression, 0);
    Verdict { is_in, next_change }
}

/// Says why.
pub fn explain(expression: &Expression, facts: &Facts, ground: &Ground, now: Instant) -> Why {
    let why = Judge { facts, ground, now }.why(expression, 0);
    if facts.erased { Why { holds: Some(false), until: None, ..why } } else { why }
}

/// Whether something holds, and until when time alone does not change that.
type Held = (Option<bool>, Option<Instant>);

struct Judge<'a> {
    facts: &'a Facts,
    ground: &'a Ground,
    now: Instant,
}

fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

/// A whole of parts of which one alone decides by holding so. As long as one that decides stays, so does the whole: it waits for the last of them.
fn whole(parts: &[Held], decides: bool) -> Held {
    let deciding = parts.iter().filter(|(held, _)| *held == Some(decides)).map(|(_, next)| *next);
    if let Some(until) = deciding.reduce(|one, other| Some(one?.max(other?))) {
        return (Some(decides), until);
    }
    let is_open = parts.iter().any(|(held, _)| held.is_none());
    let until = parts.iter().fold(None, |until, (_, next)| sooner(until, *next));
    ((!is_open).then_some(!decides), until)
}

impl Judge<'_> {
    fn of(&self, expression: &Expression, nested: usize) -> Held {
        match expression {
            Expression::All(parts) => whole(&self.each(parts, nested), false),
            Expression::Any(parts) => whole(&self.each(parts, nested), true),
            Expression::Not(part) => {
                let (held, until) = self.of(part, nested);
                (held.map(|holds| !holds), until)
            }
            Expression::Is(leaf) => self.leaf(leaf, nested),
        }
    }

    fn each(&self, parts: &[Expression], nested: usize) -> Vec<Held> {
        parts.iter().map(|part| self.of(part, nested)).collect()
    }

    fn why(&self, expression: &Expression, nested: usize) -> Why {
        let (holds, until) = self.of(expression, nested);
        let parts = |parts: &[Expression]| parts.iter().map(|part| self.why(part, nested)).collect();
        let (part, actual, parts) = match expression {
            Expression::All(all) => (Part::All, Vec::new(), parts(all)),
            Expression::Any(all) => (Part::Any, Vec::new(), parts(all)),
            Expression::Not(one) => (Part::Not, Vec::new(), vec![self.why(one, nested)]),
            Expression::Is(leaf) => {
                let within = match leaf {
                    Leaf::Segment(id) if nested < NESTED_MAX => self.ground.segments.get(id),
                    _ => None,
                };
                let within = within.map(|named| self.why(named, nested + 1)).into_iter().collect();
                (Part::Is(leaf.clone()), self.actual(leaf), within)
            }
        };
        Why { part, holds, actual, until, parts }
    }

    fn leaf(&self, leaf: &Leaf, nested: usize) -> Held {
        if let Leaf::Segment(id) = leaf {
            let named = self.ground.segments.get(id).filter(|_| nested < NESTED_MAX);
            return named.map_or((Some(false), None), |named| self.of(named, nested + 1));
        }
        let held = self.holds(leaf, self.now);
        let mut moments = self.moments(leaf);
        moments.retain(|at| *at > self.now);
        moments.sort_unstable();
        moments.dedup();
        let changes = |at: &&Instant| self.holds(leaf, **at) != held;
        let tried = moments.iter().take(LOOKED_AT_MAX).find(changes);
        (held, tried.or_else(|| moments.get(LOOKED_AT_MAX)).copied())
    }

    /// Does it hold at an instant, given what is known now?
    fn holds(&self, leaf: &Leaf, at: Instant) -> Option<bool> {
        let facts = self.facts;
        Some(match leaf {
            Leaf::Event(one) => one.holds(one.count(&facts.events, at)),
            Leaf::Sequence(one) => one.holds(&facts.events, at),
            Leaf::Trait { code, test } => {
                let known = self.ground.traits.get(code);
                known.is_some_and(|one| test.passes(&one.values(&facts.events, at)))
            }
            Leaf::Orders(one) => one.holds(one.measured(&facts.orders, at)),
            Leaf::Loyalty { programme, tiers, at_least, at_most } => {
                facts.memberships.iter().filter(|own| own.programme == *programme).any(|own| {
                    let is_one = |tier: &str| tiers.iter().any(|one| one == tier);
                    (tiers.is_empty() || own.tier_at(at).is_some_and(is_one))
                        && at_least.is_none_or(|least| own.points >= least)
                        && at_most.is_none_or(|most| own.points <= most)
                })
            }
            Leaf::Consent(cell) => {
                let basis = self.ground.purposes.get(&cell.purpose);
                facts.customer_since.is_some()
                    && basis.is_some_and(|basis| permits(*basis, standing(&facts.consents, cell, at)))
            }
            Leaf::Groups(groups) => groups.iter().any(|group| facts.groups.contains(group)),
            Leaf::Countries(countries) => facts.country.is_some_and(|country| countries.contains(&country)),
            Leaf::Languages(languages) => {
                facts.language.is_some_and(|is| languages.contains(&is) || languages.contains(&is.general()))
            }
            Leaf::Near { location, km } => self.metres_to(*location).is_some_and(|away| away <= km * 1_000),
            Leaf::Stock(shelf) => return self.on_shelf(shelf),
            Leaf::List(id) => facts.lists.contains(id),
            Leaf::Share { seed, from, below } => (*from..*below).contains(&hundredth(seed, facts.subject)),
            Leaf::LifeCycle(stages) => {
                facts.customer_since.is_some() && stages.contains(&self.ground.life.stage(&facts.orders, at))
            }
            Leaf::Rfm(groups) => {
                let score = self.ground.fifths.as_ref().and_then(|fifths| fifths.score(&facts.orders, at));
                score.is_some_and(|score| groups.contains(&score.group()))
            }
            Leaf::Segment(_) => false,
        })
    }

    /// When time alone may change it: a superset, in no order.
    fn moments(&self, leaf: &Leaf) -> Vec<Instant> {
        match leaf {
            Leaf::Event(one) => {
                let taken = self.facts.events.iter().filter(|event| one.kind.takes(event));
                taken.flat_map(|event| one.window.moments(event.at)).collect()
            }
            Leaf::Sequence(one) => one.moments(&self.facts.events),
            Leaf::Trait { code, .. } => {
                let known = self.ground.traits.get(code);
                known.map(|one| one.moments(&self.facts.events)).unwrap_or_default()
            }
            Leaf::Orders(one) => one.moments(&self.facts.orders),
            Leaf::Consent(_) => self.facts.consents.iter().filter_map(|held| held.expires_at).collect(),
            Leaf::Loyalty { .. } => self.facts.memberships.iter().filter_map(|own| own.falls_at).collect(),
            Leaf::LifeCycle(_) => self.ground.life.moments(&self.facts.orders),
            Leaf::Rfm(_) => {
                let fifths = self.ground.fifths.as_ref();
                fifths.map(|fifths| fifths.moments(&self.facts.orders)).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn metres_to(&self, location: Id<Location>) -> Option<i64> {
        let there: &Coordinates = self.ground.locations.get(&location)?;
        Some(i64::from(self.facts.place?.distance_m(*there)))
    }

    fn on_shelf(&self, shelf: &Shelf) -> Option<bool> {
        let Some(variant) = shelf.variant.or(self.facts.last_viewed) else { return Some(false) };
        let shelves = self.ground.shelves.as_ref()?;
        let here = |location: Id<Location>| match (shelf.location, shelf.km) {
            (Some(wanted), _) => wanted == location,
            (None, Some(km)) => self.metres_to(location).is_some_and(|away| away <= km * 1_000),
            (None, None) => false,
        };
        let lying = shelves.get(&variant).into_iter().flatten();
        Some(lying.into_iter().any(|(location, free)| *free >= shelf.at_least && here(*location)))
    }

    /// What is so of this person.
    fn actual(&self, leaf: &Leaf) -> Vec<Scalar> {
        let facts = self.facts;
        let number = |number: i64| vec![Scalar::Number(number.saturating_mul(UNIT))];
        let text = |text: &str| Scalar::Text(text.to_owned());
        match leaf {
            Leaf::Event(one) => number(one.count(&facts.events, self.now)),
            Leaf::Trait { code, .. } => {
                let known = self.ground.traits.get(code);
                known.map(|one| one.values(&facts.events, self.now)).unwrap_or_default()
            }
            Leaf::Orders(one) => number(one.measured(&facts.orders, self.now)),
            Leaf::Loyalty { programme, .. } => {
                let own = facts.memberships.iter().filter(|own| own.programme == *programme);
                own.flat_map(|own| own.tier_at(self.now).map(text).into_iter().chain(number(own.points)))
                    .collect()
            }
            Leaf::Consent(cell) => standing(&facts.consents, cell, self.now)
                .map(|status| text(status.text()))
                .into_iter()
                .collect(),
            Leaf::Groups(_) => facts.groups.iter().map(|group| text(group)).collect(),
            Leaf::Countries(_) => facts.country.map(|country| text(country.code())).into_iter().collect(),
            Leaf::Languages(_) => facts.language.map(|language| text(language.code())).into_iter().collect(),
            Leaf::Near { location, .. } => {
                self.metres_to(*location).map(|away| number(away / 1_000)).unwrap_or_default()
            }
            Leaf::Share { seed, .. } => number(hundredth(seed, facts.subject)),
            Leaf::LifeCycle(_) => vec![text(self.ground.life.stage(&facts.orders, self.now).text())],
            Leaf::Rfm(_) => {
                let score = self.ground.fifths.as_ref().and_then(|own| own.score(&facts.orders, self.now));
                score.map(|score| vec![text(score.group().text())]).unwrap_or_default()
            }
            Leaf::Sequence(_) | Leaf::Stock(_) | Leaf::Segment(_) | Leaf::List(_) => Vec::new(),
        }
    }
}

/// Into which hundredth of all people somebody falls: the same for ever, and without regard to anything but the seed (FNV-1a, mixed).
pub fn hundredth(seed: &str, subject: [u8; 16]) -> i64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in seed.bytes().chain([0]).chain(subject) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    ((hash ^ (hash >> 33)) % HUNDREDTHS.unsigned_abs()).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_part_people_evenly_and_for_ever() {
        assert_eq!(
            (hundredth("a", [0; 16]), hundredth("a", [0; 16])),
            (hundredth("a", [0; 16]), hundredth("a", [0; 16]))
        );
        let people = (0u32..100_000).map(|one| {
            let mut subject = [7; 16];
            subject[..4].copy_from_slice(&one.to_be_bytes());
            subject
        });
        let mut met = [0; 100];
        people.for_each(|subject| met[usize::try_from(hundredth("spring", subject)).unwrap()] += 1);
        assert!(met.iter().all(|count| (850..1_150).contains(count)), "{met:?}");
    }
}
