//! S24: points earned on line are spent in the store and the reverse; twenty spends at once of the same points: exactly one succeeds.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sim::client::{Client, Reply};

use crate::floor::{Floor, on_every_engine};

/// A programme in force: a point for each pound, at once, worth a pound, shared by households, with points for friends; Ada takes part.
/// Answers the path of what she has.
pub fn club(floor: &Floor) -> String {
    let pound = json!({ "amount": 100, "currency": "GBP" });
    let terms = json!({ "earnings": [{ "points": 1, "per": pound }], "worth": [{ "points": 1, "amount": pound }],
        "household": { "members_max": 4, "spends": "anyone", "leaving": "stay" }, "referral": { "points": 7, "friend_points": 3 } });
    floor.must("/v1/loyalty-programmes", &json!({ "code": "club", "name": "The club", "terms": terms }));
    customer(floor, "ADA");
    let early = floor.ask("/v1/customers/ADA/points", &json!({ "programme": "club" }));
    assert_eq!((early.status, &early.json().unwrap()["code"]), (409, &json!("wrong_state")));
    let active = floor.must("/v1/loyalty-programmes/club/versions/1/activate", &json!({}));
    assert_eq!(active["state"], "active");
    joins(floor, "ADA")
}

pub fn customer(floor: &Floor, name: &str) {
    let contact = json!({ "name": name, "email": format!("{name}@example.com") });
    floor.must("/v1/customers", &json!({ "external_id": name, "contact": contact }));
}

/// Somebody takes part: the path of what he has.
pub fn joins(floor: &Floor, name: &str) -> String {
    let path = format!("/v1/customers/{name}/points");
    let member = floor.must(&path, &json!({ "programme": "club" }));
    format!("{path}/{}", member["id"].as_str().expect("an id"))
}

/// What Ada can spend, and what waits.
fn has(floor: &Floor) -> (i64, i64) {
    points_of(floor, "ADA")
}

pub fn points_of(floor: &Floor, name: &str) -> (i64, i64) {
    let member = &floor.list(&format!("/v1/customers/{name}/points"))[0];
    (member["balance"].as_i64().expect("points"), member["pending"].as_i64().expect("points"))
}

/// A cart of Ada's: its id.
fn cart_of_hers(client: &Client, key: &str, cart: &Value) -> String {
    cart_of(client, "ADA", key, cart)
}

fn cart_of(client: &Client, name: &str, key: &str, cart: &Value) -> String {
    let mut cart = cart.clone();
    cart["customer"] = json!(name);
    let made = client
        .clone()
        .with_header("idempotency-key", format!("{key}-cart"))
        .post("/v1/carts", &cart)
        .unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    made.json().unwrap()["id"].as_str().expect("an id").to_owned()
}

fn order(client: &Client, key: &str, cart: &str, payments: &Value) -> Reply {
    let client = client.clone().with_header("idempotency-key", format!("{key}-order"));
    client.post(&format!("/v1/carts/{cart}/checkout"), &json!({ "payments": payments })).unwrap()
}

fn bought(client: &Client, key: &str, cart: &Value, payments: &Value) -> Value {
    let cart = cart_of_hers(client, key, cart);
    let placed = order(client, key, &cart, payments);
    assert_eq!(placed.status, 201, "{}", placed.text());
    placed.json().unwrap()
}

pub fn one_mug(till: &str) -> Value {
    json!({ "channel": till, "lines": [{ "variant": "MUG", "quantity": 1 }] })
}

#[test]
fn s24_points_earned_on_line_are_spent_in_the_store_and_the_reverse() {
    on_every_engine([9, 9], |floor| {
        let member = club(floor);
        let ((till, cashier), web) = (floor.till(0), floor.client());
        let placed = bought(&web, "on-line", &floor.cart(2, None), &json!([{ "kind": "cash" }]));
        assert_eq!(has(floor), (0, 10), "points wait for the goods");
        let id = placed["id"].as_str().expect("an id");
        floor.step(&floor.part(id, 0), "ship", &json!({ "tracking": "JD1" }));
        assert_eq!(has(floor), (10, 0));
        let in_store = bought(&cashier, "in-store", &one_mug(&till), &json!([{ "kind": "points" }]));
        assert_eq!(in_store["state"], "completed");
        assert_eq!(has(floor), (5, 0));
        bought(&cashier, "cash", &one_mug(&till), &json!([{ "kind": "cash" }]));
        assert_eq!(has(floor), (10, 0), "points of the till are there at once");
        let mixed = json!([{ "kind": "points", "amount": 1000 }, { "kind": "cash" }]);
        let on_line = bought(&web, "by-points", &floor.cart(2, None), &mixed);
        assert_eq!((&on_line["state"], has(floor).0), (&json!("placed"), 0));
        let id = on_line["id"].as_str().expect("an id");
        floor.must(&format!("/v1/orders/{id}/cancel"), &json!({ "reason": "customer" }));
        assert_eq!(has(floor), (10, 0), "given back as points, and nothing earned");
        let moves: Vec<_> =
            floor.list(&format!("{member}/movements")).iter().map(|one| one["points"].clone()).collect();
        assert_eq!(moves.iter().filter_map(Value::as_i64).sum::<i64>(), 10);
    });
}

