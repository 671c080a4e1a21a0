//! Opening hours: when a shop is open, when it next opens or closes, and when thirty open minutes will have passed.

use std::collections::BTreeMap;

use super::instant::Instant;
use super::zone::{LocalDay, Zone};

pub mod cut_off;
pub mod text;

pub use cut_off::CutOffs;
pub use text::HoursError;

/// Most intervals in one day.
pub const INTERVALS_MAX: usize = 8;
/// Most days with hours of their own.
pub const EXCEPTIONS_MAX: usize = 500;
/// How many days ahead openings and closings are looked for.
pub const DAYS_AHEAD_MAX: i32 = 800;

/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 1440;
const MINUTE_MICROS: i64 = 60_000_000;

/// A time from opening to closing, by the clock on the wall; may run past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    opens_minute: u16,
    closes_minute: u16,
}

impl Interval {
    /// From the minute of opening (0 to 1439 after midnight) to the minute of closing, less than 24 hours later or the
    /// whole day from midnight on: closing minutes above 1440 are on the next day.
    pub fn new(opens_minute: u16, closes_minute: u16) -> Option<Interval> {
        let is_sound = opens_minute < DAY_MINUTES
            && opens_minute < closes_minute
            && (closes_minute - opens_minute < DAY_MINUTES || closes_minute == DAY_MINUTES);
        is_sound.then_some(Interval { opens_minute, closes_minute })
    }

    /// Minutes after midnight at which it opens: 0 to 1439.
    pub fn opens_minute(self) -> u16 {
        self.opens_minute
    }

    /// Minutes after the same midnight at which it closes: 1 to 2878.
    pub fn closes_minute(self) -> u16 {
        self.closes_minute
    }
}

/// When a place is open: a pattern that repeats every week, and days that differ from it.
///
/// Hours belong to the day on which they begin: a day that is an exception replaces what would begin on it, while hours
/// of the evening before still run past midnight into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpeningHours {
    /// Monday to Sunday, each in order and without overlap.
    week: [Vec<Interval>; 7],
    /// In order and without overlap; none means closed.
    exceptions: BTreeMap<LocalDay, Vec<Interval>>,
}

/// An unbroken time of being open.
#[derive(Clone, Copy, Debug)]
struct Span {
    opens: Instant,
    closes: Instant,
}

impl OpeningHours {
    /// Whether the place in this zone is open at the instant; at the very instant of closing it is not.
    pub fn is_open(&self, at: Instant, zone: &Zone) -> bool {
        self.pieces(at, zone).next().is_some_and(|piece| piece.opens <= at)
    }

    /// The first instant after this one at which it opens, if within [`DAYS_AHEAD_MAX`] days.
    pub fn next_opening(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        self.spans(at, zone).map(|span| span.opens).find(|opens| *opens > at)
    }

    /// The first instant after this one at which it closes, if within [`DAYS_AHEAD_MAX`] days.
    pub fn next_closing(&self, at: Instant, zone: &Zone) -> Option<Instant> {
        let horizon = horizon(at, zone)?;
        self.spans(at, zone).next().map(|span| span.closes).filter(|closes| *closes < horizon)
    }

    /// The instant at which the place will have been open for this many minutes since the given one.
    ///
    /// What is ready 30 open minutes after half past five, where the shop closes at a quarter to six and opens at nine,
    /// is ready at a quarter past nine. Minutes that end exactly at closing end then, not at the next opening; no
    /// minutes mean now if open, else the next opening. None if not within [`DAYS_AHEAD_MAX`] days.
    pub fn after_open_minutes(&self, at: Instant, minutes: u32, zone: &Zone) -> Option<Instant> {
        let mut left_micros = i64::from(minutes) * MINUTE_MICROS;
        let mut counted_to = at;
        for piece in self.pieces(at, zone) {
            let from = piece.opens.max(counted_to);
            let open_micros = piece.closes.micros() - from.micros();
            if left_micros <= open_micros {
                return Some(Instant::from_micros(from.micros() + left_micros));
            }
            left_micros -= open_micros.max(0);
            counted_to = counted_to.max(piece.closes);
        }
        None
    }

    /// The hours that begin on the day, exceptions considered; none when it stays closed.
    pub fn on(&self, day: LocalDay) -> &[Interval] {
        self.exceptions.get(&day).unwrap_or(&self.week[day.weekday()])
    }

