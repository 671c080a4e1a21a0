//! `tandem test-carrier`: a carrier to try things on, as a program of its own that outlives the shop's restarts.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use connect::test_carrier::{Settings, TestCarrier};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::fault::Fault;
use crate::screen::Screen;
use crate::serve;
use crate::world::RealWorld;

/// How long a parcel takes from one event to the next.
const STEP: Duration = Duration::from_millis(500);

/// Play a carrier
///
/// Behaves like a real one; the last digit of a parcel's weight in grams decides what becomes of it: delivered at once (1), tried once more and
/// told repeatedly and out of order (2), sent back (3), answered after a first error (4), labelled without an answer in time (5), refused (6),
/// on the way for ever (others). Make the carrier in the shop with the same secret, kind test, services standard and express.
#[derive(Args)]
#[command(after_long_help = "\
Example:
  tandem test-carrier --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --shop http://127.0.0.1:8080/v1/carriers/test/webhooks")]
pub struct Arguments {
    /// The address to serve on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4020")]
    listen: String,

    /// Where the shop is told by webhook: the carrier's own path in the shop.
    #[arg(long, value_name = "URL")]
    shop: Option<String>,

    /// What is shared with the shop, as it was given there.
    #[arg(long, value_name = "SECRET", env = "TANDEM_TEST_CARRIER_SECRET")]
    secret: String,
}

/// Runs it.
///
/// # Errors
/// When the secret is none, or the address is taken.
pub fn run(arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    engine::signature::Secret::parse(&arguments.secret).map_err(Fault::Environment)?;
    let carrier = TestCarrier::new(Settings {
        webhook_url: arguments.shop.clone(),
        secret: arguments.secret.clone(),
        source: Arc::new(RealWorld),
        step: STEP,
        hang_for: 2 * serve::PROVIDER_WAIT_MAX,
    });
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    runtime.block_on(async {
        let fault = |error| Fault::environment(format!("serving on {}", arguments.listen), error);
        let listener = TcpListener::bind(&arguments.listen).await.map_err(fault)?;
        let url = TestCarrier::base_url(listener.local_addr().map_err(fault)?);
        screen.tell(&format!("The test carrier serves {url}"), &json!({"address": url}));
        carrier.serve(listener, serve::wait_for_signal()).await.map_err(fault)
    })
}
