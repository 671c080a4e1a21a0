//! Webhooks agree with the journal: every endpoint has its lanes, and none was sent what has not happened.

use store::Tx;
use store::webhook::lane;

use super::Difference;
use crate::Failure;

/// Each endpoint has one lane for each partition and one more, none of them ahead of the journal.
pub fn lanes(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let ahead = lane::astray(tx)?.into_iter().map(|(endpoint, lane, end, sequence)| {
        let place = format!("lane {lane} of {endpoint}");
        Difference::new("webhooks", place, format!("at most sequence {end}"), sequence)
    });
    let mut differences: Vec<Difference> = ahead.collect();
    let miscounted = lane::miscounted(tx)?.into_iter();
    differences.extend(miscounted.map(|(endpoint, lanes)| {
        Difference::new("webhooks", endpoint, format!("{} lanes", lane::AGAIN + 1), lanes)
    }));
    Ok(differences)
}
