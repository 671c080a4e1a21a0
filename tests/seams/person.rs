//! S26: who buys on line, at the till with her phone, gave her address for a newsletter, and buys on a marketplace is one person: one history,
//! one balance. A merge that was wrong is undone, and everything is as before.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

const STREET: &str = "17 Larkspur Crescent";

/// A customer as one system knows her.
fn known(floor: &Floor, external_id: &str, contact: &Value) -> String {
    let made = floor.must("/v1/customers", &json!({ "external_id": external_id, "contact": contact }));
    made["id"].as_str().expect("an id").to_owned()
}

fn bought(floor: &Floor, customer: &str, mugs: i64) -> String {
    let mut cart = floor.cart(mugs, None);
    cart["customer"] = json!(customer);
    let cart = floor.must("/v1/carts", &cart);
    let paid = json!({ "payments": [{ "kind": "cash" }] });
    let placed = floor.must(&format!("/v1/carts/{}/checkout", cart["id"].as_str().expect("an id")), &paid);
    placed["id"].as_str().expect("an id").to_owned()
}

fn club(floor: &Floor) {
    let pound = json!({ "amount": 100, "currency": "GBP" });
    let terms =
        json!({ "earnings": [{ "points": 1, "per": pound }], "worth": [{ "points": 1, "amount": pound }] });
    floor.must("/v1/loyalty-programmes", &json!({ "code": "club", "name": "The club", "terms": terms }));
    floor.must("/v1/loyalty-programmes/club/versions/1/activate", &json!({}));
}

fn joins(floor: &Floor, customer: &str, points: i64) {
    let path = format!("/v1/customers/{customer}/points");
    let member = floor.must(&path, &json!({ "programme": "club" }));
    let path = format!("{path}/{}/adjust", member["id"].as_str().expect("an id"));
    floor.must(&path, &json!({ "change": points, "note": "before" }));
}

/// What is seen of a customer: who it is, points, store credit, and whose the orders are.
fn seen(floor: &Floor, names: &[&str], orders: &[&String]) -> Value {
    let of = |name: &&str| {
        let points: Vec<Value> = floor
            .list(&format!("/v1/customers/{name}/points"))
            .iter()
            .map(|one| json!([one["balance"], one["pending"]]))
            .collect();
        let credit: Vec<Value> = floor
            .list(&format!("/v1/store-credits?customer={name}"))
            .iter()
            .map(|one| one["balance"]["amount"].clone())
            .collect();
        json!({ "id": floor.get(&format!("/v1/customers/{name}"))["id"], "points": points, "credit": credit })
    };
    let whose = |id: &&String| floor.get(&format!("/v1/orders/{id}"))["customer"].clone();
    json!({ "customers": names.iter().map(of).collect::<Vec<_>>(), "orders": orders.iter().map(whose).collect::<Vec<_>>() })
}

/// The match of two customers that waits for a colleague.
fn waits(floor: &Floor, both: [&str; 2]) -> Value {
    let (_teller, never) = mpsc::channel::<()>();
    for _ in 0..400 {
        let open = floor.list("/v1/matches");
        let of = |one: &&Value| {
            both.iter().all(|id| one["customers"].as_array().is_some_and(|all| all.contains(&json!(id))))
        };
        if let Some(found) = open.iter().find(of) {
            return found.clone();
        }
        let _ = never.recv_timeout(Duration::from_millis(50));
    }
    panic!("{both:?} are not found to be alike: {:?}", floor.list("/v1/matches"));
}

