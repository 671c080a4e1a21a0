//! Companies that buy: known by their numbers, with members who may buy in their name, up to a limit.

use std::collections::BTreeSet;

use crate::customer::matching::fold::fold;
use crate::value::text::bounded;
use crate::value::{Country, Currency};
use crate::{Code, Refusal, words};

/// The most members of a company.
pub const MEMBERS_MAX: i64 = 500;
/// The most companies a customer is a member of.
pub const COMPANIES_MAX: i64 = 50;
/// The most invitations of a company that can be accepted.
pub const INVITATIONS_MAX: i64 = 50;
/// How long an invitation can be accepted, in days.
pub const INVITATION_DAYS: i64 = 14;
/// The most characters of a registration number.
pub const REGISTRATION_CHARS_MAX: usize = 40;
/// The most that a limit may be, in minor units.
pub const LIMIT_MAX: i64 = 1_000_000_000_000;
/// The most words of a name a company is found by.
pub const NAME_WORDS_MAX: usize = 12;

words! {
    /// Where a company stands with the retailer.
    State {
        /// Its members buy in its name.
        Active 1 "active";
        /// Nothing is bought in its name until the retailer says so.
        Blocked 2 "blocked";
    }
}

words! {
    /// What a member does.
    Role {
        /// Buys, up to a limit.
        Buyer 1 "buyer";
        /// Buys whatever it costs.
        Approver 2 "approver";
        /// As an approver, and says who is a member.
        Administrator 3 "administrator";
    }
}

/// What a member may spend on one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Minor units.
    pub minor: i64,
    /// The currency; in another one nothing may be spent.
    pub currency: Currency,
}

impl Limit {
    /// A limit of some money.
    ///
    /// # Errors
    /// The refusal names `limit.amount`.
    pub fn new(minor: i64, currency: Currency) -> Result<Limit, Refusal> {
        if (0..=LIMIT_MAX).contains(&minor) {
            return Ok(Limit { minor, currency });
        }
        Err(Refusal::invalid("limit.amount", format!("give 0 to {LIMIT_MAX}")))
    }
}

/// May a member with this role and limit place an order of so much?
///
/// # Errors
/// [`Code::PolicyRefuses`], saying who may.
pub fn may_buy(role: Role, limit: Option<Limit>, (gross, currency): (i64, Currency)) -> Result<(), Refusal> {
    let Some(limit) = limit.filter(|_| role == Role::Buyer) else { return Ok(()) };
    if limit.currency == currency && gross <= limit.minor {
        return Ok(());
    }
    let why = format!(
        "the member may buy for at most {} minor units of {} at once, the order is {gross} of {currency}; an approver of the company can place it",
        limit.minor, limit.currency
    );
    Err(Refusal::new(Code::PolicyRefuses, why))
}

