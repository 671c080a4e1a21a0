//! What holds of every cell follows from what was said of it, and no message that advertises is without its consent.

use domain::value::Id;
use store::Tx;
use store::consent as rows;

use super::Difference;
use crate::Failure;
use crate::consent::folded;

/// How many subscribers are gone through between two questions to the store.
const PAGE: i64 = 500;
/// The most that one subscriber ever said; beyond it the oldest are not looked at.
const SAID_MAX: i64 = 10_000;

/// What holds now is the last yes or no of each cell.
pub fn now(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let unsaid = rows::unsaid(tx)?.into_iter();
    let mut differences: Vec<Difference> = unsaid
        .map(|(subscriber, consent)| {
            Difference::new("consents", subscriber, "something that was said", consent)
        })
        .collect();
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = rows::subscribers(tx, after, PAGE)?;
        for subscriber in &page {
            let history = rows::history(tx, *subscriber, Id::from_bytes([255; 16]), SAID_MAX)?;
            let held = rows::now(tx, *subscriber)?;
            for (cell, id, status) in folded(&history) {
                let found = held.iter().find(|(held, _)| held.cell == cell);
                if found.is_some_and(|(held, by)| *by == id && held.status == status) {
                    continue;
                }
                let topic = if cell.topic.is_empty() { "the whole" } else { cell.topic.as_str() };
                let place = format!("{subscriber}, {} by {} on {topic}", cell.purpose, cell.medium.text());
                let says = format!("{} by {id}", status.text());
                let noted = found.map(|(held, by)| format!("{} by {by}", held.status.text()));
                differences.push(Difference::new(
                    "consents",
                    place,
                    says,
                    noted.unwrap_or_else(|| "nothing".into()),
                ));
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == PAGE => after = *last,
            _ => return Ok(differences),
        }
    }
}

/// Every message that advertises was written with a yes, and none waits against a no.
pub fn messages(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let without = store::message::without_consent(tx)?;
    let tell = |(subscriber, message)| {
        Difference::new("messages", format!("{message} to {subscriber}"), "a consent that holds", "none")
    };
    Ok(without.into_iter().map(tell).collect())
}
