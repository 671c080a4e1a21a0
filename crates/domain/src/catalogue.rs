//! What is sold: products with their variants, barcodes, attributes, categories and kits, and what must be true of them.

use std::collections::BTreeSet;
use std::fmt;

use crate::refusal::{Code, Refusal};
use crate::value::id::Variant;
use crate::value::text::{TextError, bounded, is_deceptive, lines};
use crate::value::{Gtin, Id, Language, Quantity};
use crate::words;

pub mod attribute;
pub mod label;
pub mod tree;

pub use attribute::{Attribute, Given};
pub use label::Layout;

/// Most characters of a title.
pub const TITLE_CHARS_MAX: usize = 255;
/// Most characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 20_000;
/// Most characters of a SKU, and of an internal barcode.
pub const SKU_CHARS_MAX: usize = 64;
/// Most options of a product, such as colour and size.
pub const OPTIONS_MAX: usize = 5;
/// Most values of an option.
pub const OPTION_VALUES_MAX: usize = 200;
/// Most variants of a product.
pub const VARIANTS_MAX: usize = 1_000;
/// Most barcodes of a variant.
pub const BARCODES_MAX: usize = 20;
/// Most components of a kit.
pub const COMPONENTS_MAX: usize = 50;
/// Most pictures, films and documents of a product.
pub const MEDIA_MAX: usize = 100;
/// Most categories a product is in.
pub const CATEGORIES_MAX: usize = 100;
/// The heaviest a piece may be, in grams: a hundred tonnes.
pub const WEIGHT_GRAMS_MAX: i64 = 100_000_000;
/// Most characters of an address of a medium.
const ADDRESS_CHARS_MAX: usize = 2_000;

words! {
    /// Whether a product is on sale.
    Status {
        /// Being prepared; nobody can buy it.
        Draft 1 "draft";
        /// On sale.
        Active 2 "active";
        /// No longer sold; stays readable for old orders.
        Archived 3 "archived";
    }
}

words! {
    /// What a medium is.
    MediaKind {
        /// A picture.
        Image 1 "image";
        /// A film.
        Video 2 "video";
        /// A thing to turn and look at from all sides.
        Model 3 "model";
        /// A paper: instructions, a data sheet.
        Document 4 "document";
    }
}

/// A text in the shop's own language and in others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    text: String,
    translations: Vec<(Language, String)>,
}

impl Wording {
    /// A title: one line of 1 to [`TITLE_CHARS_MAX`] characters in each language.
    ///
    /// # Errors
    /// [`Refusal`] that names the language at fault.
    pub fn title(text: &str, translations: &[(Language, String)]) -> Result<Wording, Refusal> {
        Wording::checked(text, translations, |text| bounded("text", text, 1, TITLE_CHARS_MAX))
    }

    /// A description: up to [`DESCRIPTION_CHARS_MAX`] characters of any number of lines in each language.
    ///
    /// # Errors
    /// As [`Wording::title`].
    pub fn description(text: &str, translations: &[(Language, String)]) -> Result<Wording, Refusal> {
        Wording::checked(text, translations, |text| lines("text", text, DESCRIPTION_CHARS_MAX))
    }

    fn checked(
        text: &str,
        translations: &[(Language, String)],
        check: impl Fn(&str) -> Result<String, TextError>,
    ) -> Result<Wording, Refusal> {
        let text = check(text).map_err(|error| Refusal::invalid("text", error))?;
        let mut others: Vec<(Language, String)> = Vec::new();
        for (language, translation) in translations {
            let field = format!("translations.{language}");
            if others.iter().any(|(known, _)| known == language) {
                return Err(Refusal::invalid(field, "the language is named twice"));
            }
            others.push((*language, check(translation).map_err(|error| Refusal::invalid(field, error))?));
        }
        Ok(Wording { text, translations: others })
    }

    /// A text without translations that was checked before, such as one read from the books.
    pub fn stored(text: String, translations: Vec<(Language, String)>) -> Wording {
        Wording { text, translations }
    }

    /// The text in the shop's own language.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in other languages.
    pub fn translations(&self) -> &[(Language, String)] {
        &self.translations
    }

    /// The text for a reader: in that language and country, else in the language, else in the shop's own.
    pub fn in_language(&self, language: Language) -> &str {
        let find = |wanted: Language| self.translations.iter().find(|(known, _)| *known == wanted);
        find(language).or_else(|| find(language.general())).map_or(&self.text, |(_, text)| text)
    }
}

/// A code the retailer chose: a SKU, an internal barcode. 1 to [`SKU_CHARS_MAX`] characters; capitals matter.
///
/// # Errors
/// What is wrong with it.
pub fn sku(text: &str) -> Result<String, TextError> {
    bounded("code", text, 1, SKU_CHARS_MAX)
}

/// The short word a category tree, an attribute or a price list goes by in files: lower-case letters, digits, `_` and `-`, at most 60.
///
/// # Errors
/// What is wrong with it.
pub fn short_code(text: &str) -> Result<String, String> {
    let fits = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '_' | '-');
    if text.is_empty() || text.len() > 60 || !text.chars().all(fits) {
        return Err("give 1 to 60 lower-case letters, digits, \"_\" or \"-\"".into());
    }
    Ok(text.to_owned())
}

