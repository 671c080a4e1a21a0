//! Calendars that people live by: cut-off minutes, closed days, chains of holidays, clocks that change, leap days, full days.

use super::*;
use proptest::prelude::*;

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn london() -> Zone {
    Zone::parse("Europe/London").unwrap()
}

fn hours(text: &str) -> OpeningHours {
    OpeningHours::parse(text).unwrap()
}

/// A store in Leeds: half an hour to prepare, parcels until three, noon on Saturdays.
struct Store {
    zone: Zone,
    hours: OpeningHours,
    cut_off: CutOffs,
}

fn leeds() -> Store {
    Store {
        zone: london(),
        hours: hours("mo-sa 09:00-18:00; 2026-12-25 closed; 2026-12-26 closed; 2026-12-28 closed"),
        cut_off: CutOffs::parse("mo-fr 15:00; sa 12:00").unwrap(),
    }
}

impl Store {
    fn place(&self) -> Place<'_> {
        Place {
            zone: &self.zone,
            hours: Some(&self.hours),
            cut_off: Some(&self.cut_off),
            preparation_minutes: 30,
            full_today: false,
        }
    }

    fn ready(&self, from: &str) -> String {
        ready_at(&self.place(), at(from)).unwrap().to_string()
    }

    fn leaves(&self, from: &str) -> String {
        leaves_on(&self.place(), at(from)).unwrap().to_string()
    }
}

#[test]
fn ready_in_thirty_minutes_today_or_when_the_door_opens_again() {
    let store = leeds();
    // A Friday in winter.
    assert_eq!(store.ready("2026-11-27T10:00:00Z"), "2026-11-27T10:30:00Z");
    assert_eq!(store.ready("2026-11-27T17:45:00Z"), "2026-11-28T09:15:00Z");
    assert_eq!(store.ready("2026-11-28T18:00:00Z"), "2026-11-30T09:30:00Z");
    let place = Place { full_today: true, ..store.place() };
    assert_eq!(ready_at(&place, at("2026-11-27T10:00:00Z")), Some(at("2026-11-28T09:30:00Z")));
    assert_eq!(ready_at(&Place { hours: None, ..store.place() }, at("2026-11-27T10:00:00Z")), None);
    // In summer the door opens an hour earlier by the world's clock.
    assert_eq!(store.ready("2026-07-06T07:00:00Z"), "2026-07-06T08:30:00Z");
}

#[test]
fn a_minute_past_the_cut_off_is_the_next_day() {
    let store = leeds();
    assert_eq!(store.leaves("2026-11-27T14:59:59Z"), "2026-11-27");
    assert_eq!(store.leaves("2026-11-27T15:00:00Z"), "2026-11-28");
    assert_eq!(store.leaves("2026-11-28T12:00:00Z"), "2026-11-30");
    // In summer three o'clock is two o'clock of the world.
    assert_eq!(store.leaves("2026-07-06T13:59:59Z"), "2026-07-06");
    assert_eq!(store.leaves("2026-07-06T14:00:00Z"), "2026-07-07");
    let full = Place { full_today: true, ..store.place() };
    assert_eq!(leaves_on(&full, at("2026-11-27T08:00:00Z")).unwrap().to_string(), "2026-11-28");
}

#[test]
fn a_chain_of_holidays_is_jumped() {
    let store = leeds();
    // Thursday the 24th after three; Friday to Monday nobody is there: Christmas, Boxing Day, Sunday, the day in lieu.
    assert_eq!(store.leaves("2026-12-24T15:00:00Z"), "2026-12-29");
    assert_eq!(store.ready("2026-12-24T17:40:00Z"), "2026-12-29T09:10:00Z");
    let carrier = hours("mo-sa 08:00-20:00; 2026-12-25 closed; 2026-12-26 closed; 2027-01-01 closed");
    let journey = Journey { lead_days: (1, 3), carrier: Some(&carrier), zone: &store.zone };
    let (from, by) = journey.arrives(LocalDay::parse("2026-12-29").unwrap()).unwrap();
    assert_eq!(
        (from.to_string(), by.to_string()),
        ("2026-12-30T08:00:00Z".into(), "2027-01-02T20:00:00Z".into())
    );
}

