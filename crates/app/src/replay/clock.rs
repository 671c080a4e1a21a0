//! The source's wall clock in London as instants, and the months of instants.

use std::sync::LazyLock;

use domain::value::{Instant, LocalDay, Zone};
use jiff::civil::DateTime;
use tandem::demo::source::Month;

/// Where the source's clock hung on the wall.
pub const ZONE: &str = "Europe/London";

static LONDON: LazyLock<Option<Zone>> = LazyLock::new(|| Zone::parse(ZONE).ok());

/// The instant at which the wall clock showed this. No invoice was written in an hour that summer time skips or repeats.
pub fn instant(at: DateTime) -> Instant {
    let seconds = i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60;
    first_instant(at.year(), at.month(), at.day()).plus_seconds(seconds)
}

/// When a month begins.
pub fn begin(month: Month) -> Instant {
    first_instant(month.year, month.month, 1)
}

/// When the month after it begins.
pub fn end(month: Month) -> Instant {
    match month.month {
        12 => first_instant(month.year + 1, 1, 1),
        _ => first_instant(month.year, month.month + 1, 1),
    }
}

fn first_instant(year: i16, month: i8, day: i8) -> Instant {
    let day = LocalDay::new(year, month, day).ok().zip(LONDON.as_ref());
    day.map_or(Instant::EPOCH, |(day, zone)| day.first_instant(zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_wall_clock_knows_summer() {
        assert_eq!(instant(date(2010, 12, 1).at(8, 26, 0, 0)).to_string(), "2010-12-01T08:26:00Z");
        assert_eq!(instant(date(2011, 7, 1).at(8, 26, 0, 0)).to_string(), "2011-07-01T07:26:00Z");
        let july = Month { year: 2011, month: 7 };
        assert_eq!(begin(july).to_string(), "2011-06-30T23:00:00Z");
        assert_eq!(end(Month { year: 2010, month: 12 }).to_string(), "2011-01-01T00:00:00Z");
    }
}
