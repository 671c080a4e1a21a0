//! What the shop's books say in the end, read through the public API like any consumer would: orders, figures, returns and the journal.
//! Nothing here knows what was sent.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;
use tandem::demo::assignment::Channel;
use tandem::demo::report::{Report, Trade};
use tandem::demo::source::{Kind, Month, Source};

use super::api::Api;
use super::clock;
use super::exchange;
use super::figures::Chain;
use super::goods::Tally;
use super::offers::explain::{self, Explained, Occasion, Told};
use super::offers::means;
use super::setup::House;
use super::takeback::invoice_of;
use crate::fault::Fault;

/// What was read.
pub struct Books {
    /// The report of what happened.
    pub report: Report,
    /// Events by their kind.
    pub events: BTreeMap<String, u64>,
    /// How goods reached their customers.
    pub chain: Chain,
    /// What in the books does not fit together.
    pub contradictions: Vec<String>,
    /// What offers did, with what the same would have come to without them.
    pub explained: Option<(Explained, Report)>,
}

struct Reader<'a> {
    api: &'a Api,
    source: &'a Source,
    house: &'a House,
    trade: BTreeMap<Occasion, Trade>,
    /// By the order's own id.
    orders: HashMap<String, Occasion>,
    /// By the return's own id.
    returns: HashMap<String, Occasion>,
    return_invoices: BTreeSet<String>,
    /// Units ordered by the journal, services included, and their gross; what is cancelled afterwards stays in both.
    ordered: BTreeMap<Occasion, (i64, i64)>,
    /// Orders and returns of exchanges, of which the source knows nothing: as lists tell of them, and as the journal does.
    beside: BTreeSet<String>,
    exchanged: BTreeSet<String>,
    /// How many gift cards were bought, of which the source knows nothing either; and what the journal tells of value.
    cards: u64,
    told: Told,
    /// Pieces that were counted of returns that come in parts.
    arrived: HashMap<String, i64>,
    events: BTreeMap<String, u64>,
    placed: HashSet<String>,
    chain: Chain,
    contradictions: Vec<String>,
}

/// Reads the books to the end.
///
/// # Errors
/// What the shop refuses.
pub async fn read(
    api: &Api,
    source: &Source,
    house: &House,
    tally: Tally,
    clients: usize,
) -> Result<Books, Fault> {
    let is_store = |at: &usize| source.locations.stores().contains(at);
    let stores = house.numbers.iter().filter(|(_, at)| is_store(at)).map(|(id, _)| id.clone());
    let mut reader = Reader {
        api,
        source,
        house,
        trade: BTreeMap::new(),
        orders: HashMap::new(),
        returns: HashMap::new(),
        return_invoices: BTreeSet::new(),
        ordered: BTreeMap::new(),
        beside: BTreeSet::new(),
        exchanged: BTreeSet::new(),
        cards: 0,
        told: Told::default(),
        arrived: HashMap::new(),
        events: BTreeMap::new(),
        placed: HashSet::new(),
        chain: Chain::new(stores.collect()),
        contradictions: Vec::new(),
    };
    reader.read_orders().await?;
    reader.read_returns().await?;
    reader.read_journal().await?;
    reader.read_figures().await?;
    let kinds = BTreeMap::from([
        (Kind::Sale, reader.orders.len() as u64),
        (Kind::Return, reader.return_invoices.len() as u64),
        (Kind::StockEntry, tally.stock_entries),
        (Kind::Bookkeeping, tally.bookkeeping),
    ]);
    let kinds: BTreeMap<_, _> = kinds.into_iter().filter(|(_, count)| *count > 0).collect();
    let mut explained = None;
    if let Some(offers) = &house.offers {
        let told = (std::mem::take(&mut reader.told), reader.cards);
        let read = (&reader.orders, &reader.returns);
        let mut found = explain::read(api, (house, offers), read, told, clients).await?;
        reader.contradictions.extend(found.contradictions(&reader.trade));
        let plain = Report::counted(kinds.clone(), tally.classes.clone(), found.plain(&reader.trade));
        explained = Some((found, plain));
    }
    let report = Report::counted(kinds, tally.classes, reader.trade);
    let (events, chain, contradictions) = (reader.events, reader.chain, reader.contradictions);
    Ok(Books { report, events, chain, contradictions, explained })
}

