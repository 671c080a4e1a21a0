//! S27: a receipt bought without a name is put into a customer's file later by its code; points, warranty and returns follow.

use std::thread;

use domain::stock::State as Stock;
use serde_json::{Value, json};
use sim::client::{Client, Reply};

use crate::floor::{Floor, on_every_engine};
use crate::loyalty::{club, customer, joins, one_mug, points_of};

/// A mug sold at the till of Leeds to nobody: the order, and the token on its receipt.
fn sold(floor: &Floor) -> (String, String) {
    let (till, cashier) = floor.till(0);
    let sold = floor.buy(&cashier, &one_mug(&till), &json!([{ "kind": "cash" }])).json().unwrap();
    assert_eq!(sold["state"], "completed", "{sold}");
    let order = sold["id"].as_str().unwrap().to_owned();
    let link = floor.must(&format!("/v1/orders/{order}/status-links"), &json!({}));
    (order, link["token"].as_str().unwrap().to_owned())
}

fn brought(floor: &Floor, name: &str, body: &Value) -> (u16, Value) {
    let reply = floor.ask(&format!("/v1/customers/{name}/orders"), body);
    (reply.status, reply.json().unwrap())
}

#[test]
fn s27_a_receipt_without_a_name_is_brought_later() {
    on_every_engine([3, 1], |floor| {
        club(floor);
        let (order, token) = sold(floor);
        customer(floor, "BOB");
        joins(floor, "BOB");
        let receipt = json!({ "link": token });

        let (status, told) = brought(floor, "BOB", &json!({ "link": token, "order": order }));
        assert_eq!((status, &told["errors"][0]["field"]), (422, &json!("link")), "{told}");
        let (status, told) = brought(floor, "BOB", &json!({ "link": token.replace(|_| true, "0") }));
        assert_eq!((status, &told["code"]), (404, &json!("not_found")), "{told}");

        for _ in 0..2 {
            let (status, told) = brought(floor, "BOB", &receipt);
            assert_eq!((status, &told["order"]), (200, &json!(order)), "{told}");
            assert_eq!(points_of(floor, "BOB"), (5, 0), "he joined after he had bought, and earns it once");
        }
        let (status, told) = brought(floor, "ADA", &receipt);
        assert_eq!((status, &told["code"]), (409, &json!("wrong_state")), "{told}");
        assert_eq!(points_of(floor, "ADA"), (0, 0));
        assert_eq!(floor.told(&order).iter().filter(|kind| *kind == "order.taken_over").count(), 1);

        // Without the receipt, in another store.
        let email = json!({ "customer": { "email": "BOB@example.com" } });
        let found = floor.must("/v1/orders/searches", &email);
        assert_eq!(found["items"][0]["id"], json!(order), "{found}");
        let line = &floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"];
        let lines = json!([{ "line": line, "quantity": 1, "condition": "resellable" }]);
        let back = json!({ "location": "york", "reason": "unwanted", "lines": lines });
        floor.must(&format!("/v1/orders/{order}/returns"), &back);
        assert_eq!((points_of(floor, "BOB"), floor.count(1, Stock::Available)), ((0, 0), 2));
    });
}

/// Somebody signs in on the web by a code that is mailed.
fn by_code(floor: &Floor, email: &str) -> Client {
    let page = floor.page();
    let asked = page.post("/v1/customer-session/codes", &json!({ "email": email })).unwrap();
    assert!((200..300).contains(&asked.status), "{}", asked.text());
    let given = json!({ "email": email, "code": floor.code_mailed(email), "channel": "web" });
    let opened = page.post("/v1/customer-session", &given).unwrap();
    assert!((200..300).contains(&opened.status), "{}", opened.text());
    floor.signed_in(opened.json().unwrap()["token"].as_str().expect("a token"))
}

#[test]
fn s27_what_is_faulty_is_claimed_under_warranty_once_the_receipt_is_brought() {
    on_every_engine([3, 0], |floor| {
        let two_years = json!({ "claims": { "kinds": [{ "kind": "faulty", "window_days": 730, "needs_evidence": true }] } });
        floor.must(
            "/v1/return-policies",
            &json!({ "code": "standard", "name": "Standard", "terms": two_years }),
        );
        let (order, token) = sold(floor);
        customer(floor, "BOB");
        let bob = by_code(floor, "BOB@example.com");
        let line = &floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"];
        let mut faulty = json!({ "order": order, "kind": "faulty", "reason": "the handle came off", "wished": "refund",
            "lines": [{ "line": line, "quantity": 1 }] });
        let claims = |faulty: &Value| -> Reply {
            let client = bob.clone().with_header("idempotency-key", format!("claim-{}", floor.next()));
            client.post("/v1/claims", faulty).unwrap()
        };
        let early = claims(&faulty);
        assert!(matches!(early.status, 403 | 404), "the receipt is nobody's yet: {}", early.text());

        assert_eq!(brought(floor, "BOB", &json!({ "link": token })).0, 200);
        let blind = claims(&faulty);
        assert_eq!(blind.json().unwrap()["code"], "policy_refuses", "the warranty asks for a photo");
        faulty["evidence"] = json!("photo-17");
        let one = claims(&faulty);
        let told = one.json().unwrap();
        assert_eq!((one.status, &told["state"]), (201, &json!("requested")), "{told}");
        assert_eq!(claims(&faulty).status, 409, "once");
        let path = format!("/v1/claims/{}", told["id"].as_str().expect("an id"));
        floor.must(&format!("{path}/approve"), &json!(null));
        let done = floor.must(&format!("{path}/resolve"), &json!({ "remedy": "refund" }));
        assert_eq!((&done["state"], &done["refund"]["amount"]), (&json!("resolved"), &json!(500)), "{done}");
    });
}

#[test]
fn s27_ten_bring_the_same_receipt_at_once() {
    on_every_engine([3, 0], |floor| {
        club(floor);
        let (order, token) = sold(floor);
        let names: Vec<String> = (0..10).map(|number| format!("C{number}")).collect();
        for name in &names {
            customer(floor, name);
            joins(floor, name);
        }
        let client = floor.client();
        let statuses: Vec<u16> = thread::scope(|scope| {
            let bring = |name: &str| {
                let path = format!("/v1/customers/{name}/orders");
                let key = format!("bring-{name}");
                let client = client.clone().with_header("idempotency-key", key);
                client.post(&path, &json!({ "link": token })).unwrap().status
            };
            let all: Vec<_> = names.iter().map(|name| scope.spawn(move || bring(name))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let won = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!((won, statuses.iter().filter(|status| **status == 409).count()), (1, 9), "{statuses:?}");
        let points: i64 = names.iter().map(|name| points_of(floor, name).0).sum();
        assert_eq!(points, 5, "the points of {order} are there once");
        let (status, told) = brought(floor, "ADA", &json!({ "order": order }));
        assert_eq!(status, 409, "a colleague who saw the receipt comes too late: {told}");
        let nowhere = brought(floor, "ADA", &json!({ "order": "ord_01jd0000000000000000000000" }));
        assert_eq!(nowhere.0, 404, "{}", nowhere.1);
    });
}
