//! The rows of kept membership: who is in a segment, and what changed.

use domain::segment::Subject;
use domain::value::id::{Customer, Event as StepKind, Segment as SegmentKind};
use domain::value::{Id, Instant};

use super::facts::Key;
use crate::check::FINDINGS_MAX;
use crate::{Param, Row, StoreError, Tx, params};

/// Somebody who is in a segment, or may come in by time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The segment.
    pub segment: Id<SegmentKind>,
    /// Who.
    pub subject: Subject,
    /// Since when in it; not in it when `None`.
    pub entered_at: Option<Instant>,
    /// Before which instant time alone changes nothing.
    pub next_change: Option<Instant>,
}

fn member(row: &mut Row<'_>) -> Result<Member, StoreError> {
    Ok(Member {
        segment: row.id()?,
        subject: Subject::of(row.key()?, row.yes()?),
        entered_at: row.instant_or_null()?,
        next_change: row.instant_or_null()?,
    })
}

/// What is kept of these people.
///
/// # Errors
/// What the store says.
pub fn of_subjects(tx: &mut Tx<'_>, subjects: &[Key]) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select segment_id, subject_id, is_customer, entered_at, next_change from segment_member
         where subject_id {in ids $1}",
        &[Param::Ids(subjects)],
        member,
    )
}

