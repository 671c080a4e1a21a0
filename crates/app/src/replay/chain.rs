//! A living chain: how the goods of web and phone orders reach their customers in a replay, in proportions that dice decide which fall the
//! same on every run. Most leave as they are ordered; some are picked piece by piece; of some a piece is not found, or the place refuses
//! them, and another place serves them; some are collected in a store.

use std::collections::{BTreeMap, BTreeSet};

use engine::Source as _;
use hyper::Method;
use serde_json::{Value, json};
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::source::{Invoice, Source};

use super::api::Api;
use super::shelf::{self, Receipt};
use crate::fault::Fault;
use crate::world::RealWorld;

/// Of a hundred British web orders so many are collected in a store.
const COLLECTED: u64 = 15;
/// Of a hundred parcels so many are refused by the first place.
const REJECTED: u64 = 3;
/// And of so many more a piece is not found.
const MISSED: u64 = 4;
/// And so many more are offered to the other warehouse, which claims them.
const OFFERED: u64 = 2;
/// And so many more are picked piece by piece and packed, not sent as a whole.
const SCANNED: u64 = 30;
/// The most pieces of an order that is collected: what a person carries.
const CARRIED_MAX: i64 = 200;
/// The most lines of one call of a picker.
const LINES_MAX: usize = 500;
/// How often a place is looked for.
const TURNS_MAX: usize = 20;
/// How long another place is asked, as a time of the real clock.
const OFFER_SECONDS: i64 = 3600;

/// Where an order is collected, if it is.
pub fn collected_at<'s>(source: &'s Source, invoice: &Invoice) -> Option<&'s str> {
    let dice = scattered(&invoice.number, "collected");
    let pieces: i64 =
        invoice.lines.iter().map(|line| -line.shelf_change()).filter(|pieces| *pieces > 0).sum();
    let may = invoice.channel == Channel::Web
        && invoice.country.code == "GB"
        && (1..=CARRIED_MAX).contains(&pieces);
    if !may || dice % 100 >= COLLECTED {
        return None;
    }
    let stores = source.locations.stores();
    let store = stores[usize::try_from(dice / 100).unwrap_or(0) % stores.len()];
    Some(source.locations.at(store).external_id.as_str())
}

/// What an order that is collected takes, brought to its store beforehand.
pub fn brought_to<'s>(source: &'s Source, invoice: &Invoice, store: &'s str) -> Option<Receipt<'s>> {
    shelf::again(source, invoice, &format!("collect-{}", invoice.number)).map(|receipt| receipt.to(store))
}

/// One order on its way to its customer.
pub struct Walk<'a> {
    /// The way to the shop.
    pub api: &'a Api,
    /// The source.
    pub source: &'a Source,
    /// The invoice it follows.
    pub invoice: &'a Invoice,
}

