//! What a customer tells beside the contact: where things go, what is preferred, what fits; and what colleagues note.

use std::collections::BTreeSet;

use crate::Refusal;
use crate::catalogue::{Wording, short_code};
use crate::contact::Card;
use crate::value::text::{bounded, lines};
use crate::words;

/// The most addresses of a customer.
pub const ADDRESSES_MAX: i64 = 50;
/// The most characters of what an address is called.
pub const LABEL_CHARS_MAX: usize = 60;
/// The most notes about a customer.
pub const NOTES_MAX: i64 = 2_000;
/// The most characters of a note.
pub const NOTE_CHARS_MAX: usize = 4_000;
/// The most things a customer prefers, sizes included.
pub const PREFERENCES_MAX: i64 = 300;
/// The most questions a retailer asks, and the most kinds of sizes.
pub const QUESTIONS_MAX: i64 = 100;
/// The most answers to a question, scales of a kind of size, and sizes of a scale.
pub const CHOICES_MAX: usize = 100;
/// The most characters of a scale, a size and a brand.
pub const SIZE_CHARS_MAX: usize = 60;

words! {
    /// What a preference is about.
    Kind {
        /// The language to be written and spoken to in.
        Language 1 "language";
        /// The store the customer likes to go to.
        Store 2 "store";
        /// The way the customer likes to be reached.
        Medium 3 "medium";
        /// The answer to a question of the retailer.
        Answer 4 "answer";
        /// A size that fits.
        Size 5 "size";
    }
}

/// Checks what an address is called: "home", "the office".
///
/// # Errors
/// The refusal names `label`.
pub fn label(text: &str) -> Result<String, Refusal> {
    bounded("label", text, 1, LABEL_CHARS_MAX).map_err(|error| Refusal::invalid("label", error))
}

/// Insists that a contact is whole enough to send something there.
///
/// # Errors
/// The refusal names `contact.street`.
pub fn can_be_sent_to(card: &Card) -> Result<(), Refusal> {
    match card.address() {
        Some(_) if !card.text().street.is_empty() => Ok(()),
        _ => Err(Refusal::invalid("contact.street", "an address needs a street, a town and a country")),
    }
}

/// Checks a note: some lines of text.
///
/// # Errors
/// The refusal names `text`.
pub fn note(text: &str) -> Result<String, Refusal> {
    let text = lines("text", text, NOTE_CHARS_MAX).map_err(|error| Refusal::invalid("text", error))?;
    if text.is_empty() {
        let why = format!("text is empty: give 1 to {NOTE_CHARS_MAX} characters");
        return Err(Refusal::invalid("text", why));
    }
    Ok(text)
}

/// What the retailer wants to know of customers, with the answers there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub wording: Wording,
    /// The short words of the answers, and what people read.
    pub answers: Vec<(String, Wording)>,
}

impl Question {
    /// A question with 1 to [`CHOICES_MAX`] answers, each named once.
    ///
    /// # Errors
    /// The refusal names every bad field.
    pub fn new(code: &str, wording: Wording, answers: Vec<(String, Wording)>) -> Result<Question, Refusal> {
        let mut bad = Vec::new();
        let code = short_code(code).map_err(|why| bad.push(Refusal::invalid("code", why)));
        if answers.is_empty() || answers.len() > CHOICES_MAX {
            bad.push(Refusal::invalid("answers", format!("give 1 to {CHOICES_MAX} answers")));
        }
        let mut known = BTreeSet::new();
        for (place, (answer, _)) in answers.iter().enumerate() {
            let field = format!("answers.{place}.code");
            if let Err(why) = short_code(answer) {
                bad.push(Refusal::invalid(field, why));
            } else if !known.insert(answer) {
                bad.push(Refusal::invalid(field, format!("the answer \"{answer}\" is named twice")));
            }
        }
        finished(bad, code.ok().map(|code| Question { code, wording, answers }))
    }

    /// Is it one of the answers?
    pub fn has(&self, answer: &str) -> bool {
        self.answers.iter().any(|(code, _)| code == answer)
    }
}

/// A scale: its name, and the sizes from the smallest up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// What it is called: "EU".
    pub name: String,
    /// The sizes it has.
    pub sizes: Vec<String>,
}

/// A kind of size, such as that of shoes, with the scales it is told in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeKind {
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub wording: Wording,
    /// The scales.
    pub scales: Vec<Scale>,
}

