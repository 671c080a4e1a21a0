//! Doing the jobs: a loop that wakes after each commit, and at the latest every second. Jobs that only change the books run on one thread;
//! jobs that call the outside run beside each other, each between two transactions: read the question, call, record the answer.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, select};
use domain::actor::Actor;
use engine::job::{self, Job, Registry};
use engine::{Failure, Shop, World};
use store::{StoreError, Tx};
use tokio::sync::Notify;
use tokio::task::{JoinSet, spawn_blocking};

use crate::books;

/// How many calls to the outside are under way at most.
const CALLS_MAX: usize = 16;
/// How long one call may take in all; shorter than a job's claim.
const CALL_WAIT_MAX: Duration = Duration::from_secs(45);
/// How long to sleep at most: other nodes' commits are found by looking.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long to rest between two looks when the first found work.
const BREATH: Duration = Duration::from_millis(5);
/// How long to rest after looking in vain. A commit after that is looked at at once; those of a crowd gather, so that looking takes little from it.
const GATHER: Duration = Duration::from_millis(20);
/// How long calls under way may still take when the program stops.
const STOP_WAIT_MAX: Duration = Duration::from_secs(10);

/// Jobs that call the outside.
pub trait Outside: Send + Sync + 'static {
    /// What is asked.
    type Ask: Clone + Send + Sync + 'static;
    /// What is answered.
    type Answer: Clone + Send + Sync + 'static;

    /// The kinds of jobs it does.
    fn kinds(&self) -> &'static [&'static str];

    /// First transaction: what a job asks; `None` when nothing is left to be asked.
    ///
    /// # Errors
    /// What the commands say.
    fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Self::Ask>, Failure>;

    /// Between the transactions: the call. It may happen more than once for one job, so it must be safe to repeat.
    fn call(&self, ask: Self::Ask) -> impl Future<Output = Result<Self::Answer, String>> + Send;

    /// Second transaction, which also strikes the job out: what the answer changes.
    ///
    /// # Errors
    /// What the commands say.
    fn record(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        ask: &Self::Ask,
        answer: &Self::Answer,
    ) -> Result<(), Failure>;
}

type Work = Arc<dyn Fn(Shop, Job) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Everything that can be done for jobs, inside and outside.
#[derive(Clone)]
pub struct Handlers {
    inside: Registry,
    outside: HashMap<&'static str, Work>,
}

impl Handlers {
    /// Handlers of the jobs that only change the books.
    pub fn new(inside: Registry) -> Handlers {
        Handlers { inside, outside: HashMap::new() }
    }

    /// The same handlers that also do these jobs with the outside.
    #[must_use]
    pub fn with<O: Outside>(mut self, outside: O) -> Handlers {
        let outside = Arc::new(outside);
        for kind in outside.kinds() {
            let outside = outside.clone();
            let work: Work = Arc::new(move |shop, job| Box::pin(work(outside.clone(), shop, job)));
            assert!(self.outside.insert(kind, work).is_none(), "one handler for each kind of job");
        }
        self
    }
}

/// Does the shop's jobs and duties until `shutdown` ends; calls under way are then waited for, briefly.
pub async fn run(shop: Shop, handlers: Handlers, shutdown: impl Future<Output = ()> + Send) {
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let wake = Arc::new(Notify::new());
    let Handlers { inside, outside } = handlers;
    let turns = {
        let (shop, wake) = (shop.clone(), wake.clone());
        spawn_blocking(move || take_turns(&shop, &inside, &stopped, &wake))
    };
    let mut calls = JoinSet::new();
    tokio::select! {
        () = shutdown => {}
        () = make_calls(&shop, &outside, &mut calls, &wake) => {}
    }
    drop(stop);
    let _ = tokio::time::timeout(STOP_WAIT_MAX, async { while calls.join_next().await.is_some() {} }).await;
    let _ = turns.await;
}

/// The inside's loop, on a thread of its own; ends when `stopped` is disconnected or the books are closed.
fn take_turns(shop: &Shop, registry: &Registry, stopped: &Receiver<()>, wake: &Notify) {
    let committed = shop.db.listen();
    loop {
        let more = match job::turn(shop, registry) {
            Ok(done) => done > 0,
            Err(Failure::Store(StoreError::Closed)) => return,
            Err(failure) => {
                tracing::warn!(%failure, "jobs wait until the books can be used");
                false
            }
        };
        wake.notify_one();
        select! {
            recv(stopped) -> _ => return,
            default(if more { BREATH } else { GATHER }) => {}
        }
        if !more {
            select! {
                recv(stopped) -> _ => return,
                recv(committed) -> _ => {}
                default(SLEEP_MAX) => {}
            }
        }
    }
}

/// The outside's loop: as many calls as are free, never more than [`CALLS_MAX`].
async fn make_calls(
    shop: &Shop,
    outside: &HashMap<&'static str, Work>,
    calls: &mut JoinSet<()>,
    wake: &Notify,
) {
    let kinds: Vec<String> = outside.keys().map(|kind| (*kind).to_owned()).collect();
    loop {
        let free = CALLS_MAX.saturating_sub(calls.len());
        for job in claim(shop, &kinds, free).await {
            if let Some(work) = outside.get(job.kind.as_str()) {
                calls.spawn(attempt(work.clone(), shop.clone(), job));
            }
        }
        tokio::select! {
            () = wake.notified() => {}
            Some(_) = calls.join_next() => {}
        }
        while calls.try_join_next().is_some() {}
    }
}

async fn claim(shop: &Shop, kinds: &[String], free: usize) -> Vec<Job> {
    let (shop, kinds) = (shop.clone(), kinds.to_vec());
    let claimed = spawn_blocking(move || job::due(&shop, &kinds, free as i64)).await;
    match claimed {
        Ok(Ok(jobs)) => jobs,
        Ok(Err(failure)) => {
            tracing::warn!(%failure, "calls to the outside wait until the books can be used");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// One attempt at a job; put back when it fails.
async fn attempt(work: Work, shop: Shop, job: Job) {
    let outcome = tokio::time::timeout(CALL_WAIT_MAX, work(shop.clone(), job.clone())).await;
    let why = match outcome {
        Ok(Ok(())) => return,
        Ok(Err(why)) => why,
        Err(_) => format!("not done within {} seconds", CALL_WAIT_MAX.as_secs()),
    };
    tracing::info!(job = %job.id, kind = job.kind, attempts = job.attempts, why, "a job is put back");
    let put_back = spawn_blocking(move || job::put_back_after(&shop, job, why)).await;
    if let Ok(Err(failure)) = put_back {
        tracing::warn!(%failure, "a job could not be put back; its claim runs out by itself");
    }
}

async fn work<O: Outside>(outside: Arc<O>, shop: Shop, job: Job) -> Result<(), String> {
    let asked = job.clone();
    let ask =
        books::read(&shop, move |tx| O::ask(tx, &asked)).await.map_err(|failure| failure.to_string())?;
    let answer = match &ask {
        Some(ask) => Some(outside.call(ask.clone()).await?),
        None => None,
    };
    let record = move |tx: &mut Tx<'_>, world: &mut World| {
        if !job::take(tx, &job)? {
            return Ok(());
        }
        match ask.as_ref().zip(answer.as_ref()) {
            Some((ask, answer)) => O::record(tx, &Actor::system(), world, ask, answer),
            None => Ok(()),
        }
    };
    books::write(&shop, record).await.map_err(|failure| failure.to_string())
}
