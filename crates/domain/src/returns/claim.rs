//! Claims: a customer says that goods were lost, damaged or wrong. What a policy says of that, and what may follow what.

use crate::refusal::{Code, Refusal};
use crate::value::Instant;
use crate::words;

use super::policy::{DAY_MICROS, MINOR_MAX, WINDOW_DAYS_MAX};

words! {
    /// What is wrong.
    Kind {
        /// The parcel never came.
        Lost 1 "lost";
        /// The goods came damaged.
        Damaged 2 "damaged";
        /// Something else came.
        WrongGoods 3 "wrong_goods";
        /// Less came than was sent.
        MissingPieces 4 "missing_pieces";
        /// The goods do not do what they should.
        Faulty 5 "faulty";
    }
}

impl Kind {
    /// Did the customer never get the goods, so that nothing of them can be kept or sent back?
    pub const fn is_gone(self) -> bool {
        matches!(self, Kind::Lost | Kind::WrongGoods | Kind::MissingPieces)
    }

    /// May the carrier be liable for it?
    pub const fn is_carriers(self) -> bool {
        matches!(self, Kind::Lost | Kind::Damaged)
    }
}

words! {
    /// Where a claim stands.
    State {
        /// The customer said what is wrong.
        Requested 1 "requested";
        /// We agree; it is to be made good.
        Approved 2 "approved";
        /// We do not.
        Declined 3 "declined";
        /// It was made good.
        Resolved 4 "resolved";
        /// The customer does not claim it any more.
        Withdrawn 5 "withdrawn";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::Requested => &[State::Approved, State::Declined, State::Withdrawn],
            State::Approved => &[State::Resolved, State::Declined, State::Withdrawn],
            State::Declined | State::Resolved | State::Withdrawn => &[],
        }
    }

    /// May this state follow?
    ///
    /// # Errors
    /// [`Code::WrongState`], saying where the claim stands.
    pub fn lead_to(self, next: State) -> Result<State, Refusal> {
        if self.next().contains(&next) {
            return Ok(next);
        }
        let message = format!("the claim is {} and cannot become {}", self.text(), next.text());
        Err(Refusal::new(Code::WrongState, message))
    }

    /// Are its goods still spoken for, so that nobody else may claim the same ones or bring them back?
    pub const fn is_live(self) -> bool {
        matches!(self, State::Requested | State::Approved)
    }
}

words! {
    /// How a claim is made good.
    Remedy {
        /// The money goes back, all of it or a part; the customer keeps what came.
        Refund 1 "refund";
        /// The same goods are sent again, free of charge; the customer keeps what came.
        Replacement 2 "replacement";
        /// The goods come back free of charge, and then their money goes back.
        SendBack 3 "send_back";
    }
}

words! {
    /// Where what we want of the carrier stands.
    CarrierState {
        /// The carrier was not told yet.
        Open 1 "open";
        /// The carrier was told.
        Filed 2 "filed";
        /// The carrier paid.
        Paid 3 "paid";
        /// The carrier does not pay.
        Refused 4 "refused";
        /// We want nothing of the carrier any more.
        Withdrawn 5 "withdrawn";
    }
}

impl CarrierState {
    /// May this state follow?
    pub const fn leads_to(self, next: CarrierState) -> bool {
        use CarrierState::*;
        match self {
            Open => matches!(next, Filed | Withdrawn),
            Filed => matches!(next, Paid | Refused | Withdrawn),
            Refused => matches!(next, Filed | Withdrawn),
            Paid | Withdrawn => false,
        }
    }

    /// Has nothing come of it yet?
    pub const fn is_pending(self) -> bool {
        matches!(self, CarrierState::Open | CarrierState::Filed)
    }
}

words! {
    /// Where a parcel that was lost turned up.
    Found {
        /// With the customer.
        Delivered 1 "delivered";
        /// With who sent it.
        Returned 2 "returned_to_sender";
    }
}

words! {
    /// What became of goods that turned up after all.
    Whereabouts {
        /// The customer keeps them.
        Kept 1 "kept";
        /// They are back at a location.
        Restocked 2 "restocked";
    }
}

/// What a policy says of claims of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindTerms {
    /// The kind.
    pub kind: Kind,
    /// How many days after the goods left they may be claimed; for ever when `None`.
    pub window_days: Option<i64>,
    /// Must photos or notes be named?
    pub needs_evidence: bool,
}

/// What a policy says of claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The kinds something is said of, each once; others may be claimed for ever and without evidence.
    pub kinds: Vec<KindTerms>,
    /// Claims worth no more than this are approved by the rule, in minor units; none when it is nothing.
    pub approved_up_to_minor: i64,
    /// Goods worth no more than this the customer may keep, in minor units; all goods when `None`.
    pub kept_up_to_minor: Option<i64>,
}

