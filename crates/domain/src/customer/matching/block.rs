//! Whom to compare at all: persons who share a key of one of several rules. What nobody shares is never compared.

use super::crowd::hash;
use super::person::{Field, Known, Value};

/// The most persons one person is compared with.
pub const CANDIDATES_MAX: usize = 200;
/// The most keys one person has.
pub const KEYS_MAX: usize = 96;

/// Bits of a key that are a hash; the rule stands above them.
const HASH_BITS: u32 = 27;

/// A key by which persons are found who may be the same. It is made of personal data, and stands for one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u32);

impl Key {
    /// As it is kept.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The key that was kept.
    pub const fn kept(number: u32) -> Key {
        Key(number)
    }

    /// Which of the rules it is of.
    const fn rule(self) -> usize {
        (self.0 >> (HASH_BITS + 1)) as usize
    }
}

/// How a value enters a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Whole,
    /// As it sounds.
    Sound,
    /// A date, whichever of its day and month is first.
    Day,
}

use Field::{Birth, City, Email, Family, Given, Number, Phone, PostalCode, Premises, Street};
use Form::{Day, Sound, Whole};

/// A rule: who has all of these in common may be the same person. A block that is too large is parted by what is finer.
pub(super) struct Rule {
    parts: &'static [(Field, Form)],
    finer: (Field, Form),
    /// Do given and family name enter in any order?
    is_any_order: bool,
}

const fn rule(parts: &'static [(Field, Form)], finer: (Field, Form)) -> Rule {
    Rule { parts, finer, is_any_order: false }
}

/// The rules. Together they find nearly everybody who is known twice, whatever one mistake was made.
pub(super) const RULES: [Rule; 16] = [
    rule(&[(Email, Whole)], (Family, Sound)),
    rule(&[(Phone, Whole)], (Family, Sound)),
    Rule { parts: &[(Given, Sound), (Family, Sound)], finer: (PostalCode, Whole), is_any_order: true },
    rule(&[(Birth, Day), (Family, Sound)], (Given, Sound)),
    rule(&[(Birth, Day), (Given, Sound)], (PostalCode, Whole)),
    rule(&[(Birth, Day), (PostalCode, Whole)], (Street, Sound)),
    rule(&[(Birth, Day), (City, Sound)], (Given, Sound)),
    rule(&[(Birth, Day), (Number, Whole)], (Given, Sound)),
    rule(&[(PostalCode, Whole), (Family, Sound)], (Given, Sound)),
    rule(&[(PostalCode, Whole), (Given, Sound)], (Street, Sound)),
    rule(&[(PostalCode, Whole), (Street, Sound)], (Number, Whole)),
    rule(&[(Street, Sound), (Number, Whole)], (City, Sound)),
    rule(&[(City, Sound), (Street, Sound)], (Number, Whole)),
    rule(&[(Number, Whole), (Premises, Sound)], (City, Sound)),
    rule(&[(City, Sound), (Family, Sound)], (Given, Sound)),
    rule(&[(City, Sound), (Number, Whole)], (Given, Sound)),
];

impl Rule {
    /// Does it ask for given and family name?
    pub(super) fn has_whole_name(&self) -> bool {
        self.is_any_order
    }

    /// The fields of which this rule makes sure that they agree.
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        self.parts.iter().map(|(field, _)| *field)
    }
}

/// The keys of a person: of each rule one, or several where a field has several values. Sorted, none twice.
pub fn keys<K: Known>(person: &K) -> Vec<Key> {
    let mut keys: Vec<Key> =
        (0..RULES.len()).flat_map(|rule| keys_of(person, rule, false)).take(KEYS_MAX).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The keys by which a block that is too large is parted. They are asked for in place of a key that finds too many.
pub fn finer<K: Known>(person: &K, key: Key) -> Vec<Key> {
    keys_of(person, key.rule(), true)
}

/// The keys by one rule.
pub(super) fn keys_of<K: Known>(person: &K, number: usize, is_finer: bool) -> Vec<Key> {
    let rule = &RULES[number];
    let mut sums = vec![0];
    let finer = is_finer.then_some(&rule.finer);
    for (field, form) in rule.parts.iter().chain(finer) {
        let parts: Vec<u64> =
            (0..person.many(*field)).map(|at| part(*form, person.value(*field, at))).collect();
        // In any order: a sum. Else each part is mixed in by its place.
        let add = |sum: &u64, part: &u64| match rule.is_any_order {
            true => sum.wrapping_add(part.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            false => (sum.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        sums =
            sums.iter().flat_map(|sum| parts.iter().map(move |part| add(sum, part))).take(KEYS_MAX).collect();
    }
    let of_rule = (number as u32 * 2 + u32::from(is_finer)) << HASH_BITS;
    let key = |sum: u64| Key(of_rule | (sum ^ sum >> 32) as u32 & ((1 << HASH_BITS) - 1));
    sums.into_iter().map(key).collect()
}

fn part(form: Form, value: &Value) -> u64 {
    match form {
        Form::Whole => hash(1, value.text()),
        Form::Sound => u64::from(value.sound()).wrapping_mul(0xd6e8_feb8_6659_fd93),
        Form::Day => {
            let text = value.text();
            let (month, day) = (text.get(4..6).unwrap_or(""), text.get(6..).unwrap_or(""));
            let (first, then) = (month.min(day), month.max(day));
            hash(hash(hash(2, text.get(..4).unwrap_or(text)), first), then)
        }
    }
}

/// Whom to compare a person with, of those that were found under her keys: who shares most, and the rarest, first. At most
/// [`CANDIDATES_MAX`], in an order that does not depend on that of the answers.
pub fn candidates<P: Copy + Ord>(found: &[(Key, Vec<P>)]) -> Vec<P> {
    // What a key is worth: one that finds few says more.
    let worth = |many: usize| 64 / u32::try_from(many.max(1)).unwrap_or(u32::MAX).ilog2().max(1);
    let mut each: Vec<(P, u32)> = found
        .iter()
        .flat_map(|(_, persons)| persons.iter().map(|person| (*person, worth(persons.len()))))
        .collect();
    each.sort_unstable();
    let mut sums: Vec<(u32, P)> = Vec::new();
    for (person, worth) in each {
        match sums.last_mut() {
            Some((sum, last)) if *last == person => *sum += worth,
            _ => sums.push((worth, person)),
        }
    }
    if sums.len() > CANDIDATES_MAX {
        sums.sort_unstable_by_key(|(sum, person)| (std::cmp::Reverse(*sum), *person));
        sums.truncate(CANDIDATES_MAX);
    }
    sums.into_iter().map(|(_, person)| person).collect()
}
