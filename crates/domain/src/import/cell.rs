//! Reading cells as people and spreadsheets write them: numbers with commas, currency signs, dates in several forms. What can be meant
//! in two ways is refused with advice, never guessed.

use crate::value::{Instant, LocalDay, Zone};

/// The most characters of a number or a date that are looked at.
const CHARS_MAX: usize = 60;

/// How numbers and dates are written in a file, where they can be meant in two ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// What stands before the decimals: `.` or `,`.
    pub decimal: Option<char>,
    /// Which comes first in 03/04/2026.
    pub dates: Option<DayOrder>,
    /// Where the clocks hang that times without a zone were read from; UTC when `None`.
    pub zone: Option<Zone>,
}

/// Which number comes first in a date such as 03/04/2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrder {
    /// The day, as in most of the world.
    DayFirst,
    /// The month, as in the United States.
    MonthFirst,
}

/// What was odd about a cell that could be read all the same; told once per column, with how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// A comma before the decimals.
    DecimalComma,
    /// Marks between thousands.
    Thousands,
    /// A currency sign or code beside the amount.
    CurrencySign,
    /// A day written in another way than 2026-11-21.
    DateForm,
    /// A time without a zone, taken as that of the mapping or UTC.
    NoZone,
    /// An article number that a spreadsheet had damaged was put right.
    Gtin,
}

impl Oddity {
    /// What is told of it.
    pub const fn text(self) -> &'static str {
        match self {
            Oddity::DecimalComma => "decimal commas were read as such",
            Oddity::Thousands => "marks between thousands were left out",
            Oddity::CurrencySign => "currency signs were left out",
            Oddity::DateForm => "dates that are not written year-month-day were read",
            Oddity::NoZone => "times without a zone were taken as those of the mapping's time_zone, or utc",
            Oddity::Gtin => "article numbers damaged by a spreadsheet were put right",
        }
    }
}

/// A number with decimals, exactly as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i64,
    decimals: u32,
}

impl Decimal {
    /// The amount in minor units of a currency with this many decimals.
    ///
    /// # Errors
    /// When it has more decimals than the currency, or is too large.
    pub fn minor(self, exponent: u32) -> Result<i64, String> {
        let (mut digits, mut decimals) = (self.digits, self.decimals);
        while decimals > exponent && digits % 10 == 0 {
            (digits, decimals) = (digits / 10, decimals - 1);
        }
        if decimals > exponent {
            return Err(format!("has more than the {exponent} decimals of the currency; round it"));
        }
        let factor = 10i64.checked_pow(exponent - decimals);
        factor.and_then(|factor| digits.checked_mul(factor)).ok_or_else(|| "is too large".to_owned())
    }

    /// The whole number.
    ///
    /// # Errors
    /// When it has decimals other than zeros.
    pub fn whole(self) -> Result<i64, String> {
        self.minor(0).map_err(|_| "give a whole number".to_owned())
    }
}

/// Reads a number: `1234.5`, `1,234.50`, `1.234,50`, `1 234,50`, `£1,234`, `(12.00)`.
///
/// # Errors
/// When it is none, or can be meant in two ways, such as `1,234` where nothing says what a comma means.
pub fn decimal(text: &str, habits: &Habits) -> Result<(Decimal, Vec<Oddity>), String> {
    if text.chars().count() > CHARS_MAX {
        return Err("is too long for a number".into());
    }
    let mut oddities = Vec::new();
    let (negative, bare) = without_sign(text, &mut oddities);
    if bare.contains(['e', 'E']) && bare.chars().any(|character| character.is_ascii_digit()) {
        return Err("was shortened to a power of ten by a spreadsheet; format the column as a number and export again".into());
    }
    let grouped = |character: char| character.is_whitespace() || matches!(character, '\'' | '’' | '\u{202f}');
    let (whole, fraction) = split(&bare, habits, &mut oddities)?;
    if whole.contains(grouped) || whole.contains(['.', ',']) {
        check_groups(&whole)?;
        oddities.push(Oddity::Thousands);
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).chain(fraction.chars()).collect();
    let rest = |character: char| {
        !character.is_ascii_digit() && !grouped(character) && !matches!(character, '.' | ',')
    };
    if digits.is_empty() || whole.contains(rest) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("is no number".into());
    }
    let number: i64 = digits.parse().map_err(|_| "is too large".to_owned())?;
    let decimals = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    Ok((Decimal { digits: if negative { -number } else { number }, decimals }, oddities))
}

