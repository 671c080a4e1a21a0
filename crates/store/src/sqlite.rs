//! The embedded engine: one writer whose waiting commands share a commit, and readers that see a fixed state.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use crate::db::{Committed, Job, run_guarded};
use crate::dialect::{self, Engine};
use crate::queue::Taker;
use crate::row::Columns;
use crate::tx::Connection;
use crate::{Param, Row, StoreError, Tx};

/// The most commands that share one commit.
const BATCH_MAX: usize = 256;
/// How long a statement waits for another program's lock on the file.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection; more than the program has.
const STATEMENTS_MAX: usize = 1024;

/// What holds for every connection.
const SETTINGS: &str = "pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864; pragma secure_delete = fast;";
/// The writer's: room for the pages that all commands touch. What a command may have to take back is noted in one piece of memory
/// (`SQLITE_STMTJRNL_SPILL` in `.cargo/config.toml`): kept by `temp_store = memory` it is a chain of kilobytes, walked at every statement.
const WRITER_SETTINGS: &str = "pragma cache_size = -24576; pragma wal_autocheckpoint = 4000;";
/// A reader's: little of its own, because the system keeps the file's pages for all of them.
const READER_SETTINGS: &str =
    "pragma query_only = on; pragma cache_size = -4096; pragma temp_store = memory;";

/// One connection to the database file.
pub(crate) struct SqliteConnection {
    raw: rusqlite::Connection,
    texts: RefCell<HashMap<(usize, usize), Arc<str>>>,
}

impl SqliteConnection {
    /// Opens or creates the file; a reader cannot write.
    pub(crate) fn open(path: &Path, writes: bool) -> Result<SqliteConnection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let raw = rusqlite::Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
        raw.busy_timeout(LOCK_WAIT_MAX).map_err(|error| failed(&error))?;
        raw.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // A statement keeps the plan it was given: without this SQLite plans many anew whenever a parameter changes.
        raw.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(|error| failed(&error))?;
        let settings = if writes { [SETTINGS, WRITER_SETTINGS] } else { [SETTINGS, READER_SETTINGS] };
        settings
            .iter()
            .try_for_each(|settings| raw.execute_batch(settings))
            .map_err(|error| failed(&error))?;
        Ok(SqliteConnection { raw, texts: RefCell::new(HashMap::new()) })
    }

    /// Runs several statements without parameters, as migrations need.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.raw.execute_batch(sql).map_err(|error| failed(&error))
    }

    /// Begins or ends a transaction or a part of one.
    fn control(&self, sql: &'static str) -> Result<(), StoreError> {
        self.execute(sql, &[]).map(drop)
    }

    fn text(&self, sql: &'static str) -> Arc<str> {
        let mut texts = self.texts.borrow_mut();
        texts
            .entry((sql.as_ptr().addr(), sql.len()))
            .or_insert_with(|| dialect::translate(Engine::Sqlite, sql).into())
            .clone()
    }

    /// Has the engine read a statement without running it.
    pub(crate) fn prepare(&self, sql: &'static str) -> Result<(), StoreError> {
        self.raw.prepare_cached(&self.text(sql)).map(drop).map_err(|error| failed(&error))
    }

    pub(crate) fn execute(&self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.raw.prepare_cached(&self.text(sql)).map_err(|error| failed(&error))?;
        let touched =
            statement.execute(rusqlite::params_from_iter(params)).map_err(|error| failed(&error))?;
        Ok(touched as u64)
    }

    /// Runs a statement with each of these parameters.
    pub(crate) fn execute_each(
        &self,
        sql: &'static str,
        all: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.raw.prepare_cached(&self.text(sql)).map_err(|error| failed(&error))?;
        let mut once = |params: &Vec<Param<'_>>| {
            let touched = statement.execute(rusqlite::params_from_iter(params));
            touched.map(|touched| touched as u64).map_err(|error| failed(&error))
        };
        all.iter().map(&mut once).collect()
    }

    pub(crate) fn rows(
        &self,
        sql: &'static str,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&mut Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.raw.prepare_cached(&self.text(sql)).map_err(|error| failed(&error))?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(|error| failed(&error))?;
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            read(&mut Row::new(Columns::Sqlite(row)))?;
        }
        Ok(())
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Param::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Param::Int(number) => ToSqlOutput::Borrowed(ValueRef::Integer(*number)),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Param::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Param::Id(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Param::Ids(ids) => ToSqlOutput::Owned(Value::Text(dialect::ids_as_json(ids))),
            Param::Texts(texts) => ToSqlOutput::Owned(Value::Text(
                serde_json::to_string(texts)
                    .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?,
            )),
        })
    }
}

