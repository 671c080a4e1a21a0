//! The rows of behaviour: messages heard once, events of profiles, and their visits.

pub mod quarantine;
pub mod source;

use std::collections::BTreeSet;

use domain::behaviour::{Call, QUIET_MICROS, Session};
use domain::value::id::{Event as EventKind, Profile, Source};
use domain::value::{Id, Instant};

use crate::dialect::Engine;
use crate::{Param, Row, StoreError, Tx, params};

/// Something somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its identity; sorts by when it was received.
    pub id: Id<EventKind>,
    /// The profile it stays with.
    pub profile: Id<Profile>,
    /// Who sent it.
    pub source: Id<Source>,
    /// What it says.
    pub call: Call,
    /// What was done, or which page.
    pub name: Option<String>,
    /// When it happened.
    pub at: Instant,
    /// When we heard of it.
    pub received_at: Instant,
    /// Of which kinds an identifier was not believed, as words.
    pub dropped: Option<String>,
    /// What is not as planned.
    pub wrong: Option<String>,
    /// All else that names nobody, as a JSON object.
    pub body: String,
    /// What is personal, sealed under the key of the profile's person.
    pub sealed: Option<Vec<u8>>,
}

fn event(row: &mut Row<'_>) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.id()?,
        profile: row.id()?,
        source: row.id()?,
        call: row.word(Call::coded)?,
        name: row.text_or_null()?,
        at: row.instant()?,
        received_at: row.instant()?,
        dropped: row.text_or_null()?,
        wrong: row.text_or_null()?,
        body: row.text()?,
        sealed: row.bytes_or_null()?,
    })
}

/// Notes that messages of a source were heard; of each whether it was heard for the first time.
///
/// # Errors
/// What the store says.
pub fn hear(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    hashes: &[[u8; 16]],
    received_at: Instant,
) -> Result<Vec<bool>, StoreError> {
    let row = |hash: &[u8; 16]| params![source, *hash, received_at].to_vec();
    let made = tx.execute_each(
        "insert into behaviour_message (source_id, hash, received_at) values ($1, $2, $3)
         on conflict (source_id, hash) do nothing",
        &hashes.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(made.into_iter().map(|made| made == 1).collect())
}

/// Forgets that messages were heard before an instant, at most `limit`: how many.
///
/// # Errors
/// What the store says.
pub fn forget_heard(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from behaviour_message where (source_id, hash) in
             (select source_id, hash from behaviour_message where received_at < $1 order by received_at limit $2)",
        params![before, limit],
    )
}

/// Adds events.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, all: &[Event]) -> Result<(), StoreError> {
    tx.execute_each(
        "insert into behaviour_event (event_id, profile_id, source_id, call, name, at, received_at, dropped, wrong, body, sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &all.iter().map(row_of).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn row_of(new: &Event) -> Vec<Param<'_>> {
    params![
        new.id,
        new.profile,
        new.source,
        new.call.code(),
        new.name.as_ref(),
        new.at,
        new.received_at,
        new.dropped.as_ref(),
        new.wrong.as_ref(),
        &new.body,
        new.sealed.as_ref()
    ]
    .to_vec()
}

/// The events of these profiles before a place, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_profiles(
    tx: &mut Tx<'_>,
    profiles: &[[u8; 16]],
    (at, before): (Instant, Id<EventKind>),
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    tx.rows(
        "select event_id, profile_id, source_id, call, name, at, received_at, dropped, wrong, body, sealed
         from behaviour_event where profile_id {in ids $1} and at <= $2 and (at < $2 or event_id < $3)
         order by at desc, event_id desc limit $4",
        &[Param::Ids(profiles), at.into(), before.into(), limit.into()],
        event,
    )
}

/// The events of a source that were received before one, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_source(
    tx: &mut Tx<'_>,
    source: Id<Source>,
    before: Id<EventKind>,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    tx.rows(
        "select event_id, profile_id, source_id, call, name, at, received_at, dropped, wrong, body, sealed
         from behaviour_event where source_id = $1 and event_id < $2 order by event_id desc limit $3",
        params![source, before, limit],
        event,
    )
}

