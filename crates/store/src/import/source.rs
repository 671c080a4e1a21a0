//! The rows of sources of files, and of what an import found out about rows: whom they are of, and whom they may be of.

use domain::import::source::{Precedence, SameBy};
use domain::value::id::{Customer, Import as ImportKind};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A source of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// How far it is trusted, from 1.
    pub trust: i64,
    /// Who is right where it says something else than is known, unless an import says so.
    pub precedence: Precedence,
    /// Kinds of files with their mappings: a document.
    pub mappings: String,
    /// Counts the changes.
    pub version: i64,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// What an import found out about a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line of the file.
    pub line: i64,
    /// Is the row put to whom it was found to be? Else a colleague looks.
    pub is_joined: bool,
    /// How it was found.
    pub same_by: SameBy,
    /// The customer it is, or may be.
    pub customer: Option<Id<Customer>>,
    /// The line further up that it is the same as, or may be.
    pub other_line: Option<i64>,
    /// The score, in thousandths of a bit; 0 where a key is the same.
    pub score: i32,
    /// How the score came about: a document of steps with their weights.
    pub steps: String,
}

fn source(row: &mut Row<'_>) -> Result<Source, StoreError> {
    Ok(Source {
        code: row.text()?,
        name: row.text()?,
        trust: row.int()?,
        precedence: row.word(Precedence::coded)?,
        mappings: row.text()?,
        version: row.int()?,
        changed_at: row.instant()?,
    })
}

/// The source with a code.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, code: &str) -> Result<Option<Source>, StoreError> {
    tx.one(
        "select code, name, trust, precedence, mappings, version, changed_at from import_source where code = $1",
        params![code],
        source,
    )
}

/// All sources, by code.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Source>, StoreError> {
    tx.rows(
        "select code, name, trust, precedence, mappings, version, changed_at from import_source order by code",
        &[],
        source,
    )
}

/// Writes a source, if it still has the version before; false when it has not.
///
/// # Errors
/// What the store says.
pub fn put(tx: &mut Tx<'_>, one: &Source) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "insert into import_source (code, name, trust, precedence, mappings, version, changed_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (code) do update set name = excluded.name, trust = excluded.trust, precedence = excluded.precedence,
             mappings = excluded.mappings, version = excluded.version, changed_at = excluded.changed_at
         where import_source.version = excluded.version - 1",
        params![
            &one.code,
            &one.name,
            one.trust,
            one.precedence.code(),
            &one.mappings,
            one.version,
            one.changed_at
        ],
    )?;
    Ok(touched == 1)
}

/// Keeps what was found out about a row.
///
/// # Errors
/// What the store says.
pub fn add_finding(tx: &mut Tx<'_>, id: Id<ImportKind>, place: i64, one: &Finding) -> Result<(), StoreError> {
    tx.execute(
        "insert into import_finding (import_id, place, line, is_joined, same_by, customer_id, other_line, score, steps)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            id,
            place,
            one.line,
            one.is_joined,
            one.same_by.code(),
            one.customer,
            one.other_line,
            i64::from(one.score),
            &one.steps
        ],
    )?;
    Ok(())
}

/// What was found out about rows after a place, with their places, in the order of the file, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn findings(
    tx: &mut Tx<'_>,
    id: Id<ImportKind>,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Finding)>, StoreError> {
    tx.rows(
        "select place, line, is_joined, same_by, customer_id, other_line, score, steps from import_finding
         where import_id = $1 and place > $2 order by place limit $3",
        params![id, after, limit],
        |row| {
            let place = row.int()?;
            let one = Finding {
                line: row.int()?,
                is_joined: row.yes()?,
                same_by: row.word(SameBy::coded)?,
                customer: row.id_or_null()?,
                other_line: row.int_or_null()?,
                score: i32::try_from(row.int()?).unwrap_or(i32::MAX),
                steps: row.text()?,
            };
            Ok((place, one))
        },
    )
}
