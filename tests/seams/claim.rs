//! Claims: what came damaged or never came is made good once, whatever else is tried.

use std::sync::mpsc;
use std::time::Duration;

use domain::stock::State as Stock;
use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// Ships everything of an order, and answers the id of its first line.
fn shipped(floor: &Floor, order: &str) -> String {
    floor.step(&floor.part(order, 0), "ship", &json!({ "tracking": "JD1" }));
    floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].as_str().unwrap().to_owned()
}

fn claim(order: &str, kind: &str, line: &str, quantity: i64) -> Value {
    json!({ "order": order, "kind": kind, "reason": "not_arrived", "lines": [{ "line": line, "quantity": quantity }] })
}

fn path_of(claim: &Value) -> String {
    format!("/v1/claims/{}", claim["id"].as_str().unwrap())
}

/// Damaged goods: one paid back in part, one sent again, one sent back; nothing of it a second time.
#[test]
fn s16_damaged_goods_are_made_good_once() {
    on_every_engine([5, 0], |floor| {
        let order = floor.order(3, None);
        let line = shipped(floor, &order);
        let one = floor.must("/v1/claims", &claim(&order, "damaged", &line, 1));
        assert_eq!((&one["state"], &one["value"]["amount"]), (&json!("approved"), &json!(500)), "{one}");
        let part = json!({ "remedy": "refund", "amounts": [{ "line": line, "amount": 200 }] });
        let done = floor.must(&format!("{}/resolve", path_of(&one)), &part);
        assert_eq!((&done["state"], &done["refund"]["amount"]), (&json!("resolved"), &json!(200)), "{done}");
        assert_eq!(
            floor.ask(&format!("{}/resolve", path_of(&one)), &json!({ "remedy": "replacement" })).status,
            409
        );

        let two = floor.must("/v1/claims", &claim(&order, "missing_pieces", &line, 1));
        let back = json!({ "location": "york", "reason": "too_small", "lines": [{ "line": line, "quantity": 2, "condition": "resellable" }] });
        let refused = floor.ask(&format!("/v1/orders/{order}/returns"), &back);
        assert_eq!(
            (refused.status, refused.json().unwrap()["errors"][0]["field"].as_str()),
            (409, Some("lines.0.quantity"))
        );
        floor.must(&format!("{}/resolve", path_of(&two)), &json!({ "remedy": "replacement" }));
        let whole = floor.get(&format!("/v1/orders/{order}"));
        assert_eq!((&whole["state"], &whole["missing"]["amount"]), (&json!("placed"), &json!(0)), "{whole}");
        assert_eq!(floor.count(0, Stock::Committed), 1);
        floor.step(&floor.part(&order, 1), "ship", &json!({ "tracking": "JD2" }));
        assert_eq!(floor.get(&format!("/v1/orders/{order}"))["state"], "completed");

        let three = floor.must("/v1/claims", &claim(&order, "faulty", &line, 1));
        let sent = floor.must(
            &format!("{}/resolve", path_of(&three)),
            &json!({ "remedy": "send_back", "location": "york" }),
        );
        let taken = format!("/v1/returns/{}", sent["return"].as_str().unwrap());
        let label = floor.get(&taken);
        assert_eq!((&label["way"], &label["postage"]["amount"]), (&json!("post"), &json!(0)), "{label}");
        let here = json!({ "location": "york", "lines": [{ "line": label["lines"][0]["id"], "quantity": 1, "condition": "scrap" }] });
        assert_eq!(floor.must(&format!("{taken}/receive"), &here)["refund"]["amount"], 500);
        let whole = floor.get(&format!("/v1/orders/{order}"));
        assert_eq!(whole["refunded"]["amount"], 700);
        let claims = floor.list(&format!("/v1/orders/{order}/claims"));
        let told: Vec<_> = claims.iter().map(|one| (&one["state"], &one["remedy"])).collect();
        let resolved = json!("resolved");
        assert_eq!(
            told,
            [
                (&resolved, &json!("refund")),
                (&resolved, &json!("replacement")),
                (&resolved, &json!("send_back"))
            ]
        );
        let status = floor.get(&format!("/v1/orders/{order}/status"));
        let told = ["claims", "returns"].map(|list| status[list].as_array().unwrap().len());
        assert_eq!(told, [3, 1], "the money of a claim is no return beside it: {status}");
        assert_eq!(floor.list("/v1/claims?state=resolved&limit=2").len(), 2);
    });
}

