//! PostgreSQL, or an engine that speaks its wire: a pool of connections, each with its thread; conflicts are retried by the store.

mod tls;
mod wire;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tokio_postgres::Statement;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::db::{Committed, Job, run_guarded};
use crate::dialect::{self, Engine};
use crate::event::{self, Event, Noted};
use crate::queue::Taker;
use crate::row::Columns;
use crate::tx::{Ask, Connection};
use crate::{Param, Row, StoreError, Tx};
use wire::{TOGETHER_MAX, Wire};

/// How often a command is tried before a conflict is shown.
const TRIES_MAX: u32 = 20;
/// How long a connection attempt or a retry after a lost connection waits at most.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);
/// How long nothing is said on a connection until the server is asked whether it is there, and how long between such questions: a connection
/// that only a crowd needs is idle for hours, and what lies between must not forget it.
const ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));
/// What a connection that writes begins with. Our statements look for few things under keys that have an index: a plan made once is right, and
/// making it takes longer than what it is made for; so does compiling. A plan that was made while a table was empty must be right when it is full.
pub(crate) const WRITES: &[&str] = &[
    "set plan_cache_mode = force_generic_plan",
    "set jit = off",
    "set enable_seqscan = off",
    "set max_parallel_workers_per_gather = 0",
];
/// What a connection that reads begins with. It may be asked for figures of a year: whole tables may be read, by several hands.
pub(crate) const READS: &[&str] =
    &["set plan_cache_mode = force_generic_plan", "set jit = off", "set random_page_cost = 1.1"];
/// How what changes the books begins.
const BEGIN_WRITE: &str = "begin isolation level read committed";
/// How what only reads begins: against one fixed state.
const BEGIN_READ: &str = "begin isolation level repeatable read read only";

/// One connection to the server, re-made when it is lost.
pub(crate) struct PostgresConnection {
    url: String,
    settings: &'static [&'static str],
    wire: Option<Wire>,
    statements: HashMap<(usize, usize), Statement>,
    /// How the transaction that is to begin begins: sent with its first statement when that only reads.
    first: Option<&'static str>,
}

