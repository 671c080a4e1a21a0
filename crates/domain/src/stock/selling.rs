//! Selling what is not there: what a channel does when nothing of a variant is left, and how many may still be sold.

use crate::refusal::Refusal;
use crate::value::{Instant, Quantity};
use crate::words;

/// The longest time until goods that are not there can leave, in days.
pub const LEAD_DAYS_MAX: i64 = 730;

words! {
    /// What happens when nothing is left.
    WhenOut {
        /// No more is sold.
        Refuse 1 "refuse";
        /// It is sold, up to a cap, and served from whatever comes.
        BackOrder 2 "back_order";
        /// It is sold from goods that are expected, and served when they have come.
        PreOrder 3 "pre_order";
    }
}

words! {
    /// How goods were sold that were not there.
    Later {
        /// They are served from whatever comes.
        BackOrder 2 "back_order";
        /// They are served from goods that are expected.
        PreOrder 3 "pre_order";
    }
}

/// What a channel does when nothing of a variant is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What happens.
    pub when_out: WhenOut,
    /// The most pieces that are sold and not there; for pre-orders no more than are expected, too.
    pub cap: Option<i64>,
    /// In how many days goods are there of which none are expected.
    pub lead_days: Option<i64>,
    /// Before this instant pre-ordered goods do not leave.
    pub releases_at: Option<Instant>,
}

impl Rule {
    /// Nothing is sold that is not there.
    pub const REFUSE: Rule =
        Rule { when_out: WhenOut::Refuse, cap: None, lead_days: None, releases_at: None };

    /// How goods are sold that are not there; none are when `None`.
    pub const fn later(&self) -> Option<Later> {
        match self.when_out {
            WhenOut::Refuse => None,
            WhenOut::BackOrder => Some(Later::BackOrder),
            WhenOut::PreOrder => Some(Later::PreOrder),
        }
    }

    /// How many pieces may be sold beyond what is there.
    pub fn beyond(&self, claims: &Claims) -> i64 {
        let sold = claims.backordered + claims.preordered;
        let below_cap = self.cap.unwrap_or(Quantity::MAX) - sold;
        let allowed = match self.when_out {
            WhenOut::Refuse => 0,
            WhenOut::BackOrder => below_cap,
            WhenOut::PreOrder => below_cap.min(claims.incoming - claims.preordered - claims.unserved()),
        };
        allowed.max(0)
    }
}

/// What the books say of a variant where a channel sells from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// What the shelves give.
    pub free: i64,
    /// Held for baskets, at no location.
    pub held: i64,
    /// Sold from what was there, at no location.
    pub committed: i64,
    /// Sold beyond what was there.
    pub backordered: i64,
    /// Sold from what is expected.
    pub preordered: i64,
    /// What is expected.
    pub incoming: i64,
}

impl Claims {
    /// Promises that what is there does not cover: they wait for what comes before anybody new does.
    pub fn unserved(&self) -> i64 {
        (self.held + self.committed + self.backordered - self.free).max(0)
    }
}

/// Checks a rule.
///
/// # Errors
/// The refusal names what does not fit what happens when nothing is left.
pub fn rule(rule: Rule) -> Result<Rule, Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |field: &str, message: String| refusals.push(Refusal::invalid(field, message));
    match (rule.when_out, rule.cap) {
        (WhenOut::BackOrder, None) => refuse("cap", "say how many may be sold that are not there".into()),
        (WhenOut::Refuse, Some(_)) => refuse("cap", "leave it out: nothing is sold that is not there".into()),
        (_, Some(cap)) if !(1..=Quantity::MAX).contains(&cap) => {
            refuse("cap", format!("give a whole number from 1 to {}", Quantity::MAX));
        }
        _ => {}
    }
    match (rule.when_out, rule.lead_days) {
        (WhenOut::BackOrder, None) => refuse("lead_days", "say in how many days the goods are there".into()),
        (WhenOut::Refuse | WhenOut::PreOrder, Some(_)) => {
            refuse("lead_days", "leave it out: only back-orders have a lead time".into());
        }
        (_, Some(days)) if !(0..=LEAD_DAYS_MAX).contains(&days) => {
            refuse("lead_days", format!("give 0 to {LEAD_DAYS_MAX} days"));
        }
        _ => {}
    }
    if rule.releases_at.is_some() && rule.when_out != WhenOut::PreOrder {
        refuse("releases_at", "leave it out: only pre-orders have a release".into());
    }
    Refusal::all(refusals).map_or(Ok(rule), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back_order(cap: i64) -> Rule {
        Rule { when_out: WhenOut::BackOrder, cap: Some(cap), lead_days: Some(10), releases_at: None }
    }

    const PRE_ORDER: Rule = Rule { when_out: WhenOut::PreOrder, ..Rule::REFUSE };

    #[test]
    fn back_orders_stop_at_their_cap_and_pre_orders_at_what_is_expected() {
        let claims = Claims { backordered: 3, ..Claims::default() };
        assert_eq!((back_order(5).beyond(&claims), back_order(2).beyond(&claims)), (2, 0));
        let expected = Claims { incoming: 10, preordered: 4, committed: 2, free: 1, ..Claims::default() };
        assert_eq!((PRE_ORDER.beyond(&expected), Rule::REFUSE.beyond(&expected)), (5, 0));
        assert_eq!(Rule { cap: Some(6), ..PRE_ORDER }.beyond(&expected), 2);
    }

    #[test]
    fn a_rule_says_what_fits_to_it() {
        let fields = |one: Rule| {
            let refused = rule(one).err();
            refused
                .iter()
                .flat_map(Refusal::each)
                .filter_map(Refusal::field)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert!(rule(back_order(1)).is_ok() && rule(PRE_ORDER).is_ok() && rule(Rule::REFUSE).is_ok());
        assert_eq!(fields(Rule { cap: None, lead_days: None, ..back_order(1) }), ["cap", "lead_days"]);
        assert_eq!(fields(Rule { lead_days: Some(1), cap: Some(0), ..PRE_ORDER }), ["cap", "lead_days"]);
        let all = Rule { when_out: WhenOut::Refuse, releases_at: Some(Instant::EPOCH), ..back_order(1) };
        assert_eq!(fields(all), ["cap", "lead_days", "releases_at"]);
    }

    proptest! {
        #[test]
        fn no_more_is_pre_ordered_than_is_expected(
            free in 0i64..20, held in 0i64..10, committed in 0i64..10, incoming in 0i64..30, orders in prop::collection::vec(1i64..8, 0..12)
        ) {
            let mut claims = Claims { free, held, committed, incoming, ..Claims::default() };
            for asked in orders {
                if asked <= PRE_ORDER.beyond(&claims) {
                    claims.preordered += asked;
                }
            }
            prop_assert!(claims.preordered <= incoming);
        }
    }
}
