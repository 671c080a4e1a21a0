//! Codes printed by a scale: the shop's own numbers with the price or the weight of this very piece inside.

use std::fmt;

use super::{Gtin, check_digit};

/// Digits between the prefix and the last check digit of a 13-digit code.
const INNER_DIGITS: u8 = 10;

/// How one shop lays out its codes of one prefix: `prefix · item · [check of the value] · value · check digit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariableMeasure {
    prefix: u8,
    item_digits: u8,
    value_digits: u8,
    measure: Measure,
    verified: bool,
}

/// What the value digits of a code say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The price of the piece, in minor units of the shop's currency.
    Price,
    /// The weight of the piece, in grams.
    Weight,
}

/// What was read from a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Measured {
    /// The shop's number of the article.
    pub item: u32,
    /// Price or weight.
    pub measure: Measure,
    /// Minor units or grams.
    pub value: u32,
}

impl VariableMeasure {
    /// The layout with a prefix of `02` or `20` to `29`; `verified` when a check digit of its own stands before the value.
    ///
    /// # Errors
    /// [`VariableMeasureError`] when the parts do not fill the code or the prefix is not one for a shop's own codes.
    pub fn new(
        prefix: &str,
        item_digits: u8,
        value_digits: u8,
        measure: Measure,
        verified: bool,
    ) -> Result<VariableMeasure, VariableMeasureError> {
        let prefix = match prefix.as_bytes() {
            b"02" => 2,
            [b'2', digit @ b'0'..=b'9'] => 20 + (digit - b'0'),
            _ => return Err(VariableMeasureError::Prefix),
        };
        let has = u32::from(item_digits) + u32::from(value_digits) + u32::from(verified);
        if item_digits == 0 || value_digits == 0 || has != u32::from(INNER_DIGITS) {
            return Err(VariableMeasureError::Digits { has });
        }
        if verified && !matches!(value_digits, 4 | 5) {
            return Err(VariableMeasureError::Verified);
        }
        Ok(VariableMeasure { prefix, item_digits, value_digits, measure, verified })
    }

    /// What the code says, or nothing when it does not have this layout's prefix.
    ///
    /// # Errors
    /// [`VariableMeasureError::Check`] when the check digit of the value is wrong.
    pub fn read(&self, gtin: Gtin) -> Result<Option<Measured>, VariableMeasureError> {
        let code = gtin.canonical();
        if code / 100_000_000_000 != u64::from(self.prefix) {
            return Ok(None);
        }
        let inner = code / 10 % power(INNER_DIGITS);
        let value = inner % power(self.value_digits);
        let check = inner / power(self.value_digits) % 10;
        let right = self.value_check(value);
        if self.verified && check != right {
            return Err(VariableMeasureError::Check { has: check, right });
        }
        let item = inner / power(INNER_DIGITS - self.item_digits);
        Ok(Some(Measured { item: item as u32, measure: self.measure, value: value as u32 }))
    }

    /// The code for a piece of the article, as a label printer needs it.
    ///
    /// # Errors
    /// [`VariableMeasureError`] when article number or value have more digits than the layout.
    pub fn compose(&self, item: u32, value: u32) -> Result<Gtin, VariableMeasureError> {
        let (item, value) = (u64::from(item), u64::from(value));
        if item >= power(self.item_digits) {
            return Err(VariableMeasureError::Item { digits: self.item_digits });
        }
        if value >= power(self.value_digits) {
            return Err(VariableMeasureError::Value { digits: self.value_digits });
        }
        let check = if self.verified { self.value_check(value) * power(self.value_digits) } else { 0 };
        let prefix = u64::from(self.prefix) * power(INNER_DIGITS);
        let body = prefix + item * power(INNER_DIGITS - self.item_digits) + check + value;
        Ok(Gtin { code: body * 10 + check_digit(body), digits: 13 })
    }

    /// The check digit of a value of 4 or 5 digits (GS1 General Specifications, sections 7.9.3 and 7.9.4).
    fn value_check(&self, value: u64) -> u64 {
        let digits: Vec<usize> =
            (0..self.value_digits).rev().map(|place| (value / power(place) % 10) as usize).collect();
        let sum = |weights: &[[u64; 10]]| {
            digits.iter().zip(weights).map(|(digit, weight)| weight[*digit]).sum::<u64>()
        };
        if self.value_digits == 4 {
            return sum(&[TWICE_LESS, TWICE_LESS, THRICE, FIVE_LESS]) * 3 % 10;
        }
        let missing = (10 - sum(&[FIVE_MORE, TWICE_LESS, FIVE_LESS, FIVE_MORE, TWICE_LESS]) % 10) % 10;
        (0..10).find(|digit| FIVE_LESS[*digit as usize] == missing).unwrap_or(0)
    }
}

fn power(digits: u8) -> u64 {
    10u64.pow(u32::from(digits))
}

