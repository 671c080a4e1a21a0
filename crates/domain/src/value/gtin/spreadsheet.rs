//! Article numbers that went through a spreadsheet: what it did to them is recognised and, where safe, undone.

use std::fmt;

use super::{Gtin, GtinError};

/// Most characters that are looked at.
const TEXT_CHARS_MAX: usize = 40;

/// An article number and what had to be undone to read it; nothing, when it was sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The article number.
    pub gtin: Gtin,
    /// What had to be undone, in order.
    pub damage: Vec<Damage>,
}

/// What a spreadsheet did to an article number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// Quotes, an apostrophe or `="…"` around it, put there to keep it a text.
    Quotes,
    /// Spaces or hyphens inside.
    Spaces,
    /// Decimal places, such as `.0`.
    Decimals,
    /// Powers of ten, such as `4.006381333931E+12`, with all digits still there.
    Scientific,
    /// Zeros in front are gone.
    LeadingZeros,
}

/// Reads an article number from a spreadsheet's cell.
///
/// A repair is made only if it is certain: all digits must still be there and the check digit must be right afterwards.
///
/// # Errors
/// [`SpreadsheetError`] when digits are lost for good, or the number is wrong for another reason.
pub fn read(text: &str) -> Result<Repaired, SpreadsheetError> {
    let mut damage = Vec::new();
    let text = text.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(SpreadsheetError::Gtin(GtinError::Length { has: text.chars().count() }));
    }
    let bare = text.strip_prefix('=').unwrap_or(text).trim_matches(['"', '\'', '’', '`']);
    if bare != text {
        damage.push(Damage::Quotes);
    }
    let mut digits = bare.to_owned();
    if is_scientific(bare) {
        digits = expand(bare).ok_or_else(|| SpreadsheetError::DigitsLost(text.to_owned()))?;
        damage.push(Damage::Scientific);
    } else if bare.contains(is_grouping) {
        digits.retain(|character| !is_grouping(character));
        damage.push(Damage::Spaces);
    }
    if let Some((whole, fraction)) = split_decimals(&digits)
        && fraction.bytes().all(|digit| digit == b'0')
    {
        digits = whole.to_owned();
        damage.push(Damage::Decimals);
    }
    if let Some(gtin) = with_leading_zeros(&digits) {
        damage.push(Damage::LeadingZeros);
        return Ok(Repaired { gtin, damage });
    }
    match Gtin::parse(&digits) {
        Ok(gtin) => Ok(Repaired { gtin, damage }),
        Err(error) => Err(SpreadsheetError::Gtin(error)),
    }
}

/// The number with the zeros put back that a spreadsheet took, if that makes it right.
fn with_leading_zeros(digits: &str) -> Option<Gtin> {
    match digits.len() {
        7 => Gtin::parse(&format!("{digits:0>8}")).ok(),
        9..=11 => Gtin::parse(&format!("{digits:0>12}")).ok(),
        _ => None,
    }
}

fn is_grouping(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}' | '\u{2011}' | '\u{200B}' | '\u{FEFF}')
}

fn split_decimals(text: &str) -> Option<(&str, &str)> {
    text.split_once(['.', ',']).filter(|(_, fraction)| !fraction.is_empty())
}

/// Whether the text is a number with a power of ten.
fn is_scientific(text: &str) -> bool {
    text.split_once(['e', 'E']).is_some_and(|(number, power)| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(&number.replace(['.', ','], "")) && digits(power.trim_start_matches('+'))
    })
}

/// The digits of `4.006381333931E+12`, if it shows all of them.
fn expand(text: &str) -> Option<String> {
    let (number, power) = text.split_once(['e', 'E'])?;
    let power: usize = power.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = split_decimals(number)?;
    (fraction.len() == power && !fraction.contains(['.', ','])).then(|| format!("{whole}{fraction}"))
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Damage::Quotes => "quotes around it were left out",
            Damage::Spaces => "spaces or hyphens inside were left out",
            Damage::Decimals => "decimal places were left out",
            Damage::Scientific => "a power of ten was written out",
            Damage::LeadingZeros => "zeros in front were put back",
        })
    }
}