/// The number without sign, parentheses and currency, and whether it is negative.
fn without_sign(text: &str, oddities: &mut Vec<Oddity>) -> (bool, String) {
    let is_sign = |character: char| matches!(character, '-' | '\u{2212}');
    // Swiss prices end in a dash that takes nothing away: `5.-`.
    let mut bare = text.trim();
    bare = [".-", ".–", ".—", ",-"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
    let mut negative = false;
    if let Some(inside) = bare.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (negative, bare) = (true, inside);
    }
    let beside = |character: char| {
        character.is_alphabetic()
            || character.is_whitespace()
            || matches!(character, '£' | '$' | '€' | '¥' | '₹' | '₩' | '₺' | '₪' | '₽' | '¢')
    };
    let mut number =
        bare.trim_matches(|character| beside(character) || is_sign(character) || character == '+');
    if number.len() < bare.len() {
        let around = bare.replacen(number, "", 1);
        negative |= around.contains(is_sign);
        if around.chars().any(|character| beside(character) && !character.is_whitespace()) {
            oddities.push(Oddity::CurrencySign);
        }
    }
    // After letters a point belongs to them: `Fr. 5`. In `.5` it is a decimal one.
    let before = bare.split_once(number).and_then(|(before, _)| before.chars().next_back());
    if before.is_some_and(char::is_alphabetic) {
        number = number.trim_start_matches('.').trim_start();
    }
    number = number.trim_end_matches(['.', ',']);
    (negative, number.to_owned())
}

/// The whole part, which may have marks between thousands, and the decimals.
fn split(text: &str, habits: &Habits, oddities: &mut Vec<Oddity>) -> Result<(String, String), String> {
    let (points, commas) = (text.matches('.').count(), text.matches(',').count());
    let last = text.rfind(['.', ',']).and_then(|at| text[at..].chars().next().map(|mark| (at, mark)));
    let Some((at, mark)) = last else { return Ok((text.to_owned(), String::new())) };
    let (whole, fraction) = (&text[..at], &text[at + 1..]);
    let count = if mark == '.' { points } else { commas };
    let is_decimal = match (habits.decimal, points > 0 && commas > 0) {
        (Some(decimal), _) if count > 1 && mark == decimal => return Err("has several decimal points".into()),
        (Some(decimal), _) => mark == decimal,
        (None, true) if count > 1 => return Err("mixes points and commas; write it as 1234.56".into()),
        (None, true) => true,
        (None, false) if count > 1 => false,
        (None, false)
            if fraction.len() == 3 && !matches!(whole.trim(), "" | "0") && whole.trim().len() <= 3 =>
        {
            return Err(format!(
                "can be meant in two ways: write {} or {}, or say decimal = \",\" or \".\" in the mapping",
                text.replace(mark, ""),
                format_args!("{whole}.{}0", fraction)
            ));
        }
        (None, false) => true,
    };
    if !is_decimal {
        return Ok((text.to_owned(), String::new()));
    }
    if mark == ',' {
        oddities.push(Oddity::DecimalComma);
    }
    if whole.contains(mark) {
        return Err("mixes points and commas; write it as 1234.56".into());
    }
    Ok((whole.to_owned(), fraction.to_owned()))
}

/// Marks between thousands stand before three digits each, or two as in India, and are all the same.
fn check_groups(whole: &str) -> Result<(), String> {
    let is_mark = |character: char| !character.is_ascii_digit();
    let groups: Vec<&str> = whole.trim().split(is_mark).collect();
    let marks: Vec<char> = whole.trim().chars().filter(|character| is_mark(*character)).collect();
    let same = marks.windows(2).all(|pair| pair[0] == pair[1]);
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return Ok(()) };
    let middle = &sizes[1..sizes.len().max(2) - 1];
    let (thousands, lakhs) = (middle.iter().all(|size| *size == 3), middle.iter().all(|size| *size == 2));
    if same && (1..=3).contains(first) && *last == 3 && (thousands || lakhs) {
        return Ok(());
    }
    Err("is no number: marks between thousands stand before three digits each".into())
}

/// Reads a whole number.
///
/// # Errors
/// As [`decimal`], or when it is not whole.
pub fn whole(text: &str, habits: &Habits) -> Result<(i64, Vec<Oddity>), String> {
    // `1,234` cannot be meant in two ways where only whole numbers go.
    let marks: Vec<char> = text.chars().filter(|character| matches!(character, '.' | ',')).collect();
    let grouped = text.rsplit(['.', ',']).next().is_some_and(|last| last.len() == 3);
    let habits = match (marks.as_slice(), habits.decimal) {
        ([mark], None) if grouped => {
            Habits { decimal: Some(if *mark == ',' { '.' } else { ',' }), ..Habits::default() }
        }
        _ => habits.clone(),
    };
    let (number, oddities) = decimal(text, &habits)?;
    Ok((number.whole()?, oddities))
}

/// Reads yes or no.
///
/// # Errors
/// The words there are.
pub fn yes(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "x" => Ok(true),
        "no" | "n" | "false" | "0" => Ok(false),
        _ => Err("give yes or no".into()),
    }
}

