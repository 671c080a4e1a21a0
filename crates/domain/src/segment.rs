//! Groups of people by what is known of them: an expression of and, or and not, judged exactly at any instant.

pub mod facts;
pub mod goods;
pub mod judge;
pub mod life;
pub mod needs;
pub mod occurrence;
pub mod reach;
pub mod rfm;
pub mod traits;
pub mod window;

use std::fmt;

use crate::Refusal;
use crate::consent::Cell;
use crate::value::id::{Customer, CustomerList, Location, LoyaltyProgramme, Profile, Segment, Variant};
use crate::value::{Country, Id, Language};

use goods::Orders;
use life::Stage;
use occurrence::{Occurrence, Sequence, Test};
use rfm::Group;

/// How deep an expression may be nested.
pub const DEPTH_MAX: usize = 8;
/// The most parts of an expression.
pub const PARTS_MAX: usize = 100;
/// How deep segments may be named within segments.
pub const NESTED_MAX: usize = 4;
/// The most parts of an expression with those of all segments it names.
pub const PARTS_WITHIN_MAX: usize = 300;
/// The most values of one list: groups, tiers, countries.
pub const VALUES_MAX: usize = 100;
/// The most characters of a name or value.
pub const CHARS_MAX: usize = 200;
/// How many parts chance draws all people into.
pub const HUNDREDTHS: i64 = 100;
/// The farthest a store may be asked for, in kilometres.
pub const KM_MAX: i64 = 1_000;

/// Who can belong to a segment: a customer, or somebody who is seen and is no customer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A customer who was not merged into another.
    Customer(Id<Customer>),
    /// The profile that stands for a person who is no customer.
    Profile(Id<Profile>),
}

impl Subject {
    /// The 16 bytes it is known by.
    pub const fn bytes(self) -> [u8; 16] {
        match self {
            Subject::Customer(id) => id.bytes(),
            Subject::Profile(id) => id.bytes(),
        }
    }

    /// Is it a customer?
    pub const fn is_customer(self) -> bool {
        matches!(self, Subject::Customer(_))
    }

    /// The subject with these bytes.
    pub const fn of(bytes: [u8; 16], is_customer: bool) -> Subject {
        if is_customer {
            Subject::Customer(Id::from_bytes(bytes))
        } else {
            Subject::Profile(Id::from_bytes(bytes))
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Customer(id) => id.fmt(out),
            Subject::Profile(id) => id.fmt(out),
        }
    }
}

/// Who belongs to a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of these hold.
    All(Vec<Expression>),
    /// One of these holds at least.
    Any(Vec<Expression>),
    /// This does not hold.
    Not(Box<Expression>),
    /// Something that is known of a person.
    Is(Leaf),
}

/// One thing that is known of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Did something so and so often.
    Event(Occurrence),
    /// Did one thing and then another, or not.
    Sequence(Sequence),
    /// A computed trait has a value.
    Trait {
        /// The code of the trait.
        code: String,
        /// What is asked of its value.
        test: Test,
    },
    /// What was ordered.
    Orders(Orders),
    /// Takes part in a loyalty programme.
    Loyalty {
        /// The programme.
        programme: Id<LoyaltyProgramme>,
        /// In one of these tiers, if any is named.
        tiers: Vec<String>,
        /// With at least so many points to spend.
        at_least: Option<i64>,
        /// With at most so many points to spend.
        at_most: Option<i64>,
    },
    /// May be reached for a purpose, over a medium, on a topic.
    Consent(Cell),
    /// In one of these customer groups.
    Groups(Vec<String>),
    /// Had the latest goods sent to one of these countries.
    Countries(Vec<Country>),
    /// Wishes to be written to in one of these languages.
    Languages(Vec<Language>),
    /// Has goods sent to a place not farther from a location than this.
    Near {
        /// The location.
        location: Id<Location>,
        /// How far, in kilometres.
        km: i64,
    },
    /// Goods lie free on a shelf now.
    Stock(Shelf),
    /// Belongs to another segment.
    Segment(Id<Segment>),
    /// Is on a list.
    List(Id<CustomerList>),
    /// Falls into a part of all people that chance drew once.
    Share {
        /// What chance is drawn from: another seed draws other parts.
        seed: String,
        /// From this hundredth.
        from: i64,
        /// Below this hundredth.
        below: i64,
    },
    /// Is at one of these stages.
    LifeCycle(Vec<Stage>),
    /// Is in one of these groups by recency, frequency and spend.
    Rfm(Vec<Group>),
}

/// Which goods lie where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The goods; what the person viewed last when `None`.
    pub variant: Option<Id<Variant>>,
    /// The location; any of those near the person when `None`.
    pub location: Option<Id<Location>>,
    /// How near to the place the person has goods sent to, in kilometres.
    pub km: Option<i64>,
    /// How many pieces at least.
    pub at_least: i64,
}

impl Expression {
    /// The expression, if it is within all bounds.
    ///
    /// # Errors
    /// The refusal names every part at fault by its path.
    pub fn checked(self) -> Result<Expression, Refusal> {
        let mut wrong = Vec::new();
        if self.parts() > PARTS_MAX {
            let why = format!("has {} parts; at most {PARTS_MAX} are possible", self.parts());
            return Err(Refusal::invalid("", why));
        }
        self.check("", 1, &mut wrong);
        Refusal::all(wrong).map_or(Ok(self), Err)
    }

