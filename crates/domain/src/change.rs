//! Changes of an order after it was placed: where they stand, what a channel allows, and what taking out, putting in and correcting do
//! to the order's money.

use std::collections::BTreeMap;

use crate::fulfilment::State as Part;
use crate::order::share;
use crate::refusal::{Code, Refusal};
use crate::tax::Taxed;
use crate::value::{Money, Rate};
use crate::words;

/// The most actions of one change.
pub const ACTIONS_MAX: usize = 100;
/// The longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;
/// The longest that goods are kept for a preview, in minutes.
pub const PREVIEW_MINUTES_MAX: i64 = 24 * 60;

words! {
    /// Where a change stands.
    State {
        /// Shown with what it costs; what it adds is kept for it.
        Previewed 1 "previewed";
        /// Done as it was shown.
        Confirmed 2 "confirmed";
        /// Not wanted.
        Declined 3 "declined";
        /// Nobody said yes in time.
        Expired 4 "expired";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::Previewed => &[State::Confirmed, State::Declined, State::Expired],
            State::Confirmed | State::Declined | State::Expired => &[],
        }
    }
}

words! {
    /// What a line of a change does.
    What {
        /// Puts a line in.
        Add 1 "add";
        /// Takes units of a line out.
        Remove 2 "remove";
        /// Gives a line another price.
        Correct 3 "correct_price";
    }
}

words! {
    /// At which price more is sold of what the order has already.
    AddedAt {
        /// At what it costs now.
        Today 1 "today";
        /// At what it cost when the order was placed.
        Original 2 "original";
    }
}

/// What a channel allows of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Customers may change their orders themselves until picking begins.
    pub customers: bool,
    /// The delivery is charged anew although its method stays.
    pub delivery_anew: bool,
    /// The price of more of what the order has already.
    pub added_at: AddedAt,
    /// How long a preview stands, in minutes.
    pub preview_minutes: i64,
    /// The most a price may be corrected by, as a part of it.
    pub correction_most: Rate,
    /// The most a price of one may be corrected by, in minor units, whatever part of it that is; no such bound when `None`.
    pub correction_most_minor: Option<i64>,
}

impl Rule {
    /// What holds where a channel says nothing: customers may, the delivery is not charged again, today's prices, a quarter of an hour,
    /// corrections by at most half.
    pub fn usual() -> Rule {
        Rule {
            customers: true,
            delivery_anew: false,
            added_at: AddedAt::Today,
            preview_minutes: 15,
            correction_most: Rate::from_parts_per_million(Rate::WHOLE / 2).unwrap_or(Rate::ZERO),
            correction_most_minor: None,
        }
    }

    /// The most minor units by which a price of one may be corrected.
    fn correction_of(&self, unit: i64) -> i64 {
        let part = i128::from(unit) * i128::from(self.correction_most.parts_per_million());
        let part = i64::try_from(part / i128::from(Rate::WHOLE)).unwrap_or(i64::MAX);
        self.correction_most_minor.map_or(part, |most| most.min(part))
    }
}

/// Checks a rule.
///
/// # Errors
/// The refusal names the field at fault.
pub fn rule(rule: Rule) -> Result<Rule, Refusal> {
    if !(1..=PREVIEW_MINUTES_MAX).contains(&rule.preview_minutes) {
        return Err(Refusal::invalid("preview_minutes", format!("give 1 to {PREVIEW_MINUTES_MAX} minutes")));
    }
    if rule.correction_most_minor.is_some_and(|most| !(0..=Money::MAX).contains(&most)) {
        return Err(Refusal::invalid(
            "correction_most_minor",
            format!("give 0 to {} minor units", Money::MAX),
        ));
    }
    Ok(rule)
}

/// Has nobody begun to prepare these parts of an order? Until then its customer may change it.
pub fn is_untouched(parts: &[Part]) -> bool {
    let begun = |part: &Part| part.has_left() || matches!(part, Part::Picking | Part::Packed | Part::Ready);
    !parts.iter().any(begun)
}

/// A line of an order as its money sees it: amounts in minor units, frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// How many units.
    pub quantity: i64,
    /// What one costs, as it was shown.
    pub unit: i64,
    /// What the line costs.
    pub amounts: Taxed,
    /// How many of its units were cancelled.
    pub cancelled: i64,
    /// How many came back.
    pub returned: i64,
}

/// What an order owes less when so many more units of a line are cancelled: positive amounts.
pub fn removed(line: &Frozen, units: i64) -> Taxed {
    let done = line.cancelled + line.returned;
    let of = |amount| share(amount, line.quantity, done, units);
    let (gross_minor, tax_minor) = (of(line.amounts.gross_minor), of(line.amounts.tax_minor));
    Taxed { net_minor: gross_minor - tax_minor, tax_minor, gross_minor }
}

