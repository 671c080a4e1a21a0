//! Twenty checkouts at once that spend the same gift card, the same store credit or the same hundred points: exactly one succeeds.

use std::thread;

use serde_json::{Value, json};
use sim::client::{Client, Reply};

use crate::floor::{Floor, on_every_engine};

const AT_ONCE: usize = 20;

/// Twenty carts of a mug each, for Ada, half of them at a till and half on line; each pays wholly by these means, at the same time. Answers
/// what each was answered.
fn crowd(floor: &Floor, means: &Value) -> Vec<Reply> {
    let ((till, cashier), web) = (floor.till(0), floor.client());
    let at_till = json!({ "channel": till, "lines": [{ "variant": "MUG", "quantity": 1 }] });
    let on_line = floor.cart(1, Some("york"));
    let cart = |number: usize| {
        let (client, mut cart) = if number.is_multiple_of(2) {
            (cashier.clone(), at_till.clone())
        } else {
            (web.clone(), on_line.clone())
        };
        cart["customer"] = json!("ADA");
        let keyed = client.clone().with_header("idempotency-key", format!("cart-{number}"));
        let made = keyed.post("/v1/carts", &cart).unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        let id = made.json().unwrap()["id"].as_str().expect("an id").to_owned();
        (client, format!("/v1/carts/{id}/checkout"), format!("order-{number}"))
    };
    let carts: Vec<(Client, String, String)> = (0..AT_ONCE).map(cart).collect();
    let payments = json!({ "payments": [means] });
    thread::scope(|scope| {
        let payments = &payments;
        let spend = |(client, path, key): (Client, String, String)| {
            scope.spawn(move || client.with_header("idempotency-key", key).post(&path, payments).unwrap())
        };
        let spenders: Vec<_> = carts.into_iter().map(spend).collect();
        spenders.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// One of them has its order, whole; the others were told that there is not enough, and took nothing.
fn one_succeeds(floor: &Floor, means: &Value) {
    let answers = crowd(floor, means);
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 201);
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].json().unwrap()["payment_status"], "paid", "{}", won[0].text());
    for one in lost {
        let told = one.json().unwrap();
        assert_eq!((one.status, &told["code"]), (409, &json!("amount_exceeded")), "{}", one.text());
    }
    assert_eq!(floor.list("/v1/orders").len(), 1);
    let left: i64 = (0..2).map(|place| floor.count(place, domain::stock::State::Available)).sum();
    let kept: i64 = (0..2).map(|place| floor.count(place, domain::stock::State::Committed)).sum();
    assert!((left, kept) == (59, 0) || (left, kept) == (59, 1), "{left} left, {kept} kept");
}

fn ada(floor: &Floor) {
    let contact = json!({ "name": "Ada Byron", "email": "ada@example.com" });
    floor.must("/v1/customers", &json!({ "external_id": "ADA", "contact": contact }));
}

fn pounds(minor: i64) -> Value {
    json!({ "amount": minor, "currency": "GBP" })
}

#[test]
fn s25_twenty_spends_at_once_of_the_same_gift_card() {
    on_every_engine([30, 30], |floor| {
        ada(floor);
        let card = floor.must("/v1/gift-cards", &json!({ "amount": pounds(999) }));
        let path = format!("/v1/gift-cards/{}", card["id"].as_str().expect("an id"));
        let code = floor.must(&format!("{path}/code"), &json!(null));
        one_succeeds(floor, &json!({ "kind": "gift_card", "gift_card": code["code"], "amount": 500 }));
        assert_eq!(floor.get(&path)["balance"], pounds(499));
    });
}

#[test]
fn s25_twenty_spends_at_once_of_the_same_store_credit() {
    on_every_engine([30, 30], |floor| {
        ada(floor);
        let credit = floor.must("/v1/store-credits", &json!({ "customer": "ADA", "amount": pounds(999) }));
        one_succeeds(floor, &json!({ "kind": "store_credit", "amount": 500 }));
        let path = format!("/v1/store-credits/{}", credit["id"].as_str().expect("an id"));
        assert_eq!(floor.get(&path)["balance"], pounds(499));
    });
}

#[test]
fn s24_twenty_spends_at_once_of_the_same_hundred_points() {
    on_every_engine([30, 30], |floor| {
        ada(floor);
        let terms = json!({ "earnings": [{ "points": 1, "per": pounds(1_000_000) }],
            "worth": [{ "points": 20, "amount": pounds(100) }] });
        floor.must("/v1/loyalty-programmes", &json!({ "code": "club", "name": "The club", "terms": terms }));
        floor.must("/v1/loyalty-programmes/club/versions/1/activate", &json!({}));
        let member = floor.must("/v1/customers/ADA/points", &json!({ "programme": "club" }));
        let path = format!("/v1/customers/ADA/points/{}", member["id"].as_str().expect("an id"));
        floor.must(&format!("{path}/adjust"), &json!({ "change": 100, "note": "goodwill" }));
        one_succeeds(floor, &json!({ "kind": "points", "amount": 500 }));
        assert_eq!(floor.list("/v1/customers/ADA/points")[0]["balance"], 0);
    });
}
