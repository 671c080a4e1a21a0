//! Exchanges in a replay: a piece bought at a till is brought to another store, for the same once more or for something else of the same
//! order, dearer or cheaper. They stand beside the source, which knows none: what they add to sales and refunds is counted by itself.

use serde_json::json;
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::source::{Invoice, Source};

use super::api::Api;
use super::between::Between;
use super::chain;
use super::goods::{self, CURRENCY, Mark};
use super::proportions;
use super::setup::House;
use crate::fault::Fault;

/// Under what the return of an exchange is known outside, before the number of the invoice.
pub const NAME: &str = "exchange/";

/// Of which line of a till sale a piece is exchanged, if of any: never of one of which something comes back by the source.
pub fn of(source: &Source, invoice: &Invoice, comes_back: impl Fn(&Mark) -> bool) -> Option<Mark> {
    if invoice.channel != Channel::Till || !proportions::EXCHANGED.falls_on(&invoice.number) {
        return None;
    }
    marks(source, invoice).find(|mark| !comes_back(mark))
}

fn marks(source: &Source, invoice: &Invoice) -> impl Iterator<Item = Mark> {
    goods::ordered(source, invoice).into_keys().filter(move |mark| goods::is_of_goods(source, invoice, mark))
}

/// Exchanges a piece of this line, whose id is known.
///
/// # Errors
/// What the shop refuses.
pub async fn exchange(
    (api, source): (&Api, &Source),
    (house, between): (&House, &Between<'_>),
    invoice: &Invoice,
    (mark, line): (Mark, &str),
) -> Result<(), Fault> {
    let other = marks(source, invoice).find(|other| other.0 != mark.0 && other.1 != mark.1);
    let for_others = proportions::FOR_OTHERS.falls_on(&invoice.number);
    let new = other.filter(|_| for_others).unwrap_or(mark);
    let stores = source.locations.stores();
    let start = scattered(&invoice.number, "exchanged at") % stores.len() as u64;
    let elsewhere = stores
        .iter()
        .cycle()
        .skip(usize::try_from(start).unwrap_or(0))
        .find(|store| **store != invoice.location);
    let store =
        elsewhere.copied().unwrap_or_else(|| chain::store_for(source, &invoice.number, "exchanged at"));
    let once = |step: &str| format!("replay:{}:exchange:{step}", invoice.number);
    let sku = &source.stock.skus()[new.0];
    between.bring(&format!("exchange-{}", invoice.number), store, &[(sku.clone(), 1)]).await?;
    let cart = json!({
        "channel": format!("till-{}", house.locations[store]), "currency": CURRENCY,
        "lines": [{ "sku": sku, "quantity": 1, "unit_price": { "amount": new.1, "currency": CURRENCY } }],
    });
    let cart = api.post("/v1/carts", &once("cart"), &cart).await?;
    let (condition, reason) =
        if new == mark { ("damaged", "arrived_damaged") } else { ("resellable", "changed_mind") };
    let body = json!({
        "order": invoice.number, "cart": cart["id"], "payments": [{ "kind": "cash" }],
        "back": {
            "location": house.locations[store], "reason": reason, "external_id": format!("{NAME}{}", invoice.number),
            "lines": [{ "line": line, "quantity": 1, "condition": condition }],
        },
    });
    api.post("/v1/exchanges", &once("made"), &body).await.map(drop)
}
