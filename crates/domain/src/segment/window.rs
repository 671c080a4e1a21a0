//! Spans of time that go along with the clock: the last thirty days, or longer ago than a week.

use crate::value::Instant;

/// The longest window, in days.
pub const DAYS_MAX: i64 = 3_650;
/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// When something must have happened, seen from now; ever, when nothing is said. What happened exactly 30 days ago is not within 30 days any
/// more, and is 30 days old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Less than so many days ago.
    pub within_days: Option<i64>,
    /// At least so many days ago.
    pub older_days: Option<i64>,
}

impl Window {
    /// Is an instant within the window, seen from `now`?
    pub fn has(self, at: Instant, now: Instant) -> bool {
        at <= now
            && self.within_days.is_none_or(|days| now.micros() < at.micros().saturating_add(days * DAY))
            && self.older_days.is_none_or(|days| now.micros() >= at.micros().saturating_add(days * DAY))
    }

    /// When something that happened enters the window and when it lapses.
    pub fn moments(self, at: Instant) -> impl Iterator<Item = Instant> {
        let later = move |days: i64| Instant::from_micros(at.micros().saturating_add(days * DAY));
        [Some(at), self.older_days.map(later), self.within_days.map(later)].into_iter().flatten()
    }

    /// Before which instant nothing can be within the window now or later; `None` when it goes back for ever.
    pub fn begins(self, now: Instant) -> Option<Instant> {
        self.within_days.map(|days| Instant::from_micros(now.micros().saturating_sub(days * DAY)))
    }

    /// What is wrong with it.
    pub(crate) fn check(self) -> Result<(), String> {
        let fits = |days: Option<i64>| days.is_none_or(|days| (1..=DAYS_MAX).contains(&days));
        if !fits(self.within_days) || !fits(self.older_days) {
            return Err(format!("give 1 to {DAYS_MAX} days"));
        }
        match (self.within_days, self.older_days) {
            (Some(within), Some(older)) if older >= within => {
                Err(format!("nothing is older than {older} days and within {within} days"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64, micros: i64) -> Instant {
        Instant::from_micros(days * DAY + micros)
    }

    #[test]
    fn a_window_ends_at_its_instant_exactly() {
        let month = Window { within_days: Some(30), older_days: None };
        assert!(month.has(day(0, 0), day(0, 0)));
        assert!(month.has(day(0, 0), day(30, -1)));
        assert!(!month.has(day(0, 0), day(30, 0)));
        assert!(!month.has(day(1, 0), day(0, 0)), "what is to come has not happened");
        let week = Window { within_days: None, older_days: Some(7) };
        assert!(!week.has(day(0, 0), day(7, -1)));
        assert!(week.has(day(0, 0), day(7, 0)));
    }

    #[test]
    fn windows_are_bounded() {
        let window = |within_days, older_days| Window { within_days, older_days }.check().is_ok();
        assert!(window(None, None) && window(Some(30), Some(7)));
        assert!(!window(Some(0), None) && !window(Some(DAYS_MAX + 1), None) && !window(Some(7), Some(7)));
    }
}