impl PostgresConnection {
    /// A connection that begins with these settings.
    pub(crate) fn new(url: &str, settings: &'static [&'static str]) -> PostgresConnection {
        let url = url.to_owned();
        PostgresConnection { url, settings, wire: None, statements: HashMap::new(), first: None }
    }

    /// Connects unless connected.
    fn ensure(&mut self) -> Result<&Wire, StoreError> {
        if self.wire.as_ref().is_none_or(Wire::is_closed) {
            self.statements.clear();
            self.wire = None;
            let (mut config, encryption) = tls::read_address(&self.url)?;
            config.connect_timeout(RECONNECT_WAIT_MAX).application_name("tandem");
            config.keepalives_idle(ALIVE.0).keepalives_interval(ALIVE.1);
            let wire = Wire::connect(&config, encryption)?;
            for setting in self.settings {
                // An engine that has no such setting is none the worse.
                drop(wire.batch(setting));
            }
            self.wire = Some(wire);
        }
        self.wire.as_ref().ok_or(StoreError::Closed)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.ensure()?.batch(sql)
    }

    /// The statement as the server has read it, once for each connection.
    pub(crate) fn statement(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(&(sql.as_ptr().addr(), sql.len())) {
            return Ok(statement.clone());
        }
        let statement = self.open()?.prepare(&dialect::translate(Engine::Postgres, sql))?;
        self.statements.insert((sql.as_ptr().addr(), sql.len()), statement.clone());
        Ok(statement)
    }

    /// The wire inside a transaction: never re-made silently, or half a command would run outside it.
    fn open(&self) -> Result<&Wire, StoreError> {
        self.wire
            .as_ref()
            .ok_or_else(|| StoreError::Unavailable("the connection to PostgreSQL was lost".into()))
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        Ok(self.execute_each(sql, &[params.to_vec()])?.into_iter().sum())
    }

    /// Runs a statement with each of these parameters; it is sent again before the answer to it comes.
    pub(crate) fn execute_each(
        &mut self,
        sql: &'static str,
        all: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let statement = self.begun(sql)?;
        self.open()?.execute_each(&statement, all)
    }

    /// As [`PostgresConnection::execute_each`], for the rows of each.
    pub(crate) fn rows_each(
        &mut self,
        sql: &'static str,
        all: &[Vec<Param<'_>>],
        read: &mut dyn FnMut(&mut Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let statement = self.begun(sql)?;
        let answers = self.open()?.query_each(&statement, all)?;
        answers.iter().flatten().try_for_each(|row| read(&mut Row::new(Columns::Postgres(row))))
    }

    /// The statement, in a transaction that has begun.
    fn begun(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        let statement = self.statement(sql)?;
        self.begin()?;
        Ok(statement)
    }

    /// Begins by itself what has not begun: were the beginning refused, a change that is sent with it would be kept.
    fn begin(&mut self) -> Result<(), StoreError> {
        self.first.take().map_or(Ok(()), |first| self.open()?.batch(first))
    }

    pub(crate) fn rows(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&mut Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = if is_reading(sql) { self.statement(sql) } else { self.begun(sql) }?;
        let first = self.first.take();
        let mut columns = |row: &tokio_postgres::Row| read(&mut Row::new(Columns::Postgres(row)));
        self.open()?.query(first, (&statement, params), &mut columns)
    }

    /// Asks all of these, which only read, before the answer to the first comes.
    pub(crate) fn ask(&mut self, asks: &mut [Ask<'_>]) -> Result<(), StoreError> {
        debug_assert!(asks.iter().all(|ask| is_reading(ask.sql)), "what is asked together only reads");
        let mut all = Vec::with_capacity(asks.len());
        for ask in &*asks {
            all.push((self.statement(ask.sql)?, ask.params));
        }
        let first = self.first.take();
        let answers = self.open()?.query_all(first, &all)?;
        for (ask, rows) in asks.iter_mut().zip(answers) {
            rows.iter().try_for_each(|row| (ask.read)(&mut Row::new(Columns::Postgres(row))))?;
        }
        Ok(())
    }

    /// Writes events into the journal and commits, all sent together: the journal's counters are held no longer than that takes.
    fn commit(&mut self, events: &[Event]) -> Result<(), StoreError> {
        if self.first.is_some() && events.is_empty() {
            self.undo();
            return Ok(());
        }
        let last = self.begin().and_then(|()| self.last_of(Noted::of(events)));
        let outcome = last.and_then(|last| self.open()?.execute_all(&last, "commit"));
        if outcome.is_err() {
            self.undo();
        }
        outcome
    }

    /// What is left to be sent with the commit; of very many events nothing, they are written before.
    fn last_of<'p>(&mut self, noted: Noted<'p>) -> Result<Vec<(Statement, Vec<Param<'p>>)>, StoreError> {
        let Noted { counts, notes } = noted;
        if counts.len() + notes.len() > TOGETHER_MAX {
            self.execute_each(event::COUNT, &counts)?;
            self.execute_each(event::NOTE, &notes)?;
            return Ok(Vec::new());
        }
        let mut last = Vec::with_capacity(counts.len() + notes.len());
        for (sql, rows) in [(event::COUNT, counts), (event::NOTE, notes)] {
            for params in rows {
                last.push((self.statement(sql)?, params));
            }
        }
        Ok(last)
    }

    /// Ends a transaction that is not to be kept; whatever cannot be ended is cut off.
    fn undo(&mut self) {
        if self.first.take().is_some() {
            return;
        }
        if self.open().and_then(|wire| wire.batch("rollback")).is_err() {
            self.wire = None;
        }
    }
}

/// Does a statement change nothing, whatever becomes of the transaction?
fn is_reading(sql: &str) -> bool {
    sql.starts_with("select")
}

impl ToSql for Param<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(number) if *of == Type::INT4 => i32::try_from(*number)?.to_sql(of, out),
            Param::Int(number) if *of == Type::INT8 => number.to_sql(of, out),
            Param::Text(text) => text.to_sql(of, out),
            Param::Bytes(bytes) => bytes.to_sql(of, out),
            Param::Id(bytes) => bytes.as_slice().to_sql(of, out),
            Param::Ids(ids) => ids.iter().map(|id| id.as_slice()).collect::<Vec<_>>().to_sql(of, out),
            Param::Texts(texts) => texts.to_sql(of, out),
            Param::Int(_) => Err(format!("a number is given where {of} is expected").into()),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::TEXT, Type::VARCHAR, Type::BYTEA, Type::BYTEA_ARRAY, Type::TEXT_ARRAY]
            .contains(of)
    }

    to_sql_checked!();
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What an engine's error means to us, by its SQLSTATE (PostgreSQL manual, appendix A).
fn failed(error: &tokio_postgres::Error) -> StoreError {
    let Some(refused) = error.as_db_error() else {
        return if error.is_closed() || error.to_string().contains("communicating") {
            StoreError::Unavailable(format!("the connection to PostgreSQL was lost: {}", chain(error)))
        } else {
            StoreError::Statement(chain(error))
        };
    };
    let code = refused.code().code();
    match code {
        "40001" | "40P01" => StoreError::Conflict,
        "53100" => StoreError::Unavailable(
            "PostgreSQL's disk is full; free some space, then it goes on by itself".into(),
        ),
        _ if code.starts_with("57P") || code.starts_with("08") || code.starts_with("53") => {
            StoreError::Unavailable(format!("PostgreSQL: {}", refused.message()))
        }
        _ => StoreError::Statement(format!("{} ({code})", refused.message())),
    }
}

