//! `tandem serve`: opens the shop and serves it until it is asked to stop.

use clap::Args;
use http::App;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::fault::Fault;
use crate::init::screen_name;
use crate::screen::Screen;
use crate::shop::{self, Opened};

/// Open the shop and serve it
///
/// The first start makes the data directory, the database and the master key, and prints a link by which the first owner sets a
/// password. Ctrl-C, or the signal TERM, stops it gracefully: requests under way are answered, new ones are not taken.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem serve
  tandem serve --listen 127.0.0.1:9000 --data /var/lib/tandem
  TANDEM_DATABASE=postgres://tandem@db/tandem tandem serve --log-format json")]
pub struct Arguments {
    /// The address to serve on [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

/// Runs it.
///
/// # Errors
/// When the shop cannot be opened or the address is taken.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let address = arguments.listen.clone().unwrap_or_else(|| config.listen.clone());
    let opened = shop::open_or_make(config)?;
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    runtime.block_on(serve(config, &address, &opened, screen))
}

async fn serve(config: &Config, address: &str, opened: &Opened, screen: &Screen) -> Result<(), Fault> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Fault::environment(format!("serving on {address}"), error))?;
    let address = listener.local_addr().map_err(|error| Fault::environment("serving", error))?;
    let database = screen_name(&config.database());
    screen.tell(
        &format!("Tandem serves http://{address} from {database}"),
        &json!({"address": format!("http://{address}"), "database": database}),
    );
    let app = App::new(opened.shop.clone());
    let served = http::server::serve(app, listener, config.edge(), wait_for_signal()).await;
    served.map_err(|error| Fault::environment("serving", error))?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for Ctrl-C or the signal TERM.
async fn wait_for_signal() {
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} },
        Err(_) => drop(interrupted.await),
    }
    tracing::info!("asked to stop; finishing the requests under way");
}
