//! `tandem bench`: how fast the program is on this machine, figure by figure, beside the goal of each.
//!
//! Everything is measured on books of its own, through the public API of the program itself as a process that serves them, so that what
//! serving costs can be told from what asking costs.

mod availability;
mod checkout;
mod collect;
mod crowd;
mod fan_out;
mod figure;
mod house;
mod machine;
mod matching;
mod pricing;
mod product_page;
mod promise;
mod reservation;
mod routing;
mod segments;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use domain::value::Id;
use domain::value::id::Variant;
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::json;
use store::Db;
use store::dialect::Engine;
use tandem::demo::report::signed;
use tokio::runtime::Runtime;
use tokio::task::block_in_place;

use self::crowd::{micros_now, per_second};
use self::figure::{Amount, Figure};
use self::house::{House, Plan};
use self::machine::Machine;
use crate::check;
use crate::config::Config;
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::{self, Memory, Serving};
use crate::screen::Screen;
use crate::shop;

/// Where the books lie when nothing else is named,
const DIRECTORY: &str = "tandem-bench";
/// and within it those of the large house,
const LARGE: &str = "large";
/// and of the one with many locations,
const WIDE: &str = "wide";
/// of the one with many customers,
const PEOPLE: &str = "people";
/// of what people did,
const DEEDS: &str = "deeds";
/// and of the one with many profiles.
const PROFILES: &str = "profiles";
/// Connections that are kept open: as many as the largest crowd has clients.
const CONNECTIONS: usize = 64;
/// The house for everything but availability.
const SMALL: Plan = Plan { name: "small", locations: 5, products: product_page::PRODUCTS, on_the_map: false };
/// Pieces of everything at each of its locations: more than are ever bought.
const PIECES_EACH: u64 = 1_000_000;
/// How often a starting shop is asked whether it is ready.
const LOOK: std::time::Duration = std::time::Duration::from_millis(1);
/// The longest wait for it.
const START_WAIT_MICROS: u64 = 60_000_000;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    /// A guest's whole checkout, two calls, by 1, 8 and 32 clients at once.
    Checkout,
    /// 1,500 buyers for 500 pieces over five stores.
    FlashSale,
    /// A page of 24 products with ten variants each, prices, and stock per store.
    ProductPage,
    /// Telling everybody who follows the journal.
    FanOut,
    /// Reading availability and filling carts in a house of a million stock accounts.
    Availability,
    /// What can be promised of 20 lines over 100, 500 and 1,000 locations, and routing orders there, among a million stock accounts.
    Promise,
    /// What people did on pages and in apps, sent one by one and in batches, by 1, 8 and 32 clients at once.
    Collect,
    /// Holds on one variant, in process.
    Reservation,
    /// How long the program takes to start, and what memory it has after the rest.
    Start,
    /// Working the measured books out again, as `tandem check` does.
    Check,
    /// Routing one order, and a wave of 200, in process.
    Routing,
    /// Pricing carts with many promotions, in process.
    Pricing,
    /// Looking whom a customer may be the same person as, among many, and comparing all; only when named.
    Matching,
    /// Making segments over many profiles, and asking whether somebody belongs to one; only when named.
    Segments,
}

/// Measure how fast the program is on this machine
///
/// Makes books of its own (in ./tandem-bench, cleared each time, or the --data or --database that you name, which must be new), serves
/// them as a process of its own, and asks it as a crowd of clients would. Every commit is durable. Prints each figure beside its goal.
/// Use a release build on a machine that does nothing else; the clients run on the same cores. Availability and promise each make a large
/// house first, which takes a minute; on PostgreSQL they are measured only when named.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem bench
  tandem bench checkout flash-sale --seconds 30
  tandem bench --json --commit 1a2b3c4 > figures.json
  tandem bench routing --write-routing routing.json
  tandem bench --database postgres://tandem@127.0.0.1/bench")]
pub struct Arguments {
    /// What to measure [default: all].
    #[arg(value_name = "WHICH")]
    which: Vec<Measure>,

    /// How long each figure is measured, 1 to 600 seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,

    /// How many stock accounts the large house has, 500 to 10,000,000.
    #[arg(long, value_name = "ACCOUNTS", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(500..=10_000_000))]
    accounts: u32,

    /// How many customers there are for matching, 1,000 to 2,000,000.
    #[arg(long, value_name = "CUSTOMERS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=2_000_000))]
    customers: u32,

    /// How many profiles there are for segments, 1,000 to 5,000,000.
    #[arg(long, value_name = "PROFILES", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=5_000_000))]
    profiles: u32,

