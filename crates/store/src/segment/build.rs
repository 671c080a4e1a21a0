//! The rows of what is being built: how far a segment is, and the parts of those whom it can reach.

use domain::segment::Subject;
use domain::value::id::Segment as SegmentKind;
use domain::value::{Id, Instant};

use super::facts::Key;
use crate::{Row, StoreError, Tx, params};

/// How far a segment is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build {
    /// The segment.
    pub segment: Id<SegmentKind>,
    /// Which time it is built.
    pub round: i64,
    /// Do those whom it can reach wait in parts, or is everybody gone through? `None` before anybody looked.
    pub in_parts: Option<bool>,
    /// Where everybody is gone through: are customers still, and not profiles?
    pub customers: bool,
    /// After whom.
    pub after: Key,
    /// When it was done.
    pub built_at: Option<Instant>,
}

fn build(row: &mut Row<'_>) -> Result<Build, StoreError> {
    Ok(Build {
        segment: row.id()?,
        round: row.int()?,
        in_parts: row.int_or_null()?.map(|in_parts| in_parts == 1),
        customers: row.yes()?,
        after: row.key()?,
        built_at: row.instant_or_null()?,
    })
}

/// Begins a round of building a segment: nobody looked yet.
///
/// # Errors
/// What the store says.
pub fn begin(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<(), StoreError> {
    tx.execute("delete from segment_build_part where segment_id = $1", params![segment])?;
    tx.execute(
        "insert into segment_build (segment_id, round, in_parts, customers, after, built_at) values ($1, 1, null, 1, $2, null)
         on conflict (segment_id) do update set round = segment_build.round + 1, in_parts = null, customers = 1,
             after = excluded.after, built_at = null",
        params![segment, [0; 16]],
    )?;
    Ok(())
}

/// Notes that those whom a segment can reach were found, or that everybody must be gone through; false when that was noted before, or the
/// segment is being built anew.
///
/// # Errors
/// What the store says.
pub fn looked(tx: &mut Tx<'_>, one: &Build, in_parts: bool) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update segment_build set in_parts = $3 where segment_id = $1 and round = $2 and in_parts is null and built_at is null",
        params![one.segment, one.round, in_parts],
    )?;
    Ok(noted == 1)
}

/// Notes how far a segment is built.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, one: &Build) -> Result<(), StoreError> {
    tx.execute(
        "update segment_build set customers = $2, after = $3, built_at = $4 where segment_id = $1",
        params![one.segment, one.customers, one.after, one.built_at],
    )?;
    Ok(())
}

/// How far a segment is built.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<Option<Build>, StoreError> {
    tx.one(
        "select segment_id, round, in_parts, customers, after, built_at from segment_build where segment_id = $1",
        params![segment],
        build,
    )
}

/// What is not built yet.
///
/// # Errors
/// What the store says.
pub fn waiting(tx: &mut Tx<'_>) -> Result<Vec<Build>, StoreError> {
    tx.rows(
        "select segment_id, round, in_parts, customers, after, built_at from segment_build where built_at is null order by segment_id",
        &[],
        build,
    )
}

/// Was any segment ever made?
///
/// # Errors
/// What the store says.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let found = tx.one("select segment_id from segment_build limit 1", &[], |row| row.key())?;
    Ok(found.is_some())
}

/// Keeps the parts of those whom a segment can reach, in order. All of a part are customers, or none is.
///
/// # Errors
/// What the store says.
pub fn add_parts(tx: &mut Tx<'_>, segment: Id<SegmentKind>, parts: &[&[Subject]]) -> Result<(), StoreError> {
    let keys = |part: &&[Subject]| -> Vec<u8> { part.iter().flat_map(|one| one.bytes()).collect() };
    let keys: Vec<Vec<u8>> = parts.iter().map(keys).collect();
    let row = |((number, part), keys)| {
        let part: &[Subject] = part;
        params![segment, number, part.iter().all(|one| one.is_customer()), keys].to_vec()
    };
    let rows: Vec<_> = (0i64..).zip(parts.iter().copied()).zip(&keys).map(row).collect();
    tx.execute_each(
        "insert into segment_build_part (segment_id, part, is_customer, subjects) values ($1, $2, $3, $4)",
        &rows,
    )?;
    Ok(())
}

/// Takes the next part out; `None` when all were.
///
/// # Errors
/// What the store says.
pub fn take_part(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<Option<Vec<Subject>>, StoreError> {
    tx.one(
        "delete from segment_build_part where segment_id = $1
             and part = (select min(p.part) from segment_build_part p where p.segment_id = $1) returning is_customer, subjects",
        params![segment],
        |row| {
            let (customers, keys) = (row.yes()?, row.bytes()?);
            let (keys, _) = keys.as_chunks::<16>();
            Ok(keys.iter().map(|key| Subject::of(*key, customers)).collect())
        },
    )
}
