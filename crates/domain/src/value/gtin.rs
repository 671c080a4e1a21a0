//! Article numbers under the bars of a bar code (GTIN-8, -12, -13, -14), checked so that a slip of one digit is found.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

pub mod spreadsheet;
pub mod variable;

/// The lengths that a GTIN can have.
const LENGTHS: [usize; 4] = [8, 12, 13, 14];

/// A Global Trade Item Number with right check digit.
///
/// The same number written shorter or with zeros in front is the same article: equality, order and hash go by the 14
/// digits; how many digits were given is remembered for showing only.
#[derive(Clone, Copy)]
pub struct Gtin {
    code: u64,
    digits: u8,
}

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits.
    ///
    /// # Errors
    /// [`GtinError`] when of another length, not digits, all zeros, or with a wrong check digit.
    pub fn parse(text: &str) -> Result<Gtin, GtinError> {
        let text = text.trim();
        let mut characters = text.chars().enumerate();
        if let Some((place, character)) = characters.find(|(_, character)| !character.is_ascii_digit()) {
            return Err(GtinError::NotDigits { character, place: place + 1 });
        }
        let has = text.len();
        if !LENGTHS.contains(&has) {
            return Err(GtinError::Length { has });
        }
        let code: u64 = text.parse().map_err(|_| GtinError::Length { has })?;
        Gtin::checked(code, has as u8)
    }

    /// The number with this canonical value, to be shown with as few digits as a GTIN may have.
    ///
    /// # Errors
    /// [`GtinError`] when above 14 digits, zero, or with a wrong check digit.
    pub fn from_canonical(code: u64) -> Result<Gtin, GtinError> {
        let has = code.to_string().len();
        match LENGTHS.into_iter().find(|length| *length >= has) {
            Some(length) => Gtin::checked(code, length as u8),
            None => Err(GtinError::Length { has }),
        }
    }

    fn checked(code: u64, digits: u8) -> Result<Gtin, GtinError> {
        let right = check_digit(code / 10);
        if code == 0 {
            return Err(GtinError::Zero);
        }
        if code % 10 != right {
            return Err(GtinError::CheckDigit { code: shown(code, digits), right });
        }
        Ok(Gtin { code, digits })
    }

    /// The value of the canonical 14 digits: what is stored and compared.
    pub fn canonical(self) -> u64 {
        self.code
    }

    /// The canonical 14 digits.
    pub fn canonical_text(self) -> String {
        shown(self.code, 14)
    }

    /// How many digits it was given with: 8, 12, 13 or 14.
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// Whether a shop or region gives out such numbers itself (prefixes 02, 04, 20 to 29), so that it means nothing elsewhere.
    pub fn is_restricted(self) -> bool {
        let prefix = self.code / 100_000_000_000;
        self.code < 10_000_000_000_000 && matches!(prefix, 2 | 4 | 20..=29)
    }
}

/// The check digit that belongs behind these digits (GS1 General Specifications, section 7.9.1).
fn check_digit(mut body: u64) -> u64 {
    let (mut sum, mut weight) = (0, 3);
    while body > 0 {
        sum += body % 10 * weight;
        weight = 4 - weight;
        body /= 10;
    }
    (10 - sum % 10) % 10
}

fn shown(code: u64, digits: u8) -> String {
    format!("{code:0width$}", width = usize::from(digits))
}

impl PartialEq for Gtin {
    fn eq(&self, other: &Gtin) -> bool {
        self.code == other.code
    }
}
impl Eq for Gtin {}

impl PartialOrd for Gtin {
    fn partial_cmp(&self, other: &Gtin) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Gtin {
    fn cmp(&self, other: &Gtin) -> Ordering {
        self.code.cmp(&other.code)
    }
}

impl Hash for Gtin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}

impl fmt::Display for Gtin {
    /// With as many digits as it was given with.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&shown(self.code, self.digits))
    }
}

