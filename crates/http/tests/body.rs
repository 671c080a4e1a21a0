//! What a body may be: none where nothing is asked for, and where fields have names an object, never a list of their values.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

/// A desk in front of a shop with a web channel and a mug, and a key that may do everything.
fn opened(shop: &TestShop) -> (Desk, String) {
    let retailer = Retailer::open(shop, &["leeds"]);
    retailer.web(shop);
    let mug = retailer.sell(shop, "MUG", 999);
    retailer.stock(shop, mug, 0, 100);
    (Desk::of(shop), key_for(shop, Permission::ALL))
}

#[test]
fn who_takes_no_body_says_so() {
    on_every_engine(|shop| {
        let (desk, owner) = opened(shop);
        let bearer = format!("Bearer {owner}");
        for (place, nothing) in [Value::Null, json!({})].into_iter().enumerate() {
            let hold = json!({"variant": "MUG", "location": "leeds", "quantity": 1, "expires_at": "2026-12-01T18:00:00Z", "reference": "counter"});
            let keyed = |key: &str, path: &str, body: Option<Value>| {
                let key = format!("{key}-{place}");
                let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
                desk.send("POST", path, &headers, body)
            };
            let held = keyed("hold", "/v1/stock/holds", Some(hold));
            let path = format!("/v1/stock/holds/MUG/{}/release", held.json["id"].as_str().expect("an id"));
            for body in [json!({"quantity": 1}), json!([]), json!("now"), json!(1)] {
                let refused = keyed("wrong", &path, Some(body));
                assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid"), "{}", refused.text);
                let error = &refused.json["errors"][0];
                assert_eq!(error["field"], "body");
                assert_eq!(error["message"], "this operation takes no body; send none, or {}");
            }
            let released = keyed("release", &path, Some(nothing).filter(|body| !body.is_null()));
            assert!(released.status.is_success(), "{}", released.text);
        }
    });
}

#[test]
fn a_list_is_no_object_however_deep_it_lies() {
    on_every_engine(|shop| {
        let (desk, owner) = opened(shop);
        let ask = |path: &str, body: Value| desk.ask(&owner, "POST", path, Some(body));
        let address = json!(["Ada Lovelace", null, ["1 High Street"], "Leeds"]);
        let cases = [
            ("/v1/carts", json!(["web"]), "body"),
            ("/v1/carts", json!({"channel": "web", "contact": address}), "contact"),
            (
                "/v1/carts",
                json!({"channel": "web", "lines": [{"sku": "MUG", "quantity": 1}, ["MUG", 1]]}),
                "lines.1",
            ),
            ("/v1/customers", json!({"contact": address}), "contact"),
        ];
        for (path, body, field) in cases {
            let refused = ask(path, body);
            assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid"), "{}", refused.text);
            let error = &refused.json["errors"][0];
            assert_eq!(error["field"], field, "{}", refused.text);
            let said = error["message"].as_str().expect("a message");
            assert!(
                said.starts_with("invalid type: sequence, expected an object with named fields"),
                "{said}"
            );
        }
        let mut named = json!({"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds"});
        named["country"] = json!("GB");
        let made = ask("/v1/carts", json!({"channel": "web", "contact": named}));
        assert_eq!(made.status, 201, "lists that are meant are read: {}", made.text);
    });
}
