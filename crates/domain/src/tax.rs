//! Taxes: classes of goods that are taxed alike, zones, and how much tax is on each line and on the whole document.
//!
//! Sources: EN 16931-1, business rules BR-CO-13 to BR-CO-17 and BR-S-08/09 for the sums per rate. When rounding is per order, the tax of a
//! rate is computed from the sum of that rate's net amounts and then shared out to the lines by largest remainder, so Σ lines = total.

pub mod en16931;

use crate::Refusal;
use crate::market::RoundingLevel;
use crate::value::money::split;
use crate::value::{Country, Instant, Rate, Rounding};

/// The most characters of a country's part, such as `CA` in `US-CA`.
const REGION_CHARS_MAX: usize = 60;

/// The short word a tax class or zone goes by in files: 1 to 60 characters.
///
/// # Errors
/// The refusal names what is wrong.
pub fn class_code(text: &str) -> Result<String, Refusal> {
    bounded(text, 60)
}

/// What people call a tax class or zone: 1 to 200 characters.
///
/// # Errors
/// The refusal names what is wrong.
pub fn class_name(text: &str) -> Result<String, Refusal> {
    bounded(text, 200)
}

fn bounded(text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        return Err(Refusal::invalid("text", format!("give 1 to {most} characters on one line")));
    }
    Ok(text.to_owned())
}

/// A country, or one region of it, that belongs to a zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Area {
    /// The country.
    pub country: Country,
    /// The region as addresses name it, in capitals; the whole country when empty.
    pub region: String,
}

impl Area {
    /// Reads `GB` for a whole country or `US-CA` for a region of one.
    ///
    /// # Errors
    /// The words say what was expected.
    pub fn parse(text: &str) -> Result<Area, String> {
        let (country, region) = text.trim().split_once('-').unwrap_or((text.trim(), ""));
        let country = Country::parse(country).map_err(|error| error.to_string())?;
        if region.chars().count() > REGION_CHARS_MAX || region.chars().any(char::is_control) {
            return Err(format!("a region has at most {REGION_CHARS_MAX} characters"));
        }
        Ok(Area { country, region: region.trim().to_uppercase() })
    }

    /// The text that [`Area::parse`] reads.
    pub fn text(&self) -> String {
        if self.region.is_empty() {
            self.country.code().to_owned()
        } else {
            format!("{}-{}", self.country, self.region)
        }
    }
}

/// Refuses a time that ends before it begins.
///
/// # Errors
/// The refusal names the field `valid_until`.
pub fn check_validity(from: Instant, until: Option<Instant>) -> Result<(), Refusal> {
    match until {
        Some(until) if until <= from => {
            Err(Refusal::invalid("valid_until", "it must be later than valid_from"))
        }
        _ => Ok(()),
    }
}

/// How a market taxes: what its prices contain and where and how tax is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Prices contain the tax.
    pub prices_include_tax: bool,
    /// Tax is rounded on each line, or once per rate on the whole document.
    pub level: RoundingLevel,
    /// Which way halves go.
    pub rounding: Rounding,
}

/// An amount to be taxed: what a line costs in all, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taxable {
    /// Minor units, with or without tax as the policy says.
    pub minor: i64,
    /// The rate; [`Rate::ZERO`] when exempt.
    pub rate: Rate,
}

/// An amount with its tax: `net + tax = gross`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taxed {
    /// Minor units without tax.
    pub net_minor: i64,
    /// Minor units of tax.
    pub tax_minor: i64,
    /// Minor units with tax.
    pub gross_minor: i64,
}

impl Taxed {
    const NOTHING: Taxed = Taxed { net_minor: 0, tax_minor: 0, gross_minor: 0 };

    fn new(minor: i64, tax_minor: i64, policy: Policy) -> Taxed {
        if policy.prices_include_tax {
            Taxed { net_minor: minor - tax_minor, tax_minor, gross_minor: minor }
        } else {
            Taxed { net_minor: minor, tax_minor, gross_minor: minor + tax_minor }
        }
    }

    fn plus(self, other: Taxed) -> Taxed {
        Taxed {
            net_minor: self.net_minor + other.net_minor,
            tax_minor: self.tax_minor + other.tax_minor,
            gross_minor: self.gross_minor + other.gross_minor,
        }
    }
}

/// A document with its taxes: Σ lines = Σ rates = total, in net, tax and gross.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The lines in the order given.
    pub lines: Vec<Taxed>,
    /// The sums per rate, lowest rate first.
    pub rates: Vec<(Rate, Taxed)>,
    /// The sum of all.
    pub total: Taxed,
}

/// Taxes a document.
///
/// # Panics
/// When an amount is negative: what lowers a price is taken off before.
pub fn apply(lines: &[Taxable], policy: Policy) -> Document {
    assert!(lines.iter().all(|line| line.minor >= 0), "amounts to be taxed are not negative");
    let mut rates: Vec<Rate> = lines.iter().map(|line| line.rate).collect();
    rates.sort_unstable();
    rates.dedup();
    let mut document =
        Document { lines: vec![Taxed::NOTHING; lines.len()], rates: Vec::new(), total: Taxed::NOTHING };
    for rate in rates {
        let places: Vec<usize> = (0..lines.len()).filter(|place| lines[*place].rate == rate).collect();
        let amounts: Vec<i64> = places.iter().map(|place| lines[*place].minor).collect();
        let mut sum = Taxed::NOTHING;
        for (place, tax_minor) in places.iter().zip(taxes(&amounts, rate, policy)) {
            document.lines[*place] = Taxed::new(lines[*place].minor, tax_minor, policy);
            sum = sum.plus(document.lines[*place]);
        }
        document.rates.push((rate, sum));
        document.total = document.total.plus(sum);
    }
    document
}

