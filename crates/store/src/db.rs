//! The door to the books: work goes in with a transaction and comes back when it is durably kept, on either engine.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use crate::dialect::Engine;
use crate::postgres::{self, PostgresConnection};
use crate::queue::{Giver, Refused, Taker, queue};
use crate::sqlite::{SqliteConnection, read_loop, write_loop};
use crate::{StoreError, Tx, migration};

/// How to open the books.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A file's path for SQLite, or an address that begins with `postgres://` or `postgresql://`.
    pub database: String,
    /// Connections that read, 1 to 64.
    pub readers: usize,
    /// Connections that write on PostgreSQL, 1 to 64; SQLite has one writer.
    pub writers: usize,
    /// Commands that may wait before new ones are turned away as busy.
    pub queue: usize,
}

impl Settings {
    /// Settings that suit one shop on a small machine.
    pub fn new(database: impl Into<String>) -> Settings {
        Settings { database: database.into(), readers: 4, writers: 8, queue: 4096 }
    }

    /// Which engine the address names.
    pub fn engine(&self) -> Engine {
        if self.database.starts_with("postgres://") || self.database.starts_with("postgresql://") {
            Engine::Postgres
        } else {
            Engine::Sqlite
        }
    }
}

/// Work on its way to a connection.
pub(crate) trait Job: Send {
    /// Does the work; true to keep the changes.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Hands the outcome back, after the commit.
    fn finish(self: Box<Self>, end: Result<(), StoreError>);
}

struct Task<T, E, W, D> {
    work: W,
    done: D,
    outcome: Option<Result<T, E>>,
}

impl<T, E, W, D> Job for Task<T, E, W, D>
where
    T: Send,
    E: Send + From<StoreError>,
    W: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    D: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.outcome = Some((self.work)(tx));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn finish(self: Box<Self>, end: Result<(), StoreError>) {
        let Task { done, outcome, .. } = *self;
        done(end.map_err(E::from).and_then(|()| outcome.unwrap_or_else(|| Err(E::from(StoreError::Closed)))));
    }
}

/// Runs the work and turns a broken assertion into an error of this one command.
pub(crate) fn run_guarded(job: &mut dyn Job, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .map_err(|panic| StoreError::Panicked(words_of(panic.as_ref())))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no words".to_owned())
}

/// Tells those who wait that events were committed here. Other nodes are found by looking from time to time.
#[derive(Clone, Default)]
pub(crate) struct Committed(Arc<Mutex<Vec<Sender<()>>>>);

impl Committed {
    pub(crate) fn tell(&self) {
        if let Ok(mut listeners) = self.0.lock() {
            listeners
                .retain(|listener| !matches!(listener.try_send(()), Err(TrySendError::Disconnected(()))));
        }
    }

    fn listen(&self) -> Receiver<()> {
        let (teller, listener) = bounded(1);
        if let Ok(mut listeners) = self.0.lock() {
            listeners.push(teller);
        }
        listener
    }
}

struct Inner {
    settings: Settings,
    writes: Option<Giver<Box<dyn Job>>>,
    reads: Option<Giver<Box<dyn Job>>>,
    writers: Vec<JoinHandle<()>>,
    readers: Vec<JoinHandle<()>>,
    committed: Committed,
    realtime: bool,
}

impl Drop for Inner {
    /// Lets the waiting work finish, then closes the connections, the writer's last: SQLite empties its write-ahead log
    /// with the last connection that closes, and of two that close at the same moment none may find itself the last.
    fn drop(&mut self) {
        self.reads = None;
        self.readers.drain(..).for_each(wait_for);
        self.writes = None;
        self.writers.drain(..).for_each(wait_for);
    }
}

/// Waits until a thread has ended, unless it is this one: the last who holds the books may be a piece of work that was just done.
fn wait_for(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() {
        drop(thread.join());
    }
}

/// The open books. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

