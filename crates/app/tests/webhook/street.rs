//! A shop whose events are sent, and the programs that receive them, all on this machine.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connect::call::{Caller, Reach, Trust};
use connect::webhook::Webhooks;
use domain::value::id::{Event, WebhookEndpoint};
use domain::value::target::Target;
use domain::value::{Id, Instant};
use domain::webhook::Kind;
use engine::event::emit;
use engine::signature::{self, Headers, Secret};
use engine::webhook::message::{self, Message};
use engine::webhook::{self, EndpointChange, NewEndpoint, Standing};
use serde_json::{Value, json};
use sim::shop::TestShop;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::running::Running;

/// How long a receiver may take in these stories.
const WAIT: Duration = Duration::from_millis(400);
/// A receiver that answers so does not answer.
pub const HANGS: u16 = 0;

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub body: String,
}

impl Heard {
    /// Did this secret sign it?
    pub fn is_signed_by(&self, secret: &Secret) -> bool {
        let headers = Headers { id: &self.id, timestamp: &self.timestamp, signature: &self.signature };
        let now = Instant::from_micros(self.timestamp.parse::<i64>().unwrap() * 1_000_000);
        signature::verify(secret, headers, self.body.as_bytes(), now).is_ok()
    }

    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The number a story gave the event.
    pub fn number(&self) -> i64 {
        self.event()["data"]["number"].as_i64().unwrap_or(-1)
    }
}

type Answering = Arc<dyn Fn(&Heard) -> u16 + Send + Sync>;

/// A program that receives events.
#[derive(Clone)]
pub struct Receiver {
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<Answering>>,
    pub url: String,
}

impl Receiver {
    /// One that answers everything with 200.
    pub fn open(runtime: &Runtime) -> Receiver {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://localhost:{}/events", listener.local_addr().unwrap().port());
        let receiver =
            Receiver { heard: Arc::default(), answers: Arc::new(Mutex::new(Arc::new(|_| 200))), url };
        let router = Router::new().route("/events", post(hear)).with_state(receiver.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn answer(&self, answers: impl Fn(&Heard) -> u16 + Send + Sync + 'static) {
        *self.answers.lock().unwrap() = Arc::new(answers);
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub fn numbers(&self) -> Vec<i64> {
        self.heard().iter().map(Heard::number).collect()
    }
}

async fn hear(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, &'static str) {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let heard = Heard {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
        body,
    };
    let answers = receiver.answers.lock().unwrap().clone();
    let status = answers(&heard);
    receiver.heard.lock().unwrap().push(heard);
    if status == HANGS {
        std::future::pending::<()>().await;
    }
    (StatusCode::from_u16(status).unwrap(), "heard")
}

/// A shop that sends its events.
pub struct Street<'s> {
    pub shop: &'s TestShop,
    pub running: Running,
}

impl<'s> Street<'s> {
    /// So many nodes send.
    pub fn open(shop: &'s TestShop, nodes: usize, reach: Reach) -> Street<'s> {
        let mut running = Running::new();
        for _ in 0..nodes {
            let caller = Caller::with(WAIT, &Trust::built_in(), reach);
            let webhooks = Webhooks::new(caller, http::event::as_sent);
            running.spawn(webhooks.run(shop.shop.clone(), running.until_stopped()));
        }
        Street { shop, running }
    }

    pub fn endpoint(&self, receiver: &Receiver, kinds: &[&str]) -> (Id<WebhookEndpoint>, Secret) {
        let new = NewEndpoint {
            target: Target::parse(&receiver.url).unwrap(),
            kinds: kinds.iter().map(|kind| Kind::parse(kind).unwrap()).collect(),
            description: String::new(),
        };
        let made = self.shop.run(move |tx, actor, world| webhook::create(tx, actor, world, new.clone()));
        let (endpoint, secret) = made.unwrap();
        (endpoint.id, secret)
    }

    /// Something happens to a thing.
    pub fn happens(&self, subject: &'static str, kind: &'static str, number: i64) {
        let told = self.shop.run(move |tx, actor, world| {
            emit(tx, actor, world, subject, kind, json!({ "number": number }));
            Ok(())
        });
        told.unwrap();
    }

    pub fn change(&self, id: Id<WebhookEndpoint>, change: EndpointChange) -> Standing {
        let version = Some(self.read(id).endpoint.version);
        let changed = self
            .shop
            .run(move |tx, actor, world| webhook::change(tx, actor, world, (id, version), change.clone()));
        changed.unwrap()
    }

    pub fn read(&self, id: Id<WebhookEndpoint>) -> Standing {
        let system = domain::actor::Actor::system();
        self.shop.read(move |tx| webhook::read(tx, &system, id)).unwrap()
    }

    pub fn messages(&self, id: Id<WebhookEndpoint>, untaken: bool) -> Vec<Message> {
        let (system, last) = (domain::actor::Actor::system(), Id::<Event>::from_bytes([255; 16]));
        self.shop.read(move |tx| message::list(tx, &system, id, (last, untaken), 200)).unwrap()
    }

    /// Waits in real time until it is so; so many simulated seconds pass with each look.
    pub fn wait(&self, seconds: i64, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..1500 {
            if is_so() {
                return;
            }
            self.shop.pass(seconds);
            self.rest(20);
        }
        panic!("not so within thirty seconds: {what}");
    }

    /// Lets real time pass.
    pub fn rest(&self, milliseconds: u64) {
        self.running.rest(Duration::from_millis(milliseconds));
    }
}