#[test]
fn a_place_without_cut_offs_sends_when_it_is_done() {
    let store = leeds();
    let place = Place { cut_off: None, ..store.place() };
    let day = |from: &str, place: &Place<'_>| leaves_on(place, at(from)).unwrap().to_string();
    assert_eq!(day("2026-11-28T17:40:00Z", &place), "2026-11-30");
    let night = Place { hours: None, preparation_minutes: 60, ..place };
    assert_eq!(day("2026-11-28T22:30:00Z", &night), "2026-11-28");
    assert_eq!(day("2026-11-28T23:30:00Z", &night), "2026-11-29");
}

#[test]
fn days_are_counted_on_which_the_carrier_delivers() {
    let zone = london();
    let weekdays = Journey { lead_days: (1, 2), carrier: None, zone: &zone };
    let days = |journey: &Journey<'_>, leaves: &str| {
        let (from, by) = journey.arrives(LocalDay::parse(leaves).unwrap()).unwrap();
        (from.to_string(), by.to_string())
    };
    let told = |from: &str, by: &str| (from.to_owned(), by.to_owned());
    // Leaves on a Friday: Monday or Tuesday, to the end of the day.
    assert_eq!(days(&weekdays, "2026-11-27"), told("2026-11-30T00:00:00Z", "2026-12-02T00:00:00Z"));
    let same_day = Journey { lead_days: (0, 0), ..weekdays };
    assert_eq!(days(&same_day, "2026-11-27"), told("2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"));
    assert_eq!(days(&same_day, "2026-11-28"), told("2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"));
    // Over the leap day, and over the night in which the clock goes forward.
    assert_eq!(days(&weekdays, "2028-02-28"), told("2028-02-29T00:00:00Z", "2028-03-02T00:00:00Z"));
    let van = hours("sa-su 10:00-12:00");
    let weekend = Journey { lead_days: (1, 2), carrier: Some(&van), zone: &zone };
    assert_eq!(days(&weekend, "2026-03-27"), told("2026-03-28T10:00:00Z", "2026-03-29T11:00:00Z"));
    let gone = hours("mo-su closed; 2026-01-01 10:00-11:00");
    let never = Journey { lead_days: (1, 1), carrier: Some(&gone), zone: &zone };
    assert_eq!(never.arrives(LocalDay::parse("2026-11-27").unwrap()), None);
}

#[test]
fn how_far_off_it_is() {
    let zone = london();
    let word = |then: &str| when(at("2026-11-27T23:30:00Z"), at(then), &zone);
    assert_eq!(word("2026-11-27T23:59:00Z"), When::Today);
    assert_eq!(word("2026-11-28T09:00:00Z"), When::Tomorrow);
    assert_eq!(word("2026-11-30T09:00:00Z"), When::Later);
}

proptest! {
    #[test]
    fn nothing_is_promised_before_it_can_be_and_who_waits_is_not_served_earlier(
        seconds in 1_700_000_000i64..1_900_000_000, wait in 0i64..400_000, minutes in 0i64..600, leads in (0i64..5, 0i64..5)
    ) {
        let store = leeds();
        let place = Place { preparation_minutes: minutes, ..store.place() };
        let (now, then) = (Instant::from_micros(seconds * 1_000_000), Instant::from_micros((seconds + wait) * 1_000_000));
        let (ready, later) = (ready_at(&place, now).unwrap(), ready_at(&place, then).unwrap());
        prop_assert!(ready >= now && ready <= later);
        prop_assert!(ready.micros() - now.micros() >= minutes * MINUTE_MICROS);
        let (leaves, then) = (leaves_on(&place, now).unwrap(), leaves_on(&place, then).unwrap());
        prop_assert!(leaves <= then && leaves >= LocalDay::of(now, &store.zone));
        let journey = Journey { lead_days: (leads.0, leads.0 + leads.1), carrier: None, zone: &store.zone };
        let (from, by) = journey.arrives(leaves).unwrap();
        prop_assert!(from < by && from >= leaves.first_instant(&store.zone));
        prop_assert!(by <= journey.arrives(then).unwrap().1);
    }
}
