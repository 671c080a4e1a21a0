//! What colleagues do between places: goods are sent from one to another and arrive in parts, shelves are counted while selling goes on,
//! and customers change what they ordered.

use serde_json::{Value, json};
use sim::stand::Stand;

use super::{Colleague, PLACES, RECENT, patient_get};

/// How much is read at once when all is over.
const PAGE: &str = "limit=100";

/// Which transfer orders, counts and changes were answered, and how many pieces arrived.
#[derive(Default)]
pub struct Answered {
    transfers: Vec<String>,
    counts: Vec<String>,
    posted: Vec<String>,
    changes: Vec<String>,
    arrived: i64,
}

impl Colleague<'_> {
    /// One step between places.
    pub fn between(&mut self) {
        match self.chance.below(9) {
            0 => self.send(),
            1..4 => self.move_on(),
            4 => self.ask_for_count(),
            5..7 => self.count(),
            _ => self.change(),
        }
    }

    fn send(&mut self) {
        let (source, destination) = (self.place(), self.place());
        let line = json!({ "variant": self.variant().to_string(), "quantity": 1 + self.chance.below(4) });
        let new =
            json!({ "source": source, "destination": destination, "reason": "balance", "lines": [line] });
        if let Some(made) = self.ask("transfer", "/v1/transfer-orders", &new) {
            let id = text(&made, "id");
            self.day.answered.lock().unwrap().between.transfers.push(id);
        }
    }

    /// One of the newest that were answered, whoever asked for it.
    fn recent(&mut self, of: impl Fn(&Answered) -> &Vec<String>) -> Option<String> {
        let answered = self.day.answered.lock().unwrap();
        let all = of(&answered.between);
        let newest = &all[all.len().saturating_sub(RECENT)..];
        (!newest.is_empty()).then(|| self.chance.one_of(newest).clone())
    }

    /// The next step of a transfer order, whether or not a colleague just took it.
    fn move_on(&mut self) {
        let Some(id) = self.recent(|answered| &answered.transfers) else { return };
        let path = format!("/v1/transfer-orders/{id}");
        let one = patient_get(&self.client, &path);
        let line = &one["lines"][0];
        let pieces = json!({ "lines": [{ "variant": line["variant"], "quantity": 1 }] });
        match (one["state"].as_str().unwrap(), self.chance.below(8)) {
            ("requested" | "picking", 0..3) => {
                self.ask("pick-transfer", &format!("{path}/pick"), &pieces);
            }
            ("requested" | "picking", 3) => {
                self.ask("short-transfer", &format!("{path}/short-pick"), &pieces);
            }
            ("requested" | "picking", 4) => {
                self.ask("cancel-transfer", &format!("{path}/cancel"), &json!(null));
            }
            ("requested" | "picking", _) => {
                self.ask("send", &format!("{path}/ship"), &json!({}));
            }
            ("in_transit" | "partly_received", 0) => {
                self.ask("close-transfer", &format!("{path}/close"), &json!({ "reason": "lost" }));
            }
            ("in_transit" | "partly_received", _) => {
                let state = *self.chance.one_of(&["available", "available", "damaged"]);
                let come = json!({ "variant": line["variant"], "quantity": 1, "state": state });
                if self.ask("arrive", &format!("{path}/receive"), &json!({ "lines": [come] })).is_some() {
                    self.day.answered.lock().unwrap().between.arrived += 1;
                }
            }
            _ => {}
        }
    }

    fn ask_for_count(&mut self) {
        let new = json!({ "location": self.place(), "variants": [self.variant().to_string()] });
        if let Some(made) = self.ask("ask-for-count", "/v1/counts", &new) {
            let id = text(&made, "id");
            self.day.answered.lock().unwrap().between.counts.push(id);
        }
    }

    /// The next step of a count: what lies there is counted, sometimes wrongly, and what differs is posted while everybody sells.
    fn count(&mut self) {
        let Some(id) = self.recent(|answered| &answered.counts) else { return };
        let path = format!("/v1/counts/{id}");
        let one = patient_get(&self.client, &path);
        match one["state"].as_str().unwrap() {
            "requested" | "counting" | "recount" if self.chance.happens(60) => {
                let line = &one["lines"][0];
                let booked = line["booked_most"].as_i64().unwrap_or(0);
                let wrong = self.chance.below(4).cast_signed() - 2;
                let tally = json!({ "variant": line["variant"], "pieces": (booked + wrong).max(0) });
                self.ask("tally", &format!("{path}/tally"), &json!({ "lines": [tally] }));
            }
            "requested" | "counting" | "recount" => {
                self.ask("finish", &format!("{path}/finish"), &json!({ "rest_is_none": false }));
            }
            "in_review" if self.ask("post", &format!("{path}/post"), &json!(null)).is_some() => {
                self.day.answered.lock().unwrap().between.posted.push(id);
            }
            _ => {}
        }
    }

    /// Puts a piece into an order, or takes one out: shown first, then confirmed as it was shown.
    fn change(&mut self) {
        let Some(order) = self.an_order() else { return };
        let changes = format!("/v1/orders/{}/changes", text(&order, "id"));
        let line = self.chance.one_of(order["lines"].as_array().unwrap())["id"].clone();
        let action = if self.chance.happens(60) {
            json!({ "add": { "variant": self.variant().to_string(), "quantity": 1 } })
        } else {
            json!({ "remove": { "line": line, "quantity": 1 } })
        };
        let Some(shown) = self.ask("preview", &changes, &json!({ "actions": [action] })) else { return };
        let path = format!("{changes}/{}", text(&shown, "id"));
        if self.chance.happens(15) {
            self.ask("decline", &format!("{path}/decline"), &json!(null));
            return;
        }
        let difference = &shown["difference"]["gross"];
        let payments = match difference["amount"].as_i64() {
            Some(1..) => json!([{ "kind": "cash" }]),
            _ => json!([]),
        };
        let yes = json!({ "expected_difference": difference, "payments": payments });
        if self.ask("confirm", &format!("{path}/confirm"), &yes).is_some() {
            let id = text(&shown, "id");
            self.day.answered.lock().unwrap().between.changes.push(id);
        }
    }
}