    /// The unbroken times of being open that end after the instant, in order, as far as the horizon.
    fn spans<'a>(&'a self, at: Instant, zone: &'a Zone) -> impl Iterator<Item = Span> + 'a {
        let mut pieces = self.pieces(at, zone).peekable();
        std::iter::from_fn(move || {
            let mut whole = pieces.next()?;
            while let Some(piece) = pieces.next_if(|piece| piece.opens <= whole.closes) {
                whole.closes = whole.closes.max(piece.closes);
            }
            Some(whole)
        })
    }

    /// The intervals that end after the instant, in order of opening; one may touch or overlap the next.
    fn pieces<'a>(&'a self, at: Instant, zone: &'a Zone) -> impl Iterator<Item = Span> + 'a {
        let today = LocalDay::of(at, zone);
        (-1..DAYS_AHEAD_MAX)
            .filter_map(move |days| today.plus_days(days))
            .flat_map(move |day| self.on(day).iter().map(move |interval| span(*interval, day, zone)))
            .filter(move |piece| piece.closes > at && piece.opens < piece.closes)
    }
}

fn span(interval: Interval, day: LocalDay, zone: &Zone) -> Span {
    Span {
        opens: day.at_minute(interval.opens_minute, zone),
        closes: day.at_minute(interval.closes_minute, zone),
    }
}

