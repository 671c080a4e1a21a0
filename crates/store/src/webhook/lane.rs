//! The rows of lanes: how far an endpoint was sent each partition of the journal, when it is tried next, and who is sending just now.

use domain::value::id::WebhookEndpoint;
use domain::value::{Id, Instant};

use crate::event::PARTITIONS;
use crate::{Row, StoreError, Tx, params};

/// The lane of what is sent again by itself; those before it are the journal's partitions.
pub const AGAIN: i64 = PARTITIONS as i64;

/// How far an endpoint was sent one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The endpoint.
    pub endpoint: Id<WebhookEndpoint>,
    /// The partition, or [`AGAIN`].
    pub lane: i64,
    /// The last sequence that needs nothing any more.
    pub sequence: i64,
    /// How often the next event failed in a row.
    pub failures: i64,
    /// Since when it fails.
    pub failing_since: Option<Instant>,
    /// Nothing is sent before this instant.
    pub next_at: Instant,
    /// The number of the last claim.
    pub claim: i64,
    /// Until when the last claim holds.
    pub claimed_until: Instant,
}

fn lane(row: &mut Row<'_>) -> Result<Lane, StoreError> {
    Ok(Lane {
        endpoint: row.id()?,
        lane: row.int()?,
        sequence: row.int()?,
        failures: row.int()?,
        failing_since: row.instant_or_null()?,
        next_at: row.instant()?,
        claim: row.int()?,
        claimed_until: row.instant()?,
    })
}

/// Adds a lane that nobody has claimed.
///
/// # Errors
/// What the store says.
pub fn add(
    tx: &mut Tx<'_>,
    endpoint: Id<WebhookEndpoint>,
    lane: i64,
    sequence: i64,
    next_at: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into webhook_lane (endpoint_id, lane, sequence, failures, failing_since, next_at, claim, claimed_until)
         values ($1, $2, $3, 0, null, $4, 0, 0)",
        params![endpoint, lane, sequence, next_at],
    )?;
    Ok(())
}

/// The lanes of enabled endpoints on which something may be sent now, those that wait longest first.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Lane>, StoreError> {
    tx.rows(
        "select l.endpoint_id, l.lane, l.sequence, l.failures, l.failing_since, l.next_at, l.claim, l.claimed_until
         from webhook_endpoint e join webhook_lane l on l.endpoint_id = e.endpoint_id
         where e.state = 1 and l.next_at <= $1 and l.claimed_until <= $1 order by l.next_at, l.endpoint_id, l.lane limit $2",
        params![now, limit],
        lane,
    )
}

/// The lanes of an endpoint, in order.
///
/// # Errors
/// What the store says.
pub fn of_endpoint(tx: &mut Tx<'_>, endpoint: Id<WebhookEndpoint>) -> Result<Vec<Lane>, StoreError> {
    tx.rows(
        "select endpoint_id, lane, sequence, failures, failing_since, next_at, claim, claimed_until
         from webhook_lane where endpoint_id = $1 order by lane",
        params![endpoint],
        lane,
    )
}

/// Claims a lane that is as it was read; false when somebody was faster.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, read: &Lane, now: Instant, until: Instant) -> Result<bool, StoreError> {
    let claimed = tx.execute(
        "update webhook_lane set claim = claim + 1, claimed_until = $5
         where endpoint_id = $1 and lane = $2 and claim = $3 and sequence = $6 and claimed_until <= $4 and next_at <= $4",
        params![read.endpoint, read.lane, read.claim, now, until, read.sequence],
    )?;
    Ok(claimed == 1)
}

/// Writes how a claimed lane goes on; false when the claim was lost. A lane that is kept is given with a later `claimed_until`, one that is
/// let go with an earlier.
///
/// # Errors
/// What the store says.
pub fn go_on(tx: &mut Tx<'_>, claimed: &Lane) -> Result<bool, StoreError> {
    let written = tx.execute(
        "update webhook_lane set sequence = $4, failures = $5, failing_since = $6, next_at = $7, claimed_until = $8
         where endpoint_id = $1 and lane = $2 and claim = $3",
        params![
            claimed.endpoint, claimed.lane, claimed.claim, claimed.sequence, claimed.failures, claimed.failing_since,
            claimed.next_at, claimed.claimed_until
        ],
    )?;
    Ok(written == 1)
}

/// Sets a lane anew, whoever sends on it just now: his claim is lost.
///
/// # Errors
/// What the store says.
pub fn reset(
    tx: &mut Tx<'_>,
    endpoint: Id<WebhookEndpoint>,
    lane: i64,
    sequence: i64,
    next_at: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "update webhook_lane set sequence = $3, failures = 0, failing_since = null, next_at = $4, claim = claim + 1, claimed_until = 0
         where endpoint_id = $1 and lane = $2",
        params![endpoint, lane, sequence, next_at],
    )?;
    Ok(())
}

/// Has every lane that waits after a failure be tried now.
///
/// # Errors
/// What the store says.
pub fn hurry(tx: &mut Tx<'_>, endpoint: Id<WebhookEndpoint>, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "update webhook_lane set next_at = $2 where endpoint_id = $1 and lane < $3 and next_at > $2",
        params![endpoint, now, AGAIN],
    )?;
    Ok(())
}

/// A lane that is ahead of the journal: its endpoint and number, the end of its partition, and where it stands.
pub type Astray = (Id<WebhookEndpoint>, i64, i64, i64);

/// Lanes that are ahead of the journal. There is none.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<Astray>, StoreError> {
    tx.rows(
        "select l.endpoint_id, l.lane, coalesce(j.next_sequence, 1) - 1, l.sequence
         from webhook_lane l left join journal j on j.partition = l.lane
         where l.lane < $1 and l.sequence > coalesce(j.next_sequence, 1) - 1
         order by l.endpoint_id, l.lane limit $2",
        params![AGAIN, crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?, row.int()?)),
    )
}

/// Endpoints with another number of lanes than one for each partition and one more, with that number. There is none.
///
/// # Errors
/// What the store says.
pub fn miscounted(tx: &mut Tx<'_>) -> Result<Vec<(Id<WebhookEndpoint>, i64)>, StoreError> {
    tx.rows(
        "select e.endpoint_id, cast(count(l.lane) as {int}) from webhook_endpoint e
         left join webhook_lane l on l.endpoint_id = e.endpoint_id
         group by e.endpoint_id having count(l.lane) <> $1 order by e.endpoint_id limit $2",
        params![AGAIN + 1, crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?)),
    )
}
