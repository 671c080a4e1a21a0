//! A cancellation of the source through the public API: what is known to come from an order goes back against that order's lines, over
//! the counter, announced and brought to a store, or by post; the rest goes back without an order, at the price written.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::class::Treatment;
use tandem::demo::locations::Kind;
use tandem::demo::rules::{Meaning, meaning};
use tandem::demo::source::{Invoice, Line, Source};

use super::api::Api;
use super::chain;
use super::goods::{self, Mark, Sold};
use super::proportions;
use super::setup::House;
use crate::fault::Fault;

/// Order lines by the number of the invoice and the mark of the line: those of which something comes back.
pub type Kept = HashMap<(usize, Mark), Sold>;

/// What came back of order lines, by their ids: pieces, and what they were worth.
pub type Refunded = HashMap<String, (i64, i64)>;

/// What came back whole to a store: pieces by SKU and store.
pub type CameBack = BTreeMap<(String, usize), i64>;

/// Goods of one order that come back together.
#[derive(Default)]
struct Together {
    /// By the order line's id and what is known of the goods' condition, `kept` for what is no goods.
    lines: BTreeMap<(String, &'static str), i64>,
    /// Was it sold at a till?
    at_a_till: bool,
}

/// One cancellation on its way back.
pub struct Back<'a> {
    /// The way to the shop.
    pub api: &'a Api,
    /// The source.
    pub source: &'a Source,
    /// What was set up.
    pub house: &'a House,
    /// The cancellation.
    pub invoice: &'a Invoice,
    /// What came back whole to stores.
    pub came_back: &'a RefCell<CameBack>,
    /// What came back of order lines.
    pub refunded: &'a RefCell<Refunded>,
}

impl Back<'_> {
    /// Takes back what the cancellation names. Answers what the shop gives back for it, in minor units.
    ///
    /// # Errors
    /// What the shop refuses, and any refund that is not what the source says: with offers goods may have cost less, which
    /// [`must_be_shares`] holds against what was paid.
    pub async fn take(&self, kept: &Kept) -> Result<i64, Fault> {
        let invoice = self.invoice;
        let mut refunded = 0;
        for (place, (order, together)) in by_order(self.source, invoice, kept)?.into_iter().enumerate() {
            refunded += self.of_order(&order, &together, &name_of(invoice, place + 1)).await?;
        }
        let blind = blind_lines(self.source, invoice);
        if !blind.is_empty() {
            let name = name_of(invoice, 0);
            let location = &self.house.locations[invoice.location];
            let body = json!({ "location": location, "reason": "cancelled", "currency": goods::CURRENCY, "lines": blind, "external_id": name });
            refunded += refund(&self.api.post("/v1/returns", &format!("replay:{name}"), &body).await?);
        }
        if refunded != -invoice.charged_minor() && self.house.offers.is_none() {
            let what = format!("{} minor units go back, {refunded} were given", -invoice.charged_minor());
            return Err(goods::differs(invoice, what));
        }
        Ok(refunded)
    }

    /// Goods of one order come back, in the way the dice say. What is no goods comes back over the counter only.
    async fn of_order(&self, order: &str, together: &Together, name: &str) -> Result<i64, Fault> {
        let goods = together.lines.keys().all(|(_, condition)| *condition != "kept");
        if goods && !together.at_a_till && proportions::BY_POST.falls_on(name) {
            let warehouses = self.source.locations.warehouses();
            let number = scattered(name, "to which warehouse") % warehouses.len() as u64;
            let to = warehouses[usize::try_from(number).unwrap_or(0)];
            return self.announced(order, together, (name, "post", to)).await;
        }
        if goods && proportions::ANNOUNCED.falls_on(name) {
            let to = chain::store_for(self.source, name, "brought to");
            return self.announced(order, together, (name, "store", to)).await;
        }
        let graded = |((id, condition), quantity): (&(String, &'static str), &i64)| {
            let condition = if *condition == "kept" { "kept" } else { grade(name) };
            json!({ "line": id, "quantity": quantity, "condition": condition })
        };
        let lines: Vec<Value> = together.lines.iter().map(graded).collect();
        let body = json!({
            "location": self.house.locations[self.invoice.location], "reason": "cancelled", "lines": lines, "external_id": name
        });
        let taken =
            self.api.post(&format!("/v1/orders/{order}/returns"), &format!("replay:{name}"), &body).await?;
        self.note(&taken, self.invoice.location);
        Ok(refund(&taken))
    }

    /// Announced, received where it arrives, in one parcel or two, and looked at there; then its money goes back.
    async fn announced(
        &self,
        order: &str,
        together: &Together,
        (name, way, to): (&str, &str, usize),
    ) -> Result<i64, Fault> {
        let line = |((id, _), quantity): (&(String, &'static str), &i64)| json!({ "line": id, "quantity": quantity });
        let lines: Vec<Value> = together.lines.iter().map(line).collect();
        let body = json!({
            "order": order, "way": way, "location": self.house.locations[to], "reason": "changed_mind", "lines": lines, "external_id": name
        });
        let asked = self.api.post("/v1/returns/requests", &format!("replay:{name}"), &body).await?;
        let arrives = if proportions::ELSEWHERE.falls_on(name) {
            chain::store_for(self.source, name, "arrives at")
        } else {
            to
        };
        let path = format!("/v1/returns/{}", asked["id"].as_str().unwrap_or_default());
        let known: Vec<&Value> = asked["lines"].as_array().into_iter().flatten().collect();
        let whole = |line: &&&Value| line["quantity"].as_i64().unwrap_or(0);
        let (first, rest): (Vec<i64>, Vec<i64>) = match proportions::TWO_PARCELS.falls_on(name) {
            true => known.iter().map(|line| (whole(&line) / 2, whole(&line) - whole(&line) / 2)).unzip(),
            false => known.iter().map(|line| (0, whole(&line))).unzip(),
        };
        for (number, parcel) in
            [first, rest].iter().enumerate().filter(|(_, parcel)| parcel.iter().any(|pieces| *pieces > 0))
        {
            let lines = known.iter().zip(parcel).filter(|(_, pieces)| **pieces > 0);
            let lines: Vec<Value> =
                lines.map(|(line, pieces)| json!({ "line": line["id"], "quantity": pieces })).collect();
            let body = json!({ "location": self.house.locations[arrives], "lines": lines });
            self.api
                .post(&format!("{path}/receive"), &format!("replay:{name}:parcel:{number}"), &body)
                .await?;
        }
        let graded: Vec<Value> = known
            .iter()
            .map(|line| json!({ "line": line["id"], "quantity": line["quantity"], "condition": grade(name) }))
            .collect();
        let done = self
            .api
            .post(&format!("{path}/inspect"), &format!("replay:{name}:inspect"), &json!({ "lines": graded }))
            .await?;
        self.note(&done, arrives);
        Ok(refund(&done))
    }

    /// What lines were worth is noted; and what came back whole to a store, which goes on to a warehouse at the month's end.
    fn note(&self, taken: &Value, place: usize) {
        for line in taken["lines"].as_array().into_iter().flatten() {
            let mut refunded = self.refunded.borrow_mut();
            let of = refunded.entry(line["line"].as_str().unwrap_or_default().to_owned()).or_default();
            of.0 += line["quantity"].as_i64().unwrap_or(0);
            of.1 += line["refund"]["amount"].as_i64().unwrap_or(0);
        }
        if self.source.locations.at(place).kind != Kind::Store {
            return;
        }
        for line in
            taken["lines"].as_array().into_iter().flatten().filter(|line| line["condition"] == "resellable")
        {
            let sku = self.house.sku(&line["variant"]).to_owned();
            *self.came_back.borrow_mut().entry((sku, place)).or_insert(0) +=
                line["quantity"].as_i64().unwrap_or(0);
        }
    }
}

/// Whatever came back of a line, in whatever order, was worth its share of what was paid for the line, to the penny.
///
/// # Errors
/// Names the first line where it was not.
pub fn must_be_shares(kept: &Kept, refunded: &Refunded) -> Result<(), Fault> {
    for sold in kept.values() {
        let Some((pieces, worth)) = refunded.get(&sold.id) else { continue };
        let share = domain::order::share(sold.gross_minor, sold.quantity, 0, *pieces);
        if share != *worth {
            let (line, gross) = (&sold.id, sold.gross_minor);
            let why = format!(
                "{pieces} of {} pieces of line {line}, paid with {gross}, were worth {worth}, not {share}",
                sold.quantity
            );
            return Err(Fault::Failed(why));
        }
    }
    Ok(())
}

/// In which condition the goods of a return come back.
fn grade(name: &str) -> &'static str {
    match proportions::one_of(&[&proportions::BROKEN, &proportions::SCRAPPED], &format!("{name}:condition")) {
        Some(share) if *share == proportions::BROKEN => "damaged",
        Some(_) => "scrap",
        None => "resellable",
    }
}

/// A cancellation may be several returns: against each order one, and one without order.
fn name_of(invoice: &Invoice, part: usize) -> String {
    format!("{}/{part}", invoice.number)
}

/// The number of the invoice a return was made for.
pub fn invoice_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name)
}