/// A parcel that never came: claimed from its carrier, paid back with the delivery, delivered after all.
#[test]
fn s16_a_lost_parcel_turns_up() {
    on_every_engine([2, 0], |floor| {
        let van = json!({ "code": "van", "name": "Own van", "external_id": "van", "kind": "own_van", "collections": "mo-su 24:00" });
        floor.must("/v1/carriers", &van);
        let order = floor.order(2, None);
        let part = floor.part(&order, 0);
        floor.step(&part, "pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
        let parcel = floor.step(&part, "parcels", &json!({ "carrier": "van" }));
        let parcel = parcel["id"].as_str().unwrap().to_owned();
        let at = format!("/v1/orders/{order}/parcels/{parcel}");
        floor.must(&format!("{at}/ship"), &json!({}));
        let line = floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].as_str().unwrap().to_owned();
        let lost = claim(&order, "lost", &line, 2);
        assert_eq!(floor.ask("/v1/claims", &lost).status, 422, "the parcel is named");
        let mut named = lost.clone();
        named["parcel"] = json!(parcel);
        named["wished"] = json!("refund");
        let policy = json!({ "code": "standard", "name": "Standard", "terms": { "claims": { "approved_up_to": 400,
            "kinds": [{ "kind": "lost", "window_days": 30 }] } } });
        floor.must("/v1/return-policies", &policy);
        let customer = floor.page().with_header("idempotency-key", "lost");
        let asked = customer.post("/v1/claims", &named).unwrap();
        let one = asked.json().unwrap();
        assert_eq!((asked.status, &one["state"]), (201, &json!("requested")), "{one}");
        let again = customer.post("/v1/claims", &named).unwrap().json().unwrap();
        assert_eq!(again["id"], one["id"], "asked twice, claimed once");
        let path = path_of(&one);
        let impatient = floor.page().with_header("idempotency-key", "yes");
        let forbidden = impatient.post(&format!("{path}/approve"), &json!(null)).unwrap();
        assert_eq!(forbidden.status, 403);
        let approved = floor.must(&format!("{path}/approve"), &json!(null));
        assert_eq!(approved["carrier"]["amount"]["amount"], 1000, "{approved}");
        floor.must(&format!("{path}/carrier"), &json!({ "state": "filed", "reference": "CL-1" }));
        let done = floor.must(&format!("{path}/resolve"), &json!({ "remedy": "refund" }));
        assert_eq!(done["refund"]["amount"], 1395, "with the delivery: {done}");
        assert!(floor.list("/v1/claims?turned_up=true").is_empty());
        floor.must(&format!("{at}/attempt"), &json!({ "outcome": "delivered" }));
        // A job tells the claim of it.
        let (_open, never) = mpsc::channel::<()>();
        let told = || {
            let _ = never.recv_timeout(Duration::from_millis(50));
            !floor.list("/v1/claims?turned_up=true").is_empty()
        };
        assert!((0..400).any(|_| told()), "nobody was told that it turned up");
        assert_eq!(floor.ask(&format!("{path}/settle"), &json!({ "whereabouts": "restocked" })).status, 422);
        let settled = floor.must(&format!("{path}/settle"), &json!({ "whereabouts": "kept" }));
        assert_eq!((&settled["found"], &settled["whereabouts"]), (&json!("delivered"), &json!("kept")));
        let paid = floor.must(&format!("{path}/carrier"), &json!({ "state": "withdrawn" }));
        assert_eq!(paid["carrier"]["state"], "withdrawn");
    });
}