    /// How many parts it has, itself among them.
    pub fn parts(&self) -> usize {
        match self {
            Expression::All(parts) | Expression::Any(parts) => {
                1 + parts.iter().map(Expression::parts).sum::<usize>()
            }
            Expression::Not(part) => 1 + part.parts(),
            Expression::Is(_) => 1,
        }
    }

    /// Everything that is asked of a person, from left to right.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Expression::All(parts) | Expression::Any(parts) => {
                parts.iter().flat_map(Expression::leaves).collect()
            }
            Expression::Not(part) => part.leaves(),
            Expression::Is(leaf) => vec![leaf],
        }
    }

    /// The segments it names.
    pub fn segments(&self) -> Vec<Id<Segment>> {
        let named = |leaf: &&Leaf| match leaf {
            Leaf::Segment(id) => Some(*id),
            _ => None,
        };
        self.leaves().iter().filter_map(named).collect()
    }

    fn check(&self, path: &str, depth: usize, wrong: &mut Vec<Refusal>) {
        let at = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
        if depth > DEPTH_MAX {
            let why = format!("is nested deeper than {DEPTH_MAX}; make a part of it a segment of its own");
            wrong.push(Refusal::invalid(path, why));
            return;
        }
        match self {
            Expression::All(parts) | Expression::Any(parts) => {
                let word = if matches!(self, Expression::All(_)) { "all" } else { "any" };
                if parts.is_empty() {
                    wrong.push(Refusal::invalid(at(word), "name at least one part"));
                }
                for (place, part) in parts.iter().enumerate() {
                    part.check(&at(&format!("{word}.{place}")), depth + 1, wrong);
                }
            }
            Expression::Not(part) => part.check(&at("not"), depth + 1, wrong),
            Expression::Is(leaf) => {
                if let Err((field, why)) = leaf.check() {
                    wrong.push(Refusal::invalid(at(field), why));
                }
            }
        }
    }
}

/// What is wrong with a part, and at which of its fields.
pub(crate) type Wrong = (&'static str, String);

impl Leaf {
    fn check(&self) -> Result<(), Wrong> {
        match self {
            Leaf::Event(occurrence) => occurrence.check(),
            Leaf::Sequence(sequence) => sequence.check(),
            Leaf::Trait { test, .. } => test.check().map_err(|why| ("trait", why)),
            Leaf::Orders(orders) => orders.check(),
            Leaf::Loyalty { tiers, at_least, at_most, .. } => {
                names("loyalty.tiers", tiers, 0)?;
                between("loyalty.at_least", *at_least, *at_most)
            }
            Leaf::Groups(groups) => names("groups", groups, 1),
            Leaf::Countries(countries) => count("countries", countries.len(), 1),
            Leaf::Languages(languages) => count("languages", languages.len(), 1),
            Leaf::Near { km, .. } => distance("near.km", *km),
            Leaf::Stock(shelf) => shelf.check(),
            Leaf::Share { seed, from, below } => {
                if seed.is_empty() || seed.chars().count() > CHARS_MAX {
                    return Err(("share.seed", format!("give 1 to {CHARS_MAX} characters")));
                }
                if *from < 0 || from >= below || *below > HUNDREDTHS {
                    return Err(("share.below", format!("give 0 ≤ from < below ≤ {HUNDREDTHS}")));
                }
                Ok(())
            }
            Leaf::LifeCycle(stages) => count("life_cycle", stages.len(), 1),
            Leaf::Rfm(groups) => count("rfm", groups.len(), 1),
            Leaf::Consent(_) | Leaf::Segment(_) | Leaf::List(_) => Ok(()),
        }
    }
}

impl Shelf {
    fn check(&self) -> Result<(), Wrong> {
        match (self.location, self.km) {
            (Some(_), Some(_)) | (None, None) => {
                return Err(("stock", "give either a location or a distance in km".into()));
            }
            (None, Some(km)) => distance("stock.km", km)?,
            (Some(_), None) => {}
        }
        if self.at_least < 1 {
            return Err(("stock.at_least", "give 1 or more".into()));
        }
        Ok(())
    }
}

fn distance(field: &'static str, km: i64) -> Result<(), Wrong> {
    if (1..=KM_MAX).contains(&km) { Ok(()) } else { Err((field, format!("give 1 to {KM_MAX}"))) }
}

fn count(field: &'static str, given: usize, least: usize) -> Result<(), Wrong> {
    if (least..=VALUES_MAX).contains(&given) {
        return Ok(());
    }
    Err((field, format!("name {least} to {VALUES_MAX}")))
}

fn names(field: &'static str, names: &[String], least: usize) -> Result<(), Wrong> {
    count(field, names.len(), least)?;
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= CHARS_MAX;
    if names.iter().all(fits) {
        return Ok(());
    }
    Err((field, format!("each has 1 to {CHARS_MAX} characters")))
}

/// Bounds of a count or an amount.
pub(crate) fn between(field: &'static str, least: Option<i64>, most: Option<i64>) -> Result<(), Wrong> {
    if least.is_some_and(|least| least < 0) || most.is_some_and(|most| most < 0) {
        return Err((field, "give 0 or more".into()));
    }
    match (least, most) {
        (Some(least), Some(most)) if least > most => {
            Err((field, format!("{least} is more than at_most, which is {most}")))
        }
        _ => Ok(()),
    }
}
