//! What of an invoice goes over the counter: its lines as the shop knows them, one for each SKU and price, and how the answers are held
//! against them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem::demo::class::{Class, Treatment};
use tandem::demo::report::ClassSum;
use tandem::demo::source::{Invoice, Line, Source};

use crate::fault::Fault;

/// The currency of everything in the source.
pub const CURRENCY: &str = "GBP";

/// What tells lines of one order apart: number of the SKU, price of one in minor units.
pub type Mark = (usize, i64);

/// What tells this line from the others of its order.
pub fn mark(source: &Source, line: &Line) -> Mark {
    (source.stock.sku_of(line.code), line.unit_price_minor())
}

/// Is it part of an order, be it goods, a service or a delivery charge?
pub fn is_sold(line: &Line) -> bool {
    matches!(
        line.class.treatment(),
        Treatment::OrderLine | Treatment::ServiceLine | Treatment::DeliveryCharge
    )
}

/// Are these goods that are sold for money?
pub fn is_of_goods(source: &Source, invoice: &Invoice, of: &Mark) -> bool {
    let is = |line: &&Line| is_sold(line) && mark(source, line) == *of;
    let mut lines = invoice.lines.iter().filter(is);
    of.1 > 0 && lines.all(|line| line.class.treatment() == Treatment::OrderLine)
}

/// The lines to be ordered with their quantities; lines of one SKU at one price are one.
pub fn ordered(source: &Source, invoice: &Invoice) -> BTreeMap<Mark, i64> {
    let mut quantities = BTreeMap::new();
    for line in invoice.lines.iter().filter(|line| is_sold(line)) {
        *quantities.entry(mark(source, line)).or_insert(0) += line.quantity;
    }
    quantities
}

/// An order line as the shop answered it.
pub struct Sold {
    /// Its id.
    pub id: String,
    /// How many pieces.
    pub quantity: i64,
    /// What was paid for them.
    pub gross_minor: i64,
}

/// Lines that are sold at the prices of the lists, with what a piece costs by them; all others at the source's price.
pub type Listed = BTreeMap<Mark, i64>;

/// The lines of a cart.
pub fn cart_lines(source: &Source, ordered: &BTreeMap<Mark, i64>, listed: &Listed) -> Vec<Value> {
    let line = |(mark, quantity): (&Mark, &i64)| {
        let mut line = json!({ "sku": source.stock.skus()[mark.0], "quantity": quantity });
        if !listed.contains_key(mark) {
            line["unit_price"] = json!({ "amount": mark.1, "currency": CURRENCY });
        }
        line
    };
    ordered.iter().map(line).collect()
}

/// The lines of an order as it was answered, once each has the quantity and the sum that the source says; of one at the price of a list, once
/// it has that price, of which promotions may have taken some.
///
/// # Errors
/// Names the first line that differs.
pub fn held_against(
    source: &Source,
    invoice: &Invoice,
    (ordered, listed): (&BTreeMap<Mark, i64>, &Listed),
    order: &Value,
) -> Result<BTreeMap<Mark, Sold>, Fault> {
    let mut sold = BTreeMap::new();
    let offered: BTreeMap<usize, Mark> = listed.keys().map(|mark| (mark.0, *mark)).collect();
    let skus: BTreeMap<&str, usize> =
        ordered.keys().map(|(sku, _)| (source.stock.skus()[*sku].as_str(), *sku)).collect();
    for line in order["lines"].as_array().into_iter().flatten() {
        let sku = line["sku"].as_str().unwrap_or_default();
        let unit = line["unit_price"]["amount"].as_i64().unwrap_or(-1);
        let found = skus.get(sku).map(|sku| offered.get(sku).copied().unwrap_or((*sku, unit)));
        let Some((mark, quantity)) = found.and_then(|mark| Some((mark, *ordered.get(&mark)?))) else {
            return Err(differs(invoice, format!("sku {sku} at {unit} was not ordered")));
        };
        let answered = (line["quantity"].as_i64(), line["gross"]["amount"].as_i64());
        let most = quantity * listed.get(&mark).copied().unwrap_or(unit);
        let is_right = match (answered, listed.get(&mark)) {
            ((Some(pieces), Some(gross)), Some(price)) => {
                pieces == quantity && unit == *price && (0..=most).contains(&gross)
            }
            _ => answered == (Some(quantity), Some(most)),
        };
        if !is_right {
            return Err(differs(invoice, format!("sku {sku}: {quantity} for {most} became {answered:?}")));
        }
        let id = line["id"].as_str().unwrap_or_default().to_owned();
        sold.insert(mark, Sold { id, quantity, gross_minor: answered.1.unwrap_or(0) });
    }
    if sold.len() != ordered.len() {
        return Err(differs(invoice, format!("{} lines became {}", ordered.len(), sold.len())));
    }
    Ok(sold)
}

/// An answer that is not what the source says.
pub fn differs(invoice: &Invoice, what: String) -> Fault {
    Fault::Failed(format!("invoice {}: {what}", invoice.number))
}

/// What the shop confirmed, rule by rule.
#[derive(Default)]
pub struct Tally {
    /// Sums under each rule.
    pub classes: BTreeMap<Class, ClassSum>,
    /// Invoices whose stock entries were posted.
    pub stock_entries: u64,
    /// Invoices of which nothing is the shop's business.
    pub bookkeeping: u64,
}

impl Tally {
    /// Counts a line of which the shop answered that this much went through it.
    pub fn count(&mut self, line: &Line, charged_minor: i64) {
        self.classes.entry(line.class).or_default().add(&ClassSum {
            lines: 1,
            pieces: line.quantity,
            value: line.value(),
            charged_minor,
        });
    }
}