impl Terms {
    /// The fields that are out of bounds, and what is allowed.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let mut within = |field: String, number: Option<i64>, most: i64| {
            if number.is_some_and(|number| !(0..=most).contains(&number)) {
                refusals.push(Refusal::invalid(field, format!("give 0 to {most}")));
            }
        };
        within("claims.approved_up_to".into(), Some(self.approved_up_to_minor), MINOR_MAX);
        within("claims.kept_up_to".into(), self.kept_up_to_minor, MINOR_MAX);
        for (place, one) in self.kinds.iter().enumerate() {
            within(format!("claims.kinds.{place}.window_days"), one.window_days, WINDOW_DAYS_MAX);
        }
        for (place, one) in self.kinds.iter().enumerate() {
            if self.kinds[..place].iter().any(|before| before.kind == one.kind) {
                let field = format!("claims.kinds.{place}.kind");
                refusals.push(Refusal::invalid(field, "name each kind once"));
            }
        }
        refusals
    }

    /// May goods that left at an instant be claimed now?
    ///
    /// # Errors
    /// [`Code::PolicyRefuses`], saying why not.
    pub fn allow(
        &self,
        kind: Kind,
        (left_at, now): (Instant, Instant),
        has_evidence: bool,
    ) -> Result<(), Refusal> {
        let Some(terms) = self.kinds.iter().find(|one| one.kind == kind) else { return Ok(()) };
        let until = terms.window_days.map(|days| {
            Instant::from_micros(left_at.micros().saturating_add(days.saturating_mul(DAY_MICROS)))
        });
        if let Some(until) = until.filter(|until| *until < now) {
            return Err(Refusal::new(Code::PolicyRefuses, format!("it could be claimed until {until}")));
        }
        if terms.needs_evidence && !has_evidence {
            let message =
                format!("a claim that goods are {} needs evidence; name photos or notes", kind.text());
            return Err(Refusal::new(Code::PolicyRefuses, message));
        }
        Ok(())
    }

    /// Is a claim of this value approved without a person?
    pub const fn approves(&self, value: i64) -> bool {
        value <= self.approved_up_to_minor && self.approved_up_to_minor > 0
    }

    /// May the customer keep goods of this value?
    ///
    /// # Errors
    /// [`Code::PolicyRefuses`].
    pub fn lets_keep(&self, value: i64) -> Result<(), Refusal> {
        match self.kept_up_to_minor.filter(|most| value > *most) {
            None => Ok(()),
            Some(most) => {
                let message = format!(
                    "goods worth more than {most} minor units are sent back, these are worth {value}"
                );
                Err(Refusal::new(Code::PolicyRefuses, message).at("remedy"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_goes_forward_only() {
        assert_eq!(State::Requested.lead_to(State::Approved), Ok(State::Approved));
        let refusal = State::Requested.lead_to(State::Resolved).unwrap_err();
        assert_eq!(refusal.to_string(), "wrong_state: the claim is requested and cannot become resolved");
        for end in [State::Declined, State::Resolved, State::Withdrawn] {
            assert!(end.next().is_empty() && !end.is_live());
        }
        assert!(CarrierState::Filed.leads_to(CarrierState::Paid));
        assert!(!CarrierState::Paid.leads_to(CarrierState::Withdrawn), "what was paid was paid");
    }

    #[test]
    fn each_kind_has_a_window_and_may_need_evidence() {
        let faulty = KindTerms { kind: Kind::Faulty, window_days: Some(2), needs_evidence: true };
        let terms = Terms { kinds: vec![faulty], ..Terms::default() };
        let day = |days: i64| (Instant::EPOCH, Instant::from_micros(days * DAY_MICROS));
        assert_eq!(terms.allow(Kind::Faulty, day(2), true), Ok(()));
        let late = terms.allow(Kind::Faulty, day(3), true).unwrap_err();
        assert_eq!(late.to_string(), "policy_refuses: it could be claimed until 1970-01-03T00:00:00Z");
        assert_eq!(terms.allow(Kind::Faulty, day(1), false).unwrap_err().code(), Code::PolicyRefuses);
        assert_eq!(terms.allow(Kind::Lost, day(3000), false), Ok(()), "nothing is said of it");
    }

    #[test]
    fn up_to_a_value_the_rule_approves_and_goods_are_kept() {
        assert!(!Terms::default().approves(0), "nothing is approved where nothing is written");
        let terms = Terms { approved_up_to_minor: 500, kept_up_to_minor: Some(900), ..Terms::default() };
        assert_eq!([500, 501].map(|value| terms.approves(value)), [true, false]);
        assert_eq!([900, 901].map(|value| terms.lets_keep(value).is_ok()), [true, false]);
        assert!(Terms::default().lets_keep(MINOR_MAX).is_ok());
    }

    #[test]
    fn bad_terms_are_all_named() {
        let lost = KindTerms { kind: Kind::Lost, window_days: Some(-1), needs_evidence: false };
        let terms = Terms { kinds: vec![lost, lost], approved_up_to_minor: -1, kept_up_to_minor: None };
        let fields: Vec<_> =
            terms.refusals().iter().filter_map(|one| one.field().map(str::to_owned)).collect();
        assert_eq!(
            fields,
            [
                "claims.approved_up_to",
                "claims.kinds.0.window_days",
                "claims.kinds.1.window_days",
                "claims.kinds.1.kind"
            ]
        );
    }
}
