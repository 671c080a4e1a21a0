//! Who may buy in a company's name is known to the company and to the customer, and what was bought in it is listed with it.

use store::{Tx, company};

use super::Difference;
use crate::Failure;

/// Memberships and orders of companies are found from both sides, and nobody who was erased is a member.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let expected = "members and orders that are found from both sides";
    let found = company::astray(tx)?.into_iter();
    Ok(found.map(|(company, wrong)| Difference::new("companies", company, expected, wrong)).collect())
}