/// Checks that a line can have another price.
///
/// A line of which units were cancelled or came back has paid those at the old price; its rest cannot have another one.
///
/// # Errors
/// [`Code::WrongState`], or [`Code::Invalid`] when the price would change by more than the rule allows.
pub fn may_correct(line: &Frozen, unit: i64, rule: &Rule) -> Result<(), Refusal> {
    if line.cancelled + line.returned > 0 {
        let message =
            "part of this line was cancelled or came back; take the rest out and add it at the right price";
        return Err(Refusal::new(Code::WrongState, message));
    }
    let allowed = rule.correction_of(line.unit);
    let (least, highest) = ((line.unit - allowed).max(0), line.unit.saturating_add(allowed));
    if !(least..=highest).contains(&unit) {
        return Err(Refusal::invalid("unit_price", format!("give {least} to {highest} minor units")));
    }
    Ok(())
}

/// What one set of amounts has beyond another.
pub const fn beyond(more: Taxed, less: Taxed) -> Taxed {
    Taxed {
        net_minor: more.net_minor - less.net_minor,
        tax_minor: more.tax_minor - less.tax_minor,
        gross_minor: more.gross_minor - less.gross_minor,
    }
}

/// Two sets of amounts together.
pub const fn together(one: Taxed, other: Taxed) -> Taxed {
    Taxed {
        net_minor: one.net_minor + other.net_minor,
        tax_minor: one.tax_minor + other.tax_minor,
        gross_minor: one.gross_minor + other.gross_minor,
    }
}

/// What amounts come to at each tax rate, the lowest rate first; rates at which nothing is left are left out.
pub fn by_rate(amounts: impl IntoIterator<Item = (Rate, Taxed)>) -> Vec<(Rate, Taxed)> {
    let mut sums: BTreeMap<i64, (Rate, Taxed)> = BTreeMap::new();
    for (rate, amount) in amounts {
        let sum = &mut sums.entry(rate.parts_per_million()).or_insert((rate, NOTHING)).1;
        *sum = together(*sum, amount);
    }
    sums.into_values().filter(|(_, amount)| *amount != NOTHING).collect()
}

/// Nothing.
pub const NOTHING: Taxed = Taxed { net_minor: 0, tax_minor: 0, gross_minor: 0 };

