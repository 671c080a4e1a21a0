//! Attributes: what the retailer wants to know of each product or variant, such as material or voltage, with a kind that is checked.

use crate::refusal::Refusal;
use crate::value::LocalDay;
use crate::value::text::bounded;
use crate::words;

/// Most characters of a text value.
const TEXT_CHARS_MAX: usize = 5_000;
/// Most choices of a list.
pub const CHOICES_MAX: usize = 500;
/// Most digits behind the point of a decimal.
pub const EXPONENT_MAX: i64 = 9;
/// Most attributes one product or variant has values for.
pub const VALUES_MAX: usize = 200;

words! {
    /// What values an attribute takes.
    AttributeKind {
        /// Any text.
        Text 1 "text";
        /// A whole number.
        Whole 2 "whole";
        /// A number with a fixed count of digits behind the point, kept exactly.
        Decimal 3 "decimal";
        /// Yes or no.
        YesNo 4 "yes_no";
        /// One of a list of words.
        Choice 5 "choice";
        /// A day of the calendar.
        Date 6 "date";
        /// Another product, by its id.
        Reference 7 "reference";
    }
}

words! {
    /// What an attribute describes.
    AttributeScope {
        /// The product as a whole.
        Product 1 "product";
        /// Each variant.
        Variant 2 "variant";
    }
}

/// What the retailer wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The short word it goes by; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What values it takes.
    pub kind: AttributeKind,
    /// What it describes.
    pub scope: AttributeScope,
    /// The words to choose from, for [`AttributeKind::Choice`]; else none.
    pub choices: Vec<String>,
    /// Digits behind the point, for [`AttributeKind::Decimal`]; else 0.
    pub exponent: i64,
}

/// A value as it comes from a file or a request, and as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A text, a decimal written out, a choice, a day or an id.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Yes or no.
    Yes(bool),
}

