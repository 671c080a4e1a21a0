//! A cancellation of the source through the public API: what is known to come from an order goes back against that order's lines; the
//! rest goes back without an order, at the price written.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tandem::demo::class::Treatment;
use tandem::demo::rules::{Meaning, meaning};
use tandem::demo::source::{Invoice, Line, Source};

use super::api::Api;
use super::goods::{self, Mark};
use crate::fault::Fault;

/// Ids of order lines by the number of the invoice and the mark of the line: those of which something comes back.
pub type Kept = HashMap<(usize, Mark), String>;

/// Takes back what a cancellation names. Answers what the shop gives back for it, in minor units.
///
/// # Errors
/// What the shop refuses, and any refund that is not what the source says.
pub async fn take_back(api: &Api, source: &Source, invoice: &Invoice, kept: &Kept) -> Result<i64, Fault> {
    let location = &source.locations.at(invoice.location).external_id;
    let mut refunded = 0;
    for (place, (order, lines)) in by_order(source, invoice, kept)?.into_iter().enumerate() {
        let name = name_of(invoice, place + 1);
        let body =
            json!({ "location": location, "reason": "cancelled", "lines": lines, "external_id": name });
        let path = format!("/v1/orders/{order}/returns");
        refunded += refund(&api.post(&path, &format!("replay:{name}"), &body).await?);
    }
    let blind = blind_lines(source, invoice);
    if !blind.is_empty() {
        let name = name_of(invoice, 0);
        let body = json!({ "location": location, "reason": "cancelled", "currency": goods::CURRENCY, "lines": blind, "external_id": name });
        refunded += refund(&api.post("/v1/returns", &format!("replay:{name}"), &body).await?);
    }
    if refunded != -invoice.charged_minor() {
        let what = format!("{} minor units go back, {refunded} were given", -invoice.charged_minor());
        return Err(goods::differs(invoice, what));
    }
    Ok(refunded)
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

fn by_order(source: &Source, invoice: &Invoice, kept: &Kept) -> Result<BTreeMap<String, Vec<Value>>, Fault> {
    let mut orders: BTreeMap<String, BTreeMap<(String, &str), i64>> = BTreeMap::new();
    for line in &invoice.lines {
        for found in &line.matches {
            let sale = &source.invoices()[found.invoice];
            let mark = goods::mark(source, &sale.lines[found.line]);
            let id = kept.get(&(found.invoice, mark)).ok_or_else(|| {
                goods::differs(invoice, format!("the order {} it comes from is not known", sale.number))
            })?;
            let lines = orders.entry(sale.number.clone()).or_default();
            *lines.entry((id.clone(), condition(source, line))).or_insert(0) += found.quantity;
        }
    }
    let line =
        |((id, condition), quantity)| json!({ "line": id, "quantity": quantity, "condition": condition });
    Ok(orders.into_iter().map(|(order, lines)| (order, lines.into_iter().map(line).collect())).collect())
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
