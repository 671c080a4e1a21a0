//! What counts for the tiers of members is what their orders and transfers say, and where they stand follows from it.

use domain::value::Id;
use store::Tx;
use store::loyalty::tier as rows;

use super::Difference;
use crate::Failure;
use crate::loyalty::tier;

/// How many members are judged again between two questions to the store.
const PAGE: i64 = 500;

/// Orders that left count what is kept of their lines, and points given or taken by hand count as they were posted.
pub fn counted(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let text =
        |[points, minor, visits]: [i64; 3]| format!("{points} points, {minor} minor units, {visits} visits");
    let mut differences = Vec::new();
    for (order, member, says, noted) in rows::miscounted(tx)? {
        let noted = noted.map_or_else(|| "nothing".to_owned(), text);
        differences.push(Difference::new("counted", format!("{order} of {member}"), text(says), noted));
    }
    for (transfer, says, noted) in rows::transfers_miscounted(tx)? {
        differences.push(Difference::new("counted", transfer, format!("{says} points"), noted));
    }
    Ok(differences)
}

/// As many of each reward are given as members have, and each took the points it costs.
pub fn rewards(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let unequal = store::loyalty::reward::unequal(tx)?;
    let tell =
        |(reward, says, noted)| Difference::new("rewards", reward, format!("{says} by redemptions"), noted);
    Ok(unequal.into_iter().map(tell).collect())
}

/// Every member stands where what counted puts him, and his last change led there.
pub fn standing(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let named = |tier: Option<String>| tier.unwrap_or_else(|| "no tier".to_owned());
    let mut differences = Vec::new();
    for (member, told, tier) in rows::untold(tx)? {
        differences.push(Difference::new("tiers", member, named(told), named(tier)));
    }
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = rows::list(tx, after, PAGE)?;
        for member in &page {
            let Some(own) = rows::find(tx, *member)? else { continue };
            if let Some(should) = tier::misjudged(tx, &own)? {
                differences.push(Difference::new("tiers", member, should, named(own.tier)));
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => after = *last,
            _ => return Ok(differences),
        }
    }
}
