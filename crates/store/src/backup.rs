//! Backups: everything the books hold at one instant, in one file that either engine can take in.
//!
//! The file is JSON, line by line: what it is, then each table with its columns followed by its rows, then an end that counts the rows
//! and holds the SHA-256 of all lines before it. Bytes are written as hexadecimal digits. Tables and columns are asked from the database
//! itself, so nothing can be forgotten when a migration adds one.

mod catalog;
mod reading;

use std::fmt;
use std::io::{self, Write};

use domain::value::Instant;
use sha2::{Digest, Sha256};

use crate::migration::MIGRATIONS;
use crate::{Param, StoreError, Tx};

use catalog::{Table, Value, statement, tables};
pub use reading::{restore, verify};

/// What the first line says this is.
const FORMAT: &str = "tandem backup";
/// The version of the format.
const VERSION: i64 = 1;
/// How many rows are read at once.
const PAGE: usize = 1_000;
/// The table that says which migrations a database has: its own affair, not part of a backup.
const MIGRATION_TABLE: &str = "migration";

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many tables.
    pub tables: u64,
    /// How many rows.
    pub rows: u64,
    /// The newest migration of the database it was made from.
    pub migration: i64,
}

/// Why a backup was not made or not taken in. Nothing was changed then.
#[derive(Debug)]
pub enum BackupError {
    /// The database.
    Store(StoreError),
    /// The file.
    File(io::Error),
    /// What the file holds.
    Unfit(String),
}

impl fmt::Display for BackupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackupError::Store(error) => error.fmt(out),
            BackupError::File(error) => write!(out, "the backup file cannot be read or written: {error}"),
            BackupError::Unfit(why) => out.write_str(why),
        }
    }
}
impl std::error::Error for BackupError {}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> BackupError {
        BackupError::Store(error)
    }
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> BackupError {
        BackupError::File(error)
    }
}

/// Writes everything the books hold to `out`; `progress` is told how many rows were written.
///
/// # Errors
/// When the database cannot be read or `out` not be written.
pub fn write(
    tx: &mut Tx<'_>,
    now: Instant,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64),
) -> Result<Contents, BackupError> {
    let migration = MIGRATIONS.len() as i64;
    let mut lines = Lines { out, hash: Sha256::new() };
    let head = serde_json::json!({"format": FORMAT, "version": VERSION, "migrations": migration, "at_micros": now.micros()});
    lines.line(&head.to_string())?;
    let mut contents = Contents { tables: 0, rows: 0, migration };
    for table in tables(tx)?.iter().filter(|table| table.name != MIGRATION_TABLE) {
        lines.line(&table.heading())?;
        write_rows(tx, table, &mut lines, &mut |rows| {
            contents.rows += rows;
            progress(contents.rows);
        })?;
        contents.tables += 1;
    }
    let hash = hexadecimal(&lines.hash.finalize_reset());
    lines.line(&serde_json::json!({"end": {"rows": contents.rows, "sha256": hash}}).to_string())?;
    lines.out.flush()?;
    Ok(contents)
}

fn write_rows(
    tx: &mut Tx<'_>,
    table: &Table,
    lines: &mut Lines<'_>,
    written: &mut dyn FnMut(u64),
) -> Result<(), BackupError> {
    let (first, next) = (statement(table.select(false)), statement(table.select(true)));
    let mut after: Vec<Value> = Vec::new();
    loop {
        let limit = Param::Int(PAGE as i64);
        let params: Vec<Param<'_>> = after.iter().map(Value::param).chain([limit]).collect();
        let rows = tx.rows(if after.is_empty() { first } else { next }, &params, |row| table.read(row))?;
        for row in &rows {
            lines.line(&catalog::as_line(row))?;
        }
        written(rows.len() as u64);
        match rows.last() {
            Some(last) if rows.len() == PAGE => after = table.key_of(last),
            _ => return Ok(()),
        }
    }
}

/// Lines on their way out, hashed as they go.
struct Lines<'o> {
    out: &'o mut dyn Write,
    hash: Sha256,
}

impl Lines<'_> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        self.hash.update(text);
        self.hash.update(b"\n");
        self.out.write_all(text.as_bytes())?;
        self.out.write_all(b"\n")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}
