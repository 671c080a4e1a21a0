//! Sending events to other programs: a loop that looks after each commit, and at least twice a second, which endpoints have something
//! coming, and sends it. Every endpoint has places of its own, so that one that is slow or dead keeps nobody else waiting; nothing here
//! shares anything with the calls that the shop's own work needs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, select};
use domain::webhook::Answer;
use engine::webhook::send::{self, Place, Seen, Turn};
use engine::{Failure, Shop, webhook};
use store::StoreError;
use store::event::Entry;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet, spawn_blocking};

use crate::books;
use crate::call::Caller;

/// How long a receiver may take to answer; shorter than a claim.
pub const WAIT_MAX: Duration = Duration::from_secs(15);
/// How long to sleep at most: other nodes' commits, and what is to be tried again, are found by looking.
const LOOK: Duration = Duration::from_millis(500);
/// How long to let commits gather before looking again.
const GATHER: Duration = Duration::from_millis(50);
/// How long messages under way may still take when the program stops.
const STOP_WAIT_MAX: Duration = Duration::from_secs(5);

const _: () = assert!(WAIT_MAX.as_secs() < send::CLAIM_SECONDS as u64);

/// How events are sent.
#[derive(Clone)]
pub struct Webhooks {
    caller: Caller,
    as_sent: fn(&Entry) -> String,
}

impl Webhooks {
    /// Events go out by these calls, in this shape.
    pub fn new(caller: Caller, as_sent: fn(&Entry) -> String) -> Webhooks {
        Webhooks { caller, as_sent }
    }

    /// Sends events until `shutdown` ends; messages under way are then waited for, briefly.
    pub async fn run(self, shop: Shop, shutdown: impl Future<Output = ()> + Send) {
        let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
        let wake = Arc::new(Notify::new());
        let watching = {
            let (committed, wake) = (shop.db.listen(), wake.clone());
            spawn_blocking(move || watch(&committed, &stopped, &wake))
        };
        let mut sending = Sending::default();
        tokio::select! {
            () = shutdown => {}
            () = self.take_turns(&shop, &mut sending, &wake) => {}
        }
        drop(stop);
        let ended = async { while sending.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(STOP_WAIT_MAX, ended).await;
        let _ = watching.await;
    }

    async fn take_turns(&self, shop: &Shop, sending: &mut Sending, wake: &Notify) {
        let mut seen = Seen::default();
        loop {
            let (known, busy) = (seen.clone(), sending.busy());
            let now = shop.source.now();
            match books::read(shop, move |tx| send::due(tx, now, &known, &busy)).await {
                Ok((turns, seen_now)) => {
                    seen = seen_now;
                    for turn in turns {
                        sending.begin(turn.place(), self.clone().send(shop.clone(), turn));
                    }
                }
                Err(Failure::Store(StoreError::Closed)) => return,
                Err(failure) => tracing::warn!(%failure, "webhooks wait until the books can be used"),
            }
            tokio::select! {
                () = wake.notified() => {}
                Some(ended) = sending.tasks.join_next_with_id() => sending.end(ended),
            }
            while let Some(ended) = sending.tasks.try_join_next_with_id() {
                sending.end(ended);
            }
        }
    }

    /// Sends what is due on a lane, one event after the other, until one is not taken.
    async fn send(self, shop: Shop, turn: Turn) {
        let endpoint = turn.endpoint.id;
        if let Err(failure) = self.send_each(&shop, turn).await {
            tracing::warn!(%endpoint, %failure, "a message could not be noted; it is sent again");
        }
    }

    async fn send_each(&self, shop: &Shop, mut turn: Turn) -> Result<(), Failure> {
        let asked = turn.clone();
        let Some(lane) = books::write(shop, move |tx, world| send::claim(tx, world, &asked)).await? else {
            return Ok(());
        };
        turn.lane = lane;
        for place in 0..turn.events.len() {
            let answer = self.tell(shop, &turn, &turn.events[place]).await;
            let told = turn.clone();
            let noted = move |tx: &mut store::Tx<'_>, world: &mut engine::World| {
                send::record(tx, world, &told, place, &answer)
            };
            let Some(lane) = books::write(shop, noted).await? else { return Ok(()) };
            turn.lane = lane;
        }
        Ok(())
    }

    async fn tell(&self, shop: &Shop, turn: &Turn, event: &Entry) -> Answer {
        let now = shop.source.now();
        let Some(secrets) = webhook::secrets(&shop.keyring, &turn.endpoint, now) else {
            let said = "the secret cannot be opened: it was sealed by another master key".into();
            return Answer { said, ..Answer::default() };
        };
        let (id, body) = (event.id.to_string(), (self.as_sent)(event));
        let seconds = now.micros().div_euclid(1_000_000);
        let signatures: Vec<String> =
            secrets.iter().map(|secret| secret.sign(&id, seconds, body.as_bytes())).collect();
        let (timestamp, signature) = (seconds.to_string(), signatures.join(" "));
        let headers = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
            ("user-agent", "tandem"),
        ];
        self.caller.tell(turn.endpoint.target.url(), &headers, body.into()).await
    }
}

/// The lanes that are being sent on.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    places: HashMap<Id, Place>,
}

impl Sending {
    fn busy(&self) -> HashSet<Place> {
        self.places.values().copied().collect()
    }

    fn begin(&mut self, place: Place, work: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.places.insert(id, place);
    }

    fn end(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.places.remove(&id);
    }
}

/// Wakes the loop after commits, and from time to time; ends when `stopped` is disconnected.
fn watch(committed: &Receiver<()>, stopped: &Receiver<()>, wake: &Notify) {
    loop {
        select! {
            recv(stopped) -> _ => return,
            recv(committed) -> heard => if heard.is_err() { return },
            default(LOOK) => {}
        }
        wake.notify_one();
        select! {
            recv(stopped) -> _ => return,
            default(GATHER) => {}
        }
    }
}
