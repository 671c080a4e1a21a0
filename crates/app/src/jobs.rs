//! The jobs beside the serving: what follows from what happened, the duties of the clock, and the test provider if it is asked for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use connect::Handlers;
use connect::payment::Payments;
use connect::test_provider::{Settings, TestClient, TestProvider};
use engine::payment::provider::test_secret;
use engine::{Keyring, Shop};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::world::RealWorld;

/// The setting that starts the test provider inside this program.
const HERE: &str = "here";
/// How long the shop waits for a provider's answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the test provider takes to confirm what is pending.
const CONFIRM_AFTER: Duration = Duration::from_millis(500);
/// How long the test provider lets a caller wait in vain; longer than the shop waits.
const HANG_FOR: Duration = Duration::from_secs(15);
/// Where the shop hears from the test provider.
const WEBHOOK_PATH: &str = "/v1/payments/webhooks/test";

/// What runs beside the serving, until it is stopped.
pub struct Beside {
    stop: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Beside {
    /// Starts doing the shop's jobs. `provider` is the setting `test_provider`, `shop_address` where the shop serves.
    ///
    /// # Errors
    /// When the setting cannot be understood, or no port is free for the test provider.
    pub async fn start(shop: &Shop, provider: &str, shop_address: SocketAddr) -> Result<Beside, Fault> {
        let (stop, stopped) = watch::channel(false);
        let until_stopped = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|stop| *stop).await) }
        };
        let mut running = Vec::new();
        let mut handlers = Handlers::new(engine::job::registry());
        let mut provider_url = provider.to_owned();
        if provider == HERE {
            let fault = |error| Fault::environment("starting the test provider", error);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(fault)?;
            provider_url = TestProvider::base_url(listener.local_addr().map_err(fault)?);
            let shop_url = format!("http://{}", reached_at(shop_address));
            let (provider, until_stopped) = (test_provider(&shop.keyring, &shop_url), until_stopped());
            running.push(tokio::spawn(async move {
                if let Err(error) = provider.serve(listener, until_stopped).await {
                    tracing::error!(%error, "the test provider ended");
                }
            }));
        }
        if !provider_url.is_empty() {
            if !provider_url.starts_with("http://") {
                let message = format!(
                    "test_provider is \"{provider_url}\": leave it empty, or give \"{HERE}\" or http://host:port"
                );
                return Err(Fault::Usage(message));
            }
            handlers = handlers.with(Payments::new(TestClient::new(provider_url, ANSWER_WAIT_MAX)));
        }
        running.push(tokio::spawn(connect::run(shop.clone(), handlers, until_stopped())));
        Ok(Beside { stop, running })
    }

    /// Lets what is under way finish, and stops.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for running in self.running {
            let _ = running.await;
        }
    }
}

/// A test provider that tells the shop at an address such as `http://127.0.0.1:8080`.
pub fn test_provider(keyring: &Keyring, shop_url: &str) -> TestProvider {
    TestProvider::new(Settings {
        webhook_url: Some(format!("{}{WEBHOOK_PATH}", shop_url.trim_end_matches('/'))),
        secret: test_secret(keyring),
        source: Arc::new(RealWorld),
        confirm_after: CONFIRM_AFTER,
        hang_for: HANG_FOR,
    })
}

/// Where a server that may listen everywhere is reached from this machine.
fn reached_at(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
}
