//! A month of a replay: what suppliers and warehouses bring, sales, parcels and pickups, transfers, returns, counts.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use tandem::demo::assignment::Channel;
use tandem::demo::source::{Invoice, Kind, Month, Source};
use tandem::demo::supplies::{self, Supply};

use super::api::Api;
use super::between::{Balance, Between, Transfer};
use super::chain::{Walk, Way, trouble, way_of};
use super::change::{self, Change};
use super::counting::{Counting, shelves};
use super::exchange;
use super::goods::{self, Mark, Tally};
use super::offers::means::{self, Means};
use super::sale;
use super::setup::House;
use super::shelf;
use super::takeback::{self, Back, CameBack, Kept, Refunded};
use crate::fault::Fault;
use crate::screen::Screen;

/// Deliveries that are received, and places at which is counted, at once.
const PLACES_AT_ONCE: usize = 4;

/// Everything a month of the source needs.
pub struct Stage<'s> {
    api: &'s Api,
    source: &'s Source,
    house: &'s House,
    clients: usize,
    supplies: Vec<Supply>,
    wanted: HashSet<(usize, Mark)>,
    exchanged: HashMap<usize, Mark>,
    changes: HashMap<usize, Change>,
    between: Between<'s>,
    balance: RefCell<Balance>,
    came_back: RefCell<CameBack>,
    refunded: RefCell<Refunded>,
    means: RefCell<HashMap<usize, Means>>,
    tally: RefCell<Tally>,
    kept: RefCell<Kept>,
    bar: ProgressBar,
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

