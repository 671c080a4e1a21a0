//! Webhooks: to which addresses events are sent, which of them, how long a receiver that does not take them is tried, and what became
//! of each.

use crate::value::{Instant, text};
use crate::words;

/// The most endpoints of a retailer. Each has its own places for calls, so this bounds all of them.
pub const ENDPOINTS_MAX: i64 = 64;
/// The most kinds of events an endpoint names.
pub const KINDS_MAX: usize = 50;
/// The most characters of a kind of events.
const KIND_CHARS_MAX: usize = 100;
/// The most characters kept of what a receiver said.
pub const SAID_CHARS_MAX: usize = 500;
/// How long the secret before a change still signs.
pub const OLD_SECRET_SECONDS: i64 = 24 * 3600;
/// The most seconds a receiver may ask us to wait.
const ASKED_WAIT_SECONDS_MAX: i64 = 3600;
/// How many seconds to wait after each failure in a row: soon at first, for a receiver that starts anew; then hours, for one that must be
/// mended. After the last, three days and a few hours have passed, and the endpoint is disabled.
pub const WAITS_SECONDS: [i64; 13] =
    [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 43_200, 43_200, 86_400];

words! {
    /// Whether an endpoint is sent anything.
    State {
        /// Events are sent.
        Enabled 1 "enabled";
        /// Nothing is sent; what happens meanwhile waits in the journal.
        Disabled 2 "disabled";
    }
}

words! {
    /// Why an endpoint is disabled.
    Because {
        /// A colleague wants it so.
        Asked 1 "asked";
        /// It failed for days.
        Failing 2 "failing";
        /// It answered that it is gone (410).
        Gone 3 "gone";
    }
}

words! {
    /// What became of an event that was to be sent.
    Outcome {
        /// The receiver took it.
        Taken 1 "taken";
        /// The receiver did not take it yet; it is tried again, and what follows waits.
        Failing 2 "failing";
        /// A colleague let the endpoint go on without it.
        PassedOver 3 "passed_over";
        /// A colleague asked to send it again, which is about to happen.
        Again 4 "again";
        /// It was sent again once, and the receiver did not take it.
        Failed 5 "failed";
    }
}

/// A kind of events that is wanted, such as `order.placed`, or all that begin alike, such as `order.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind(String);

impl Kind {
    /// Reads a kind, or the beginning of kinds, which ends with a dot.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Kind, String> {
        let words = text.strip_suffix('.').unwrap_or(text).split('.');
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if text.len() <= KIND_CHARS_MAX && words.into_iter().all(is_word) {
            return Ok(Kind(text.to_owned()));
        }
        Err(format!(
            "give a kind of events such as order.placed, or the beginning of kinds such as \"order.\", of at most {KIND_CHARS_MAX} characters"
        ))
    }

    /// The text it was read from.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is an event of this kind wanted?
    pub fn takes(&self, kind: &str) -> bool {
        if self.0.ends_with('.') { kind.starts_with(&self.0) } else { kind == self.0 }
    }
}

/// Is an event of this kind among the kinds that are wanted? All are when none is named.
pub fn wanted(kinds: &[Kind], kind: &str) -> bool {
    kinds.is_empty() || kinds.iter().any(|one| one.takes(kind))
}

/// What a receiver answered, or why it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status; `None` when there was no answer in time.
    pub status: Option<i64>,
    /// The beginning of what it said, or why nothing was heard.
    pub said: String,
    /// How many seconds it wants to be left alone.
    pub wait_seconds: Option<i64>,
}

impl Answer {
    /// Did the receiver take the message? Any 2xx says so; a redirection does not, because it is not followed.
    pub fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Does the receiver want nothing any more?
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }

    /// What it said as it can be kept and shown: one line of bounded length.
    pub fn excerpt(&self) -> String {
        let shown = |character: char| if text::is_deceptive(character) { ' ' } else { character };
        self.said.chars().map(shown).take(SAID_CHARS_MAX).collect::<String>().trim().to_owned()
    }
}

/// When what failed so many times in a row is tried again; `None` when it is given up. Up to a fifth is added by chance, so that what
/// failed together does not come back together; a receiver that asks for more time gets it, up to an hour.
pub fn again_at(now: Instant, failures: i64, asked_seconds: Option<i64>, chance: u64) -> Option<Instant> {
    let place = usize::try_from(failures.max(1) - 1).ok()?;
    let wait = *WAITS_SECONDS.get(place)?;
    let wait = wait.max(asked_seconds.unwrap_or(0).min(ASKED_WAIT_SECONDS_MAX));
    let wait_micros = wait * 1_000_000;
    let more = i64::try_from(chance % (wait_micros.unsigned_abs() / 5)).unwrap_or(0);
    Some(Instant::from_micros(now.micros() + wait_micros + more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(texts: &[&str]) -> Vec<Kind> {
        texts.iter().map(|text| Kind::parse(text).unwrap()).collect()
    }

    #[test]
    fn a_kind_is_wanted_by_name_or_by_how_it_begins() {
        let some = kinds(&["order.", "stock.received"]);
        let taken: Vec<bool> =
            ["order.placed", "order", "stock.received", "stock.received_late", "x.order.y"]
                .iter()
                .map(|kind| wanted(&some, kind))
                .collect();
        assert_eq!(taken, [true, false, true, false, false]);
        assert!(wanted(&[], "whatever.happened"), "all when none is named");
        for bad in ["", ".", "Order.", "order placed", "order..placed", ".placed", "order.*"] {
            assert!(Kind::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Kind::parse(&"a".repeat(100)).is_ok() && Kind::parse(&"a".repeat(101)).is_err());
    }

    #[test]
    fn waits_grow_from_seconds_to_days_and_end() {
        let now = Instant::EPOCH;
        let wait = |failures, asked, chance| again_at(now, failures, asked, chance).map(Instant::micros);
        assert_eq!((wait(1, None, 0), wait(1, None, 999_999)), (Some(5_000_000), Some(5_999_999)));
        assert_eq!(wait(1, None, 1_000_000), Some(5_000_000), "never more than a fifth");
        assert_eq!(wait(1, Some(90), 0), Some(90_000_000), "the receiver asked for it");
        assert_eq!(wait(1, Some(1_000_000), 0), Some(3_600_000_000), "an hour at most");
        assert_eq!(wait(13, None, 0), Some(86_400_000_000));
        assert_eq!(wait(14, None, 0), None);
        let days = WAITS_SECONDS.iter().sum::<i64>() / 86_400;
        assert_eq!(days, 3);
        assert!(WAITS_SECONDS.is_sorted());
    }

    #[test]
    fn what_a_receiver_says_is_kept_in_one_short_line() {
        let answer =
            |status: i64, said: &str| Answer { status: Some(status), said: said.into(), wait_seconds: None };
        assert_eq!(answer(500, "no\r\n\0luck\u{202E}\n").excerpt(), "no   luck");
        assert_eq!(answer(500, &"ä".repeat(2000)).excerpt().chars().count(), SAID_CHARS_MAX);
        assert!(answer(204, "").is_taken() && !answer(301, "").is_taken() && !Answer::default().is_taken());
        assert!(answer(410, "").is_gone() && !answer(404, "").is_gone());
    }
}
