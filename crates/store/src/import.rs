//! The rows of imports and of their errors, and finding things by the short words they go by in files.

use domain::import::source::Precedence;
use domain::import::{Kind, Mode, State};
use domain::value::id::{
    Channel, DeliveryMethod, Import as ImportKind, Location, PriceList, TaxClass, Variant,
};
use domain::value::{Id, Instant, Kind as IdKind};

use crate::{Param, Row, StoreError, Tx, params};

pub mod source;

/// A file being taken in, or taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its identity.
    pub id: Id<ImportKind>,
    /// What the file holds.
    pub kind: Kind,
    /// What becomes of it when a row cannot be taken.
    pub mode: Mode,
    /// How far it is.
    pub state: State,
    /// The source it came from, if one was named.
    pub source: Option<String>,
    /// Who is right where it says something else than is known.
    pub precedence: Option<Precedence>,
    /// What the file and its mapping hash to.
    pub file_hash: Vec<u8>,
    /// How the file was read: its encoding, what was odd, columns left out; one note a line.
    pub notes: String,
    /// Who began it: `staff:stf_…`.
    pub actor: String,
    /// Rows in the file.
    pub rows_total: i64,
    /// Rows that were looked at.
    pub rows_read: i64,
    /// Rows by which something new was made.
    pub made: i64,
    /// Rows by which something was changed.
    pub changed: i64,
    /// Rows that said what is so already.
    pub same: i64,
    /// Rows of somebody who was there, put to what other sources say of the same person.
    pub joined: i64,
    /// Rows of which a colleague looks whose they are, too.
    pub review: i64,
    /// What was found out about rows.
    pub findings: i64,
    /// Rows that could not be taken.
    pub refused: i64,
    /// Errors of these rows, those that were not kept too.
    pub errors: i64,
    /// When it began.
    pub made_at: Instant,
    /// When the last rows were looked at.
    pub changed_at: Instant,
}

/// What was told of a row that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Its place among the errors of the import, from 1.
    pub place: i64,
    /// The line of the file, from 1.
    pub line: i64,
    /// The column at fault, by our name.
    pub column: Option<String>,
    /// What stands there, shortened; never of a person.
    pub value: Option<String>,
    /// The code of the refusal.
    pub code: String,
    /// The words for a person.
    pub message: String,
}

fn import(row: &mut Row<'_>) -> Result<Import, StoreError> {
    Ok(Import {
        id: row.id()?,
        kind: row.word(Kind::coded)?,
        mode: row.word(Mode::coded)?,
        state: row.word(State::coded)?,
        source: row.text_or_null()?,
        precedence: row.int_or_null()?.and_then(Precedence::coded),
        file_hash: row.bytes()?,
        notes: row.text()?,
        actor: row.text()?,
        rows_total: row.int()?,
        rows_read: row.int()?,
        made: row.int()?,
        changed: row.int()?,
        same: row.int()?,
        joined: row.int()?,
        review: row.int()?,
        findings: row.int()?,
        refused: row.int()?,
        errors: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
    })
}

/// Adds an import.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, import: &Import) -> Result<(), StoreError> {
    tx.execute(
        "insert into import_run (import_id, kind, mode, state, source, precedence, file_hash, notes, actor, rows_total, rows_read, made, changed, same,
             joined, review, findings, refused, errors, made_at, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        params![
            import.id,
            import.kind.code(),
            import.mode.code(),
            import.state.code(),
            import.source.as_ref(),
            import.precedence.map(Precedence::code),
            &import.file_hash,
            &import.notes,
            &import.actor,
            import.rows_total,
            import.rows_read,
            import.made,
            import.changed,
            import.same,
            import.joined,
            import.review,
            import.findings,
            import.refused,
            import.errors,
            import.made_at,
            import.changed_at,
        ],
    )?;
    Ok(())
}

/// Writes how far an import is, if it still is where it was; false when somebody else went on with it.
///
/// # Errors
/// What the store says.
pub fn advance(tx: &mut Tx<'_>, import: &Import, rows_read_before: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update import_run set state = $3, rows_read = $4, made = $5, changed = $6, same = $7, refused = $8, errors = $9, changed_at = $10,
             joined = $11, review = $12, findings = $13, notes = $14
         where import_id = $1 and rows_read = $2 and state = 1",
        params![
            import.id,
            rows_read_before,
            import.state.code(),
            import.rows_read,
            import.made,
            import.changed,
            import.same,
            import.refused,
            import.errors,
            import.changed_at,
            import.joined,
            import.review,
            import.findings,
            &import.notes,
        ],
    )?;
    Ok(touched == 1)
}