    /// The commit the program was built from [default: that of the checkout we stand in].
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,

    /// Writes the orders that are routed, and what we found, into this file, to compare with another solver (tests/routing).
    #[arg(long, value_name = "FILE")]
    write_routing: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When the shop cannot be served, or answers what it must not.
pub fn run(config: &Config, arguments: &Arguments, screen: &Screen) -> Result<(), Fault> {
    let config = config.in_directory_unless_named(Path::new(DIRECTORY));
    let machine = Machine::look(&config, arguments.commit.as_deref());
    let bar = screen.counter("measuring", "figures");
    let mut stage = Stage { config, arguments, screen, bar, figures: Vec::new() };
    let runtime =
        Runtime::new().map_err(|error| Fault::environment("starting the program's threads", error))?;
    let done = runtime.block_on(async {
        stage.small_house().await?;
        if stage.wants(Measure::Availability) {
            stage.large_house().await?;
        }
        if stage.wants(Measure::Promise) {
            stage.wide_house().await?;
        }
        stage.collecting().await?;
        stage.segments().await?;
        stage.matching()
    });
    let done = done.and_then(|()| stage.routing()).and_then(|()| stage.pricing());
    stage.bar.finish_and_clear();
    done?;
    let figures: Vec<_> = stage.figures.iter().map(Figure::json).collect();
    screen.tell(
        &format!("{}\n\n{}", machine.text(), figure::table(&stage.figures)),
        &json!({ "machine": machine.json(), "seconds": arguments.seconds, "figures": figures }),
    );
    Ok(())
}

/// What is measured, and what was found so far.
struct Stage<'a> {
    config: Config,
    arguments: &'a Arguments,
    screen: &'a Screen,
    bar: ProgressBar,
    figures: Vec<Figure>,
}

