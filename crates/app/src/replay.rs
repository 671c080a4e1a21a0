//! `tandem replay`: a real retailer's year of invoices through the public API, and the proof that the shop's books say the same to the
//! penny.

pub mod api;
pub mod between;
pub mod books;
pub mod chain;
pub mod change;
pub mod child;
pub mod clock;
pub mod counting;
pub mod exchange;
pub mod figures;
pub mod goods;
pub mod offers;
pub mod outcome;
pub mod proportions;
pub mod rules;
pub mod sale;
pub mod setup;
pub mod shelf;
pub mod stage;
pub mod takeback;

use std::path::Path;

use clap::Args;
use engine::Source as _;
use tandem::demo::source::{Month, Source};
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::world::RealWorld;
use api::Api;
use child::Serving;
use outcome::Outcome;
use stage::Stage;

/// Where the books of a replay lie when nothing else is named.
const DIRECTORY: &str = "tandem-replay";

/// Send a real retailer's year through the API, and compare the books with it
///
/// The demo retailer's 25,900 invoices, spread over web, phone and twelve tills, many clients at once: baskets, orders, payments,
/// parcels, pickups, transfers, counts, order changes; cancellations come back as returns; odd rows are handled by named rules
/// (demo/README.md). In the end the books are read
/// through the API and held against the source to the penny, and everything is worked out again as by `tandem check`. Ends with 1 when
/// anything differs.
///
/// Without --url it serves a shop of its own with fresh books on a free port: in ./tandem-replay (cleared each time), or the --data or
/// --database that you name, which must be new.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem replay --months 1
  tandem replay --months 1 --offers
  tandem replay --clients 32 --json > report.json
  tandem replay --database postgres://tandem@127.0.0.1/replay
  tandem replay --url http://127.0.0.1:8080 --key key_…")]
pub struct Arguments {
    /// Only the last months, as if the shop had opened with them [default: all thirteen].
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(1..=13))]
    months: Option<u32>,

    /// How many clients ask at once, 1 to 256.
    #[arg(long, value_name = "CLIENTS", default_value_t = 16, value_parser = clients)]
    clients: usize,

    /// With offers: members' prices, three promotions, points and gift cards; the report explains what they did to every total.
    #[arg(long)]
    offers: bool,

    /// A running shop to replay into instead of one of its own; it must be empty.
    #[arg(long, value_name = "URL", requires = "key")]
    url: Option<String>,

    /// The API key for --url, with every permission.
    #[arg(long, value_name = "KEY", env = "TANDEM_KEY", hide_env_values = true)]
    key: Option<String>,
}

fn clients(text: &str) -> Result<usize, String> {
    let clients = text.parse().ok().filter(|clients| (1..=256).contains(clients));
    clients.ok_or_else(|| "give 1 to 256".to_owned())
}

/// Runs it.
///
/// # Errors
/// [`Fault::Failed`] when the books differ from the source.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let source = open(arguments.months)?;
    let outcome = match (&arguments.url, &arguments.key) {
        (Some(url), Some(key)) => {
            let api = Api::new(url, key.clone(), arguments.clients);
            runtime()?.block_on(play(&api, &source, (arguments.clients, arguments.offers), (screen, None)))?
        }
        _ => in_own_shop(config, arguments, &source, screen)?,
    };
    screen.tell(&outcome.text(), &outcome.json());
    outcome.judge()
}

/// The threads on which the shop is asked. Books are opened and checked before and after, never on them.
///
/// # Errors
/// When the system gives no threads.
pub fn runtime() -> Result<Runtime, Fault> {
    Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))
}

/// The demo retailer's invoices.
///
/// # Errors
/// When the data carried in the program is damaged.
pub fn open(months: Option<u32>) -> Result<Source, Fault> {
    Source::open(months).map_err(|why| Fault::Failed(why.to_string()))
}

fn in_own_shop(
    config: &Config,
    arguments: &Arguments,
    source: &Source,
    screen: &Screen,
) -> Result<Outcome, Fault> {
    let config = config.in_directory_unless_named(Path::new(DIRECTORY));
    if config.keeps_books_in_data() {
        child::fresh_directory(config.data())?;
    }
    let key = child::key_to_fresh_books(&config)?;
    let outcome = runtime()?.block_on(async {
        let serving = Serving::start(&config, "127.0.0.1:0", false).await?;
        let api = Api::new(&serving.address, key, arguments.clients);
        let outcome =
            play(&api, source, (arguments.clients, arguments.offers), (screen, Some(&serving))).await;
        serving.stop().await?;
        outcome
    })?;
    outcome.checked(&config, screen)
}

/// Sets up the house, lives through the months, and reads the books.
///
/// # Errors
/// What the shop refuses, and the first answer that is not what the source says.
pub async fn play(
    api: &Api,
    source: &Source,
    (clients, with_offers): (usize, bool),
    (screen, serving): (&Screen, Option<&Serving>),
) -> Result<Outcome, Fault> {
    let began = RealWorld.now();
    let cpu_ms = || serving.and_then(Serving::cpu_ms);
    let house = setup::set_up(api, source, (clients, with_offers), screen).await?;
    let stage = Stage::open(api, source, &house, (clients, screen));
    let (mut selling_micros, mut selling_cpu_ms) = (0, Some(0));
    for (number, month) in source.months().into_iter().enumerate() {
        stage.say(month, "deliveries");
        stage.stock_up(number).await?;
        stage.look_into_purses(month).await?;
        stage.say(month, "sales");
        let (at, cpu) = (RealWorld.now(), cpu_ms());
        stage.sell(month).await?;
        stage.say(month, "parcels");
        stage.ship(month).await?;
        selling_micros += RealWorld.now().micros() - at.micros();
        selling_cpu_ms = selling_cpu_ms.zip(cpu).zip(cpu_ms()).map(|((sum, then), now)| sum + now - then);
        stage.say(month, "transfers");
        stage.even_out(number).await?;
        stage.say(month, "returns");
        stage.take_back(month).await?;
        stage.send_back(number).await?;
        stage.say(month, "counts");
        stage.count(number).await?;
    }
    let tally = stage.close();
    let lived = RealWorld.now();
    let reading = screen.bar("reading the books", "steps");
    let books = books::read(api, source, &house, tally, clients).await;
    reading.finish_and_clear();
    Ok(Outcome {
        source: tandem::demo::report::Report::of(source),
        books: books?,
        days: source.months().iter().map(|month| days(*month)).sum(),
        clients,
        whole_micros: lived.micros() - began.micros(),
        selling_micros,
        selling_cpu_ms,
        check: None,
    })
}

fn days(month: Month) -> i64 {
    (clock::end(month).micros() - clock::begin(month).micros() + 3_600_000_000) / 86_400_000_000
}