/// The import with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<ImportKind>) -> Result<Option<Import>, StoreError> {
    tx.one(
        "select import_id, kind, mode, state, source, precedence, file_hash, notes, actor, rows_total, rows_read, made, changed, same, joined,
             review, findings, refused, errors, made_at, changed_at
         from import_run where import_id = $1",
        params![id],
        import,
    )
}

/// The imports before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, before: Id<ImportKind>, limit: i64) -> Result<Vec<Import>, StoreError> {
    tx.rows(
        "select import_id, kind, mode, state, source, precedence, file_hash, notes, actor, rows_total, rows_read, made, changed, same, joined,
             review, findings, refused, errors, made_at, changed_at
         from import_run where import_id < $1 order by import_id desc limit $2",
        params![before, limit],
        import,
    )
}

/// Keeps what was told of a row.
///
/// # Errors
/// What the store says.
pub fn add_error(tx: &mut Tx<'_>, id: Id<ImportKind>, error: &RowError) -> Result<(), StoreError> {
    tx.execute(
        "insert into import_error (import_id, place, line, column_name, value, code, message) values ($1, $2, $3, $4, $5, $6, $7)",
        params![
            id,
            error.place,
            error.line,
            error.column.as_ref(),
            error.value.as_ref(),
            &error.code,
            &error.message
        ],
    )?;
    Ok(())
}

/// What was told of rows after a place, in the order of the file, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn errors(
    tx: &mut Tx<'_>,
    id: Id<ImportKind>,
    after: i64,
    limit: i64,
) -> Result<Vec<RowError>, StoreError> {
    tx.rows(
        "select place, line, column_name, value, code, message from import_error where import_id = $1 and place > $2 order by place limit $3",
        params![id, after, limit],
        |row| {
            Ok(RowError {
                place: row.int()?,
                line: row.int()?,
                column: row.text_or_null()?,
                value: row.text_or_null()?,
                code: row.text()?,
                message: row.text()?,
            })
        },
    )
}

/// The location with a code.
///
/// # Errors
/// What the store says.
pub fn location_coded(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<Location>>, StoreError> {
    tx.one("select location_id from location where code = $1", params![code], |row| row.id())
}

/// The channel with a code.
///
/// # Errors
/// What the store says.
pub fn channel_coded(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<Channel>>, StoreError> {
    tx.one("select channel_id from channel where code = $1", params![code], |row| row.id())
}

/// The tax class with a code.
///
/// # Errors
/// What the store says.
pub fn tax_class_coded(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<TaxClass>>, StoreError> {
    tx.one("select tax_class_id from tax_class where code = $1", params![code], |row| row.id())
}

/// The price list with a code.
///
/// # Errors
/// What the store says.
pub fn price_list_coded(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<PriceList>>, StoreError> {
    tx.one("select price_list_id from price_list where code = $1", params![code], |row| row.id())
}

/// The delivery method with a code.
///
/// # Errors
/// What the store says.
pub fn delivery_method_coded(tx: &mut Tx<'_>, code: &str) -> Result<Option<Id<DeliveryMethod>>, StoreError> {
    tx.one("select delivery_method_id from delivery_method where code = $1", params![code], |row| row.id())
}

/// The external ids of these things.
///
/// # Errors
/// What the store says.
pub fn external_ids<K: IdKind>(
    tx: &mut Tx<'_>,
    ids: &[[u8; 16]],
) -> Result<Vec<(Id<K>, String)>, StoreError> {
    tx.rows(
        "select id, external_id from external_id where kind = $1 and id {in ids $2}",
        &[K::PREFIX.into(), Param::Ids(ids)],
        |row| Ok((row.id()?, row.text()?)),
    )
}

/// The variants after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn variants_after(
    tx: &mut Tx<'_>,
    after: Id<Variant>,
    limit: i64,
) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select variant_id from variant where variant_id > $1 order by variant_id limit $2",
        params![after, limit],
        |row| row.id(),
    )
}
