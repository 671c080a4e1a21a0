//! `tandem replay`: a real retailer's year of invoices through the public API, and the proof that the shop's books say the same to the
//! penny.

pub mod api;
pub mod books;
pub mod chain;
pub mod child;
pub mod clock;
pub mod goods;
pub mod outcome;
pub mod sale;
pub mod setup;
pub mod shelf;
pub mod takeback;

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;

use clap::Args;
use engine::Source as _;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use tandem::demo::assignment::Channel;
use tandem::demo::source::{Invoice, Kind, Month, Source};
use tandem::demo::supplies::{self, Supply};
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::fault::Fault;
use crate::screen::Screen;
use crate::world::RealWorld;
use api::Api;
use child::Serving;
use goods::{Mark, Tally};
use outcome::Outcome;
use takeback::Kept;

/// Where the books of a replay lie when nothing else is named.
const DIRECTORY: &str = "tandem-replay";
/// Deliveries that are received at once.
const RECEIPTS_AT_ONCE: usize = 4;

/// Send a real retailer's year through the API, and compare the books with it
///
/// The demo retailer's 25,900 invoices, spread over web, phone and twelve tills, many clients at once: baskets, orders, payments,
/// parcels; cancellations come back as returns; odd rows are handled by named rules (demo/README.md). In the end the books are read
/// through the API and held against the source to the penny, and everything is worked out again as by `tandem check`. Ends with 1 when
/// anything differs.
///
/// Without --url it serves a shop of its own with fresh books on a free port: in ./tandem-replay (cleared each time), or the --data or
/// --database that you name, which must be new.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  tandem replay --months 1
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
            runtime()?.block_on(play(&api, &source, arguments.clients, (screen, None)))?
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
        let outcome = play(&api, source, arguments.clients, (screen, Some(&serving))).await;
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
    clients: usize,
    (screen, serving): (&Screen, Option<&Serving>),
) -> Result<Outcome, Fault> {
    let began = RealWorld.now();
    let cpu_ms = || serving.and_then(Serving::cpu_ms);
    let house = setup::set_up(api, source, clients, screen).await?;
    let stage = Stage {
        api,
        source,
        clients,
        supplies: supplies::plan(source),
        wanted: returned_later(source),
        tally: RefCell::default(),
        kept: RefCell::default(),
        bar: screen.bar("invoices", "invoices"),
    };
    stage.bar.set_length(source.invoices().len() as u64);
    let (mut selling_micros, mut selling_cpu_ms) = (0, Some(0));
    for (number, month) in source.months().into_iter().enumerate() {
        stage.bar.set_message(format!("{month} deliveries"));
        stage.stock_up(number).await?;
        stage.bar.set_message(format!("{month} sales"));
        let (at, cpu) = (RealWorld.now(), cpu_ms());
        stage.sell(month).await?;
        stage.bar.set_message(format!("{month} parcels"));
        stage.ship(month).await?;
        selling_micros += RealWorld.now().micros() - at.micros();
        selling_cpu_ms = selling_cpu_ms.zip(cpu).zip(cpu_ms()).map(|((sum, then), now)| sum + now - then);
        stage.bar.set_message(format!("{month} returns"));
        stage.take_back(month).await?;
    }
    stage.bar.finish_and_clear();
    let lived = RealWorld.now();
    let reading = screen.bar("reading the books", "steps");
    let books = books::read(api, source, &house, stage.tally.into_inner()).await;
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

/// Lines of sales of which something comes back: the number of the invoice and the mark of the line.
fn returned_later(source: &Source) -> HashSet<(usize, Mark)> {
    let lines = source.invoices().iter().flat_map(|invoice| &invoice.lines);
    let matches = lines.flat_map(|line| &line.matches);
    let marked = matches.map(|found| {
        let sale = &source.invoices()[found.invoice];
        (found.invoice, goods::mark(source, &sale.lines[found.line]))
    });
    marked.collect()
}

/// Everything a month of the source needs.
struct Stage<'s> {
    api: &'s Api,
    source: &'s Source,
    clients: usize,
    supplies: Vec<Supply>,
    wanted: HashSet<(usize, Mark)>,
    tally: RefCell<Tally>,
    kept: RefCell<Kept>,
    bar: ProgressBar,
}

