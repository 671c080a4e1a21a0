//! Jobs: work that follows from an event or from time, kept in the books until it is done. Claimed, retried with back-off, and kept as dead when it never succeeds.

use domain::value::id::Job as JobKind;
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

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

/// Claims jobs that are due until `claimed_until`: nobody else gets them before then, and their attempt is counted.
///
/// # Errors
/// What the store says.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Instant,
    claimed_until: Instant,
    limit: i64,
) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        "update job set claimed_until = $2, attempts = attempts + 1, run_at = $2
         where job_id in (select job_id from job where state = 'waiting' and run_at <= $1 order by run_at limit $3 {skip locked})
         returning job_id, kind, subject, body, run_at, attempts, last_error, state",
        params![now, claimed_until, limit],
        job,
    )
}

/// Strikes a job out because it is done.
///
/// # Errors
/// What the store says.
pub fn done(tx: &mut Tx<'_>, id: Id<JobKind>) -> Result<(), StoreError> {
    tx.execute("delete from job where job_id = $1", params![id])?;
    Ok(())
}

/// Puts a job back to be tried again at an instant, or gives it up when there is none.
///
/// # Errors
/// What the store says.
pub fn failed(
    tx: &mut Tx<'_>,
    id: Id<JobKind>,
    error: &str,
    again_at: Option<Instant>,
) -> Result<(), StoreError> {
    let state = if again_at.is_some() { "waiting" } else { "dead" };
    tx.execute(
        "update job set state = $2, run_at = coalesce($3, run_at), claimed_until = null, last_error = $4 where job_id = $1",
        params![id, state, again_at, error],
    )?;
    Ok(())
}

/// Brings a dead job back to life.
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

/// Jobs in a state, the oldest first, after a job.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, dead: bool, after: Id<JobKind>, limit: i64) -> Result<Vec<Job>, StoreError> {
    tx.rows(
        "select job_id, kind, subject, body, run_at, attempts, last_error, state from job where state = $1 and job_id > $2 order by job_id limit $3",
        params![if dead { "dead" } else { "waiting" }, after, limit],
        job,
    )
}

/// The next instant at which a job is due.
///
/// # Errors
/// What the store says.
pub fn next_due(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    Ok(tx
        .one("select min(run_at) from job where state = 'waiting'", &[], |row| row.instant_or_null())?
        .flatten())
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
