//! Money: whole minor units (pence, cents, yen) of an ISO 4217 currency. No fraction of a minor unit exists anywhere.

use std::fmt;

/// An ISO 4217 currency, such as GBP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads the three-letter code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] when ISO 4217 does not list it.
    pub fn parse(code: &str) -> Result<Currency, MoneyError> {
        iso_currency::Currency::from_code(code)
            .map(Currency)
            .ok_or_else(|| MoneyError::UnknownCurrency { code: code.chars().take(8).collect() })
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many digits a minor unit stands behind the point: 2 for GBP, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.code())
    }
}

/// An amount of money in minor units of a currency; may be negative; at most [`Money::MAX`] either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount in minor units, either way: ten million million, so that a thousand such sums stay within 64 bits.
    pub const MAX: i64 = 10_000_000_000_000;

    /// An amount of minor units.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] beyond [`Money::MAX`] either way.
    pub const fn new(minor: i64, currency: Currency) -> Result<Money, MoneyError> {
        if minor > Money::MAX || minor < -Money::MAX {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Money { minor, currency })
        }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// The minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::TooLarge`].
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { expected: self.currency, found: other.currency });
        }
        Money::new(self.minor + other.minor, self.currency)
    }

    /// The difference of two amounts.
    ///
    /// # Errors
    /// As [`Money::plus`].
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        self.plus(other.negated())
    }

    /// The amount with its sign turned.
    pub const fn negated(self) -> Money {
        Money { minor: -self.minor, currency: self.currency }
    }

    /// The amount, `quantity` times.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn times(self, quantity: i64) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_mul(quantity).ok_or(MoneyError::TooLarge)?;
        Money::new(minor, self.currency)
    }
}

impl fmt::Display for Money {
    /// As people write it without grouping: `GBP 19.99`, `JPY 500`, `GBP -0.05`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let unit = 10u64.pow(exponent);
        let (sign, size) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        if exponent == 0 {
            return write!(out, "{} {sign}{size}", self.currency);
        }
        write!(
            out,
            "{} {sign}{}.{:0width$}",
            self.currency,
            size / unit,
            size % unit,
            width = exponent as usize
        )
    }
}

/// Splits `minor` over `weights` in proportion, exactly: the parts always sum to `minor`.
///
/// Largest remainder (Hamilton's method): each part gets its share rounded toward zero, then the units left over go one each to the
/// largest remainders, ties to the earlier part. Sign-symmetric. Weights must not be negative; when all are zero they count as equal.
/// With no weights there are no parts.
pub fn split(minor: i64, weights: &[i64]) -> Vec<i64> {
    assert!(weights.iter().all(|weight| *weight >= 0), "weights are not negative");
    if weights.is_empty() {
        return Vec::new();
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let weight_of = |place: usize| if sum == 0 { 1 } else { i128::from(weights[place]) };
    let whole = if sum == 0 { weights.len() as i128 } else { sum };
    let size = i128::from(minor.unsigned_abs());
    let mut parts: Vec<i128> = (0..weights.len()).map(|place| size * weight_of(place) / whole).collect();
    let left = size - parts.iter().sum::<i128>();
    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(size * weight_of(*place) % whole));
    for place in places.into_iter().cycle().take(usize::try_from(left).unwrap_or(0)) {
        parts[place] += 1;
    }
    let sign = i128::from(minor.signum());
    parts.into_iter().map(|part| i64::try_from(part * sign).unwrap_or(0)).collect()
}

/// Why an amount cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// ISO 4217 does not list the code.
    UnknownCurrency {
        /// What was given, shortened.
        code: String,
    },
    /// Two currencies were mixed.
    CurrencyMismatch {
        /// The currency that was expected.
        expected: Currency,
        /// The currency that was found.
        found: Currency,
    },
    /// Beyond [`Money::MAX`].
    TooLarge,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MoneyError::UnknownCurrency { code } => {
                write!(out, "\"{code}\" is no currency: give three letters of ISO 4217, such as GBP")
            }
            MoneyError::CurrencyMismatch { expected, found } => {
                write!(out, "the currency is {found}, expected {expected}")
            }
            MoneyError::TooLarge => {
                write!(out, "the amount is too large: at most {} minor units", Money::MAX)
            }
        }
    }
}
impl std::error::Error for MoneyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_splits() {
        assert_eq!(split(1003, &[50, 50]), [502, 501]);
        assert_eq!(split(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(split(7, &[1, 1, 1, 97]), [0, 0, 0, 7]);
        assert_eq!(split(5, &[0, 0]), [3, 2]);
        assert_eq!(split(5, &[]), Vec::<i64>::new());
    }

    #[test]
    fn written_with_the_currency_s_own_digits() {
        let pounds = Currency::parse("GBP").unwrap();
        assert_eq!(Money::new(-5, pounds).unwrap().to_string(), "GBP -0.05");
        assert_eq!(Money::new(500, Currency::parse("JPY").unwrap()).unwrap().to_string(), "JPY 500");
        assert_eq!(Money::new(1234, Currency::parse("KWD").unwrap()).unwrap().to_string(), "KWD 1.234");
        assert!(Currency::parse("gbp").is_err());
    }

    #[test]
    fn currencies_do_not_mix() {
        let (pound, euro) = (
            Money::new(1, Currency::parse("GBP").unwrap()).unwrap(),
            Money::new(1, Currency::parse("EUR").unwrap()).unwrap(),
        );
        assert_eq!(pound.plus(euro).unwrap_err().to_string(), "the currency is EUR, expected GBP");
        assert!(pound.times(i64::MAX).is_err());
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole_and_are_fair(minor in -Money::MAX..Money::MAX, weights in prop::collection::vec(0i64..1_000_000, 1..20)) {
            let parts = split(minor, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), minor);
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if sum > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let exact = i128::from(minor) * i128::from(*weight);
                    prop_assert!((i128::from(*part) * sum - exact).abs() < sum);
                }
            }
            prop_assert_eq!(split(-minor, &weights), parts.iter().map(|p| -p).collect::<Vec<_>>());
        }
    }
}