/// A connection's life when it writes: run a command, commit, answer; again on a conflict; on a new connection when the old was lost before the
/// commit.
pub(crate) fn write_loop(
    connection: &mut PostgresConnection,
    queue: &Taker<Box<dyn Job>>,
    committed: &Committed,
) {
    while let Some(mut job) = queue.take() {
        let outcome = tried(|| write_once(connection, job.as_mut()));
        if let Ok(true) = outcome {
            committed.tell();
        }
        job.finish(outcome.map(|_| ()));
    }
}

/// A connection's life when it only reads: nobody waits until the transaction is ended.
pub(crate) fn read_loop(connection: &mut PostgresConnection, queue: &Taker<Box<dyn Job>>) {
    while let Some(mut job) = queue.take() {
        let outcome = tried(|| read_once(connection, job.as_mut()));
        let is_open = outcome.is_ok();
        job.finish(outcome);
        if is_open {
            connection.undo();
        }
    }
}

/// Does something again as long as it meets others, and once more when the connection was lost.
fn tried<T>(mut once: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut outcome = Err(StoreError::Conflict);
    for attempt in 0..TRIES_MAX {
        outcome = once();
        match &outcome {
            Err(StoreError::Conflict) => wait_a_little(attempt),
            Err(StoreError::Unavailable(_)) if attempt == 0 => {}
            _ => break,
        }
    }
    outcome
}

#[expect(clippy::disallowed_methods, reason = "a conflict is waited out on this connection's own thread")]
fn wait_a_little(attempt: u32) {
    std::thread::sleep(Duration::from_micros(500 << attempt.min(6)));
}

/// True when events were committed.
fn write_once(connection: &mut PostgresConnection, job: &mut dyn Job) -> Result<bool, StoreError> {
    connection.ensure()?;
    connection.first = Some(BEGIN_WRITE);
    let mut tx = Tx::new(Connection::Postgres(connection));
    let outcome = run_guarded(job, &mut tx);
    let (outcome, events) = (tx.failure().cloned().map_or(outcome, Err), tx.take_events());
    match outcome {
        Ok(true) => connection.commit(&events).map(|()| !events.is_empty()),
        outcome => {
            connection.undo();
            outcome
        }
    }
}

/// Leaves the transaction open when all went well.
fn read_once(connection: &mut PostgresConnection, job: &mut dyn Job) -> Result<(), StoreError> {
    connection.ensure()?;
    connection.first = Some(BEGIN_READ);
    let mut tx = Tx::new(Connection::Postgres(connection));
    let outcome = run_guarded(job, &mut tx).map(|_| ());
    let outcome = tx.failure().cloned().map_or(outcome, Err);
    if outcome.is_err() {
        connection.undo();
    }
    outcome
}
