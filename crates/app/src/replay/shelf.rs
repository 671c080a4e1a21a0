//! What moves stock without a customer, through the public API: opening stock, what suppliers bring, and the corrections of the source.

use std::collections::BTreeMap;

use serde_json::json;
use tandem::demo::class::{Class, Treatment};
use tandem::demo::source::{Invoice, Line, Source};
use tandem::demo::supplies::Supply;

use super::api::Api;
use super::goods::Tally;
use crate::fault::Fault;

/// The most lines of one receipt.
const LINES_MAX: usize = 500;

/// One delivery to one location: what goes into one call.
pub struct Receipt<'s> {
    name: String,
    opening: bool,
    location: &'s str,
    lines: Vec<(&'s str, i64)>,
}

impl<'s> Receipt<'s> {
    /// The same goods at another location.
    pub fn to(self, location: &'s str) -> Receipt<'s> {
        Receipt { location, ..self }
    }
}

/// The receipts of a month: the opening stock in the first one, deliveries of suppliers later.
pub fn receipts<'s>(source: &'s Source, supplies: &[Supply], month: usize) -> Vec<Receipt<'s>> {
    let mut by_location: BTreeMap<usize, Vec<(&str, i64)>> = BTreeMap::new();
    for supply in supplies.iter().filter(|supply| supply.month == month) {
        let line = (source.stock.skus()[supply.sku].as_str(), supply.quantity);
        by_location.entry(supply.location).or_default().push(line);
    }
    let mut receipts = Vec::new();
    for (location, lines) in by_location {
        let location = source.locations.at(location).external_id.as_str();
        for (part, lines) in lines.chunks(LINES_MAX).enumerate() {
            let name = format!("supply-{month}-{location}-{part}");
            receipts.push(Receipt { name, opening: month == 0, location, lines: lines.to_vec() });
        }
    }
    receipts
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
