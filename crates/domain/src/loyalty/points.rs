//! Points: what bought goods earn, what they are taken from, and what part of them belongs to part of a payment.

use super::programme::{Earning, Goods, Terms};
use super::{State, account};
use crate::ledger::Posting;
use crate::value::id::{Book, PointLot};
use crate::value::{Id, Instant, Rate, Rounding};
use crate::words;

words! {
    /// Where the points of a lot are.
    LotState {
        /// They wait for the return window to end.
        Pending 1 "pending";
        /// They can be spent.
        Available 2 "available";
    }
}

words! {
    /// Who has a book of points.
    MemberKind {
        /// A customer.
        Person 1 "person";
        /// Members who share a balance.
        Household 2 "household";
    }
}

words! {
    /// Whether a member takes part.
    MemberState {
        /// He does.
        Active 1 "active";
        /// He left; what he has he may still spend, and nothing is earned any more.
        Left 2 "left";
        /// The customer was erased: what he had lapsed, and nothing is earned or spent any more.
        Ended 3 "ended";
        /// The customer was merged into another: whatever can be spent goes on to that customer's membership.
        Merged 4 "merged";
    }
}

/// One thing bought, as a programme sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bought {
    /// What was paid for it, in minor units, with tax or without as the programme says.
    pub minor: i64,
    /// What it belongs to: its product, its categories and those above.
    pub goods: Vec<Goods>,
}

/// What is bought together.
#[derive(Clone, Copy, Debug)]
pub struct Purchase<'a> {
    /// The things.
    pub bought: &'a [Bought],
    /// Of how much of the money nothing is earned, because of how it is paid; and how much money there is in all.
    pub uncounted: (i64, i64),
    /// When.
    pub at: Instant,
    /// How much of what others earn the member earns.
    pub rate: Rate,
}

/// What each thing counts for in money, and what it earns. The sum is what all earn together, rounded down once.
pub fn earned(terms: &Terms, earning: &Earning, purchase: &Purchase<'_>) -> Vec<(i64, i64)> {
    let (uncounted, all) = purchase.uncounted;
    let counted_of = |minor: i128| {
        if all < 1 { minor } else { minor * i128::from((all - uncounted).clamp(0, all)) / i128::from(all) }
    };
    let season = i128::from(terms.season(purchase.at));
    let each = i128::from(earning.points) * season * i128::from(purchase.rate.parts_per_million());
    let whole = i128::from(Rate::WHOLE).pow(3) * i128::from(earning.per_minor);
    let (mut minor, mut counted, mut weight, mut given) = (0i128, 0i128, 0i128, 0i128);
    let mut earned = Vec::with_capacity(purchase.bought.len());
    for one in purchase.bought {
        minor += i128::from(one.minor.max(0));
        let own = counted_of(minor) - counted;
        counted += own;
        weight += own * each * i128::from(terms.factor(&one.goods));
        let points = weight / whole - given;
        given += points;
        earned.push((i64::try_from(own).unwrap_or(0), i64::try_from(points).unwrap_or(0)));
    }
    earned
}

/// How many of the points of a payment belong to its first so many minor units: parts taken and given back in any order sum to the whole.
pub fn part(points: i64, whole_minor: i64, minor: i64) -> i64 {
    assert!(whole_minor > 0 && (0..=whole_minor).contains(&minor), "a part lies within the whole");
    let first = Rounding::HalfUp.divide(i128::from(points) * i128::from(minor), i128::from(whole_minor));
    i64::try_from(first).unwrap_or(points)
}

/// From which lots so many points are taken, the first first; also how many are missing.
pub fn taken(
    lots: impl IntoIterator<Item = (Id<PointLot>, i64)>,
    points: i64,
) -> (Vec<(Id<PointLot>, i64)>, i64) {
    let mut left = points;
    let mut taken = Vec::new();
    for (lot, rest) in lots {
        let part = rest.min(left);
        if part > 0 {
            taken.push((lot, part));
            left -= part;
        }
    }
    (taken, left)
}

