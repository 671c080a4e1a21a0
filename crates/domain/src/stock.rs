//! Stock: in which states goods lie at a location, which transfers move them, and how many can be promised.
//!
//! The stock of one variant is one book of the ledger. Goods at a location are in exactly one state; what is promised but not yet at
//! a shelf is kept on the network; the world outside (suppliers, customers, opening, losses) is the other side of every change.

pub mod expected;
pub mod selling;

use std::collections::BTreeMap;

use crate::ledger::{AccountKey, Posting};
use crate::value::id::{Location, Network, Variant};
use crate::value::{Id, Money, Quantity};
use crate::words;

words! {
    /// Where goods of a variant are, in the books' eyes.
    State {
        /// On the shelf, free to promise.
        Available 1 "available";
        /// Held for a basket or to be collected and paid.
        Held 2 "held";
        /// Promised to a fulfilment order.
        Committed 3 "committed";
        /// Taken from the shelf for a fulfilment order.
        Picked 4 "picked";
        /// Damaged.
        Damaged 5 "damaged";
        /// Waiting for inspection.
        Quality 6 "quality";
        /// On display, not for sale.
        Display 7 "display";
        /// Should be there, was not found.
        Missing 8 "missing";
        /// On the way between two locations.
        InTransit 9 "in_transit";
        /// Expected at a location, not there yet.
        Incoming 10 "incoming";
        /// Held for baskets, not yet at a location.
        PoolHeld 20 "pool_held";
        /// Sold, not yet at a location.
        PoolCommitted 21 "pool_committed";
        /// Sold beyond what was there; served from whatever comes.
        Backordered 22 "backordered";
        /// Sold beyond what was there; served from goods that are expected, when they have come.
        Preordered 23 "preordered";
        /// The supplier's side of receiving.
        Supplier 40 "supplier";
        /// The customer's side of selling and returning.
        Customer 41 "customer";
        /// What was there when the books were opened.
        Opening 42 "opening";
        /// Lost or counted short.
        Shrinkage 43 "shrinkage";
        /// Found or counted over.
        Found 44 "found";
        /// Thrown away.
        Scrap 45 "scrap";
        /// The customer's wish, the other side of promises from the pool.
        Demand 46 "demand";
        /// What suppliers are to bring, the other side of what is expected.
        Expected 47 "expected";
    }
}

impl State {
    /// Does this state stand for the world outside, which has no floor?
    pub const fn is_world(self) -> bool {
        self.code() >= 40
    }

    /// Does this state count as physically there, at a location?
    pub const fn is_on_hand(self) -> bool {
        self.code() < 9
    }

    /// Is this a promise kept on a network, for goods at no location yet?
    pub const fn is_pool(self) -> bool {
        matches!(self, State::PoolHeld | State::PoolCommitted | State::Backordered | State::Preordered)
    }

    /// States a member of staff may move goods between by hand.
    pub const fn is_by_hand(self) -> bool {
        matches!(self, State::Available | State::Damaged | State::Quality | State::Display | State::Missing)
    }
}

/// The account of goods in a state at a location.
pub const fn at(location: Id<Location>, state: State) -> AccountKey {
    AccountKey { place: location.bytes(), state: state.code() }
}

/// The account of promises kept on a network.
pub const fn on(network: Id<Network>, state: State) -> AccountKey {
    AccountKey { place: network.bytes(), state: state.code() }
}

/// The world's side.
pub const fn world(state: State) -> AccountKey {
    assert!(state.is_world(), "only the world's states have no place");
    AccountKey { place: AccountKey::WORLD, state: state.code() }
}

/// The two lines that move `quantity` from one account to another, leaving at least `floor` behind where a floor is kept.
pub fn moving(from: AccountKey, to: AccountKey, quantity: i64, floor: i64) -> [Posting; 2] {
    let floor_of = |account: AccountKey, floor| (account.place != AccountKey::WORLD).then_some(floor);
    [
        Posting { account: from, amount: -quantity, floor: floor_of(from, floor) },
        Posting { account: to, amount: quantity, floor: floor_of(to, 0) },
    ]
}

/// The stock of one variant as one number of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The location.
    pub location: Id<Location>,
    /// What lies there free to promise.
    pub available: i64,
    /// What must stay there, out of reach of other channels.
    pub safety: i64,
}

impl Shelf {
    /// What this shelf gives to a promise: never below nothing.
    pub const fn free(&self) -> i64 {
        let free = self.available - self.safety;
        if free > 0 { free } else { 0 }
    }
}

/// How many can be promised to a channel: what the eligible shelves give together, less what is promised from the pool, less the channel's threshold.
/// Never below nothing.
pub fn promisable(free: i64, pool_held: i64, pool_committed: i64, threshold: i64) -> i64 {
    (free - pool_held - pool_committed - threshold).max(0)
}

/// A line's wish: a variant, how many, and what one of it takes from shelves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The variant sold.
    pub variant: Id<Variant>,
    /// How many, in base units.
    pub quantity: i64,
    /// What one of it takes: itself, once; the components of a kit; nothing for a service.
    pub takes: Vec<(Id<Variant>, i64)>,
}

impl Wish {
    /// What is taken from shelves for the whole line.
    pub fn consumes(&self) -> impl Iterator<Item = (Id<Variant>, i64)> {
        self.takes.iter().map(|(variant, each)| (*variant, each * self.quantity))
    }
}