impl Walk<'_> {
    /// Brings a placed order to its end; answers it.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn to_the_customer(&self, order: Value) -> Result<Value, Fault> {
        if collected_at(self.source, self.invoice).is_some() {
            return self.collect(order).await;
        }
        let dice = scattered(&self.invoice.number, "way") % 100;
        let Some(first) = open_parts(&order).into_iter().next() else { return Ok(order) };
        if dice < REJECTED {
            self.bring(&first, None, 0).await?;
            self.step(&first, "reject", &json!({ "reason": "no hands today" })).await?;
        } else if dice < REJECTED + MISSED {
            self.bring(&first, Some(1), 0).await?;
            let one = json!({ "variant": first["lines"][0]["variant"], "quantity": 1 });
            self.step(&first, "short-pick", &json!({ "lines": [one] })).await?;
        } else if dice < REJECTED + MISSED + OFFERED {
            let other = self.bring(&first, None, 0).await?;
            let until = RealWorld.now().plus_seconds(OFFER_SECONDS).to_string();
            self.step(&first, "offer", &json!({ "locations": [other], "until": until })).await?;
            self.step(&first, "claim", &json!({ "location": other })).await?;
        } else if dice < REJECTED + MISSED + OFFERED + SCANNED {
            self.scan(&first).await?;
        }
        self.find_places().await?;
        self.send().await
    }

    /// What waits at no location, because the other warehouse gives none of it to orders just now, is brought there, offered and claimed;
    /// the shop may find a place by itself meanwhile.
    async fn find_places(&self) -> Result<(), Fault> {
        for turn in 0..TURNS_MAX {
            let order = self.order().await?;
            let waits = |part: &&Value| part["state"] == "unrouted" || part["state"] == "offered";
            let Some(part) = order["fulfilment_orders"].as_array().into_iter().flatten().find(waits) else {
                return Ok(());
            };
            let other = self.bring(part, None, turn + 1).await?;
            let path = format!(
                "/v1/orders/{}/fulfilment-orders/{}",
                self.invoice.number,
                part["id"].as_str().unwrap_or_default()
            );
            let until = RealWorld.now().plus_seconds(OFFER_SECONDS).to_string();
            let asked = [
                ("offer", json!({ "locations": [other], "until": until })),
                ("claim", json!({ "location": other })),
            ];
            for (step, body) in asked {
                let once = format!("replay:{}:place:{turn}:{step}", self.invoice.number);
                self.api.once(Method::POST, &format!("{path}/{step}"), Some((&once, &body))).await?;
            }
        }
        Ok(())
    }

    async fn order(&self) -> Result<Value, Fault> {
        self.api.get(&format!("/v1/orders/{}", self.invoice.number)).await
    }

    /// One step of a fulfilment order, done once however often it is asked for.
    async fn step(&self, part: &Value, step: &str, body: &Value) -> Result<Value, Fault> {
        let (number, id) = (&self.invoice.number, part["id"].as_str().unwrap_or_default());
        let once = format!(
            "replay:{number}:{step}:{id}:{}",
            body["lines"][0]["variant"].as_str().unwrap_or_default()
        );
        self.api.post(&format!("/v1/orders/{number}/fulfilment-orders/{id}/{step}"), &once, body).await
    }

    /// Picked piece by piece, and packed.
    async fn scan(&self, part: &Value) -> Result<(), Fault> {
        self.step(part, "start-picking", &json!(null)).await?;
        let mut pieces: BTreeMap<&str, i64> = BTreeMap::new();
        for line in part["lines"].as_array().into_iter().flatten() {
            let variant = line["variant"].as_str().unwrap_or_default();
            *pieces.entry(variant).or_insert(0) += line["quantity"].as_i64().unwrap_or(0);
        }
        let pieces: Vec<Value> = pieces
            .into_iter()
            .map(|(variant, quantity)| json!({ "variant": variant, "quantity": quantity }))
            .collect();
        for lines in pieces.chunks(LINES_MAX) {
            self.step(part, "pick", &json!({ "lines": lines })).await?;
        }
        self.step(part, "pack", &json!(null)).await.map(drop)
    }

    /// Brings what a part needs to the other warehouse, so that what lies there for others is left alone: all of it, or so many of its
    /// first line. Answers which warehouse that is.
    async fn bring(&self, part: &Value, only: Option<i64>, turn: usize) -> Result<&str, Fault> {
        let code = |at: &usize| self.source.locations.at(*at).external_id.as_str();
        let other = self
            .source
            .locations
            .warehouses()
            .iter()
            .find(|at| **at != self.invoice.location)
            .map_or("", code);
        let lines = part["lines"].as_array().into_iter().flatten().take(only.map_or(usize::MAX, |_| 1));
        let lines: Vec<Value> = lines
            .map(|line| json!({ "variant": line["variant"], "quantity": only.map_or(line["quantity"].clone(), Value::from) }))
            .collect();
        for (number, lines) in lines.chunks(LINES_MAX).enumerate() {
            let name = format!("brought-{}-{turn}-{number}", self.invoice.number);
            let receipt = json!({ "location": other, "reference": name, "lines": lines });
            self.api.post("/v1/stock/receipts", &format!("replay:{name}"), &receipt).await?;
        }
        Ok(other)
    }

    /// Everything that is at a location leaves by parcel.
    async fn send(&self) -> Result<Value, Fault> {
        let mut order = self.order().await?;
        for part in open_parts(&order) {
            let parcel = json!({ "tracking": format!("LF{}", self.invoice.number) });
            order = self.step(&part, "ship", &parcel).await?;
        }
        Ok(order)
    }

    /// Made ready in the store, and handed over for the code.
    async fn collect(&self, mut order: Value) -> Result<Value, Fault> {
        for part in open_parts(&order) {
            self.step(&part, "ready", &json!(null)).await?;
            let (number, id) = (&self.invoice.number, part["id"].as_str().unwrap_or_default());
            let visit = self.api.get(&format!("/v1/orders/{number}/fulfilment-orders/{id}/visit")).await?;
            order = self.step(&part, "hand-over", &json!({ "code": visit["code"] })).await?;
        }
        Ok(order)
    }
}

/// The parts of an order that lie at a location.
fn open_parts(order: &Value) -> Vec<Value> {
    let here =
        |part: &&Value| ["open", "claimed", "picking", "packed"].iter().any(|state| part["state"] == *state);
    order["fulfilment_orders"].as_array().into_iter().flatten().filter(here).cloned().collect()
}