/// Why a spreadsheet's article number cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpreadsheetError {
    /// The spreadsheet rounded the number; the text is what was left.
    DigitsLost(String),
    /// It is no article number.
    Gtin(GtinError),
}

impl fmt::Display for SpreadsheetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpreadsheetError::DigitsLost(text) => write!(
                out,
                "gtin {text:?} was rounded by a spreadsheet and its digits are lost: format the column as text and export again"
            ),
            SpreadsheetError::Gtin(error) => write!(out, "{error}"),
        }
    }
}

impl std::error::Error for SpreadsheetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SpreadsheetError::DigitsLost(_) => None,
            SpreadsheetError::Gtin(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_spreadsheets_do_is_undone() {
        let cases: [(&str, &str, &[Damage]); 12] = [
            ("4006381333931", "4006381333931", &[]),
            ("'4006381333931", "4006381333931", &[Damage::Quotes]),
            ("=\"4006381333931\"", "4006381333931", &[Damage::Quotes]),
            ("4 006381 333931", "4006381333931", &[Damage::Spaces]),
            ("978-0-306-40615-7", "9780306406157", &[Damage::Spaces]),
            ("4006381333931.0", "4006381333931", &[Damage::Decimals]),
            ("4006381333931,00", "4006381333931", &[Damage::Decimals]),
            ("4.006381333931E+12", "4006381333931", &[Damage::Scientific]),
            ("4,006381333931e12", "4006381333931", &[Damage::Scientific]),
            ("36000291452", "036000291452", &[Damage::LeadingZeros]),
            ("36000291452.0", "036000291452", &[Damage::Decimals, Damage::LeadingZeros]),
            ("2345673", "02345673", &[Damage::LeadingZeros]),
        ];
        for (text, code, damage) in cases {
            let repaired = read(text).unwrap();
            assert_eq!((repaired.gtin.to_string().as_str(), &repaired.damage[..]), (code, damage), "{text}");
        }
    }

    #[test]
    fn what_is_lost_is_not_guessed() {
        for text in ["4.00638E+12", "4E+12", "4.0063813339E+12", "1.23E+99999999999999999999", "4.0.1E+2"] {
            assert_eq!(read(text), Err(SpreadsheetError::DigitsLost(text.to_owned())), "{text}");
        }
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert!(
            said("4.00638E+12").ends_with("its digits are lost: format the column as text and export again")
        );
        assert_eq!(said("36000291453"), "gtin has 11 digits: give 8, 12, 13 or 14");
        assert_eq!(
            said("4006381333930"),
            "gtin 4006381333930 should end in 1: read it again from the package"
        );
        assert_eq!(said("#REF!"), "gtin has '#' at place 1: give digits only");
        assert_eq!(said("4006381333931.5"), "gtin has '.' at place 14: give digits only");
        assert_eq!(said(""), "gtin has 0 digits: give 8, 12, 13 or 14");
    }

    proptest! {
        #[test]
        fn damage_done_is_damage_undone(body in 100_000_000u64..1_000_000_000_000, how in 0usize..6) {
            let gtin = Gtin::from_canonical(body * 10 + super::super::check_digit(body)).unwrap();
            let digits = gtin.canonical().to_string();
            let cell = match how {
                0 => format!("'{digits}"),
                1 => format!("{digits}.0"),
                2 => format!("{}.{}E+{}", &digits[..1], &digits[1..], digits.len() - 1),
                3 => format!(" {} {} ", &digits[..3], &digits[3..]),
                4 => format!("=\"{gtin}\""),
                _ => digits,
            };
            prop_assert_eq!(read(&cell).map(|repaired| repaired.gtin), Ok(gtin));
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), number in "[0-9.,eE+' -]{0,24}") {
            let _ = (read(&text), read(&number));
        }
    }
}
