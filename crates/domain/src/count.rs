//! Counting: what is on the shelf is compared with what the books had while it was counted, and only the difference is posted, so that
//! selling may go on meanwhile.

use crate::ledger::Posting;
use crate::stock::{self, State as Stock};
use crate::value::id::Location;
use crate::value::{Id, Money};
use crate::words;

words! {
    /// Where a count stands.
    State {
        /// Somebody is to count.
        Requested 1 "requested";
        /// Colleagues are counting.
        Counting 2 "counting";
        /// Some of it differs so much that it is counted again.
        Recount 3 "recount";
        /// All is counted; somebody looks at the differences.
        InReview 4 "in_review";
        /// The differences are in the books.
        Posted 5 "posted";
        /// Nothing came of it.
        Cancelled 6 "cancelled";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        use State::*;
        match self {
            Requested => &[Counting, Cancelled],
            Counting | Recount => &[Recount, InReview, Cancelled],
            InReview => &[Recount, Posted, Cancelled],
            Posted | Cancelled => &[],
        }
    }

    /// May this state follow?
    pub fn leads_to(self, next: State) -> bool {
        self.next().contains(&next)
    }

    /// May pieces be counted now?
    pub const fn takes_pieces(self) -> bool {
        matches!(self, State::Requested | State::Counting | State::Recount)
    }

    /// Is it still to be ended?
    pub const fn is_open(self) -> bool {
        !matches!(self, State::Posted | State::Cancelled)
    }
}

words! {
    /// Why something is counted.
    Origin {
        /// Somebody named the variants.
        List 1 "list";
        /// Everything of a shelf.
        Shelf 2 "shelf";
        /// Everything of a category.
        Category 3 "category";
        /// What looks wrong: missing, excluded, or wrong when it was last counted.
        Exception 4 "exception";
        /// Its turn has come.
        Cycle 5 "cycle";
        /// A picker did not find it.
        Miss 6 "miss";
    }
}

words! {
    /// Where a line of a count stands.
    LineState {
        /// To be counted, or being counted.
        Open 1 "open";
        /// Counted.
        Counted 2 "counted";
    }
}

/// The most rounds a line is counted without somebody asking for another one.
pub const ROUNDS_MAX: i64 = 2;

/// What the books had of a line while it was counted, and what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Pieces counted, all places and colleagues together.
    pub counted: i64,
    /// The least the books had on the shelf from the first piece counted to the last.
    pub booked_least: i64,
    /// The most they had.
    pub booked_most: i64,
}

impl Finding {
    /// How many more were counted than the books had, or fewer when negative. What moved while the line was being counted may have been
    /// counted or not, so anything between the least and the most is right.
    pub const fn difference(&self) -> i64 {
        if self.counted > self.booked_most {
            self.counted - self.booked_most
        } else if self.counted < self.booked_least {
            self.counted - self.booked_least
        } else {
            0
        }
    }
}

/// How large a difference may be before the line is counted again. What is not given does not bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// So many pieces.
    pub pieces: Option<i64>,
    /// So many in a hundred of what the books had.
    pub percent: Option<i64>,
    /// So much money.
    pub value: Option<Money>,
}

impl Tolerance {
    /// Must this be counted again? A value in another currency cannot be compared, so it does not bind.
    pub fn is_exceeded(&self, finding: &Finding, value: Option<Money>) -> bool {
        let size = finding.difference().abs();
        let beyond_pieces = self.pieces.is_some_and(|most| size > most);
        let beyond_percent = self.percent.is_some_and(|most| size * 100 > most * finding.booked_most.max(0));
        let beyond_value = self.value.zip(value).is_some_and(|(most, each)| {
            let all = i128::from(each.minor()) * i128::from(size);
            most.currency() == each.currency() && all > i128::from(most.minor())
        });
        size > 0 && (beyond_pieces || beyond_percent || beyond_value)
    }
}

/// What lies at a location when a counted line is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Missing when the line was counted.
    pub missing_then: i64,
    /// Missing now.
    pub missing: i64,
    /// Free to promise now.
    pub available: i64,
}

/// What a counted line does to the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Missing pieces that are there after all.
    pub back: i64,
    /// Pieces nobody knew of.
    pub found: i64,
    /// Missing pieces that stay away.
    pub missing_lost: i64,
    /// Pieces on the shelf that are not there.
    pub lost: i64,
    /// Lost pieces that are promised: the promises must be freed.
    pub promised: i64,
}

