//! Goods between places in a replay, as transfer orders: asked for, approved by a second person where they are worth much, picked, sent,
//! and received whole, damaged, fewer or more. Whatever is lost on the way is sent once more in the same delivery, so that a place has in
//! the end what was meant for it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tandem::demo::assignment::scattered;

use super::api::Api;
use super::goods::CURRENCY;
use super::proportions::{self, Share};
use super::setup::House;
use crate::fault::Fault;

/// The most lines of one transfer order here.
const LINES_MAX: usize = 200;
/// Why what never arrived never arrived, by what the dice say of a hundred.
const WHY: [(u64, &str); 3] = [(50, "lost"), (80, "destroyed"), (100, "not_sent")];

/// Pieces of a variant, by SKU.
pub type Pieces = (String, i64);

/// Goods to be moved.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// By what it is known; dice are thrown with it.
    pub name: String,
    /// From where.
    pub source: usize,
    /// To where.
    pub destination: usize,
    /// Why.
    pub reason: &'static str,
    /// What.
    pub lines: Vec<Pieces>,
}

/// What goods are moved with.
pub struct Between<'a> {
    api: &'a Api,
    house: &'a House,
    /// SKUs whose worth the books know.
    valued: RefCell<BTreeSet<String>>,
}

impl<'a> Between<'a> {
    /// Nothing is moved yet.
    pub fn new(api: &'a Api, house: &'a House) -> Between<'a> {
        Between { api, house, valued: RefCell::default() }
    }

    /// Moves goods from one place to another, in as many transfer orders as that takes.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn carry(&self, transfer: &Transfer) -> Result<(), Fault> {
        for (number, lines) in transfer.lines.chunks(LINES_MAX).enumerate() {
            let name = format!("{}-{number}", transfer.name);
            self.carry_one(&Transfer { name, lines: lines.to_vec(), ..transfer.clone() }).await?;
        }
        Ok(())
    }

    async fn carry_one(&self, transfer: &Transfer) -> Result<(), Fault> {
        self.value(transfer).await?;
        let lines: Vec<Line> = transfer.lines.iter().map(|pieces| Line::thrown(transfer, pieces)).collect();
        let spare: Vec<Pieces> =
            lines.iter().filter(|line| line.spare > 0).map(|line| (line.sku.clone(), line.spare)).collect();
        self.bring(&transfer.name, transfer.source, &spare).await?;
        if proportions::CALLED_OFF.falls_on(&transfer.name) {
            let asked = self.ask(transfer, "first", &lines).await?;
            self.step(transfer, &asked, "cancel", &Value::Null).await?;
        }
        let asked = self.ask(transfer, "asked", &lines).await?;
        if asked["waits_for_approval"] == true {
            let path = format!("/v1/transfer-orders/{}/approve", id_of(&asked));
            let once = format!("replay:{}:approve", transfer.name);
            self.house.second.post(&path, &once, &Value::Null).await?;
        }
        let missing: Vec<Value> = lines
            .iter()
            .filter(|line| line.is(&proportions::NOT_FOUND))
            .map(|line| piece(&line.sku, 1))
            .collect();
        if !missing.is_empty() {
            self.step(transfer, &asked, "short-pick", &json!({ "lines": missing })).await?;
        }
        let picked: Vec<Value> = lines.iter().map(|line| piece(&line.sku, line.sent())).collect();
        self.step(transfer, &asked, "pick", &json!({ "lines": picked })).await?;
        self.step(transfer, &asked, "ship", &json!({ "reference": transfer.name })).await?;
        self.arrive(transfer, &asked, &lines).await
    }

    /// What a place gave for others, or lost, is brought there by a supplier.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn bring(&self, name: &str, location: usize, lines: &[Pieces]) -> Result<(), Fault> {
        for (number, lines) in lines.chunks(LINES_MAX).enumerate() {
            let lines: Vec<Value> = lines.iter().map(|(sku, pieces)| piece(sku, *pieces)).collect();
            let name = format!("spare-{name}-{number}");
            let receipt =
                json!({ "location": self.house.locations[location], "reference": name, "lines": lines });
            self.api.post("/v1/stock/receipts", &format!("replay:{name}"), &receipt).await?;
        }
        Ok(())
    }

    /// Tells the books once what a piece is worth, by half of its price: what nobody gave a value needs a second person.
    async fn value(&self, transfer: &Transfer) -> Result<(), Fault> {
        for (sku, _) in &transfer.lines {
            if !self.valued.borrow_mut().insert(sku.clone()) {
                continue;
            }
            let price = self.house.prices.get(sku).copied().unwrap_or(0);
            let value = json!({ "amount": price / 2, "currency": CURRENCY });
            self.api.put(&format!("/v1/stock/values/{sku}"), &format!("replay:value:{sku}"), &value).await?;
        }
        Ok(())
    }

    async fn ask(&self, transfer: &Transfer, step: &str, lines: &[Line]) -> Result<Value, Fault> {
        let place = |at: usize| &self.house.locations[at];
        let lines: Vec<Value> = lines.iter().map(|line| piece(&line.sku, line.pieces + line.spare)).collect();
        let body = json!({
            "source": place(transfer.source), "destination": place(transfer.destination), "reason": transfer.reason,
            "note": transfer.name, "lines": lines
        });
        self.api.post("/v1/transfer-orders", &format!("replay:{}:{step}", transfer.name), &body).await
    }

    async fn step(
        &self,
        transfer: &Transfer,
        asked: &Value,
        step: &str,
        body: &Value,
    ) -> Result<Value, Fault> {
        let path = format!("/v1/transfer-orders/{}/{step}", id_of(asked));
        self.api.post(&path, &format!("replay:{}:{step}:{}", transfer.name, id_of(asked)), body).await
    }

    /// What arrives, in one go or two, and why nobody waits for the rest.
    async fn arrive(&self, transfer: &Transfer, asked: &Value, lines: &[Line]) -> Result<(), Fault> {
        let path = format!("/v1/transfer-orders/{}/receive", id_of(asked));
        let arrived: Vec<Value> = lines.iter().flat_map(Line::arrived).collect();
        let first = if proportions::IN_TWO.falls_on(&transfer.name) {
            arrived.len().div_ceil(2)
        } else {
            arrived.len()
        };
        let (first, rest) = arrived.split_at(first);
        for (number, lines) in [first, rest].into_iter().filter(|lines| !lines.is_empty()).enumerate() {
            let once = format!("replay:{}:receive:{number}", transfer.name);
            self.api.post(&path, &once, &json!({ "lines": lines })).await?;
        }
        if lines.iter().any(|line| line.is(&proportions::LOST)) {
            let dice = scattered(&transfer.name, "why it never arrived") % 100;
            let why = WHY.iter().find(|(below, _)| dice < *below).map_or("lost", |(_, why)| why);
            self.step(transfer, asked, "close", &json!({ "reason": why })).await?;
        }
        Ok(())
    }
}