/// How the chain lived, counted from the journal.
#[derive(Debug, Default)]
pub struct Chain {
    /// Orders of which goods left by parcel, and in how many parts.
    sent: BTreeMap<String, u64>,
    /// Orders that were collected.
    collected: BTreeSet<String>,
    /// Orders that the place first chosen did not serve wholly.
    moved: BTreeSet<String>,
    /// Pieces that left.
    left: i64,
    /// Parts that another place claimed, and parts that were packed.
    claimed: u64,
    packed: u64,
    /// Pieces at all locations, and those of them that nobody finds.
    on_hand: i64,
    missing: i64,
}

/// The states in which pieces lie at a location.
const ON_HAND: [&str; 8] =
    ["available", "held", "committed", "picked", "damaged", "quality", "display", "missing"];
/// What a parcel costs in a carrier's hands, in pence; an assumption, as are the next.
const PARCEL_PENCE: i64 = 320;
/// What taking one piece from a shelf and packing it costs.
const PIECE_PENCE: i64 = 12;
/// What handing an order over at a counter costs.
const COUNTER_PENCE: i64 = 90;

impl Chain {
    /// Counts an event of the journal. What goes over a till's counter was sent by nobody: of it only the stock counts.
    pub fn count(&mut self, kind: &str, order: &str, data: &Value, at_a_till: bool) {
        let lines = || data["lines"].as_array().into_iter().flatten();
        let pieces = |name: &str| lines().filter_map(|line| line[name].as_i64()).sum::<i64>();
        match kind {
            "stock.moved" => {
                for line in lines() {
                    let (state, amount) =
                        (line["state"].as_str().unwrap_or_default(), line["amount"].as_i64().unwrap_or(0));
                    self.on_hand += if ON_HAND.contains(&state) { amount } else { 0 };
                    self.missing += if state == "missing" { amount } else { 0 };
                }
            }
            _ if at_a_till => {}
            "fulfilment.shipped" => {
                *self.sent.entry(order.to_owned()).or_insert(0) += 1;
                self.left += pieces("quantity");
            }
            "fulfilment.collected" => {
                self.collected.insert(order.to_owned());
                self.left += pieces("quantity");
            }
            "fulfilment.packed" => self.packed += 1,
            "fulfilment.claimed" => self.claimed += 1,
            "fulfilment.rejected" | "fulfilment.short" | "fulfilment.offered" => {
                self.moved.insert(order.to_owned());
            }
            _ => {}
        }
    }

    fn orders(&self) -> i64 {
        (self.sent.len() + self.collected.len()) as i64
    }

    fn splits(&self) -> i64 {
        self.sent.values().filter(|parts| **parts > 1).count() as i64
    }

    fn parcels(&self) -> i64 {
        self.sent.values().sum::<u64>().cast_signed()
    }

    fn cost_pence(&self) -> i64 {
        self.parcels() * PARCEL_PENCE + self.left * PIECE_PENCE + self.collected.len() as i64 * COUNTER_PENCE
    }

    /// Shares in hundredths of a per cent, costs in pence; `daily` is how many pieces are sold in a day, over all channels.
    fn figures(&self, daily: i64) -> [(&'static str, i64, &'static str); 9] {
        let share = |part: i64, whole: i64| part * 10_000 / whole.max(1);
        [
            ("orders sent or collected", self.orders(), ""),
            ("collected in a store", self.collected.len() as i64, ""),
            ("parts picked piece by piece", self.packed.cast_signed(), ""),
            ("parts claimed by another place", self.claimed.cast_signed(), ""),
            ("fill rate", share(self.orders() - self.moved.len() as i64, self.orders()), "%"),
            ("orders in more than one parcel", share(self.splits(), self.orders()), "%"),
            ("cost per order", self.cost_pence() / self.orders().max(1), "£"),
            ("days of stock", self.on_hand / daily.max(1), ""),
            ("shelf accuracy", share(self.on_hand - self.missing, self.on_hand), "%"),
        ]
    }

    /// For people.
    pub fn text(&self, daily: i64) -> Vec<Vec<String>> {
        let written = |amount: i64, unit: &str| match unit {
            "%" => format!("{}.{:02} %", amount / 100, amount % 100),
            "£" => format!("£{}.{:02}", amount / 100, amount % 100),
            _ => amount.to_string(),
        };
        let mut rows = vec![["the living chain", ""].map(str::to_owned).to_vec()];
        rows.extend(
            self.figures(daily).map(|(name, amount, unit)| vec![name.to_owned(), written(amount, unit)]),
        );
        rows
    }

    /// For programs: shares in hundredths of a per cent, costs in pence.
    pub fn json(&self, daily: i64) -> Value {
        self.figures(daily)
            .iter()
            .map(|(name, amount, _)| ((*name).to_owned(), json!(amount)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
