//! Time zones and local days: when the shop's day begins and which day it is there, summer time included.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use super::instant::Instant;

/// The rules of all zones, part of the program, so that every machine answers alike.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Most characters of a zone's name.
const NAME_CHARS_MAX: usize = 64;

/// A time zone of the IANA database, such as `Europe/London`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Finds the zone of this name; capitals do not matter.
    ///
    /// # Errors
    /// [`ZoneError`] when the database has no such zone.
    pub fn parse(text: &str) -> Result<Zone, ZoneError> {
        let name = text.trim();
        let refusal = || ZoneError(name.chars().take(NAME_CHARS_MAX).collect());
        if name.is_empty() || name.len() > NAME_CHARS_MAX || name.eq_ignore_ascii_case("Etc/Unknown") {
            return Err(refusal());
        }
        let zone = RULES.get(name).map_err(|_| refusal())?;
        if zone.iana_name().is_some() { Ok(Zone(zone)) } else { Err(refusal()) }
    }

    /// The name as the IANA database writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// How many minutes after midnight the clock on the wall shows there at the instant.
    pub fn minute_of_day(&self, at: Instant) -> u16 {
        let shown = self.wall_clock(at);
        u16::from(shown.hour().unsigned_abs()) * 60 + u16::from(shown.minute().unsigned_abs())
    }

    /// What calendar and clock on the wall show there at the instant.
    pub(super) fn wall_clock(&self, at: Instant) -> DateTime {
        self.0.to_datetime(timestamp(at))
    }

    /// The first instant at which the clock on the wall shows this time or a later one.
    ///
    /// A time that summer time skips becomes the moment of the change; of a time that comes twice, the first is meant.
    pub(super) fn first_instant(&self, wall_clock: DateTime) -> Instant {
        let ambiguous = self.0.to_ambiguous_timestamp(wall_clock);
        let first = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(wall_clock).ok()
            }
            AmbiguousOffset::Gap { after, .. } => after
                .to_timestamp(wall_clock)
                .ok()
                .and_then(|earlier| self.0.following(earlier).next())
                .map(|change| change.timestamp()),
        };
        let edge = if wall_clock.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
        Instant::from_micros(first.unwrap_or(edge).as_microsecond())
    }
}

fn timestamp(at: Instant) -> Timestamp {
    let edge = if at.micros() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(at.micros()).unwrap_or(edge)
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Zone({self})")
    }
}

/// A name that is no time zone, shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError(String);

impl fmt::Display for ZoneError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "time zone {:?} is unknown: give a name of the IANA database, such as Europe/London",
            self.0
        )
    }
}
impl std::error::Error for ZoneError {}

/// A day of the calendar, as people at one place mean it: from year 1 to year 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(Date);

impl LocalDay {
    /// The day of this year, month (1 to 12) and day of the month.
    ///
    /// # Errors
    /// [`LocalDayError`] when the calendar has no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Result<LocalDay, LocalDayError> {
        match Date::new(year, month, day) {
            Ok(date) if year >= 1 => Ok(LocalDay(date)),
            _ => Err(LocalDayError(format!("{year:04}-{month:02}-{day:02}"))),
        }
    }

    /// Reads `2026-12-25`.
    ///
    /// # Errors
    /// [`LocalDayError`] when written otherwise, or when the calendar has no such day.
    pub fn parse(text: &str) -> Result<LocalDay, LocalDayError> {
        let text = text.trim();
        let refusal = || LocalDayError(text.chars().take(20).collect());
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        match text.split('-').collect::<Vec<_>>()[..] {
            [year, month, day]
                if [year.len(), month.len(), day.len()] == [4, 2, 2]
                    && all_digits(&text.replace('-', "")) =>
            {
                let year = year.parse().map_err(|_| refusal())?;
                let month = month.parse().map_err(|_| refusal())?;
                let day = day.parse().map_err(|_| refusal())?;
                LocalDay::new(year, month, day).map_err(|_| refusal())
            }
            _ => Err(refusal()),
        }
    }

    /// The day it is in the zone at the instant.
    pub fn of(at: Instant, zone: &Zone) -> LocalDay {
        LocalDay(zone.wall_clock(at).date().max(Date::constant(1, 1, 1)))
    }

    /// The first instant of the day in the zone; midnight, or the moment of the change where a clock skips midnight.
    pub fn first_instant(self, zone: &Zone) -> Instant {
        zone.first_instant(self.0.at(0, 0, 0, 0))
    }

    /// The first instant at which the clock in the zone shows this many seconds after midnight or later, within the day.
    pub fn at_second(self, second: u32, zone: &Zone) -> Instant {
        let part = |number: u32| i8::try_from(number).unwrap_or(0);
        let second = second.min(86_399);
        zone.first_instant(self.0.at(part(second / 3600), part(second / 60 % 60), part(second % 60), 0))
    }

    /// The day after; none after the last day of year 9999.
    pub fn next(self) -> Option<LocalDay> {
        self.0.tomorrow().ok().map(LocalDay)
    }

    /// The day before; none before the first day of year 1.
    pub fn previous(self) -> Option<LocalDay> {
        self.0.yesterday().ok().filter(|date| date.year() >= 1).map(LocalDay)
    }

    /// The day this many days later (earlier when negative), if the calendar has it.
    pub fn plus_days(self, days: i32) -> Option<LocalDay> {
        self.0.checked_add(days.days()).ok().filter(|date| date.year() >= 1).map(LocalDay)
    }

    /// The same day of the month this many months later (earlier when negative), or the last one of a shorter month, if the calendar has it.
    pub fn plus_months(self, months: i64) -> Option<LocalDay> {
        let month = i64::from(self.year()) * 12 + i64::from(self.month()) - 1 + months;
        let year = i16::try_from(month.div_euclid(12)).ok()?;
        let month = i8::try_from(month.rem_euclid(12) + 1).ok()?;
        (1..=self.day()).rev().find_map(|day| LocalDay::new(year, month, day).ok())
    }

    /// Days from Monday (0) to Sunday (6).
    pub fn weekday(self) -> usize {
        self.0.weekday().to_monday_zero_offset().unsigned_abs().into()
    }

    /// The year, 1 to 9999.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// The first instant at which the clock in the zone shows this many minutes after midnight of this day or later.
    pub fn at_minute(self, minute: u16, zone: &Zone) -> Instant {
        let (days, minute) = (i32::from(minute / 1440), minute % 1440);
        let Some(day) = self.plus_days(days) else {
            return Instant::from_micros(i64::MAX);
        };
        let (hour, minute) = ((minute / 60) as i8, (minute % 60) as i8);
        zone.first_instant(day.0.at(hour, minute, 0, 0))
    }
}

