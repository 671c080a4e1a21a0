//! Rates: tax and discount rates in parts per million, and the named ways of rounding what they yield.

use std::fmt;

/// How half a minor unit is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rounding {
    /// Half away from zero: 0.5 → 1, −0.5 → −1.
    HalfUp,
    /// Half to the even neighbour: 0.5 → 0, 1.5 → 2.
    HalfEven,
}

impl Rounding {
    /// The name in files and over the API.
    pub const fn name(self) -> &'static str {
        match self {
            Rounding::HalfUp => "half_up",
            Rounding::HalfEven => "half_even",
        }
    }

    /// The rounding of that name.
    pub fn named(name: &str) -> Option<Rounding> {
        [Rounding::HalfUp, Rounding::HalfEven].into_iter().find(|rounding| rounding.name() == name)
    }

    /// `numerator / denominator` rounded to a whole number. `denominator` is positive.
    pub const fn divide(self, numerator: i128, denominator: i128) -> i128 {
        assert!(denominator > 0, "a denominator is positive");
        let quotient = numerator / denominator;
        let twice_rest = (numerator % denominator).unsigned_abs() * 2;
        let half = denominator.unsigned_abs();
        let away = match self {
            Rounding::HalfUp => twice_rest >= half,
            Rounding::HalfEven => twice_rest > half || (twice_rest == half && quotient % 2 != 0),
        };
        if away { quotient + numerator.signum() } else { quotient }
    }
}

/// A rate in parts per million: 20 % is 200,000. From 0 to 1,000 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Rate {
    /// No rate at all.
    pub const ZERO: Rate = Rate(0);
    /// The whole: 100 %.
    pub const WHOLE: i64 = 1_000_000;
    /// The largest rate: 1,000 %.
    pub const MAX: i64 = 10_000_000;

    /// A rate of this many parts per million.
    ///
    /// # Errors
    /// [`RateError`] when it is not between 0 and [`Rate::MAX`].
    pub const fn from_parts_per_million(parts: i64) -> Result<Rate, RateError> {
        if parts < 0 || parts > Rate::MAX { Err(RateError { parts }) } else { Ok(Rate(parts)) }
    }

    /// Parts per million.
    pub const fn parts_per_million(self) -> i64 {
        self.0
    }

    /// This share of `minor` units, rounded as named.
    pub fn of(self, minor: i64, rounding: Rounding) -> i64 {
        narrow(rounding.divide(i128::from(minor) * i128::from(self.0), i128::from(Rate::WHOLE)))
    }

    /// The part of an amount that already contains this rate, such as the tax within a price including tax:
    /// `minor × rate / (1 + rate)`, rounded as named.
    pub fn within(self, minor: i64, rounding: Rounding) -> i64 {
        narrow(rounding.divide(i128::from(minor) * i128::from(self.0), i128::from(Rate::WHOLE + self.0)))
    }
}

fn narrow(minor: i128) -> i64 {
    i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Rate {
    /// In per cent with as many digits as needed: `17.5 %`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(out, "{whole} %");
        }
        let digits = format!("{rest:04}");
        write!(out, "{whole}.{} %", digits.trim_end_matches('0'))
    }
}

/// A number that is no rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateError {
    parts: i64,
}

impl fmt::Display for RateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} parts per million is no rate: give 0 to {} (200000 is 20 %)", self.parts, Rate::MAX)
    }
}
impl std::error::Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_taxes() {
        let rate = Rate::from_parts_per_million(107_500).unwrap();
        assert_eq!(rate.of(2499, Rounding::HalfUp), 269);
        let rate = Rate::from_parts_per_million(40_000).unwrap();
        assert_eq!(rate.within(299, Rounding::HalfUp), 12);
        assert_eq!(rate.to_string(), "4 %");
        assert_eq!(Rate::from_parts_per_million(175_000).unwrap().to_string(), "17.5 %");
    }

    #[test]
    fn halves() {
        assert_eq!(Rounding::HalfUp.divide(5, 10), 1);
        assert_eq!(Rounding::HalfUp.divide(-5, 10), -1);
        assert_eq!(Rounding::HalfEven.divide(5, 10), 0);
        assert_eq!(Rounding::HalfEven.divide(15, 10), 2);
        assert_eq!(Rounding::HalfEven.divide(-15, 10), -2);
    }

    proptest! {
        #[test]
        fn rounding_is_symmetric_and_near(n in -1_000_000_000i128..1_000_000_000, d in 1i128..1_000_000) {
            for rounding in [Rounding::HalfUp, Rounding::HalfEven] {
                let rounded = rounding.divide(n, d);
                prop_assert_eq!(rounding.divide(-n, d), -rounded);
                prop_assert!((rounded * d - n).abs() * 2 <= d);
            }
        }
    }
}