/// The tax on each of the amounts of one rate.
fn taxes(amounts: &[i64], rate: Rate, policy: Policy) -> Vec<i64> {
    let tax_of = |minor: i64| {
        if policy.prices_include_tax {
            rate.within(minor, policy.rounding)
        } else {
            rate.of(minor, policy.rounding)
        }
    };
    match policy.level {
        RoundingLevel::Line => amounts.iter().map(|minor| tax_of(*minor)).collect(),
        RoundingLevel::Order => split(tax_of(amounts.iter().sum()), amounts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(parts: i64) -> Rate {
        Rate::from_parts_per_million(parts).unwrap()
    }

    fn policy(prices_include_tax: bool, level: RoundingLevel) -> Policy {
        Policy { prices_include_tax, level, rounding: Rounding::HalfUp }
    }

    #[test]
    fn known_prices() {
        let new_york =
            apply(&[Taxable { minor: 2499, rate: rate(107_500) }], policy(false, RoundingLevel::Line));
        assert_eq!(new_york.total, Taxed { net_minor: 2499, tax_minor: 269, gross_minor: 2768 });
        let bread = apply(&[Taxable { minor: 299, rate: rate(40_000) }], policy(true, RoundingLevel::Line));
        assert_eq!(bread.total, Taxed { net_minor: 287, tax_minor: 12, gross_minor: 299 });
        let even = Policy { rounding: Rounding::HalfEven, ..policy(false, RoundingLevel::Line) };
        let half = [Taxable { minor: 50, rate: rate(50_000) }];
        assert_eq!(
            (
                apply(&half, even).total.tax_minor,
                apply(&half, policy(false, RoundingLevel::Line)).total.tax_minor
            ),
            (2, 3)
        );
    }

    #[test]
    fn three_rates_in_one_cart() {
        let lines = [(1999, 200_000), (350, 50_000), (899, 0), (1201, 200_000)]
            .map(|(minor, parts)| Taxable { minor, rate: rate(parts) });
        let document = apply(&lines, policy(true, RoundingLevel::Order));
        assert_eq!(
            document.rates,
            [
                (rate(0), Taxed { net_minor: 899, tax_minor: 0, gross_minor: 899 }),
                (rate(50_000), Taxed { net_minor: 333, tax_minor: 17, gross_minor: 350 }),
                (rate(200_000), Taxed { net_minor: 2667, tax_minor: 533, gross_minor: 3200 }),
            ]
        );
        assert_eq!(document.total, Taxed { net_minor: 3899, tax_minor: 550, gross_minor: 4449 });
    }

    #[test]
    fn per_order_one_rounding_is_shared_out_to_the_lines() {
        let lines = [Taxable { minor: 3, rate: rate(200_000) }; 3];
        let document = apply(&lines, policy(false, RoundingLevel::Order));
        assert_eq!(document.lines.iter().map(|line| line.tax_minor).collect::<Vec<_>>(), [1, 1, 0]);
        assert_eq!(document.total.tax_minor, 2);
        assert_eq!(apply(&lines, policy(false, RoundingLevel::Line)).total.tax_minor, 3);
    }

    #[test]
    fn areas() {
        assert_eq!(Area::parse("us-ca").unwrap().text(), "US-CA");
        assert_eq!(Area::parse(" gb ").unwrap().text(), "GB");
        assert!(Area::parse("UK").is_err());
    }

    proptest! {
        #[test]
        fn sums_hold(lines in prop::collection::vec((0i64..10_000_000, 0usize..4), 0..40), include: bool, order: bool, even: bool) {
            let rates = [0, 55_000, 107_500, 250_000].map(rate);
            let lines: Vec<Taxable> = lines.iter().map(|(minor, place)| Taxable { minor: *minor, rate: rates[*place] }).collect();
            let level = if order { RoundingLevel::Order } else { RoundingLevel::Line };
            let rounding = if even { Rounding::HalfEven } else { Rounding::HalfUp };
            let document = apply(&lines, Policy { prices_include_tax: include, level, rounding });
            prop_assert_eq!(document.lines.iter().fold(Taxed::NOTHING, |sum, line| sum.plus(*line)), document.total);
            prop_assert_eq!(document.rates.iter().fold(Taxed::NOTHING, |sum, (_, part)| sum.plus(*part)), document.total);
            for (line, taxed) in lines.iter().zip(&document.lines) {
                prop_assert_eq!(taxed.net_minor + taxed.tax_minor, taxed.gross_minor);
                prop_assert_eq!(line.minor, if include { taxed.gross_minor } else { taxed.net_minor });
                prop_assert!(taxed.net_minor >= 0 && taxed.tax_minor >= 0);
            }
            if order && !include {
                prop_assert!(document.rates.iter().all(|(rate, part)| rate.of(part.net_minor, rounding) == part.tax_minor));
            }
        }
    }
}
