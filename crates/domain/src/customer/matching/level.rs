//! How well two persons agree, field by field.

use super::distance::{likeness, slips};
use super::person::{FIELDS, Field, Known, Value};

/// How many levels of agreement there are.
pub const LEVELS: usize = 5;

/// How well a field agrees, the best first. A field that one of the two does not have has no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The same.
    Equal,
    /// One slip of a key, or nearly the same.
    Close,
    /// The same, or close, in the wrong place: given and family name, day and month, street and premises.
    Swapped,
    /// Much alike: the same sound, an initial, two of three parts of a date, the same area.
    Alike,
    /// Not the same.
    Different,
}

impl Level {
    /// All of them, the best first.
    pub const ALL: [Level; LEVELS] =
        [Level::Equal, Level::Close, Level::Swapped, Level::Alike, Level::Different];

    /// Its place in tables.
    pub const fn place(self) -> usize {
        self as usize
    }

    /// Does the field know this level?
    pub const fn is_of(self, field: Field) -> bool {
        use Field::{Birth, Family, Given, Number, Premises, Region, Street};
        match self {
            Level::Equal | Level::Close | Level::Different => true,
            Level::Swapped => matches!(field, Given | Family | Birth | Street | Premises),
            Level::Alike => !matches!(field, Number | Region),
        }
    }

    /// Why a field has this level, in words.
    pub const fn reason(self, field: Field) -> &'static str {
        match (self, field) {
            (Level::Equal, _) => "the same",
            (Level::Swapped, Field::Given | Field::Family) => "given and family name swapped",
            (Level::Swapped, Field::Birth) => "day and month swapped",
            (Level::Swapped, _) => "the same in another line",
            (Level::Close, Field::Birth | Field::Number | Field::PostalCode | Field::Phone) => {
                "one digit differs, or two are swapped"
            }
            (Level::Close, Field::Email) => "one or two letters differ",
            (Level::Close, _) => "one letter differs, or nearly the same",
            (Level::Alike, Field::Birth) => "two of day, month and year the same",
            (Level::Alike, Field::Email) => "the same name at another provider",
            (Level::Alike, Field::PostalCode) => "the same area",
            (Level::Alike, Field::Phone) => "the same last digits",
            (Level::Alike, _) => "much alike, the same sound, or an initial",
            (Level::Different, _) => "different",
        }
    }
}

/// How a field agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// How well.
    pub level: Level,
    /// How rare the value is that both have, in thousandths of a bit, if they have the same and it is known.
    pub rarity: Option<i32>,
}

/// How two persons agree in each field; nothing where one of them does not have it.
pub type Pattern = [Option<Agreement>; FIELDS];

/// Pairs of fields whose values are sometimes swapped.
pub(super) const SWAPPED: [(Field, Field); 2] =
    [(Field::Given, Field::Family), (Field::Street, Field::Premises)];

/// The field with which this one is sometimes swapped.
pub(super) fn swapped_with(field: Field) -> Option<Field> {
    SWAPPED.into_iter().find_map(|(a, b)| match field {
        _ if field == a => Some(b),
        _ if field == b => Some(a),
        _ => None,
    })
}

/// How two persons agree. It does not matter who is the first.
pub fn pattern<K: Known>(one: &K, other: &K) -> Pattern {
    let mut pattern = same(one, other);
    for field in Field::ALL {
        if is_open(&pattern, field) {
            pattern[field.place()] = likest(one, field, other, field);
        }
    }
    for (a, b) in SWAPPED {
        swap(one, other, (a, b), &mut pattern);
    }
    pattern
}

/// The fields that have the same value; the others are left at different, or at nothing where one does not have them. This costs little.
pub(super) fn same<K: Known>(one: &K, other: &K) -> Pattern {
    Field::ALL.map(|field| {
        let (ones, others) = (one.many(field), other.many(field));
        if ones == 0 || others == 0 {
            return None;
        }
        let both = |at: &usize| (0..others).any(|other_at| one.is_same(field, *at, other, other_at));
        // The rarest of what both have.
        let rarest = (0..ones).filter(both).map(|at| one.value(field, at).rarity()).max();
        let level = if rarest.is_some() { Level::Equal } else { Level::Different };
        Some(Agreement { level, rarity: rarest.flatten() })
    })
}

pub(super) fn is_open(pattern: &Pattern, field: Field) -> bool {
    pattern[field.place()].is_some_and(|agreement| agreement.level == Level::Different)
}

/// The best level of any value of one against any of the other.
pub(super) fn likest<K: Known>(one: &K, field: Field, other: &K, other_field: Field) -> Option<Agreement> {
    let pairs = (0..one.many(field)).flat_map(|at| (0..other.many(other_field)).map(move |o| (at, o)));
    let level = pairs.map(|(at, o)| level(field, one.value(field, at), other.value(other_field, o))).min();
    level.map(|level| Agreement { level, rarity: None })
}

