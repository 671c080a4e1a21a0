//! The rows of messages: what became of each event that an endpoint was to be sent.

use domain::value::id::{Event, WebhookEndpoint};
use domain::value::{Id, Instant};
use domain::webhook::Outcome;

use crate::event::{Entry, entry};
use crate::{Row, StoreError, Tx, params};

/// What became of an event at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The endpoint.
    pub endpoint: Id<WebhookEndpoint>,
    /// The event.
    pub event: Id<Event>,
    /// Its partition in the journal.
    pub partition: i64,
    /// Its place in the partition.
    pub sequence: i64,
    /// What happened.
    pub kind: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was sent.
    pub attempts: i64,
    /// When it was sent first.
    pub first_at: Instant,
    /// When it was sent last.
    pub last_at: Instant,
    /// The receiver's last status.
    pub status: Option<i64>,
    /// The beginning of what it said, or why nothing was heard.
    pub said: String,
}

fn message(row: &mut Row<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        endpoint: row.id()?,
        event: row.id()?,
        partition: row.int()?,
        sequence: row.int()?,
        kind: row.text()?,
        outcome: row.word(Outcome::coded)?,
        attempts: row.int()?,
        first_at: row.instant()?,
        last_at: row.instant()?,
        status: row.int_or_null()?,
        said: row.text()?,
    })
}

/// Notes what became of an attempt; attempts are counted on from those before.
///
/// # Errors
/// What the store says.
pub fn note(tx: &mut Tx<'_>, one: &Message) -> Result<(), StoreError> {
    tx.execute(
        "insert into webhook_message (endpoint_id, event_id, partition, sequence, kind, outcome, attempts, first_at, last_at, status, said)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8, $9)
         on conflict (endpoint_id, event_id) do update set outcome = excluded.outcome, attempts = webhook_message.attempts + 1,
             last_at = excluded.last_at, status = excluded.status, said = excluded.said",
        params![
            one.endpoint, one.event, one.partition, one.sequence, &one.kind, one.outcome.code(), one.last_at, one.status, &one.said
        ],
    )?;
    Ok(())
}

/// Says what becomes of an event from now on; false when it is none of those it may come from.
///
/// # Errors
/// What the store says.
pub fn turn(
    tx: &mut Tx<'_>,
    (endpoint, event): (Id<WebhookEndpoint>, Id<Event>),
    from: Outcome,
    to: Outcome,
) -> Result<bool, StoreError> {
    let turned = tx.execute(
        "update webhook_message set outcome = $4 where endpoint_id = $1 and event_id = $2 and outcome = $3",
        params![endpoint, event, from.code(), to.code()],
    )?;
    Ok(turned == 1)
}

/// One message.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    endpoint: Id<WebhookEndpoint>,
    event: Id<Event>,
) -> Result<Option<Message>, StoreError> {
    tx.one(
        "select endpoint_id, event_id, partition, sequence, kind, outcome, attempts, first_at, last_at, status, said
         from webhook_message where endpoint_id = $1 and event_id = $2",
        params![endpoint, event],
        message,
    )
}

/// The messages to an endpoint before an event, the newest event first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    endpoint: Id<WebhookEndpoint>,
    before: Id<Event>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    tx.rows(
        "select endpoint_id, event_id, partition, sequence, kind, outcome, attempts, first_at, last_at, status, said
         from webhook_message where endpoint_id = $1 and event_id < $2 order by event_id desc limit $3",
        params![endpoint, before, limit],
        message,
    )
}

/// As [`list`], without those the receiver took.
///
/// # Errors
/// What the store says.
pub fn untaken(
    tx: &mut Tx<'_>,
    endpoint: Id<WebhookEndpoint>,
    before: Id<Event>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    tx.rows(
        "select endpoint_id, event_id, partition, sequence, kind, outcome, attempts, first_at, last_at, status, said
         from webhook_message where endpoint_id = $1 and outcome <> 1 and event_id < $2 order by event_id desc limit $3",
        params![endpoint, before, limit],
        message,
    )
}

/// The events that an endpoint is to be sent again by themselves, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn again(tx: &mut Tx<'_>, endpoint: Id<WebhookEndpoint>, limit: i64) -> Result<Vec<Entry>, StoreError> {
    tx.rows(
        "select e.partition, e.sequence, e.event_id, e.subject, e.kind, e.at, e.actor, e.channel_id, e.book_id, e.transfer_id, e.body
         from webhook_message d join event e on e.partition = d.partition and e.sequence = d.sequence
         where d.endpoint_id = $1 and d.outcome <> 1 and d.outcome = $3 order by d.event_id limit $2",
        params![endpoint, limit, Outcome::Again.code()],
        entry,
    )
}

/// Forgets messages whose last attempt was before an instant, at most `limit`; answers how many.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from webhook_message where (endpoint_id, event_id) in (
             select endpoint_id, event_id from webhook_message where last_at < $1 order by last_at limit $2)",
        params![before, limit],
    )
}
