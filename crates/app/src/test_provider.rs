//! `tandem test-provider`: a payment provider to try things on, as a program of its own that outlives the shop's restarts.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use connect::test_provider::{Settings, TestProvider};
use engine::Keyring;
use engine::payment::provider::test_secret;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::world::RealWorld;
use crate::{key, serve};

/// How long the test provider takes to confirm what is pending.
const CONFIRMS_AFTER: Duration = Duration::from_millis(500);
/// Where the shop hears from it.
const WEBHOOK_PATH: &str = "/v1/payments/webhooks/test";

/// Play the payment provider
///
/// Behaves like a real one: the token of a payment decides whether it is authorised at once (tok_ok), later by webhook (tok_async), declined
/// (tok_decline), authorised without an answer in time (tok_timeout), told three times out of order (tok_duplicate_webhook), impossible to
/// capture (tok_fail_later), or answered after a first error (tok_error_once). Its accounts last as long as it runs.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  tandem test-provider --listen 127.0.0.1:4010 --shop http://127.0.0.1:8080
  TANDEM_TEST_PROVIDER=http://127.0.0.1:4010 tandem serve")]
pub struct Arguments {
    /// The address to serve on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    listen: String,

    /// Where the shop is told by webhook.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    shop: String,
}

/// Runs it.
///
/// # Errors
/// When the master key is missing, which signs the webhooks, or the address is taken.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let missing =
        || Fault::Environment("there is no master key yet: start the shop once, or tandem init".into());
    let keyring = Keyring::new(key::find(config)?.ok_or_else(missing)?);
    let provider = play(&keyring, &arguments.shop);
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    runtime.block_on(async {
        let fault = |error| Fault::environment(format!("serving on {}", arguments.listen), error);
        let listener = TcpListener::bind(&arguments.listen).await.map_err(fault)?;
        let url = TestProvider::base_url(listener.local_addr().map_err(fault)?);
        screen.tell(&format!("The test provider serves {url}"), &json!({"address": url}));
        provider.serve(listener, serve::wait_for_signal()).await.map_err(fault)
    })
}

/// A test provider that tells the shop at an address such as `http://127.0.0.1:8080`.
pub fn play(keyring: &Keyring, shop_url: &str) -> TestProvider {
    TestProvider::new(Settings {
        webhook_url: Some(format!("{}{WEBHOOK_PATH}", shop_url.trim_end_matches('/'))),
        secret: test_secret(keyring),
        source: Arc::new(RealWorld),
        confirm_after: CONFIRMS_AFTER,
        hang_for: 2 * serve::PROVIDER_WAIT_MAX,
    })
}
