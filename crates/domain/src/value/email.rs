//! E-mail addresses: checked for what mail can be sent to, and comparable whatever the capitals.

use std::fmt;

use super::text::{is_deceptive, is_invisible};

/// Most bytes of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Most bytes before the @ (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Most bytes between two dots of the domain (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// An e-mail address: the part before the @ as it was given, the domain in small letters.
///
/// Its debug form hides the address, so that none ends in a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address such as `Ada.Lovelace@example.com`. Letters of every script are permitted (RFC 6531); quoted
    /// names and numbers in place of a domain, which no customer has, are not.
    ///
    /// # Errors
    /// [`EmailError`] that says what is wrong, without repeating the address.
    pub fn parse(text: &str) -> Result<Email, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        if text.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::TooLong { bytes: text.len() });
        }
        if let Some(character) = text.chars().find(|character| is_never_part(*character)) {
            return Err(EmailError::Character(character));
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::NoAt)?;
        if domain.contains('@') {
            return Err(EmailError::Character('@'));
        }
        check_local(local)?;
        let domain = domain.to_lowercase();
        check_domain(&domain)?;
        let whole = format!("{local}@{domain}");
        if whole.len() > EMAIL_BYTES_MAX {
            return Err(EmailError::TooLong { bytes: whole.len() });
        }
        Ok(Email(whole))
    }

    /// The address as mail is sent to.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What comes after the @, in small letters.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The whole address in small letters: the form from which the keyed hash for finding a person is made.
    pub fn lookup_form(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Whether the character is in no part of an address.
fn is_never_part(character: char) -> bool {
    is_invisible(character)
        || is_deceptive(character)
        || matches!(character, '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | ',' | '"' | '\\')
}

fn check_local(local: &str) -> Result<(), EmailError> {
    if local.is_empty() {
        return Err(EmailError::NoLocal);
    }
    if local.len() > LOCAL_BYTES_MAX {
        return Err(EmailError::LocalTooLong { bytes: local.len() });
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(EmailError::Dots);
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), EmailError> {
    let labels: Vec<&str> = domain.split('.').collect();
    if labels.len() < 2 || labels.contains(&"") {
        return Err(EmailError::Domain);
    }
    let is_label_character =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || !character.is_ascii();
    for label in &labels {
        if label.len() > LABEL_BYTES_MAX || label.starts_with('-') || label.ends_with('-') {
            return Err(EmailError::Domain);
        }
        if let Some(character) = label.chars().find(|character| !is_label_character(*character)) {
            return Err(EmailError::Character(character));
        }
    }
    let ends_in_number = labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if ends_in_number { Err(EmailError::Domain) } else { Ok(()) }
}

impl fmt::Display for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Email(hidden)")
    }
}

/// Why an e-mail address was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailError {
    /// Nothing was given.
    Empty,
    /// More bytes than mail servers accept.
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
    /// No @.
    NoAt,
    /// Nothing before the @.
    NoLocal,
    /// Too much before the @.
    LocalTooLong {
        /// Bytes before the @.
        bytes: usize,
    },
    /// A dot at the edge, or two together, before the @.
    Dots,
    /// What comes after the @ is no domain.
    Domain,
    /// A character that cannot be there.
    Character(char),
}

