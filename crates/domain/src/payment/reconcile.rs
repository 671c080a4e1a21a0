//! Holding what a provider says of a day against our books: what is equal, what only one side has, what has another amount, and what is left over
//! on either side.

mod cleared;

use std::collections::{BTreeMap, HashMap};

use crate::value::id::Payment;
use crate::value::{Currency, Id, Instant};
use crate::words;

pub use cleared::since_cleared;

words! {
    /// What money did at a provider.
    Side {
        /// It was taken from a customer.
        Captured 1 "captured";
        /// It was given back to a customer.
        Refunded 2 "refunded";
        /// Something else, such as a dispute or a refund that came back.
        Other 3 "other";
        /// The provider paid it out to us.
        PaidOut 4 "paid_out";
        /// The provider keeps it, for itself and not of a payment.
        Fee 5 "fee";
    }
}

words! {
    /// What is not equal.
    Outcome {
        /// The provider has it, our books do not.
        MissingHere 1 "missing_here";
        /// Our books have it, the provider does not.
        MissingThere 2 "missing_there";
        /// Both have it, with another amount.
        DifferentAmount 3 "different_amount";
        /// It was cleared by hand, and is no difference any more.
        ClearedInVain 4 "cleared_in_vain";
    }
}

/// One movement in the provider's own record. Amounts are what it makes the provider owe us more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theirs {
    /// What it is.
    pub side: Side,
    /// The provider's own id of it.
    pub reference: String,
    /// The key we asked for it with, if the provider kept it.
    pub key: Option<String>,
    /// The payment it belongs to, if the provider kept it.
    pub payment: Option<Id<Payment>>,
    /// The provider's own id of the payment.
    pub payment_reference: Option<String>,
    /// In minor units; negative for what was given back or paid out.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// What the provider keeps of it, in minor units of a currency, if it says so.
    pub fee: Option<(i64, Currency)>,
    /// When.
    pub at: Instant,
    /// It gives back what was taken while we had let go of the payment: our books never had either.
    pub takes_back: bool,
}

/// One movement in our books. Amounts are what it makes the provider owe us more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// What it is.
    pub side: Side,
    /// The key we asked for it with.
    pub key: String,
    /// The payment.
    pub payment: Id<Payment>,
    /// The provider's own id of the payment.
    pub payment_reference: Option<String>,
    /// In minor units; negative for what was given back.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// When it was recorded.
    pub at: Instant,
}

/// Something that is not equal. Amounts are what either side says the provider owes us by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What is not equal.
    pub outcome: Outcome,
    /// What it is.
    pub side: Side,
    /// The provider's own id of it, if the provider has it.
    pub reference: Option<String>,
    /// The key we asked for it with, if that is known.
    pub key: Option<String>,
    /// The payment, if it is known.
    pub payment: Option<Id<Payment>>,
    /// The currency.
    pub currency: Currency,
    /// What the provider says.
    pub theirs: i64,
    /// What our books say.
    pub ours: i64,
}

impl Line {
    /// What the books lack against the provider's record.
    pub const fn lacks(&self) -> i64 {
        self.theirs - self.ours
    }

    /// Is it the same thing as another line, which may have been found on another run?
    pub fn is_same(&self, other: &Line) -> bool {
        (self.side, &self.reference, &self.key, self.currency, self.lacks())
            == (other.side, &other.reference, &other.key, other.currency, other.lacks())
    }
}

/// The sums of one currency. What the provider says less what our books say is what is left over there less what is left over here, and
/// what one side counts on another day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many movements are equal.
    pub equal: i64,
    /// Taken, by the provider's record.
    pub captured_there: i64,
    /// Taken, by our books.
    pub captured_here: i64,
    /// Given back, by the provider's record.
    pub refunded_there: i64,
    /// Given back, by our books.
    pub refunded_here: i64,
    /// Everything else in the provider's record but pay-outs and fees.
    pub other_there: i64,
    /// What the provider kept, as far as it says so.
    pub fees: i64,
    /// What the provider paid out, as far as it says so.
    pub paid_out: i64,
    /// Left over in the provider's record.
    pub left_there: i64,
    /// Left over in our books.
    pub left_here: i64,
    /// What is equal but was recorded here on another day, or on this day for another: there less here.
    pub shifted: i64,
}

/// What comparing a day found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is not equal.
    pub lines: Vec<Line>,
    /// The sums, by currency code.
    pub totals: BTreeMap<&'static str, Total>,
}

