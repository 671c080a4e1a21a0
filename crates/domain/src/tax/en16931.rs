//! Does a document add up? The arithmetic of EN 16931-1 (business rules BR-CO and BR-S/Z/E), in minor units.
//!
//! docs/PRICING.md has the table of the rules and how each is held. One thing differs by a market's choice: where tax is rounded on
//! each line, the tax of a rate is the sum of its lines', so BR-CO-17 holds within half a minor unit per line.

use crate::market::RoundingLevel;
use crate::tax::{Policy, Taxed};
use crate::value::Rate;

/// A line, an allowance or a charge of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Before what lowers it (BT-146 × BT-129), without tax where prices are without, with it where they are with.
    pub listed_minor: i64,
    /// What lowers it (BG-27).
    pub allowance_minor: i64,
    /// What it comes to (BT-131), with its tax.
    pub taxed: Taxed,
    /// Its tax rate (BT-152).
    pub rate: Rate,
}

/// A document to be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The lines (BG-25).
    pub lines: Vec<Item>,
    /// The charges on the whole, such as delivery (BG-21).
    pub charges: Vec<Item>,
    /// The tax breakdown (BG-23).
    pub rates: Vec<(Rate, Taxed)>,
    /// The totals (BG-22).
    pub total: Taxed,
    /// What was paid of it (BT-113).
    pub paid_minor: i64,
    /// What is due (BT-115). Nothing is rounded for it (BT-114): every total is in whole minor units.
    pub due_minor: i64,
    /// How the market taxes.
    pub policy: Policy,
}

/// A rule that is broken, and by how many minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: &'static str,
    /// What it should be, less what it is.
    pub minor: i64,
}

/// Every rule the document breaks.
pub fn breaches(document: &Document) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut hold = |rule: &'static str, should: i64, is: i64| {
        if should != is {
            breaches.push(Breach { rule, minor: should - is });
        }
    };
    let Document { lines, charges, rates, total, paid_minor, due_minor, policy } = document;
    let all = || lines.iter().chain(charges);
    let amount = |taxed: &Taxed| if policy.prices_include_tax { taxed.gross_minor } else { taxed.net_minor };
    for item in all() {
        hold("BR-LIN", item.listed_minor - item.allowance_minor, amount(&item.taxed));
        hold("BR-LIN-TAX", item.taxed.net_minor + item.taxed.tax_minor, item.taxed.gross_minor);
        hold("BR-27", 0, item.listed_minor.min(item.taxed.net_minor).min(item.allowance_minor).min(0));
    }
    let nets = |items: &[Item]| items.iter().map(|item| item.taxed.net_minor).sum::<i64>();
    hold("BR-CO-10/13", nets(lines) + nets(charges), total.net_minor);
    hold("BR-CO-14", rates.iter().map(|(_, part)| part.tax_minor).sum(), total.tax_minor);
    hold("BR-CO-15", total.net_minor + total.tax_minor, total.gross_minor);
    hold("BR-CO-16", total.gross_minor - paid_minor, *due_minor);
    for (rate, part) in rates {
        let own = || all().filter(|item| item.rate == *rate);
        hold("BR-S-08", own().map(|item| item.taxed.net_minor).sum(), part.net_minor);
        let tax = if policy.prices_include_tax {
            rate.within(part.gross_minor, policy.rounding)
        } else {
            rate.of(part.net_minor, policy.rounding)
        };
        let lines = i64::try_from(own().count()).unwrap_or(i64::MAX);
        let tolerance = if policy.level == RoundingLevel::Line { (lines + 1) / 2 + 1 } else { 0 };
        if (tax - part.tax_minor).abs() > tolerance {
            hold("BR-CO-17", tax, part.tax_minor);
        }
    }
    let listed = all().filter(|item| !rates.iter().any(|(rate, _)| *rate == item.rate)).count();
    hold("BR-S-01", 0, i64::try_from(listed).unwrap_or(i64::MAX));
    let ordered = rates.windows(2).all(|pair| pair[0].0 < pair[1].0);
    hold("BR-S-08", 0, i64::from(!ordered));
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Rounding;

    #[test]
    fn a_document_that_does_not_add_up_is_told_by_rule() {
        let rate = Rate::from_parts_per_million(200_000).unwrap();
        let taxed = Taxed { net_minor: 833, tax_minor: 167, gross_minor: 1000 };
        let line = Item { listed_minor: 1200, allowance_minor: 200, taxed, rate };
        let policy =
            Policy { prices_include_tax: true, level: RoundingLevel::Order, rounding: Rounding::HalfUp };
        let sound = Document {
            lines: vec![line],
            charges: Vec::new(),
            rates: vec![(rate, taxed)],
            total: taxed,
            paid_minor: 400,
            due_minor: 600,
            policy,
        };
        assert_eq!(breaches(&sound), []);
        let lines = vec![Item { allowance_minor: 199, ..line }];
        assert_eq!(breaches(&Document { lines, ..sound.clone() }), [Breach { rule: "BR-LIN", minor: 1 }]);
        let owed = Document { due_minor: 599, ..sound.clone() };
        assert_eq!(breaches(&owed), [Breach { rule: "BR-CO-16", minor: 1 }]);
        let more = Taxed { net_minor: 832, tax_minor: 168, gross_minor: 1000 };
        let other = Document { total: more, ..sound.clone() };
        let rules: Vec<_> = breaches(&other).iter().map(|breach| breach.rule).collect();
        assert_eq!(rules, ["BR-CO-10/13", "BR-CO-14"]);
        let other =
            Document { lines: vec![Item { taxed: more, ..line }], rates: vec![(rate, more)], ..other };
        assert_eq!(breaches(&other), [Breach { rule: "BR-CO-17", minor: -1 }]);
        let none = Document { rates: Vec::new(), ..sound };
        assert!(breaches(&none).iter().any(|breach| breach.rule == "BR-S-01"));
    }
}
