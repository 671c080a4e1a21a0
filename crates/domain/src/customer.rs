//! Customers: the person who buys, and the groups a retailer puts customers into.

pub mod matching;

use crate::Refusal;
use crate::value::text::bounded;

/// The most groups a customer belongs to.
pub const GROUPS_MAX: usize = 20;
/// The most characters of a group's label.
pub const GROUP_CHARS_MAX: usize = 60;
/// The group of customers who work for the retailer.
pub const COLLEAGUES: &str = "colleagues";

/// Checks the labels of a customer's groups; the first one decides which prices apply. A label given twice counts once.
///
/// # Errors
/// The refusal names the field `groups` and what is wrong.
pub fn groups(labels: &[String]) -> Result<Vec<String>, Refusal> {
    if labels.len() > GROUPS_MAX {
        return Err(Refusal::invalid("groups", format!("give at most {GROUPS_MAX} groups")));
    }
    let mut checked: Vec<String> = Vec::new();
    for (place, label) in labels.iter().enumerate() {
        let label = bounded("group", label, 1, GROUP_CHARS_MAX)
            .map_err(|error| Refusal::invalid(format!("groups.{place}"), error))?;
        if !checked.contains(&label) {
            checked.push(label);
        }
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_trimmed_and_count_once() {
        let labels =
            |texts: &[&str]| groups(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(labels(&[" trade", "staff", "trade"]).unwrap(), ["trade", "staff"]);
        assert_eq!(labels(&["trade", " "]).unwrap_err().field(), Some("groups.1"));
        assert_eq!(labels(&["a"; GROUPS_MAX + 1]).unwrap_err().field(), Some("groups"));
    }
}
