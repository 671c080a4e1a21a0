//! The rows of sources.

use domain::behaviour::{SchemaMode, SourceKind};
use domain::value::id::{Channel, Source as SourceId};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Pages, an app or a program that sends events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its identity.
    pub id: Id<SourceId>,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Are its events taken?
    pub enabled: bool,
    /// What becomes of events that are not as planned.
    pub mode: SchemaMode,
    /// The tracking plan, as a JSON list.
    pub plan: String,
    /// The channel in which it meets people.
    pub channel: Option<Id<Channel>>,
    /// The names of properties that the retailer opens since they name nobody, as a JSON list.
    pub countable: String,
    /// The purpose that people are watched for here: who refuses it is not.
    pub purpose: String,
    /// How many events were not kept because somebody refuses it.
    pub not_permitted: i64,
    /// The hash of its write key.
    pub key_hash: Vec<u8>,
    /// Its write key, where anybody can read it anyway.
    pub key: Option<String>,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn source(row: &mut Row<'_>) -> Result<Source, StoreError> {
    Ok(Source {
        id: row.id()?,
        name: row.text()?,
        kind: row.word(SourceKind::coded)?,
        enabled: row.yes()?,
        mode: row.word(SchemaMode::coded)?,
        plan: row.text()?,
        channel: row.id_or_null()?,
        countable: row.text()?,
        purpose: row.text()?,
        not_permitted: row.int()?,
        key_hash: row.bytes()?,
        key: row.text_or_null()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds a source.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Source) -> Result<(), StoreError> {
    tx.execute(
        "insert into source (source_id, name, kind, enabled, schema_mode, plan, channel_id, countable, purpose, not_permitted, key_hash, key_text, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        params![
            new.id,
            &new.name,
            new.kind.code(),
            new.enabled,
            new.mode.code(),
            &new.plan,
            new.channel,
            &new.countable,
            &new.purpose,
            new.not_permitted,
            &new.key_hash,
            new.key.as_ref(),
            new.made_at,
            new.changed_at,
            new.version
        ],
    )?;
    Ok(())
}

/// Writes what of a source can change, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, source: &Source, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update source set name = $3, enabled = $4, schema_mode = $5, plan = $6, countable = $7, purpose = $8, changed_at = $9, version = $10
         where source_id = $1 and version = $2",
        params![
            source.id,
            was,
            &source.name,
            source.enabled,
            source.mode.code(),
            &source.plan,
            &source.countable,
            &source.purpose,
            source.changed_at,
            source.version
        ],
    )?;
    Ok(touched == 1)
}

/// Counts events of a source that were not kept because somebody refuses it.
///
/// # Errors
/// What the store says.
pub fn count_not_permitted(tx: &mut Tx<'_>, id: Id<SourceId>, events: u64) -> Result<(), StoreError> {
    if events > 0 {
        tx.execute(
            "update source set not_permitted = not_permitted + $2 where source_id = $1",
            params![id, events.cast_signed()],
        )?;
    }
    Ok(())
}

/// The source with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<SourceId>) -> Result<Option<Source>, StoreError> {
    tx.one(
        "select source_id, name, kind, enabled, schema_mode, plan, channel_id, countable, purpose, not_permitted, key_hash, key_text, made_at, changed_at, version
         from source where source_id = $1",
        params![id],
        source,
    )
}

/// The sources after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<SourceId>, limit: i64) -> Result<Vec<Source>, StoreError> {
    tx.rows(
        "select source_id, name, kind, enabled, schema_mode, plan, channel_id, countable, purpose, not_permitted, key_hash, key_text, made_at, changed_at, version
         from source where source_id > $1 order by source_id limit $2",
        params![after, limit],
        source,
    )
}
