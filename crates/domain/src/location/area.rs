//! Postal areas: what the postal codes of a place begin with, so that a code leads to a point on the map, near enough to tell which
//! store is nearest.

/// The most letters and digits of a postal code that are looked at.
pub const CODE_CHARS_MAX: usize = 10;

/// The letters and digits of a postal code in capitals: spaces and dashes do not count.
pub fn letters_and_digits(code: &str) -> String {
    code.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// What the postal codes of an area begin with; nothing for a whole country.
///
/// # Errors
/// What can be given.
pub fn prefix(text: &str) -> Result<String, String> {
    let prefix = letters_and_digits(text);
    let is_sound = prefix.len() <= CODE_CHARS_MAX && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_sound.then_some(prefix).ok_or_else(|| {
        format!("give at most {CODE_CHARS_MAX} letters a to z and digits, or nothing for the whole country")
    })
}

/// Every beginning of a postal code, the longest first; the last one is empty and means the whole country.
pub fn beginnings(postal_code: &str) -> Vec<String> {
    let code: Vec<char> = letters_and_digits(postal_code).chars().take(CODE_CHARS_MAX).collect();
    (0..=code.len()).rev().map(|length| code[..length].iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        assert_eq!(prefix(" ls1 4-dy "), Ok("LS14DY".to_owned()));
        assert_eq!(prefix(""), Ok(String::new()));
        assert!(prefix("12345678901").is_err() && prefix("ÄB1").is_err());
        assert_eq!(beginnings("ec1"), ["EC1", "EC", "E", ""]);
        assert_eq!((beginnings("").len(), beginnings("SW1A 1AA, London").len()), (1, CODE_CHARS_MAX + 1));
    }
}
