//! Money exactly as the source writes it: the source has prices below a penny, the shop charges whole pennies.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde::Serialize;

/// An exact sum of the source in ten-thousandths of a pound (£1 = 10,000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Exact(i64);

impl Exact {
    /// From ten-thousandths of a pound.
    #[must_use]
    pub const fn from_ten_thousandths(ten_thousandths: i64) -> Self {
        Self(ten_thousandths)
    }

    /// From whole pennies.
    #[must_use]
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor * 100)
    }

    /// The sum in ten-thousandths of a pound.
    #[must_use]
    pub const fn ten_thousandths(self) -> i64 {
        self.0
    }

    /// This unit price for so many pieces; negative for pieces coming back.
    #[must_use]
    pub const fn times(self, quantity: i64) -> Self {
        Self(self.0 * quantity)
    }

    /// Rounded to whole pennies, half a penny upwards.
    #[must_use]
    pub const fn to_minor_half_up(self) -> i64 {
        (self.0 + 50).div_euclid(100)
    }
}

impl Add for Exact {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Exact {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Exact {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

/// Pounds with at least two decimals, at most four, and thousands apart: `9,747,747.934`.
impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (pounds, fraction) = (self.0.unsigned_abs() / 10_000, self.0.unsigned_abs() % 10_000);
        let decimals = format!("{fraction:04}");
        let kept = decimals.trim_end_matches('0').len().max(2);
        out.pad(&format!("{sign}{}.{}", grouped(pounds), &decimals[..kept]))
    }
}

/// A whole number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Exact, grouped};

    #[test]
    fn is_shown_as_a_shop_writes_it() {
        let shown = |ten_thousandths| Exact::from_ten_thousandths(ten_thousandths).to_string();
        assert_eq!(shown(97_477_479_340), "9,747,747.934");
        assert_eq!(shown(-110_620_600), "-11,062.06");
        assert_eq!(shown(0), "0.00");
        assert_eq!(grouped(541_909), "541,909");
        assert_eq!(grouped(12), "12");
    }

    #[test]
    fn half_a_penny_goes_up() {
        let minor = |ten_thousandths| Exact::from_ten_thousandths(ten_thousandths).to_minor_half_up();
        assert_eq!([minor(10), minor(49), minor(50), minor(150), minor(12_345)], [0, 0, 1, 2, 123]);
    }
}