/// Compares a day. `theirs` may begin earlier and end later, and `ours` may have other days' parts of the payments: they are only looked at
/// to find what belongs together over midnight.
pub fn compare(day: (Instant, Instant), theirs: &[Theirs], ours: &[Ours]) -> Report {
    let mut both = Both::new(day, theirs, ours);
    both.pair_by_key();
    both.pair_within_payments(true);
    both.drop_taken_back();
    both.pair_within_payments(false);
    both.report()
}

/// What became of one of their movements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    With(usize),
    TakenBack,
}

struct Both<'a> {
    day: (Instant, Instant),
    theirs: &'a [Theirs],
    ours: &'a [Ours],
    /// The payment of each of theirs, as far as it is known.
    payments: Vec<Option<Id<Payment>>>,
    fates: Vec<Fate>,
    taken: Vec<bool>,
}

impl<'a> Both<'a> {
    fn new(day: (Instant, Instant), theirs: &'a [Theirs], ours: &'a [Ours]) -> Both<'a> {
        let known: HashMap<&str, Id<Payment>> =
            ours.iter().filter_map(|own| Some((own.payment_reference.as_deref()?, own.payment))).collect();
        let named = |one: &Theirs| known.get(one.payment_reference.as_deref()?).copied();
        let payments = theirs.iter().map(|one| one.payment.or_else(|| named(one))).collect();
        let (fates, taken) = (vec![Fate::Open; theirs.len()], vec![false; ours.len()]);
        Both { day, theirs, ours, payments, fates, taken }
    }

    fn open(&self) -> Vec<usize> {
        (0..self.theirs.len()).filter(|place| self.fates[*place] == Fate::Open).collect()
    }

    fn pair(&mut self, there: usize, here: usize) {
        self.fates[there] = Fate::With(here);
        self.taken[here] = true;
    }

    fn pair_by_key(&mut self) {
        let by_key: HashMap<&str, usize> =
            self.ours.iter().enumerate().map(|(place, own)| (own.key.as_str(), place)).collect();
        for there in self.open() {
            let one = &self.theirs[there];
            let here = one.key.as_deref().and_then(|key| by_key.get(key).copied());
            let fits = |here: &usize| {
                let own = &self.ours[*here];
                !self.taken[*here] && own.side == one.side && own.currency == one.currency
            };
            if let Some(here) = here.filter(fits) {
                self.pair(there, here);
            }
        }
    }

    /// Pairs what lies nearest in time of the same payment and side, and of the same amount if asked.
    fn pair_within_payments(&mut self, same_amount: bool) {
        let mut within: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, own) in self.ours.iter().enumerate().filter(|(place, _)| !self.taken[*place]) {
            let amount = same_amount.then_some(own.amount);
            within.entry((own.payment, own.side, own.currency, amount)).or_default().push(place);
        }
        for there in self.open() {
            let one = &self.theirs[there];
            let Some(payment) = self.payments[there] else { continue };
            let amount = same_amount.then_some(one.amount);
            let Some(places) = within.get_mut(&(payment, one.side, one.currency, amount)) else { continue };
            let apart = |place: &usize| self.ours[*place].at.micros().abs_diff(one.at.micros());
            let nearest = (0..places.len()).min_by_key(|at| apart(&places[*at]));
            if let Some(nearest) = nearest {
                let here = places.remove(nearest);
                self.pair(there, here);
            }
        }
    }

    /// What was given back because we had let go of it goes with what was taken.
    fn drop_taken_back(&mut self) {
        for back in self.open() {
            let one = &self.theirs[back];
            if !one.takes_back {
                continue;
            }
            let taken = self.open().into_iter().find(|there| {
                let other = &self.theirs[*there];
                let of_payment =
                    self.payments[*there].is_some() && self.payments[*there] == self.payments[back];
                of_payment && other.currency == one.currency && other.amount == -one.amount
            });
            if let Some(taken) = taken {
                self.fates[taken] = Fate::TakenBack;
                self.fates[back] = Fate::TakenBack;
            }
        }
    }

    fn is_of_day(&self, at: Instant) -> bool {
        self.day.0 <= at && at < self.day.1
    }

    fn report(&self) -> Report {
        let mut report = Report::default();
        for (there, one) in self.theirs.iter().enumerate() {
            let total = report.totals.entry(one.currency.code()).or_default();
            let pair = match self.fates[there] {
                Fate::With(here) => Some(&self.ours[here]),
                Fate::Open | Fate::TakenBack => None,
            };
            if self.is_of_day(one.at) {
                match one.side {
                    Side::Captured => total.captured_there += one.amount,
                    Side::Refunded => total.refunded_there -= one.amount,
                    Side::Other => total.other_there += one.amount,
                    Side::PaidOut => total.paid_out -= one.amount,
                    Side::Fee => total.fees -= one.amount,
                }
                if let Some((fee, currency)) = one.fee {
                    report.totals.entry(currency.code()).or_default().fees += fee;
                }
                if !matches!(one.side, Side::PaidOut | Side::Fee) {
                    let line = unequal(one, self.payments[there], pair, self.fates[there]);
                    let total = report.totals.entry(one.currency.code()).or_default();
                    total.equal += i64::from(line.is_none());
                    report.lines.extend(line);
                }
            }
            self.shift(there, &mut report);
        }
        for (here, own) in self.ours.iter().enumerate().filter(|(_, own)| self.is_of_day(own.at)) {
            let total = report.totals.entry(own.currency.code()).or_default();
            match own.side {
                Side::Captured => total.captured_here += own.amount,
                _ => total.refunded_here -= own.amount,
            }
            if !self.taken[here] {
                report.lines.push(missing_there(own));
            }
        }
        for line in &report.lines {
            let total = report.totals.entry(line.currency.code()).or_default();
            total.left_there += line.theirs;
            total.left_here += line.ours;
        }
        report
    }

    /// What lies on two days is counted on each by one side only; what was taken back, by theirs.
    fn shift(&self, there: usize, report: &mut Report) {
        let one = &self.theirs[there];
        let total = report.totals.entry(one.currency.code()).or_default();
        match self.fates[there] {
            Fate::With(here) => {
                let own = &self.ours[here];
                match (self.is_of_day(one.at), self.is_of_day(own.at)) {
                    (true, false) => total.shifted += own.amount,
                    (false, true) => total.shifted -= own.amount,
                    (true, true) | (false, false) => {}
                }
            }
            Fate::TakenBack if self.is_of_day(one.at) => total.shifted += one.amount,
            Fate::TakenBack | Fate::Open => {}
        }
    }
}

