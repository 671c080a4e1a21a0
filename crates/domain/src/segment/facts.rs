//! What is known of one person, and what is the same for everybody: all that a verdict follows from.

use std::collections::{BTreeMap, BTreeSet};

use super::Expression;
use super::goods::Order;
use super::life::Life;
use super::occurrence::Event;
use super::rfm::Fifths;
use super::traits::Trait;
use crate::consent::{Basis, Held};
use crate::value::id::{CustomerList, Location, LoyaltyProgramme, Segment, Variant};
use crate::value::{Coordinates, Country, Id, Instant, Language};

/// What is known of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The 16 bytes the person is known by: a customer's or a profile's.
    pub subject: [u8; 16],
    /// Was erased: is nobody any more, and in no segment.
    pub erased: bool,
    /// Since when a customer; not a customer yet when `None`.
    pub customer_since: Option<Instant>,
    /// What the person did, in order.
    pub events: Vec<Event>,
    /// What the person ordered, the oldest first.
    pub orders: Vec<Order>,
    /// In which loyalty programmes.
    pub memberships: Vec<Membership>,
    /// What was said of consents, by everybody the person is.
    pub consents: Vec<Held>,
    /// The customer groups.
    pub groups: BTreeSet<String>,
    /// Where the latest goods went.
    pub country: Option<Country>,
    /// In which language the person wishes to be written to.
    pub language: Option<Language>,
    /// About where on the map the latest goods went.
    pub place: Option<Coordinates>,
    /// On which lists.
    pub lists: BTreeSet<Id<CustomerList>>,
    /// What was viewed last.
    pub last_viewed: Option<Id<Variant>>,
}

/// How somebody takes part in a loyalty programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// The tier.
    pub tier: Option<String>,
    /// When the tier is lost.
    pub falls_at: Option<Instant>,
    /// How many points there are to spend.
    pub points: i64,
}

impl Membership {
    /// The tier at an instant.
    pub fn tier_at(&self, at: Instant) -> Option<&str> {
        self.tier.as_deref().filter(|_| self.falls_at.is_none_or(|falls_at| falls_at > at))
    }
}

/// What is free on which shelf, of the variants that are asked for.
pub type Shelves = BTreeMap<Id<Variant>, Vec<(Id<Location>, i64)>>;

/// What is the same for everybody.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Computed traits by their codes.
    pub traits: BTreeMap<String, Trait>,
    /// Segments that others name.
    pub segments: BTreeMap<Id<Segment>, Expression>,
    /// The purposes that are in use, and what they rest on.
    pub purposes: BTreeMap<String, Basis>,
    /// Where locations lie.
    pub locations: BTreeMap<Id<Location>, Coordinates>,
    /// What is on shelves; not looked at when `None`: then what depends on it is open.
    pub shelves: Option<Shelves>,
    /// The stages of life.
    pub life: Life,
    /// The fifths of recency, frequency and spend; none before anybody bought.
    pub fifths: Option<Fifths>,
}

impl Default for Ground {
    fn default() -> Ground {
        Ground {
            traits: BTreeMap::new(),
            segments: BTreeMap::new(),
            purposes: BTreeMap::new(),
            locations: BTreeMap::new(),
            shelves: None,
            life: Life::USUAL,
            fifths: None,
        }
    }
}