/// The lines that move points between accounts of a member's book. Only what is owed may fall below zero.
pub fn lines(book: Id<Book>, moves: &[(State, i64)]) -> Vec<Posting> {
    let floor = |state: State| {
        let is_own = state.code() < State::Issued.code() && state != State::Owed;
        is_own.then_some(0)
    };
    let line = |(state, amount): &(State, i64)| Posting {
        account: account(book, *state),
        amount: *amount,
        floor: floor(*state),
    };
    moves.iter().filter(|(_, amount)| *amount != 0).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::programme::tests::simple;
    use super::super::programme::{Factor, Season};
    use super::*;
    use proptest::prelude::*;

    fn rate(percent: i64) -> Rate {
        Rate::from_parts_per_million(percent * 10_000).unwrap()
    }

    fn purchase(bought: &[Bought]) -> Purchase<'_> {
        Purchase { bought, uncounted: (0, 0), at: Instant::from_micros(7), rate: rate(100) }
    }

    fn plain(minor: i64) -> Bought {
        Bought { minor, goods: Vec::new() }
    }

    #[test]
    fn all_is_rounded_once() {
        let terms = simple();
        let bought = [plain(150), plain(150), plain(250)];
        let points = |purchase: &Purchase<'_>| -> Vec<i64> {
            earned(&terms, &terms.earnings[0], purchase).into_iter().map(|(_, points)| points).collect()
        };
        assert_eq!(points(&purchase(&bought)), [1, 2, 2]);
        let half_paid_by_points = Purchase { uncounted: (300, 550), ..purchase(&bought) };
        assert_eq!(points(&half_paid_by_points).iter().sum::<i64>(), 2);
        let gold = Purchase { rate: rate(200), ..purchase(&bought) };
        assert_eq!(points(&gold).iter().sum::<i64>(), 11);
    }

    #[test]
    fn factors_and_seasons_multiply() {
        let wine = Goods::Category(Id::from_bytes([1; 16]));
        let mut terms = simple();
        terms.factors.push(Factor { of: wine, rate: rate(300) });
        let (from, until) = (Instant::from_micros(0), Instant::from_micros(9));
        terms.seasons.push(Season { name: "double".into(), from, until, rate: rate(200) });
        let bought = [Bought { minor: 1000, goods: vec![wine] }, plain(500)];
        assert_eq!(earned(&terms, &terms.earnings[0], &purchase(&bought)), [(1000, 60), (500, 10)]);
    }

    #[test]
    fn points_are_taken_from_the_first_lots() {
        let lot = |place: u8| Id::from_bytes([place; 16]);
        let lots = [(lot(1), 5), (lot(2), 0), (lot(3), 9)];
        assert_eq!(taken(lots, 7), (vec![(lot(1), 5), (lot(3), 2)], 0));
        assert_eq!(taken(lots, 20).1, 6);
    }

    #[test]
    fn only_what_is_owed_falls_below_zero() {
        let lines =
            lines(Id::from_bytes([7; 16]), &[(State::Balance, -5), (State::Owed, -2), (State::Earned, 7)]);
        assert_eq!(lines.iter().map(|line| line.floor).collect::<Vec<_>>(), [Some(0), None, None]);
    }

    proptest! {
        #[test]
        fn the_largest_amounts_do_not_overflow(minor in 0i64..10_000_000_000_000, points in 1i64..=1000) {
            let mut terms = simple();
            terms.earnings[0] = Earning { points, per_minor: 1, ..terms.earnings[0].clone() };
            let most = Purchase { rate: Rate::from_parts_per_million(Rate::MAX).unwrap(), ..purchase(&[]) };
            let bought = [plain(minor), plain(minor)];
            let all = earned(&terms, &terms.earnings[0], &Purchase { bought: &bought, ..most });
            prop_assert!(all.iter().all(|(_, points)| *points >= 0));
        }

        #[test]
        fn parts_of_a_payment_s_points_sum_to_them(points in 0i64..10_000_000, parts in prop::collection::vec(1i64..5000, 1..10)) {
            let whole: i64 = parts.iter().sum();
            let (mut done, mut sum) = (0, 0);
            for one in parts {
                let own = part(points, whole, done + one) - part(points, whole, done);
                prop_assert!(own >= 0);
                (done, sum) = (done + one, sum + own);
            }
            prop_assert_eq!(sum, points);
        }
    }
}
