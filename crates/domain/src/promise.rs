//! Promises: when goods can be collected at a location, when a parcel leaves it, and between which instants it reaches the customer.
//!
//! Everything is worked out by the clock and calendar of the place: opening hours with their holidays, cut-offs, the minutes it takes to
//! prepare an order, the orders a day it can prepare, and the days on which the carrier delivers.

pub mod queue;

use crate::value::hours::{CutOffs, DAYS_AHEAD_MAX};
use crate::value::{Instant, LocalDay, OpeningHours, Zone};
use crate::words;

const MINUTE_MICROS: i64 = 60_000_000;
/// Working days where no calendar says otherwise: Monday to Friday.
const WORKING_DAYS: usize = 5;

/// What of a location decides when its goods are ready.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its time zone.
    pub zone: &'a Zone,
    /// When its door is open; none for a place without a door.
    pub hours: Option<&'a OpeningHours>,
    /// Until when it prepares orders the same day.
    pub cut_off: Option<&'a CutOffs>,
    /// How long it takes to prepare an order.
    pub preparation_minutes: i64,
    /// It has as many orders today as it can prepare in a day.
    pub full_today: bool,
}

impl Place<'_> {
    /// When work on goods can begin that are there from an instant on.
    fn begins_at(&self, from: Instant) -> Option<Instant> {
        if !self.full_today {
            return Some(from);
        }
        LocalDay::of(from, self.zone).next().map(|tomorrow| tomorrow.first_instant(self.zone))
    }

    /// Is anybody there on a day? A place without hours is always at work.
    fn works_on(&self, day: LocalDay) -> bool {
        self.hours.is_none_or(|hours| !hours.on(day).is_empty())
    }
}

/// When goods that are at a place from an instant on can be collected there; never at a place without a door.
pub fn ready_at(place: &Place<'_>, from: Instant) -> Option<Instant> {
    let minutes = u32::try_from(place.preparation_minutes).unwrap_or(0);
    place.hours?.after_open_minutes(place.begins_at(from)?, minutes, place.zone)
}

/// The day on which a parcel with goods leaves that are at a place from an instant on: today before the cut-off, else on the next day that
/// has one. A place without cut-offs sends on the day on which the goods are prepared.
pub fn leaves_on(place: &Place<'_>, from: Instant) -> Option<LocalDay> {
    let begins_at = place.begins_at(from)?;
    let Some(cut_off) = place.cut_off else {
        let prepared_at = match place.hours {
            Some(_) => ready_at(place, from)?,
            None => later(begins_at, place.preparation_minutes),
        };
        return Some(LocalDay::of(prepared_at, place.zone));
    };
    let today = LocalDay::of(begins_at, place.zone);
    let in_time = |day: &LocalDay| {
        place.works_on(*day) && cut_off.on(*day, place.zone).is_some_and(|until| until > begins_at)
    };
    (0..DAYS_AHEAD_MAX).filter_map(|days| today.plus_days(days)).find(in_time)
}

fn later(at: Instant, minutes: i64) -> Instant {
    Instant::from_micros(at.micros().saturating_add(minutes.saturating_mul(MINUTE_MICROS)))
}

/// How goods travel.
#[derive(Clone, Copy, Debug)]
pub struct Journey<'a> {
    /// The least and the most days on which the carrier delivers until the goods are there; 0 is the day on which they leave.
    pub lead_days: (i64, i64),
    /// When the carrier delivers; from Monday to Friday when `None`.
    pub carrier: Option<&'a OpeningHours>,
    /// Where its days begin and end.
    pub zone: &'a Zone,
}

impl Journey<'_> {
    fn delivers_on(&self, day: LocalDay) -> bool {
        self.carrier.map_or_else(|| day.weekday() < WORKING_DAYS, |hours| !hours.on(day).is_empty())
    }

    /// The day so many delivery days after another one; none when the carrier does not deliver so long.
    pub fn day_after(&self, leaves_on: LocalDay, lead_days: i64) -> Option<LocalDay> {
        let wanted = usize::try_from(lead_days.max(1) - 1).ok()?;
        let first = i32::from(lead_days > 0);
        (first..DAYS_AHEAD_MAX)
            .filter_map(|days| leaves_on.plus_days(days))
            .filter(|day| self.delivers_on(*day))
            .nth(wanted)
    }

    /// Between which instants goods reach the customer that leave on a day.
    pub fn arrives(&self, leaves_on: LocalDay) -> Option<(Instant, Instant)> {
        let (first, last) =
            (self.day_after(leaves_on, self.lead_days.0)?, self.day_after(leaves_on, self.lead_days.1)?);
        let hours_of = |day: LocalDay| self.carrier.map(|hours| hours.on(day)).unwrap_or_default();
        let from = hours_of(first).first().map_or(0, |hours| hours.opens_minute());
        let by = hours_of(last).last().map_or(24 * 60, |hours| hours.closes_minute());
        Some((first.at_minute(from, self.zone), last.at_minute(by, self.zone)))
    }
}

words! {
    /// How far off an instant is, in a customer's words.
    When {
        /// On the same day.
        Today 1 "today";
        /// On the next day.
        Tomorrow 2 "tomorrow";
        /// On a day after that.
        Later 3 "later";
    }
}

/// How far off an instant is for people in a zone.
pub fn when(now: Instant, then: Instant, zone: &Zone) -> When {
    let (today, day) = (LocalDay::of(now, zone), LocalDay::of(then, zone));
    match today.next() {
        _ if day <= today => When::Today,
        Some(tomorrow) if day == tomorrow => When::Tomorrow,
        _ => When::Later,
    }
}

#[cfg(test)]
mod tests;