impl Reader<'_> {
    /// Every order: when it was placed and through which channel, from the list of orders.
    async fn read_orders(&mut self) -> Result<(), Fault> {
        let months = self.source.months();
        let (orders, beside, house) = (&mut self.orders, &mut self.beside, self.house);
        let (exchanged, cards) = (&mut self.exchanged, &mut self.cards);
        self.api
            .every("/v1/orders", |order| {
                let text = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
                if text("external_id").starts_with(means::NAME) {
                    *cards += 1;
                    exchanged.insert(text("id"));
                    beside.insert(text("id"));
                    return Ok(());
                }
                if !order["external_id"].is_string() {
                    beside.insert(text("id"));
                    return Ok(());
                }
                let at = text("placed_at");
                let month = months.iter().find(|month| is_in(**month, &at));
                let channel = house.channels.get(&text("channel"));
                let occasion = month.copied().zip(channel.copied());
                let occasion = occasion.ok_or_else(|| {
                    Fault::Failed(format!("order {} of {at} is not of the source", text("number")))
                })?;
                orders.insert(text("id"), occasion);
                Ok(())
            })
            .await
    }

    /// Every return and what is given back, from the list of returns. The month and channel are those of the cancellation it was made
    /// for, which its external id names.
    async fn read_returns(&mut self) -> Result<(), Fault> {
        let invoices: HashMap<&str, Occasion> = self
            .source
            .invoices()
            .iter()
            .map(|invoice| (invoice.number.as_str(), (invoice.month(), invoice.channel)))
            .collect();
        let mut found = Vec::new();
        let beside = &mut self.beside;
        self.api
            .every("/v1/returns", |one| {
                let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                if text("external_id").starts_with(exchange::NAME) {
                    beside.insert(text("id"));
                    return Ok(());
                }
                let invoice = invoice_of(&text("external_id")).to_owned();
                let occasion = invoices
                    .get(invoice.as_str())
                    .ok_or_else(|| Fault::Failed(format!("return {} is not of the source", text("id"))))?;
                if text("state") != "refunded" {
                    return Err(Fault::Failed(format!("return {} is {}", text("id"), text("state"))));
                }
                found.push((text("id"), invoice, *occasion, one["refund"]["amount"].as_i64().unwrap_or(0)));
                Ok(())
            })
            .await?;
        for (id, invoice, occasion, refund) in found {
            let trade = self.trade.entry(occasion).or_default();
            trade.returns += u64::from(self.return_invoices.insert(invoice));
            trade.refunds_minor += refund;
            self.returns.insert(id, occasion);
        }
        Ok(())
    }

    /// The whole journal, as a consumer reads it: pieces sold and come back are counted from it, and each order must be placed once.
    async fn read_journal(&mut self) -> Result<(), Fault> {
        let api = self.api;
        api.every("/v1/events", |event| {
            let kind = event["type"].as_str().unwrap_or_default();
            *self.events.entry(kind.to_owned()).or_insert(0) += 1;
            let subject = event["subject"].as_str().unwrap_or_default();
            let beside = self.beside.contains(subject);
            let at_a_till =
                beside || self.orders.get(subject).is_some_and(|(_, channel)| *channel == Channel::Till);
            self.chain.count(kind, subject, &event["data"], at_a_till);
            self.told.count(kind, &event["data"]);
            match kind {
                "exchange.made" => {
                    let made = ["return", "new_order"]
                        .map(|name| event["data"][name].as_str().unwrap_or_default().to_owned());
                    self.exchanged.extend(made);
                }
                _ if beside => {}
                "order.created" => self.count_sold(subject, &event["data"]["lines"]),
                "order.changed" => self.count_changed(subject, &event["data"]["lines"]),
                "order.placed" if !self.placed.insert(subject.to_owned()) => {
                    self.contradictions.push(format!("order {subject} was placed twice in the journal"));
                }
                "return.received" => self.count_returned(subject, &event["data"]["lines"]),
                _ => {}
            }
            Ok(())
        })
        .await?;
        let never: Vec<&String> = self.orders.keys().filter(|order| !self.placed.contains(*order)).collect();
        let told = never.iter().map(|order| format!("order {order} was never placed in the journal"));
        self.contradictions.extend(told);
        if self.beside != self.exchanged {
            let differ = self.beside.symmetric_difference(&self.exchanged);
            self.contradictions
                .extend(differ.map(|id| format!("{id} is neither of the source nor of an exchange")));
        }
        Ok(())
    }

    fn count_sold(&mut self, order: &str, lines: &Value) {
        let Some(occasion) = self.orders.get(order) else {
            self.contradictions.push(format!("order {order} of the journal is in no list"));
            return;
        };
        let trade = self.trade.entry(*occasion).or_default();
        trade.orders += 1;
        for line in lines.as_array().into_iter().flatten() {
            let quantity = line["quantity"].as_i64().unwrap_or(0);
            let gross = line["gross"].as_i64().unwrap_or(0);
            let ordered = self.ordered.entry(*occasion).or_default();
            *ordered = (ordered.0 + quantity, ordered.1 + gross);
            trade.sales_minor += gross;
            if !self.house.service_skus.contains(line["sku"].as_str().unwrap_or_default()) {
                trade.pieces_sold += quantity;
            }
        }
    }

    /// What a change put into an order or took out: what was put in counts as ordered, what was taken out stays so, and is cancelled.
    fn count_changed(&mut self, order: &str, lines: &Value) {
        let Some(occasion) = self.orders.get(order) else { return };
        let trade = self.trade.entry(*occasion).or_default();
        for line in lines.as_array().into_iter().flatten() {
            let (quantity, gross) =
                (line["quantity"].as_i64().unwrap_or(0), line["gross"].as_i64().unwrap_or(0));
            trade.sales_minor += gross;
            if line["what"] == "add" {
                let ordered = self.ordered.entry(*occasion).or_default();
                *ordered = (ordered.0 + quantity, ordered.1 + gross);
                trade.pieces_sold += quantity;
            } else {
                trade.pieces_sold -= quantity;
            }
        }
    }

    /// A return may come in parts: each event tells of everything that is here.
    fn count_returned(&mut self, one: &str, lines: &Value) {
        let Some(occasion) = self.returns.get(one) else {
            self.contradictions.push(format!("return {one} of the journal is in no list"));
            return;
        };
        let goods = lines.as_array().into_iter().flatten();
        let goods =
            goods.filter(|line| !self.house.services.contains(line["variant"].as_str().unwrap_or_default()));
        let here: i64 = goods.filter_map(|line| line["received"].as_i64()).sum();
        let before = self.arrived.insert(one.to_owned(), here).unwrap_or(0);
        self.trade.entry(*occasion).or_default().pieces_returned += here - before;
    }

    /// The figures by month and channel must say what the journal says: orders, units and their gross.
    async fn read_figures(&mut self) -> Result<(), Fault> {
        for month in self.source.months() {
            let path = format!("/v1/figures?from={}&to={}", clock::begin(month), clock::end(month));
            let mut figures: BTreeMap<Channel, (u64, i64, i64)> = BTreeMap::new();
            for item in self.api.get(&path).await?["items"].as_array().into_iter().flatten() {
                let channel = self.house.channels.get(item["channel"].as_str().unwrap_or_default());
                let sums = figures.entry(channel.copied().unwrap_or(Channel::BackOffice)).or_default();
                sums.0 += item["orders"].as_u64().unwrap_or(0);
                sums.1 += item["units"].as_i64().unwrap_or(0);
                sums.2 += item["gross"]["amount"].as_i64().unwrap_or(0);
            }
            for channel in Channel::ALL {
                let occasion = (month, channel);
                let trade = self.trade.get(&occasion).copied().unwrap_or_default();
                let (units, gross) = self.ordered.get(&occasion).copied().unwrap_or_default();
                let counted = (trade.orders, units, gross);
                let said = figures.get(&channel).copied().unwrap_or_default();
                if counted != said {
                    let name = channel.name();
                    self.contradictions.push(format!(
                        "{name} in {month}: orders, units and gross are {counted:?} in the journal, {said:?} in the figures"
                    ));
                }
            }
        }
        Ok(())
    }
}

fn is_in(month: Month, at: &str) -> bool {
    domain::value::Instant::parse(at).is_ok_and(|at| clock::begin(month) <= at && at < clock::end(month))
}