impl fmt::Display for EmailError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmailError::Empty => out.write_str("e-mail address is empty: write it like name@example.com"),
            EmailError::TooLong { bytes } => {
                write!(out, "e-mail address has {bytes} bytes: at most {EMAIL_BYTES_MAX} can be delivered to")
            }
            EmailError::NoAt => out.write_str("e-mail address has no @: write it like name@example.com"),
            EmailError::NoLocal => {
                out.write_str("e-mail address has nothing before the @: write it like name@example.com")
            }
            EmailError::LocalTooLong { bytes } => {
                write!(
                    out,
                    "e-mail address has {bytes} bytes before the @: at most {LOCAL_BYTES_MAX} can be delivered to"
                )
            }
            EmailError::Dots => out.write_str(
                "e-mail address has a dot too many before the @: put single dots between letters only",
            ),
            EmailError::Domain => out.write_str(
                "e-mail address has no complete domain after the @: write it like name@example.com",
            ),
            EmailError::Character(character) if character.is_whitespace() => {
                out.write_str("e-mail address has a space inside: remove it")
            }
            EmailError::Character('@') => {
                out.write_str("e-mail address has more than one @: give one address")
            }
            EmailError::Character(character) if is_deceptive(*character) || is_invisible(*character) => {
                write!(
                    out,
                    "e-mail address has the invisible character U+{:04X}: remove it",
                    u32::from(*character)
                )
            }
            EmailError::Character(character) => {
                write!(out, "e-mail address has {character:?}, which cannot be in it: correct it")
            }
        }
    }
}
impl std::error::Error for EmailError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_person_and_lowers_the_domain() {
        let email = Email::parse("  Ada.Lovelace+tea@Example.CO.UK ").unwrap();
        assert_eq!(email.as_str(), "Ada.Lovelace+tea@example.co.uk");
        assert_eq!(email.domain(), "example.co.uk");
        assert_eq!(email.lookup_form(), "ada.lovelace+tea@example.co.uk");
        assert_eq!(format!("{email:?}"), "Email(hidden)");
    }

    #[test]
    fn every_script_is_permitted() {
        for text in [
            "jörg@müller.example",
            "用户@例子.example",
            "o'brien@example.ie",
            "a_b-c%d@xn--mller-kva.example",
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refusals() {
        let said = |text: &str| Email::parse(text).unwrap_err();
        assert_eq!(said("  "), EmailError::Empty);
        assert_eq!(said("ada"), EmailError::NoAt);
        assert_eq!(said("@example.com"), EmailError::NoLocal);
        assert_eq!(
            said("ada@home@example.com").to_string(),
            "e-mail address has more than one @: give one address"
        );
        assert_eq!(
            said("ada lovelace@example.com").to_string(),
            "e-mail address has a space inside: remove it"
        );
        assert_eq!(said("ada..l@example.com"), EmailError::Dots);
        assert_eq!(said("ada.@example.com"), EmailError::Dots);
        for domain in ["localhost", "example.", ".com", "a..b", "-a.com", "a-.com", "10.0.0.1", ""] {
            assert_eq!(said(&format!("ada@{domain}")), EmailError::Domain, "{domain}");
        }
        assert_eq!(said("ada@exa_mple.com"), EmailError::Character('_'));
        assert_eq!(said("<ada@example.com>"), EmailError::Character('<'));
        assert_eq!(said("ada\u{202E}@example.com"), EmailError::Character('\u{202E}'));
        assert_eq!(said("ada\r\nbcc:x@example.com"), EmailError::Character('\r'));
        assert_eq!(said(&format!("{}@example.com", "a".repeat(65))), EmailError::LocalTooLong { bytes: 65 });
        assert_eq!(said(&format!("a@{}.com", "a.".repeat(150))), EmailError::TooLong { bytes: 306 });
    }

    proptest! {
        #[test]
        fn never_longer_than_mail_allows_and_stable(text in "\\PC{1,8}@\\PC{1,8}\\.\\PC{1,4}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(email.as_str().len() <= EMAIL_BYTES_MAX);
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn capitals_do_not_matter_for_finding(text in "[a-zA-Z]{1,8}(\\.[a-zA-Z0-9]{1,8})?@[a-zA-Z0-9]{1,8}\\.[a-zA-Z]{2,4}") {
            let given = Email::parse(&text).unwrap();
            let capitals = Email::parse(&text.to_uppercase()).unwrap();
            prop_assert_eq!(given.lookup_form(), capitals.lookup_form());
        }

        #[test]
        fn nothing_makes_it_panic(text in any::<String>()) {
            let _ = Email::parse(&text);
        }
    }
}