impl Stage<'_> {
    /// The invoices of a month of these kinds, with their numbers.
    fn of(&self, month: Month, kinds: &[Kind]) -> Vec<(usize, &Invoice)> {
        let all = self.source.invoices().iter().enumerate();
        all.filter(|(_, invoice)| invoice.month() == month && kinds.contains(&invoice.kind)).collect()
    }

    async fn stock_up(&self, month: usize) -> Result<(), Fault> {
        let receipts = shelf::receipts(self.source, &self.supplies, month);
        let each = stream::iter(receipts).map(Ok);
        each.try_for_each_concurrent(RECEIPTS_AT_ONCE, |receipt| async move {
            shelf::receive(self.api, &receipt).await
        })
        .await
    }

    /// Sales, stock entries and what is only counted, in any order.
    async fn sell(&self, month: Month) -> Result<(), Fault> {
        let invoices = self.of(month, &[Kind::Sale, Kind::StockEntry, Kind::Bookkeeping]);
        let each = stream::iter(invoices).map(Ok);
        each.try_for_each_concurrent(self.clients, |(number, invoice)| async move {
            match invoice.kind {
                Kind::Sale => self.sell_one(number, invoice).await?,
                Kind::StockEntry => {
                    let count = |line: &_| self.tally.borrow_mut().count(line, 0);
                    shelf::adjust(self.api, self.source, invoice, count).await?;
                    self.tally.borrow_mut().stock_entries += 1;
                }
                Kind::Return | Kind::Bookkeeping => {
                    shelf::not_sent(invoice, &mut self.tally.borrow_mut());
                    self.tally.borrow_mut().bookkeeping += 1;
                }
            }
            self.bar.inc(1);
            Ok(())
        })
        .await
    }

    async fn sell_one(&self, number: usize, invoice: &Invoice) -> Result<(), Fault> {
        let ids = sale::sell(self.api, self.source, invoice, sale::as_it_was(invoice)).await?;
        let wanted = ids.into_iter().filter(|(mark, _)| self.wanted.contains(&(number, *mark)));
        self.kept.borrow_mut().extend(wanted.map(|(mark, id)| ((number, mark), id)));
        let mut tally = self.tally.borrow_mut();
        for line in invoice.lines.iter().filter(|line| goods::is_sold(line)) {
            tally.count(line, line.charged_minor());
        }
        shelf::not_sent(invoice, &mut tally);
        Ok(())
    }

    /// The parcels of web and phone orders, after they were paid, and what is collected.
    async fn ship(&self, month: Month) -> Result<(), Fault> {
        let mut invoices = self.of(month, &[Kind::Sale]);
        invoices.retain(|(_, invoice)| invoice.channel != Channel::Till);
        let each = stream::iter(invoices).map(Ok);
        each.try_for_each_concurrent(self.clients, |(_, invoice)| async move {
            let order = sale::paid(self.api, &invoice.number).await?;
            let walk = chain::Walk { api: self.api, source: self.source, invoice };
            sale::completed(invoice, &walk.to_the_customer(order).await?)
        })
        .await
    }

    /// Returns, after everything that was sold in the month.
    async fn take_back(&self, month: Month) -> Result<(), Fault> {
        let invoices = self.of(month, &[Kind::Return]);
        let kept = self.kept.take();
        let each = stream::iter(invoices).map(Ok);
        let done = each.try_for_each_concurrent(self.clients, |(_, invoice)| {
            let kept = &kept;
            async move {
                takeback::take_back(self.api, self.source, invoice, kept).await?;
                let mut tally = self.tally.borrow_mut();
                for line in invoice.lines.iter().filter(|line| takeback::is_given_back(line)) {
                    tally.count(line, line.charged_minor());
                }
                shelf::not_sent(invoice, &mut tally);
                self.bar.inc(1);
                Ok(())
            }
        });
        let done = done.await;
        self.kept.replace(kept);
        done
    }
}
