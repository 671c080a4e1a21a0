//! Changes of orders agree with the orders: what was confirmed is there, and what is kept for open ones is exactly what they need.

use std::collections::BTreeMap;

use domain::ledger::HoldState;
use store::{Tx, change as rows};

use super::Difference;
use crate::Failure;

/// What confirmed changes put in is in their orders, what they took out is cancelled there, and orders name their open change.
pub fn done(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let undone = rows::undone(tx)?.into_iter().map(|(order, line, units)| {
        let place = format!("{order}, line {line}");
        Difference::new(
            "changes",
            place,
            format!("{units} units by its confirmed changes"),
            "another quantity",
        )
    });
    let lost = rows::lost(tx)?
        .into_iter()
        .map(|order| Difference::new("changes", order, "the change that is open", "another one or none"));
    Ok(undone.chain(lost).collect())
}

/// What live holds keep for changes is what the open changes need, less what a count found lost meanwhile.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for (change, variant, quantity) in rows::kept(tx)? {
        sides.entry((change, variant.to_string())).or_default().0 += quantity;
    }
    for ((change, variant, quantity), state) in rows::held(tx)? {
        let key = (change, variant.to_string());
        match (state, sides.get_mut(&key)) {
            (HoldState::Pending, None) => drop(sides.insert(key, (0, quantity))),
            // A hold that was given back while its change is open had goods that are not there: confirming it is refused.
            (HoldState::Pending | HoldState::Voided, Some(side)) => side.1 += quantity,
            _ => {}
        }
    }
    let differ = sides.into_iter().filter(|(_, (needed, held))| needed != held);
    let tell = |((change, variant), (needed, held)): ((String, String), (i64, i64))| {
        Difference::new("kept for changes", format!("{change}, {variant}"), needed, held)
    };
    Ok(differ.map(tell).collect())
}
