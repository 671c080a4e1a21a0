//! Postal addresses: where a parcel goes or a shop stands, checked so that they fit on a label.

use std::fmt;

use super::country::{Country, CountryError};
use super::text::{Line, TextError, bounded};

/// Most lines for the name of the person.
pub const NAME_LINES_MAX: usize = 2;
/// Most lines for street, house and floor.
pub const STREET_LINES_MAX: usize = 3;
/// Most characters of a postal code.
pub const POSTAL_CODE_CHARS_MAX: usize = 16;

/// An address as somebody typed it, before it is checked. Blank lines are left out; blank optional texts count as not given.
#[derive(Clone, Debug)]
pub struct AddressDraft {
    /// Who receives, in at most [`NAME_LINES_MAX`] lines.
    pub names: Vec<String>,
    /// The firm.
    pub company: Option<String>,
    /// Street, house and floor, in at most [`STREET_LINES_MAX`] lines; at least one.
    pub street: Vec<String>,
    /// The town; may be blank only where the postal code says it.
    pub city: Option<String>,
    /// State, county or province.
    pub region: Option<String>,
    /// The postal code, in whatever form the country uses.
    pub postal_code: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: String,
}

/// A postal address that fits on a label. Its debug form hides all but the country, so that none ends in a log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    names: Vec<Line>,
    company: Option<Line>,
    street: Vec<Line>,
    city: Option<Line>,
    region: Option<Line>,
    postal_code: Option<String>,
    country: Country,
}

impl Address {
    /// Checks the draft.
    ///
    /// # Errors
    /// One [`AddressError`] for each field that is wrong, in the order of the label.
    pub fn new(draft: &AddressDraft) -> Result<Address, Vec<AddressError>> {
        let mut errors = Vec::new();
        let names = lines("names", &draft.names, NAME_LINES_MAX, &mut errors);
        let company = line("company", draft.company.as_deref(), &mut errors);
        let street = lines("street", &draft.street, STREET_LINES_MAX, &mut errors);
        let city = line("city", draft.city.as_deref(), &mut errors);
        let region = line("region", draft.region.as_deref(), &mut errors);
        let postal_code = given(draft.postal_code.as_deref())
            .map(|code| bounded("postal_code", code, 1, POSTAL_CODE_CHARS_MAX))
            .transpose()
            .unwrap_or_else(|error| note(error, &mut errors));
        if !draft.street.iter().any(|text| given(Some(text)).is_some()) {
            errors.push(AddressError::NoStreet);
        }
        if given(draft.city.as_deref()).or(given(draft.postal_code.as_deref())).is_none() {
            errors.push(AddressError::NoCity);
        }
        match Country::parse(&draft.country) {
            Ok(country) if errors.is_empty() => {
                Ok(Address { names, company, street, city, region, postal_code, country })
            }
            Ok(_) => Err(errors),
            Err(error) => {
                errors.push(AddressError::Country(error));
                Err(errors)
            }
        }
    }

    /// Who receives.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Line::as_str)
    }

    /// The firm.
    pub fn company(&self) -> Option<&str> {
        self.company.as_ref().map(Line::as_str)
    }

    /// Street, house and floor.
    pub fn street(&self) -> impl Iterator<Item = &str> {
        self.street.iter().map(Line::as_str)
    }

    /// The town.
    pub fn city(&self) -> Option<&str> {
        self.city.as_ref().map(Line::as_str)
    }

    /// State, county or province.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().map(Line::as_str)
    }

    /// The postal code as it was given.
    pub fn postal_code(&self) -> Option<&str> {
        self.postal_code.as_deref()
    }

    /// The country.
    pub fn country(&self) -> Country {
        self.country
    }

    /// The lines of a label for a parcel sent from the country `from`; abroad ends with the country's name in capitals.
    pub fn label(&self, from: Country) -> Vec<String> {
        let mut lines = self.lines();
        if self.country != from {
            lines.push(self.country.name().to_uppercase());
        }
        lines
    }

    /// The whole address on one line, country included.
    pub fn one_line(&self) -> String {
        let mut lines = self.lines();
        lines.push(self.country.name().to_owned());
        lines.join(", ")
    }

    fn lines(&self) -> Vec<String> {
        let before = self.names().chain(self.company()).chain(self.street()).map(str::to_owned);
        before.chain(self.town_lines()).collect()
    }

    /// Town, region and postal code in the order that the country's post expects.
    fn town_lines(&self) -> Vec<String> {
        let together = |parts: &[Option<&str>]| parts.iter().flatten().copied().collect::<Vec<_>>().join(" ");
        let (city, region, code) = (self.city(), self.region(), self.postal_code());
        let lines = match self.country.code() {
            "GB" | "IE" | "GG" | "JE" | "IM" | "IN" | "MT" | "SG" | "HK" => {
                vec![together(&[city]), together(&[region]), together(&[code])]
            }
            "US" | "PR" | "CA" | "AU" => vec![together(&[city, region, code])],
            "NZ" | "TH" | "KR" | "TW" => vec![together(&[city, code]), together(&[region])],
            "BR" => {
                let city = [city, region].into_iter().flatten().collect::<Vec<_>>().join(" - ");
                vec![city, together(&[code])]
            }
            _ => vec![together(&[code, city]), together(&[region])],
        };
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    }
}

/// The text, unless blank.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// Notes the error and answers with nothing in the text's place.
fn note<T>(error: TextError, errors: &mut Vec<AddressError>) -> Option<T> {
    errors.push(AddressError::Text(error));
    None
}

