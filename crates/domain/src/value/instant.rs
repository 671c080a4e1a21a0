//! Instants: a moment in time, the same everywhere on earth, kept as microseconds since 1970 in UTC.

use std::fmt;

use jiff::Timestamp;

/// A moment, in microseconds since the start of 1970 in UTC. Never earlier than year 1 nor later than year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// The first and last instants that can be written as RFC 3339.
const BOUNDS: (i64, i64) = (-62_135_596_800_000_000, 253_402_207_199_999_999);

impl Instant {
    /// The start of 1970 in UTC.
    pub const EPOCH: Instant = Instant(0);

    /// The instant this many microseconds after the start of 1970 in UTC; held to the bounds of the calendar.
    pub const fn from_micros(micros: i64) -> Instant {
        if micros < BOUNDS.0 {
            return Instant(BOUNDS.0);
        }
        if micros > BOUNDS.1 {
            return Instant(BOUNDS.1);
        }
        Instant(micros)
    }

    /// Microseconds since the start of 1970 in UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant this many seconds later (earlier when negative).
    pub const fn plus_seconds(self, seconds: i64) -> Instant {
        Instant::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// Reads RFC 3339, such as `2026-11-21T09:30:00Z`; any offset is accepted.
    ///
    /// # Errors
    /// [`InstantError`] when the text is not RFC 3339.
    pub fn parse(text: &str) -> Result<Instant, InstantError> {
        text.parse::<Timestamp>()
            .map(|at| Instant::from_micros(at.as_microsecond()))
            .map_err(|_| InstantError)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC with as many fraction digits as needed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(out, "{at}")
    }
}

/// A text that is not an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstantError;

impl fmt::Display for InstantError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not an instant: write RFC 3339, such as 2026-11-21T09:30:00Z")
    }
}
impl std::error::Error for InstantError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_can_be_written() {
        assert_eq!(Instant::from_micros(i64::MIN).to_string(), "0001-01-01T00:00:00Z");
        assert!(Instant::from_micros(i64::MAX).to_string().starts_with("9999-12-30"));
    }

    proptest! {
        #[test]
        fn text_and_back(micros in BOUNDS.0..BOUNDS.1) {
            let at = Instant::from_micros(micros);
            prop_assert_eq!(Instant::parse(&at.to_string()).unwrap(), at);
        }
    }
}