/// Where a medium lies: an address that begins with `http://` or `https://`, nothing that could run or read something.
///
/// # Errors
/// What is wrong with it.
pub fn media_address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let ugly = |character: char| {
        is_deceptive(character) || character.is_whitespace() || matches!(character, '"' | '<' | '>' | '\\')
    };
    if text.chars().count() > ADDRESS_CHARS_MAX || text.chars().any(ugly) || host.is_none_or(str::is_empty) {
        return Err(format!(
            "give an address that begins with https:// or http://, without spaces, of at most {ADDRESS_CHARS_MAX} characters"
        ));
    }
    Ok(text.to_owned())
}

/// What a scanner reads from a variant's label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barcode {
    /// The world's number.
    Gtin(Gtin),
    /// The retailer's own code.
    Internal(String),
}

impl Barcode {
    /// A GTIN with right check digit.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn gtin(text: &str) -> Result<Barcode, String> {
        Gtin::parse(text).map(Barcode::Gtin).map_err(|error| {
            format!("{error}; a code of the shop's own is given with \"kind\": \"internal\"")
        })
    }

    /// A code of the shop's own. One that happens to be a right GTIN is taken as that.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn internal(text: &str) -> Result<Barcode, TextError> {
        match Gtin::parse(text) {
            Ok(gtin) => Ok(Barcode::Gtin(gtin)),
            Err(_) => sku(text).map(Barcode::Internal),
        }
    }

    /// What a scanner may have read: anything.
    ///
    /// # Errors
    /// [`TextError`] when it is empty or too long.
    pub fn scanned(text: &str) -> Result<Barcode, TextError> {
        Barcode::internal(text)
    }

    /// What it is found by: the 14 digits of a GTIN, so that 12 and 13 digits of the same number meet; else the code.
    pub fn key(&self) -> String {
        match self {
            Barcode::Gtin(gtin) => gtin.canonical_text(),
            Barcode::Internal(code) => code.clone(),
        }
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Barcode::Gtin(gtin) => gtin.fmt(out),
            Barcode::Internal(code) => out.write_str(code),
        }
    }
}

/// What tells a product's variants apart, such as size: its name and values, in the order they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called.
    pub name: String,
    /// Its values.
    pub values: Vec<String>,
}

/// Checks a product's options: names and values are single lines and no two are alike.
///
/// # Errors
/// The refusal names the option at fault.
pub fn options(given: &[Choice]) -> Result<Vec<Choice>, Refusal> {
    if given.len() > OPTIONS_MAX {
        return Err(Refusal::invalid(
            "options",
            format!("{} options are given; at most {OPTIONS_MAX}", given.len()),
        ));
    }
    let mut names = BTreeSet::new();
    let mut checked = Vec::with_capacity(given.len());
    for (place, choice) in given.iter().enumerate() {
        let at = |part: &str, message: &dyn fmt::Display| {
            Refusal::invalid(format!("options.{place}.{part}"), message)
        };
        let name = bounded("name", &choice.name, 1, 60).map_err(|error| at("name", &error))?;
        if !names.insert(name.clone()) {
            return Err(at("name", &format!("the option \"{name}\" is named twice")));
        }
        if choice.values.is_empty() || choice.values.len() > OPTION_VALUES_MAX {
            return Err(at("values", &format!("give 1 to {OPTION_VALUES_MAX} values")));
        }
        let mut values = Vec::with_capacity(choice.values.len());
        for value in &choice.values {
            let value = bounded("value", value, 1, 60).map_err(|error| at("values", &error))?;
            if values.contains(&value) {
                return Err(at("values", &format!("the value \"{value}\" is named twice")));
            }
            values.push(value);
        }
        checked.push(Choice { name, values });
    }
    Ok(checked)
}

/// Checks that a variant names one value of each option, in the options' order, and is not the same as another variant.
///
/// # Errors
/// The refusal says which value is missing, unknown or taken.
pub fn combination(options: &[Choice], values: &[String], others: &[Vec<String>]) -> Result<(), Refusal> {
    if options.len() != values.len() {
        let names: Vec<&str> = options.iter().map(|choice| choice.name.as_str()).collect();
        let wanted =
            if names.is_empty() { "none: the product has no options".to_owned() } else { names.join(", ") };
        return Err(Refusal::invalid("options", format!("give one value for each option: {wanted}")));
    }
    for (choice, value) in options.iter().zip(values) {
        if !choice.values.contains(value) {
            let message = format!("\"{value}\" is no value of the option \"{}\"", choice.name);
            return Err(Refusal::invalid("options", message));
        }
    }
    if others.iter().any(|other| other == values) {
        let message = if values.is_empty() {
            "a product without options has one variant".to_owned()
        } else {
            format!("another variant is {} already", values.join(", "))
        };
        return Err(Refusal::new(Code::AlreadyExists, message).at("options"));
    }
    Ok(())
}