#[test]
fn s24_twenty_spends_at_once_of_the_same_points() {
    on_every_engine([30, 30], |floor| {
        let member = club(floor);
        let given = floor.must(&format!("{member}/adjust"), &json!({ "change": 5, "note": "goodwill" }));
        assert_eq!(given["balance"], 5);
        let ((till, cashier), web) = (floor.till(0), floor.client());
        let cart = |number: usize| {
            let (client, cart) = if number.is_multiple_of(2) {
                (&cashier, one_mug(&till))
            } else {
                (&web, floor.cart(1, None))
            };
            (client, cart_of_hers(client, &format!("spend-{number}"), &cart), format!("spend-{number}"))
        };
        let carts: Vec<_> = (0..20).map(cart).collect();
        let payments = json!([{ "kind": "points", "amount": 500 }, { "kind": "cash" }]);
        assert_eq!((winners(carts, &payments), has(floor).0), (1, 0));
    });
}

/// Everybody orders at once; how many were served. The others had too few points.
fn winners(carts: Vec<(&Client, String, String)>, payments: &Value) -> usize {
    let answers: Vec<Reply> = thread::scope(|scope| {
        let spenders: Vec<_> = carts
            .into_iter()
            .map(|(client, cart, key)| scope.spawn(move || order(client, &key, &cart, payments)))
            .collect();
        spenders.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 201);
    for one in lost {
        let code = &one.json().unwrap()["code"];
        assert_eq!((one.status, code), (409, &json!("amount_exceeded")), "{}", one.text());
    }
    won.len()
}

/// Ada and Bob share a household: what she earns on line he spends in the store, and of ten spends of each at once one succeeds.
#[test]
fn s24_a_household_shares_its_points() {
    on_every_engine([30, 30], |floor| {
        let ada = club(floor);
        customer(floor, "BOB");
        let bob = joins(floor, "BOB");
        let ((till, cashier), web) = (floor.till(0), floor.client());
        let founded = floor.must(&format!("{ada}/household"), &json!(null));
        assert_eq!(founded["members"].as_array().map(Vec::len), Some(1), "{founded}");
        let invited = floor.must(&format!("{ada}/household/invitations"), &json!(null));
        let code = json!({ "code": invited["code"] });
        let joined = floor.must(&format!("{bob}/household/join"), &code);
        assert_eq!(joined["members"].as_array().map(Vec::len), Some(2), "{joined}");
        assert_eq!(
            floor.ask(&format!("{bob}/household/join"), &code).status,
            409,
            "an invitation is for one"
        );

        let placed = bought(&web, "on-line", &floor.cart(2, None), &json!([{ "kind": "cash" }]));
        floor.step(
            &floor.part(placed["id"].as_str().expect("an id"), 0),
            "ship",
            &json!({ "tracking": "JD1" }),
        );
        let shared = || floor.get(&format!("{bob}/household"))["balance"].as_i64().expect("points");
        assert_eq!(shared(), 10, "what she earned is theirs");
        let cart = cart_of(&cashier, "BOB", "in-store", &one_mug(&till));
        assert_eq!(order(&cashier, "in-store", &cart, &json!([{ "kind": "points" }])).status, 201);
        assert_eq!(shared(), 5);
        let cart = |number: usize| {
            let name = if number.is_multiple_of(2) { "ADA" } else { "BOB" };
            let key = format!("spend-{number}");
            (&cashier, cart_of(&cashier, name, &key, &one_mug(&till)), key)
        };
        let payments = json!([{ "kind": "points", "amount": 500 }]);
        assert_eq!((winners((0..20).map(cart).collect(), &payments), shared()), (1, 0));
        let alone = floor.must(&format!("{bob}/household/leave"), &json!(null));
        assert_eq!(alone["members"].as_array().map(Vec::len), Some(1), "{alone}");
    });
}

/// Bob comes by Ada's code: both are given points for his first order. Nobody brings himself.
#[test]
fn s24_a_friend_who_is_brought_brings_points() {
    on_every_engine([9, 9], |floor| {
        let ada = club(floor);
        let (till, cashier) = floor.till(0);
        let code = floor.must(&format!("{ada}/referral-code"), &json!(null))["code"].clone();
        customer(floor, "BOB");
        let bob = joins(floor, "BOB");
        let own = floor.ask(&format!("{ada}/referral"), &json!({ "code": code }));
        assert_eq!((own.status, &own.json().unwrap()["code"]), (409, &json!("wrong_state")));
        floor.must(&format!("{bob}/referral"), &json!({ "code": code }));
        let cart = cart_of(&cashier, "BOB", "first", &one_mug(&till));
        assert_eq!(order(&cashier, "first", &cart, &json!([{ "kind": "cash" }])).status, 201);
        let points = || (has(floor).0, points_of(floor, "BOB").0);
        // A duty judges, within a quarter of a minute.
        let (_open, never) = mpsc::channel::<()>();
        let is_so = |_| {
            let _ = never.recv_timeout(Duration::from_millis(50));
            points() == (7, 5 + 3)
        };
        assert!(
            (0..500).any(is_so),
            "{:?} instead of seven, and three beside five that were earned",
            points()
        );
    });
}
