//! How the catalogue's documents lie in the books: wordings, options, attribute values, codes, as JSON.

use domain::catalogue::{Barcode, Choice, Given, Wording};
use domain::value::Language;
use serde_json::{Map, Value, json};

use crate::StoreError;

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("the catalogue's {what} cannot be read"))
}

fn read(text: &str, what: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(what))
}

/// `{"": "Cup", "de": "Tasse"}`: the shop's own language has no name.
pub(crate) fn of_wording(wording: &Wording) -> String {
    let own = (String::new(), Value::from(wording.text()));
    let others =
        wording.translations().iter().map(|(language, text)| (language.to_string(), text.as_str().into()));
    Value::Object(std::iter::once(own).chain(others).collect()).to_string()
}

pub(crate) fn wording(text: &str) -> Result<Wording, StoreError> {
    let Value::Object(object) = read(text, "wording")? else { return Err(corrupt("wording")) };
    let (mut own, mut translations) = (String::new(), Vec::new());
    for (tag, text) in object {
        let Value::String(text) = text else { return Err(corrupt("wording")) };
        if tag.is_empty() {
            own = text;
        } else {
            translations.push((Language::parse(&tag).map_err(|_| corrupt("language"))?, text));
        }
    }
    Ok(Wording::stored(own, translations))
}

pub(super) fn of_texts(texts: &[String]) -> String {
    json!(texts).to_string()
}

pub(super) fn texts(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt("list"))
}

pub(super) fn of_barcodes(barcodes: &[Barcode]) -> String {
    of_texts(&barcodes.iter().map(ToString::to_string).collect::<Vec<_>>())
}

pub(super) fn barcodes(text: &str) -> Result<Vec<Barcode>, StoreError> {
    texts(text)?.iter().map(|code| Barcode::internal(code).map_err(|_| corrupt("barcode"))).collect()
}

pub(super) fn of_choices(choices: &[Choice]) -> String {
    Value::from_iter(choices.iter().map(|choice| json!([choice.name, choice.values]))).to_string()
}

pub(super) fn choices(text: &str) -> Result<Vec<Choice>, StoreError> {
    let pairs: Vec<(String, Vec<String>)> = serde_json::from_str(text).map_err(|_| corrupt("options"))?;
    Ok(pairs.into_iter().map(|(name, values)| Choice { name, values }).collect())
}

pub(super) fn of_values(values: &[(String, Given)]) -> String {
    let value = |given: &Given| match given {
        Given::Text(text) => Value::from(text.as_str()),
        Given::Whole(number) => Value::from(*number),
        Given::Yes(yes) => Value::from(*yes),
    };
    let object: Map<String, Value> =
        values.iter().map(|(code, given)| (code.clone(), value(given))).collect();
    Value::Object(object).to_string()
}

pub(super) fn values(text: &str) -> Result<Vec<(String, Given)>, StoreError> {
    let Value::Object(object) = read(text, "attributes")? else { return Err(corrupt("attributes")) };
    let given = |value: Value| match value {
        Value::String(text) => Ok(Given::Text(text)),
        Value::Bool(yes) => Ok(Given::Yes(yes)),
        Value::Number(number) => number.as_i64().map(Given::Whole).ok_or_else(|| corrupt("attributes")),
        _ => Err(corrupt("attributes")),
    };
    object.into_iter().map(|(code, value)| Ok((code, given(value)?))).collect()
}
