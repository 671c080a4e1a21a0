//! What belonged to a customer who was merged into another is that one's, no money or points were lost on the way, and whom sources of files
//! know under a number is found by it.

use store::{Tx, customer::record as records, loyalty, merging as rows};

use super::Difference;
use crate::Failure;

/// Nothing lies with a customer who was merged into another, and he leads to somebody by a merge that was not undone.
pub fn customers(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let expected = "everything with whom he was merged into";
    let found = rows::astray(tx)?.into_iter();
    Ok(found
        .map(|(customer, wrong)| Difference::new("merged customers", customer, expected, wrong))
        .collect())
}

/// What went from one store credit to another is all there, and who was merged has nothing that could be spent beside the other.
pub fn money(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let credits = loyalty::unequal_pools(tx)?.into_iter();
    let mut found: Vec<_> = credits
        .map(|(currency, minor)| {
            Difference::new("merged money", currency, "as much money onto store credits as from them", minor)
        })
        .collect();
    for (member, wrong) in loyalty::member::astray(tx)? {
        found.push(Difference::new("merged money", member, "points with whom he was merged into", wrong));
    }
    Ok(found)
}

/// The most differences that are told of the numbers of sources.
const TOLD_MAX: i64 = 100;

/// The number a source of files knows a customer by leads to that customer.
pub fn source_numbers(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let found = records::astray(tx, TOLD_MAX)?.into_iter();
    Ok(found
        .map(|(customer, number)| {
            Difference::new("source numbers", number, customer, "somebody else, or nobody")
        })
        .collect())
}
