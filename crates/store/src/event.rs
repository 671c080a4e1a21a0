//! The journal: that something happened, written in the same transaction as what happened.
//!
//! The journal has [`PARTITIONS`] partitions; a subject always falls into the same one. Within a partition sequences have no gaps and are handed out in the order of
//! commits, so a reader that keeps one cursor per partition misses nothing. Nothing depends on an order between partitions.

use domain::value::id::{Book, Channel, Event as EventKind, Transfer};
use domain::value::{Id, Instant};
use sha2::{Digest, Sha256};

use crate::{Param, Row, StoreError, Tx, params};

/// How many partitions the journal has.
pub const PARTITIONS: usize = 16;

/// That something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its identity; consumers know by it what they have seen.
    pub id: Id<EventKind>,
    /// The id in text of what it happened to.
    pub subject: String,
    /// What happened, such as `order.placed`.
    pub kind: &'static str,
    /// When.
    pub at: Instant,
    /// Who did it: `staff:stf_…`.
    pub actor: String,
    /// Through which sales channel.
    pub channel: Option<Id<Channel>>,
    /// The book and the transfer it tells of.
    pub transfer: Option<(Id<Book>, Id<Transfer>)>,
    /// What else is worth knowing, as a JSON object. Never personal data.
    pub body: String,
}

/// An event as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The partition.
    pub partition: i64,
    /// The place within the partition, from 1.
    pub sequence: i64,
    /// Its identity.
    pub id: Id<EventKind>,
    /// What it happened to.
    pub subject: String,
    /// What happened.
    pub kind: String,
    /// When.
    pub at: Instant,
    /// Who did it.
    pub actor: String,
    /// Through which channel.
    pub channel: Option<Id<Channel>>,
    /// The book and the transfer it tells of.
    pub transfer: Option<(Id<Book>, Id<Transfer>)>,
    /// The rest, as a JSON object.
    pub body: String,
}

/// The partition of a subject: the first byte of the SHA-256 of its text, folded.
pub fn partition_of(subject: &str) -> i64 {
    i64::from(Sha256::digest(subject.as_bytes())[0]) % PARTITIONS as i64
}

/// Makes room for so many events at the end of a partition; its counter is held until the commit.
pub(crate) const COUNT: &str = "insert into journal (partition, next_sequence) values ($1, 1 + $2)
     on conflict (partition) do update set next_sequence = journal.next_sequence + $2";
/// Writes an event so many places before the end of its partition.
pub(crate) const NOTE: &str = "insert into event (partition, sequence, event_id, subject, kind, at, actor, channel_id, book_id, transfer_id, body)
     values ($1, (select j.next_sequence from journal j where j.partition = $1) - $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Events at the ends of their partitions: what [`COUNT`] and then [`NOTE`] are run with. None of it depends on what is answered, so nobody waits.
pub(crate) struct Noted<'e> {
    /// For each partition, in order, so that two commands never wait for each other in a ring.
    pub counts: Vec<Vec<Param<'e>>>,
    /// For each event.
    pub notes: Vec<Vec<Param<'e>>>,
}

impl Noted<'_> {
    pub(crate) fn of(events: &[Event]) -> Noted<'_> {
        let mut placed: Vec<(i64, &Event)> =
            events.iter().map(|event| (partition_of(&event.subject), event)).collect();
        placed.sort_by_key(|(partition, _)| *partition);
        let mut noted = Noted { counts: Vec::new(), notes: Vec::with_capacity(placed.len()) };
        for group in placed.chunk_by(|a, b| a.0 == b.0) {
            noted.counts.push(params![group[0].0, group.len() as i64].to_vec());
            let from_end = (1..=group.len() as i64).rev();
            noted.notes.extend(from_end.zip(group).map(|(place, (partition, event))| {
                let (book, transfer) = event.transfer.unzip();
                params![
                    *partition,
                    place,
                    event.id,
                    &event.subject,
                    event.kind,
                    event.at,
                    &event.actor,
                    event.channel,
                    book,
                    transfer,
                    &event.body
                ]
                .to_vec()
            }));
        }
        noted
    }
}