/// The first instant that is not looked at any more.
fn horizon(at: Instant, zone: &Zone) -> Option<Instant> {
    LocalDay::of(at, zone).plus_days(DAYS_AHEAD_MAX).map(|day| day.first_instant(zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(text: &str) -> OpeningHours {
        OpeningHours::parse(text).unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn london() -> Zone {
        Zone::parse("Europe/London").unwrap()
    }

    #[test]
    fn a_week_in_leeds() {
        let shop =
            hours("mo-fr 09:00-12:30,13:30-18:00; sa 10:00-16:00; 2026-12-25 closed; 2026-12-26 12:00-14:00");
        let zone = london();
        // Monday, in winter: London's clock is UTC.
        assert!(shop.is_open(at("2026-11-23T09:00:00Z"), &zone));
        assert!(!shop.is_open(at("2026-11-23T12:30:00Z"), &zone));
        assert_eq!(shop.next_opening(at("2026-11-23T12:30:00Z"), &zone), Some(at("2026-11-23T13:30:00Z")));
        assert_eq!(shop.next_closing(at("2026-11-23T09:00:00Z"), &zone), Some(at("2026-11-23T12:30:00Z")));
        // Saturday evening to Monday morning.
        assert_eq!(shop.next_opening(at("2026-11-21T16:00:00Z"), &zone), Some(at("2026-11-23T09:00:00Z")));
        // Christmas, on a Friday, and Boxing Day with hours of its own.
        assert!(!shop.is_open(at("2026-12-25T10:00:00Z"), &zone));
        assert_eq!(shop.next_opening(at("2026-12-24T18:00:00Z"), &zone), Some(at("2026-12-26T12:00:00Z")));
        assert_eq!(shop.next_closing(at("2026-12-25T10:00:00Z"), &zone), Some(at("2026-12-26T14:00:00Z")));
        // In summer the shop opens an hour earlier by UTC.
        assert!(shop.is_open(at("2026-07-06T08:00:00Z"), &zone));
    }

    #[test]
    fn ready_in_thirty_minutes_over_closing_time() {
        let shop = hours("mo-fr 09:00-18:00");
        let ready =
            |text: &str, minutes| shop.after_open_minutes(at(text), minutes, &london()).unwrap().to_string();
        assert_eq!(ready("2026-11-20T17:00:00Z", 30), "2026-11-20T17:30:00Z");
        assert_eq!(ready("2026-11-20T17:30:00Z", 30), "2026-11-20T18:00:00Z");
        assert_eq!(ready("2026-11-20T17:45:30Z", 30), "2026-11-23T09:15:30Z");
        assert_eq!(ready("2026-11-21T12:00:00Z", 0), "2026-11-23T09:00:00Z");
        assert_eq!(ready("2026-11-20T12:00:00Z", 6 * 60 + 540 + 1), "2026-11-24T09:01:00Z");
    }

    #[test]
    fn nights_out_and_never_closed() {
        let bar = hours("fr-sa 18:00-02:00; 2026-12-25 closed");
        let zone = london();
        assert!(bar.is_open(at("2026-11-22T01:59:59Z"), &zone), "sunday morning belongs to saturday");
        assert!(!bar.is_open(at("2026-11-22T02:00:00Z"), &zone));
        assert!(!bar.is_open(at("2026-12-25T20:00:00Z"), &zone));
        let always = hours("mo-su 00:00-24:00");
        assert!(always.is_open(at("2026-11-22T02:00:00Z"), &zone));
        assert_eq!(always.next_closing(at("2026-11-22T02:00:00Z"), &zone), None);
        assert_eq!(always.next_opening(at("2026-11-22T02:00:00Z"), &zone), None);
        let never = hours("closed");
        assert_eq!(never.next_opening(at("2026-11-22T02:00:00Z"), &zone), None);
        assert_eq!(never.after_open_minutes(at("2026-11-22T02:00:00Z"), 0, &zone), None);
    }

    #[test]
    fn the_clock_changes_while_open() {
        let night = hours("sa 22:00-04:00; su 01:30-01:45");
        let zone = london();
        // 29 March 2026: 01:00 becomes 02:00, so the night has five hours.
        let opens = at("2026-03-28T22:00:00Z");
        assert_eq!(night.next_closing(opens, &zone), Some(at("2026-03-29T03:00:00Z")));
        assert_eq!(night.after_open_minutes(opens, 300, &zone), Some(at("2026-03-29T03:00:00Z")));
        // 25 October 2026: 02:00 becomes 01:00, so it has seven.
        let opens = at("2026-10-24T21:00:00Z");
        assert_eq!(night.next_closing(opens, &zone), Some(at("2026-10-25T04:00:00Z")));
        // Hours that the change skips do not take place.
        let early = hours("su 01:15-01:45");
        assert!(!early.is_open(at("2026-03-29T01:00:00Z"), &zone));
        assert_eq!(early.next_opening(at("2026-03-28T12:00:00Z"), &zone), Some(at("2026-04-05T00:15:00Z")));
    }

    prop_compose! {
        fn some_hours()(
            week in proptest::array::uniform7(some_intervals()),
            exceptions in proptest::collection::btree_map(0i32..40, some_intervals(), 0..5),
        ) -> OpeningHours {
            let first = LocalDay::parse("2026-03-01").unwrap();
            let exceptions = exceptions.into_iter().map(|(days, hours)| (first.plus_days(days).unwrap(), hours)).collect();
            OpeningHours { week, exceptions }
        }
    }

    /// Times on the quarter of an hour, the last perhaps past midnight.
    fn some_intervals() -> impl Strategy<Value = Vec<Interval>> {
        (proptest::collection::btree_set(0u16..96, 0..=4), proptest::option::of(96u16..110)).prop_map(
            |(edges, late)| {
                let mut edges: Vec<u16> = edges.into_iter().collect();
                if edges.len() % 2 == 1 {
                    match late {
                        Some(late) if late - edges[edges.len() - 1] <= 96 => edges.push(late),
                        _ => drop(edges.pop()),
                    }
                }
                edges.chunks(2).filter_map(|pair| Interval::new(pair[0] * 15, pair[1] * 15)).collect()
            },
        )
    }

    proptest! {
        #[test]
        fn text_and_back(hours in some_hours()) {
            prop_assert_eq!(OpeningHours::parse(&hours.to_string()), Ok(hours));
        }

        #[test]
        fn answers_agree_with_each_other(hours in some_hours(), quarter in 0i64..3_840, quarters in 0u32..300) {
            // From 1 March 2026, over the change to summer time.
            let from = at("2026-03-01T00:00:00Z").plus_seconds(quarter * 900);
            let zone = london();
            if let Some(opens) = hours.next_opening(from, &zone) {
                prop_assert!(opens > from && hours.is_open(opens, &zone) && !hours.is_open(opens.plus_seconds(-1), &zone));
            }
            if let Some(closes) = hours.next_closing(from, &zone) {
                prop_assert!(closes > from && !hours.is_open(closes, &zone) && hours.is_open(closes.plus_seconds(-1), &zone));
            }
            if let Some(ready) = hours.after_open_minutes(from, quarters * 15, &zone) {
                let counted = (from.micros()..ready.micros())
                    .step_by(15 * MINUTE_MICROS as usize)
                    .filter(|micros| hours.is_open(Instant::from_micros(*micros), &zone))
                    .count();
                prop_assert_eq!(counted, quarters as usize);
            }
        }
    }
}