/// Reads an instant: RFC 3339, a day, or a day and a time without a zone.
///
/// # Errors
/// When it is none, or can be meant in two ways, such as `03/04/2026`.
pub fn instant(text: &str, habits: &Habits) -> Result<(Instant, Vec<Oddity>), String> {
    let text = text.trim();
    if let Ok(at) = Instant::parse(text) {
        return Ok((at, Vec::new()));
    }
    if text.chars().count() > CHARS_MAX {
        return Err("is too long for a date".into());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.matches('.').count() < 2 {
        return Err("is the number of a day as a spreadsheet counts; format the column as a date (2026-11-21) and export again".into());
    }
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let (day, usual) = day(date, habits)?;
    let mut oddities = if usual { Vec::new() } else { vec![Oddity::DateForm] };
    if habits.zone.is_none() {
        oddities.push(Oddity::NoZone);
    }
    let zone = match &habits.zone {
        Some(zone) => zone.clone(),
        None => Zone::parse("UTC").map_err(|error| error.to_string())?,
    };
    let seconds =
        seconds_of(time.trim()).ok_or("is no time: give hours and minutes, such as 2026-11-21 09:30")?;
    Ok((day.at_second(seconds, &zone), oddities))
}

/// Seconds after midnight of `09:30`, `9:30:15` or nothing; afternoons are counted to 23.
fn seconds_of(time: &str) -> Option<u32> {
    if time.is_empty() {
        return Some(0);
    }
    let mut parts = Vec::new();
    for part in time.split(':') {
        let digits = part.split('.').next().filter(|digits| (1..=2).contains(&digits.len()))?;
        parts.push(digits.parse::<u32>().ok()?);
    }
    match parts[..] {
        [hour, minute] if hour < 24 && minute < 60 => Some(hour * 3600 + minute * 60),
        [hour, minute, second] if hour < 24 && minute < 60 && second < 60 => {
            Some(hour * 3600 + minute * 60 + second)
        }
        _ => None,
    }
}

/// Reads a day, and whether it is written year-month-day.
fn day(text: &str, habits: &Habits) -> Result<(LocalDay, bool), String> {
    let none = || "is no date: give one such as 2026-11-21".to_owned();
    let mark = text.chars().find(|character| matches!(character, '-' | '/' | '.')).ok_or_else(none)?;
    let parts: Vec<&str> = text.split(mark).collect();
    let [first, second, third] = parts[..] else { return Err(none()) };
    let number =
        |part: &str| part.parse::<i16>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (Some(one), Some(two), Some(three)) = (number(first), number(second), number(third)) else {
        return Err(none());
    };
    if first.len() == 4 {
        return calendar(one, two, three).map(|day| (day, mark == '-'));
    }
    if third.len() != 4 {
        return Err("has a year of two digits; write it as 2026-11-21".into());
    }
    let day_first = match habits.dates {
        _ if mark == '.' || one > 12 => true,
        _ if two > 12 || one == two => false,
        Some(order) => order == DayOrder::DayFirst,
        None => {
            let (first, second) =
                (format!("{three}-{two:02}-{one:02}"), format!("{three}-{one:02}-{two:02}"));
            return Err(format!(
                "can be meant in two ways: write {first} or {second}, or say dates = \"day_first\" or \"month_first\" in the mapping"
            ));
        }
    };
    let (day, month) = if day_first { (one, two) } else { (two, one) };
    calendar(three, month, day).map(|day| (day, false))
}

fn calendar(year: i16, month: i16, day: i16) -> Result<LocalDay, String> {
    let small = |number: i16| i8::try_from(number).unwrap_or(i8::MAX);
    LocalDay::new(year, small(month), small(day)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minor(text: &str) -> Result<i64, String> {
        decimal(text, &Habits::default()).and_then(|(number, _)| number.minor(2))
    }

    #[test]
    fn amounts_as_people_write_them() {
        let cases = [
            ("2.55", 255),
            ("2,55", 255),
            ("1,234.50", 123_450),
            ("1.234,50", 123_450),
            ("1 234,5", 123_450),
            ("1\u{202f}234\u{202f}567,00", 123_456_700),
            ("1'234.50", 123_450),
            ("12,34,567.00", 123_456_700),
            ("1,234,567", 123_456_700),
            ("£ 12.50", 1_250),
            ("12,50 €", 1_250),
            ("GBP 3", 300),
            ("Fr. 5.-", 500),
            ("-4.20", -420),
            ("4.20-", -420),
            ("(4.20)", -420),
            ("−£4", -400),
            ("0.5", 50),
            (".5", 50),
            ("$.50", 50),
            ("+7", 700),
        ];
        for (text, expected) in cases {
            assert_eq!(minor(text), Ok(expected), "{text}");
        }
        assert!(minor("2.550").unwrap_err().starts_with("can be meant in two ways"));
        assert!(minor("0,125").unwrap_err().starts_with("has more than the 2 decimals"));
        let comma = Habits { decimal: Some(','), ..Habits::default() };
        assert_eq!(decimal("1.234", &comma).unwrap().0.minor(2), Ok(123_400));
        assert_eq!(decimal("1,2340", &comma).unwrap().0.minor(3), Ok(1_234));
        let oddities = decimal("1.234,50 €", &Habits::default()).unwrap().1;
        assert_eq!(oddities, [Oddity::CurrencySign, Oddity::DecimalComma, Oddity::Thousands]);
    }

    #[test]
    fn what_is_no_amount_is_refused_with_advice() {
        assert_eq!(
            minor("1,234").unwrap_err(),
            "can be meant in two ways: write 1234 or 1.2340, or say decimal = \",\" or \".\" in the mapping"
        );
        assert!(minor("1.23E+3").unwrap_err().contains("power of ten"));
        for bad in
            ["", "abc", "1.2.3,4,5", "1,23,4", "--", "1-2", "£", "12.3.4", "9999999999999999999", "1_000"]
        {
            assert!(minor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_as_people_write_them() {
        let read = |text: &str| whole(text, &Habits::default()).map(|(number, _)| number);
        assert_eq!(
            ["12", "1,234", "1.234", "12.0", "12,00", "-3"].map(read),
            [12, 1_234, 1_234, 12, 12, -3].map(Ok)
        );
        assert_eq!(read("1.5"), Err("give a whole number".into()));
        assert!(read("x").is_err());
    }

    #[test]
    fn dates_as_people_write_them() {
        let read = |text: &str| instant(text, &Habits::default()).map(|(at, _)| at.to_string());
        let cases = [
            ("2026-11-21T09:30:00+01:00", "2026-11-21T08:30:00Z"),
            ("2026-11-21", "2026-11-21T00:00:00Z"),
            ("2026-11-21 09:30", "2026-11-21T09:30:00Z"),
            ("2026/11/21 9:30:15", "2026-11-21T09:30:15Z"),
            ("21.11.2026", "2026-11-21T00:00:00Z"),
            ("03.04.2026 10:00", "2026-04-03T10:00:00Z"),
            ("21/11/2026", "2026-11-21T00:00:00Z"),
            ("11/21/2026", "2026-11-21T00:00:00Z"),
            ("4/4/2026", "2026-04-04T00:00:00Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(
            read("03/04/2026").unwrap_err(),
            "can be meant in two ways: write 2026-04-03 or 2026-03-04, or say dates = \"day_first\" or \"month_first\" in the mapping"
        );
        let british = Habits {
            dates: Some(DayOrder::DayFirst),
            zone: Zone::parse("Europe/London").ok(),
            decimal: None,
        };
        let (at, oddities) = instant("03/06/2026 10:00", &british).unwrap();
        assert_eq!(
            (at.to_string().as_str(), &oddities[..]),
            ("2026-06-03T09:00:00Z", &[Oddity::DateForm][..])
        );
        for bad in [
            "45000",
            "45000.5",
            "1.2.26",
            "2026-13-01",
            "2026-02-30",
            "yesterday",
            "2026-11-21 25:00",
            "",
            "1/2/3/4",
            "+1/02/2026",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in any::<String>(), like in "[0-9.,' £€()+eE/: -]{0,20}") {
            for text in [&text, &like] {
                for decimal_mark in [None, Some(','), Some('.')] {
                    let habits = Habits { decimal: decimal_mark, ..Habits::default() };
                    let _ = (decimal(text, &habits), whole(text, &habits), instant(text, &habits), yes(text));
                }
            }
        }

        #[test]
        fn an_amount_written_in_any_way_is_the_same(pounds in 0i64..10_000_000, rest in 0i64..100, way in 0usize..5) {
            let grouped = |mark: char| {
                let digits = pounds.to_string();
                let mut out = String::new();
                for (place, digit) in digits.chars().enumerate() {
                    if place > 0 && (digits.len() - place) % 3 == 0 { out.push(mark); }
                    out.push(digit);
                }
                out
            };
            let text = match way {
                0 => format!("{pounds}.{rest:02}"),
                1 => format!("{pounds},{rest:02}"),
                2 => format!("£{}.{rest:02}", grouped(',')),
                3 => format!("{},{rest:02} €", grouped('.')),
                _ => format!("{},{rest:02}", grouped(' ')),
            };
            prop_assert_eq!(minor(&text), Ok(pounds * 100 + rest), "{}", text);
        }
    }
}
