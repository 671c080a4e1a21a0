//! Telephone numbers as the whole world dials them (E.164): `+442079460958`.

use std::fmt;

use phonenumber::country::Id;

use super::country::Country;

/// Most characters that are read: a number with spaces, brackets and hyphens.
const TEXT_CHARS_MAX: usize = 40;

/// A telephone number in E.164: a plus, the calling code, the number; at most 15 digits.
///
/// Its debug form hides the number, so that none ends in a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people write it. One without `+` or `00` is taken as dialled within `home`.
    ///
    /// # Errors
    /// [`PhoneError`] that says what is wrong, without repeating the number.
    pub fn parse(text: &str, home: Option<Country>) -> Result<Phone, PhoneError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PhoneError::Empty);
        }
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(PhoneError::TooLong);
        }
        if let Some(character) = text.chars().find(|character| !is_dialled_or_grouping(*character)) {
            return Err(PhoneError::Character(character));
        }
        let digits = text.replace("(0)", "").chars().filter(char::is_ascii_digit).collect::<String>();
        let (abroad, digits) = match digits.strip_prefix("00") {
            Some(digits) => (true, digits),
            None => (text.starts_with('+') || text.starts_with("(+"), digits.as_str()),
        };
        let number = if abroad {
            phonenumber::parse(None, format!("+{digits}"))
        } else {
            phonenumber::parse(Some(home.and_then(region).ok_or(PhoneError::NoCountry)?), digits)
        };
        let number = number.map_err(|_| PhoneError::NotDiallable)?;
        if !number.is_valid() {
            return Err(PhoneError::NotDiallable);
        }
        Ok(Phone(number.format().mode(phonenumber::Mode::E164).to_string()))
    }

    /// The number in E.164, as it is stored, compared and dialled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The dialling region of the country; a few islands without inhabitants have none.
fn region(country: Country) -> Option<Id> {
    country.code().parse().ok()
}

fn is_dialled_or_grouping(character: char) -> bool {
    character.is_ascii_digit()
        || matches!(character, '+' | ' ' | '\u{A0}' | '(' | ')' | '-' | '.' | '/' | '\u{2010}' | '\u{2011}')
}

impl fmt::Display for Phone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Phone(hidden)")
    }
}

/// Why a telephone number was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneError {
    /// Nothing was given.
    Empty,
    /// More characters than any number has.
    TooLong,
    /// A character that is neither dialled nor used to group digits.
    Character(char),
    /// No calling code, and no country known to dial within.
    NoCountry,
    /// No telephone has this number.
    NotDiallable,
}

impl fmt::Display for PhoneError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PhoneError::Empty => out.write_str("phone number is empty: write it like +44 20 7946 0958"),
            PhoneError::TooLong => {
                write!(out, "phone number has more than {TEXT_CHARS_MAX} characters: give one number only")
            }
            PhoneError::Character(character) => {
                write!(out, "phone number has {character:?}: write digits only, and no extension")
            }
            PhoneError::NoCountry => out.write_str(
                "phone number has no country: begin it with + and the calling code, like +44 20 7946 0958",
            ),
            PhoneError::NotDiallable => out.write_str(
                "phone number cannot be dialled: check its digits, or begin it with + and the calling code",
            ),
        }
    }
}
impl std::error::Error for PhoneError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn home(code: &str) -> Option<Country> {
        Country::parse(code).ok()
    }

    #[test]
    fn one_number_however_written() {
        for text in [
            "020 7946 0958",
            "+44 20 7946 0958",
            "+44 (0)20 7946 0958",
            "0044 20 7946 0958",
            "(020) 7946-0958",
            "020.7946.0958",
        ] {
            assert_eq!(Phone::parse(text, home("GB")).unwrap().as_str(), "+442079460958", "{text}");
        }
        assert_eq!(Phone::parse("0171 2345678", home("DE")).unwrap().as_str(), "+491712345678");
        assert_eq!(Phone::parse("(212) 555-0123", home("US")).unwrap().as_str(), "+12125550123");
        assert_eq!(Phone::parse("+33 1 42 68 53 00", None).unwrap().as_str(), "+33142685300");
        assert_eq!(Phone::parse("06 698 12345", home("IT")).unwrap().as_str(), "+390669812345");
        assert_eq!(format!("{:?}", Phone::parse("+33142685300", None).unwrap()), "Phone(hidden)");
    }

    #[test]
    fn refusals() {
        let said = |text: &str, country: &str| Phone::parse(text, home(country)).unwrap_err();
        assert_eq!(said(" ", "GB"), PhoneError::Empty);
        assert_eq!(said("020 7946 0958", ""), PhoneError::NoCountry);
        assert_eq!(said("020 7946 0958", "BV"), PhoneError::NoCountry);
        assert_eq!(said("0800 FLOWERS", "GB"), PhoneError::Character('F'));
        assert_eq!(said("1", "GB"), PhoneError::NotDiallable);
        assert_eq!(said("+999 123 456 789", "GB"), PhoneError::NotDiallable);
        assert_eq!(said(&"1".repeat(41), "GB"), PhoneError::TooLong);
        assert_eq!(said("+", "GB"), PhoneError::NotDiallable);
    }

    proptest! {
        #[test]
        fn stored_form_is_short_and_reads_as_itself(text in "[+0-9 ()./-]{1,30}", country in 0usize..249) {
            if let Ok(phone) = Phone::parse(&text, Country::all().nth(country)) {
                prop_assert!(phone.as_str().len() <= 16 && phone.as_str().starts_with('+'));
                prop_assert_eq!(Phone::parse(phone.as_str(), None), Ok(phone));
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), country in 0usize..249) {
            let _ = Phone::parse(&text, Country::all().nth(country));
        }
    }
}
