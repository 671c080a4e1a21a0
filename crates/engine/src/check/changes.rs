//! Changes of orders agree with the orders: what was confirmed is there, and what is kept for open ones is exactly what they need.

use std::collections::BTreeMap;

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

/// What live holds keep for changes is what the open changes need.
pub fn kept(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut sides: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for (change, variant, quantity) in rows::kept(tx)? {
        sides.entry((change, variant.to_string())).or_default().0 += quantity;
    }
    for (change, variant, quantity) in rows::held(tx)? {
        sides.entry((change, variant.to_string())).or_default().1 += quantity;
    }
    let differ = sides.into_iter().filter(|(_, (needed, held))| needed != held);
    let tell = |((change, variant), (needed, held)): ((String, String), (i64, i64))| {
        Difference::new("kept for changes", format!("{change}, {variant}"), needed, held)
    };
    Ok(differ.map(tell).collect())
}