pub(crate) fn entry(row: &mut Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        partition: row.int()?,
        sequence: row.int()?,
        id: row.id()?,
        subject: row.text()?,
        kind: row.text()?,
        at: row.instant()?,
        actor: row.text()?,
        channel: row.id_or_null()?,
        transfer: row.id_or_null()?.zip(row.id_or_null()?),
        body: row.text()?,
    })
}

/// The events of one partition after a sequence, at most `limit`, in order.
///
/// # Errors
/// What the store says.
pub fn after(tx: &mut Tx<'_>, partition: i64, sequence: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        "select partition, sequence, event_id, subject, kind, at, actor, channel_id, book_id, transfer_id, body
         from event where partition = $1 and sequence > $2 order by sequence limit $3",
        params![partition, sequence, limit],
        entry,
    )
}

/// When the event at a place of a partition happened.
///
/// # Errors
/// What the store says.
pub fn at(tx: &mut Tx<'_>, partition: i64, sequence: i64) -> Result<Option<Instant>, StoreError> {
    tx.one(
        "select at from event where partition = $1 and sequence = $2",
        params![partition, sequence],
        |row| row.instant(),
    )
}

/// The events of one subject after a sequence, at most `limit`, in order: its trail.
///
/// # Errors
/// What the store says.
pub fn of_subject(
    tx: &mut Tx<'_>,
    subject: &str,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        "select partition, sequence, event_id, subject, kind, at, actor, channel_id, book_id, transfer_id, body
         from event where subject = $1 and sequence > $2 order by sequence limit $3",
        params![subject, sequence, limit],
        entry,
    )
}

/// What happened of these kinds to these subjects before an event, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn newest_of(
    tx: &mut Tx<'_>,
    subjects: &[String],
    kinds: &[String],
    (before, limit): (Id<EventKind>, i64),
) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        "select partition, sequence, event_id, subject, kind, at, actor, channel_id, book_id, transfer_id, body
         from event where subject {in texts $1} and kind {in texts $2} and event_id < $3 order by event_id desc limit $4",
        &[Param::Texts(subjects), Param::Texts(kinds), before.into(), limit.into()],
        entry,
    )
}

/// Where each partition ends: the last sequence given out, 0 for an empty one.
///
/// # Errors
/// What the store says.
pub fn ends(tx: &mut Tx<'_>) -> Result<[i64; PARTITIONS], StoreError> {
    let mut ends = [0; PARTITIONS];
    for (partition, last) in
        tx.rows("select partition, next_sequence - 1 from journal order by partition", &[], |row| {
            Ok((row.int()?, row.int()?))
        })?
    {
        let place = usize::try_from(partition).ok().filter(|place| *place < PARTITIONS);
        ends[place
            .ok_or_else(|| StoreError::Corrupt(format!("the journal has a partition {partition}")))?] = last;
    }
    Ok(ends)
}

/// Where a consumer stands in each partition.
///
/// # Errors
/// What the store says.
pub fn cursor_of(tx: &mut Tx<'_>, consumer: &str) -> Result<[i64; PARTITIONS], StoreError> {
    let mut cursor = [0; PARTITIONS];
    for (partition, sequence) in
        tx.rows("select partition, sequence from consumer where name = $1", params![consumer], |row| {
            Ok((row.int()?, row.int()?))
        })?
    {
        if let Some(place) = usize::try_from(partition).ok().filter(|place| *place < PARTITIONS) {
            cursor[place] = sequence;
        }
    }
    Ok(cursor)
}

/// Moves a consumer forward in a partition.
///
/// # Errors
/// What the store says.
pub fn advance(tx: &mut Tx<'_>, consumer: &str, partition: i64, sequence: i64) -> Result<(), StoreError> {
    tx.execute(
        "insert into consumer (name, partition, sequence) values ($1, $2, $3) on conflict (name, partition) do update set sequence = excluded.sequence",
        &[Param::Text(consumer), Param::Int(partition), Param::Int(sequence)],
    )?;
    Ok(())
}
