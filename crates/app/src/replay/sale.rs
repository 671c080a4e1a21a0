//! A sale of the source through the public API: a cart and the order of it, two calls; at a till that is all, on the web and by
//! phone the money is recorded as it comes in, and then the parcel leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::people::Person;
use tandem::demo::source::{Invoice, Source};
use tandem::demo::tables;

use super::api::Api;
use super::chain::{Way, way_of};
use super::change::Change;
use super::clock::instant;
use super::goods::{self, Listed, Mark, Sold};
use super::offers::means::Means;
use super::setup::House;
use crate::fault::Fault;

/// A payment's receipt reaches its order a moment later: so often it is looked whether it has,
pub const PAID_LOOKS: u32 = 600;
/// with such pauses.
pub const PAID_PAUSE: Duration = Duration::from_millis(100);
/// Of a hundred till sales, so many are paid by card.
const CARDS: u64 = 70;

/// Under which names a sale is made: those of the source, or new ones for a sale that happens now.
pub struct Occasion<'a> {
    /// Its idempotency keys begin like this, and the order is known by it outside.
    pub name: &'a str,
    /// When it was sold; now when `None`.
    pub placed_at: Option<String>,
    /// How it is changed afterwards; something else is ordered at first then.
    pub change: Option<Change>,
    /// Whose offers apply, if any, and what it is paid with beside the usual.
    pub offered: Option<(&'a House, Means)>,
}

/// The occasion the source tells of.
pub fn as_it_was<'a>(invoice: &'a Invoice, change: Option<Change>) -> Occasion<'a> {
    let placed_at = Some(instant(invoice.at).to_string());
    Occasion { name: &invoice.number, placed_at, change, offered: None }
}

impl Occasion<'_> {
    /// The lines that are sold at the prices of lists.
    fn listed(&self, source: &Source, invoice: &Invoice, ordered: &BTreeMap<Mark, i64>) -> Listed {
        let house = self.offered.as_ref().map(|(house, _)| *house);
        let offers = house.and_then(|house| Some((house, house.offers.as_ref()?)));
        let changed = self.change.and_then(Change::mark);
        offers.map_or_else(Listed::new, |(house, offers)| {
            offers.listed(source, &house.prices, invoice, (ordered, changed))
        })
    }
}

/// Sells an invoice; answers its lines, each held against the source.
///
/// # Errors
/// What the shop refuses, and any line that is not what the source says.
pub async fn sell(
    api: &Api,
    source: &Source,
    invoice: &Invoice,
    occasion: Occasion<'_>,
) -> Result<BTreeMap<Mark, Sold>, Fault> {
    let once = |step: &str| format!("replay:{}:{step}", occasion.name);
    let mut ordered = goods::ordered(source, invoice);
    let more = occasion.change.map_or(0, |change| change.at_first(&mut ordered));
    let way = if occasion.placed_at.is_some() { way_of(source, invoice) } else { Way::Planned };
    let listed = occasion.listed(source, invoice, &ordered);
    let mut wanted = cart(source, invoice, goods::cart_lines(source, &ordered, &listed));
    if let Way::Collected(store) = way {
        let store = match occasion.change {
            Some(Change::OtherStore(first)) => first,
            _ => store,
        };
        wanted["delivery"] =
            json!({ "method": "collect", "location": source.locations.at(store).external_id });
    }
    let cart = api.post("/v1/carts", &once("cart"), &wanted).await?;
    let total = match &occasion.offered {
        Some(_) => cart["totals"]["gross"]["amount"].as_i64().unwrap_or(0),
        None => invoice.charged_minor() + more,
    };
    let cart = cart["id"].as_str().unwrap_or_default().to_owned();
    let payments = match &occasion.offered {
        Some((_, means)) => means.tenders(total, tender(invoice)),
        None => vec![tender(invoice)],
    };
    let mut checkout = json!({
        "expected_total": { "amount": total, "currency": goods::CURRENCY },
        "payments": payments,
        "external_id": occasion.name,
    });
    if way == Way::Planned {
        checkout["serve_from"] = json!(source.locations.at(invoice.location).external_id);
    }
    if let Some(at) = &occasion.placed_at {
        checkout["placed_at"] = json!(at);
    }
    let path = format!("/v1/carts/{cart}/checkout");
    let order = api.post(&path, &once("order"), &checkout).await?;
    let sold = goods::held_against(source, invoice, (&ordered, &listed), &order)?;
    if invoice.channel == Channel::Till {
        completed(invoice, &order)?;
    } else {
        let payments = order["payments"].as_array().into_iter().flatten();
        for payment in payments.filter(|payment| payment["kind"] == "manual") {
            let path = format!("/v1/payments/{}/receipt", payment["id"].as_str().unwrap_or_default());
            api.post(&path, &once("receipt"), &json!({})).await?;
        }
    }
    Ok(sold)
}

