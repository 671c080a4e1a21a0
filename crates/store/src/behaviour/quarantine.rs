//! The rows of events that were set aside.

use domain::behaviour::Fault;
use domain::value::id::{Event as EventKind, Person, Source};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// An event that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its identity; sorts by when it was received.
    pub id: Id<EventKind>,
    /// Who sent it.
    pub source: Id<Source>,
    /// When we heard of it.
    pub received_at: Instant,
    /// What sort of fault it has.
    pub fault: Fault,
    /// What is wrong, without repeating values.
    pub why: String,
    /// The event's name, if it has one.
    pub name: Option<String>,
    /// Under whose key it is sealed.
    pub person: Id<Person>,
    /// The event as it was read, or as it came where it could not be.
    pub sealed: Vec<u8>,
    /// When it was taken in after all.
    pub replayed_at: Option<Instant>,
}

fn quarantined(row: &mut Row<'_>) -> Result<Quarantined, StoreError> {
    Ok(Quarantined {
        id: row.id()?,
        source: row.id()?,
        received_at: row.instant()?,
        fault: row.word(Fault::coded)?,
        why: row.text()?,
        name: row.text_or_null()?,
        person: row.id()?,
        sealed: row.bytes()?,
        replayed_at: row.instant_or_null()?,
    })
}

/// Sets an event aside.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Quarantined) -> Result<(), StoreError> {
    tx.execute(
        "insert into quarantined_event (source_id, event_id, received_at, fault, why, name, person_id, sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            new.source,
            new.id,
            new.received_at,
            new.fault.code(),
            &new.why,
            new.name.as_ref(),
            new.person,
            &new.sealed
        ],
    )?;
    Ok(())
}

/// The events of a source that were set aside before one, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    before: Id<EventKind>,
    limit: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    tx.rows(
        "select event_id, source_id, received_at, fault, why, name, person_id, sealed, replayed_at
         from quarantined_event where source_id = $1 and event_id < $2 order by event_id desc limit $3",
        params![source, before, limit],
        quarantined,
    )
}

/// The events of a source after one that wait to be taken in, the oldest first, at most `limit`; nobody else takes them until the commit.
///
/// # Errors
/// What the store says.
pub fn waiting(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    after: Id<EventKind>,
    limit: i64,
) -> Result<Vec<Quarantined>, StoreError> {
    tx.rows(
        "select event_id, source_id, received_at, fault, why, name, person_id, sealed, replayed_at
         from quarantined_event where source_id = $1 and event_id > $2 and replayed_at is null
         order by event_id limit $3 {lock}",
        params![source, after, limit],
        quarantined,
    )
}

/// Notes that an event was taken in after all.
///
/// # Errors
/// What the store says.
pub fn note_replayed(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    id: Id<EventKind>,
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "update quarantined_event set replayed_at = $3 where source_id = $1 and event_id = $2",
        params![source, id, now],
    )?;
    Ok(())
}

/// Notes why an event cannot be taken in now either.
///
/// # Errors
/// What the store says.
pub fn note_refused(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    id: Id<EventKind>,
    (fault, why): (Fault, &str),
) -> Result<(), StoreError> {
    tx.execute(
        "update quarantined_event set fault = $3, why = $4 where source_id = $1 and event_id = $2",
        params![source, id, fault.code(), why],
    )?;
    Ok(())
}

/// Forgets an event that was set aside.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, source: Id<Source>, id: Id<EventKind>) -> Result<(), StoreError> {
    tx.execute("delete from quarantined_event where source_id = $1 and event_id = $2", params![source, id])?;
    Ok(())
}

/// Forgets events that were set aside before an instant, at most `limit`; answers how many.
///
/// # Errors
/// What the store says.
pub fn forget_before(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    before: Instant,
    limit: i64,
) -> Result<u64, StoreError> {
    tx.execute(
        "delete from quarantined_event where source_id = $1 and event_id in
             (select event_id from quarantined_event where source_id = $1 and received_at < $2 order by event_id limit $3)",
        params![source, before, limit],
    )
}
