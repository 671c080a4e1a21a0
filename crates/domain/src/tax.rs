//! Taxes: classes of goods that are taxed alike.

use crate::Refusal;

/// The short word a tax class goes by in files: 1 to 60 characters.
///
/// # Errors
/// The refusal names what is wrong.
pub fn class_code(text: &str) -> Result<String, Refusal> {
    bounded(text, 60)
}

/// What people call a tax class: 1 to 200 characters.
///
/// # Errors
/// The refusal names what is wrong.
pub fn class_name(text: &str) -> Result<String, Refusal> {
    bounded(text, 200)
}

fn bounded(text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > most || text.chars().any(char::is_control) {
        return Err(Refusal::invalid("text", format!("give 1 to {most} characters on one line")));
    }
    Ok(text.to_owned())
}
