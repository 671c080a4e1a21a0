//! A person as compared with others: what is known of her, in the one form in which it is compared. Never a number of the state.

use std::fmt;

use super::fold;

/// The most values of one field that are compared; more are left out.
pub const VALUES_MAX: usize = 8;
/// How many fields there are.
pub const FIELDS: usize = 11;

/// What is compared of two persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The given name.
    Given,
    /// The family name.
    Family,
    /// The date of birth.
    Birth,
    /// The first line of an address, without the house's number.
    Street,
    /// Its other lines: floor, house, place.
    Premises,
    /// The number of the house.
    Number,
    /// The postal code.
    PostalCode,
    /// The town.
    City,
    /// State, county or province.
    Region,
    /// The e-mail address.
    Email,
    /// The telephone number.
    Phone,
}

impl Field {
    /// All of them, in the order of their places.
    pub const ALL: [Field; FIELDS] = [
        Field::Given,
        Field::Family,
        Field::Birth,
        Field::Street,
        Field::Premises,
        Field::Number,
        Field::PostalCode,
        Field::City,
        Field::Region,
        Field::Email,
        Field::Phone,
    ];

    /// Its place in tables.
    pub const fn place(self) -> usize {
        self as usize
    }

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Field::Given => "given_name",
            Field::Family => "family_name",
            Field::Birth => "birth_date",
            Field::Street => "street",
            Field::Premises => "premises",
            Field::Number => "house_number",
            Field::PostalCode => "postal_code",
            Field::City => "city",
            Field::Region => "region",
            Field::Email => "email",
            Field::Phone => "phone",
        }
    }

    /// Does it say where somebody lives? Everybody in a house says the same.
    pub const fn is_of_place(self) -> bool {
        use Field::{City, Number, PostalCode, Premises, Region, Street};
        matches!(self, Street | Premises | Number | PostalCode | City | Region)
    }
}

/// What is known of a person, as it was typed. Everything may be missing, and there may be several of each.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Given names: what she was called at different times or places, each with its middle names.
    pub given_names: Vec<String>,
    /// Family names.
    pub family_names: Vec<String>,
    /// Whole names that nobody took apart: "Ada King", "King, Ada".
    pub names: Vec<String>,
    /// Dates of birth: 1956-04-09, 9.4.1956, 19560409.
    pub birth_dates: Vec<String>,
    /// Where she lives or lived.
    pub addresses: Vec<Place>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Telephone numbers in E.164.
    pub phones: Vec<String>,
}

/// Where somebody lives, as it was typed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Street, house and floor.
    pub street: Vec<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The town.
    pub city: Option<String>,
    /// State, county or province.
    pub region: Option<String>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Facts(hidden)")
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Place(hidden)")
    }
}

/// A value as it is compared, and how rare it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    text: Box<str>,
    sound: u32,
    /// How rare it is among all persons, in thousandths of a bit: 1,000 when every second one has it. Nothing when that is not known.
    rarity: Option<i32>,
}

impl Value {
    pub(super) fn new(text: &str) -> Value {
        Value { text: text.into(), sound: fold::sound(text), rarity: None }
    }

    /// The text that is compared. It is personal: it belongs into no log.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) const fn sound(&self) -> u32 {
        self.sound
    }

    pub(super) const fn rarity(&self) -> Option<i32> {
        self.rarity
    }

    /// The value when so many of `all` values have its text.
    #[must_use]
    pub fn seen(mut self, times: u32, all: u32) -> Value {
        self.rarity = (times > 0 && all >= times).then(|| rarity(times, all));
        self
    }
}

/// How rare something is that so many of all have, in thousandths of a bit.
fn rarity(times: u32, all: u32) -> i32 {
    ((f64::from(all) / f64::from(times)).log2() * 1000.0).round() as i32
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Value(hidden)")
    }
}

/// Whatever has values of fields: one person, or one of many in a [`Crowd`](super::crowd::Crowd).
pub trait Known {
    /// How many values of the field are known, at most [`VALUES_MAX`].
    fn many(&self, field: Field) -> usize;
    /// One of them.
    fn value(&self, field: Field, at: usize) -> &Value;

    /// Is a value the same as one of another person?
    fn is_same(&self, field: Field, at: usize, other: &Self, other_at: usize) -> bool {
        self.value(field, at).text == other.value(field, other_at).text
    }
}

/// A person in the form that is compared.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Person {
    values: [Vec<Value>; FIELDS],
}

impl fmt::Debug for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Person(hidden)")
    }
}