impl Attribute {
    /// Checks the definition: a choice has words to choose from and nothing else has; only decimals have an exponent.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn checked(self) -> Result<Attribute, Refusal> {
        let is_choice = self.kind == AttributeKind::Choice;
        if is_choice == self.choices.is_empty() {
            return Err(Refusal::invalid("choices", "give choices for the kind \"choice\", and only for it"));
        }
        if self.choices.len() > CHOICES_MAX {
            return Err(Refusal::invalid("choices", format!("give at most {CHOICES_MAX} choices")));
        }
        let mut choices = Vec::with_capacity(self.choices.len());
        for (place, choice) in self.choices.iter().enumerate() {
            let field = || format!("choices.{place}");
            let choice =
                bounded("choice", choice, 1, 100).map_err(|error| Refusal::invalid(field(), error))?;
            if choices.contains(&choice) {
                return Err(Refusal::invalid(field(), "the choice is named twice"));
            }
            choices.push(choice);
        }
        let exponents = if self.kind == AttributeKind::Decimal { 1..=EXPONENT_MAX } else { 0..=0 };
        if !exponents.contains(&self.exponent) {
            return Err(Refusal::invalid(
                "exponent",
                format!(
                    "give 1 to {EXPONENT_MAX} digits behind the point for the kind \"decimal\", and only for it"
                ),
            ));
        }
        Ok(Attribute { choices, ..self })
    }

    /// The value in the form in which it is kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, given: &Given) -> Result<Given, String> {
        let text = |text: String| Ok(Given::Text(text));
        match (self.kind, given) {
            (AttributeKind::Text, Given::Text(given)) => {
                text(bounded("value", given, 1, TEXT_CHARS_MAX).map_err(|error| error.to_string())?)
            }
            (AttributeKind::Whole, Given::Whole(number)) => Ok(Given::Whole(*number)),
            (AttributeKind::Decimal, Given::Whole(number)) => {
                text(decimal(&number.to_string(), self.exponent)?)
            }
            (AttributeKind::Decimal, Given::Text(given)) => text(decimal(given, self.exponent)?),
            (AttributeKind::YesNo, Given::Yes(yes)) => Ok(Given::Yes(*yes)),
            (AttributeKind::Choice, Given::Text(given)) => match self.choices.contains(given) {
                true => text(given.clone()),
                false => Err(format!("\"{}\" is none of: {}", shortened(given), self.choices.join(", "))),
            },
            (AttributeKind::Date, Given::Text(given)) => {
                LocalDay::parse(given).map_err(|error| error.to_string())?;
                text(given.trim().to_owned())
            }
            (AttributeKind::Reference, Given::Text(given)) => text(given.trim().to_owned()),
            (kind, _) => Err(match kind {
                AttributeKind::Whole => "give a whole number",
                AttributeKind::YesNo => "give true or false",
                AttributeKind::Decimal => "give the number as a text, such as \"12.50\"",
                _ => "give a text",
            }
            .into()),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

/// A decimal with just as many digits behind the point as the attribute has: `12.5` becomes `12.50`.
fn decimal(text: &str, exponent: i64) -> Result<String, String> {
    let places = usize::try_from(exponent).unwrap_or(0);
    let refused =
        || format!("give a number such as \"12.5\" with at most {exponent} digits behind the point");
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let ends_well = !digits.ends_with('.');
    if whole.is_empty()
        || whole.len() > 9
        || part.len() > places
        || !ends_well
        || !all_digits(whole)
        || !all_digits(part)
    {
        return Err(refused());
    }
    let whole: i64 = whole.parse().map_err(|_| refused())?;
    let is_zero = whole == 0 && part.bytes().all(|digit| digit == b'0');
    Ok(format!("{}{whole}.{part:0<places$}", if is_zero { "" } else { sign }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: AttributeKind, choices: &[&str], exponent: i64) -> Attribute {
        let choices = choices.iter().map(|choice| (*choice).into()).collect();
        let (code, name, scope) = ("a".into(), "A".into(), AttributeScope::Product);
        Attribute { code, name, kind, scope, choices, exponent }
    }

    #[test]
    fn each_kind_takes_its_own_values() {
        let wood = Given::Text("wood".into());
        let length = attribute(AttributeKind::Decimal, &[], 2).checked().unwrap();
        let of = |text: &str| length.read(&Given::Text(text.into()));
        assert_eq!(of("12.5"), Ok(Given::Text("12.50".into())));
        assert_eq!(of("-0.0"), Ok(Given::Text("0.00".into())));
        assert_eq!(length.read(&Given::Whole(3)), Ok(Given::Text("3.00".into())));
        for bad in ["12.505", "1e3", "", ".5", "5.", "1,5", "--1", "1.-5"] {
            assert!(of(bad).is_err(), "{bad}");
        }
        let material = attribute(AttributeKind::Choice, &["wood", "steel"], 0).checked().unwrap();
        assert_eq!(material.read(&wood), Ok(wood.clone()));
        assert_eq!(material.read(&Given::Text("air".into())).unwrap_err(), "\"air\" is none of: wood, steel");
        let whole = attribute(AttributeKind::Whole, &[], 0).checked().unwrap();
        assert_eq!(whole.read(&wood).unwrap_err(), "give a whole number");
        let day = attribute(AttributeKind::Date, &[], 0).checked().unwrap();
        assert!(day.read(&Given::Text("2026-02-30".into())).is_err());
        assert!(day.read(&Given::Text("2026-02-28".into())).is_ok());
        let yes = attribute(AttributeKind::YesNo, &[], 0).checked().unwrap();
        assert_eq!(yes.read(&Given::Yes(true)), Ok(Given::Yes(true)));
    }

    #[test]
    fn definitions_are_checked() {
        assert!(attribute(AttributeKind::Choice, &[], 0).checked().is_err());
        assert!(attribute(AttributeKind::Text, &["a"], 0).checked().is_err());
        assert!(attribute(AttributeKind::Decimal, &[], 0).checked().is_err());
        assert!(attribute(AttributeKind::Whole, &[], 1).checked().is_err());
        assert!(attribute(AttributeKind::Choice, &["a", "a"], 0).checked().is_err());
    }
}