impl Stage<'_> {
    fn wants(&self, measure: Measure) -> bool {
        let which = &self.arguments.which;
        if which.is_empty() {
            let is_large = matches!(measure, Measure::Availability | Measure::Promise);
            return !matches!(measure, Measure::Matching | Measure::Segments)
                && (!is_large || self.config.store().engine() == Engine::Sqlite);
        }
        which.contains(&measure)
    }

    fn add(&mut self, figures: Vec<Figure>) {
        self.bar.inc(figures.len() as u64);
        self.figures.extend(figures);
    }

    /// Routing, which needs no house.
    fn routing(&mut self) -> Result<(), Fault> {
        if self.wants(Measure::Routing) {
            self.bar.set_message("routing");
            self.add(routing::measure(self.arguments.write_routing.as_deref())?);
        }
        Ok(())
    }

    /// Collecting what people did, in books of its own.
    async fn collecting(&mut self) -> Result<(), Fault> {
        if !self.wants(Measure::Collect) {
            return Ok(());
        }
        let config = self.own_books(DEEDS)?;
        let key = block_in_place(|| child::key_to_books(&config))?;
        let before = collect::file_bytes(&config)?;
        let (serving, _) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key, CONNECTIONS);
        self.bar.set_message("collecting what people did");
        let done = collect::measure(&api, &serving, self.arguments.seconds).await;
        serving.stop().await?;
        let (figures, events) = done?;
        self.add(figures);
        if let (Some(before), Some(after)) = (before, collect::file_bytes(&config)?) {
            self.add(collect::weight(after.saturating_sub(before), events));
        }
        self.check(&config, "what people did")
    }

    /// Segments over many profiles, in books of their own.
    async fn segments(&mut self) -> Result<(), Fault> {
        if !self.wants(Measure::Segments) {
            return Ok(());
        }
        let config = self.own_books(PROFILES)?;
        let key = block_in_place(|| child::key_to_books(&config))?;
        self.bar.set_message("making profiles");
        let made = block_in_place(|| {
            let shop = shop::open_or_make(&config)?.shop;
            segments::make(&shop, self.arguments.profiles)
        })?;
        let (serving, _) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key, CONNECTIONS);
        self.bar.set_message("making segments");
        let figures =
            segments::measure(&api, &serving, &made, (self.arguments.seconds, config.store().engine())).await;
        serving.stop().await?;
        self.add(figures?);
        Ok(())
    }

    /// Settings for books of their own: in a directory of that name where books lie in files, and fresh.
    fn own_books(&self, directory: &str) -> Result<Config, Fault> {
        let config = match self.config.store().engine() {
            Engine::Sqlite => self.config.in_directory(&self.config.data().join(directory)),
            Engine::Postgres => self.config.clone(),
        };
        if config.keeps_books_in_data() {
            child::fresh_directory(config.data())?;
        }
        Ok(config)
    }

    /// Matching, in books of its own.
    fn matching(&mut self) -> Result<(), Fault> {
        if !self.wants(Measure::Matching) {
            return Ok(());
        }
        let config = self.own_books(PEOPLE)?;
        self.bar.set_message("making people");
        let figures = block_in_place(|| {
            let shop = shop::open_or_make(&config)?.shop;
            matching::measure(&shop, self.arguments.customers)
        });
        self.add(figures?);
        Ok(())
    }

    /// Pricing, which needs none either.
    fn pricing(&mut self) -> Result<(), Fault> {
        if self.wants(Measure::Pricing) {
            self.bar.set_message("pricing");
            self.add(pricing::measure()?);
        }
        Ok(())
    }

    /// Everything but availability, promises, routing and pricing.
    async fn small_house(&mut self) -> Result<(), Fault> {
        let has_own = |measure: &Measure| {
            use Measure::{Availability, Collect, Matching, Pricing, Promise, Routing, Segments};
            matches!(measure, Availability | Promise | Routing | Pricing | Matching | Collect | Segments)
        };
        let of_small = |measure: &Measure| !has_own(measure) && self.wants(*measure);
        if !Measure::value_variants().iter().any(of_small) {
            return Ok(());
        }
        if self.config.keeps_books_in_data() {
            child::fresh_directory(self.config.data())?;
        }
        let config = self.config.clone();
        // Wherever books are opened here: they block, and drive connections to PostgreSQL by themselves.
        let key = block_in_place(|| child::key_to_fresh_books(&config))?;
        let (serving, started) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key.clone(), CONNECTIONS);
        self.bar.set_message("making a house");
        let house = house::make(&api, &SMALL).await?;
        house.stock(&api, &house.variants, PIECES_EACH).await?;
        let orders = self.ask(&api, &house, &serving).await?;
        let memory = serving.memory();
        serving.stop().await?;
        if self.wants(Measure::Start) {
            let (serving, again) = start(&config, &key).await?;
            serving.stop().await?;
            self.add(start_figures(started, (again, orders), memory));
        }
        if self.wants(Measure::Reservation) {
            self.bar.set_message("holding one variant");
            let spot = (house.variants[0].as_str(), house.locations[0].as_str());
            let figures = block_in_place(|| {
                let shop = shop::open_or_make(&config)?.shop;
                reservation::measure(&shop, spot, self.arguments.seconds)
            });
            self.add(figures?);
        }
        self.check(&config, "the small house")
    }

    /// Everything that is asked of the small house while it serves; answers how many orders were made.
    async fn ask(&mut self, api: &Api, house: &House, serving: &Serving) -> Result<u64, Fault> {
        let seconds = self.arguments.seconds;
        let mut orders = 0;
        if self.wants(Measure::ProductPage) {
            self.bar.set_message("reading product pages");
            self.add(product_page::measure(api, house, serving, seconds).await?);
        }
        if self.wants(Measure::FanOut) {
            self.bar.set_message("telling followers");
            self.add(fan_out::measure(api, house, serving, seconds).await?);
        }
        if self.wants(Measure::Checkout) {
            self.bar.set_message("checking out");
            let (figures, made) = checkout::measure(api, house, serving, seconds).await?;
            self.add(figures);
            orders += made;
        }
        if self.wants(Measure::FlashSale) {
            self.bar.set_message("selling in a flash");
            let (figures, made) = checkout::measure_flash_sale(api, house).await?;
            self.add(figures);
            orders += made;
        }
        Ok(orders)
    }

    async fn large_house(&mut self) -> Result<(), Fault> {
        let plan = availability::plan(self.arguments.accounts as usize);
        let (config, key, house) = self.filled_house(LARGE, &plan, |_, _| availability::PIECES).await?;
        let (serving, _) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key, CONNECTIONS);
        self.bar.set_message("asking the large house");
        let figures = availability::measure(&api, &house, &serving, self.arguments.seconds).await;
        serving.stop().await?;
        self.add(figures?);
        self.check(&config, "the large house")
    }

    async fn wide_house(&mut self) -> Result<(), Fault> {
        let plan = promise::plan(self.arguments.accounts as usize);
        let (config, key, house) = self.filled_house(WIDE, &plan, promise::pieces).await?;
        let (serving, _) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key, CONNECTIONS);
        self.bar.set_message("asking what can be promised");
        let done = promise::measure(&api, &house, &serving, self.arguments.seconds).await;
        serving.stop().await?;
        let (figures, placed) = done?;
        self.add(figures);
        self.bar.set_message("routing in the wide house");
        let figures = block_in_place(|| {
            let shop = shop::open_or_make(&config)?.shop;
            promise::measure_routing(&shop, &placed, self.arguments.seconds)
        });
        self.add(figures?);
        self.check(&config, "the wide house")
    }

    /// Makes a house with full shelves, in books of its own where they lie in a directory; answers it with the key to its books.
    async fn filled_house(
        &self,
        directory: &str,
        plan: &Plan,
        pieces: fn(Id<Variant>, usize) -> i64,
    ) -> Result<(Config, String, House), Fault> {
        let config = self.own_books(directory)?;
        let key = block_in_place(|| child::key_to_books(&config))?;
        self.bar.set_message(format!("making the {} house", plan.name));
        let (serving, _) = start(&config, &key).await?;
        let api = Api::new(&serving.address, key.clone(), CONNECTIONS);
        let house = house::make(&api, plan).await?;
        serving.stop().await?;
        let bar = self.screen.bar("filling its shelves", "variants");
        block_in_place(|| availability::fill(&shop::open_or_make(&config)?.shop, &house, pieces, &bar))?;
        bar.finish_and_clear();
        Ok((config, key, house))
    }

    /// Works the books out again, if that is to be measured.
    fn check(&mut self, config: &Config, whose: &str) -> Result<(), Fault> {
        if !self.wants(Measure::Check) {
            return Ok(());
        }
        self.bar.set_message("checking the books");
        let (report, micros) = block_in_place(|| {
            let db = Db::open(&config.store())?;
            let began = micros_now();
            let report = check::look(&db, self.screen)?;
            Ok::<_, Fault>((report, micros_now() - began))
        })?;
        let count = |number: u64| signed(number.cast_signed());
        let of = format!(
            "{} postings, {} accounts, {} journal entries, {} seals of {whose}",
            count(report.postings),
            count(report.accounts),
            count(report.entries),
            count(report.seals)
        );
        let differences = report.differences.len() as u64 + report.more;
        self.add(vec![
            Figure::new("check: time", Amount::Micros(micros), &of),
            Figure::new("check: postings", per_second(report.postings, micros), &of),
            Figure::new("check: differences", Amount::Count(differences), of).exactly(Amount::Count(0)),
        ]);
        Ok(())
    }
}