/// What all lines together take, each variant once, in the order of variants: two lines that share a component are one demand.
pub fn demand(wishes: &[Wish]) -> BTreeMap<Id<Variant>, i64> {
    let mut sum = BTreeMap::new();
    for (variant, quantity) in wishes.iter().flat_map(Wish::consumes) {
        *sum.entry(variant).or_insert(0) += quantity;
    }
    sum
}

/// How many of something the variants it takes allow; a service takes nothing and is never short.
pub fn kits_possible(components: &[(Id<Variant>, i64)], promisable_of: impl Fn(Id<Variant>) -> i64) -> i64 {
    components
        .iter()
        .map(|(variant, each)| promisable_of(*variant) / (*each).max(1))
        .min()
        .unwrap_or(Quantity::MAX)
}

words! {
    /// Which side of a level the stock stands on.
    Level {
        /// At or above the threshold.
        Enough 1 "enough";
        /// Something is left, less than the threshold.
        Low 2 "low";
        /// Nothing is left.
        Out 3 "out";
    }
}

/// The level of an amount against a low-stock threshold.
pub const fn level(amount: i64, low_below: i64) -> Level {
    if amount <= 0 {
        Level::Out
    } else if amount < low_below {
        Level::Low
    } else {
        Level::Enough
    }
}

words! {
    /// Why goods are written off.
    WriteOffReason {
        /// Lost.
        Lost 1 "lost";
        /// Stolen.
        Stolen 2 "stolen";
        /// Thrown away: damaged beyond sale, expired.
        Scrapped 3 "scrapped";
        /// Used in the house: samples, gifts.
        OwnUse 4 "own_use";
    }
}

impl WriteOffReason {
    /// The world's side of it.
    pub const fn world_side(self) -> State {
        match self {
            WriteOffReason::Lost | WriteOffReason::Stolen => State::Shrinkage,
            WriteOffReason::Scrapped | WriteOffReason::OwnUse => State::Scrap,
        }
    }
}

words! {
    /// Where a write-off stands.
    WriteOffState {
        /// A second person must agree.
        Asked 1 "asked";
        /// The goods are out of the books.
        Posted 2 "posted";
        /// A second person did not agree.
        Declined 3 "declined";
    }
}

/// Must a second person agree to something done with these goods? `bound` is the most one person may do alone. What nobody gave a value,
/// or one in another currency, cannot be weighed, so it needs a second person wherever there is a bound.
pub fn needs_second_person(bound: Option<Money>, goods: &[(i64, Option<Money>)]) -> bool {
    let Some(bound) = bound else { return false };
    let mut worth = 0i128;
    for (pieces, value) in goods {
        match value.filter(|value| value.currency() == bound.currency()) {
            Some(value) => worth += i128::from(value.minor()) * i128::from(*pieces),
            None => return true,
        }
    }
    worth > i128::from(bound.minor())
}

/// Why goods are moved by hand from one state to another, in a word of the trade.
pub const fn why_moved(from: State, to: State) -> &'static str {
    match (from, to) {
        (_, State::Damaged) => "damaged",
        (_, State::Quality) => "to_be_inspected",
        (_, State::Display) => "put_on_display",
        (_, State::Missing) => "not_found",
        (State::Missing, _) => "found_again",
        (State::Quality, _) => "inspected",
        (State::Display, _) => "back_from_display",
        (State::Damaged, _) => "repaired",
        _ => "moved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shelf(place: u8, available: i64, safety: i64) -> Shelf {
        Shelf { location: Id::from_bytes([place; 16]), available, safety }
    }

    #[test]
    fn safety_stock_of_one_shelf_does_not_eat_another_s() {
        assert_eq!(promisable(shelf(1, 2, 5).free() + shelf(2, 4, 0).free(), 1, 0, 0), 3);
        assert_eq!(promisable(shelf(1, 2, 5).free(), 1, 0, 0), 0);
    }

    #[test]
    fn lines_that_share_a_component_are_one_demand() {
        let (cup, saucer, set) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]), Id::from_bytes([3; 16]));
        let wishes = [
            Wish { variant: set, quantity: 2, takes: vec![(cup, 2), (saucer, 1)] },
            Wish { variant: cup, quantity: 1, takes: vec![(cup, 1)] },
        ];
        assert_eq!(demand(&wishes).into_iter().collect::<Vec<_>>(), [(cup, 5), (saucer, 2)]);
        assert_eq!(kits_possible(&[(cup, 2), (saucer, 1)], |variant| if variant == cup { 5 } else { 9 }), 2);
    }

    #[test]
    fn every_state_has_its_own_code() {
        let mut codes: Vec<i64> = State::ALL.iter().map(|state| state.code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), State::ALL.len());
        assert!(
            State::Missing.is_on_hand() && !State::InTransit.is_on_hand() && !State::PoolHeld.is_on_hand()
        );
    }

    proptest! {
        #[test]
        fn a_promise_is_never_negative_nor_more_than_is_there(
            shelves in prop::collection::vec((0i64..100, 0i64..100), 0..10), held in 0i64..50, sold in 0i64..50
        ) {
            let shelves: Vec<Shelf> = shelves.into_iter().map(|(available, safety)| shelf(1, available, safety)).collect();
            let promise = promisable(shelves.iter().map(Shelf::free).sum(), held, sold, 0);
            prop_assert!(promise >= 0 && promise <= shelves.iter().map(|shelf| shelf.available).sum::<i64>());
        }
    }
}
