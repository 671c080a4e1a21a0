//! What must be known of a person to judge an expression: nothing else is read.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Ground;
use super::occurrence::Kind;
use super::window::Window;
use super::{Expression, Leaf, NESTED_MAX};
use crate::value::id::Variant;
use crate::value::{Id, Instant};

/// The event by which a page tells that goods were viewed.
pub const VIEWED: &str = "Product Viewed";
/// The properties of it that may name the goods, the surest first.
pub const VIEWED_PROPERTIES: &[&str] = &["variant_id", "variant", "sku", "product_id"];

/// What must be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Events of these names, with these properties.
    pub events: BTreeMap<String, BTreeSet<String>>,
    /// Only events after this many days ago; all when `None` and there are events.
    pub event_days: Option<i64>,
    /// Orders.
    pub orders: bool,
    /// Their lines.
    pub lines: bool,
    /// The categories of what was ordered.
    pub categories: bool,
    /// Loyalty programmes.
    pub loyalty: bool,
    /// Consents.
    pub consents: bool,
    /// Customer groups.
    pub groups: bool,
    /// Where goods were sent.
    pub place: bool,
    /// The language.
    pub language: bool,
    /// Lists.
    pub lists: bool,
    /// What was viewed last.
    pub last_viewed: bool,
    /// What lies on shelves, of these goods at least.
    pub stock: Option<BTreeSet<Id<Variant>>>,
    /// The fifths of recency, frequency and spend.
    pub rfm: bool,
    /// Is any event asked for?
    pub any_event: bool,
}

impl Needs {
    /// What these expressions need, with the traits and segments they name.
    pub fn of<'e>(expressions: impl IntoIterator<Item = &'e Expression>, ground: &Ground) -> Needs {
        let mut needs = Needs::default();
        for expression in expressions {
            needs.add(expression, ground, 0);
        }
        needs
    }

    /// Does a verdict depend on what lies on shelves now?
    pub const fn is_live(&self) -> bool {
        self.stock.is_some()
    }

    /// Before which instant no event counts, seen from `now`.
    pub fn events_after(&self, now: Instant) -> Option<Instant> {
        Window { within_days: self.event_days, older_days: None }.begins(now)
    }

    fn add(&mut self, expression: &Expression, ground: &Ground, nested: usize) {
        for leaf in expression.leaves() {
            self.add_leaf(leaf, ground, nested);
        }
    }

    /// Adds what a trait needs.
    pub fn add_trait(&mut self, one: &super::traits::Trait) {
        self.add_kind(&one.kind, one.window.within_days);
        if let (Some(property), Some(known)) = (&one.property, self.events.get_mut(&one.kind.name)) {
            known.insert(property.clone());
        }
    }

    fn add_kind(&mut self, kind: &Kind, days: Option<i64>) {
        let known = self.events.entry(kind.name.clone()).or_default();
        known.extend(kind.conditions.iter().map(|(property, _)| property.clone()));
        self.event_days = match (self.any_event, self.event_days, days) {
            (false, _, days) => days,
            (true, Some(known), Some(days)) => Some(known.max(days)),
            (true, _, _) => None,
        };
        self.any_event = true;
    }

    fn add_leaf(&mut self, leaf: &Leaf, ground: &Ground, nested: usize) {
        match leaf {
            Leaf::Event(one) => self.add_kind(&one.kind, one.window.within_days),
            Leaf::Sequence(one) => {
                self.add_kind(&one.first, one.window.within_days);
                self.add_kind(&one.then, one.window.within_days);
            }
            Leaf::Trait { code, .. } => {
                if let Some(one) = ground.traits.get(code) {
                    self.add_trait(one);
                }
            }
            Leaf::Orders(one) => {
                self.orders = true;
                self.lines |= one.of_goods();
                self.categories |= !one.categories.is_empty();
            }
            Leaf::Loyalty { .. } => self.loyalty = true,
            Leaf::Consent(_) => self.consents = true,
            Leaf::Groups(_) => self.groups = true,
            Leaf::Countries(_) | Leaf::Near { .. } => self.place = true,
            Leaf::Languages(_) => self.language = true,
            Leaf::Stock(shelf) => {
                if shelf.variant.is_none() {
                    let viewed = self.events.entry(VIEWED.to_owned()).or_default();
                    viewed.extend(VIEWED_PROPERTIES.iter().map(|property| (*property).to_owned()));
                    (self.last_viewed, self.any_event, self.event_days) = (true, true, None);
                }
                self.place |= shelf.km.is_some();
                self.stock.get_or_insert_default().extend(shelf.variant);
            }
            Leaf::Segment(id) if nested < NESTED_MAX => {
                if let Some(named) = ground.segments.get(id) {
                    self.add(named, ground, nested + 1);
                }
            }
            Leaf::Segment(_) | Leaf::Share { .. } => {}
            Leaf::List(_) => self.lists = true,
            Leaf::LifeCycle(_) => self.orders = true,
            Leaf::Rfm(_) => {
                self.orders = true;
                self.rfm = true;
            }
        }
    }
}
