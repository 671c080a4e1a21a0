//! Reading a backup: first whole, to see that nothing is missing or changed, then again into an empty database.

use std::io::BufRead;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::catalog::{Table, Value, statement, tables};
use super::{BackupError, Contents, FORMAT, MIGRATION_TABLE, VERSION, hexadecimal};
use crate::migration::MIGRATIONS;
use crate::{Param, Tx};

/// The most rows added by one statement.
const ROWS_MAX: usize = 100;

/// Reads a whole backup and sees whether it is complete and unchanged.
///
/// # Errors
/// [`BackupError::Unfit`] says what is wrong with it.
pub fn verify(file: &mut dyn BufRead) -> Result<Contents, BackupError> {
    read(file, &mut |_, _| Ok(()))
}

/// Takes a backup into a database that holds nothing yet; `progress` is told how many rows were taken in.
///
/// # Errors
/// [`BackupError::Unfit`] when the database is not empty, or the backup is not complete, was changed, or is from a newer program.
pub fn restore(
    tx: &mut Tx<'_>,
    file: &mut dyn BufRead,
    progress: &mut dyn FnMut(u64),
) -> Result<Contents, BackupError> {
    let known: Vec<Table> = tables(tx)?.into_iter().filter(|table| table.name != MIGRATION_TABLE).collect();
    for table in &known {
        if tx.one(statement(table.select_any()), &[], |row| row.int())?.is_some() {
            return Err(unfit(format!(
                "the database is not empty, table {} has rows; restore into a new one",
                table.name
            )));
        }
    }
    let mut adding = Adding { known: &known, table: None, rows: Vec::new(), full: "", added: 0 };
    let contents = read(file, &mut |table, row| {
        adding.add(tx, table, row)?;
        progress(adding.added);
        Ok(())
    })?;
    adding.flush(tx)?;
    Ok(contents)
}

fn unfit(why: impl Into<String>) -> BackupError {
    BackupError::Unfit(why.into())
}

/// What is done with a row of a table.
type TakeRow<'t> = dyn FnMut(&Table, Vec<Value>) -> Result<(), BackupError> + 't;

/// Reads a backup from the first to the last line and hands every row on.
fn read(file: &mut dyn BufRead, take: &mut TakeRow<'_>) -> Result<Contents, BackupError> {
    let mut lines = Lines { file, hash: Sha256::new(), number: 0, text: String::new() };
    let mut contents = Contents { tables: 0, rows: 0, migration: heading(&lines.next()?)? };
    let mut table: Option<Table> = None;
    loop {
        let before = lines.hash.clone();
        let line = lines.next()?;
        if line.is_array() {
            let row = table.as_ref().and_then(|table| Some((table, table.row_of(&line)?)));
            let (table, row) = row.ok_or_else(|| lines.changed())?;
            take(table, row)?;
            contents.rows += 1;
        } else if let Some(end) = line.get("end") {
            let hash = hexadecimal(&before.finalize());
            let as_told = end.get("rows").and_then(Json::as_u64) == Some(contents.rows)
                && end.get("sha256").and_then(Json::as_str) == Some(&hash);
            return if as_told && lines.is_over()? { Ok(contents) } else { Err(lines.changed()) };
        } else {
            table = Some(Table::of_heading(&line).ok_or_else(|| lines.changed())?);
            contents.tables += 1;
        }
    }
}

/// Reads the first line; answers how many migrations the database had.
fn heading(line: &Json) -> Result<i64, BackupError> {
    if line.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(unfit("this file is not a backup made by tandem"));
    }
    let number = |name| line.get(name).and_then(Json::as_i64);
    match (number("version"), number("migrations")) {
        (Some(VERSION), Some(migrations)) if migrations <= MIGRATIONS.len() as i64 => Ok(migrations),
        _ => {
            Err(unfit("this backup was made by a newer version of the program; restore it with that version"))
        }
    }
}

/// The lines of a file, hashed as they are read.
struct Lines<'f> {
    file: &'f mut dyn BufRead,
    hash: Sha256,
    number: u64,
    text: String,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Json, BackupError> {
        self.text.clear();
        self.number += 1;
        self.file.read_line(&mut self.text).map_err(|error| {
            unfit(format!("the backup is cut off or was changed at line {}: {error}", self.number))
        })?;
        if !self.text.ends_with('\n') {
            return Err(unfit(format!("the backup is cut off at line {}", self.number)));
        }
        self.hash.update(&self.text);
        serde_json::from_str(&self.text).map_err(|_| self.changed())
    }

    fn is_over(&mut self) -> Result<bool, BackupError> {
        Ok(self.file.fill_buf()?.is_empty())
    }

    fn changed(&self) -> BackupError {
        unfit(format!(
            "the backup was changed after it was made: line {} is not as it was written",
            self.number
        ))
    }
}

/// Rows on their way into the database, many in one statement.
struct Adding<'k> {
    known: &'k [Table],
    table: Option<Table>,
    rows: Vec<Vec<Value>>,
    full: &'static str,
    added: u64,
}

impl Adding<'_> {
    fn add(&mut self, tx: &mut Tx<'_>, table: &Table, row: Vec<Value>) -> Result<(), BackupError> {
        if self.table.as_ref() != Some(table) {
            self.flush(tx)?;
            self.begin(table)?;
        }
        self.rows.push(row);
        if self.rows.len() == ROWS_MAX {
            self.insert(tx, self.full)?;
        }
        Ok(())
    }

    fn begin(&mut self, table: &Table) -> Result<(), BackupError> {
        let ours = self.known.iter().find(|known| known.name == table.name);
        let has = |name: &str| ours.is_some_and(|ours| ours.columns.iter().any(|column| column.name == name));
        if let Some(column) = table.columns.iter().find(|column| !has(&column.name)) {
            return Err(unfit(format!(
                "this program has no place for column {} of table {}",
                column.name, table.name
            )));
        }
        self.full = statement(table.insert(ROWS_MAX));
        self.table = Some(table.clone());
        Ok(())
    }

    /// Adds the rows that are left over.
    fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), BackupError> {
        let Some(table) = self.table.as_ref().filter(|_| !self.rows.is_empty()) else { return Ok(()) };
        let sql = statement(table.insert(self.rows.len()));
        self.insert(tx, sql)
    }

    fn insert(&mut self, tx: &mut Tx<'_>, sql: &'static str) -> Result<(), BackupError> {
        let params: Vec<Param<'_>> = self.rows.iter().flatten().map(Value::param).collect();
        self.added += tx.execute(sql, &params)?;
        self.rows.clear();
        Ok(())
    }
}
