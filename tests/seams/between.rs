//! The crossings between places: goods sent to where they are collected, and shelves that are counted while selling goes on.

use domain::stock::State as Stock;
use serde_json::{Value, json};

use super::floor::{Floor, on_every_engine};

fn counts(floor: &Floor, place: usize) -> [i64; 4] {
    [Stock::Available, Stock::Committed, Stock::Missing, Stock::InTransit]
        .map(|state| floor.count(place, state))
}

fn tally(floor: &Floor, count: &str, mugs: i64, place: &str) -> Value {
    let line = json!({ "variant": "MUG", "pieces": mugs, "place": place });
    floor.must(&format!("/v1/counts/{count}/tally"), &json!({ "lines": [line] }))
}

/// The pickup store lacks the piece: another store sends it there, the customer is told the later date, then collects.
#[test]
fn s09_another_store_sends_it_to_where_it_is_collected() {
    on_every_engine([3, 1], |floor| {
        floor.put("/v1/delivery-methods/collect/sending", &json!({ "network": "all", "days": 2 }));
        let order = floor.order(2, Some("york"));
        let whole = floor.get(&format!("/v1/orders/{order}"));
        let waiting = &whole["fulfilment_orders"][0];
        assert_eq!(waiting["state"], "awaiting_transfer", "{whole}");
        assert!(waiting["expected_at"].is_string(), "{whole}");
        assert!(floor.list("/v1/locations/york/fulfilment-orders").is_empty(), "nothing is to be picked yet");
        let coming = floor.list("/v1/locations/york/transfer-orders?direction=in&open=true");
        let transfer = format!("/v1/transfer-orders/{}", coming[0]["id"].as_str().unwrap());
        assert_eq!(
            (&coming[0]["order"], coming[0]["lines"][0]["promised"].as_i64()),
            (&json!(order), Some(1))
        );
        floor.must(&format!("{transfer}/pick"), &json!({ "lines": [{ "variant": "MUG", "quantity": 1 }] }));
        floor.must(&format!("{transfer}/ship"), &json!({ "reference": "003400000000000018" }));
        assert_eq!((counts(floor, 0), counts(floor, 1)), ([2, 0, 0, 0], [0, 1, 0, 1]));
        let all = json!({ "lines": [{ "variant": "MUG", "quantity": 1 }] });
        assert_eq!(floor.must(&format!("{transfer}/receive"), &all)["state"], "received");
        assert_eq!(floor.ask(&format!("{transfer}/receive"), &all).status, 409, "received once");
        assert_eq!(counts(floor, 1), [0, 2, 0, 0], "it is the customer's at once");
        let part = floor.part(&order, 0);
        floor.step(&part, "ready", &json!(null));
        let visit = floor.get(&format!("{part}/visit"));
        let done = floor.step(&part, "hand-over", &json!({ "code": visit["code"] }));
        assert_eq!(done["state"], "completed");
        let told = floor.told(&order);
        for kind in ["fulfilment.awaiting_transfer", "fulfilment.expected", "fulfilment.opened"] {
            assert!(told.iter().any(|known| known == kind), "{kind} is missing in {told:?}");
        }
    });
}

/// What a picker missed is counted, the books are right again, and the shelf serves orders again.
#[test]
fn s10_the_missed_shelf_is_counted() {
    on_every_engine([4, 0], |floor| {
        let order = floor.order(2, None);
        let part = floor.part(&order, 0);
        floor.step(&part, "short-pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
        let tasks = floor.list("/v1/locations/leeds/counts?open=true");
        assert_eq!(
            (tasks.len(), &tasks[0]["origin"], &tasks[0]["cause"]["id"]),
            (1, &json!("miss"), &json!(order))
        );
        let count = tasks[0]["id"].as_str().unwrap();
        let seen = tally(floor, count, 3, "shelf");
        assert!(seen["lines"][0].get("booked_most").is_none(), "who counts does not see what the books have");
        let counted = floor.must(&format!("/v1/counts/{count}/finish"), &json!({}));
        assert_eq!((&counted["state"], &counted["lines"][0]["difference"]), (&json!("in_review"), &json!(1)));
        floor.must(&format!("/v1/counts/{count}/post"), &json!(null));
        assert_eq!(counts(floor, 0)[2], 0, "one is back, one is lost");
        let waits = || floor.list("/v1/locations/leeds/counts?open=true").len();
        assert_eq!(waits(), 0);
        // Two of the three that are there are the first order's; the third is free.
        let next = floor.order(1, None);
        let from = floor.get(&format!("/v1/orders/{next}"));
        assert_eq!(from["fulfilment_orders"].as_array().unwrap().len(), 1, "leeds serves again: {from}");
    });
}

/// A counted shelf differs while selling goes on: the difference is posted against the time in which it was counted.
#[test]
fn s14_counted_while_selling_goes_on() {
    on_every_engine([10, 0], |floor| {
        let (till, cashier) = floor.till(0);
        let sell = |key: &str, mugs: i64| {
            let ask = |step: &str, path: &str, body: &Value| {
                let cashier = cashier.clone().with_header("idempotency-key", format!("{key}-{step}"));
                let reply = cashier.post(path, body).unwrap();
                assert_eq!(reply.status, 201, "{}", reply.text());
                reply.json().unwrap()
            };
            let cart = json!({ "channel": till, "lines": [{ "variant": "MUG", "quantity": mugs }] });
            let made = ask("cart", "/v1/carts", &cart);
            let path = format!("/v1/carts/{}/checkout", made["id"].as_str().unwrap());
            ask("paid", &path, &json!({ "payments": [{ "kind": "cash" }] }));
        };
        let asked = floor.must("/v1/counts", &json!({ "location": "leeds", "variants": ["MUG"] }));
        let count = asked["id"].as_str().unwrap();
        sell("before", 2);
        tally(floor, count, 4, "shelf");
        tally(floor, count, 3, "back room");
        sell("after", 3);
        let counted = floor.must(&format!("/v1/counts/{count}/finish"), &json!({}));
        assert_eq!(counted["lines"][0]["difference"], -1, "eight were there, seven were counted: {counted}");
        sell("later", 1);
        assert_eq!(floor.must(&format!("/v1/counts/{count}/post"), &json!(null))["state"], "posted");
        assert_eq!(counts(floor, 0)[0], 3, "ten less six sold and one lost");
        let right = floor
            .get("/v1/locations/leeds/count-accuracy?from=2020-01-01T00:00:00Z&until=2020-06-01T00:00:00Z");
        assert_eq!(right["parts"], json!([]), "nothing was counted then");
    });
}
