//! The test provider's own books: what was asked under which key, and what each payment stands at. Kept in memory only.

use std::collections::{HashMap, HashSet};

use domain::value::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where an operation stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes a while.
    Pending,
    /// It is done.
    Done,
    /// It will not be done.
    Declined,
}

impl Status {
    const fn text(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Done => "done",
            Status::Declined => "declined",
        }
    }
}

/// A payment in the provider's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What may be captured in all.
    pub amount: i64,
    /// The currency's three letters.
    pub currency: String,
    /// Where its authorisation stands.
    pub status: Status,
    /// Taken.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Let go of.
    pub voided: bool,
    token: String,
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) status: Status,
    id: String,
    reason: Option<&'static str>,
    input: String,
}

impl Done {
    /// As it goes over the wire.
    pub(super) fn shape(&self) -> Value {
        json!({ "status": self.status.text(), "id": self.id, "reason": self.reason })
    }
}

/// Money that moved, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Movement {
    /// Counts the movements, from 1.
    pub(super) number: usize,
    /// The provider's own id of it.
    pub(super) id: String,
    pub(super) key: String,
    pub(super) payment: String,
    /// In minor units; negative for what was given back.
    pub(super) amount: i64,
    pub(super) currency: String,
    /// What the provider keeps of it.
    pub(super) fee: i64,
    pub(super) at_micros: i64,
}

/// How a question is answered.
pub(super) enum Asked {
    Done(Done),
    OtherInput,
    NoPayment,
}

/// Everything the provider knows.
#[derive(Default)]
pub(super) struct Account {
    pub(super) payments: HashMap<String, Payment>,
    operations: HashMap<String, Done>,
    attempted: HashSet<String>,
    movements: Vec<Movement>,
}

/// Of so many minor units that are taken, the provider keeps one.
const KEEPS_ONE_OF: i64 = 50;

impl Account {
    /// Is this the first attempt under this key?
    pub(super) fn attempt(&mut self, key: &str) -> bool {
        self.attempted.insert(key.to_owned())
    }

    pub(super) fn status(&self, key: &str) -> Option<Done> {
        self.operations.get(key).cloned()
    }

    /// The same answer for the same question, whatever happened since.
    fn repeated(&self, key: &str, input: &str) -> Option<Asked> {
        let known = self.operations.get(key)?;
        Some(if known.input == input { Asked::Done(known.clone()) } else { Asked::OtherInput })
    }

    fn record(&mut self, key: &str, input: String, status: Status, reason: Option<&'static str>) -> Asked {
        let done = Done { status, id: format!("tp_{}", self.operations.len() + 1), reason, input };
        self.operations.insert(key.to_owned(), done.clone());
        Asked::Done(done)
    }

    pub(super) fn authorise(&mut self, key: &str, amount: i64, currency: &str, token: &str) -> Asked {
        let input = format!("authorise {amount} {currency} {token}");
        if let Some(known) = self.repeated(key, &input) {
            return known;
        }
        if self.payments.get(key).is_some_and(|payment| payment.voided) {
            return self.record(key, input, Status::Declined, Some("the payment was voided"));
        }
        let (status, reason) = match token {
            _ if amount < 1 => (Status::Declined, Some("the amount is not positive")),
            "tok_async" | "tok_duplicate_webhook" => (Status::Pending, None),
            "tok_ok" | "tok_timeout" | "tok_fail_later" | "tok_error_once" => (Status::Done, None),
            "tok_decline" => (Status::Declined, Some("insufficient funds")),
            _ => (Status::Declined, Some("the token is not known")),
        };
        let payment = Payment {
            amount,
            currency: currency.to_owned(),
            status,
            captured: 0,
            refunded: 0,
            voided: false,
            token: token.to_owned(),
        };
        self.payments.insert(key.to_owned(), payment);
        self.record(key, input, status, reason)
    }

    /// A pending payment is confirmed, unless it was let go of meanwhile.
    pub(super) fn confirm(&mut self, key: &str) -> Option<Done> {
        let payment = self.payments.get_mut(key)?;
        let done = self.operations.get_mut(key)?;
        let (status, reason) = if payment.voided {
            (Status::Declined, Some("the payment was voided"))
        } else {
            (Status::Done, None)
        };
        payment.status = status;
        (done.status, done.reason) = (status, reason);
        Some(done.clone())
    }

    pub(super) fn capture(&mut self, payment: &str, key: &str, amount: i64, now: Instant) -> Asked {
        let input = format!("capture {payment} {amount}");
        if let Some(known) = self.repeated(key, &input) {
            return known;
        }
        let Some(found) = self.payments.get_mut(payment) else { return Asked::NoPayment };
        let refusal = if found.voided || found.status != Status::Done {
            Some("the payment is not authorised")
        } else if found.token == "tok_fail_later" {
            Some("the card was blocked since")
        } else if amount < 1 || found.captured + amount > found.amount {
            Some("more than is authorised")
        } else {
            found.captured += amount;
            None
        };
        if refusal.is_none() {
            self.moved(payment, key, amount, now);
        }
        self.record(key, input, if refusal.is_none() { Status::Done } else { Status::Declined }, refusal)
    }

