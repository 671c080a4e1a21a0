//! PostgreSQL, or an engine that speaks its wire: a pool of connections, each with its thread; conflicts are retried by the store.

mod tls;

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use crossbeam_channel::Receiver;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Statement};

use crate::db::{Committed, Job, run_guarded};
use crate::dialect::{self, Engine};
use crate::row::Columns;
use crate::tx::Connection;
use crate::{Param, Row, StoreError, Tx};

/// How often a command is tried before a conflict is shown.
const TRIES_MAX: u32 = 20;
/// How long a connection attempt or a retry after a lost connection waits at most.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);

/// One connection to the server, re-made when it is lost.
pub(crate) struct PostgresConnection {
    url: String,
    client: Option<Client>,
    statements: HashMap<(usize, usize), Statement>,
}

impl PostgresConnection {
    pub(crate) fn new(url: &str) -> PostgresConnection {
        PostgresConnection { url: url.to_owned(), client: None, statements: HashMap::new() }
    }

    /// Connects unless connected.
    pub(crate) fn ensure(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.statements.clear();
            self.client = None;
            let (mut config, encryption) = tls::read_address(&self.url)?;
            config.connect_timeout(RECONNECT_WAIT_MAX).application_name("tandem");
            let client = config.connect(encryption).map_err(|error| {
                StoreError::Unavailable(format!("no connection to PostgreSQL: {}", chain(&error)))
            })?;
            self.client = Some(client);
        }
        self.client.as_mut().ok_or(StoreError::Closed)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.ensure()?.batch_execute(sql).map_err(|error| failed(&error))
    }

    /// The statement as the server has read it, once for each connection.
    pub(crate) fn statement(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(&(sql.as_ptr().addr(), sql.len())) {
            return Ok(statement.clone());
        }
        let text = dialect::translate(Engine::Postgres, sql);
        let statement = self.open()?.prepare(&text).map_err(|error| failed(&error))?;
        self.statements.insert((sql.as_ptr().addr(), sql.len()), statement.clone());
        Ok(statement)
    }

    /// The client inside a transaction: never re-made silently, or half a command would run outside it.
    fn open(&mut self) -> Result<&mut Client, StoreError> {
        self.client
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("the connection to PostgreSQL was lost".into()))
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        self.open()?.execute(&statement, &params).map_err(|error| failed(&error))
    }

    pub(crate) fn rows(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: &mut dyn FnMut(&mut Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        for row in self.open()?.query(&statement, &params).map_err(|error| failed(&error))? {
            read(&mut Row::new(Columns::Postgres(&row)))?;
        }
        Ok(())
    }
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
fn failed(error: &postgres::Error) -> StoreError {
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

/// A connection's life: run a command, commit, answer; again on a conflict; on a new connection when the old was lost before the commit.
pub(crate) fn work_loop(
    connection: &mut PostgresConnection,
    begin: &str,
    queue: &Receiver<Box<dyn Job>>,
    committed: &Committed,
) {
    while let Ok(mut job) = queue.recv() {
        let mut outcome = Err(StoreError::Conflict);
        for attempt in 0..TRIES_MAX {
            outcome = run_once(connection, begin, job.as_mut());
            match &outcome {
                Err(StoreError::Conflict) => wait_a_little(attempt),
                Err(StoreError::Unavailable(_)) if attempt == 0 => {}
                _ => break,
            }
        }
        if let Ok(true) = outcome {
            committed.tell();
        }
        job.finish(outcome.map(|_| ()));
    }
}

#[expect(clippy::disallowed_methods, reason = "a conflict is waited out on this connection's own thread")]
fn wait_a_little(attempt: u32) {
    std::thread::sleep(Duration::from_micros(500 << attempt.min(6)));
}

/// True when events were committed.
fn run_once(connection: &mut PostgresConnection, begin: &str, job: &mut dyn Job) -> Result<bool, StoreError> {
    connection.batch(begin)?;
    let mut tx = Tx::new(Connection::Postgres(connection));
    let outcome =
        run_guarded(job, &mut tx).and_then(|keep| if keep { tx.write_events().map(Some) } else { Ok(None) });
    let met = tx.failure().cloned();
    let events = match (outcome, met) {
        (_, Some(failure)) => Err(failure),
        (outcome, None) => outcome,
    };
    match events {
        Ok(Some(events)) => connection.open()?.batch_execute("commit").map(|()| events).map_err(|error| {
            match failed(&error) {
                StoreError::Unavailable(_) => StoreError::OutcomeUnknown,
                other => other,
            }
        }),
        Ok(None) => connection.batch("rollback").map(|()| false),
        Err(error) => {
            if connection.batch("rollback").is_err() {
                connection.client = None;
            }
            Err(error)
        }
    }
}