/// Where both fields of a pair are closer crosswise than straight, both are swapped.
pub(super) fn swap<K: Known>(one: &K, other: &K, (a, b): (Field, Field), pattern: &mut Pattern) {
    let is_far =
        |field: Field| pattern[field.place()].is_none_or(|agreement| agreement.level >= Level::Alike);
    if !is_far(a) || !is_far(b) {
        return;
    }
    let is_close = |agreement: Option<Agreement>| agreement.is_some_and(|found| found.level <= Level::Close);
    if is_close(likest(one, a, other, b)) && is_close(likest(one, b, other, a)) {
        let swapped = Some(Agreement { level: Level::Swapped, rarity: None });
        pattern[a.place()] = swapped;
        pattern[b.place()] = swapped;
    }
}

/// How well two values agree.
pub(super) fn level(field: Field, one: &Value, other: &Value) -> Level {
    let (a, b) = (one.text(), other.text());
    if a == b {
        return Level::Equal;
    }
    match field {
        Field::Given | Field::Family => name(one, other),
        Field::Birth => date(a, b),
        Field::Street | Field::Premises | Field::City => words(a, b),
        Field::Number | Field::Region => {
            or_different(slips(a, b, 1) <= 1 && a.len().max(b.len()) > 1, Level::Close)
        }
        Field::PostalCode => match slips(a, b, 1) {
            0 | 1 => Level::Close,
            _ => or_different(area(a) == area(b), Level::Alike),
        },
        Field::Email => email(a, b),
        Field::Phone => match slips(a, b, 1) {
            0 | 1 => Level::Close,
            _ => or_different(last_digits(a) == last_digits(b), Level::Alike),
        },
    }
}

fn or_different(is_so: bool, level: Level) -> Level {
    if is_so { level } else { Level::Different }
}

fn name(one: &Value, other: &Value) -> Level {
    let (a, b) = (one.text(), other.text());
    let longer = a.len().max(b.len());
    let likeness = likeness(a, b);
    if likeness >= 920 || longer >= 4 && slips(a, b, 1) <= 1 {
        return Level::Close;
    }
    // An initial, or one of several names.
    let first = |text: &'_ str| text.split(' ').next().map(str::len).unwrap_or(0);
    let is_part = a.starts_with(&b[..first(b)]) && first(b) == b.len()
        || b.starts_with(&a[..first(a)]) && first(a) == a.len();
    let is_alike = likeness >= 820 || one.sound() == other.sound() || is_part || shares_a_word(a, b);
    or_different(is_alike || longer >= 5 && slips(a, b, 2) <= 2, Level::Alike)
}

fn shares_a_word(a: &str, b: &str) -> bool {
    a.split(' ').any(|word| word.len() > 2 && b.split(' ').any(|other| word == other))
}

fn words(a: &str, b: &str) -> Level {
    let likeness = likeness(a, b);
    if likeness >= 920 || slips(a, b, 2) <= 2 && a.len().min(b.len()) > 4 {
        return Level::Close;
    }
    or_different(likeness >= 830 || slips(a, b, 4) <= 4 && a.len().min(b.len()) > 9, Level::Alike)
}

fn date(a: &str, b: &str) -> Level {
    let parts = |text: &'_ str| {
        (
            text.get(..4).map(str::to_owned),
            text.get(4..6).map(str::to_owned),
            text.get(6..).map(str::to_owned),
        )
    };
    let ((year, month, day), (other_year, other_month, other_day)) = (parts(a), parts(b));
    if year == other_year && month == other_day && day == other_month {
        return Level::Swapped;
    }
    if slips(a, b, 1) <= 1 {
        return Level::Close;
    }
    let same = [year == other_year, month == other_month, day == other_day];
    or_different(same.into_iter().filter(|same| *same).count() == 2, Level::Alike)
}

fn email(a: &str, b: &str) -> Level {
    // Another number is another mailbox, not a slip.
    let digits = |text: &'_ str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    if slips(a, b, 2) <= 2 && digits(a) == digits(b) {
        return Level::Close;
    }
    let local = |text: &'_ str| text.rsplit_once('@').map(|(local, _)| local.to_owned());
    or_different(local(a) == local(b), Level::Alike)
}

/// The first half of a postal code.
fn area(text: &str) -> &str {
    text.get(..text.len().div_ceil(2)).unwrap_or(text)
}

/// The last seven digits: the number without the country and the area.
fn last_digits(text: &str) -> &str {
    text.get(text.len().saturating_sub(7)..).unwrap_or(text)
}