    pub(super) fn refund(&mut self, payment: &str, key: &str, amount: i64, now: Instant) -> Asked {
        let input = format!("refund {payment} {amount}");
        if let Some(known) = self.repeated(key, &input) {
            return known;
        }
        let Some(found) = self.payments.get_mut(payment) else { return Asked::NoPayment };
        let refusal = if amount < 1 || found.refunded + amount > found.captured {
            Some("more than was captured")
        } else {
            found.refunded += amount;
            None
        };
        if refusal.is_none() {
            self.moved(payment, key, -amount, now);
        }
        self.record(key, input, if refusal.is_none() { Status::Done } else { Status::Declined }, refusal)
    }

    fn moved(&mut self, payment: &str, key: &str, amount: i64, now: Instant) {
        let currency = self.payments.get(payment).map(|found| found.currency.clone()).unwrap_or_default();
        self.movements.push(Movement {
            number: self.movements.len() + 1,
            id: format!("tp_{}", self.operations.len() + 1),
            key: key.to_owned(),
            payment: payment.to_owned(),
            amount,
            currency,
            fee: amount.max(0) / KEEPS_ONE_OF,
            at_micros: now.micros(),
        });
    }

    /// What moved from one instant until another, after the movement of a number, at most `limit`.
    pub(super) fn movements(&self, (from, until): (i64, i64), after: usize, limit: usize) -> Vec<Movement> {
        let later = self.movements.iter().skip(after);
        later.filter(|one| (from..until).contains(&one.at_micros)).take(limit).cloned().collect()
    }

    /// Lets go of a payment, also of one that is not known yet: its authorisation is then declined when it comes.
    pub(super) fn void(&mut self, payment: &str, key: &str) -> Asked {
        let input = format!("void {payment}");
        let found = self.payments.entry(payment.to_owned()).or_insert_with(|| Payment {
            amount: 0,
            currency: String::new(),
            status: Status::Declined,
            captured: 0,
            refunded: 0,
            voided: true,
            token: String::new(),
        });
        let refusal = (found.captured > 0).then_some("money was captured already");
        found.voided = refusal.is_none();
        if let Some(known) = self.repeated(key, &input) {
            return known;
        }
        self.record(key, input, if refusal.is_none() { Status::Done } else { Status::Declined }, refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_800_000_000_000_000);

    fn status(asked: &Asked) -> Status {
        match asked {
            Asked::Done(done) => done.status,
            Asked::OtherInput | Asked::NoPayment => panic!("an answer"),
        }
    }

    #[test]
    fn money_moves_once_per_key_and_never_beyond_what_is_open() {
        let mut account = Account::default();
        for _ in 0..2 {
            assert_eq!(status(&account.authorise("p", 100, "GBP", "tok_ok")), Status::Done);
            assert_eq!(status(&account.capture("p", "c1", 60, NOW)), Status::Done);
        }
        assert!(matches!(account.capture("p", "c1", 50, NOW), Asked::OtherInput));
        assert_eq!(status(&account.capture("p", "c2", 41, NOW)), Status::Declined);
        assert_eq!(status(&account.capture("p", "c3", 40, NOW)), Status::Done);
        assert_eq!(status(&account.refund("p", "r1", 101, NOW)), Status::Declined);
        assert_eq!(status(&account.refund("p", "r2", 100, NOW)), Status::Done);
        assert_eq!(status(&account.void("p", "v")), Status::Declined);
        assert!(matches!(account.capture("q", "c", 1, NOW), Asked::NoPayment));
        let whole = (NOW.micros(), NOW.micros() + 1);
        let moved: Vec<_> =
            account.movements(whole, 0, 2).iter().map(|one| (one.number, one.amount)).collect();
        assert_eq!(moved, [(1, 60), (2, 40)]);
        assert_eq!(account.movements(whole, 2, 2)[0].amount, -100);
        assert_eq!(account.movements((0, NOW.micros()), 0, 2), []);
    }

    #[test]
    fn a_void_that_comes_before_the_payment_holds() {
        let mut account = Account::default();
        assert_eq!(status(&account.void("p", "v")), Status::Done);
        assert_eq!(status(&account.authorise("p", 100, "GBP", "tok_ok")), Status::Declined);
        assert_eq!(status(&account.authorise("q", 100, "GBP", "tok_async")), Status::Pending);
        assert_eq!(status(&account.void("q", "w")), Status::Done);
        assert_eq!(account.confirm("q").map(|done| done.status), Some(Status::Declined));
    }
}