fn text(document: &Value, field: &str) -> String {
    document[field].as_str().unwrap().to_owned()
}

impl Answered {
    /// Each of them is in the books once, and no other is.
    pub fn happened_once<'o>(self, stand: &Stand, orders: impl Iterator<Item = &'o String>) {
        let client = stand.client();
        let all_of = |first: String| -> Vec<Value> {
            let mut all = Vec::new();
            let mut path = first.clone();
            loop {
                let page = patient_get(&client, &path);
                all.extend(page["items"].as_array().unwrap().iter().cloned());
                let Some(cursor) = page["next_cursor"].as_str() else { return all };
                path = format!("{first}&cursor={cursor}");
            }
        };
        let (mut transfers, mut counts, mut posted) = (Vec::new(), Vec::new(), Vec::new());
        let mut arrived = 0;
        for place in PLACES {
            for one in all_of(format!("/v1/locations/{place}/transfer-orders?direction=in&{PAGE}")) {
                let lines = one["lines"].as_array().unwrap().iter();
                arrived += lines
                    .map(|line| line["arrived"].as_i64().unwrap() + line["over"].as_i64().unwrap())
                    .sum::<i64>();
                transfers.push(text(&one, "id"));
            }
            for one in all_of(format!("/v1/locations/{place}/counts?{PAGE}")) {
                posted.extend((one["state"] == "posted").then(|| text(&one, "id")));
                counts.extend((one["origin"] == "list").then(|| text(&one, "id")));
            }
        }
        let mut changes = Vec::new();
        for order in orders {
            let found = all_of(format!("/v1/orders/{order}/changes?{PAGE}"));
            let yes = found.iter().filter(|one| one["state"] == "confirmed");
            changes.extend(yes.map(|one| text(one, "id")));
        }
        same("transfer orders", transfers, self.transfers);
        same("counts", counts, self.counts);
        same("posted counts", posted, self.posted);
        same("changes", changes, self.changes);
        assert_eq!(arrived, self.arrived, "pieces arrived");
    }
}

/// Each answered once, each there once.
fn same(what: &str, mut there: Vec<String>, mut answered: Vec<String>) {
    there.sort_unstable();
    answered.sort_unstable();
    assert_eq!(there, answered, "the {what} that were answered are there, each once, and nothing else");
}
