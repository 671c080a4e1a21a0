//! Rewards: what a programme gives for points.

use super::programme::STEP_MAX;
use crate::promotion::limit::Period;
use crate::refusal::Refusal;
use crate::value::id::Promotion;
use crate::value::{Id, Instant, LocalDay, Money, Zone};
use crate::words;

/// The most rewards of a programme.
pub const REWARDS_MAX: i64 = 200;

words! {
    /// In which form a reward is given.
    Kind {
        /// A coupon of a promotion: an amount off, a free article, free delivery.
        Coupon 1 "coupon";
        /// A gift card with an amount on it.
        GiftCard 2 "gift_card";
        /// Store credit.
        StoreCredit 3 "store_credit";
    }
}

words! {
    /// What became of points that were exchanged.
    State {
        /// The reward was given.
        Given 1 "given";
        /// It was taken back unused, and the points with it.
        TakenBack 2 "taken_back";
    }
}

/// What a reward is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A coupon that opens a promotion once.
    Coupon(Id<Promotion>),
    /// A gift card with this on it.
    GiftCard(Money),
    /// So much store credit.
    StoreCredit(Money),
}

impl Kind {
    /// Is it money, which only who may give credit gives?
    pub const fn is_money(self) -> bool {
        matches!(self, Kind::GiftCard | Kind::StoreCredit)
    }
}

impl Gives {
    /// In which form.
    pub const fn kind(self) -> Kind {
        match self {
            Gives::Coupon(_) => Kind::Coupon,
            Gives::GiftCard(_) => Kind::GiftCard,
            Gives::StoreCredit(_) => Kind::StoreCredit,
        }
    }
}

/// What is said of a reward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub gives: Gives,
    /// For how many points.
    pub points: i64,
    /// How many there are in all; any number when `None`.
    pub given_max: Option<i64>,
    /// How many one member has in a period; any number when `None`.
    pub member_max: Option<i64>,
    /// The period.
    pub period: Period,
    /// The tier from which on it is given; to everybody when `None`.
    pub tier: Option<String>,
    /// Is it given now?
    pub active: bool,
}

impl Terms {
    /// Checks that every number is within its bounds.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn checked(self) -> Result<Terms, Refusal> {
        let mut refusals = Vec::new();
        for (field, number, least) in [
            ("points", Some(self.points), 1),
            ("given_max", self.given_max, 0),
            ("member_max", self.member_max, 1),
        ] {
            if number.is_some_and(|number| !(least..=STEP_MAX).contains(&number)) {
                refusals.push(Refusal::invalid(field, format!("give {least} to {STEP_MAX}")));
            }
        }
        if let Gives::GiftCard(money) | Gives::StoreCredit(money) = self.gives
            && let Err(refusal) = super::amount(money.minor())
        {
            refusals.push(refusal);
        }
        Refusal::all(refusals).map_or(Ok(self), Err)
    }

    /// Since when what a member had counts at an instant.
    pub fn since(&self, at: Instant, zone: &Zone) -> Instant {
        begun(self.period, at, zone)
    }
}

/// When the period began in which an instant lies.
pub(super) fn begun(period: Period, at: Instant, zone: &Zone) -> Instant {
    let part = |number: i64| i8::try_from(number % 100).unwrap_or(1);
    let number = period.begins(at, zone);
    let day = LocalDay::new(i16::try_from(number / 10_000).unwrap_or(0), part(number / 100), part(number));
    day.map_or(Instant::from_micros(i64::MIN), |day| day.first_instant(zone))
}

#[cfg(test)]
mod tests {
    use super::super::programme::tests::pounds;
    use super::*;

    fn simple() -> Terms {
        Terms {
            name: "Five pounds".into(),
            gives: Gives::StoreCredit(Money::new(500, pounds()).unwrap()),
            points: 100,
            given_max: None,
            member_max: Some(1),
            period: Period::Month,
            tier: None,
            active: true,
        }
    }

    #[test]
    fn every_bad_field_is_named() {
        let gives = Gives::GiftCard(Money::zero(pounds()));
        let bad = Terms { points: 0, given_max: Some(-1), member_max: Some(0), gives, ..simple() };
        let refused = bad.checked().unwrap_err();
        let fields: Vec<_> = refused.each().filter_map(|one| one.field()).collect();
        assert_eq!(fields, ["points", "given_max", "member_max", "amount"]);
        assert!(simple().checked().is_ok());
    }

    #[test]
    fn what_a_member_had_counts_since_the_period_began() {
        let (zone, at) =
            (Zone::parse("Europe/Berlin").unwrap(), Instant::parse("2026-07-15T10:00:00Z").unwrap());
        let since = |period| Terms { period, ..simple() }.since(at, &zone);
        assert_eq!(since(Period::Month).to_string(), "2026-06-30T22:00:00Z");
        assert_eq!(since(Period::Week).to_string(), "2026-07-12T22:00:00Z");
        assert_eq!(since(Period::Ever), Instant::from_micros(i64::MIN));
    }
}
