//! How days, times and amounts are written for customers: as people in their country would, by the clock of the place that is meant.

use crate::value::{Currency, Instant, Language, LocalDay, Zone};

const ENGLISH_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const GERMAN_DAYS: [&str; 7] = ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."];
const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
/// Currencies whose sign everybody knows who pays in them.
const SIGNS: [(&str, &str); 4] = [("EUR", "€"), ("GBP", "£"), ("JPY", "¥"), ("USD", "$")];
const DAY_MINUTES: u16 = 24 * 60;

fn is_german(language: Language) -> bool {
    language.code() == "de"
}

/// A day: `Thu 4 June 2026`.
pub fn day(day: LocalDay, language: Language) -> String {
    let month = usize::from(day.month().unsigned_abs().max(1)) - 1;
    let (number, year) = (day.day(), day.year());
    if is_german(language) {
        return format!("{}, {number}. {} {year}", GERMAN_DAYS[day.weekday()], GERMAN_MONTHS[month]);
    }
    format!("{} {number} {} {year}", ENGLISH_DAYS[day.weekday()], ENGLISH_MONTHS[month])
}

/// The day and the minute after midnight that people at a place see on calendar and clock.
fn on_the_wall(at: Instant, zone: &Zone) -> (LocalDay, u16) {
    (LocalDay::of(at, zone), zone.minute_of_day(at))
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// An instant: `Thu 4 June 2026, 18:00`.
pub fn moment(at: Instant, zone: &Zone, language: Language) -> String {
    let (on, minute) = on_the_wall(at, zone);
    let o_clock = if is_german(language) { " Uhr" } else { "" };
    format!("{}, {}{o_clock}", day(on, language), clock(minute))
}

/// The day of an instant.
pub fn date(at: Instant, zone: &Zone, language: Language) -> String {
    day(LocalDay::of(at, zone), language)
}

/// Between which instants something happens: `Thu 4 June 2026, 09:00–18:00`, or from day to day. Midnight stands for no time at all.
pub fn span(from: Option<Instant>, by: Instant, zone: &Zone, language: Language) -> String {
    let (mut last, mut until) = on_the_wall(by, zone);
    if until == 0 {
        // The end of a day is not the beginning of the next one.
        last = last.previous().unwrap_or(last);
        until = DAY_MINUTES;
    }
    let by_time = (until < DAY_MINUTES).then(|| clock(until));
    let from = from.map(|from| on_the_wall(from, zone)).filter(|(first, _)| *first <= last);
    match (from, by_time) {
        (Some((first, _)), _) if first < last => {
            format!("{} – {}", day(first, language), day(last, language))
        }
        (Some((_, minute)), Some(until_time)) if minute > 0 && minute < until => {
            format!("{}, {}–{until_time}", day(last, language), clock(minute))
        }
        (_, Some(until_time)) => format!("{}, {until_time}", day(last, language)),
        (_, None) => day(last, language),
    }
}

/// Opening hours as they are kept (`mo-sa 09:00-18:00`), with the days as people call them.
pub fn hours(kept: &str, language: Language) -> String {
    const KEPT: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
    let days = if is_german(language) { GERMAN_DAYS } else { ENGLISH_DAYS };
    let said = |word: &str| match KEPT.iter().position(|day| *day == word) {
        Some(day) => days[day].trim_end_matches('.').to_owned(),
        None if word == "closed" && is_german(language) => "geschlossen".to_owned(),
        None => word.to_owned(),
    };
    // A day of the calendar stays as it is.
    let is_date = |part: &str| part.as_bytes().first().is_some_and(u8::is_ascii_digit) && !part.contains(':');
    let part = |part: &str| {
        if is_date(part) {
            return part.to_owned();
        }
        let (mut written, mut word) = (String::new(), String::new());
        for letter in part.chars() {
            if letter.is_ascii_alphabetic() {
                word.push(letter);
            } else {
                written += &said(&std::mem::take(&mut word));
                written.push(if letter == '-' { '–' } else { letter });
            }
        }
        written + &said(&word)
    };
    kept.split(' ').map(part).collect::<Vec<_>>().join(" ")
}

/// An amount: `£5.00`, `5,00 €`.
pub fn money(minor: i64, currency: Currency, language: Language) -> String {
    let digits = currency.exponent() as usize;
    let written = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = written.split_at(written.len() - digits);
    let (thousands, point) = if is_german(language) { ('.', ',') } else { (',', '.') };
    let mut amount = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            amount.push(thousands);
        }
        amount.push(digit);
    }
    if digits > 0 {
        amount.push(point);
        amount += part;
    }
    let minus = if minor < 0 { "−" } else { "" };
    let sign = SIGNS.iter().find(|(code, _)| *code == currency.code()).map(|(_, sign)| *sign);
    match (sign, is_german(language)) {
        (Some(sign), false) => format!("{minus}{sign}{amount}"),
        (sign, _) => format!("{minus}{amount}\u{a0}{}", sign.unwrap_or(currency.code())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn days_and_times_are_those_of_the_place() {
        let (english, german) = (Language::parse("en-GB").unwrap(), Language::parse("de").unwrap());
        let london = Zone::parse("Europe/London").unwrap();
        assert_eq!(moment(at("2026-06-04T17:00:00Z"), &london, english), "Thu 4 June 2026, 18:00");
        assert_eq!(moment(at("2026-03-01T09:05:59Z"), &london, german), "So., 1. März 2026, 09:05 Uhr");
        assert_eq!(date(at("2026-06-04T23:30:00Z"), &london, english), "Fri 5 June 2026");
        // The clock goes forward at one: eight hours after midnight it shows nine; and back at two.
        assert_eq!(moment(at("2026-03-29T08:00:00Z"), &london, english), "Sun 29 March 2026, 09:00");
        assert_eq!(moment(at("2026-10-25T20:15:00Z"), &london, english), "Sun 25 October 2026, 20:15");
    }

    #[test]
    fn a_span_says_no_more_than_is_known() {
        let english = Language::parse("en").unwrap();
        let london = Zone::parse("Europe/London").unwrap();
        let of = |from: Option<&str>, by: &str| span(from.map(at), at(by), &london, english);
        assert_eq!(of(Some("2026-06-04T08:00:00Z"), "2026-06-04T17:00:00Z"), "Thu 4 June 2026, 09:00–18:00");
        let days = of(Some("2026-06-02T23:00:00Z"), "2026-06-05T23:00:00Z");
        assert_eq!(days, "Wed 3 June 2026 – Fri 5 June 2026", "the end of a day");
        assert_eq!(of(Some("2026-06-04T23:00:00Z"), "2026-06-05T23:00:00Z"), "Fri 5 June 2026");
        assert_eq!(of(Some("2026-06-04T17:00:00Z"), "2026-06-04T17:00:00Z"), "Thu 4 June 2026, 18:00");
        assert_eq!(of(None, "2026-06-04T17:30:00Z"), "Thu 4 June 2026, 18:30");
        assert_eq!(of(Some("2026-06-07T17:00:00Z"), "2026-06-04T17:30:00Z"), "Thu 4 June 2026, 18:30");
    }

    #[test]
    fn days_of_opening_have_names() {
        let (english, german) = (Language::parse("en").unwrap(), Language::parse("de").unwrap());
        let kept = "mo-we,fr 09:00-18:00,19:00-21:00; sa 10:00-16:00; 2026-12-25 closed";
        assert_eq!(
            hours(kept, english),
            "Mon–Wed,Fri 09:00–18:00,19:00–21:00; Sat 10:00–16:00; 2026-12-25 closed"
        );
        assert_eq!(
            hours(kept, german),
            "Mo–Mi,Fr 09:00–18:00,19:00–21:00; Sa 10:00–16:00; 2026-12-25 geschlossen"
        );
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let (english, german) = (Language::parse("en").unwrap(), Language::parse("de").unwrap());
        let currency = |code: &str| Currency::parse(code).unwrap();
        assert_eq!(money(500, currency("GBP"), english), "£5.00");
        assert_eq!(money(-123_456_789, currency("GBP"), english), "−£1,234,567.89");
        assert_eq!(money(123_456, currency("EUR"), german), "1.234,56\u{a0}€");
        assert_eq!(money(7, currency("CHF"), english), "0.07\u{a0}CHF");
        assert_eq!(money(1000, currency("JPY"), english), "¥1,000");
        assert_eq!(money(0, currency("KWD"), german), "0,000\u{a0}KWD");
    }
}