#[test]
fn s26_web_till_newsletter_and_marketplace_are_one_person() {
    on_every_engine([20, 20], |floor| {
        club(floor);
        let address = json!({ "name": "Charlotte Winterbourne", "street": [STREET], "city": "Leeds", "postal_code": "LS7 3QD",
            "country": "GB", "phone": "+441132496077", "email": "charlotte@web.example" });
        let web = known(floor, "WEB-1", &address);
        let mut at_the_till = address.clone();
        (at_the_till["name"], at_the_till["email"]) = (json!("Charlote Winterbourne"), Value::Null);
        let till = known(floor, "TILL-1", &at_the_till);
        let newsletter = known(floor, "NEWS-1", &json!({ "email": "c.winterbourne@news.example" }));
        let mut bought_there = address.clone();
        (bought_there["phone"], bought_there["email"]) = (Value::Null, json!("x7f3@marketplace.example"));
        let market = known(floor, "MARKET-1", &bought_there);
        joins(floor, "WEB-1", 30);
        joins(floor, "TILL-1", 12);
        floor.must(
            "/v1/store-credits",
            &json!({ "customer": "MARKET-1", "amount": { "amount": 800, "currency": "GBP" } }),
        );
        let orders = [bought(floor, "WEB-1", 1), bought(floor, "TILL-1", 2), bought(floor, "MARKET-1", 1)];
        let orders: Vec<&String> = orders.iter().collect();
        let names = ["WEB-1", "TILL-1", "NEWS-1", "MARKET-1"];
        let before = seen(floor, &names, &orders);
        let profiles =
            || names.map(|name| floor.get(&format!("/v1/customers/{name}/profile"))["id"].to_string());
        let apart = profiles();
        assert_eq!(BTreeSet::from(apart.clone()).len(), 4, "four who are not known to be one");

        let found = waits(floor, [&web, &till]);
        let sum: i64 =
            found["steps"].as_array().expect("steps").iter().filter_map(|step| step["weight"].as_i64()).sum();
        assert_eq!(found["score"], sum, "the score is explained step by step");
        let accept = format!("/v1/matches/{}/accept", found["id"].as_str().expect("an id"));
        let first = floor.must(&accept, &json!(null))["merge"].clone();
        let why = |other: &str| json!({ "customer": other, "why": "she told us" });
        let shown = floor.must("/v1/customers/WEB-1/merge-preview", &why("MARKET-1"));
        let second = floor.must("/v1/customers/WEB-1/merge", &why("MARKET-1"));
        assert_eq!(shown["moved"], second["moved"], "what was shown is what was done");
        let third = floor.must("/v1/customers/WEB-1/merge", &why("NEWS-1"));
        let one = seen(floor, &names, &orders);
        for place in 0..names.len() {
            assert_eq!(one["customers"][place]["id"], json!(web), "all names lead to her");
            assert_eq!(one["customers"][place]["credit"], json!([800]), "one balance");
            assert_eq!(one["customers"][place]["points"][0][0], json!(42));
        }
        assert!(
            one["orders"].as_array().expect("orders").iter().all(|whose| *whose == json!(web)),
            "one history"
        );
        assert_eq!(BTreeSet::from(profiles()).len(), 1, "one profile");
        let by_mail = floor.must("/v1/customers/find", &json!({ "email": "c.winterbourne@news.example" }));
        assert_eq!(by_mail["items"][0]["id"], json!(web));

        for merge in [&third["id"], &second["id"], &first] {
            let undone =
                floor.must(&format!("/v1/merges/{}/undo", merge.as_str().expect("an id")), &json!(null));
            assert_eq!(undone["missing"], json!([]));
        }
        assert_eq!(seen(floor, &names, &orders), before, "as if nothing had been");
        assert_eq!(profiles(), apart, "and four profiles again");
        assert_eq!(
            [&till, &newsletter, &market]
                .map(|id| floor.get(&format!("/v1/customers/{id}"))["id"] == json!(id)),
            [true; 3]
        );
    });
}

/// What is said of an event that libraries send.
fn sent(floor: &Floor, key: &Value, event: &Value) {
    let reply = floor.browser().post("/v1/batch", &json!({ "writeKey": key, "batch": [event] })).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Two who are no customers at all: a visitor nobody knows, and an address that only wanted the newsletter.
#[test]
fn s26_a_visitor_and_a_reader_of_the_newsletter_turn_out_to_be_a_customer() {
    on_every_engine([3, 0], |floor| {
        let key = |kind: &str| {
            floor.must("/v1/sources", &json!({ "name": kind, "kind": kind }))["write_key"].clone()
        };
        let (pages, till) = (key("web"), key("server"));
        let event = |kind: &str, number: i64| json!({ "type": kind, "messageId": format!("m{number}"), "anonymousId": "b1" });
        let mut viewed = event("track", 1);
        viewed["event"] = json!("Product Viewed");
        sent(floor, &pages, &viewed);
        let visitor = || floor.must("/v1/profiles/find", &json!({ "kind": "anonymous_id", "value": "b1" }));
        let nobody = visitor();
        assert!(nobody["customer"].is_null(), "nobody knows who looked: {nobody}");
        let news = "c.winterbourne@news.example";
        let page = floor.page().with_header("idempotency-key", "newsletter");
        let signed_up =
            page.post("/v1/subscriptions", &json!({ "email": news, "purpose": "marketing" })).unwrap();
        assert_eq!(signed_up.status, 202, "{}", signed_up.text());
        assert!(
            floor.must("/v1/customers/find", &json!({ "email": news }))["items"]
                .as_array()
                .expect("a list")
                .is_empty()
        );
        let readers = || floor.must("/v1/subscribers/find", &json!({ "email": news }))["items"].clone();
        let before = readers();
        assert_eq!(
            (before.as_array().map(Vec::len), before[0]["customer"].is_null()),
            (Some(1), true),
            "{before}"
        );

        let contact = json!({ "name": "Charlotte Winterbourne", "email": "charlotte@web.example" });
        let web = known(floor, "WEB-1", &contact);
        let mut identified = event("identify", 2);
        identified["userId"] = json!(web);
        sent(floor, &till, &identified);
        assert_eq!(visitor()["customer"], json!(web), "who looked is she");
        let did = floor.list(&format!("/v1/profiles/{}/events", visitor()["id"].as_str().expect("an id")));
        assert!(did.iter().any(|one| one["name"] == "Product Viewed"), "with what she looked at: {did:?}");

        let contact = json!({ "name": "Charlotte Winterbourne", "email": news });
        floor.patch("/v1/customers/WEB-1", &json!({ "contact": contact }));
        let no = json!({ "consents": [{ "purpose": "marketing", "medium": "mail", "status": "withdrawn" }] });
        floor.must("/v1/customers/WEB-1/consents", &no);
        let both = readers();
        let both = both.as_array().expect("a list");
        let customers: Vec<&Value> = both.iter().map(|one| &one["customer"]).collect();
        assert!(
            both.len() == 2 && customers.contains(&&json!(web)),
            "she, and who reads the newsletter: {both:?}"
        );
        let mut said = both.iter().flat_map(|one| one["items"].as_array().expect("a list"));
        assert!(said.all(|cell| cell["status"] == "withdrawn"), "her no is the newsletter's: {both:?}");
    });
}
