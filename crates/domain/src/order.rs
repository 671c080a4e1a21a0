//! Orders: their states, what their lines owe, and how amounts of parts of a line are found exactly.

use crate::value::Rounding;
use crate::words;

words! {
    /// Where an order stands. Payment, fulfilment and return status are derived, never stored.
    State {
        /// Placed by the customer, waiting for its payment; expires.
        PendingPayment 1 "pending_payment";
        /// Paid or good for it: to be fulfilled.
        Placed 2 "placed";
        /// Everything that was not cancelled has left. Placed again when goods are sent in the place of others.
        Completed 3 "completed";
        /// Nothing of it goes on.
        Cancelled 4 "cancelled";
    }
}

impl State {
    /// The states an order may go to from here.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::PendingPayment => &[State::Placed, State::Cancelled],
            State::Placed => &[State::Completed, State::Cancelled],
            State::Completed => &[State::Placed],
            State::Cancelled => &[],
        }
    }
}

words! {
    /// Why an order, or part of it, was cancelled.
    CancelReason {
        /// The customer asked for it.
        Customer 1 "customer";
        /// It was not paid in time.
        Unpaid 2 "unpaid";
        /// The goods could not be found.
        Stock 3 "stock";
        /// Suspected fraud.
        Fraud 4 "fraud";
        /// A mistake in the order.
        Mistake 5 "mistake";
        /// The customer did not come for the goods.
        Uncollected 6 "uncollected";
    }
}

/// How far the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Nothing is owed and nothing was paid.
    NothingDue,
    /// Nothing was taken or promised yet.
    Unpaid,
    /// Part of what is owed is taken or promised.
    PartlyPaid,
    /// All is promised, not all taken.
    Authorised,
    /// All is taken.
    Paid,
    /// Part was given back.
    PartlyRefunded,
    /// All was given back.
    Refunded,
}

impl PaymentStatus {
    /// The name over the API.
    pub const fn text(self) -> &'static str {
        match self {
            PaymentStatus::NothingDue => "nothing_due",
            PaymentStatus::Unpaid => "unpaid",
            PaymentStatus::PartlyPaid => "partly_paid",
            PaymentStatus::Authorised => "authorised",
            PaymentStatus::Paid => "paid",
            PaymentStatus::PartlyRefunded => "partly_refunded",
            PaymentStatus::Refunded => "refunded",
        }
    }
}

/// The money of an order in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// What the order was placed at.
    pub gross: i64,
    /// What was cancelled of it.
    pub cancelled: i64,
    /// What came back of it.
    pub returned: i64,
    /// What providers promised, less what was taken of it.
    pub authorised: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back.
    pub refunded: i64,
}

impl Sums {
    /// What the customer owes in the end.
    pub const fn owed(&self) -> i64 {
        self.gross - self.cancelled - self.returned
    }

    /// What we have of the customer's money.
    pub const fn kept(&self) -> i64 {
        self.captured - self.refunded
    }

    /// What must be given back: what we have beyond what is owed.
    pub const fn to_refund(&self) -> i64 {
        let more = self.kept() - self.owed();
        if more > 0 { more } else { 0 }
    }

    /// What is neither taken nor promised yet.
    pub const fn missing(&self) -> i64 {
        let missing = self.owed() - self.kept() - self.authorised;
        if missing > 0 { missing } else { 0 }
    }

    /// How far the money is.
    pub const fn status(&self) -> PaymentStatus {
        if self.refunded > 0 && self.kept() <= 0 {
            PaymentStatus::Refunded
        } else if self.refunded > 0 {
            PaymentStatus::PartlyRefunded
        } else if self.owed() <= 0 && self.captured == 0 {
            PaymentStatus::NothingDue
        } else if self.captured >= self.owed() {
            PaymentStatus::Paid
        } else if self.missing() == 0 {
            PaymentStatus::Authorised
        } else if self.captured + self.authorised > 0 {
            PaymentStatus::PartlyPaid
        } else {
            PaymentStatus::Unpaid
        }
    }
}

/// What units `done..done + part` of `whole` units carry of an amount frozen for the whole line.
///
/// Cumulative rounding: the first `n` units carry `round(amount × n / whole)`, so any split of the line into parts, in any order of
/// sizes, sums to the amount, and the last unit carries the exact rest.
pub fn share(amount: i64, whole: i64, done: i64, part: i64) -> i64 {
    assert!(whole > 0 && done >= 0 && part >= 0 && done + part <= whole, "a part lies within the whole");
    let first =
        |units: i64| Rounding::HalfUp.divide(i128::from(amount) * i128::from(units), i128::from(whole));
    i64::try_from(first(done + part) - first(done)).unwrap_or(0)
}

/// Letters and digits of an order number that cannot be mistaken for each other.
const NUMBER_DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// An order number from 40 bits of chance: eight letters and digits a person can read out, such as `7KQ4-M2XD`.
pub fn number(chance: [u8; 5]) -> String {
    let bits = chance.iter().fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let mut text = String::with_capacity(9);
    for place in 0..8 {
        if place == 4 {
            text.push('-');
        }
        text.push(char::from(NUMBER_DIGITS[((bits >> (35 - 5 * place)) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_can_be_read_out() {
        assert_eq!(number([0xff, 0, 0, 0, 1]), "ZW00-0001");
        assert_eq!(number([0; 5]), "0000-0000");
    }

    #[test]
    fn the_money_s_status() {
        let placed = Sums { gross: 1000, ..Sums::default() };
        assert_eq!(placed.status(), PaymentStatus::Unpaid);
        assert_eq!(Sums { authorised: 1000, ..placed }.status(), PaymentStatus::Authorised);
        let paid = Sums { captured: 1000, ..placed };
        assert_eq!(paid.status(), PaymentStatus::Paid);
        let returned = Sums { returned: 400, ..paid };
        assert_eq!(returned.to_refund(), 400);
        assert_eq!(Sums { refunded: 400, ..returned }.status(), PaymentStatus::PartlyRefunded);
        assert_eq!(Sums { cancelled: 1000, refunded: 1000, ..paid }.status(), PaymentStatus::Refunded);
        assert_eq!(Sums::default().status(), PaymentStatus::NothingDue);
    }

    proptest! {
        #[test]
        fn parts_of_a_line_sum_to_the_line(amount in 0i64..10_000_000, parts in prop::collection::vec(1i64..50, 1..10)) {
            let whole: i64 = parts.iter().sum();
            let mut done = 0;
            let mut sum = 0;
            for part in &parts {
                let share = share(amount, whole, done, *part);
                prop_assert!(share >= 0);
                sum += share;
                done += part;
            }
            prop_assert_eq!(sum, amount);
        }
    }
}