/// What an engine's error means to us.
pub(crate) fn failed(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        return StoreError::Statement(error.to_string());
    };
    match code.code {
        ErrorCode::DiskFull => {
            StoreError::Unavailable("the disk is full; free some space, then it goes on by itself".into())
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Unavailable(
            "another program has locked the database file; close it, then it goes on by itself".into(),
        ),
        ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied => {
            StoreError::Unavailable(format!("the database file cannot be read or written: {error}"))
        }
        ErrorCode::OutOfMemory => StoreError::Unavailable("out of memory".into()),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Statement(error.to_string()),
    }
}

/// The writer's life: take what waits, give each command its savepoint, commit once, then answer all.
pub(crate) fn write_loop(connection: &SqliteConnection, queue: &Taker<Box<dyn Job>>, committed: &Committed) {
    while let Some(first) = queue.take() {
        if let Err(error) = connection.control("begin immediate") {
            first.finish(Err(error));
            continue;
        }
        let mut batch = Batch { connection, kept: Vec::new(), holds_changes: false, events: false };
        let mut alive = batch.run(first);
        let mut taken = 1;
        while alive && taken < BATCH_MAX {
            let Some(next) = queue.take_waiting() else { break };
            alive = batch.run(next);
            taken += 1;
        }
        batch.commit(alive, committed);
    }
}

struct Batch<'c> {
    connection: &'c SqliteConnection,
    kept: Vec<Box<dyn Job>>,
    holds_changes: bool,
    events: bool,
}

impl Batch<'_> {
    /// Runs one command in its savepoint. A refused command is answered at the commit too, so that no answer rests on
    /// what a failed commit takes back. False when the engine has ended the whole transaction by itself (disk full).
    fn run(&mut self, mut job: Box<dyn Job>) -> bool {
        if let Err(error) = self.begin_command() {
            job.finish(Err(error));
            return !self.connection.raw.is_autocommit();
        }
        let mut tx = Tx::new(Connection::Sqlite(self.connection));
        let outcome = run_guarded(job.as_mut(), &mut tx)
            .and_then(|keep| if keep { tx.write_events().map(Some) } else { Ok(None) });
        if self.connection.raw.is_autocommit() {
            job.finish(Err(outcome.err().or_else(|| tx.failure().cloned()).unwrap_or(StoreError::Closed)));
            return false;
        }
        let ended = self.end_command(matches!(outcome, Ok(Some(_))));
        match outcome.and_then(|events| ended.map(|()| events)) {
            Ok(events) => {
                self.events |= events.unwrap_or(false);
                self.kept.push(job);
            }
            Err(error) => job.finish(Err(error)),
        }
        !self.connection.raw.is_autocommit()
    }

    /// Remembers where a command begins. While nothing was changed it begins where the transaction does, which costs nothing.
    fn begin_command(&self) -> Result<(), StoreError> {
        if self.holds_changes { self.connection.control("savepoint command") } else { Ok(()) }
    }

    /// Keeps what a command changed, or takes it back.
    fn end_command(&mut self, keep: bool) -> Result<(), StoreError> {
        match (self.holds_changes, keep) {
            (false, true) => self.holds_changes = true,
            (false, false) => {
                self.connection.control("rollback")?;
                self.connection.control("begin immediate")?;
            }
            (true, true) => self.connection.control("release command")?,
            (true, false) => {
                self.connection.control("rollback to command")?;
                self.connection.control("release command")?;
            }
        }
        Ok(())
    }

    fn commit(self, alive: bool, committed: &Committed) {
        let outcome = if alive {
            self.connection.control("commit")
        } else {
            Err(StoreError::Unavailable(
                "the database ended the transaction; nothing was kept, try again".into(),
            ))
        };
        if outcome.is_err() && !self.connection.raw.is_autocommit() {
            // The engine keeps a transaction open whose commit failed; it must not leak into the next one.
            let _ = self.connection.control("rollback");
        }
        if outcome.is_ok() && self.events {
            committed.tell();
        }
        for job in self.kept {
            job.finish(outcome.clone());
        }
    }
}

/// A reader's life: each read sees one fixed state of the books.
pub(crate) fn read_loop(connection: &SqliteConnection, queue: &Taker<Box<dyn Job>>) {
    while let Some(mut job) = queue.take() {
        if let Err(error) = connection.control("begin") {
            job.finish(Err(error));
            continue;
        }
        let outcome = run_guarded(job.as_mut(), &mut Tx::new(Connection::Sqlite(connection)));
        let ended = connection.control("rollback");
        job.finish(outcome.and(ended));
    }
}
