//! Telling what happened: events with who, when and through which channel, written with the command.

use std::collections::VecDeque;

use domain::actor::Actor;
use serde_json::Value;
use store::event::Event;
use store::ledger::Stamp;
use store::{Tx, event as journal};

use crate::{Failure, World};

/// Notes that something happened to a subject. The body names ids and numbers, never personal data.
pub fn emit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    subject: impl ToString,
    kind: &'static str,
    body: Value,
) {
    let event = Event {
        id: world.id(),
        subject: subject.to_string(),
        kind,
        at: world.now(),
        actor: actor.who.label(),
        channel: actor.channel,
        transfer: None,
        body: body.to_string(),
    };
    tx.emit(event);
}

/// Who does something, when, through which channel, as kept with transfers.
pub fn stamp(actor: &Actor, world: &World) -> Stamp {
    Stamp { at: world.now(), actor: actor.who.label(), channel: actor.channel }
}

/// A place in the journal: the last sequence seen of each partition.
pub type Cursor = [i64; journal::PARTITIONS];

/// The events after a cursor, the oldest first, at most `limit`, each with the cursor right after it.
///
/// # Errors
/// What the store says.
pub fn page(tx: &mut Tx<'_>, cursor: Cursor, limit: usize) -> Result<Vec<(journal::Entry, Cursor)>, Failure> {
    let ends = journal::ends(tx)?;
    let mut found = Vec::new();
    for (partition, (seen, end)) in (0i64..).zip(cursor.iter().zip(ends)) {
        if *seen < end {
            found.extend(journal::after(tx, partition, *seen, limit as i64)?);
        }
    }
    Ok(merged(found, cursor, limit))
}

/// Gives the partitions' lists as one, by time; each partition keeps its own order. `found` is sorted by partition and sequence.
fn merged(found: Vec<journal::Entry>, mut cursor: Cursor, limit: usize) -> Vec<(journal::Entry, Cursor)> {
    let mut partitions: Vec<VecDeque<journal::Entry>> =
        (0..journal::PARTITIONS).map(|_| VecDeque::new()).collect();
    for entry in found {
        partitions[usize::try_from(entry.partition).unwrap_or(0)].push_back(entry);
    }
    let mut page = Vec::new();
    while page.len() < limit {
        let earliest =
            (0..partitions.len()).filter_map(|place| Some((partitions[place].front()?.at, place))).min();
        let Some((_, place)) = earliest else { break };
        let Some(entry) = partitions[place].pop_front() else { break };
        cursor[place] = entry.sequence;
        page.push((entry, cursor));
    }
    page
}
