//! A customer changes his own e-mail over the API, to an address whose mail he reads and to no other; and is told of a cart that stays behind.

use domain::actor::Permission;
use domain::value::Id;
use domain::value::id::Cart;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::on_every_engine;

use crate::desk::{Answer, Desk, key_for};
use crate::passkey::{by_code, mailed};

const DAN: &str = "dan@example.com";

fn refused_at(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.json["errors"][0]["field"].as_str().unwrap_or_default())
}

#[test]
fn a_customer_takes_an_address_by_the_code_that_was_mailed_there() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]).web(shop);
        let (desk, owner) = (Desk::of(shop), key_for(shop, Permission::ALL));
        let storefront = key_for(shop, &[Permission::Shop]);
        let (token, eve) = by_code(shop, &desk, &storefront, "eve@example.com");
        let path = format!("/v1/customers/{eve}");
        let change = |token: &str, key: &str, body: &Value| {
            let (bearer, read) = (format!("Bearer {token}"), desk.ask(&owner, "GET", &path, None));
            let tag = read.headers["etag"].to_str().expect("a tag").to_owned();
            let headers = [("authorization", bearer.as_str()), ("if-match", &tag), ("idempotency-key", key)];
            desk.send("PATCH", &path, &headers, Some(body.clone()))
        };
        let contact = json!({ "name": "Eve", "email": DAN });
        let without = change(&token, "1", &json!({ "contact": contact }));
        assert_eq!(refused_at(&without), (422, "email_code"), "{}", without.text);
        let alone = change(&token, "2", &json!({ "email_code": "123 456" }));
        assert_eq!(refused_at(&alone), (422, "email_code"));

        let code = mailed(shop, &desk, &token, DAN);
        let wrong = format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000);
        for turn in 0..5 {
            let body = json!({ "contact": contact, "email_code": wrong });
            assert_eq!(refused_at(&change(&token, &format!("wrong-{turn}"), &body)), (422, "email_code"));
        }
        let right = |code: &str| json!({ "contact": contact, "email_code": code });
        assert_eq!(refused_at(&change(&token, "3", &right(&code))), (422, "email_code"), "guessed too often");
        shop.pass(60);
        let code = mailed(shop, &desk, &token, DAN);
        let read = desk.ask(&owner, "GET", &path, None);
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("if-match", read.headers["etag"].to_str().expect("a tag")),
            ("idempotency-key", "4"),
        ];
        for turn in 0..2 {
            let changed = desk.send("PATCH", &path, &headers, Some(right(&code)));
            assert_eq!(changed.status, 200, "{turn}: {}", changed.text);
        }
        shop.pass(60);
        assert_eq!(by_code(shop, &desk, &storefront, DAN).1, eve);
        let by_a_colleague =
            change(&owner, "5", &json!({ "contact": { "name": "E", "email": "e@example.com" } }));
        assert_eq!(by_a_colleague.status, 200, "{}", by_a_colleague.text);
    });
}

#[test]
fn whoever_signs_in_is_told_of_a_cart_that_stays_behind() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]).web(shop);
        let (desk, storefront) = (Desk::of(shop), key_for(shop, &[Permission::Shop]));
        let other = Id::<Cart>::from_bytes([7; 16]).to_string();
        let code = mailed(shop, &desk, &storefront, DAN);
        let given = json!({ "email": DAN, "code": code, "channel": "web", "cart": other });
        let opened = desk.ask(&storefront, "POST", "/v1/customer-session", Some(given));
        assert_eq!((opened.status.as_u16(), opened.json.get("cart")), (200, None), "{}", opened.text);
        let left = &opened.json["cart_left"];
        assert_eq!((left["cart"].as_str(), left["code"].as_str()), (Some(other.as_str()), Some("not_found")));
    });
}
