//! Passwords: how long they must be, and what they must not be.

use crate::refusal::Refusal;

/// Fewest characters of a password.
pub const LENGTH_MIN: usize = 12;
/// Most characters of a password.
pub const LENGTH_MAX: usize = 200;

/// Checks a password to be set. Length is what protects; rules about digits and capitals only make passwords alike (NIST SP 800-63B).
///
/// # Errors
/// The refusal says what is wrong with it.
pub fn check(password: &str, email: &str) -> Result<(), Refusal> {
    let length = password.chars().count();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
        let why = format!(
            "a password has {LENGTH_MIN} to {LENGTH_MAX} characters; a few words are easy to keep in mind"
        );
        return Err(Refusal::invalid("password", why));
    }
    let (password, email) = (password.to_lowercase(), email.to_lowercase());
    if password.trim() == email {
        return Err(Refusal::invalid("password", "the e-mail address is not a password"));
    }
    let first = password.chars().next();
    if password.chars().all(|character| Some(character) == first) {
        return Err(Refusal::invalid("password", "one character again and again is not a password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_the_address_does_not() {
        assert!(check("elevenchars", "ada@example.com").is_err());
        assert!(check("twelve chars", "ada@example.com").is_ok());
        assert!(check("ÄÖÜäöüßéèêçñ", "ada@example.com").is_ok());
        assert!(check(&"x ".repeat(101), "ada@example.com").is_err());
        assert!(check("Ada.Lovelace@example.com", "ada.lovelace@example.com").is_err());
        assert!(check("aaaaaaaaaaaaaa", "ada@example.com").is_err());
    }
}