impl fmt::Debug for Gtin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Gtin({self})")
    }
}

/// Why an article number was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GtinError {
    /// Not 8, 12, 13 or 14 digits.
    Length {
        /// Digits given.
        has: usize,
    },
    /// Something other than a digit.
    NotDigits {
        /// What was found.
        character: char,
        /// Its place, counted from 1.
        place: usize,
    },
    /// Zeros only.
    Zero,
    /// The last digit does not belong to the others.
    CheckDigit {
        /// The number that was given.
        code: String,
        /// The last digit that would belong.
        right: u64,
    },
}

impl fmt::Display for GtinError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GtinError::Length { has } => write!(out, "gtin has {has} digits: give 8, 12, 13 or 14"),
            GtinError::NotDigits { character, place } => {
                write!(out, "gtin has {character:?} at place {place}: give digits only")
            }
            GtinError::Zero => out.write_str("gtin is zero: leave it out where there is none"),
            GtinError::CheckDigit { code, right } => {
                write!(out, "gtin {code} should end in {right}: read it again from the package")
            }
        }
    }
}
impl std::error::Error for GtinError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_length_is_read_and_shown() {
        for text in ["96385074", "036000291452", "4006381333931", "10012345678902", "0000096385074"] {
            let gtin = Gtin::parse(text).unwrap();
            assert_eq!(gtin.to_string(), text);
            assert_eq!(usize::from(gtin.digits()), text.len());
        }
        let (short, long) = (Gtin::parse("036000291452").unwrap(), Gtin::parse("00036000291452").unwrap());
        assert_eq!(short, long);
        assert_eq!(short.canonical_text(), "00036000291452");
        assert_eq!(Gtin::from_canonical(36_000_291_452).unwrap().to_string(), "036000291452");
    }

    #[test]
    fn refusals() {
        let said = |text: &str| Gtin::parse(text).unwrap_err().to_string();
        assert_eq!(
            said("4006381333930"),
            "gtin 4006381333930 should end in 1: read it again from the package"
        );
        assert_eq!(said("400638133393"), "gtin 400638133393 should end in 0: read it again from the package");
        assert_eq!(said("123"), "gtin has 3 digits: give 8, 12, 13 or 14");
        assert_eq!(said(""), "gtin has 0 digits: give 8, 12, 13 or 14");
        assert_eq!(said("40063813E3931"), "gtin has 'E' at place 9: give digits only");
        assert_eq!(said("00000000"), "gtin is zero: leave it out where there is none");
        assert_eq!(Gtin::from_canonical(u64::MAX), Err(GtinError::Length { has: 20 }));
    }

    #[test]
    fn own_numbers_are_told_apart() {
        for (text, own) in
            [("2810275005024", true), ("212345678992", true), ("4006381333931", false), ("12345670", false)]
        {
            assert_eq!(Gtin::parse(text).unwrap().is_restricted(), own, "{text}");
        }
    }

    fn whole(body: u64) -> u64 {
        body * 10 + check_digit(body)
    }

    proptest! {
        #[test]
        fn text_and_back(body in 1u64..10_000_000, length in proptest::sample::select(vec![8u8, 12, 13, 14])) {
            let text = shown(whole(body), length);
            let gtin = Gtin::parse(&text).unwrap();
            prop_assert_eq!(gtin.to_string(), text);
            prop_assert_eq!(Gtin::from_canonical(gtin.canonical()), Ok(gtin));
        }

        #[test]
        fn one_wrong_digit_is_always_found(body in 1u64..1_000_000_000_000, place in 0usize..13, by in 1u8..10) {
            let mut digits = shown(whole(body), 13).into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            let text = String::from_utf8(digits).unwrap();
            prop_assert!(Gtin::parse(&text).is_err());
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), code in any::<u64>()) {
            let _ = (Gtin::parse(&text), Gtin::from_canonical(code));
        }
    }
}
