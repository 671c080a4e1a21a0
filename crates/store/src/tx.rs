//! A transaction: all of a command's changes or none.

use crate::dialect::Engine;
use crate::event::Event;
use crate::postgres::PostgresConnection;
use crate::sqlite::SqliteConnection;
use crate::{Param, Row, StoreError, event};

/// The connection a transaction runs on.
pub(crate) enum Connection<'c> {
    Sqlite(&'c SqliteConnection),
    Postgres(&'c mut PostgresConnection),
}

/// Takes a row that was read.
type Keep<'k> = dyn FnMut(&mut Row<'_>) -> Result<(), StoreError> + 'k;

/// A statement that only reads, asked together with others: see [`Tx::ask`].
pub(crate) struct Ask<'a> {
    /// Its text.
    pub sql: &'static str,
    /// Its parameters.
    pub params: &'a [Param<'a>],
    /// Takes each row of the answer.
    pub read: &'a mut Keep<'a>,
}

/// An open transaction. Handed to the work given to [`crate::Db::write`] and [`crate::Db::read`]; ended by the store, never by the work.
pub struct Tx<'c> {
    connection: Connection<'c>,
    events: Vec<Event>,
    failure: Option<StoreError>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: Connection<'c>) -> Tx<'c> {
        Tx { connection, events: Vec::new(), failure: None }
    }

    /// Which engine the transaction runs on.
    pub(crate) fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Has the engine read a statement without running it, for the test that reads all of them.
    ///
    /// # Errors
    /// [`StoreError::Statement`] when the engine does not understand it.
    pub fn prepare(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => connection.prepare(sql),
            Connection::Postgres(connection) => connection.statement(sql).map(drop),
        }
    }

    /// Runs a statement that returns no rows; answers how many rows it touched.
    ///
    /// # Errors
    /// [`StoreError`] when the engine refuses or cannot.
    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let outcome = match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute(sql, params),
            Connection::Postgres(connection) => connection.execute(sql, params),
        };
        self.remember(outcome)
    }

    /// Runs a statement once with each of these parameters, in their order; answers how many rows each touched. Over a wire nobody waits for
    /// one answer before the next is sent.
    ///
    /// # Errors
    /// As [`Tx::execute`], of the first that fails.
    pub fn execute_each(
        &mut self,
        sql: &'static str,
        all: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        let outcome = match &mut self.connection {
            Connection::Sqlite(connection) => connection.execute_each(sql, all),
            Connection::Postgres(connection) => connection.execute_each(sql, all),
        };
        self.remember(outcome)
    }

    /// As [`Tx::execute_each`], and reads every row that is returned.
    ///
    /// # Errors
    /// As [`Tx::execute_each`], or what `read` refuses.
    pub fn rows_each<T>(
        &mut self,
        sql: &'static str,
        all: &[Vec<Param<'_>>],
        read: impl FnMut(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.gather(read, |connection, keep| match connection {
            Connection::Sqlite(connection) => {
                all.iter().try_for_each(|params| connection.rows(sql, params, keep))
            }
            Connection::Postgres(connection) => connection.rows_each(sql, all, keep),
        })
    }

    /// Runs a statement and reads every row it returns.
    ///
    /// # Errors
    /// As [`Tx::execute`], or what `read` refuses.
    pub fn rows<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.gather(read, |connection, keep| match connection {
            Connection::Sqlite(connection) => connection.rows(sql, params, keep),
            Connection::Postgres(connection) => connection.rows(sql, params, keep),
        })
    }

    /// Asks statements that only read, none of which needs the answer to another. Over a wire all are sent before the first answer comes.
    ///
    /// # Errors
    /// As [`Tx::rows`], of the first that fails.
    pub(crate) fn ask(&mut self, asks: &mut [Ask<'_>]) -> Result<(), StoreError> {
        let outcome = match &mut self.connection {
            Connection::Sqlite(connection) => {
                asks.iter_mut().try_for_each(|ask| connection.rows(ask.sql, ask.params, &mut *ask.read))
            }
            Connection::Postgres(connection) => connection.ask(asks),
        };
        self.remember(outcome)
    }

    /// Reads every row that is asked for.
    fn gather<T>(
        &mut self,
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, StoreError>,
        ask: impl FnOnce(&mut Connection<'c>, &mut Keep<'_>) -> Result<(), StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        let outcome = ask(&mut self.connection, &mut |row| {
            found.push(read(row)?);
            Ok(())
        });
        self.remember(outcome)?;
        Ok(found)
    }

    /// Runs a statement that returns at most one row.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub fn one<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&mut Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = self.rows(sql, params, read)?;
        debug_assert!(found.len() < 2, "at most one row is expected");
        Ok(found.pop())
    }

    /// Says that what was read is no longer so and the command must begin anew; give the error on.
    /// The store then runs the command again, however the error is wrapped.
    pub fn begin_anew(&mut self) -> StoreError {
        self.failure.get_or_insert(StoreError::Conflict);
        StoreError::Conflict
    }

    /// Does a part of the work that is kept or undone by itself: what it wrote and noted goes when it says no, the rest of the
    /// transaction stays. Parts may lie within parts. A failure of the machinery still ends the whole transaction.
    ///
    /// # Errors
    /// What the part or the store says.
    pub fn savepoint<T, E: From<StoreError>>(
        &mut self,
        part: impl FnOnce(&mut Tx<'c>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.execute("savepoint part", &[])?;
        let noted = self.events.len();
        let outcome = part(self);
        if self.failure.is_some() {
            return outcome;
        }
        if outcome.is_err() {
            self.events.truncate(noted);
            self.execute("rollback to savepoint part", &[])?;
        }
        self.execute("release savepoint part", &[])?;
        outcome
    }

    /// Notes that something happened; written to the journal with the transaction.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Writes the noted events into the journal; true when there were any. Called by the store as the last thing before the commit, because
    /// the journal's counters are shared by many commands.
    pub(crate) fn write_events(&mut self) -> Result<bool, StoreError> {
        let events = self.take_events();
        let noted = event::Noted::of(&events);
        self.execute_each(event::COUNT, &noted.counts)?;
        self.execute_each(event::NOTE, &noted.notes)?;
        Ok(!events.is_empty())
    }

    /// Takes out the noted events, for a store that writes them with the commit.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What the machinery met in this transaction, however the work above wrapped or swallowed it.
    pub(crate) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    fn remember<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &outcome {
            self.failure.get_or_insert_with(|| error.clone());
        }
        outcome
    }
}
