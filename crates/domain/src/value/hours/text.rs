//! Opening hours as they are written and stored: `mo-fr 09:00-18:00; sa 10:00-16:00; 2026-12-25 closed`.

use std::collections::BTreeMap;
use std::fmt;

use super::{DAY_MINUTES, EXCEPTIONS_MAX, INTERVALS_MAX, Interval, OpeningHours};
use crate::value::zone::LocalDay;

/// Most bytes of the whole text.
pub const TEXT_BYTES_MAX: usize = 64_000;

const WEEKDAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
const CLOSED: &str = "closed";

/// Which days a part speaks of.
enum Days {
    Week(Vec<usize>),
    Dated(LocalDay),
}

impl OpeningHours {
    /// Reads parts set apart by `;`: weekdays (`mo`, `mo-fr`, `mo,we`) or a day (`2026-12-25`), then times set apart by
    /// commas or `closed`. A weekday that is not named is closed; `closed` alone is a place that never opens. Hours may
    /// end on the next day (`18:00-02:00`) and at `24:00`.
    ///
    /// # Errors
    /// [`HoursError`] that repeats the part that cannot be read.
    pub fn parse(text: &str) -> Result<OpeningHours, HoursError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(HoursError::TooLong { bytes: text.len() });
        }
        let mut week: [Option<Vec<Interval>>; 7] = Default::default();
        let mut exceptions = BTreeMap::new();
        let text = text.trim().to_lowercase();
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        if parts.clone().next().is_none() {
            return Err(HoursError::Empty);
        }
        for part in parts.filter(|part| *part != CLOSED) {
            let (days, times) =
                part.split_once(char::is_whitespace).ok_or_else(|| HoursError::Times(shorten(part)))?;
            let hours = read_times(times.trim())?;
            let is_new = match read_days(days)? {
                Days::Week(days) => days.into_iter().all(|day| week[day].replace(hours.clone()).is_none()),
                Days::Dated(day) => exceptions.insert(day, hours).is_none(),
            };
            if !is_new {
                return Err(HoursError::Twice(shorten(part)));
            }
        }
        if exceptions.len() > EXCEPTIONS_MAX {
            return Err(HoursError::TooManyDays { has: exceptions.len() });
        }
        Ok(OpeningHours { week: week.map(Option::unwrap_or_default), exceptions })
    }
}

fn read_days(text: &str) -> Result<Days, HoursError> {
    if text.starts_with(|character: char| character.is_ascii_digit()) {
        return LocalDay::parse(text).map(Days::Dated).map_err(|_| HoursError::Day(shorten(text)));
    }
    read_weekdays(text).map(Days::Week)
}

/// Days from Monday (0) of `mo`, `mo-fr` or `mo,we`.
pub(super) fn read_weekdays(text: &str) -> Result<Vec<usize>, HoursError> {
    let weekday = |name: &str| {
        WEEKDAYS.iter().position(|known| *known == name).ok_or_else(|| HoursError::Day(shorten(name)))
    };
    let mut days = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let count = (last + 7 - first) % 7;
        days.extend((0..=count).map(|step| (first + step) % 7));
    }
    Ok(days)
}

fn read_times(text: &str) -> Result<Vec<Interval>, HoursError> {
    if text == CLOSED {
        return Ok(Vec::new());
    }
    let mut hours = text.split(',').map(|part| read_interval(part.trim())).collect::<Result<Vec<_>, _>>()?;
    if hours.len() > INTERVALS_MAX {
        return Err(HoursError::TooManyTimes { part: shorten(text), has: hours.len() });
    }
    hours.sort_unstable();
    if hours.windows(2).any(|pair| pair[1].opens_minute < pair[0].closes_minute) {
        return Err(HoursError::Overlap(shorten(text)));
    }
    Ok(hours)
}

fn read_interval(text: &str) -> Result<Interval, HoursError> {
    let refusal = || HoursError::Times(shorten(text));
    let (opens, closes) = text.split_once('-').ok_or_else(refusal)?;
    let (opens, closes) = (read_minute(opens.trim()), read_minute(closes.trim()));
    let (opens, closes) = (opens.ok_or_else(refusal)?, closes.ok_or_else(refusal)?);
    if opens == closes {
        return Err(HoursError::NoTime(shorten(text)));
    }
    let closes = if closes < opens { closes + DAY_MINUTES } else { closes };
    Interval::new(opens, closes).ok_or_else(refusal)
}

/// Minutes after midnight of `09:30`, at most `24:00`.
pub(super) fn read_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
}

pub(super) fn shorten(part: &str) -> String {
    part.chars().take(60).collect()
}

impl fmt::Display for OpeningHours {
    /// The shortest text that reads as the same hours: neighbouring weekdays with the same hours are put together.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let days: Vec<usize> = (0..7).collect();
        for alike in days.chunk_by(|one, next| self.week[*one] == self.week[*next]) {
            let times = &self.week[alike[0]];
            if !times.is_empty() {
                parts.push(format!("{} {}", named_days(alike), written(times)));
            }
        }
        parts.extend(self.exceptions.iter().map(|(day, hours)| format!("{day} {}", written(hours))));
        if parts.is_empty() {
            return out.write_str(CLOSED);
        }
        out.write_str(&parts.join("; "))
    }
}

/// `mo` or `mo-fr` for neighbouring days from Monday (0); there is at least one.
pub(super) fn named_days(days: &[usize]) -> String {
    match (days[0], days[days.len() - 1]) {
        (first, last) if first == last => WEEKDAYS[first].to_owned(),
        (first, last) => format!("{}-{}", WEEKDAYS[first], WEEKDAYS[last]),
    }
}