/// Sends the parcels of a web or phone order, once the shop knows that it is paid.
///
/// # Errors
/// What the shop refuses, and an order that is not complete then.
pub async fn ship(api: &Api, invoice: &Invoice, name: &str) -> Result<(), Fault> {
    let path = format!("/v1/orders/{name}");
    let mut order = paid(api, name).await?;
    let parts = order["fulfilment_orders"].as_array().cloned().unwrap_or_default();
    for part in parts.iter().filter_map(|part| part["id"].as_str()) {
        let parcel = json!({ "tracking": format!("LF{name}") });
        let once = format!("replay:{name}:ship:{part}");
        order = api.post(&format!("{path}/fulfilment-orders/{part}/ship"), &once, &parcel).await?;
    }
    completed(invoice, &order)
}

/// The order of this name, once the shop knows that it is paid.
///
/// # Errors
/// What the shop refuses.
pub async fn paid(api: &Api, name: &str) -> Result<Value, Fault> {
    let path = format!("/v1/orders/{name}");
    let mut order = api.get(&path).await?;
    for _ in 0..PAID_LOOKS {
        if order["state"] != "pending_payment" {
            break;
        }
        tokio::time::sleep(PAID_PAUSE).await;
        order = api.get(&path).await?;
    }
    Ok(order)
}

/// The order is complete.
///
/// # Errors
/// When it is not.
pub fn completed(invoice: &Invoice, order: &Value) -> Result<(), Fault> {
    match order["state"].as_str() {
        Some("completed") => Ok(()),
        state => Err(goods::differs(invoice, format!("the order is {} in the end", state.unwrap_or("lost")))),
    }
}

fn cart(source: &Source, invoice: &Invoice, lines: Vec<Value>) -> Value {
    let mut cart = json!({
        "channel": channel_of(source, invoice),
        "currency": goods::CURRENCY,
        "lines": lines,
    });
    if let Some(customer) = invoice.customer {
        cart["customer"] = json!(customer.to_string());
    }
    if invoice.channel != Channel::Till {
        cart["delivery"] = json!({ "method": "parcel" });
        if let Some(person) = tables::person_of(invoice, source) {
            cart["contact"] = contact(&person);
        }
    }
    cart
}

/// The channel's external id: each store has a till of its own.
pub fn channel_of(source: &Source, invoice: &Invoice) -> String {
    match invoice.channel {
        Channel::Till => format!("till-{}", source.locations.at(invoice.location).external_id),
        other => other.name().to_owned(),
    }
}

/// A person as contacts are written.
pub fn contact(person: &Person) -> Value {
    let mut contact = json!({
        "name": format!("{} {}", person.given_name, person.family_name),
        "street": [person.street],
        "city": person.city,
        "country": person.country,
        "email": person.email,
        "phone": person.phone,
    });
    if !person.postal_code.is_empty() {
        contact["postal_code"] = json!(person.postal_code);
    }
    contact
}

/// Web and phone orders wait for their money; at the till it is cash or a card that a terminal has approved.
fn tender(invoice: &Invoice) -> Value {
    if invoice.channel != Channel::Till {
        return json!({ "kind": "manual" });
    }
    let dice = scattered(&invoice.number, "means of payment");
    if dice % 100 >= CARDS {
        return json!({ "kind": "cash" });
    }
    let card = json!({
        "last_four": format!("{:04}", dice / 100 % 10_000),
        "approval_code": format!("A{:05}", dice / 1_000_000 % 100_000),
        "terminal": "T1",
    });
    json!({ "kind": "card_record", "card": card })
}
