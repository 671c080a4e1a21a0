//! Returns: in which condition goods come back, and where the books put them.

pub mod claim;
pub mod policy;

use crate::refusal::{Code, Refusal};
use crate::stock;
use crate::words;

words! {
    /// The condition in which goods come back.
    Condition {
        /// Can be sold again.
        Resellable 1 "resellable";
        /// Must be looked at first.
        Inspect 2 "inspect";
        /// Damaged.
        Damaged 3 "damaged";
        /// Thrown away.
        Scrap 4 "scrap";
        /// The customer keeps them; nothing comes back.
        Kept 5 "kept";
    }
}

impl Condition {
    /// The state they come back into; `None` when nothing comes back.
    pub const fn state(self) -> Option<stock::State> {
        match self {
            Condition::Resellable => Some(stock::State::Available),
            Condition::Inspect => Some(stock::State::Quality),
            Condition::Damaged => Some(stock::State::Damaged),
            Condition::Scrap => Some(stock::State::Scrap),
            Condition::Kept => None,
        }
    }
}

words! {
    /// Where a return stands.
    State {
        /// The goods are here, the money is on its way back.
        Received 1 "received";
        /// The money was given back.
        Refunded 2 "refunded";
        /// The customer asked to send goods back.
        Requested 3 "requested";
        /// They may come back.
        Approved 4 "approved";
        /// They may not.
        Declined 5 "declined";
        /// The goods were looked at and graded.
        Inspected 6 "inspected";
        /// Nothing of it goes on.
        Closed 7 "closed";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::Requested => &[State::Approved, State::Declined, State::Closed],
            State::Approved => &[State::Received, State::Closed],
            State::Received => &[State::Inspected, State::Refunded],
            State::Inspected => &[State::Received, State::Refunded],
            State::Refunded => &[State::Closed],
            State::Declined | State::Closed => &[],
        }
    }

    /// May this state follow?
    ///
    /// # Errors
    /// [`Code::WrongState`], saying where the return stands.
    pub fn lead_to(self, next: State) -> Result<State, Refusal> {
        if self.next().contains(&next) {
            return Ok(next);
        }
        let message = format!("the return is {} and cannot become {}", self.text(), next.text());
        Err(Refusal::new(Code::WrongState, message))
    }

    /// Are its goods still to come, so that nobody else may bring the same ones back?
    pub const fn is_announced(self) -> bool {
        matches!(self, State::Requested | State::Approved)
    }
}

words! {
    /// How goods come back.
    Way {
        /// Over the counter, all in one step.
        Counter 1 "counter";
        /// By post, with a label.
        Post 2 "post";
        /// Announced first, then brought to a store.
        Store 3 "store";
    }
}

words! {
    /// How money is given back.
    Means {
        /// The way it came, the first means of payment first.
        Original 1 "original";
        /// As store credit of the customer.
        StoreCredit 2 "store_credit";
        /// On a new gift card.
        GiftCard 3 "gift_card";
        /// In coins and notes.
        Cash 4 "cash";
        /// Carried over to the order of an exchange.
        Exchange 5 "exchange";
    }
}

words! {
    /// What of a parcel that came back is not as it was announced.
    Discrepancy {
        /// Fewer pieces than announced.
        Short 1 "short";
        /// Something else than announced.
        WrongGoods 2 "wrong_goods";
        /// In another condition than announced.
        OtherCondition 3 "other_condition";
    }
}

words! {
    /// What a reason code is for.
    Purpose {
        /// Why goods come back.
        Return 1 "return";
        /// What was wrong with goods.
        Claim 2 "claim";
        /// Why goods are exchanged.
        Exchange 4 "exchange";
        /// Why a store does not serve an order.
        Reject 8 "reject";
        /// Why goods are written off.
        WriteOff 16 "write_off";
    }
}

impl Purpose {
    /// A set of purposes as one number.
    pub fn bits(purposes: &[Purpose]) -> i64 {
        purposes.iter().fold(0, |bits, purpose| bits | purpose.code())
    }

    /// The purposes in a number.
    pub fn of_bits(bits: i64) -> Vec<Purpose> {
        Purpose::ALL.iter().copied().filter(|purpose| bits & purpose.code() != 0).collect()
    }
}

/// The reasons a new shop begins with: code, English text, and what they are for.
pub const FIRST_REASONS: &[(&str, &str, &[Purpose])] = &[
    ("too_small", "Too small", &[Purpose::Return, Purpose::Exchange]),
    ("too_large", "Too large", &[Purpose::Return, Purpose::Exchange]),
    ("changed_mind", "Changed mind", &[Purpose::Return, Purpose::Exchange]),
    ("gift", "Unwanted gift", &[Purpose::Return, Purpose::Exchange]),
    ("not_as_described", "Not as described", &[Purpose::Return, Purpose::Exchange, Purpose::Claim]),
    ("damaged", "Damaged", &[Purpose::Return, Purpose::Exchange, Purpose::Claim, Purpose::WriteOff]),
    ("wrong_goods", "Wrong goods", &[Purpose::Return, Purpose::Exchange, Purpose::Claim]),
    ("missing_part", "A part is missing", &[Purpose::Return, Purpose::Claim]),
    ("not_arrived", "Did not arrive", &[Purpose::Claim]),
    ("not_found", "Not found in the store", &[Purpose::Reject, Purpose::WriteOff]),
    ("no_time", "No time to prepare it", &[Purpose::Reject]),
    ("stolen", "Stolen", &[Purpose::WriteOff]),
    ("used_in_house", "Used in the house", &[Purpose::WriteOff]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_goes_forward_only() {
        assert_eq!(State::Requested.lead_to(State::Approved), Ok(State::Approved));
        let refusal = State::Declined.lead_to(State::Received).unwrap_err();
        assert_eq!(refusal.to_string(), "wrong_state: the return is declined and cannot become received");
        assert!(State::Requested.lead_to(State::Refunded).is_err(), "nothing is paid before it is approved");
    }

    #[test]
    fn purposes_are_a_set() {
        let purposes = [Purpose::Return, Purpose::WriteOff];
        assert_eq!(Purpose::of_bits(Purpose::bits(&purposes)), purposes);
        assert!(FIRST_REASONS.iter().all(|(code, _, purposes)| !code.is_empty() && !purposes.is_empty()));
    }
}
