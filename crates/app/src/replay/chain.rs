//! A living chain: how the goods of web and phone orders reach their customers in a replay. Most leave as they are ordered; some are
//! picked piece by piece; of some a piece is not found, or the place refuses them, and another place serves them; some are routed over
//! warehouses and stores; some are collected in a store, which is sent what it lacks.

use std::cell::RefCell;
use std::collections::BTreeMap;

use engine::Source as _;
use hyper::Method;
use serde_json::{Value, json};
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::source::{Invoice, Source};

use super::api::Api;
use super::between::{Balance, Between};
use super::proportions;
use super::sale::PAID_PAUSE;
use super::setup::House;
use crate::fault::Fault;
use crate::world::RealWorld;

/// The most pieces of an order that is collected or routed: what a person carries.
const CARRIED_MAX: i64 = 200;
/// The most lines of one call of a picker.
const LINES_MAX: usize = 500;
/// How often a place is looked for.
const TURNS_MAX: usize = 40;
/// How long another place is asked, as a time of the real clock.
const OFFER_SECONDS: i64 = 3600;
/// What a parcel of the own van weighs: the source does not say.
const PARCEL_GRAMS: i64 = 1000;

/// From where an order is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From where the source says.
    Planned,
    /// From wherever the routing profile says.
    Routed,
    /// Collected in this store.
    Collected(usize),
}

/// From where an order is served.
pub fn way_of(source: &Source, invoice: &Invoice) -> Way {
    let pieces: i64 =
        invoice.lines.iter().map(|line| -line.shelf_change()).filter(|pieces| *pieces > 0).sum();
    let may = invoice.channel == Channel::Web
        && invoice.country.code == "GB"
        && (1..=CARRIED_MAX).contains(&pieces);
    match may
        .then(|| proportions::one_of(&[&proportions::COLLECTED, &proportions::ROUTED], &invoice.number))
        .flatten()
    {
        None => Way::Planned,
        Some(share) if *share == proportions::ROUTED => Way::Routed,
        Some(_) => Way::Collected(store_for(source, &invoice.number, "collected")),
    }
}

/// One of the stores, by the dice.
pub fn store_for(source: &Source, subject: &str, purpose: &str) -> usize {
    let stores = source.locations.stores();
    stores[usize::try_from(scattered(subject, purpose) % stores.len() as u64).unwrap_or(0)]
}

/// What goes wrong, or otherwise, with a parcel.
pub fn trouble(invoice: &Invoice) -> Option<&'static proportions::Share> {
    let shares = [&proportions::REJECTED, &proportions::MISSED, &proportions::OFFERED, &proportions::SCANNED];
    proportions::one_of(&shares, &format!("{}:way", invoice.number))
}

/// One order on its way to its customer.
pub struct Walk<'a> {
    /// The way to the shop.
    pub api: &'a Api,
    /// The source.
    pub source: &'a Source,
    /// What was set up.
    pub house: &'a House,
    /// The invoice it follows.
    pub invoice: &'a Invoice,
    /// What is moved with.
    pub between: &'a Between<'a>,
    /// Who gave what was meant for others.
    pub balance: &'a RefCell<Balance>,
}