/// What a variant is called: the product's title, then its own option values.
pub fn variant_title(product: &str, values: &[String]) -> String {
    if values.is_empty() { product.to_owned() } else { format!("{product}, {}", values.join(", ")) }
}

/// One part of a kit, with what must be known to judge it.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The component.
    pub variant: Id<Variant>,
    /// Base units of it in one kit.
    pub quantity: i64,
    /// Is it a kit itself?
    pub is_kit: bool,
}

/// Checks what a kit is made of: 1 to [`COMPONENTS_MAX`] other variants, none twice, none a kit, each at least once.
///
/// # Errors
/// The refusal names the component at fault.
pub fn kit(own: Id<Variant>, parts: &[Part]) -> Result<(), Refusal> {
    if parts.is_empty() || parts.len() > COMPONENTS_MAX {
        return Err(Refusal::invalid("components", format!("give 1 to {COMPONENTS_MAX} components")));
    }
    let mut seen = BTreeSet::new();
    for (place, part) in parts.iter().enumerate() {
        let variant = format!("components.{place}.variant");
        if part.variant == own {
            return Err(Refusal::invalid(variant, "a kit cannot contain itself"));
        }
        if part.is_kit {
            return Err(Refusal::invalid(variant, "a kit cannot contain a kit; name what is in it"));
        }
        if !seen.insert(part.variant) {
            return Err(Refusal::invalid(variant, "the component is named twice; add up its quantity"));
        }
        Quantity::new(part.quantity)
            .map_err(|error| Refusal::invalid(format!("components.{place}.quantity"), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choice(name: &str, values: &[&str]) -> Choice {
        Choice { name: name.into(), values: values.iter().map(|value| (*value).into()).collect() }
    }

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).into()).collect()
    }

    #[test]
    fn a_variant_is_one_value_of_each_option_and_unlike_the_others() {
        let options = options(&[choice("colour", &["red", "blue"]), choice("size", &["S", "M"])]).unwrap();
        let others = [texts(&["red", "S"])];
        let said = |values: &[&str]| combination(&options, &texts(values), &others).unwrap_err().to_string();
        assert!(combination(&options, &texts(&["red", "M"]), &others).is_ok());
        assert_eq!(said(&["red"]), "invalid: options: give one value for each option: colour, size");
        assert_eq!(said(&["red", "XL"]), "invalid: options: \"XL\" is no value of the option \"size\"");
        assert_eq!(said(&["red", "S"]), "already_exists: options: another variant is red, S already");
        assert!(combination(&[], &[], &[]).is_ok() && combination(&[], &[], &[vec![]]).is_err());
    }

    #[test]
    fn options_are_not_named_twice() {
        assert!(options(&[choice("size", &["S"]), choice("size", &["M"])]).is_err());
        assert!(options(&[choice("size", &["S", " S "])]).is_err());
        assert!(options(&[choice("size", &[])]).is_err());
    }

    #[test]
    fn twelve_and_thirteen_digits_are_one_barcode() {
        let (short, long) =
            (Barcode::gtin("036000291452").unwrap(), Barcode::scanned("0036000291452").unwrap());
        assert_eq!(short.key(), long.key());
        assert!(Barcode::gtin("036000291453").is_err());
        assert_eq!(Barcode::internal("036000291453").unwrap().key(), "036000291453");
    }

    #[test]
    fn only_web_addresses_are_media() {
        assert!(media_address("https://img.example/a.jpg").is_ok());
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "ftp://a/b",
            "https://a b/c",
            "//a/b",
            "http:///x",
        ] {
            assert!(media_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_kit_is_made_of_other_plain_variants() {
        let [own, a, b] = [1, 2, 3].map(|byte| Id::from_bytes([byte; 16]));
        let part = |variant, quantity, is_kit| Part { variant, quantity, is_kit };
        assert!(kit(own, &[part(a, 2, false), part(b, 1, false)]).is_ok());
        let bad: [&[Part]; 5] = [
            &[],
            &[part(own, 1, false)],
            &[part(a, 1, true)],
            &[part(a, 1, false), part(a, 2, false)],
            &[part(a, 0, false)],
        ];
        assert!(bad.iter().all(|parts| kit(own, parts).is_err()));
    }

    #[test]
    fn the_readers_language_then_the_general_one_then_the_shops() {
        let [austrian, german, french] = ["de-AT", "de", "fr"].map(|tag| Language::parse(tag).unwrap());
        let title = Wording::title("Potato", &[(german, "Kartoffel".into())]).unwrap();
        assert_eq!(
            [austrian, german, french].map(|language| title.in_language(language)),
            ["Kartoffel", "Kartoffel", "Potato"]
        );
        assert!(Wording::title("Potato", &[(german, "a".into()), (german, "b".into())]).is_err());
    }

    proptest! {
        #[test]
        fn a_barcode_is_found_by_what_was_given(text in "[0-9A-Z-]{1,20}") {
            let given = Barcode::internal(&text).unwrap();
            prop_assert_eq!(Barcode::scanned(&given.to_string()).unwrap().key(), given.key());
        }
    }
}