/// Starts the shop; answers it with how long it took until it said that it is ready, in microseconds.
async fn start(config: &Config, key: &str) -> Result<(Serving, u64), Fault> {
    let began = micros_now();
    let serving = Serving::start(config, "127.0.0.1:0", false).await?;
    let api = Api::new(&serving.address, key.to_owned(), 1);
    loop {
        let taken = micros_now() - began;
        match api.once(Method::GET, "/health/ready", None).await {
            Ok(answer) if answer.status == 200 => return Ok((serving, micros_now() - began)),
            Err(fault) if taken > START_WAIT_MICROS => return Err(fault),
            Ok(answer) if taken > START_WAIT_MICROS => {
                return Err(Fault::Failed(format!(
                    "the shop answers {} instead of being ready",
                    answer.status
                )));
            }
            Ok(_) | Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

fn start_figures(started: u64, (again, orders): (u64, u64), memory: Option<Memory>) -> Vec<Figure> {
    let second = Amount::Micros(1_000_000);
    let orders = format!("{} orders", signed(orders.cast_signed()));
    let mut figures = vec![
        Figure::new("start until ready, empty books", Amount::Micros(started), "1 start").under(second),
        Figure::new(
            "start until ready, used books",
            Amount::Micros(again),
            format!("1 start, after {orders}"),
        )
        .under(second),
    ];
    if let Some(memory) = memory {
        let of = format!("after {orders}");
        let figure = |what: &str, kilobytes| {
            Figure::new(format!("memory of the server{what}"), Amount::Kilobytes(kilobytes), &of)
        };
        figures.push(figure("", memory.resident).under(Amount::Kilobytes(100 * 1024)));
        figures.push(figure(", of it neither program nor database file", memory.own));
        figures.push(figure(", at its most", memory.most));
    }
    let steps = Figure::new("steps from a clone to the first order", Amount::Count(1), "counted: make demo");
    figures.push(steps.under(Amount::Count(3)));
    figures
}
