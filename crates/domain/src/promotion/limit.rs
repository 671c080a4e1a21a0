//! Limits: how often a promotion may be used and how much it may give, in all, per coupon, per customer or per store, and in what time.

use super::Promotion;
use crate::Refusal;
use crate::value::{Instant, LocalDay, Money, Zone};
use crate::words;

/// The most limits of one promotion.
pub const LIMITS_MAX: usize = 8;

words! {
    /// Whose uses a limit counts together.
    Scope {
        /// All.
        Everybody 1 "everybody";
        /// Those of one coupon.
        Coupon 2 "coupon";
        /// Those of one customer; who is not known cannot use the promotion.
        Customer 3 "customer";
        /// Those in one store; where there is no store, those on line together.
        Store 4 "store";
    }
}

words! {
    /// In what time a limit counts, by the clock of the shop.
    Period {
        /// From beginning to end.
        Ever 1 "ever";
        /// A day.
        Day 2 "day";
        /// Monday to Sunday.
        Week 3 "week";
        /// A month.
        Month 4 "month";
        /// A year.
        Year 5 "year";
    }
}

impl Period {
    /// The day on which the period of an instant begins, as a number like 20261129; 0 for ever.
    pub fn begins(self, at: Instant, zone: &Zone) -> i64 {
        let today = LocalDay::of(at, zone);
        let number = |day: LocalDay| {
            i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
        };
        let back = i32::try_from(today.weekday()).unwrap_or(0);
        match self {
            Period::Ever => 0,
            Period::Day => number(today),
            Period::Week => number(today.plus_days(-back).unwrap_or(today)),
            Period::Month => number(today) / 100 * 100 + 1,
            Period::Year => i64::from(today.year()) * 10_000 + 101,
        }
    }
}

/// A limit of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose uses count together.
    pub scope: Scope,
    /// In what time.
    pub period: Period,
    /// How many orders may use it.
    pub uses_max: Option<i64>,
    /// How many minor units it may give.
    pub minor_max: Option<i64>,
}

/// What was used of a limit so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// By so many orders.
    pub uses: i64,
    /// So many minor units.
    pub minor: i64,
}

impl Limit {
    /// How many minor units the next order may have of it; `None` when only uses are limited and one is left.
    pub fn left(&self, used: Used) -> Option<i64> {
        if self.uses_max.is_some_and(|most| used.uses >= most) {
            return Some(0);
        }
        self.minor_max.map(|most| (most - used.minor).max(0))
    }
}

/// Checks the limits of a promotion: each limits something, none is there twice, amounts have a currency.
///
/// # Errors
/// The refusal names every field at fault.
pub fn check(limits: &[Limit], promotion: &Promotion) -> Result<(), Refusal> {
    let mut refusals = Vec::new();
    if limits.len() > LIMITS_MAX {
        refusals.push(Refusal::invalid("limits", format!("give at most {LIMITS_MAX} limits")));
    }
    for (place, limit) in limits.iter().enumerate().take(LIMITS_MAX) {
        let at = |field: &str| format!("limits.{place}.{field}");
        if limit.uses_max.is_none() && limit.minor_max.is_none() {
            refusals.push(Refusal::invalid(at("uses_max"), "say how many uses, or how much money"));
        }
        if limit.uses_max.is_some_and(|most| !(1..=1_000_000_000).contains(&most)) {
            refusals.push(Refusal::invalid(at("uses_max"), "give 1 to 1000000000 uses"));
        }
        if limit.minor_max.is_some_and(|most| !(1..=Money::MAX).contains(&most)) {
            refusals
                .push(Refusal::invalid(at("amount_max"), format!("give 1 to {} minor units", Money::MAX)));
        }
        if limit.minor_max.is_some() && promotion.currency.is_none() {
            refusals.push(Refusal::invalid("currency", "name the currency of the limit's amount"));
        }
        if limit.scope == Scope::Coupon && !promotion.needs_coupon {
            refusals.push(Refusal::invalid(at("scope"), "the promotion has no coupons; choose another"));
        }
        let same = |other: &Limit| (other.scope, other.period) == (limit.scope, limit.period);
        if limits[..place].iter().any(same) {
            refusals.push(Refusal::invalid(at("scope"), "there is such a limit already; join them"));
        }
    }
    Refusal::all(refusals).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_by_the_clock_on_the_wall() {
        let (london, tokyo) = (Zone::parse("Europe/London").unwrap(), Zone::parse("Asia/Tokyo").unwrap());
        // Sunday afternoon in London is Monday morning in Tokyo.
        let at = Instant::parse("2026-11-29T16:00:00Z").unwrap();
        assert_eq!(
            Period::ALL.iter().map(|period| period.begins(at, &london)).collect::<Vec<_>>(),
            [0, 20_261_129, 20_261_123, 20_261_101, 20_260_101]
        );
        assert_eq!(Period::Week.begins(at, &tokyo), 20_261_130);
    }

    #[test]
    fn what_is_left() {
        let limit =
            Limit { scope: Scope::Everybody, period: Period::Ever, uses_max: Some(2), minor_max: Some(1000) };
        assert_eq!(limit.left(Used { uses: 1, minor: 900 }), Some(100));
        assert_eq!(limit.left(Used { uses: 2, minor: 900 }), Some(0));
        assert_eq!(Limit { minor_max: None, ..limit }.left(Used { uses: 1, minor: 900 }), None);
    }
}
