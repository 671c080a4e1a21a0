//! People who do not exist: made from a seed, with names of made-up syllables, households, and records of the same person that differ as
//! such records do.

use domain::customer::matching::person::{Facts, Place};
use domain::customer::matching::train::Dice;

const SYLLABLES: [&str; 32] = [
    "ba", "ben", "ca", "da", "del", "el", "fa", "gar", "ha", "is", "jo", "ka", "lin", "lo", "ma", "mer",
    "na", "nor", "o", "pe", "ra", "rich", "ro", "sa", "son", "ta", "ton", "u", "va", "wil", "ya", "zel",
];
const GIVEN: u32 = 4_000;
const FAMILIES: u32 = 60_000;
const STREETS: u32 = 20_000;
const CITIES: u32 = 4_000;
const PROVIDERS: [&str; 5] = ["mail.example", "post.example", "web.example", "net.example", "inbox.example"];

/// Records, and of each whose it is.
pub struct People {
    pub facts: Vec<Facts>,
    pub whose: Vec<u32>,
}

/// So many records; one in eight is of somebody who has one before, one in eight persons lives with the one before.
pub fn make(many: usize, seed: u64) -> People {
    let mut dice = Dice(seed);
    let mut people = People { facts: Vec::with_capacity(many), whose: Vec::with_capacity(many) };
    let (mut before, mut persons) = (somebody(&mut dice), 0);
    while people.facts.len() < many {
        let mut person = somebody(&mut dice);
        if dice.below(8) == 0 {
            person.family_names.clone_from(&before.family_names);
            person.addresses.clone_from(&before.addresses);
            person.phones.clone_from(&before.phones);
        }
        let records = 1 + usize::from(dice.below(7) == 0) + usize::from(dice.below(60) == 0);
        for number in 0..records.min(many - people.facts.len()) {
            let record = if number == 0 { incomplete(&person, &mut dice) } else { again(&person, &mut dice) };
            people.facts.push(record);
            people.whose.push(persons);
        }
        persons += 1;
        before = person;
    }
    people
}

/// A word made of two to four syllables; the same number makes the same word.
fn word(kind: u64, number: u32) -> String {
    let mut dice = Dice(kind << 32 | u64::from(number));
    let syllables = 2 + dice.below(3);
    (0..syllables).map(|_| SYLLABLES[dice.below(SYLLABLES.len() as u32) as usize]).collect()
}

/// A number below the bound; low ones are common, as some names are.
fn common(dice: &mut Dice, bound: u32) -> u32 {
    let share = f64::from(dice.below(1 << 20)) / f64::from(1 << 20);
    (share.powi(3) * f64::from(bound)) as u32
}

fn somebody(dice: &mut Dice) -> Facts {
    let given = word(1, common(dice, GIVEN));
    let family = word(2, common(dice, FAMILIES));
    let birth = (1930 + dice.below(80), 1 + dice.below(12), 1 + dice.below(28));
    let email = email(&given, &family, dice);
    let address = address(dice);
    Facts {
        given_names: vec![given],
        family_names: vec![family],
        birth_dates: vec![format!("{}-{:02}-{:02}", birth.0, birth.1, birth.2)],
        addresses: vec![address],
        emails: vec![email],
        phones: vec![phone(dice)],
        ..Facts::default()
    }
}

fn email(given: &str, family: &str, dice: &mut Dice) -> String {
    let provider = PROVIDERS[dice.below(PROVIDERS.len() as u32) as usize];
    match dice.below(3) {
        0 => format!("{given}.{family}{}@{provider}", dice.below(100)),
        1 => format!("{family}{}@{provider}", dice.below(10_000)),
        _ => format!("{given}{}@{provider}", dice.below(100_000)),
    }
}

fn phone(dice: &mut Dice) -> String {
    format!("+4479{:08}", dice.below(100_000_000))
}

fn address(dice: &mut Dice) -> Place {
    let city = common(dice, CITIES);
    let street = word(3, common(dice, STREETS));
    Place {
        street: vec![format!("{} {street} street", 1 + common(dice, 150))],
        postal_code: Some(format!("{:04}{:02}", city, dice.below(20))),
        city: Some(word(4, city)),
        region: Some(word(5, city % 40)),
    }
}

/// What one record of somebody has: seldom everything.
fn incomplete(person: &Facts, dice: &mut Dice) -> Facts {
    let mut record = person.clone();
    if dice.below(100) < 40 {
        record.birth_dates.clear();
    }
    if dice.below(100) < 25 {
        record.emails.clear();
    }
    if dice.below(100) < 40 {
        record.phones.clear();
    }
    if dice.below(100) < 15 {
        record.addresses.clear();
    }
    record
}

/// Another record of somebody: typed anew, at another time of life.
pub fn again(person: &Facts, dice: &mut Dice) -> Facts {
    let mut other = person.clone();
    if dice.below(100) < 12 {
        other.addresses = vec![address(dice)];
    }
    if dice.below(100) < 20 {
        other.emails = vec![email(&person.given_names[0], &person.family_names[0], dice)];
    }
    if dice.below(100) < 15 {
        other.phones = vec![phone(dice)];
    }
    match dice.below(100) {
        0..4 => other.family_names = vec![word(2, common(dice, FAMILIES))],
        4..6 => std::mem::swap(&mut other.given_names, &mut other.family_names),
        6..10 => other.given_names[0].truncate(1),
        _ => {}
    }
    let place = other.addresses[0].clone();
    other.addresses[0] = Place {
        street: place.street.iter().map(|text| typed(text, dice)).collect(),
        city: place.city.map(|text| typed(&text, dice)),
        postal_code: place.postal_code.map(|text| typed(&text, dice)),
        region: place.region,
    };
    for texts in [&mut other.given_names, &mut other.family_names, &mut other.birth_dates, &mut other.emails]
    {
        texts.iter_mut().for_each(|text| *text = typed(text, dice));
    }
    incomplete(&other, dice)
}

/// The text as somebody typed it: one in twelve has a slip.
fn typed(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<u8> = text.bytes().collect();
    if letters.len() < 3 || dice.below(12) != 0 {
        return text.to_owned();
    }
    let at = dice.below(letters.len() as u32 - 1) as usize;
    let letter =
        if letters[at].is_ascii_digit() { b'0' + dice.below(10) as u8 } else { b'a' + dice.below(26) as u8 };
    match dice.below(4) {
        0 => letters.swap(at, at + 1),
        1 => letters[at] = letter,
        2 => letters.insert(at, letter),
        _ => {
            letters.remove(at);
        }
    }
    String::from_utf8(letters).unwrap_or_else(|_| text.to_owned())
}
