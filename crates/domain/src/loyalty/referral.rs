//! Referral: who brings a friend is given points, and so is the friend, once the friend's first order is kept.

use super::programme::{ENTRIES_MAX, PENDING_DAYS_MAX, STEP_MAX};
use super::reward::begun;
use crate::promotion::limit::Period;
use crate::refusal::Refusal;
use crate::value::{Currency, Instant, Zone};
use crate::words;

/// The longest a friend may take until the first order, in days: a year.
pub const WITHIN_DAYS_MAX: i64 = 366;

words! {
    /// What became of a referral.
    State {
        /// The friend has not ordered yet.
        Open 1 "open";
        /// The friend ordered; it may still come back.
        Ordered 2 "ordered";
        /// Both were given their points.
        Rewarded 3 "rewarded";
        /// Nothing was given, and nothing will be.
        Refused 4 "refused";
        /// What was given was taken back.
        Revoked 5 "revoked";
    }
}

words! {
    /// Why nothing is given, or it was taken back.
    Why {
        /// The order was cancelled, or so much of it came back that too little is kept.
        NotKept 1 "not_kept";
        /// The first order was not worth enough.
        TooLittle 2 "too_little";
        /// The friend did not order in time.
        TooLate 3 "too_late";
        /// Both are the same person: the same way to reach them, or the same means of payment.
        SamePerson 4 "same_person";
        /// Who brought the friend was given as often as may be.
        Limit 5 "limit";
        /// One of them does not take part any more.
        Left 6 "left";
    }
}

/// What a programme says of referral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What who brings a friend is given.
    pub points: i64,
    /// What the friend is given.
    pub friend_points: i64,
    /// The least that is kept of the first order, by currency; an order in another currency is not enough. Any order is when there is none.
    pub minimums: Vec<(Currency, i64)>,
    /// How many days after the last goods left the points are given.
    pub wait_days: i64,
    /// Within how many days the friend must order; at any time when `None`.
    pub within_days: Option<i64>,
    /// How often one member is given points for friends in a period.
    pub member_max: Option<i64>,
    /// The period.
    pub period: Period,
}

impl Terms {
    /// What is wrong with it.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut within = |field: String, number: i64, least: i64, most: i64| {
            if !(least..=most).contains(&number) {
                refusals.push(Refusal::invalid(field, format!("give {least} to {most}")));
            }
        };
        within("points".into(), self.points, 0, STEP_MAX);
        within("friend_points".into(), self.friend_points, 0, STEP_MAX);
        within("wait_days".into(), self.wait_days, 0, PENDING_DAYS_MAX);
        within("within_days".into(), self.within_days.unwrap_or(1), 1, WITHIN_DAYS_MAX);
        within("member_max".into(), self.member_max.unwrap_or(1), 1, STEP_MAX);
        for (place, (_, minor)) in self.minimums.iter().enumerate() {
            within(format!("minimums.{place}"), *minor, 1, STEP_MAX);
        }
        if self.minimums.len() > ENTRIES_MAX {
            refusals.push(Refusal::invalid("minimums", format!("give at most {ENTRIES_MAX}")));
        }
        for (place, (currency, _)) in self.minimums.iter().enumerate() {
            if self.minimums[..place].iter().any(|(other, _)| other == currency) {
                let message = format!("{currency} is named twice; name it once");
                refusals.push(Refusal::invalid(format!("minimums.{place}"), message));
            }
        }
        if self.points == 0 && self.friend_points == 0 {
            refusals.push(Refusal::invalid("points", "give points to one of both at least"));
        }
        refusals
    }

    /// Since when what a member was given counts at an instant.
    pub fn period_since(&self, at: Instant, zone: &Zone) -> Instant {
        begun(self.period, at, zone)
    }

    /// Is so much of a first order enough?
    pub fn is_enough(&self, minor: i64, currency: Currency) -> bool {
        let least = self.minimums.iter().find(|(own, _)| *own == currency).map(|(_, least)| *least);
        minor > 0 && (self.minimums.is_empty() || least.is_some_and(|least| minor >= least))
    }
}