fn unequal(one: &Theirs, payment: Option<Id<Payment>>, pair: Option<&Ours>, fate: Fate) -> Option<Line> {
    let outcome = match pair {
        Some(own) if own.amount == one.amount => return None,
        Some(_) => Outcome::DifferentAmount,
        None if fate == Fate::TakenBack || one.amount == 0 => return None,
        None => Outcome::MissingHere,
    };
    Some(Line {
        outcome,
        side: one.side,
        reference: Some(one.reference.clone()),
        key: pair.map(|own| own.key.clone()).or_else(|| one.key.clone()),
        payment: pair.map(|own| own.payment).or(payment),
        currency: one.currency,
        theirs: one.amount,
        ours: pair.map_or(0, |own| own.amount),
    })
}

fn missing_there(own: &Ours) -> Line {
    Line {
        outcome: Outcome::MissingThere,
        side: own.side,
        reference: None,
        key: Some(own.key.clone()),
        payment: Some(own.payment),
        currency: own.currency,
        theirs: 0,
        ours: own.amount,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: (Instant, Instant) = (Instant::from_micros(1_000), Instant::from_micros(2_000));

    fn pounds() -> Currency {
        Currency::parse("GBP").unwrap()
    }

    fn payment(number: u8) -> Id<Payment> {
        Id::from_bytes([number; 16])
    }

    fn here(number: u8, key: &str, amount: i64, at: i64) -> Ours {
        let side = if amount < 0 { Side::Refunded } else { Side::Captured };
        let payment_reference = Some(format!("pi_{number}"));
        let (key, at) = (key.to_owned(), Instant::from_micros(at));
        Ours { side, key, payment: payment(number), payment_reference, amount, currency: pounds(), at }
    }

    /// As the provider says it that keeps our key (`Ok`), or only knows its own payment (`Err`).
    fn there(number: u8, key: Result<&str, &str>, amount: i64, at: i64) -> Theirs {
        Theirs {
            side: if amount < 0 { Side::Refunded } else { Side::Captured },
            reference: key.unwrap_or_else(|own| own).to_owned(),
            key: key.ok().map(str::to_owned),
            payment: key.ok().map(|_| payment(number)),
            payment_reference: Some(format!("pi_{number}")),
            amount,
            currency: pounds(),
            fee: Some((1, pounds())),
            at: Instant::from_micros(at),
            takes_back: false,
        }
    }

    fn found(report: &Report) -> Vec<(Outcome, i64, i64)> {
        report.lines.iter().map(|line| (line.outcome, line.theirs, line.ours)).collect()
    }

    #[test]
    fn each_difference_is_named_with_what_is_left_over() {
        let ours = [
            here(1, "c1", 500, 1_100),
            here(1, "r1", -200, 1_200),
            here(2, "c2", 300, 1_300),
            here(3, "c3", 400, 1_400),
        ];
        let theirs = [
            there(1, Ok("c1"), 500, 1_090),
            there(1, Err("re_1"), -150, 1_190),
            there(3, Err("ch_3"), 400, 1_390),
            there(4, Err("ch_4"), 70, 1_500),
        ];
        let report = compare(DAY, &theirs, &ours);
        assert_eq!(
            found(&report),
            [
                (Outcome::DifferentAmount, -150, -200),
                (Outcome::MissingHere, 70, 0),
                (Outcome::MissingThere, 0, 300)
            ]
        );
        let total = report.totals["GBP"];
        assert_eq!((total.equal, total.fees), (2, 4));
        assert_eq!((total.captured_there, total.captured_here), (970, 1200));
        assert_eq!((total.refunded_there, total.refunded_here), (150, 200));
        assert_eq!((total.left_there, total.left_here, total.shifted), (-80, 100, 0));
        // What was cleared does not come again; what was cleared and is no difference any more asks for the opposite.
        let cleared = report.lines.clone();
        assert_eq!(since_cleared(report, &cleared), []);
        let again = since_cleared(compare(DAY, &theirs, &ours[..2]), &cleared);
        let lacks: Vec<_> = again.iter().map(|line| (line.outcome, line.lacks())).collect();
        assert_eq!(lacks, [(Outcome::MissingHere, 400), (Outcome::ClearedInVain, 300)]);
        let mut cleared = cleared;
        cleared.push(again[1].clone());
        assert_eq!(since_cleared(compare(DAY, &theirs, &ours[..2]), &cleared).len(), 1);
    }

    #[test]
    fn what_lies_over_midnight_belongs_together() {
        let ours = [here(1, "c1", 500, 2_010), here(2, "c2", 300, 1_005)];
        let theirs = [there(1, Ok("c1"), 500, 1_990), there(2, Ok("c2"), 300, 995)];
        let report = compare(DAY, &theirs, &ours);
        let total = report.totals["GBP"];
        assert_eq!((found(&report), total.equal, total.shifted), (vec![], 1, 200));
        assert_eq!((total.captured_there, total.captured_here), (500, 300));
    }

    #[test]
    fn what_was_let_go_and_given_back_is_no_difference() {
        let back = Theirs { takes_back: true, ..there(1, Ok("void"), -500, 1_200) };
        let report = compare(DAY, &[there(1, Ok("x"), 500, 1_100), back.clone()], &[]);
        assert_eq!(found(&report), []);
        assert_eq!(found(&compare(DAY, &[back], &[])), [(Outcome::MissingHere, -500, 0)]);
    }

    proptest! {
        #[test]
        fn the_sums_are_explained_by_the_lines(
            here_parts in prop::collection::vec((0u8..4, -3i64..4, 900i64..2_100), 0..12),
            there_parts in prop::collection::vec((0u8..4, 0usize..14, -3i64..4, 900i64..2_100), 0..12),
        ) {
            let ours: Vec<_> = here_parts.iter().enumerate().filter(|(_, part)| part.1 != 0)
                .map(|(place, (number, amount, at))| here(*number, &format!("k{place}"), *amount, *at)).collect();
            let theirs: Vec<_> = there_parts.iter().filter(|part| part.2 != 0)
                .map(|(number, key, amount, at)| {
                    let key = format!("k{key}");
                    there(*number, if key.len() == 2 { Ok(&key) } else { Err(&key) }, *amount, *at)
                }).collect();
            let report = compare(DAY, &theirs, &ours);
            let total = report.totals.get("GBP").copied().unwrap_or_default();
            let net_there = total.captured_there - total.refunded_there;
            let net_here = total.captured_here - total.refunded_here;
            prop_assert_eq!(net_there - net_here, total.left_there - total.left_here + total.shifted);
            prop_assert!(report.lines.iter().all(|line| line.lacks() != 0));
        }
    }
}