impl Walk<'_> {
    /// Brings a placed order to its end; answers it.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn to_the_customer(&self, order: Value) -> Result<Value, Fault> {
        let order = match way_of(self.source, self.invoice) {
            Way::Collected(store) => self.collect(store).await?,
            Way::Planned | Way::Routed => self.by_parcel(&order).await?,
        };
        self.count_moved(&order);
        Ok(order)
    }

    async fn by_parcel(&self, order: &Value) -> Result<Value, Fault> {
        if let Some(first) = open_parts(order).into_iter().next() {
            self.troubled(&first).await?;
        }
        self.find_places().await?;
        self.send().await
    }

    /// What happens to the first part before it leaves.
    async fn troubled(&self, first: &Value) -> Result<(), Fault> {
        let Some(share) = trouble(self.invoice) else { return Ok(()) };
        if *share == proportions::REJECTED {
            self.bring(first, None, 0).await?;
            self.step(first, "reject", &json!({ "reason": "no hands today" })).await.map(drop)
        } else if *share == proportions::MISSED {
            self.bring(first, Some(1), 0).await?;
            let one = json!({ "variant": first["lines"][0]["variant"], "quantity": 1 });
            self.lose(&first["lines"][0]["variant"], &first["location"], 1);
            self.step(first, "short-pick", &json!({ "lines": [one] })).await.map(drop)
        } else if *share == proportions::OFFERED {
            let other = self.bring(first, None, 0).await?;
            let until = RealWorld.now().plus_seconds(OFFER_SECONDS).to_string();
            self.step(first, "offer", &json!({ "locations": [other], "until": until })).await?;
            self.step(first, "claim", &json!({ "location": other })).await.map(drop)
        } else {
            self.scan(first).await
        }
    }

    /// A place has so many fewer than was meant for it.
    fn lose(&self, variant: &Value, location: &Value, pieces: i64) {
        if let Some(location) = self.house.number(location) {
            self.balance.borrow_mut().add(self.house.sku(variant), location, -pieces);
        }
    }

    /// What another place gave than the one for which it was planned.
    fn count_moved(&self, order: &Value) {
        let left =
            |part: &&Value| ["shipped", "delivered", "collected"].iter().any(|state| part["state"] == *state);
        for part in order["fulfilment_orders"].as_array().into_iter().flatten().filter(left) {
            for line in part["lines"].as_array().into_iter().flatten() {
                let pieces = line["quantity"].as_i64().unwrap_or(0);
                self.lose(&line["variant"], &part["location"], pieces);
                self.balance.borrow_mut().add(
                    self.house.sku(&line["variant"]),
                    self.invoice.location,
                    pieces,
                );
            }
        }
    }

    /// What waits at no location, because the other warehouse gives none of it to orders just now, is brought there, offered and claimed;
    /// the shop may find a place by itself meanwhile.
    async fn find_places(&self) -> Result<(), Fault> {
        for turn in 0..TURNS_MAX {
            let order = self.order().await?;
            let Some(part) = parts_in(&order, &["unrouted", "offered"]).into_iter().next() else {
                return Ok(());
            };
            let other = self.bring(&part, None, turn + 1).await?;
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

    /// Picked piece by piece, and packed; some of it goes with the own van.
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
        if !proportions::BY_VAN.falls_on(&self.invoice.number) {
            return self.step(part, "pack", &json!(null)).await.map(drop);
        }
        let parcel =
            self.step(part, "parcels", &json!({ "carrier": "van", "weight_grams": PARCEL_GRAMS })).await?;
        let number = &self.invoice.number;
        let path = format!("/v1/orders/{number}/parcels/{}", parcel["id"].as_str().unwrap_or_default());
        for (step, body) in [("ship", json!({})), ("attempt", json!({ "outcome": "delivered" }))] {
            self.api
                .post(&format!("{path}/{step}"), &format!("replay:{number}:parcel:{step}"), &body)
                .await?;
        }
        Ok(())
    }

    /// Brings what a part needs to another warehouse, so that what lies there for others is left alone: all of it, or so many of its
    /// first line. Answers which warehouse that is.
    async fn bring(&self, part: &Value, only: Option<i64>, turn: usize) -> Result<&str, Fault> {
        let here = self.house.number(&part["location"]).unwrap_or(self.invoice.location);
        let warehouses = self.source.locations.warehouses();
        let other = warehouses.iter().copied().find(|at| *at != here).unwrap_or(here);
        self.bring_to(other, part, only, turn).await?;
        Ok(&self.house.locations[other])
    }

    async fn bring_to(
        &self,
        place: usize,
        part: &Value,
        only: Option<i64>,
        turn: usize,
    ) -> Result<(), Fault> {
        let lines = part["lines"].as_array().into_iter().flatten().take(only.map_or(usize::MAX, |_| 1));
        let pieces = |line: &Value| only.or(line["quantity"].as_i64()).unwrap_or(0);
        let lines: Vec<(String, i64)> =
            lines.map(|line| (self.house.sku(&line["variant"]).to_owned(), pieces(line))).collect();
        self.between.bring(&format!("{}-{turn}", self.invoice.number), place, &lines).await?;
        for (sku, pieces) in lines {
            self.balance.borrow_mut().add(&sku, place, pieces);
        }
        Ok(())
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

    /// What the store lacks is sent there; then it is made ready, and handed over for the code.
    async fn collect(&self, store: usize) -> Result<Value, Fault> {
        let mut order = self.order().await?;
        for turn in 0..TURNS_MAX {
            if !parts_in(&order, &["awaiting_transfer"]).is_empty() {
                self.send_for(store, &order, turn).await?;
            } else if let Some(part) = parts_in(&order, &["unrouted"]).first() {
                self.bring_to(store, part, None, turn).await?;
                tokio::time::sleep(PAID_PAUSE).await;
            } else {
                break;
            }
            order = self.order().await?;
        }
        for part in open_parts(&order) {
            self.step(&part, "ready", &json!(null)).await?;
            let (number, id) = (&self.invoice.number, part["id"].as_str().unwrap_or_default());
            let visit = self.api.get(&format!("/v1/orders/{number}/fulfilment-orders/{id}/visit")).await?;
            order = self.step(&part, "hand-over", &json!({ "code": visit["code"] })).await?;
        }
        Ok(order)
    }

    /// What others send the store for this order is sent and received; of some a piece is damaged, and the store gives one of its own.
    async fn send_for(&self, store: usize, order: &Value, turn: usize) -> Result<(), Fault> {
        let mut coming = Vec::new();
        let path =
            format!("/v1/locations/{}/transfer-orders?direction=in&open=true", self.house.locations[store]);
        self.api
            .every(&path, |one| {
                if one["order"] == order["id"] {
                    coming.push(one.clone());
                }
                Ok(())
            })
            .await?;
        for (number, one) in coming.iter().enumerate() {
            let id = one["id"].as_str().unwrap_or_default();
            let name = format!("{}-sent-{turn}-{number}", self.invoice.number);
            let damaged = i64::from(proportions::SENT_DAMAGED.falls_on(&name));
            let mut arriving = Vec::new();
            for (place, line) in one["lines"].as_array().into_iter().flatten().enumerate() {
                let (pieces, broken) =
                    (line["quantity"].as_i64().unwrap_or(0), if place == 0 { damaged } else { 0 });
                self.lose(&line["variant"], &one["source"], pieces);
                self.balance.borrow_mut().add(self.house.sku(&line["variant"]), store, pieces - broken);
                let states = [("available", pieces - broken), ("damaged", broken)]
                    .into_iter()
                    .filter(|(_, pieces)| *pieces > 0);
                arriving.extend(states.map(|(state, pieces)| json!({ "variant": line["variant"], "quantity": pieces, "state": state })));
            }
            if damaged > 0 {
                self.bring_to(store, one, Some(damaged), TURNS_MAX + turn).await?;
            }
            let steps = [("ship", json!({ "reference": name })), ("receive", json!({ "lines": arriving }))];
            for (step, body) in steps {
                self.api
                    .post(&format!("/v1/transfer-orders/{id}/{step}"), &format!("replay:{id}:{step}"), &body)
                    .await?;
            }
        }
        Ok(())
    }
}

/// The parts of an order in one of these states.
fn parts_in(order: &Value, states: &[&str]) -> Vec<Value> {
    let is = |part: &&Value| states.iter().any(|state| part["state"] == *state);
    order["fulfilment_orders"].as_array().into_iter().flatten().filter(is).cloned().collect()
}

/// The parts of an order that lie at a location.
fn open_parts(order: &Value) -> Vec<Value> {
    parts_in(order, &["open", "claimed", "picking", "packed"])
}