impl fmt::Display for LocalDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for LocalDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LocalDay({self})")
    }
}

/// A text that is no day of the calendar, shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalDayError(String);

impl fmt::Display for LocalDayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "day {:?} is not in the calendar: write year, month and day, such as 2026-12-25", self.0)
    }
}
impl std::error::Error for LocalDayError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn day(text: &str) -> LocalDay {
        LocalDay::parse(text).unwrap()
    }

    #[test]
    fn zones_by_name() {
        assert_eq!(zone(" europe/london ").name(), "Europe/London");
        assert_eq!(zone("UTC").to_string(), "UTC");
        let said = Zone::parse("Mars/Base").unwrap_err().to_string();
        assert_eq!(
            said,
            "time zone \"Mars/Base\" is unknown: give a name of the IANA database, such as Europe/London"
        );
        for text in ["", "Etc/Unknown", "+01:00", "../etc/passwd"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_begin_where_the_place_is() {
        let begins = |text: &str, name: &str| day(text).first_instant(&zone(name)).to_string();
        assert_eq!(begins("2026-11-21", "Europe/London"), "2026-11-21T00:00:00Z");
        assert_eq!(begins("2026-07-01", "Europe/London"), "2026-06-30T23:00:00Z");
        assert_eq!(begins("2026-07-01", "Asia/Kolkata"), "2026-06-30T18:30:00Z");
        // Midnight itself was skipped: 00:00 became 01:00 in Beirut, 23:30 became 00:30 in Toronto.
        assert_eq!(begins("2022-03-27", "Asia/Beirut"), "2022-03-26T22:00:00Z");
        assert_eq!(begins("1919-03-31", "America/Toronto"), "1919-03-31T04:30:00Z");
        // Samoa had no 30 December 2011.
        assert_eq!(begins("2011-12-30", "Pacific/Apia"), begins("2011-12-31", "Pacific/Apia"));
    }

    #[test]
    fn days_are_read_and_counted() {
        assert_eq!(day("2028-02-28").next().unwrap().to_string(), "2028-02-29");
        assert_eq!(day("2026-11-21").weekday(), 5);
        assert_eq!(day("2026-11-21").plus_days(-21).unwrap(), day("2026-10-31"));
        assert!(day("9999-12-31").next().is_none() && day("0001-01-01").previous().is_none());
        assert_eq!(day("2026-01-31").plus_months(1).unwrap(), day("2026-02-28"));
        assert_eq!(day("2026-01-31").plus_months(-11).unwrap(), day("2025-02-28"));
        assert!(day("9999-12-31").plus_months(1).is_none() && day("0001-01-31").plus_months(-1).is_none());
        for text in [
            "2026-02-29",
            "2026-2-3",
            "0000-01-01",
            "21.11.2026",
            "2026-13-01",
            "+026-01-01",
            "",
            "2026-11-21-01",
        ] {
            assert!(LocalDay::parse(text).is_err(), "{text}");
        }
        let said = LocalDay::new(2026, 2, 30).unwrap_err().to_string();
        assert_eq!(
            said,
            "day \"2026-02-30\" is not in the calendar: write year, month and day, such as 2026-12-25"
        );
    }

    fn some_zone() -> impl Strategy<Value = Zone> {
        proptest::sample::select(vec![
            "Europe/London",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Beirut",
            "Pacific/Apia",
            "Australia/Lord_Howe",
            "UTC",
            "America/Havana",
            "Africa/Casablanca",
            "Asia/Kathmandu",
        ])
        .prop_map(|name| Zone::parse(name).unwrap())
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_day(zone in some_zone(), seconds in -2_000_000_000i64..5_000_000_000) {
            let at = Instant::from_micros(seconds * 1_000_000);
            let day = LocalDay::of(at, &zone);
            prop_assert!(day.first_instant(&zone) <= at);
            prop_assert!(at < day.next().unwrap().first_instant(&zone));
        }

        #[test]
        fn text_and_back(days in 0i32..3_652_058) {
            let day = LocalDay::parse("0001-01-01").unwrap().plus_days(days).unwrap();
            prop_assert_eq!(LocalDay::parse(&day.to_string()), Ok(day));
        }

        #[test]
        fn later_on_the_wall_is_never_earlier(zone in some_zone(), days in 0i32..30_000, one in 0u16..2880, other in 0u16..2880) {
            let day = LocalDay::parse("1960-01-01").unwrap().plus_days(days).unwrap();
            let (first, second) = (one.min(other), one.max(other));
            prop_assert!(day.at_minute(first, &zone) <= day.at_minute(second, &zone));
        }

        #[test]
        fn the_edges_of_time_are_answered(micros in any::<i64>(), zone in some_zone()) {
            let at = Instant::from_micros(micros);
            prop_assert!(LocalDay::of(at, &zone).year() >= 1);
        }
    }
}