/// Keeps these people, in the place of what was kept of them.
///
/// # Errors
/// What the store says.
pub fn put(tx: &mut Tx<'_>, all: &[Member]) -> Result<(), StoreError> {
    let row = |one: &Member| {
        let subject = one.subject;
        let (is_customer, is_in) = (subject.is_customer(), one.entered_at.is_some());
        params![one.segment, subject.bytes(), is_customer, is_in, one.entered_at, one.next_change].to_vec()
    };
    tx.execute_each(
        "insert into segment_member (segment_id, subject_id, is_customer, is_in, entered_at, next_change)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (segment_id, subject_id) do update set is_in = excluded.is_in, entered_at = excluded.entered_at,
             next_change = excluded.next_change",
        &all.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Keeps these people of these segments no longer.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, all: &[(Id<SegmentKind>, Key)]) -> Result<(), StoreError> {
    tx.execute_each(
        "delete from segment_member where segment_id = $1 and subject_id = $2",
        &all.iter().map(|(segment, subject)| params![*segment, *subject].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Who may come in or fall out by time alone until now, at most `limit` rows, the longest due first.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select subject_id, is_customer from segment_member where next_change is not null and next_change <= $1
         order by next_change limit $2",
        params![now, limit],
        |row| Ok(Subject::of(row.key()?, row.yes()?)),
    )
}

/// Whoever is kept of a segment.
///
/// # Errors
/// What the store says.
pub fn kept(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<Vec<Subject>, StoreError> {
    tx.rows(
        "select subject_id, is_customer from segment_member where segment_id = $1",
        params![segment],
        |row| Ok(Subject::of(row.key()?, row.yes()?)),
    )
}

/// The members of a segment after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    segment: Id<SegmentKind>,
    after: Key,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    tx.rows(
        "select segment_id, subject_id, is_customer, entered_at, next_change from segment_member
         where segment_id = $1 and subject_id > $2 and is_in = 1 order by subject_id limit $3",
        params![segment, after, limit],
        member,
    )
}

/// How many members a segment has.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from segment_member where segment_id = $1 and is_in = 1",
        params![segment],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Somebody came into a segment or fell out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its identity; sorts by time.
    pub id: Id<StepKind>,
    /// The segment.
    pub segment: Id<SegmentKind>,
    /// Who.
    pub subject: Subject,
    /// Came in, or fell out.
    pub entered: bool,
    /// When.
    pub at: Instant,
    /// By which version of the segment.
    pub version: i64,
}

/// Notes steps.
///
/// # Errors
/// What the store says.
pub fn add_steps(tx: &mut Tx<'_>, all: &[Step]) -> Result<(), StoreError> {
    let row = |one: &Step| {
        let subject = one.subject;
        let of = params![one.segment, one.id, subject.bytes(), subject.is_customer()];
        [of, params![one.entered, one.at, one.version]].concat()
    };
    tx.execute_each(
        "insert into segment_step (segment_id, step_id, subject_id, is_customer, entered, at, version)
         values ($1, $2, $3, $4, $5, $6, $7)",
        &all.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// The steps of a segment before one, the newest first, at most `limit`; of one person only, if one is named.
///
/// # Errors
/// What the store says.
pub fn steps(
    tx: &mut Tx<'_>,
    segment: Id<SegmentKind>,
    of: Option<Key>,
    (before, limit): (Id<StepKind>, i64),
) -> Result<Vec<Step>, StoreError> {
    let read = |row: &mut Row<'_>| {
        Ok(Step {
            segment: row.id()?,
            id: row.id()?,
            subject: Subject::of(row.key()?, row.yes()?),
            entered: row.yes()?,
            at: row.instant()?,
            version: row.int()?,
        })
    };
    match of {
        None => tx.rows(
            "select segment_id, step_id, subject_id, is_customer, entered, at, version from segment_step
             where segment_id = $1 and step_id < $2 order by step_id desc limit $3",
            params![segment, before, limit],
            read,
        ),
        Some(subject) => tx.rows(
            "select segment_id, step_id, subject_id, is_customer, entered, at, version from segment_step
             where subject_id = $1 and step_id < $2 and segment_id = $3 order by step_id desc limit $4",
            params![subject, before, segment, limit],
            read,
        ),
    }
}

/// Of which of these people a segment ever told a step.
///
/// # Errors
/// What the store says.
pub fn stepped(tx: &mut Tx<'_>, segment: Id<SegmentKind>, subjects: &[Key]) -> Result<Vec<Key>, StoreError> {
    tx.rows(
        "select distinct subject_id from segment_step where segment_id = $1 and subject_id {in ids $2}",
        &[segment.into(), Param::Ids(subjects)],
        |row| row.key(),
    )
}

/// Customers who are told to belong to segments in which they are not kept: who, and the code.
///
/// # Errors
/// What the store says.
pub fn mistold(tx: &mut Tx<'_>) -> Result<Vec<(Id<Customer>, String)>, StoreError> {
    tx.rows(
        "select t.customer_id, t.code from customer_segment t
         where not exists (select 1 from segment g join segment_member m on m.segment_id = g.segment_id
             where g.code = t.code and m.subject_id = t.customer_id and m.is_in = 1)
         order by t.customer_id, t.code limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}

/// Whose last step says otherwise than what is kept: the segment, who, and whether the step came in.
pub type Astray = (Id<SegmentKind>, Subject, bool);

/// Whose last step says otherwise than what is kept, in segments in use.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<Astray>, StoreError> {
    tx.rows(
        "select s.segment_id, s.subject_id, s.is_customer, s.entered from segment_step s
         join segment g on g.segment_id = s.segment_id and g.active = 1
         left join segment_member m on m.segment_id = s.segment_id and m.subject_id = s.subject_id
         where s.entered <> coalesce(m.is_in, 0) and s.step_id = (
             select l.step_id from segment_step l where l.subject_id = s.subject_id and l.segment_id = s.segment_id
             order by l.step_id desc limit 1)
         order by s.segment_id, s.subject_id limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, Subject::of(row.key()?, row.yes()?), row.yes()?)),
    )
}

/// Keeps nobody of a segment any more, at most `limit`; answers how many were kept.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, segment: Id<SegmentKind>, limit: i64) -> Result<u64, StoreError> {
    tx.execute(
        "delete from segment_member where segment_id = $1 and subject_id in (
             select m.subject_id from segment_member m where m.segment_id = $1 order by m.subject_id limit $2)",
        params![segment, limit],
    )
}

/// Holds the right to follow what changes until the commit: one does so at a time.
///
/// # Errors
/// What the store says.
pub fn hold_turn(tx: &mut Tx<'_>, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into segment_setting (name, value, at, version) values ('turn', 'null', $1, 0)
         on conflict (name) do update set at = excluded.at",
        params![now],
    )?;
    Ok(())
}