/// Weight "2-" for the digits 0 to 9: twice the digit, its tens taken from its units.
const TWICE_LESS: [u64; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
/// Weight "3": the units of three times the digit.
const THRICE: [u64; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
/// Weight "5+": five times the digit, its tens added to its units.
const FIVE_MORE: [u64; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
/// Weight "5-": five times the digit, its tens taken from its units.
const FIVE_LESS: [u64; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];

/// Why a layout, or a code of it, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableMeasureError {
    /// Not a prefix for a shop's own codes.
    Prefix,
    /// Item, check and value do not fill the code.
    Digits {
        /// Digits they have together.
        has: u32,
    },
    /// Only values of 4 or 5 digits have a check digit of their own.
    Verified,
    /// The check digit of the value is wrong.
    Check {
        /// The digit in the code.
        has: u64,
        /// The digit that would belong.
        right: u64,
    },
    /// The article number is too long.
    Item {
        /// Digits that the layout has for it.
        digits: u8,
    },
    /// The price or weight is too long.
    Value {
        /// Digits that the layout has for it.
        digits: u8,
    },
}

impl fmt::Display for VariableMeasureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VariableMeasureError::Prefix => {
                out.write_str("prefix is not for a shop's own codes: give 02 or 20 to 29")
            }
            VariableMeasureError::Digits { has } => {
                write!(out, "item, check and value have {has} digits: give them {INNER_DIGITS} together")
            }
            VariableMeasureError::Verified => out.write_str(
                "a value has a check digit of its own only with 4 or 5 digits: change one of the two",
            ),
            VariableMeasureError::Check { has, right } => {
                write!(
                    out,
                    "check digit of the price or weight is {has} but should be {right}: scan the label again"
                )
            }
            VariableMeasureError::Item { digits } => {
                write!(out, "article number does not fit: give at most {digits} digits")
            }
            VariableMeasureError::Value { digits } => {
                write!(out, "price or weight does not fit: give at most {digits} digits")
            }
        }
    }
}
impl std::error::Error for VariableMeasureError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scale(verified: bool) -> VariableMeasure {
        VariableMeasure::new("28", if verified { 4 } else { 5 }, 5, Measure::Weight, verified).unwrap()
    }

    #[test]
    fn labels_from_the_counter() {
        // Printed by real scales: article 1027 at 502 g, article 1060 at 1,336 g.
        for (text, item, value) in [("2810275005024", 1027, 502), ("2810606013360", 1060, 1336)] {
            let gtin = Gtin::parse(text).unwrap();
            assert_eq!(scale(true).read(gtin), Ok(Some(Measured { item, measure: Measure::Weight, value })));
            assert_eq!(scale(true).compose(item, value).unwrap().to_string(), text);
        }
        // A British price label: 02, five digits of article, check, four digits of price.
        let british = VariableMeasure::new("02", 5, 4, Measure::Price, true).unwrap();
        let label = british.compose(12_345, 2875).unwrap();
        assert_eq!(label.to_string(), "0212345928752");
        assert_eq!(
            british.read(label),
            Ok(Some(Measured { item: 12_345, measure: Measure::Price, value: 2875 }))
        );
        assert_eq!(british.read(Gtin::parse("212345928752").unwrap()).unwrap().unwrap().value, 2875);
    }

    #[test]
    fn a_torn_label_is_not_sold() {
        let wrong = Gtin::from_canonical(281_027_400_502 * 10 + check_digit(281_027_400_502)).unwrap();
        let said = scale(true).read(wrong).unwrap_err().to_string();
        assert_eq!(said, "check digit of the price or weight is 4 but should be 5: scan the label again");
        assert_eq!(scale(true).read(Gtin::parse("4006381333931").unwrap()), Ok(None));
    }

    #[test]
    fn layouts_are_checked() {
        let made = |prefix, item, value, verified| {
            VariableMeasure::new(prefix, item, value, Measure::Price, verified)
        };
        assert_eq!(made("30", 5, 5, false), Err(VariableMeasureError::Prefix));
        assert_eq!(made("2", 5, 5, false), Err(VariableMeasureError::Prefix));
        assert_eq!(made("22", 5, 5, true), Err(VariableMeasureError::Digits { has: 11 }));
        assert_eq!(made("22", 0, 10, false), Err(VariableMeasureError::Digits { has: 10 }));
        assert_eq!(made("22", 3, 6, true), Err(VariableMeasureError::Verified));
        assert_eq!(scale(true).compose(10_000, 1), Err(VariableMeasureError::Item { digits: 4 }));
        assert_eq!(scale(false).compose(1, 100_000), Err(VariableMeasureError::Value { digits: 5 }));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(prefix in 20u8..30, value_digits in 1u8..10, verified: bool, item: u32, value: u32) {
            let verified = verified && matches!(value_digits, 4 | 5);
            let item_digits = INNER_DIGITS - value_digits - u8::from(verified);
            let layout =
                VariableMeasure::new(&prefix.to_string(), item_digits, value_digits, Measure::Price, verified).unwrap();
            let item = (u64::from(item) % power(item_digits)) as u32;
            let value = (u64::from(value) % power(value_digits)) as u32;
            let gtin = layout.compose(item, value).unwrap();
            prop_assert_eq!(Gtin::parse(&gtin.to_string()), Ok(gtin));
            prop_assert!(gtin.is_restricted());
            prop_assert_eq!(layout.read(gtin), Ok(Some(Measured { item, measure: Measure::Price, value })));
        }
    }
}
