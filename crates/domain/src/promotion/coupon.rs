//! Coupons: codes that open a promotion; one for everybody, or many that were made together.

use crate::Refusal;

/// The fewest characters of a code.
pub const CODE_CHARS_MIN: usize = 4;
/// The most characters of a code.
pub const CODE_CHARS_MAX: usize = 40;
/// The most characters before the drawn part of a batch's codes.
pub const PREFIX_CHARS_MAX: usize = 20;
/// The most coupons made at once.
pub const BATCH_MAX: i64 = 10_000;
/// Letters and digits of drawn codes: none can be mistaken for another.
const DIGITS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// How many of them are drawn: 60 bits, so that nobody guesses one.
const DRAWN: usize = 12;

/// A code as it is compared: capitals, letters, digits and hyphens, without spaces.
///
/// # Errors
/// The refusal names the field `code`.
pub fn code(text: &str) -> Result<String, Refusal> {
    let code: String =
        text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_uppercase();
    let may = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '-';
    if !(CODE_CHARS_MIN..=CODE_CHARS_MAX).contains(&code.chars().count()) || !code.chars().all(may) {
        let message = format!(
            "give {CODE_CHARS_MIN} to {CODE_CHARS_MAX} letters, digits and hyphens, such as SPRING-10"
        );
        return Err(Refusal::invalid("code", message));
    }
    Ok(code)
}

/// The part of a batch's codes that all share: as [`code`], or empty.
///
/// # Errors
/// The refusal names the field `prefix`.
pub fn prefix(text: &str) -> Result<String, Refusal> {
    let prefix = text.trim().to_uppercase();
    let may = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '-';
    if prefix.chars().count() > PREFIX_CHARS_MAX || !prefix.chars().all(may) {
        let message = format!("give at most {PREFIX_CHARS_MAX} letters, digits and hyphens");
        return Err(Refusal::invalid("prefix", message));
    }
    Ok(prefix)
}

/// A code of a batch, from 64 bits of chance: three groups of four that a person can read out.
pub fn drawn(prefix: &str, chance: [u8; 8]) -> String {
    let bits = u64::from_be_bytes(chance);
    let mut code = prefix.to_owned();
    for place in 0..DRAWN {
        if place % 4 == 0 && !code.is_empty() {
            code.push('-');
        }
        code.push(char::from(DIGITS[(bits >> (5 * place) & 31) as usize]));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_compared_in_capitals() {
        assert_eq!(code(" spring-10 ").unwrap(), "SPRING-10");
        assert_eq!(code("spring 10").unwrap(), "SPRING10");
        assert_eq!(code("a*b!").unwrap_err().field(), Some("code"));
        assert_eq!(code("abc").unwrap_err().field(), Some("code"));
        assert_eq!(prefix("x".repeat(21).as_str()).unwrap_err().field(), Some("prefix"));
    }

    #[test]
    fn drawn_codes_are_codes() {
        assert_eq!(drawn("", [0; 8]), "2222-2222-2222");
        let own = drawn("SPRING", [0xff; 8]);
        assert_eq!(own, "SPRING-ZZZZ-ZZZZ-ZZZZ");
        assert_eq!(code(&own).unwrap(), own);
    }
}
