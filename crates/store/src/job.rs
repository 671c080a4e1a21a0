//! Jobs: work that follows from an event or from time, kept in the books until it is done. Claimed, retried with back-off, and kept as dead when it never succeeds.

use domain::value::id::Job as JobKind;
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// Work to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identity.
    pub id: Id<JobKind>,
    /// What to do, such as `payment.authorise`.
    pub kind: String,
    /// The id in text of what it is about.
    pub subject: String,
    /// The rest, as a JSON object. Never personal data.
    pub body: String,
    /// Not before this instant.
    pub run_at: Instant,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// Given up: a person must look at it.
    pub dead: bool,
}

fn job(row: &mut Row<'_>) -> Result<Job, StoreError> {
    Ok(Job {
        id: row.id()?,
        kind: row.text()?,
        subject: row.text()?,
        body: row.text()?,
        run_at: row.instant()?,
        attempts: row.int()?,
        last_error: row.text_or_null()?,
        dead: row.text()? == "dead",
    })
}

/// Notes a job.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, job: &Job, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into job (job_id, kind, subject, body, state, run_at, attempts, made_at) values ($1, $2, $3, $4, 'waiting', $5, 0, $6)",
        params![job.id, &job.kind, &job.subject, &job.body, job.run_at, now],
    )?;
    Ok(())
}

/// Claims jobs of some kinds that are due, until `claimed_until`: nobody else gets them before then, and their attempt is counted. Each kind is
/// looked at by itself, so that thousands that wait of one kind hold up none of another.
///
/// # Errors
/// What the store says.
pub fn claim(
    tx: &mut Tx<'_>,
    kinds: &[String],
    now: Instant,
    claimed_until: Instant,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    let mut due = tx.rows_each(
        "select run_at, job_id from job where state = 'waiting' and kind = $1 and run_at <= $2
         order by run_at, job_id limit $3 {skip locked}",
        &kinds.iter().map(|kind| params![kind, now, limit].to_vec()).collect::<Vec<_>>(),
        |row| Ok((row.instant()?, row.key()?)),
    )?;
    due.sort_unstable();
    due.truncate(usize::try_from(limit).unwrap_or(0));
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<[u8; 16]> = due.into_iter().map(|(_, id)| id).collect();
    tx.rows(
        "update job set attempts = attempts + 1, run_at = $1 where job_id {in ids $2}
         returning job_id, kind, subject, body, run_at, attempts, last_error, state",
        &[Param::from(claimed_until), Param::Ids(&ids)],
        job,
    )
}

/// Strikes a claimed job out because it is done; false when the claim ran out and somebody else took it over, or struck it out.
///
/// # Errors
/// What the store says.
pub fn done(tx: &mut Tx<'_>, job: &Job) -> Result<bool, StoreError> {
    let struck = tx.execute(
        "delete from job where job_id = $1 and attempts = $2 and state = 'waiting'",
        params![job.id, job.attempts],
    )?;
    Ok(struck == 1)
}

/// Puts a claimed job back to be tried again at an instant, or gives it up when there is none; nothing when somebody else took it over.
///
/// # Errors
/// What the store says.
pub fn failed(tx: &mut Tx<'_>, job: &Job, error: &str, again_at: Option<Instant>) -> Result<(), StoreError> {
    let state = if again_at.is_some() { "waiting" } else { "dead" };
    tx.execute(
        "update job set state = $3, run_at = coalesce($4, run_at), last_error = $5
         where job_id = $1 and attempts = $2 and state = 'waiting'",
        params![job.id, job.attempts, state, again_at, error],
    )?;
    Ok(())
}

/// Brings a dead job back to life; false when it is not dead.
///
/// # Errors
/// What the store says.
pub fn revive(tx: &mut Tx<'_>, id: Id<JobKind>, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update job set state = 'waiting', run_at = $2, attempts = 0 where job_id = $1 and state = 'dead'",
        params![id, now],
    )?;
    Ok(touched == 1)
}

/// Jobs that wait or are dead, the oldest first, after a job.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, dead: bool, after: Id<JobKind>, limit: i64) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        "select job_id, kind, subject, body, run_at, attempts, last_error, state from job
         where state = $1 and job_id > $2 order by job_id limit $3",
        params![if dead { "dead" } else { "waiting" }, after, limit],
        job,
    )
}

/// The next instant at which a job of some kinds is due.
///
/// # Errors
/// What the store says.
pub fn next_due(tx: &mut Tx<'_>, kinds: &[String]) -> Result<Option<Instant>, StoreError> {
    let first = tx.rows_each(
        "select run_at from job where state = 'waiting' and kind = $1 order by run_at limit 1",
        &kinds.iter().map(|kind| params![kind].to_vec()).collect::<Vec<_>>(),
        |row| row.instant(),
    )?;
    Ok(first.into_iter().min())
}

/// Does a job of this kind for this subject wait to be done?
///
/// # Errors
/// What the store says.
pub fn is_waiting(tx: &mut Tx<'_>, kind: &str, subject: &str) -> Result<bool, StoreError> {
    let found = tx.one(
        "select kind from job where state = 'waiting' and kind = $1 and subject = $2 limit 1",
        params![kind, subject],
        |row| row.text(),
    )?;
    Ok(found.is_some())
}

/// How many jobs wait, and how many were given up.
///
/// # Errors
/// What the store says.
pub fn counts(tx: &mut Tx<'_>) -> Result<(i64, i64), StoreError> {
    let counted = tx.one(
        "select cast(count(case when state = 'waiting' then 1 end) as {int}), cast(count(case when state = 'dead' then 1 end) as {int}) from job",
        &[],
        |row| Ok((row.int()?, row.int()?)),
    )?;
    Ok(counted.unwrap_or((0, 0)))
}

/// Claims a periodic duty for this transaction if it is due and puts it off until `next_at`; another node that wants it waits for the commit and then finds it done.
///
/// # Errors
/// What the store says.
pub fn claim_duty(tx: &mut Tx<'_>, name: &str, now: Instant, next_at: Instant) -> Result<bool, StoreError> {
    let claimed = tx.execute(
        "insert into duty (name, next_at) values ($1, $2)
         on conflict (name) do update set next_at = excluded.next_at, last_error = null where duty.next_at <= $3",
        params![name, next_at, now],
    )?;
    Ok(claimed == 1)
}

/// Puts a duty off, or calls it forward, with the reason if it failed.
///
/// # Errors
/// What the store says.
pub fn put_off_duty(
    tx: &mut Tx<'_>,
    name: &str,
    next_at: Instant,
    error: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into duty (name, next_at, last_error) values ($1, $2, $3)
         on conflict (name) do update set next_at = excluded.next_at, last_error = excluded.last_error",
        params![name, next_at, error],
    )?;
    Ok(())
}

/// Every duty that ever ran: when it is due next, and why it failed last.
///
/// # Errors
/// What the store says.
pub fn duties(tx: &mut Tx<'_>) -> Result<Vec<(String, Instant, Option<String>)>, StoreError> {
    tx.rows("select name, next_at, last_error from duty order by name", &[], |row| {
        Ok((row.text()?, row.instant()?, row.text_or_null()?))
    })
}
