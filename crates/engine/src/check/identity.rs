//! Profiles that were put together belong together by what somebody said of them.

use store::{Tx, identity as rows};

use super::Difference;
use crate::Failure;

/// Whoever stands for a person is there and stands for himself, and all who are with him are tied to him or to each other. Which of what
/// was said is believed is not worked out again: new rules hold only for whoever is seen from then on.
pub fn persons(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let expected = "with whom it was said to be one person";
    let found = rows::astray(tx)?.into_iter();
    Ok(found.map(|(profile, wrong)| Difference::new("persons", profile, expected, wrong)).collect())
}