/// What is known of a referral whose friend ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What became of it so far.
    pub state: State,
    /// Is enough of the order kept, and paid?
    pub is_kept: bool,
    /// Was the whole order enough?
    pub was_enough: bool,
    /// When its points are due: the last goods left so many days before.
    pub due_at: Option<Instant>,
    /// Are both the same person?
    pub is_same: bool,
    /// Was the member given as often as may be?
    pub is_full: bool,
    /// Do both take part?
    pub take_part: bool,
}

/// What becomes of a referral now; `None` when nothing does.
pub fn judge(facts: &Facts, now: Instant) -> Option<(State, Option<Why>)> {
    match facts.state {
        State::Ordered if !facts.was_enough => Some((State::Refused, Some(Why::TooLittle))),
        State::Ordered if !facts.is_kept => Some((State::Refused, Some(Why::NotKept))),
        State::Ordered if facts.is_same => Some((State::Refused, Some(Why::SamePerson))),
        State::Ordered if facts.due_at.is_none_or(|at| at > now) => None,
        State::Ordered if !facts.take_part => Some((State::Refused, Some(Why::Left))),
        State::Ordered if facts.is_full => Some((State::Refused, Some(Why::Limit))),
        State::Ordered => Some((State::Rewarded, None)),
        State::Rewarded if !facts.is_kept => Some((State::Revoked, Some(Why::NotKept))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        Terms {
            points: 100,
            friend_points: 50,
            minimums: vec![(Currency::parse("GBP").unwrap(), 2000)],
            wait_days: 14,
            within_days: Some(90),
            member_max: Some(5),
            period: Period::Year,
        }
    }

    #[test]
    fn only_a_first_order_that_is_kept_long_enough_is_rewarded() {
        let (before, due) = (Instant::from_micros(5), Instant::from_micros(6));
        let facts = Facts {
            state: State::Ordered,
            is_kept: true,
            was_enough: true,
            due_at: Some(due),
            is_same: false,
            is_full: false,
            take_part: true,
        };
        assert_eq!(judge(&facts, before), None);
        assert_eq!(judge(&Facts { due_at: None, ..facts }, due), None);
        assert_eq!(judge(&facts, due), Some((State::Rewarded, None)));
        let refused = |facts: Facts| judge(&facts, due).map(|(state, why)| (state, why.unwrap()));
        for (facts, why) in [
            (Facts { was_enough: false, ..facts }, Why::TooLittle),
            (Facts { is_kept: false, ..facts }, Why::NotKept),
            (Facts { is_same: true, ..facts }, Why::SamePerson),
            (Facts { take_part: false, ..facts }, Why::Left),
            (Facts { is_full: true, ..facts }, Why::Limit),
        ] {
            assert_eq!(refused(facts), Some((State::Refused, why)));
        }
        let given = Facts { state: State::Rewarded, ..facts };
        assert_eq!(judge(&given, due), None);
        assert_eq!(refused(Facts { is_kept: false, ..given }), Some((State::Revoked, Why::NotKept)));
        for state in [State::Open, State::Refused, State::Revoked] {
            assert_eq!(judge(&Facts { state, is_kept: false, ..facts }, due), None, "{state:?}");
        }
    }

    #[test]
    fn enough_is_said_by_currency_and_every_bad_number_is_named() {
        let (pounds, euros) = (Currency::parse("GBP").unwrap(), Currency::parse("EUR").unwrap());
        assert!(terms().is_enough(2000, pounds) && !terms().is_enough(1999, pounds));
        assert!(!terms().is_enough(9000, euros), "an order in a currency nothing is said of");
        let any = Terms { minimums: Vec::new(), ..terms() };
        assert!(any.is_enough(1, euros) && !any.is_enough(0, euros));
        assert!(terms().refusals().is_empty());
        let mut bad = Terms { points: 0, friend_points: 0, wait_days: -1, within_days: Some(0), ..terms() };
        bad.minimums.push((pounds, 0));
        let refused = bad.refusals();
        let fields: Vec<_> = refused.iter().filter_map(|one| one.field()).collect();
        assert_eq!(fields, ["wait_days", "within_days", "minimums.1", "minimums.1", "points"]);
    }
}
