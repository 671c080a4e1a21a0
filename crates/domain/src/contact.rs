//! Contacts: what is written on a parcel and how a person is reached. It is checked once and never changed; a correction is a new contact.

use std::fmt;

use crate::Refusal;
use crate::value::text::bounded;
use crate::value::{Address, AddressDraft, Country, Email, Line, Phone};

/// The most characters of a note to whoever delivers.
pub const NOTE_CHARS_MAX: usize = 500;

/// What somebody typed, or what is shown of a contact. Its debug form hides everything, so that nothing ends in a log.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Who receives.
    pub name: Option<String>,
    /// The firm.
    pub company: Option<String>,
    /// Street, house and floor.
    pub street: Vec<String>,
    /// The town.
    pub city: Option<String>,
    /// State, county or province.
    pub region: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// What whoever delivers should know: "ring twice".
    pub note: Option<String>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Draft(hidden)")
    }
}

/// A contact that was checked: texts trimmed, the phone in E.164, the country in capitals.
#[derive(Clone, PartialEq, Eq)]
pub struct Card(Draft);

impl Card {
    /// Checks what was typed. Everything may be missing but not all at once; a street needs the rest of its address.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn new(draft: &Draft) -> Result<Card, Refusal> {
        let mut refusals = Vec::new();
        let draft = draft.without_blanks();
        if draft == Draft::default() {
            return Err(Refusal::invalid("name", "give a name, an address, an e-mail or a phone number"));
        }
        let bad = &mut refusals;
        let country = draft.country.as_deref().and_then(|text| take(bad, "country", Country::parse(text)));
        let email = draft.email.as_deref().and_then(|text| take(bad, "email", Email::parse(text)));
        let phone = draft.phone.as_deref().and_then(|text| take(bad, "phone", Phone::parse(text, country)));
        let words = draft.note.as_deref().map(|text| bounded("note", text, 1, NOTE_CHARS_MAX));
        let mut checked = Draft {
            country: country.map(|country| country.code().to_owned()),
            email: email.map(|email| email.as_str().to_owned()),
            phone: phone.map(|phone| phone.as_str().to_owned()),
            note: words.and_then(|words| take(bad, "note", words)),
            ..Draft::default()
        };
        check_address(&draft, &mut checked, &mut refusals);
        Refusal::all(refusals).map_or(Ok(Card(checked)), Err)
    }

    /// The contact that was checked when it was sealed.
    pub const fn sealed_before(draft: Draft) -> Card {
        Card(draft)
    }

    /// What is written on it.
    pub const fn text(&self) -> &Draft {
        &self.0
    }

    /// The country, if one was given.
    pub fn country(&self) -> Option<Country> {
        self.0.country.as_deref().and_then(|code| Country::parse(code).ok())
    }

    /// The address, if a whole one was given.
    pub fn address(&self) -> Option<Address> {
        let text = &self.0;
        let draft = AddressDraft {
            names: text.name.iter().cloned().collect(),
            company: text.company.clone(),
            street: text.street.clone(),
            city: text.city.clone(),
            region: text.region.clone(),
            postal_code: text.postal_code.clone(),
            country: text.country.clone()?,
        };
        Address::new(&draft).ok()
    }

    /// The form of the e-mail under which a person is found.
    pub fn email_lookup(&self) -> Option<String> {
        self.0.email.as_deref().and_then(|text| Email::parse(text).ok()).map(|email| email.lookup_form())
    }

    /// The form of the phone number under which a person is found: E.164.
    pub fn phone_lookup(&self) -> Option<String> {
        self.0.phone.clone()
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Card(hidden)")
    }
}

impl Draft {
    fn without_blanks(&self) -> Draft {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Draft {
            name: given(&self.name),
            company: given(&self.company),
            street: self.street.iter().filter(|line| !line.trim().is_empty()).cloned().collect(),
            city: given(&self.city),
            region: given(&self.region),
            postal_code: given(&self.postal_code),
            country: given(&self.country),
            email: given(&self.email),
            phone: given(&self.phone),
            note: given(&self.note),
        }
    }

