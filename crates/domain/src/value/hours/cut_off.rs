//! Cut-offs: until when on each weekday an order is still prepared the same day: `mo-fr 15:00; sa 12:00`.

use std::fmt;

use super::text::{self, HoursError};
use crate::value::{Instant, LocalDay, Zone};

/// Most bytes of the text.
const TEXT_BYTES_MAX: usize = 400;

/// Until which minute after midnight each weekday takes that day's orders, Monday first; a day without one prepares none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CutOffs([Option<u16>; 7]);

impl CutOffs {
    /// Reads parts set apart by `;`: weekdays (`mo`, `mo-fr`, `mo,we`), then one time of the clock on the wall.
    ///
    /// # Errors
    /// [`HoursError`] that repeats the part that cannot be read.
    pub fn parse(written: &str) -> Result<CutOffs, HoursError> {
        if written.len() > TEXT_BYTES_MAX {
            return Err(HoursError::TooLong { bytes: written.len() });
        }
        let mut minutes: [Option<u16>; 7] = [None; 7];
        let written = written.trim().to_lowercase();
        for part in written.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let refusal = || HoursError::Times(text::shorten(part));
            let (days, time) = part.split_once(char::is_whitespace).ok_or_else(refusal)?;
            let minute = text::read_minute(time.trim()).ok_or_else(refusal)?;
            for day in text::read_weekdays(days)? {
                if minutes[day].replace(minute).is_some() {
                    return Err(HoursError::Twice(text::shorten(part)));
                }
            }
        }
        if minutes.iter().all(Option::is_none) { Err(HoursError::Empty) } else { Ok(CutOffs(minutes)) }
    }

    /// The instant until which the day's orders are taken, if that weekday takes any.
    pub fn on(&self, day: LocalDay, zone: &Zone) -> Option<Instant> {
        self.0[day.weekday()].map(|minute| day.at_minute(minute, zone))
    }

    /// The first cut-off after the instant.
    pub fn next(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        let today = LocalDay::of(at, zone);
        let days = (0..=7).filter_map(|days| today.plus_days(days));
        days.filter_map(|day| self.on(day, zone)).find(|cut_off| *cut_off > at)
    }
}

impl fmt::Display for CutOffs {
    /// Neighbouring weekdays with the same time are put together.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<usize> = (0..7).collect();
        let mut parts = Vec::new();
        for alike in days.chunk_by(|one, next| self.0[*one] == self.0[*next]) {
            let Some(minute) = self.0[alike[0]] else { continue };
            parts.push(format!("{} {:02}:{:02}", text::named_days(alike), minute / 60, minute % 60));
        }
        out.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn orders_of_a_week() {
        let (cut_offs, london) =
            (CutOffs::parse("MO-FR 15:00; sa 12:00").unwrap(), Zone::parse("Europe/London").unwrap());
        let next = |at: &str| cut_offs.next(Instant::parse(at).unwrap(), &london).unwrap().to_string();
        assert_eq!(next("2026-11-20T14:59:59Z"), "2026-11-20T15:00:00Z");
        assert_eq!(next("2026-11-20T15:00:00Z"), "2026-11-21T12:00:00Z");
        assert_eq!(next("2026-11-21T12:00:00Z"), "2026-11-23T15:00:00Z");
        assert_eq!(next("2026-07-06T12:00:00Z"), "2026-07-06T14:00:00Z", "summer time");
        let mondays = CutOffs::parse("mo 24:00").unwrap();
        let after = Instant::parse("2026-11-24T00:00:00Z").unwrap();
        assert_eq!(mondays.next(after, &london).unwrap().to_string(), "2026-12-01T00:00:00Z");
    }

    #[test]
    fn refusals() {
        for text in ["", ";", "mo", "mo 9:00", "mo 09:00-10:00", "mo 09:00; mo 10:00", "xy 09:00", "mo 24:01"]
        {
            assert!(CutOffs::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(minutes: [Option<u16>; 7]) {
            let cut_offs = CutOffs(minutes.map(|minute| minute.map(|minute| minute % 1441)));
            prop_assume!(cut_offs.0.iter().any(Option::is_some));
            prop_assert_eq!(CutOffs::parse(&cut_offs.to_string()), Ok(cut_offs));
        }
    }
}
