//! `tandem demo`: the demo retailer to look at. Its last months are replayed while the start page shows them come in; then it stays open,
//! and goes on selling a little.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use engine::Source as _;
use serde_json::json;
use tandem::demo::assignment::Channel;
use tandem::demo::source::{Invoice, Kind, Source};

use crate::config::Config;
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::{self, Serving};
use crate::replay::outcome::Outcome;
use crate::replay::{self, sale, shelf};
use crate::screen::Screen;
use crate::serve::wait_for_signal;
use crate::world::RealWorld;

/// Where its books lie when nothing else is named: beside the data it is made of, or here.
const DIRECTORIES: [(&str, &str); 2] = [("demo", "demo/run"), (".", "tandem-demo")];
/// How many months are lived through.
const MONTHS: u32 = 2;
/// How many clients ask at once.
const CLIENTS: usize = 16;
/// A sale goes on every so often,
const PAUSE: Duration = Duration::from_millis(1200);
/// of at most so many lines,
const LINES_MAX: usize = 12;
/// for at most so long: about an hour. Then the shop only waits for whoever comes.
const LIVE_SALES_MAX: usize = 3000;

/// Show the demo retailer: two months of real orders, then open for a look
///
/// Replays the last two months of a real retailer's orders through the API into fresh books (in demo/run), checks them, and stays open on
/// http://127.0.0.1:8080. The start page shows it live. Afterwards a sale of the last month is made once more about every second, with
/// its goods delivered before, for an hour at most. Ctrl-C closes the shop.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem demo
  tandem demo --listen 0.0.0.0:8080
  tandem demo --keep")]
pub struct Arguments {
    /// The address to serve on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,

    /// Open the books of the last demo again instead of making new ones.
    #[arg(long)]
    keep: bool,
}

/// Runs it.
///
/// # Errors
/// When the shop cannot be opened, or the books differ from the source.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let directory = DIRECTORIES.iter().find(|(beside, _)| Path::new(beside).is_dir());
    let config =
        config.in_directory_unless_named(Path::new(directory.map_or("tandem-demo", |(_, path)| path)));
    let kept = arguments.keep && config.data().join("master.key").is_file();
    if !kept && config.keeps_books_in_data() {
        child::fresh_directory(config.data())?;
    }
    let key = if kept { child::key_to_books(&config)? } else { child::key_to_fresh_books(&config)? };
    let runtime = replay::runtime()?;
    let opened = runtime.block_on(async {
        tokio::select! {
            opened = open(&config, &arguments.listen, (key, kept), screen) => opened.map(Some),
            () = wait_for_signal() => Ok(None),
        }
    })?;
    let Some(mut day) = opened else { return Ok(()) };
    if let Some(outcome) = day.outcome.take() {
        let outcome = outcome.checked(&config, screen)?;
        screen.tell(&format!("\n{}\n", outcome.text()), &outcome.json());
        outcome.judge()?;
    }
    let (address, link) = (&day.serving.address, &day.serving.setup_link);
    let owner = link.as_ref().map(|link| format!("\nBecome its owner, once: {link}"));
    screen.tell(
        &format!("Look around: {address}{}\nCtrl-C closes the shop.", owner.unwrap_or_default()),
        &json!({ "ready": address }),
    );
    runtime.block_on(async {
        tokio::select! {
            ended = day.serving.wait() => ended,
            failed = go_on_selling(&day.api, &day.source) => failed,
            () = wait_for_signal() => Ok(()),
        }
    })
}

/// The shop as it stands open after the replay.
struct Day {
    serving: Serving,
    api: Api,
    source: Source,
    /// Of the replay, if there was one.
    outcome: Option<Outcome>,
}

async fn open(
    config: &Config,
    listen: &str,
    (key, kept): (String, bool),
    screen: &Screen,
) -> Result<Day, Fault> {
    let serving = Serving::start(config, listen, true).await?;
    let api = Api::new(&serving.address, key, CLIENTS);
    let address = &serving.address;
    screen.tell(
        &format!("The shop is open: {address}  (watch it while the last {MONTHS} months go through)"),
        &json!({ "address": address, "setup_link": serving.setup_link }),
    );
    let source = replay::open(Some(MONTHS))?;
    let outcome = match kept {
        true => None,
        false => Some(replay::play(&api, &source, (CLIENTS, false), (screen, Some(&serving))).await?),
    };
    Ok(Day { serving, api, source, outcome })
}

/// Sells small invoices of the last month again, one at a time; a shop that refuses ends it, and then only waits.
async fn go_on_selling(api: &Api, source: &Source) -> Result<(), Fault> {
    let is_small = |invoice: &&Invoice| invoice.kind == Kind::Sale && invoice.lines.len() <= LINES_MAX;
    let small: Vec<&Invoice> = source.invoices().iter().rev().filter(is_small).collect();
    let round = RealWorld.now().micros();
    for (number, invoice) in small.iter().cycle().take(LIVE_SALES_MAX).enumerate() {
        tokio::time::sleep(PAUSE).await;
        let name = format!("live-{round}-{number}");
        if let Some(receipt) = shelf::again(source, invoice, &name) {
            shelf::receive(api, &receipt).await?;
        }
        let occasion = sale::Occasion { name: &name, placed_at: None, change: None, offered: None };
        sale::sell(api, source, invoice, occasion).await?;
        if invoice.channel != Channel::Till {
            sale::ship(api, invoice, &name).await?;
        }
    }
    std::future::pending().await
}