fn session(row: &mut Row<'_>) -> Result<Session, StoreError> {
    Ok(Session { began_at: row.instant()?, last_at: row.instant()?, events: row.int()? })
}

/// A profile, and between which instants something is told of it.
pub type Span = (Id<Profile>, (Instant, Instant));

/// The visits that these spans may belong to, held until the commit.
///
/// # Errors
/// What the store says.
pub fn visits_around(tx: &mut Tx<'_>, spans: &[Span]) -> Result<Vec<(Id<Profile>, Session)>, StoreError> {
    let row = |(profile, (first, last)): &Span| {
        params![*profile, first.micros() - QUIET_MICROS, last.micros() + QUIET_MICROS].to_vec()
    };
    tx.rows_each(
        "select profile_id, began_at, last_at, events from behaviour_session
         where profile_id = $1 and began_at <= $3 and last_at >= $2 order by began_at {lock}",
        &spans.iter().map(row).collect::<Vec<_>>(),
        |row| Ok((row.id()?, session(row)?)),
    )
}

/// Holds profiles until the commit, in their order, so that two who tell of one at once count its visits one after the other.
///
/// # Errors
/// What the store says.
pub fn hold_profiles(tx: &mut Tx<'_>, profiles: &[[u8; 16]]) -> Result<(), StoreError> {
    if tx.engine() == Engine::Postgres {
        let held = "select profile_id from profile where profile_id {in ids $1} order by profile_id {lock}";
        tx.rows(held, &[Param::Ids(profiles)], |row| row.key())?;
    }
    Ok(())
}

/// Writes visits, each in the place of one that began at the same instant.
///
/// # Errors
/// What the store says.
pub fn write_visits(tx: &mut Tx<'_>, all: &[(Id<Profile>, Session)]) -> Result<(), StoreError> {
    let row = |(profile, visit): &(Id<Profile>, Session)| {
        params![*profile, visit.began_at, visit.last_at, visit.events].to_vec()
    };
    tx.execute_each(
        "insert into behaviour_session (profile_id, began_at, last_at, events) values ($1, $2, $3, $4)
         on conflict (profile_id, began_at) do update set last_at = excluded.last_at, events = excluded.events",
        &all.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Takes visits away that became part of others.
///
/// # Errors
/// What the store says.
pub fn remove_visits(tx: &mut Tx<'_>, all: &[(Id<Profile>, Instant)]) -> Result<(), StoreError> {
    tx.execute_each(
        "delete from behaviour_session where profile_id = $1 and began_at = $2",
        &all.iter().map(|(profile, began_at)| params![*profile, *began_at].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// The visits of these profiles that began before an instant, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn visits(
    tx: &mut Tx<'_>,
    profiles: &[[u8; 16]],
    before: Instant,
    limit: i64,
) -> Result<Vec<Session>, StoreError> {
    tx.rows(
        "select began_at, last_at, events from behaviour_session
         where profile_id {in ids $1} and began_at < $2 order by began_at desc limit $3",
        &[Param::Ids(profiles), before.into(), limit.into()],
        session,
    )
}

/// Notes whose behaviour was told of, in the order of profiles; whoever takes the note away waits for who is just writing it.
///
/// # Errors
/// What the store says.
pub fn stir(tx: &mut Tx<'_>, profiles: &BTreeSet<Id<Profile>>, now: Instant) -> Result<(), StoreError> {
    tx.execute_each(
        "insert into profile_stirred (profile_id, at) values ($1, $2)
         on conflict (profile_id) do update set at = excluded.at",
        &profiles.iter().map(|profile| params![*profile, now].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Forgets whose behaviour was told of: nobody waits for it.
///
/// # Errors
/// What the store says.
pub fn forget_stirred(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute("delete from profile_stirred", &[])?;
    Ok(())
}

/// Whose behaviour was told of since it was looked at: takes at most `limit` of the notes away.
///
/// # Errors
/// What the store says.
pub fn take_stirred(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Id<Profile>>, StoreError> {
    tx.rows(
        "delete from profile_stirred
         where profile_id in (select s.profile_id from profile_stirred s order by s.profile_id limit $1)
         returning profile_id",
        params![limit],
        |row| row.id(),
    )
}