impl SizeKind {
    /// A kind with 1 to [`CHOICES_MAX`] scales of as many sizes, each named once.
    ///
    /// # Errors
    /// The refusal names every bad field.
    pub fn new(code: &str, wording: Wording, scales: Vec<Scale>) -> Result<SizeKind, Refusal> {
        let mut bad = Vec::new();
        let code = short_code(code).map_err(|why| bad.push(Refusal::invalid("code", why)));
        if scales.is_empty() || scales.len() > CHOICES_MAX {
            bad.push(Refusal::invalid("scales", format!("give 1 to {CHOICES_MAX} scales")));
        }
        let mut named = Vec::new();
        let mut names = BTreeSet::new();
        for (place, scale) in scales.into_iter().enumerate() {
            let name = bounded("name", &scale.name, 1, SIZE_CHARS_MAX);
            let name =
                name.map_err(|why| bad.push(Refusal::invalid(format!("scales.{place}.name"), why))).ok();
            if let Some(name) = &name
                && !names.insert(name.clone())
            {
                let why = format!("the scale \"{name}\" is named twice");
                bad.push(Refusal::invalid(format!("scales.{place}.name"), why));
            }
            let sizes = sizes(place, &scale.sizes, &mut bad);
            named.extend(name.map(|name| Scale { name, sizes }));
        }
        finished(bad, code.ok().map(|code| SizeKind { code, wording, scales: named }))
    }

    /// Is it a size of one of the scales?
    pub fn has(&self, scale: &str, size: &str) -> bool {
        let known = self.scales.iter().find(|one| one.name == scale);
        known.is_some_and(|one| one.sizes.iter().any(|known| known == size))
    }
}

fn sizes(place: usize, given: &[String], bad: &mut Vec<Refusal>) -> Vec<String> {
    let mut checked = Vec::new();
    if given.is_empty() || given.len() > CHOICES_MAX {
        let why = format!("give 1 to {CHOICES_MAX} sizes");
        bad.push(Refusal::invalid(format!("scales.{place}.sizes"), why));
        return checked;
    }
    for (number, size) in given.iter().enumerate() {
        let field = format!("scales.{place}.sizes.{number}");
        match bounded("size", size, 1, SIZE_CHARS_MAX) {
            Ok(size) if checked.contains(&size) => {
                bad.push(Refusal::invalid(field, format!("the size \"{size}\" is named twice")));
            }
            Ok(size) => checked.push(size),
            Err(why) => bad.push(Refusal::invalid(field, why)),
        }
    }
    checked
}

/// Checks the brand a size is of; empty for every brand.
///
/// # Errors
/// The refusal names `brand`.
pub fn brand(text: Option<&str>) -> Result<String, Refusal> {
    let Some(text) = text else { return Ok(String::new()) };
    bounded("brand", text, 1, SIZE_CHARS_MAX).map_err(|error| Refusal::invalid("brand", error))
}

fn finished<T>(bad: Vec<Refusal>, value: Option<T>) -> Result<T, Refusal> {
    match (Refusal::all(bad), value) {
        (None, Some(value)) => Ok(value),
        (Some(refusal), _) => Err(refusal),
        (None, None) => Err(Refusal::invalid("code", "cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Draft;

    fn wording() -> Wording {
        Wording::stored("Shoes".into(), Vec::new())
    }

    fn scale(name: &str, sizes: &[&str]) -> Scale {
        Scale { name: name.into(), sizes: sizes.iter().map(|size| (*size).to_owned()).collect() }
    }

    #[test]
    fn a_size_is_of_its_scale() {
        let shoes =
            SizeKind::new("shoe", wording(), vec![scale(" EU ", &["38", "39"]), scale("UK", &["5.5"])]);
        let shoes = shoes.unwrap();
        assert!(shoes.has("EU", "39") && shoes.has("UK", "5.5"));
        assert!(!shoes.has("UK", "39") && !shoes.has("US", "39"));
    }

    #[test]
    fn every_bad_field_is_named() {
        let refusal = SizeKind::new("Shoe", wording(), vec![scale("EU", &["38", "38"]), scale("EU", &[])]);
        let refusal = refusal.unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["code", "scales.0.sizes.1", "scales.1.name", "scales.1.sizes"]);
        let twice = vec![("slim".to_owned(), wording()), ("slim".to_owned(), wording())];
        assert_eq!(Question::new("fit", wording(), twice).unwrap_err().field(), Some("answers.1.code"));
        assert_eq!(Question::new("fit", wording(), Vec::new()).unwrap_err().field(), Some("answers"));
    }

    #[test]
    fn a_note_has_lines_and_an_address_a_street() {
        assert_eq!(note(" likes tea\nand mugs ").unwrap(), "likes tea\nand mugs");
        assert_eq!(note(" \n ").unwrap_err().field(), Some("text"));
        assert!(note(&"x".repeat(NOTE_CHARS_MAX + 1)).is_err());
        let named = Draft { name: Some("Ada".into()), country: Some("GB".into()), ..Draft::default() };
        let refusal = can_be_sent_to(&Card::new(&named).unwrap()).unwrap_err();
        assert_eq!(refusal.field(), Some("contact.street"));
        assert_eq!(brand(None).unwrap(), "");
        assert!(brand(Some(" ")).is_err() && label("").is_err());
    }
}
