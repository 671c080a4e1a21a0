//! What the edge has at hand besides the shop: its settings, its bounds, and what it counts.

use std::sync::{Arc, OnceLock};

use engine::Source;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::sync::{Semaphore, watch};
use tracing::Span;

use crate::limit::{Limits, Rate};
use crate::outside::{Outside, Published};
use crate::start::Kept;
use crate::status::Teller;

/// How requests are bounded and answered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most bytes of a body.
    pub body_bytes_max: usize,
    /// The most connections that are open at once; more wait.
    pub connections_at_once_max: usize,
    /// The most seconds a connection may wait for the whole head of its next request.
    pub idle_seconds_max: u64,
    /// The most seconds a request may take.
    pub request_seconds_max: u64,
    /// The most requests that are worked on at once; more are turned away as busy.
    pub requests_at_once_max: usize,
    /// The most live streams that are open at once.
    pub streams_at_once_max: usize,
    /// The most customers who follow their orders at once.
    pub status_streams_at_once_max: usize,
    /// How many seconds a stop waits for requests under way.
    pub stop_seconds_max: u64,
    /// How often one key or session may ask.
    pub per_credential: Rate,
    /// How often one network address may ask.
    pub per_address: Rate,
    /// How often a password may be tried for one account, and from one address.
    pub sign_ins: Rate,
    /// Is there a proxy in front that names the real address last in `X-Forwarded-For`?
    pub behind_proxy: bool,
    /// Is the shop reached by https? Cookies are then sent by https only.
    pub https: bool,
    /// How others reach the shop, such as `https://shop.example`; empty when nobody said.
    pub public_address: String,
    /// May everybody read `GET /metrics`?
    pub metrics_open: bool,
    /// May everybody see the figures of the start page?
    pub public_figures: bool,
    /// May events be sent to addresses of a private network, and without encryption?
    pub webhooks_to_private_addresses: bool,
    /// May payment accounts lie at addresses of a private network?
    pub payments_to_private_addresses: bool,
    /// May the retailer's own sign-on lie at addresses of a private network, and without encryption?
    pub sign_on_to_private_addresses: bool,
    /// How other programs are asked before a request can be answered; nobody is asked without.
    pub outside: Option<Outside>,
    /// Is it set where mail is handed over?
    pub mail: bool,
    /// Puts a request's span under the trace that the caller names in `traceparent`, where traces are sent.
    pub join_trace: Option<fn(&Span, &str)>,
}

impl Default for Settings {
    /// What suits a shop on one machine.
    fn default() -> Settings {
        Settings {
            body_bytes_max: 1 << 20,
            connections_at_once_max: 8192,
            idle_seconds_max: 75,
            request_seconds_max: 30,
            requests_at_once_max: 2048,
            streams_at_once_max: 256,
            status_streams_at_once_max: 1024,
            stop_seconds_max: 10,
            per_credential: Rate { per_minute: 300_000, at_once: 20_000 },
            per_address: Rate { per_minute: 300_000, at_once: 20_000 },
            sign_ins: Rate { per_minute: 5, at_once: 10 },
            behind_proxy: false,
            https: false,
            public_address: String::new(),
            metrics_open: false,
            public_figures: false,
            webhooks_to_private_addresses: false,
            payments_to_private_addresses: false,
            sign_on_to_private_addresses: false,
            outside: None,
            mail: false,
            join_trace: None,
        }
    }
}

/// The most passwords that are hashed at once; more wait.
const PASSWORDS_AT_ONCE_MAX: usize = 2;

/// The edge of one running shop.
pub(crate) struct Edge {
    pub settings: Settings,
    pub limits: Limits,
    /// A permit for every request worked on.
    pub requests: Arc<Semaphore>,
    /// A permit for every open stream.
    pub streams: Arc<Semaphore>,
    /// A permit for every customer who follows an order, and who tells them that theirs changed.
    pub status_streams: Arc<Semaphore>,
    pub orders_told: Teller,
    /// A permit for every password that is hashed: each takes 19 MiB and a core for a moment.
    pub passwords: Arc<Semaphore>,
    /// What is counted, for `GET /metrics`.
    pub recorder: PrometheusRecorder,
    pub counted: PrometheusHandle,
    /// Becomes true when the shop closes, so that streams end.
    pub closing: watch::Sender<bool>,
    /// Counts up with every commit, and twice a second for those of other nodes; begins with the first stream.
    pub commits: OnceLock<watch::Receiver<u64>>,
    /// The OpenAPI description as JSON.
    pub description: OnceLock<String>,
    /// The API reference as a page's content.
    pub reference: OnceLock<serde_json::Value>,
    /// The figures of the start page, counted last.
    pub figures: Kept,
    /// What sign-ons publish of themselves.
    pub published: Published,
}

impl Edge {
    pub(crate) fn new(settings: Settings, source: Arc<dyn Source>) -> Edge {
        let recorder = PrometheusBuilder::new().build_recorder();
        Edge {
            limits: Limits::new(&settings, source),
            requests: Arc::new(Semaphore::new(settings.requests_at_once_max)),
            streams: Arc::new(Semaphore::new(settings.streams_at_once_max)),
            status_streams: Arc::new(Semaphore::new(settings.status_streams_at_once_max)),
            orders_told: Teller::default(),
            passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE_MAX)),
            counted: recorder.handle(),
            recorder,
            closing: watch::channel(false).0,
            commits: OnceLock::new(),
            description: OnceLock::new(),
            reference: OnceLock::new(),
            figures: Kept::default(),
            published: Published::default(),
            settings,
        }
    }
}
