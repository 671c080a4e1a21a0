//! What becomes of a pair that may be one person.

use super::model::Band;
use crate::words;

words! {
    /// What was decided of a pair.
    ReviewState {
        /// Nothing yet: a colleague looks.
        Open 1 "open";
        /// They are one person, and were merged.
        Accepted 2 "accepted";
        /// They are two; nobody is asked again.
        Rejected 3 "rejected";
        /// A contact changed and they are not alike any more; should they be again, somebody is asked.
        Withdrawn 4 "withdrawn";
    }
}

impl ReviewState {
    /// Did somebody decide, so that nobody is asked again?
    pub const fn is_decided(self) -> bool {
        matches!(self, ReviewState::Accepted | ReviewState::Rejected)
    }
}

words! {
    /// Why a pair that needs no look was not joined at once.
    Held {
        /// The contact of one of them is what the customer wrote of himself, which nobody checked.
        OwnWord 1 "own_word";
        /// They could not be merged.
        Refused 2 "refused";
    }
}

words! {
    /// How a pair was found.
    Found {
        /// Their contacts are alike.
        Alike 1 "alike";
        /// A trusted source says that a key of the one is also the other's.
        Key 2 "key";
    }
}

impl Band {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Band::None => "none",
            Band::Review => "review",
            Band::Automatic => "automatic",
        }
    }
}

/// The number a band is kept under.
pub const fn band_code(band: Band) -> i64 {
    match band {
        Band::None => 1,
        Band::Review => 2,
        Band::Automatic => 3,
    }
}

/// The band that is kept under a number.
pub const fn band_coded(code: i64) -> Option<Band> {
    match code {
        1 => Some(Band::None),
        2 => Some(Band::Review),
        3 => Some(Band::Automatic),
        _ => None,
    }
}
