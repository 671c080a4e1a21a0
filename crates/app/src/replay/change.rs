//! Orders that are changed between the click and the parcel, through the public API: another address or note, a piece more or fewer,
//! another store. In the end the order is what the source says.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem::demo::assignment::{Channel, scattered};
use tandem::demo::source::{Invoice, Source};
use tandem::demo::tables;

use super::api::Api;
use super::chain::{self, Way, way_of};
use super::goods::{self, CURRENCY, Mark};
use super::proportions;
use super::sale::{PAID_LOOKS, PAID_PAUSE, contact};
use crate::fault::Fault;

/// What of an order is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A note for those who pack.
    Note,
    /// Another house in the same street.
    Address,
    /// A piece of a line too many was ordered, and is taken out.
    Fewer(Mark),
    /// A piece of a line is put in.
    More(Mark),
    /// It is collected in another store than ordered first.
    OtherStore(usize),
}

/// What of this order is changed, if anything: never a line of which something comes back.
pub fn of(source: &Source, invoice: &Invoice, comes_back: impl Fn(&Mark) -> bool) -> Option<Change> {
    match (invoice.channel, way_of(source, invoice)) {
        (Channel::Web, Way::Collected(store)) => {
            let first = chain::store_for(source, &invoice.number, "first store");
            (first != store && proportions::OTHER_STORE.falls_on(&invoice.number))
                .then_some(Change::OtherStore(first))
        }
        (Channel::Web | Channel::Phone, Way::Planned) if proportions::CHANGED.falls_on(&invoice.number) => {
            let ordered = goods::ordered(source, invoice);
            // An order of services alone is complete as soon as it is paid.
            ordered.keys().find(|mark| goods::is_of_goods(source, invoice, mark))?;
            let is_goods = |mark: &Mark| goods::is_of_goods(source, invoice, mark) && !comes_back(mark);
            let line =
                ordered.iter().find(|(mark, pieces)| **pieces > 1 && is_goods(mark)).map(|(mark, _)| *mark);
            match (scattered(&invoice.number, "what is changed") % 4, line) {
                (0, Some(mark)) => Some(Change::Fewer(mark)),
                (1, Some(mark)) => Some(Change::More(mark)),
                (2, _) if tables::person_of(invoice, source).is_some() => Some(Change::Address),
                _ => Some(Change::Note),
            }
        }
        _ => None,
    }
}

impl Change {
    /// Of which line a piece is put in or taken out.
    pub fn mark(self) -> Option<Mark> {
        match self {
            Change::Fewer(mark) | Change::More(mark) => Some(mark),
            Change::Note | Change::Address | Change::OtherStore(_) => None,
        }
    }

    /// What is ordered at first, given what the source says in the end. Answers also how many minor units more that costs.
    pub fn at_first(self, ordered: &mut BTreeMap<Mark, i64>) -> i64 {
        let Some(mark) = self.mark() else { return 0 };
        let more = if matches!(self, Change::Fewer(_)) { 1 } else { -1 };
        ordered.entry(mark).and_modify(|pieces| *pieces += more);
        mark.1 * more
    }

    fn action(self, source: &Source, invoice: &Invoice, order: &Value) -> Value {
        match self {
            Change::Note => json!({ "note": "leave it in the porch" }),
            Change::Address => {
                let person = tables::person_of(invoice, source);
                let mut body = person.as_ref().map(contact).unwrap_or_default();
                body["street"] =
                    json!([format!("{} (rear)", body["street"][0].as_str().unwrap_or_default())]);
                json!({ "address": body })
            }
            Change::Fewer((sku, minor)) => {
                let is = |line: &&Value| {
                    line["sku"] == source.stock.skus()[sku].as_str() && line["unit_price"]["amount"] == minor
                };
                let line = order["lines"].as_array().into_iter().flatten().find(is);
                json!({ "remove": { "line": line.map(|line| &line["id"]), "quantity": 1 } })
            }
            Change::More((sku, minor)) => json!({ "add": {
                "sku": source.stock.skus()[sku], "quantity": 1, "unit_price": { "amount": minor, "currency": CURRENCY },
            } }),
            Change::OtherStore(_) => {
                let store = match way_of(source, invoice) {
                    Way::Collected(store) => source.locations.at(store).external_id.as_str(),
                    Way::Planned | Way::Routed => "",
                };
                json!({ "delivery": { "method": "collect", "location": store } })
            }
        }
    }

    /// Shows the change and confirms it, pays what it costs, and waits until its goods may leave; answers the order.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn confirmed(
        self,
        api: &Api,
        source: &Source,
        invoice: &Invoice,
        order: Value,
    ) -> Result<Value, Fault> {
        let path = format!("/v1/orders/{}", invoice.number);
        let once = |step: &str| format!("replay:{}:change:{step}", invoice.number);
        let asked =
            json!({ "actions": [self.action(source, invoice, &order)], "reason": "the customer called" });
        let shown = api.post(&format!("{path}/changes"), &once("preview"), &asked).await?;
        let difference = &shown["difference"]["gross"];
        let mut yes = json!({ "expected_difference": difference });
        if difference["amount"].as_i64() > Some(0) {
            yes["payments"] = json!([{ "kind": "manual" }]);
        }
        let confirm = format!("{path}/changes/{}/confirm", shown["id"].as_str().unwrap_or_default());
        api.post(&confirm, &once("confirm"), &yes).await?;
        let mut now = api.get(&path).await?;
        let ids = |order: &Value| -> Vec<String> {
            let payments = order["payments"].as_array().into_iter().flatten();
            payments.filter_map(|payment| payment["id"].as_str().map(str::to_owned)).collect()
        };
        let known = ids(&order);
        for payment in ids(&now).iter().filter(|payment| !known.contains(payment)) {
            api.post(&format!("/v1/payments/{payment}/receipt"), &once("receipt"), &json!({})).await?;
        }
        for _ in 0..PAID_LOOKS {
            let mut parts = now["fulfilment_orders"].as_array().into_iter().flatten();
            if !parts.any(|part| part["on_hold"].is_string()) {
                break;
            }
            tokio::time::sleep(PAID_PAUSE).await;
            now = api.get(&path).await?;
        }
        Ok(now)
    }
}