/// How VAT numbers are written, without the country before them: `9` a digit, `A` a letter, `X` either; anything else stands for itself.
const VAT_NUMBERS: &[(&str, &[&str])] = &[
    ("AT", &["U99999999"]),
    ("BE", &["0999999999", "1999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CH", &["E999999999", "E999999999MWST", "E999999999TVA", "E999999999IVA"]),
    ("CY", &["99999999A"]),
    ("CZ", &["99999999", "999999999", "9999999999"]),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    ("ES", &["X9999999X"]),
    ("FI", &["99999999"]),
    ("FR", &["XX999999999"]),
    ("GB", &["999999999", "999999999999", "GD999", "HA999"]),
    ("GR", &["999999999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9X99999A", "9999999AA"]),
    ("IT", &["99999999999"]),
    ("LT", &["999999999", "999999999999"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["999999999B99"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    ("RO", &["99", "999", "9999", "99999", "999999", "9999999", "99999999", "999999999", "9999999999"]),
    ("SE", &["999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999"]),
];

/// Checks a VAT number as its country writes it; the country's letters may stand before it. In capitals, without what stands between digits,
/// and with the country before it.
///
/// # Errors
/// The refusal names `vat_number`.
pub fn vat_number(text: &str, country: Country) -> Result<String, Refusal> {
    let text = bounded("vat_number", text, 2, REGISTRATION_CHARS_MAX);
    let text = text.map_err(|error| Refusal::invalid("vat_number", error))?;
    let plain: String = text.chars().filter(|one| !matches!(one, ' ' | '.' | '-' | '/')).collect();
    let plain = plain.to_ascii_uppercase();
    // Greece writes EL, Switzerland CHE.
    let written = if country.code() == "GR" { "EL" } else { country.code() };
    let own = plain.strip_prefix(written).or_else(|| plain.strip_prefix(country.code())).unwrap_or(&plain);
    let Some((_, forms)) = VAT_NUMBERS.iter().find(|(code, _)| *code == country.code()) else {
        if own.chars().all(|one| one.is_ascii_alphanumeric()) && (2..=20).contains(&own.len()) {
            return Ok(format!("{written}{own}"));
        }
        return Err(Refusal::invalid("vat_number", "give 2 to 20 letters and digits"));
    };
    if forms.iter().any(|form| is_written(own, form)) {
        return Ok(format!("{written}{own}"));
    }
    let forms = forms.join(" or ");
    let why = format!("{country} writes {forms} (9 is a digit, A a letter, X either)");
    Err(Refusal::invalid("vat_number", why))
}

/// The words a company's name is found by: small letters without accents, each once.
pub fn name_words(name: &str) -> BTreeSet<String> {
    let folded = fold(name);
    let words = folded.split(|one: char| !one.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(NAME_WORDS_MAX).map(str::to_owned).collect()
}

fn is_written(text: &str, form: &str) -> bool {
    let fits = |(one, form): (char, char)| match form {
        '9' => one.is_ascii_digit(),
        'A' => one.is_ascii_uppercase(),
        'X' => one.is_ascii_digit() || one.is_ascii_uppercase(),
        other => one == other,
    };
    text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
}

/// Checks a registration number: one line.
///
/// # Errors
/// The refusal names `registration_number`.
pub fn registration_number(text: &str) -> Result<String, Refusal> {
    bounded("registration_number", text, 1, REGISTRATION_CHARS_MAX)
        .map_err(|error| Refusal::invalid("registration_number", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, country: &str) -> Option<String> {
        vat_number(text, Country::parse(country).unwrap()).ok()
    }

    #[test]
    fn vat_numbers_are_as_their_country_writes_them() {
        assert_eq!(checked("de 123 456 789", "DE").as_deref(), Some("DE123456789"));
        assert_eq!(checked("123456789", "DE").as_deref(), Some("DE123456789"));
        assert_eq!(checked("ATU12345678", "AT").as_deref(), Some("ATU12345678"));
        assert_eq!(checked("NL123456789B01", "NL").as_deref(), Some("NL123456789B01"));
        assert_eq!(checked("EL123456789", "GR").as_deref(), Some("EL123456789"));
        assert_eq!(checked("CHE-123.456.789 MWST", "CH").as_deref(), Some("CHE123456789MWST"));
        assert_eq!(checked("12-3456789", "US").as_deref(), Some("US123456789"));
        for (text, country) in
            [("DE12345678", "DE"), ("FR123456789", "DE"), ("U12345678", "DE"), ("", "US"), ("12#4", "US")]
        {
            assert_eq!(checked(text, country), None, "{text} in {country}");
        }
    }

    #[test]
    fn a_name_is_found_by_its_words() {
        let words: Vec<_> = name_words("Müller & Söhne GmbH, Müller").into_iter().collect();
        assert_eq!(words, ["gmbh", "mueller", "soehne"]);
        assert!(name_words(" & ").is_empty());
        assert_eq!(name_words(&"a b c d e f g h i j k l m n".repeat(9)).len(), NAME_WORDS_MAX);
    }

    #[test]
    fn only_buyers_have_a_limit() {
        let pounds = Currency::parse("GBP").unwrap();
        let euros = Currency::parse("EUR").unwrap();
        let limit = Limit::new(10_000, pounds).ok();
        assert!(may_buy(Role::Buyer, limit, (10_000, pounds)).is_ok());
        assert_eq!(may_buy(Role::Buyer, limit, (10_001, pounds)).unwrap_err().code(), Code::PolicyRefuses);
        assert!(may_buy(Role::Buyer, limit, (1, euros)).is_err());
        assert!(may_buy(Role::Buyer, None, (i64::MAX, euros)).is_ok());
        assert!(may_buy(Role::Approver, limit, (10_001, pounds)).is_ok());
        assert!(Limit::new(-1, pounds).is_err());
    }
}