fn id_of(asked: &Value) -> &str {
    asked["id"].as_str().unwrap_or_default()
}

fn piece(sku: &str, pieces: i64) -> Value {
    json!({ "variant": sku, "quantity": pieces })
}

/// A line on its way, and what happens to it.
struct Line {
    sku: String,
    /// So many are to arrive whole.
    pieces: i64,
    /// So many more are sent, because they will not.
    spare: i64,
    happens: Option<&'static Share>,
}

impl Line {
    fn thrown(transfer: &Transfer, (sku, pieces): &Pieces) -> Line {
        let shares = [&proportions::DAMAGED, &proportions::LOST, &proportions::NOT_FOUND, &proportions::OVER];
        let happens = proportions::one_of(&shares, &format!("{}:{sku}", transfer.name));
        let spare = i64::from(happens.is_some_and(|share| *share != proportions::OVER));
        Line { sku: sku.clone(), pieces: *pieces, spare, happens }
    }

    fn is(&self, share: &Share) -> bool {
        self.happens == Some(share)
    }

    /// How many leave: a piece that was not found does not.
    fn sent(&self) -> i64 {
        self.pieces + if self.is(&proportions::NOT_FOUND) { 0 } else { self.spare }
    }

    fn arrived(&self) -> Vec<Value> {
        let over = i64::from(self.is(&proportions::OVER));
        let mut arrived = vec![piece(&self.sku, self.pieces + over)];
        if self.is(&proportions::DAMAGED) {
            arrived.push(json!({ "variant": self.sku, "quantity": 1, "state": "damaged" }));
        }
        arrived
    }
}

/// Places, and how many pieces each has more or fewer.
type Pairs = Vec<(usize, i64)>;

/// What places have more than was meant for them, or fewer when negative, because others served their orders: by SKU and location.
#[derive(Debug, Default)]
pub struct Balance(BTreeMap<(String, usize), i64>);

impl Balance {
    /// A place has so many more than was meant for it, or fewer.
    pub fn add(&mut self, sku: &str, location: usize, pieces: i64) {
        *self.0.entry((sku.to_owned(), location)).or_insert(0) += pieces;
    }

    /// Who sends what to whom so that everybody has what was meant for them; and what nobody has, which a supplier brings.
    pub fn evened_out(self, name: &str) -> (Vec<Transfer>, BTreeMap<usize, Vec<Pieces>>) {
        let mut by_sku: BTreeMap<String, (Pairs, Pairs)> = BTreeMap::new();
        for ((sku, location), pieces) in self.0 {
            let (more, fewer) = by_sku.entry(sku).or_default();
            match pieces {
                0 => {}
                1.. => more.push((location, pieces)),
                _ => fewer.push((location, -pieces)),
            }
        }
        let mut ways: BTreeMap<(usize, usize), Vec<Pieces>> = BTreeMap::new();
        let mut lacking: BTreeMap<usize, Vec<Pieces>> = BTreeMap::new();
        for (sku, (mut more, fewer)) in by_sku {
            for (to, mut wanted) in fewer {
                for (from, has) in &mut more {
                    let pieces = wanted.min(*has);
                    if pieces > 0 {
                        ways.entry((*from, to)).or_default().push((sku.clone(), pieces));
                        (*has, wanted) = (*has - pieces, wanted - pieces);
                    }
                }
                if wanted > 0 {
                    lacking.entry(to).or_default().push((sku.clone(), wanted));
                }
            }
        }
        let transfer = |((source, destination), lines): ((usize, usize), Vec<Pieces>)| Transfer {
            name: format!("{name}-{source}-{destination}"),
            source,
            destination,
            reason: "balance",
            lines,
        };
        (ways.into_iter().map(transfer).collect(), lacking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_sends_to_who_has_fewer() {
        let mut balance = Balance::default();
        for (location, pieces) in [(1, 5), (2, -3), (3, -4), (1, -1)] {
            balance.add("MUG", location, pieces);
        }
        balance.add("CUP", 2, 0);
        let (transfers, lacking) = balance.evened_out("may");
        let ways: Vec<_> =
            transfers.iter().map(|one| (one.source, one.destination, one.lines[0].1)).collect();
        assert_eq!(ways, [(1, 2, 3), (1, 3, 1)]);
        assert_eq!(lacking, BTreeMap::from([(3, vec![("MUG".to_owned(), 3)])]));
    }
}
