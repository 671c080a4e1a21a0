//! Customers who sign in: by a code that is mailed and works once, for a while; by a passkey; or by the retailer's own sign-on.

pub mod passkey;
pub mod sign_on;
pub mod words;

use crate::Refusal;

/// Digits of a code.
pub const DIGITS: usize = 6;
/// For how long a code works, in seconds.
pub const CODE_SECONDS: i64 = 600;
/// How many wrong codes are heard before only a new one helps: with six digits one guess in 200,000.
pub const TRIES_MAX: i64 = 5;
/// How many codes are mailed to an address within an hour, at most.
pub const CODES_MAX: i64 = 5;
/// In which time they are counted, in seconds.
pub const CODES_SECONDS: i64 = 3600;
/// After so long without a request a session ends: thirty days, in seconds.
pub const IDLE_SECONDS: i64 = 30 * 86_400;
/// After so long a session ends in any case: half a year, in seconds.
pub const LIFE_SECONDS: i64 = 182 * 86_400;

/// Reads a code as it was typed; spaces and dashes do not matter.
///
/// # Errors
/// The refusal names the field `code`.
pub fn read_code(text: &str) -> Result<u32, Refusal> {
    let digits: String = text.chars().filter(|one| !one.is_whitespace() && *one != '-').collect();
    let is_one = digits.len() == DIGITS && digits.chars().all(|one| one.is_ascii_digit());
    let read = digits.parse().ok().filter(|_| is_one);
    read.ok_or_else(|| Refusal::invalid("code", format!("give the {DIGITS} digits of the code")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_typed() {
        assert_eq!(read_code(" 012 345 ").unwrap(), 12_345);
        assert_eq!(read_code("012-345").unwrap(), 12_345);
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(read_code(bad).unwrap_err().field(), Some("code"), "{bad}");
        }
    }
}
