//! The wire to a PostgreSQL server: a connection that its thread drives, on which statements that do not need each other's answers are sent together.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::StreamExt;
use futures_util::future::{MaybeDone, join, maybe_done};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::{chain, failed, tls};
use crate::{Param, StoreError};

/// So many statements are sent before the first answer is waited for: what waits on either side is bounded.
pub(super) const TOGETHER_MAX: usize = 128;

/// A connection to a server.
pub(super) struct Wire {
    runtime: Runtime,
    /// Taken out when the connection is closed.
    client: Option<Client>,
    driven: Option<JoinHandle<()>>,
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why nobody can be reached.
    pub fn connect(config: &tokio_postgres::Config, encryption: tls::Encryption) -> Result<Wire, StoreError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| StoreError::Unavailable(format!("no connection can be driven: {error}")))?;
        let (client, connection) = runtime.block_on(config.connect(encryption)).map_err(|error| {
            StoreError::Unavailable(format!("no connection to PostgreSQL: {}", chain(&error)))
        })?;
        let driven = runtime.spawn(async move {
            // Whoever waits for an answer is told of it as well.
            drop(connection.await);
        });
        Ok(Wire { runtime, client: Some(client), driven: Some(driven) })
    }

    /// Did the server end the connection, as far as was noticed when it was used last?
    pub fn is_closed(&self) -> bool {
        self.client.as_ref().is_none_or(Client::is_closed)
    }

    /// Runs statements without parameters.
    pub fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.run(|client| client.batch_execute(sql))
    }

    /// Has the server read a statement.
    pub fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        self.run(|client| client.prepare(sql))
    }

    /// Runs a statement, after `first` without waiting for that, and reads its rows as they come.
    pub fn query(
        &self,
        first: Option<&str>,
        (statement, params): (&Statement, &[Param<'_>]),
        read: &mut dyn FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let client = self.client()?;
        self.runtime.block_on(async {
            let rows = after(client, first, client.query_raw(statement, referred(params))).await;
            let mut rows = pin!(rows.map_err(|error| failed(&error))?);
            while let Some(row) = rows.next().await {
                read(&row.map_err(|error| failed(&error))?)?;
            }
            Ok(())
        })
    }

    /// Asks several statements, after `first`, without waiting for an answer before; the rows of each.
    pub fn query_all(
        &self,
        first: Option<&str>,
        all: &[(Statement, &[Param<'_>])],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        let ask = async |client: &Client, (statement, params): &(Statement, &[Param<'_>])| {
            client.query(statement, &referred(params)).await
        };
        self.run(|client| {
            let sent = all.iter().map(|one| Box::pin(maybe_done(ask(client, one)))).collect();
            after(client, first, in_order(sent))
        })
    }

    /// Runs a statement once with each of these parameters, in their order; answers how many rows each touched.
    pub fn execute_each(
        &self,
        statement: &Statement,
        all: &[Vec<Param<'_>>],
    ) -> Result<Vec<u64>, StoreError> {
        self.each(all, async |client, params| client.execute(statement, &params).await)
    }

    /// As [`Wire::execute_each`], for the rows of each.
    pub fn query_each(
        &self,
        statement: &Statement,
        all: &[Vec<Param<'_>>],
    ) -> Result<Vec<Vec<Row>>, StoreError> {
        self.each(all, async |client, params| client.query(statement, &params).await)
    }

    /// Runs statements and then ends the transaction by `last`, without waiting for an answer before. When one of them is refused the server does
    /// not commit, whatever it is told; when one cannot even be sent, `last` is not sent either. The error is that of the first.
    ///
    /// # Errors
    /// [`StoreError::OutcomeUnknown`] when the connection is lost: nobody knows how far it came.
    pub fn execute_all(&self, all: &[(Statement, Vec<Param<'_>>)], last: &str) -> Result<(), StoreError> {
        let client = self.client()?;
        let run = async |(statement, params): &(Statement, Vec<Param<'_>>)| {
            client.execute(statement, &referred(params)).await
        };
        let mut sent: Vec<_> = all.iter().map(|one| Box::pin(maybe_done(run(one)))).collect();
        self.runtime.block_on(send(&mut sent));
        if sent.iter().any(|one| matches!(**one, MaybeDone::Done(Err(_)))) {
            return self.runtime.block_on(in_order(sent)).map(drop).map_err(|error| failed(&error));
        }
        let (written, ended) = self.runtime.block_on(join(in_order(sent), client.batch_execute(last)));
        if let Err(refused) = &written
            && refused.as_db_error().is_some()
        {
            return Err(failed(refused));
        }
        written.map(drop).and(ended).map_err(|error| match failed(&error) {
            StoreError::Unavailable(_) => StoreError::OutcomeUnknown,
            other => other,
        })
    }

    /// Asks once with each of these parameters, some at a time before the first answer.
    fn each<T>(
        &self,
        all: &[Vec<Param<'_>>],
        ask: impl AsyncFn(&Client, Vec<&(dyn ToSql + Sync)>) -> Result<T, Error>,
    ) -> Result<Vec<T>, StoreError> {
        let mut answers = Vec::with_capacity(all.len());
        for some in all.chunks(TOGETHER_MAX) {
            answers.extend(self.run(|client| {
                let sent = some.iter().map(|params| Box::pin(maybe_done(ask(client, referred(params)))));
                in_order(sent.collect())
            })?);
        }
        Ok(answers)
    }

    fn run<'w, T, F>(&'w self, ask: impl FnOnce(&'w Client) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.runtime.block_on(ask(self.client()?)).map_err(|error| failed(&error))
    }

    fn client(&self) -> Result<&Client, StoreError> {
        self.client.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Wire {
    /// Takes leave of the server, which would note a lost connection otherwise.
    fn drop(&mut self) {
        self.client = None;
        if let Some(driven) = self.driven.take() {
            drop(self.runtime.block_on(driven));
        }
    }
}

fn referred<'p>(params: &'p [Param<'_>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params.iter().map(|param| param as _).collect()
}

/// Sends `first`, if there is any, and `asked` behind it without waiting; answers `asked`, or why `first` was refused.
async fn after<T>(
    client: &Client,
    first: Option<&str>,
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(first) = first else { return asked.await };
    let (begun, answer) = join(client.batch_execute(first), asked).await;
    begun.and(answer)
}

/// Sends all, the first first.
async fn send<F: Future>(sent: &mut [Pin<Box<MaybeDone<F>>>]) {
    poll_fn(|context| {
        for one in sent.iter_mut() {
            let _ = one.as_mut().poll(context);
        }
        Poll::Ready(())
    })
    .await;
}

/// Sends all, the first first, and then waits for the answer to each; the error is that of the first that failed.
async fn in_order<F, T>(mut sent: Vec<Pin<Box<MaybeDone<F>>>>) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    send(&mut sent).await;
    let mut answers = Vec::with_capacity(sent.len());
    for mut one in sent {
        one.as_mut().await;
        answers.extend(one.as_mut().take_output().transpose()?);
    }
    Ok(answers)
}