fn refund(answer: &Value) -> i64 {
    answer["refund"]["amount"].as_i64().unwrap_or(i64::MIN / 4)
}

/// Goods go back on the shelf; of a service nothing comes back.
fn condition(source: &Source, line: &Line) -> &'static str {
    match meaning(source.stock.stock_code(line)) {
        Meaning::Goods => "resellable",
        _ => "kept",
    }
}

fn by_order(source: &Source, invoice: &Invoice, kept: &Kept) -> Result<BTreeMap<String, Together>, Fault> {
    let mut orders: BTreeMap<String, Together> = BTreeMap::new();
    for line in &invoice.lines {
        for found in &line.matches {
            let sale = &source.invoices()[found.invoice];
            let mark = goods::mark(source, &sale.lines[found.line]);
            let sold = kept.get(&(found.invoice, mark)).ok_or_else(|| {
                goods::differs(invoice, format!("the order {} it comes from is not known", sale.number))
            })?;
            let together = orders.entry(sale.number.clone()).or_default();
            together.at_a_till = sale.channel == Channel::Till;
            *together.lines.entry((sold.id.clone(), condition(source, line))).or_insert(0) += found.quantity;
        }
    }
    Ok(orders)
}

fn blind_lines(source: &Source, invoice: &Invoice) -> Vec<Value> {
    let mut lines = Vec::new();
    for line in invoice.lines.iter().filter(|line| is_given_back(line)) {
        let quantity = -line.quantity - line.matched();
        if quantity > 0 {
            lines.push(json!({
                "variant": source.stock.sku(line),
                "quantity": quantity,
                "condition": condition(source, line),
                "refund": quantity * line.unit_price_minor(),
            }));
        }
    }
    lines
}

/// Does this line of a cancellation give anything back?
pub fn is_given_back(line: &Line) -> bool {
    matches!(
        line.class.treatment(),
        Treatment::Return | Treatment::ReturnWithoutOrder | Treatment::Refund | Treatment::Credit
    )
}