fn written(hours: &[Interval]) -> String {
    if hours.is_empty() {
        return CLOSED.to_owned();
    }
    hours.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Interval {
    /// Such as `09:00-18:00`, `18:00-02:00` or `00:00-24:00`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opens = self.opens_minute;
        let closes = if self.closes_minute > DAY_MINUTES {
            self.closes_minute - DAY_MINUTES
        } else {
            self.closes_minute
        };
        write!(out, "{:02}:{:02}-{:02}:{:02}", opens / 60, opens % 60, closes / 60, closes % 60)
    }
}

/// Why opening hours were refused; each repeats the part that is wrong, shortened to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoursError {
    /// Nothing was given.
    Empty,
    /// More text than any shop needs.
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
    /// Neither weekdays nor a day.
    Day(String),
    /// No times.
    Times(String),
    /// Opens and closes at the same time.
    NoTime(String),
    /// Times that lie in each other.
    Overlap(String),
    /// A weekday or day that was given before.
    Twice(String),
    /// More times than a day may have.
    TooManyTimes {
        /// The times.
        part: String,
        /// Times given.
        has: usize,
    },
    /// More days with hours of their own than are kept.
    TooManyDays {
        /// Days given.
        has: usize,
    },
}

impl fmt::Display for HoursError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HoursError::Empty => out.write_str("opening hours are empty: write closed if it never opens"),
            HoursError::TooLong { bytes } => {
                write!(out, "opening hours have {bytes} bytes: give at most {TEXT_BYTES_MAX}")
            }
            HoursError::Day(part) => {
                write!(
                    out,
                    "opening hours have {part:?} where days belong: write mo to su, mo-fr or 2026-12-25"
                )
            }
            HoursError::Times(part) => {
                write!(out, "opening hours have no times in {part:?}: write them like 09:00-18:00, or closed")
            }
            HoursError::NoTime(part) => {
                write!(
                    out,
                    "opening hours open and close at once in {part:?}: write 00:00-24:00 for the whole day"
                )
            }
            HoursError::Overlap(part) => write!(out, "opening hours overlap in {part:?}: join the times"),
            HoursError::Twice(part) => {
                write!(
                    out,
                    "opening hours name a day twice, again in {part:?}: give each day once, with commas between times"
                )
            }
            HoursError::TooManyTimes { part, has } => {
                write!(out, "opening hours have {has} times in {part:?}: give at most {INTERVALS_MAX}")
            }
            HoursError::TooManyDays { has } => {
                write!(
                    out,
                    "opening hours have {has} single days: give at most {EXCEPTIONS_MAX}, leave out past ones"
                )
            }
        }
    }
}
impl std::error::Error for HoursError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn printed_in_short() {
        let cases = [
            (
                "mo-fr 09:00-18:00; sa 10:00-16:00; 2026-12-25 closed",
                "mo-fr 09:00-18:00; sa 10:00-16:00; 2026-12-25 closed",
            ),
            ("MO,TU 13:00 - 18:00, 09:00-12:00;", "mo-tu 09:00-12:00,13:00-18:00"),
            ("sa-mo 18:00-00:00", "mo 18:00-24:00; sa-su 18:00-24:00"),
            ("mo-su closed", "closed"),
            ("closed; 2026-12-06 10:00-02:00", "2026-12-06 10:00-02:00"),
        ];
        for (given, printed) in cases {
            assert_eq!(OpeningHours::parse(given).unwrap().to_string(), printed);
        }
    }

    #[test]
    fn refusals_repeat_the_part() {
        let said = |text: &str| OpeningHours::parse(text).unwrap_err().to_string();
        assert_eq!(said(" ; "), "opening hours are empty: write closed if it never opens");
        assert_eq!(
            said("mo-fr 09:00-18:00; sat 10:00-16:00"),
            "opening hours have \"sat\" where days belong: write mo to su, mo-fr or 2026-12-25"
        );
        assert_eq!(
            said("mo 9-18"),
            "opening hours have no times in \"9-18\": write them like 09:00-18:00, or closed"
        );
        for text in [
            "mo",
            "mo 09:00",
            "mo 09:00-18:60",
            "mo 24:00-24:30",
            "mo 24:00-02:00",
            "mo ٠٩:٠٠-١٨:٠٠",
            "mo 09:00-18:00,",
        ] {
            assert!(matches!(OpeningHours::parse(text), Err(HoursError::Times(_))), "{text}");
        }
        assert!(said("mo 09:00-09:00").ends_with("write 00:00-24:00 for the whole day"));
        assert!(said("mo 09:00-13:00,12:00-18:00").contains("overlap in \"09:00-13:00,12:00-18:00\""));
        assert!(said("mo-fr 09:00-18:00; fr closed").contains("again in \"fr closed\""));
        assert!(said("2026-02-30 closed").contains("\"2026-02-30\" where days belong"));
        assert!(said(&"x".repeat(64_001)).contains("64001 bytes"));
        let many = (1..=9).map(|hour| format!("0{hour}:00-0{hour}:30")).collect::<Vec<_>>().join(",");
        assert!(said(&format!("mo {many}")).contains("have 9 times"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), like in "(mo|su-we|2026-12-2[0-9]) ?([0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2},?){0,3};?") {
            if let Ok(hours) = OpeningHours::parse(&like) {
                prop_assert_eq!(OpeningHours::parse(&hours.to_string()), Ok(hours));
            }
            let _ = OpeningHours::parse(&text);
        }
    }
}
