//! Editing things that have a code and a version: a change is made against the version that was read, or refused.

use domain::value::{Id, Kind};
use domain::{Code, Refusal};

/// What is to be changed is still at the version that was read.
///
/// # Errors
/// [`Code::Stale`] when it is not, or when no version was given.
pub fn unchanged<K: Kind>(id: Id<K>, version: i64, read: Option<i64>) -> Result<(), Refusal> {
    match read {
        Some(read) if read == version => Ok(()),
        Some(_) => Err(stale(id)),
        None => Err(Refusal::new(Code::Stale, "give the version you read as If-Match, such as \"7\"")),
    }
}

/// The refusal of a change made against an older version.
pub fn stale<K: Kind>(id: Id<K>) -> Refusal {
    let message = format!("the {} {id} was changed meanwhile; read it again and repeat the change", K::NAME);
    Refusal::new(Code::Stale, message)
}

/// The refusal of a code that something else of this kind has.
pub fn code_taken<K: Kind>(code: &str) -> Refusal {
    Refusal::new(Code::AlreadyExists, format!("a {} \"{code}\" exists already; choose another code", K::NAME))
        .at("code")
}

/// Puts the new value in place, if there is one.
pub fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