/// What a difference does. A line that is counted clears up what was missing when it was counted: what is found is back, the rest is lost.
/// What a picker missed after that is the same loss seen again, so a loss takes from there first.
pub fn settle(difference: i64, now: Now) -> Settlement {
    let old = now.missing.min(now.missing_then);
    let since = now.missing - old;
    if difference >= 0 {
        let back = difference.min(old);
        return Settlement {
            back,
            found: difference - back,
            missing_lost: old - back,
            ..Settlement::default()
        };
    }
    let seen_again = since.min(-difference);
    let rest = -difference - seen_again;
    let lost = rest.min(now.available.max(0));
    Settlement { missing_lost: old + seen_again, lost, promised: rest - lost, ..Settlement::default() }
}

impl Settlement {
    /// The lines that settle it at a location, promises aside.
    pub fn postings(&self, location: Id<Location>) -> Vec<Posting> {
        let (shelf, missing) = (stock::at(location, Stock::Available), stock::at(location, Stock::Missing));
        let moves = [
            (missing, shelf, self.back),
            (stock::world(Stock::Found), shelf, self.found),
            (missing, stock::world(Stock::Shrinkage), self.missing_lost),
            (shelf, stock::world(Stock::Shrinkage), self.lost),
        ];
        let moves = moves.into_iter().filter(|(.., pieces)| *pieces > 0);
        moves.flat_map(|(from, to, pieces)| stock::moving(from, to, pieces, 0)).collect()
    }
}

/// How urgent it is to count something: what lies there in minor units (or pieces, when nobody said what one is worth) times the days
/// since it was last counted.
pub const fn urgency(worth: i64, days: i64) -> i64 {
    let (worth, days) = (if worth < 1 { 1 } else { worth }, if days < 1 { 1 } else { days });
    worth.saturating_mul(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Currency;
    use proptest::prelude::*;

    #[test]
    fn what_moved_while_counting_is_no_difference() {
        let finding = |counted| Finding { counted, booked_least: 6, booked_most: 8 }.difference();
        assert_eq!([finding(5), finding(6), finding(7), finding(8), finding(10)], [-1, 0, 0, 0, 2]);
    }

    #[test]
    fn each_bound_asks_for_another_count() {
        let pounds = |minor| Money::new(minor, Currency::parse("GBP").unwrap()).unwrap();
        let finding = |counted| Finding { counted, booked_least: 100, booked_most: 100 };
        let any = Tolerance { pieces: Some(0), ..Tolerance::default() };
        assert!(any.is_exceeded(&finding(99), None) && !any.is_exceeded(&finding(100), None));
        let percent = Tolerance { percent: Some(5), ..Tolerance::default() };
        assert!(percent.is_exceeded(&finding(94), None) && !percent.is_exceeded(&finding(105), None));
        let value = Tolerance { value: Some(pounds(500)), ..Tolerance::default() };
        assert!(value.is_exceeded(&finding(98), Some(pounds(251))));
        assert!(!value.is_exceeded(&finding(98), Some(pounds(250))) && !value.is_exceeded(&finding(0), None));
        assert!(!Tolerance::default().is_exceeded(&finding(0), Some(pounds(1))));
    }

    #[test]
    fn the_same_loss_seen_twice_is_lost_once() {
        let now = Now { missing_then: 0, missing: 2, available: 5 };
        assert_eq!(
            settle(-3, now),
            Settlement { missing_lost: 2, lost: 1, ..Settlement::default() },
            "a picker missed two of the three after the count"
        );
        let back = settle(2, Now { missing_then: 3, missing: 3, available: 0 });
        assert_eq!(back, Settlement { back: 2, missing_lost: 1, ..Settlement::default() });
        let promised = settle(-4, Now { missing_then: 0, missing: 0, available: 1 });
        assert_eq!((promised.lost, promised.promised), (1, 3));
    }

    #[test]
    fn what_ended_leads_nowhere() {
        for state in State::ALL {
            assert_eq!(state.next().is_empty(), !state.is_open(), "{state:?}");
            assert!(!state.is_open() || state.leads_to(State::Cancelled), "{state:?}");
        }
    }

    proptest! {
        #[test]
        fn a_settlement_accounts_for_every_piece(difference in -50i64..50, then in 0i64..20, missing in 0i64..20, available in 0i64..50) {
            let settled = settle(difference, Now { missing_then: then, missing, available });
            let gained = settled.back + settled.found;
            let old = missing.min(then);
            if difference >= 0 {
                prop_assert_eq!((gained, settled.lost, settled.promised), (difference, 0, 0));
            } else {
                prop_assert_eq!(settled.lost + settled.promised + settled.missing_lost - old, -difference);
            }
            prop_assert!(settled.back + settled.missing_lost <= missing && settled.lost <= available);
            prop_assert!(missing - settled.back - settled.missing_lost <= (missing - then).max(0));
        }
    }
}
