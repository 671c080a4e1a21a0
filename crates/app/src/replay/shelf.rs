//! What moves stock without a customer, through the public API: opening stock, what suppliers bring, and the corrections of the source.

use std::collections::BTreeMap;

use serde_json::json;
use tandem::demo::assignment::scattered;
use tandem::demo::class::{Class, Treatment};
use tandem::demo::locations::Kind;
use tandem::demo::source::{Invoice, Line, Source};
use tandem::demo::supplies::Supply;

use super::api::Api;
use super::between::Transfer;
use super::goods::Tally;
use super::proportions;
use crate::fault::Fault;

/// The most lines of one receipt.
const LINES_MAX: usize = 500;
/// The most lines that go on to one store in a month.
const ONWARD_LINES_MAX: usize = 40;

/// One delivery to one location: what goes into one call.
pub struct Receipt<'s> {
    name: String,
    opening: bool,
    location: &'s str,
    lines: Vec<(&'s str, i64)>,
}

/// What comes in a month: the opening stock in the first one, deliveries of suppliers later; and what goes on from a warehouse to a store.
pub struct Delivered<'s> {
    /// What suppliers bring.
    pub receipts: Vec<Receipt<'s>>,
    /// What goes on from there.
    pub onward: Vec<Transfer>,
}

/// The deliveries of a month. Some of what is meant for a store comes by way of a warehouse.
pub fn delivered<'s>(source: &'s Source, supplies: &[Supply], month: usize) -> Delivered<'s> {
    let mut by_location: BTreeMap<usize, BTreeMap<&str, i64>> = BTreeMap::new();
    let mut onward: BTreeMap<usize, Transfer> = BTreeMap::new();
    for supply in supplies.iter().filter(|supply| supply.month == month) {
        let sku = source.stock.skus()[supply.sku].as_str();
        let mut place = supply.location;
        if source.locations.at(place).kind == Kind::Store
            && proportions::BY_WAREHOUSE.falls_on(&format!("{month}:{place}:{sku}"))
        {
            let way = onward.entry(place).or_insert_with(|| by_warehouse(source, month, place));
            if way.lines.len() < ONWARD_LINES_MAX {
                way.lines.push((sku.to_owned(), supply.quantity));
                place = way.source;
            }
        }
        *by_location.entry(place).or_default().entry(sku).or_insert(0) += supply.quantity;
    }
    let mut receipts = Vec::new();
    for (location, lines) in by_location {
        let location = source.locations.at(location).external_id.as_str();
        let lines: Vec<_> = lines.into_iter().collect();
        for (part, lines) in lines.chunks(LINES_MAX).enumerate() {
            let name = format!("supply-{month}-{location}-{part}");
            receipts.push(Receipt { name, opening: month == 0, location, lines: lines.to_vec() });
        }
    }
    Delivered { receipts, onward: onward.into_values().collect() }
}

fn by_warehouse(source: &Source, month: usize, store: usize) -> Transfer {
    let name = format!("replenish-{month}-{}", source.locations.at(store).external_id);
    let warehouses = source.locations.warehouses();
    let number = scattered(&name, "by which warehouse") % warehouses.len() as u64;
    let warehouse = warehouses[usize::try_from(number).unwrap_or(0)];
    Transfer { name, source: warehouse, destination: store, reason: "replenish", lines: Vec::new() }
}

/// Everything one invoice takes, brought to where it is taken from, so that it can be sold once more.
pub fn again<'s>(source: &'s Source, invoice: &Invoice, name: &str) -> Option<Receipt<'s>> {
    let taken = invoice.lines.iter().filter(|line| line.shelf_change() < 0);
    let lines: Vec<_> = taken.map(|line| (source.stock.sku(line), -line.shelf_change())).collect();
    let location = source.locations.at(invoice.location).external_id.as_str();
    (!lines.is_empty()).then(|| Receipt { name: format!("supply-{name}"), opening: false, location, lines })
}

/// Receives a delivery.
///
/// # Errors
/// What the shop refuses.
pub async fn receive(api: &Api, receipt: &Receipt<'_>) -> Result<(), Fault> {
    let line = |(variant, quantity): &(&str, i64)| json!({ "variant": variant, "quantity": quantity });
    let body = json!({
        "location": receipt.location,
        "reference": receipt.name,
        "opening": receipt.opening,
        "lines": receipt.lines.iter().map(line).collect::<Vec<_>>(),
    });
    api.post("/v1/stock/receipts", &format!("replay:{}", receipt.name), &body).await.map(drop)
}

/// Posts a stock entry of the source, line by line, and counts each.
///
/// # Errors
/// What the shop refuses.
pub async fn adjust(
    api: &Api,
    source: &Source,
    invoice: &Invoice,
    mut count: impl FnMut(&Line),
) -> Result<(), Fault> {
    for (place, line) in invoice.lines.iter().enumerate() {
        if line.class.treatment() == Treatment::StockEntry {
            let body = json!({
                "variant": source.stock.sku(line),
                "location": source.locations.at(invoice.location).external_id,
                "change": line.quantity,
                "reason": reason(line.class),
                "reference": invoice.number,
            });
            api.post("/v1/stock/adjustments", &format!("replay:{}:{place}", invoice.number), &body).await?;
        }
        count(line);
    }
    Ok(())
}

fn reason(class: Class) -> &'static str {
    match class {
        Class::StockFound => "found",
        Class::StockDamaged => "scrapped",
        _ => "correction",
    }
}

/// Counts what no call was made for: it is not the shop's business.
pub fn not_sent(invoice: &Invoice, tally: &mut Tally) {
    for line in &invoice.lines {
        if line.class.treatment() == Treatment::NotSent {
            tally.count(line, 0);
        }
    }
}