fn line(field: &'static str, text: Option<&str>, errors: &mut Vec<AddressError>) -> Option<Line> {
    Line::new(field, given(text)?).map_or_else(|error| note(error, errors), Some)
}

fn lines(field: &'static str, texts: &[String], max: usize, errors: &mut Vec<AddressError>) -> Vec<Line> {
    let texts: Vec<&str> = texts.iter().filter_map(|text| given(Some(text))).collect();
    if texts.len() > max {
        errors.push(AddressError::TooManyLines { field, has: texts.len(), max });
        return Vec::new();
    }
    texts.into_iter().filter_map(|text| line(field, Some(text), errors)).collect()
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.one_line())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Address(hidden, {})", self.country)
    }
}

/// Why an address was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// A line is wrong.
    Text(TextError),
    /// More lines than fit on a label.
    TooManyLines {
        /// The field that was given.
        field: &'static str,
        /// Lines given.
        has: usize,
        /// Most lines.
        max: usize,
    },
    /// No street line.
    NoStreet,
    /// Neither town nor postal code.
    NoCity,
    /// The country is wrong.
    Country(CountryError),
}

impl AddressError {
    /// The field that is wrong, as it is called in [`AddressDraft`].
    pub fn field(&self) -> &'static str {
        match self {
            AddressError::Text(error) => error.field(),
            AddressError::TooManyLines { field, .. } => field,
            AddressError::NoStreet => "street",
            AddressError::NoCity => "city",
            AddressError::Country(_) => "country",
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressError::Text(error) => write!(out, "{error}"),
            AddressError::TooManyLines { field, has, max } => {
                write!(out, "{field} has {has} lines: give at most {max}")
            }
            AddressError::NoStreet => out.write_str("street is empty: give at least one line"),
            AddressError::NoCity => {
                out.write_str("city and postal_code are empty: give at least one of them")
            }
            AddressError::Country(error) => write!(out, "{error}"),
        }
    }
}

impl std::error::Error for AddressError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            AddressError::Text(error) => Some(error),
            AddressError::Country(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draft(street: &[&str], city: &str, region: &str, postal_code: &str, country: &str) -> AddressDraft {
        AddressDraft {
            names: vec!["Ada Lovelace".into()],
            company: None,
            street: street.iter().map(|line| line.to_string()).collect(),
            city: Some(city.into()),
            region: Some(region.into()),
            postal_code: Some(postal_code.into()),
            country: country.into(),
        }
    }

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    #[test]
    fn labels_as_each_post_expects() {
        let leeds =
            Address::new(&draft(&["Flat 2", " ", "1 High Street"], "Leeds", "", "LS1 4DY", "gb")).unwrap();
        assert_eq!(
            leeds.label(country("GB")),
            ["Ada Lovelace", "Flat 2", "1 High Street", "Leeds", "LS1 4DY"]
        );
        assert_eq!(leeds.label(country("FR")).last().unwrap(), "UNITED KINGDOM");
        assert_eq!(leeds.one_line(), "Ada Lovelace, Flat 2, 1 High Street, Leeds, LS1 4DY, United Kingdom");
        let town =
            |address: &AddressDraft| Address::new(address).unwrap().label(country("GB"))[2..].join(" | ");
        assert_eq!(town(&draft(&["Hauptstr. 5"], "Köln", "", "50667", "DE")), "50667 Köln | GERMANY");
        assert_eq!(
            town(&draft(&["5 Main St"], "Troy", "NY", "12180", "US")),
            "Troy NY 12180 | UNITED STATES"
        );
        assert_eq!(
            town(&draft(&["Rua A 5"], "Santos", "SP", "11010-000", "BR")),
            "Santos - SP | 11010-000 | BRAZIL"
        );
        assert_eq!(format!("{leeds:?}"), "Address(hidden, GB)");
    }

    #[test]
    fn right_to_left_and_emoji_are_accepted() {
        let address = Address::new(&draft(&["شارع الحمرا ١٢"], "بيروت", "", "", "LB")).unwrap();
        assert_eq!(address.street().collect::<Vec<_>>(), ["شارع الحمرا ١٢"]);
        assert!(Address::new(&draft(&["🏠 7"], "תל אביב", "", "", "IL")).is_ok());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut wrong = draft(&["a", "b", "c", "d"], "To\u{202E}wn", "", &"1".repeat(17), "UK");
        wrong.company = Some("x".repeat(101));
        let errors = Address::new(&wrong).unwrap_err();
        let fields: Vec<_> = errors.iter().map(AddressError::field).collect();
        assert_eq!(fields, ["company", "street", "city", "postal_code", "country"]);
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(said[1], "street has 4 lines: give at most 3");
        assert_eq!(said[2], "city has the control character U+202E at place 3: remove it");
        assert_eq!(said[4], "country \"UK\" is not in ISO 3166-1: write GB");
        let empty = Address::new(&draft(&[" "], " ", "", "", "GB")).unwrap_err();
        assert_eq!(empty, [AddressError::NoStreet, AddressError::NoCity]);
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_read(street in "\\PC{0,120}", city in "\\PC{0,120}", code in "\\PC{0,20}", index in 0usize..249) {
            let country = Country::all().nth(index).unwrap();
            if let Ok(address) = Address::new(&draft(&[&street], &city, "", &code, country.code())) {
                let label = address.label(country);
                prop_assert!(label.iter().all(|line| !line.trim().is_empty() && line.chars().count() <= 320));
                prop_assert!(address.street().all(|line| line == street.trim()));
            }
        }
    }
}
