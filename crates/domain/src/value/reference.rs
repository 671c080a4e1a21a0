//! References: a thing may be named by its id or by the id its owner's other systems know it by.

use super::{Id, Kind};

/// The most characters an external id may have.
pub const EXTERNAL_ID_LENGTH_MAX: usize = 200;

/// A thing named by its id, or by the external id the retailer gave it.
#[derive(Debug)]
pub enum Reference<K: Kind> {
    /// Its own id.
    Id(Id<K>),
    /// The retailer's.
    External(String),
}

impl<K: Kind> Clone for Reference<K> {
    fn clone(&self) -> Reference<K> {
        match self {
            Reference::Id(id) => Reference::Id(*id),
            Reference::External(text) => Reference::External(text.clone()),
        }
    }
}

impl<K: Kind> Reference<K> {
    /// Reads a reference: what has the form of an id of this kind is one, everything else is an external id.
    pub fn read(text: &str) -> Reference<K> {
        Id::parse(text).map_or_else(|_| Reference::External(text.to_owned()), Reference::Id)
    }
}

/// Checks an external id to be given: 1 to 200 visible characters, and not of the form of one of our own ids.
///
/// # Errors
/// What is wrong with it.
pub fn external_id<K: Kind>(text: &str) -> Result<String, String> {
    let text = text.trim();
    if !can_be_external(text) {
        return Err(format!("give 1 to {EXTERNAL_ID_LENGTH_MAX} visible characters"));
    }
    if Id::<K>::parse(text).is_ok() {
        return Err("an external id must not look like one of our own ids".into());
    }
    Ok(text.to_owned())
}

/// Whether a text can be an external id by its length and characters.
pub fn can_be_external(text: &str) -> bool {
    let length = text.chars().count();
    length > 0 && length <= EXTERNAL_ID_LENGTH_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::id::Order;

    #[test]
    fn ids_and_external_ids_are_told_apart() {
        let id: Id<Order> = Id::from_bytes([1; 16]);
        assert!(matches!(Reference::<Order>::read(&id.to_string()), Reference::Id(found) if found == id));
        assert!(
            matches!(Reference::<Order>::read("WEB-1001"), Reference::External(text) if text == "WEB-1001")
        );
        assert!(external_id::<Order>(&id.to_string()).is_err());
        assert!(external_id::<Order>("  ").is_err());
    }
}