impl<'s> Stage<'s> {
    /// Before the first month.
    pub fn open(
        api: &'s Api,
        source: &'s Source,
        house: &'s House,
        (clients, screen): (usize, &Screen),
    ) -> Stage<'s> {
        let wanted = returned_later(source);
        let sales = || source.invoices().iter().enumerate().filter(|(_, invoice)| invoice.kind == Kind::Sale);
        let exchanged = sales().filter_map(|(number, invoice)| {
            Some((number, exchange::of(source, invoice, |mark| wanted.contains(&(number, *mark)))?))
        });
        let changes = sales().filter_map(|(number, invoice)| {
            Some((number, change::of(source, invoice, |mark| wanted.contains(&(number, *mark)))?))
        });
        let bar = screen.bar("invoices", "invoices");
        bar.set_length(source.invoices().len() as u64);
        Stage {
            api,
            source,
            house,
            clients,
            supplies: supplies::plan(source),
            exchanged: exchanged.collect(),
            changes: changes.collect(),
            wanted,
            between: Between::new(api, house),
            balance: RefCell::default(),
            came_back: RefCell::default(),
            refunded: RefCell::default(),
            means: RefCell::default(),
            tally: RefCell::default(),
            kept: RefCell::default(),
            bar,
        }
    }

    /// Tells whoever waits what is done now.
    pub fn say(&self, month: Month, what: &str) {
        self.bar.set_message(format!("{month} {what}"));
    }

    /// After the last month: what was counted.
    pub fn close(self) -> Tally {
        self.bar.finish_and_clear();
        self.tally.into_inner()
    }

    /// The invoices of a month of these kinds, with their numbers.
    fn of(&self, month: Month, kinds: &[Kind]) -> Vec<(usize, &'s Invoice)> {
        let all = self.source.invoices().iter().enumerate();
        all.filter(|(_, invoice)| invoice.month() == month && kinds.contains(&invoice.kind)).collect()
    }

    fn places(&self) -> impl Iterator<Item = usize> + 's {
        let locations = &self.source.locations;
        locations.warehouses().iter().chain(locations.stores()).copied()
    }

    /// What suppliers bring, and what of it goes on to stores.
    ///
    /// # Errors
    /// What the shop refuses, here and below.
    pub async fn stock_up(&self, month: usize) -> Result<(), Fault> {
        let delivered = shelf::delivered(self.source, &self.supplies, month);
        let each = stream::iter(delivered.receipts).map(Ok);
        each.try_for_each_concurrent(PLACES_AT_ONCE, |receipt| async move {
            shelf::receive(self.api, &receipt).await
        })
        .await?;
        self.carry(delivered.onward).await?;
        self.count_doubted(month).await
    }

    async fn carry(&self, transfers: Vec<Transfer>) -> Result<(), Fault> {
        let each = stream::iter(transfers).map(Ok);
        each.try_for_each_concurrent(
            PLACES_AT_ONCE,
            |transfer| async move { self.between.carry(&transfer).await },
        )
        .await
    }

    /// What the month's sales are paid with when there are offers: gift cards are bought and members asked what they have.
    ///
    /// # Errors
    /// As above.
    pub async fn look_into_purses(&self, month: Month) -> Result<(), Fault> {
        let Some(offers) = &self.house.offers else { return Ok(()) };
        let sales = (self.of(month, &[Kind::Sale]), self.clients);
        let means = means::of_month(self.api, self.source, offers, sales).await?;
        self.means.borrow_mut().extend(means);
        Ok(())
    }

    /// Sales, stock entries and what is only counted, in any order; then what is routed and collected, one after the other, so that the
    /// profile decides about the same shelves on every run.
    ///
    /// # Errors
    /// And any line that is not what the source says.
    pub async fn sell(&self, month: Month) -> Result<(), Fault> {
        let invoices = self.of(month, &[Kind::Sale, Kind::StockEntry, Kind::Bookkeeping]);
        let is_planned =
            |invoice: &Invoice| invoice.kind != Kind::Sale || way_of(self.source, invoice) == Way::Planned;
        let (planned, routed): (Vec<_>, Vec<_>) =
            invoices.into_iter().partition(|(_, invoice)| is_planned(invoice));
        let each = stream::iter(planned).map(Ok);
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
            Ok::<(), Fault>(())
        })
        .await?;
        for (number, invoice) in routed {
            self.sell_one(number, invoice).await?;
            self.bar.inc(1);
        }
        Ok(())
    }

    async fn sell_one(&self, number: usize, invoice: &Invoice) -> Result<(), Fault> {
        let change = self.changes.get(&number).copied();
        if let Some(Change::Fewer((sku, _))) = change {
            let spare = [(self.source.stock.skus()[sku].clone(), 1)];
            self.between.bring(&format!("changed-{}", invoice.number), invoice.location, &spare).await?;
        }
        let mut occasion = sale::as_it_was(invoice, change);
        if self.house.offers.is_some() {
            occasion.offered =
                Some((self.house, self.means.borrow_mut().remove(&number).unwrap_or_default()));
        }
        let sold = sale::sell(self.api, self.source, invoice, occasion).await?;
        let is_wanted =
            |mark: &Mark| self.wanted.contains(&(number, *mark)) || self.exchanged.get(&number) == Some(mark);
        let wanted = sold.into_iter().filter(|(mark, _)| is_wanted(mark));
        self.kept.borrow_mut().extend(wanted.map(|(mark, line)| ((number, mark), line)));
        let mut tally = self.tally.borrow_mut();
        for line in invoice.lines.iter().filter(|line| goods::is_sold(line)) {
            tally.count(line, line.charged_minor());
        }
        shelf::not_sent(invoice, &mut tally);
        Ok(())
    }

    /// The parcels of web and phone orders, after they were paid, and what is collected. What is changed comes first, while no picker has
    /// missed anything; then what another place may have to serve, one after the other.
    ///
    /// # Errors
    /// And an order that is not complete then.
    pub async fn ship(&self, month: Month) -> Result<(), Fault> {
        let mut invoices = self.of(month, &[Kind::Sale]);
        invoices.retain(|(_, invoice)| invoice.channel != Channel::Till);
        for (number, invoice) in &invoices {
            if let Some(change) = self.changes.get(number) {
                let order = sale::paid(self.api, &invoice.number).await?;
                self.bring_what_is_added(invoice, *change).await?;
                change.confirmed(self.api, self.source, invoice, order).await?;
            }
        }
        let is_plain = |invoice: &Invoice| {
            trouble(invoice).is_none() && !matches!(way_of(self.source, invoice), Way::Collected(_))
        };
        let (plain, others): (Vec<_>, Vec<_>) =
            invoices.into_iter().partition(|(_, invoice)| is_plain(invoice));
        for (_, invoice) in others {
            self.ship_one(invoice).await?;
        }
        let each = stream::iter(plain).map(Ok);
        each.try_for_each_concurrent(self.clients, |(_, invoice)| self.ship_one(invoice)).await
    }

    /// What a change puts into an order was held for nobody until now, and an order routed meanwhile may have got it.
    async fn bring_what_is_added(&self, invoice: &Invoice, change: Change) -> Result<(), Fault> {
        let Change::More((sku, _)) = change else { return Ok(()) };
        let sku = &self.source.stock.skus()[sku];
        let name = format!("added-{}", invoice.number);
        self.between.bring(&name, invoice.location, &[(sku.clone(), 1)]).await?;
        self.balance.borrow_mut().add(sku, invoice.location, 1);
        Ok(())
    }

    async fn ship_one(&self, invoice: &Invoice) -> Result<(), Fault> {
        let order = sale::paid(self.api, &invoice.number).await?;
        let walk = Walk {
            api: self.api,
            source: self.source,
            house: self.house,
            invoice,
            between: &self.between,
            balance: &self.balance,
        };
        sale::completed(invoice, &walk.to_the_customer(order).await?)
    }

    /// Who served others' orders is sent what was meant for it; what got lost a supplier brings.
    ///
    /// # Errors
    /// As above.
    pub async fn even_out(&self, month: usize) -> Result<(), Fault> {
        let name = format!("balance-{month}");
        let (transfers, lacking) = self.balance.take().evened_out(&name);
        self.carry(transfers).await?;
        for (place, lines) in lacking {
            self.between.bring(&format!("{name}-{place}"), place, &lines).await?;
        }
        Ok(())
    }

    /// Returns and exchanges, after everything that was sold in the month.
    ///
    /// # Errors
    /// And any refund that is not what the source says.
    pub async fn take_back(&self, month: Month) -> Result<(), Fault> {
        let invoices = self.of(month, &[Kind::Return]);
        let kept = self.kept.take();
        let each = stream::iter(invoices).map(Ok);
        let done = each.try_for_each_concurrent(self.clients, |(_, invoice)| {
            let kept = &kept;
            async move {
                let (api, source, house) = (self.api, self.source, self.house);
                let (came_back, refunded) = (&self.came_back, &self.refunded);
                Back { api, source, house, invoice, came_back, refunded }.take(kept).await?;
                let mut tally = self.tally.borrow_mut();
                for line in invoice.lines.iter().filter(|line| takeback::is_given_back(line)) {
                    tally.count(line, line.charged_minor());
                }
                shelf::not_sent(invoice, &mut tally);
                self.bar.inc(1);
                Ok::<(), Fault>(())
            }
        });
        let done = done.await.and_then(|()| takeback::must_be_shares(&kept, &self.refunded.borrow()));
        let done = match done {
            Ok(()) => self.exchange(month, &kept).await,
            failed => failed,
        };
        self.kept.replace(kept);
        done
    }

    async fn exchange(&self, month: Month, kept: &Kept) -> Result<(), Fault> {
        for (number, invoice) in self.of(month, &[Kind::Sale]) {
            let mark = self.exchanged.get(&number);
            if let Some((mark, line)) = mark.and_then(|mark| Some((*mark, kept.get(&(number, *mark))?))) {
                let ground = (self.house, &self.between);
                exchange::exchange((self.api, self.source), ground, invoice, (mark, &line.id)).await?;
            }
        }
        Ok(())
    }

    /// What came back to stores goes on to the first warehouse.
    ///
    /// # Errors
    /// As above.
    pub async fn send_back(&self, month: usize) -> Result<(), Fault> {
        let mut by_store: BTreeMap<usize, Vec<(String, i64)>> = BTreeMap::new();
        for ((sku, store), pieces) in self.came_back.take() {
            by_store.entry(store).or_default().push((sku, pieces));
        }
        let to = self.source.locations.warehouses()[0];
        let transfer = |(store, lines)| Transfer {
            name: format!("back-{month}-{store}"),
            source: store,
            destination: to,
            reason: "back",
            lines,
        };
        self.carry(by_store.into_iter().map(transfer).collect()).await
    }

    fn counting(&self) -> Counting<'_> {
        Counting { api: self.api, house: self.house, between: &self.between }
    }

    async fn count_doubted(&self, month: usize) -> Result<(), Fault> {
        let each = stream::iter(self.places()).map(Ok);
        each.try_for_each_concurrent(PLACES_AT_ONCE, |place| async move {
            self.counting().doubted(month, place).await
        })
        .await
    }

    /// What is in doubt is counted, and what has its turn.
    ///
    /// # Errors
    /// As above.
    pub async fn count(&self, month: usize) -> Result<(), Fault> {
        self.count_doubted(month).await?;
        let each = stream::iter(self.places()).map(Ok);
        each.try_for_each_concurrent(PLACES_AT_ONCE, |place| async move {
            let skus = shelves(self.source, &self.supplies, place, month);
            self.counting().in_turn(month, place, &skus).await
        })
        .await
    }
}