impl Known for Person {
    fn many(&self, field: Field) -> usize {
        self.values[field.place()].len()
    }

    fn value(&self, field: Field, at: usize) -> &Value {
        &self.values[field.place()][at]
    }
}

impl Person {
    /// The person these facts tell of. What says nothing is left out, and what is said twice counts once.
    pub fn new(facts: &Facts) -> Person {
        let mut person = Person::default();
        facts.given_names.iter().for_each(|text| person.add(Field::Given, fold::name(text)));
        facts.family_names.iter().for_each(|text| person.add(Field::Family, fold::name(text)));
        for (given, family) in facts.names.iter().filter_map(|text| parted(text)) {
            person.add(Field::Given, fold::name(&given));
            person.add(Field::Family, fold::name(&family));
        }
        facts.birth_dates.iter().for_each(|text| person.add(Field::Birth, fold::date(text)));
        facts.addresses.iter().for_each(|place| person.add_place(place));
        facts.emails.iter().for_each(|text| person.add(Field::Email, fold::email(text)));
        facts.phones.iter().for_each(|text| person.add(Field::Phone, phone(text)));
        person
    }

    fn add_place(&mut self, place: &Place) {
        if let Some((first, rest)) = place.street.split_first() {
            let (street, number) = fold::street(first);
            self.add(Field::Street, street);
            self.add(Field::Number, number);
            self.add(Field::Premises, fold::line(&rest.join(" ")));
        }
        let text = |text: &Option<String>, form: fn(&str) -> Option<String>| text.as_deref().and_then(form);
        self.add(Field::PostalCode, text(&place.postal_code, fold::code));
        self.add(Field::City, text(&place.city, fold::name));
        self.add(Field::Region, text(&place.region, fold::name));
    }

    fn add(&mut self, field: Field, text: Option<String>) {
        let values = &mut self.values[field.place()];
        if let Some(text) = text
            && values.len() < VALUES_MAX
            && !values.iter().any(|value| *value.text == *text)
        {
            values.push(Value::new(&text));
        }
    }

    /// Adds a value that is in its form already.
    pub(super) fn push(&mut self, field: Field, value: Value) {
        self.values[field.place()].push(value);
    }

    /// The person with how often each value was seen, and among how many, where that is known: common names say less.
    #[must_use]
    pub fn counted(mut self, seen: impl Fn(Field, &str) -> Option<(u32, u32)>) -> Person {
        for field in Field::ALL {
            for value in &mut self.values[field.place()] {
                if let Some((times, all)) = seen(field, &value.text) {
                    *value = value.clone().seen(times, all);
                }
            }
        }
        self
    }

    /// The values of a field.
    pub fn values(&self, field: Field) -> &[Value] {
        &self.values[field.place()]
    }
}

/// A whole name in two: behind a comma stands the given name, else the last word is the family name.
fn parted(name: &str) -> Option<(String, String)> {
    let name = name.trim();
    let (given, family) = match name.split_once(',') {
        Some((family, given)) => (given, family),
        None => name.rsplit_once(char::is_whitespace).unwrap_or(("", name)),
    };
    (!name.is_empty()).then(|| (given.trim().to_owned(), family.trim().to_owned()))
}

/// The digits of a telephone number, if they may be one.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).take(fold::CHARS_MAX).collect();
    (digits.len() >= 6 && digits.bytes().any(|digit| digit != digits.as_bytes()[0])).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_or_says_nothing_does_not_count() {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let person = Person::new(&Facts {
            given_names: own(&["Ada", "ADA", "unknown", "Augusta Ada"]),
            names: own(&["Lovelace, Ada", "Ada King", "Plato"]),
            phones: own(&["+44 20 7946 0000", "000000000", "123"]),
            ..Facts::default()
        });
        let texts = |field| person.values(field).iter().map(Value::text).collect::<Vec<_>>();
        assert_eq!(texts(Field::Given), ["ada", "augusta ada"]);
        assert_eq!(texts(Field::Family), ["lovelace", "king", "plato"]);
        assert_eq!(texts(Field::Phone), ["442079460000"]);
        assert_eq!(
            format!("{person:?} {:?}", person.values(Field::Given)[0]),
            "Person(hidden) Value(hidden)"
        );
    }

    #[test]
    fn fields_have_the_places_of_their_list() {
        for (place, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field.place(), place);
        }
        let many = vec!["x@y.example".to_owned(); 3];
        let facts = Facts { emails: many, ..Facts::default() };
        assert_eq!(Person::new(&facts).many(Field::Email), 1);
    }
}
