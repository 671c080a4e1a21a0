//! Telling what happened: events with who, when and through which channel, written with the command.

use std::collections::VecDeque;

use domain::actor::{Actor, Permission};
use domain::value::Id;
use domain::value::id::Event as EventKind;
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
    let id = world.id();
    emit_as(tx, actor, world, id, subject, kind, body);
}

/// As [`emit`], under an id that was drawn before.
pub fn emit_as(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    id: Id<EventKind>,
    subject: impl ToString,
    kind: &'static str,
    body: Value,
) {
    let event = Event {
        id,
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

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those whose kind begins like this, such as `order.`.
    pub kind: Option<String>,
    /// Only those that happened to this, an id in text.
    pub subject: Option<String>,
}

/// What was found, each with the cursor right after it.
pub struct Found {
    /// The events, the oldest first.
    pub events: Vec<(journal::Entry, Cursor)>,
    /// Where to go on.
    pub cursor: Cursor,
    /// Is there more to read at once?
    pub more: bool,
}

/// How often the journal is read for one page when few events are of the kind asked for.
const READS_MAX: usize = 8;

/// The events after a cursor that are asked for, the oldest first, at most `limit`. A page may have fewer, even none, and there may be more.
///
/// # Errors
/// [`domain::Code::Forbidden`] when who asks may not read the journal.
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    cursor: Cursor,
    filter: &Filter,
    limit: usize,
) -> Result<Found, Failure> {
    actor.may(Permission::ReadEvents, None)?;
    match &filter.subject {
        Some(subject) => of_subject(tx, subject, cursor, filter, limit),
        None => of_all(tx, cursor, filter, limit),
    }
}

/// The end of the journal now: for those who want only what comes.
///
/// # Errors
/// As [`read`].
pub fn end(tx: &mut Tx<'_>, actor: &Actor) -> Result<Cursor, Failure> {
    actor.may(Permission::ReadEvents, None)?;
    Ok(journal::ends(tx)?)
}

fn of_subject(
    tx: &mut Tx<'_>,
    subject: &str,
    mut cursor: Cursor,
    filter: &Filter,
    limit: usize,
) -> Result<Found, Failure> {
    let partition = usize::try_from(journal::partition_of(subject)).unwrap_or(0);
    let entries = journal::of_subject(tx, subject, cursor[partition], limit as i64)?;
    let more = entries.len() == limit;
    let mut events = Vec::new();
    for entry in entries {
        cursor[partition] = entry.sequence;
        if filter.takes(&entry.kind) {
            events.push((entry, cursor));
        }
    }
    Ok(Found { events, cursor, more })
}

fn of_all(tx: &mut Tx<'_>, mut cursor: Cursor, filter: &Filter, limit: usize) -> Result<Found, Failure> {
    let mut events = Vec::new();
    for _ in 0..READS_MAX {
        let read = page(tx, cursor, limit)?;
        let more = read.len() == limit;
        for (entry, after) in read {
            cursor = after;
            if filter.takes(&entry.kind) {
                events.push((entry, after));
            }
            if events.len() == limit {
                return Ok(Found { events, cursor, more: true });
            }
        }
        if !more {
            return Ok(Found { events, cursor, more: false });
        }
    }
    Ok(Found { events, cursor, more: true })
}

impl Filter {
    fn takes(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|beginning| kind.starts_with(beginning))
    }
}

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