/// The delivery charge after a change: what left already was sent for the charge before, which then stays and the new one is added to it.
///
/// # Errors
/// [`Code::WrongState`] when both are taxed at different rates: an order has one charge at one rate.
pub fn delivery_charge(
    before: (Taxed, Rate),
    anew: (Taxed, Rate),
    something_left: bool,
) -> Result<(Taxed, Rate), Refusal> {
    if !something_left || before.0 == NOTHING {
        return Ok(anew);
    }
    if anew.0 != NOTHING && before.1 != anew.1 {
        let message = "part of it was sent for a charge that is taxed at another rate; order the rest anew";
        return Err(Refusal::new(Code::WrongState, message));
    }
    Ok((together(before.0, anew.0), before.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Sums;
    use proptest::prelude::*;

    fn taxed(gross_minor: i64) -> Taxed {
        let tax_minor = gross_minor / 6;
        Taxed { net_minor: gross_minor - tax_minor, tax_minor, gross_minor }
    }

    fn line(quantity: i64, unit: i64) -> Frozen {
        Frozen { quantity, unit, amounts: taxed(quantity * unit), cancelled: 0, returned: 0 }
    }

    #[test]
    fn corrections_are_bounded() {
        let rule = Rule::usual();
        assert_eq!(may_correct(&line(2, 500), 250, &rule), Ok(()));
        let refusal = may_correct(&line(2, 500), 249, &rule).unwrap_err();
        assert_eq!(refusal.to_string(), "invalid: unit_price: give 250 to 750 minor units");
        assert!(may_correct(&line(2, 500), 751, &rule).is_err());
        assert!(may_correct(&Frozen { returned: 1, ..line(2, 500) }, 400, &rule).is_err());
        let tighter = Rule { correction_most_minor: Some(20), ..rule };
        assert_eq!(may_correct(&line(2, 500), 480, &tighter), Ok(()));
        let refusal = may_correct(&line(2, 500), 479, &tighter).unwrap_err();
        assert_eq!(refusal.to_string(), "invalid: unit_price: give 480 to 520 minor units");
        assert_eq!(
            may_correct(&line(1, 30), 14, &tighter).unwrap_err().field(),
            Some("unit_price"),
            "half binds"
        );
        assert!(super::rule(Rule { correction_most_minor: Some(-1), ..rule }).is_err());
    }

    #[test]
    fn taxes_are_told_by_rate() {
        let rate = |parts| Rate::from_parts_per_million(parts).unwrap();
        let (more, less) = (taxed(600), beyond(NOTHING, taxed(600)));
        let told =
            by_rate([(rate(200_000), more), (rate(0), less), (rate(200_000), more), (rate(50_000), more)]);
        assert_eq!(told[0], (rate(0), less));
        assert_eq!(told[1..], [(rate(50_000), more), (rate(200_000), together(more, more))]);
        assert_eq!(by_rate([(rate(0), more), (rate(0), less)]), []);
    }

    #[test]
    fn a_charge_for_what_left_stays() {
        let rate = |parts| Rate::from_parts_per_million(parts).unwrap();
        let (before, anew) = ((taxed(399), rate(200_000)), (taxed(600), rate(200_000)));
        assert_eq!(delivery_charge(before, anew, false), Ok(anew));
        assert_eq!(delivery_charge(before, anew, true).unwrap().0.gross_minor, 999);
        assert!(delivery_charge(before, (taxed(600), rate(50_000)), true).is_err());
        assert_eq!(delivery_charge((NOTHING, Rate::ZERO), anew, true), Ok(anew));
    }

    #[test]
    fn the_customer_may_until_picking_begins() {
        assert!(is_untouched(&[Part::Open, Part::Unrouted, Part::Offered, Part::Claimed, Part::Cancelled]));
        for begun in [Part::Picking, Part::Packed, Part::Ready, Part::Shipped, Part::Collected] {
            assert!(!is_untouched(&[Part::Open, begun]));
        }
    }

    /// An order as its money sees it.
    #[derive(Debug)]
    struct Book {
        lines: Vec<Frozen>,
        delivery: Taxed,
        sums: Sums,
    }

    impl Book {
        /// Money follows: what is owed is taken, what is too much is given back.
        fn settle(&mut self) {
            self.sums.captured += self.sums.missing();
            self.sums.refunded += self.sums.to_refund();
        }

        /// One thing that happens to the order, as a change, a cancellation or a return does it.
        fn happen(&mut self, (what, place, units, price): (u8, usize, i64, i64)) {
            let place = place % self.lines.len();
            let one = &mut self.lines[place];
            let open = one.quantity - one.cancelled - one.returned;
            let units = units.min(open);
            match what % 5 {
                0 => {
                    self.lines.push(line(units.max(1), price));
                    self.sums.gross += self.lines.last().map_or(0, |added| added.amounts.gross_minor);
                }
                1 if units > 0 => {
                    self.sums.cancelled += removed(one, units).gross_minor;
                    one.cancelled += units;
                }
                2 if units > 0 => {
                    self.sums.returned += removed(one, units).gross_minor;
                    one.returned += units;
                }
                3 if may_correct(one, price, &Rule::usual()).is_ok() => {
                    let corrected = Frozen { unit: price, ..line(one.quantity, price) };
                    self.sums.gross += beyond(corrected.amounts, one.amounts).gross_minor;
                    *one = corrected;
                }
                4 => {
                    let anew = (taxed(price), Rate::ZERO);
                    let (charge, _) =
                        delivery_charge((self.delivery, Rate::ZERO), anew, units % 2 == 0).unwrap();
                    self.sums.gross += beyond(charge, self.delivery).gross_minor;
                    self.delivery = charge;
                }
                _ => {}
            }
        }

        fn must_hold(&self) {
            let lines: i64 = self.lines.iter().map(|line| line.amounts.gross_minor).sum();
            assert_eq!(
                lines + self.delivery.gross_minor,
                self.sums.gross,
                "lines and delivery are the total"
            );
            assert!(self.sums.owed() >= self.delivery.gross_minor, "no more is cancelled than was sold");
            assert_eq!(self.sums.kept(), self.sums.owed(), "what is owed is what is kept");
            for line in &self.lines {
                let part = removed(line, line.quantity - line.cancelled - line.returned);
                assert!(part.gross_minor >= 0 && part.tax_minor >= 0);
                assert_eq!(part.net_minor + part.tax_minor, part.gross_minor);
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_changes_the_money_holds(
            first in (1i64..20, 0i64..3000), steps in prop::collection::vec((0u8..5, 0usize..9, 1i64..12, 0i64..3000), 0..40)
        ) {
            let first = line(first.0, first.1);
            let sums = Sums { gross: first.amounts.gross_minor, ..Sums::default() };
            let mut book = Book { lines: vec![first], delivery: NOTHING, sums };
            book.settle();
            for step in steps {
                book.happen(step);
                book.settle();
                book.must_hold();
            }
            for place in 0..book.lines.len() {
                book.happen((2, place, i64::MAX, 0));
            }
            book.settle();
            prop_assert_eq!(book.sums.kept(), book.delivery.gross_minor, "everything else went back, to the penny");
        }
    }
}