    fn has_address(&self) -> bool {
        !self.street.is_empty() || self.city.is_some() || self.region.is_some() || self.postal_code.is_some()
    }
}

/// The value, or nothing with the refusal remembered.
fn take<T, E: fmt::Display>(refusals: &mut Vec<Refusal>, field: &str, value: Result<T, E>) -> Option<T> {
    value.map_err(|error| refusals.push(Refusal::invalid(field, error))).ok()
}

/// Checks name, company and address; a country by itself, as a till or a phone order knows it, is no address.
fn check_address(draft: &Draft, checked: &mut Draft, refusals: &mut Vec<Refusal>) {
    if !draft.has_address() {
        let mut line = |field, text: &Option<String>| {
            let line = text.as_deref().and_then(|text| take(refusals, field, Line::new(field, text)));
            line.map(|line| line.as_str().to_owned())
        };
        checked.name = line("name", &draft.name);
        checked.company = line("company", &draft.company);
        return;
    }
    let Some(country) = draft.country.clone() else {
        refusals.push(Refusal::invalid("country", "an address needs a country: two letters of iso 3166-1"));
        return;
    };
    let whole = AddressDraft {
        names: draft.name.iter().cloned().collect(),
        company: draft.company.clone(),
        street: draft.street.clone(),
        city: draft.city.clone(),
        region: draft.region.clone(),
        postal_code: draft.postal_code.clone(),
        country,
    };
    match Address::new(&whole) {
        Ok(address) => {
            checked.name = address.names().next().map(str::to_owned);
            checked.company = address.company().map(str::to_owned);
            checked.street = address.street().map(str::to_owned).collect();
            checked.city = address.city().map(str::to_owned);
            checked.region = address.region().map(str::to_owned);
            checked.postal_code = address.postal_code().map(str::to_owned);
        }
        Err(errors) => {
            let field = |name: &'static str| if name == "names" { "name" } else { name };
            let told = errors.iter().filter(|error| error.field() != "country");
            refusals.extend(told.map(|error| Refusal::invalid(field(error.field()), error)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Draft {
        Draft {
            name: Some(" Ada Lovelace ".into()),
            street: vec!["1 High Street".into(), " ".into()],
            city: Some("Leeds".into()),
            postal_code: Some("LS1 4DY".into()),
            country: Some("gb".into()),
            email: Some("Ada@Example.COM".into()),
            phone: Some("020 7946 0958".into()),
            ..Draft::default()
        }
    }

    #[test]
    fn texts_take_their_checked_form() {
        let card = Card::new(&ada()).unwrap();
        assert_eq!(card.text().name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(card.text().street, ["1 High Street"]);
        assert_eq!(card.text().email.as_deref(), Some("Ada@example.com"));
        assert_eq!(card.email_lookup().as_deref(), Some("ada@example.com"));
        assert_eq!(card.phone_lookup().as_deref(), Some("+442079460958"));
        assert_eq!(card.country().map(Country::code), Some("GB"));
        assert_eq!(format!("{card:?} {:?}", card.text()), "Card(hidden) Draft(hidden)");
        assert_eq!(Card::new(card.text()).unwrap(), card);
    }

    #[test]
    fn every_bad_field_is_named() {
        let draft = Draft {
            street: vec!["x".repeat(101)],
            country: Some("UK".into()),
            email: Some("ada".into()),
            phone: Some("1".into()),
            city: None,
            postal_code: None,
            ..ada()
        };
        let refusal = Card::new(&draft).unwrap_err();
        let mut fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["city", "country", "email", "phone", "street"]);
        assert!(Card::new(&Draft::default()).is_err());
        let country_only = Draft { country: Some("FR".into()), ..Draft::default() };
        assert_eq!(Card::new(&country_only).unwrap().country().map(Country::code), Some("FR"));
    }
}