impl Db {
    /// Opens the books and brings their tables up to date.
    ///
    /// # Errors
    /// [`StoreError`] when the file or server cannot be opened or was written by a newer version.
    pub fn open(settings: &Settings) -> Result<Db, StoreError> {
        migration::migrate(settings)?;
        let (writes, reads) = (queue(settings.queue), queue(settings.queue));
        let committed = Committed::default();
        let (mut writers, mut readers) = (Vec::new(), Vec::new());
        let mut realtime = false;
        match settings.engine() {
            Engine::Sqlite => {
                let (thread, first) =
                    sqlite_writer(&PathBuf::from(&settings.database), writes.taker(), committed.clone())?;
                writers.push(thread);
                realtime = first;
                for _ in 0..settings.readers.clamp(1, 64) {
                    let connection = SqliteConnection::open(Path::new(&settings.database), false)?;
                    let queue = reads.taker();
                    readers.push(start("tandem-read", move || read_loop(&connection, &queue))?);
                }
            }
            Engine::Postgres => {
                for _ in 0..settings.writers.clamp(1, 64) {
                    let mut connection = PostgresConnection::new(&settings.database, postgres::WRITES);
                    let (queue, committed) = (writes.taker(), committed.clone());
                    let life = move || postgres::write_loop(&mut connection, &queue, &committed);
                    writers.push(start("tandem-postgres", life)?);
                }
                for _ in 0..settings.readers.clamp(1, 64) {
                    let mut connection = PostgresConnection::new(&settings.database, postgres::READS);
                    let queue = reads.taker();
                    readers.push(start("tandem-postgres", move || {
                        postgres::read_loop(&mut connection, &queue)
                    })?);
                }
            }
        }
        Ok(Db {
            inner: Arc::new(Inner {
                settings: settings.clone(),
                writes: Some(writes),
                reads: Some(reads),
                writers,
                readers,
                committed,
                realtime,
            }),
        })
    }

    /// Which engine keeps the books.
    pub fn engine(&self) -> Engine {
        self.inner.settings.engine()
    }

    /// How the books were opened.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Does the commit thread run before all others? It asks at start; the system may not allow it, and commits are then slower.
    pub fn commits_first(&self) -> bool {
        self.inner.realtime
    }

    /// How many commands wait to be written.
    pub fn waiting(&self) -> usize {
        self.inner.writes.as_ref().map_or(0, Giver::len)
    }

    /// Gets a word after each commit of this process that wrote events; several commits may share one word.
    pub fn listen(&self) -> Receiver<()> {
        self.inner.committed.listen()
    }

    /// Runs `work` in a transaction of its own and calls `done` after the commit, on the store's thread, so `done` must be quick.
    ///
    /// `work` may run several times when commands meet on the same rows; only the last run counts. An `Err` undoes everything.
    pub fn write_then<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Send + From<StoreError> + 'static,
    {
        send(self.inner.writes.as_ref(), work, done);
    }

    /// Runs `work` against one fixed state of the books and calls `done` with the outcome, on the store's thread.
    pub fn read_then<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        done: impl FnOnce(Result<T, E>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Send + From<StoreError> + 'static,
    {
        send(self.inner.reads.as_ref(), work, done);
    }

    /// As [`Db::write_then`], waiting for the outcome.
    ///
    /// # Errors
    /// What the work or the store says.
    pub fn write<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + From<StoreError> + 'static,
    {
        let (teller, outcome) = bounded(1);
        self.write_then(work, move |result| drop(teller.send(result)));
        outcome.recv().unwrap_or_else(|_| Err(E::from(StoreError::Closed)))
    }

    /// As [`Db::read_then`], waiting for the outcome.
    ///
    /// # Errors
    /// What the work or the store says.
    pub fn read<T, E>(&self, work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + From<StoreError> + 'static,
    {
        let (teller, outcome) = bounded(1);
        self.read_then(work, move |result| drop(teller.send(result)));
        outcome.recv().unwrap_or_else(|_| Err(E::from(StoreError::Closed)))
    }
}

fn send<T, E>(
    queue: Option<&Giver<Box<dyn Job>>>,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    done: impl FnOnce(Result<T, E>) + Send + 'static,
) where
    T: Send + 'static,
    E: Send + From<StoreError> + 'static,
{
    let task: Box<dyn Job> = Box::new(Task { work, done, outcome: None });
    let Some(queue) = queue else { return task.finish(Err(StoreError::Closed)) };
    match queue.put(task) {
        Ok(()) => {}
        Err(Refused::Full(task)) => task.finish(Err(StoreError::Busy)),
        Err(Refused::Closed(task)) => task.finish(Err(StoreError::Closed)),
    }
}

fn start(name: &str, life: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(life)
        .map_err(|error| StoreError::Unavailable(format!("no thread could be started: {error}")))
}

fn sqlite_writer(
    path: &Path,
    queue: Taker<Box<dyn Job>>,
    committed: Committed,
) -> Result<(JoinHandle<()>, bool), StoreError> {
    let connection = SqliteConnection::open(path, true)?;
    let (teller, asked) = bounded(1);
    let thread = start("tandem-commit", move || {
        let _ = teller.send(ask_for_realtime());
        write_loop(&connection, &queue, &committed);
    })?;
    Ok((thread, asked.recv().unwrap_or(false)))
}

/// Asks the system to run this thread before all others: a commit then takes microseconds even when all cores are busy.
fn ask_for_realtime() -> bool {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let Ok(priority) = thread_priority::ThreadPriorityValue::try_from(1u8) else { return false };
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy)
        .is_ok()
}
