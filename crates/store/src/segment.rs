//! The rows of segments: their versions, computed traits, and settings that are the same for everybody.

pub mod build;
pub mod facts;
pub mod list;
pub mod member;
pub mod reach;

use domain::value::id::Segment as SegmentKind;
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A segment as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its identity.
    pub id: Id<SegmentKind>,
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Is it in use?
    pub active: bool,
    /// Who belongs to it, as a document.
    pub expression: String,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
}

fn segment(row: &mut Row<'_>) -> Result<Segment, StoreError> {
    Ok(Segment {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        active: row.yes()?,
        expression: row.text()?,
        version: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
    })
}

/// Adds a segment with its first version; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Segment, actor: &str) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into segment (segment_id, code, name, active, expression, version, made_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (code) do nothing",
        params![
            one.id,
            &one.code,
            &one.name,
            one.active,
            &one.expression,
            one.version,
            one.made_at,
            one.changed_at
        ],
    )?;
    if made == 1 {
        add_version(tx, one, actor)?;
    }
    Ok(made == 1)
}

/// Changes a segment that stands at the version before; false when it does not.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Segment, actor: &str) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update segment set name = $2, active = $3, expression = $4, version = $5, changed_at = $6
         where segment_id = $1 and version = $5 - 1",
        params![one.id, &one.name, one.active, &one.expression, one.version, one.changed_at],
    )?;
    if touched == 1 {
        add_version(tx, one, actor)?;
    }
    Ok(touched == 1)
}

fn add_version(tx: &mut Tx<'_>, one: &Segment, actor: &str) -> Result<(), StoreError> {
    tx.execute(
        "insert into segment_version (segment_id, version, name, active, expression, actor, at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        params![one.id, one.version, &one.name, one.active, &one.expression, actor, one.changed_at],
    )?;
    Ok(())
}

const FIND: &str =
    "select segment_id, code, name, active, expression, version, made_at, changed_at from segment
     where segment_id {in ids $1}";

/// The segments with these ids.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, ids: &[[u8; 16]]) -> Result<Vec<Segment>, StoreError> {
    tx.rows(FIND, &[Param::Ids(ids)], segment)
}

/// The segments after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<SegmentKind>, limit: i64) -> Result<Vec<Segment>, StoreError> {
    tx.rows(
        "select segment_id, code, name, active, expression, version, made_at, changed_at from segment
         where segment_id > $1 order by segment_id limit $2",
        params![after, limit],
        segment,
    )
}

/// The segments in use, at most `limit`, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn active(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Segment>, StoreError> {
    tx.rows(
        "select segment_id, code, name, active, expression, version, made_at, changed_at from segment
         where active = 1 order by segment_id limit $1",
        params![limit],
        segment,
    )
}

/// One version of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: i64,
    /// What people read.
    pub name: String,
    /// Was it in use?
    pub active: bool,
    /// Who belonged to it, as a document.
    pub expression: String,
    /// Who wrote it.
    pub actor: String,
    /// When.
    pub at: Instant,
}

/// The versions of a segment before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn versions(
    tx: &mut Tx<'_>,
    id: Id<SegmentKind>,
    before: i64,
    limit: i64,
) -> Result<Vec<Version>, StoreError> {
    tx.rows(
        "select version, name, active, expression, actor, at from segment_version
         where segment_id = $1 and version < $2 order by version desc limit $3",
        params![id, before, limit],
        |row| {
            Ok(Version {
                number: row.int()?,
                name: row.text()?,
                active: row.yes()?,
                expression: row.text()?,
                actor: row.text()?,
                at: row.instant()?,
            })
        },
    )
}

/// A version of a computed trait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trait {
    /// The short word it goes by.
    pub code: String,
    /// Its version.
    pub version: i64,
    /// What people read.
    pub name: String,
    /// How it is worked out, as a document.
    pub definition: String,
    /// When it was written.
    pub at: Instant,
}

fn of_trait(row: &mut Row<'_>) -> Result<Trait, StoreError> {
    Ok(Trait {
        code: row.text()?,
        version: row.int()?,
        name: row.text()?,
        definition: row.text()?,
        at: row.instant()?,
    })
}

/// Adds a version of a trait; false when there is one of that number.
///
/// # Errors
/// What the store says.
pub fn add_trait(tx: &mut Tx<'_>, one: &Trait, actor: &str) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into computed_trait (code, version, name, definition, actor, at) values ($1, $2, $3, $4, $5, $6)
         on conflict (code, version) do nothing",
        params![&one.code, one.version, &one.name, &one.definition, actor, one.at],
    )?;
    Ok(made == 1)
}

/// The newest versions of the traits of these codes.
///
/// # Errors
/// What the store says.
pub fn traits(tx: &mut Tx<'_>, codes: &[String]) -> Result<Vec<Trait>, StoreError> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    tx.rows(
        "select t.code, t.version, t.name, t.definition, t.at from computed_trait t
         where t.code {in texts $1}
             and t.version = (select max(n.version) from computed_trait n where n.code = t.code) order by t.code",
        &[Param::Texts(codes)],
        of_trait,
    )
}

/// The newest versions of the traits after a code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_traits(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Trait>, StoreError> {
    tx.rows(
        "select t.code, t.version, t.name, t.definition, t.at from computed_trait t
         where t.code > $1 and t.version = (select max(n.version) from computed_trait n where n.code = t.code)
         order by t.code limit $2",
        params![after, limit],
        of_trait,
    )
}

/// What holds of a setting: the document, its version, and since when.
///
/// # Errors
/// What the store says.
pub fn setting(tx: &mut Tx<'_>, name: &str) -> Result<Option<(String, i64, Instant)>, StoreError> {
    tx.one("select value, version, at from segment_setting where name = $1", params![name], |row| {
        Ok((row.text()?, row.int()?, row.instant()?))
    })
}

/// Writes a setting that stands at the version before (0 when there is none); false when it does not.
///
/// # Errors
/// What the store says.
pub fn set(
    tx: &mut Tx<'_>,
    name: &str,
    value: &str,
    (version, at): (i64, Instant),
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "insert into segment_setting (name, value, at, version) values ($1, $2, $3, $4)
         on conflict (name) do update set value = excluded.value, at = excluded.at, version = excluded.version
         where segment_setting.version = excluded.version - 1",
        params![name, value, at, version],
    )?;
    Ok(touched == 1)
}
