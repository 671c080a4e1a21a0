//! With what sales are paid when there are offers: a gift card that was bought before, points as far as there are, and the rest as ever.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tandem::demo::assignment::Channel;
use tandem::demo::source::{Invoice, Source};

use super::{CARD, CARD_MINOR, Offers, POINTS_MIN};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::goods::CURRENCY;
use crate::replay::{proportions, sale};

/// Under what the purchase of a gift card is known outside, before the number of the invoice.
pub const NAME: &str = "gift/";

/// What an order is paid with beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// Points there are, as minor units.
    points_minor: i64,
    /// The code of a gift card.
    card: Option<String>,
}

impl Means {
    /// How an order of so much is paid: with points up to half of it, with what is on the card, and the rest with `usual`.
    pub fn tenders(&self, total: i64, usual: Value) -> Vec<Value> {
        let mut all = Vec::new();
        let points = self.points_minor.min(total / 2);
        let mut left = total;
        if points >= POINTS_MIN {
            all.push(json!({ "kind": "points", "amount": points }));
            left -= points;
        }
        let by_card = left.min(CARD_MINOR);
        if let Some(code) = self.card.as_ref().filter(|_| by_card > 0) {
            all.push(json!({ "kind": "gift_card", "gift_card": code, "amount": by_card }));
            left -= by_card;
        }
        if left > 0 || total == 0 {
            all.push(usual);
        }
        all
    }
}

/// The means of a month's sales by their numbers: gift cards are bought, and members asked what they have. A member pays with points once
/// in a month, so that it does not matter which order is first.
///
/// # Errors
/// What the shop refuses.
pub async fn of_month(
    api: &Api,
    source: &Source,
    offers: &Offers,
    (sales, clients): (Vec<(usize, &Invoice)>, usize),
) -> Result<Vec<(usize, Means)>, Fault> {
    let mut paid = BTreeSet::new();
    let wanted: Vec<(usize, &Invoice, bool)> = sales
        .into_iter()
        .map(|(number, invoice)| {
            let first = invoice.customer.filter(|customer| paid.insert(*customer));
            let of = first.filter(|customer| offers.members.contains_key(customer));
            let by_points = of.is_some_and(|customer| {
                proportions::BY_POINTS.falls_on(&format!("{customer} in {}", invoice.month()))
            });
            (number, invoice, by_points)
        })
        .collect();
    let each = stream::iter(wanted).map(|(number, invoice, by_points)| async move {
        let mut means = Means::default();
        if let Some(customer) = invoice.customer.filter(|_| by_points) {
            let members = api.get(&format!("/v1/customers/{customer}/points")).await?;
            means.points_minor = members["items"][0]["balance"].as_i64().unwrap_or(0);
        }
        let shares = [&proportions::BY_CARD, &proportions::CARD_KEPT];
        let falls = proportions::one_of(&shares, &format!("{}:gift card", invoice.number));
        if let Some(share) = falls.filter(|_| invoice.channel == Channel::Till) {
            let code = bought(api, source, invoice).await?;
            means.card = (*share == proportions::BY_CARD).then_some(code);
        }
        Ok::<_, Fault>((number, means))
    });
    each.buffer_unordered(clients).try_collect().await
}

/// Buys a gift card at the till of this sale; answers its code.
async fn bought(api: &Api, source: &Source, invoice: &Invoice) -> Result<String, Fault> {
    let once = |step: &str| format!("replay:{}:gift:{step}", invoice.number);
    let cart = json!({ "channel": sale::channel_of(source, invoice), "currency": CURRENCY, "lines": [{ "sku": CARD, "quantity": 1 }] });
    let cart = api.post("/v1/carts", &once("cart"), &cart).await?;
    let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap_or_default());
    let paid = json!({ "payments": [{ "kind": "cash" }], "external_id": format!("{NAME}{}", invoice.number),
        "expected_total": { "amount": CARD_MINOR, "currency": CURRENCY } });
    let order = api.post(&path, &once("order"), &paid).await?;
    let cards = format!("/v1/orders/{}/gift-cards", order["id"].as_str().unwrap_or_default());
    let card = api.get(&cards).await?["items"][0]["id"].as_str().unwrap_or_default().to_owned();
    let shown = api.post(&format!("{cards}/{card}/code"), &once("code"), &Value::Null).await?;
    shown["code"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Fault::Failed(format!("the gift card of invoice {} has no code", invoice.number)))
}
