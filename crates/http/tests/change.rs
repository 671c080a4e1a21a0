//! Changing an order over the API: shown, refused with every bad field named, confirmed once however often it is asked, declined.

use std::cell::Cell;

use crate::desk::{Answer, Desk, key_for};
use domain::actor::key::KeyKind;
use domain::actor::{Permission, Permissions};
use domain::value::Reference;
use engine::actor::key;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

/// A web shop that sells mugs and lamps, its owner, and its customers' pages.
struct Story {
    desk: Desk,
    owner: String,
    storefront: String,
    asked: Cell<u32>,
}

impl Story {
    fn begin(shop: &TestShop) -> Story {
        let retailer = Retailer::open(shop, &["leeds"]);
        retailer.web(shop);
        retailer.parcel(shop, 399, &["web"]);
        for (sku, minor) in [("MUG", 500), ("LAMP", 1200)] {
            retailer.stock(shop, retailer.sell(shop, sku, minor), 0, 9);
        }
        let made = shop.run(|tx, actor, world| {
            let new = key::NewKey {
                name: "pages".into(),
                kind: KeyKind::Storefront,
                permissions: Permissions::of(&[Permission::Shop]),
                channel: Some(Reference::External("web".into())),
                location: None,
            };
            key::create(tx, actor, world, new)
        });
        Story {
            desk: Desk::of(shop),
            owner: key_for(shop, Permission::ALL),
            storefront: made.expect("a key").1,
            asked: Cell::new(0),
        }
    }

    fn ask_under(&self, key: &str, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        self.desk.send(method, path, &headers, (!body.is_null()).then_some(body))
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        self.asked.set(self.asked.get() + 1);
        self.ask_under(&format!("key-{}", self.asked.get()), token, method, path, body)
    }

    /// An order of three mugs, paid in cash: its path and its line.
    fn order(&self) -> (String, String) {
        let contact = json!({ "name": "Ada Quince", "street": ["1 Kirkgate"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB" });
        let lines = json!([{ "sku": "MUG", "quantity": 3 }]);
        let cart = json!({ "channel": "web", "lines": lines, "contact": contact, "delivery": { "method": "parcel" } });
        let cart = self.ask(&self.owner, "POST", "/v1/carts", cart);
        let path = format!("/v1/carts/{}/checkout", cart.json["id"].as_str().expect("a cart"));
        let order = self.ask(&self.owner, "POST", &path, json!({ "payments": [{ "kind": "cash" }] }));
        let id = order.json["id"].as_str().expect("an order");
        (format!("/v1/orders/{id}"), order.json["lines"][0]["id"].as_str().expect("a line").to_owned())
    }
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.json["errors"].as_array().into_iter().flatten().filter_map(|one| one["field"].as_str()).collect()
}

#[test]
fn a_customer_swaps_a_mug_for_a_lamp() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let (order, line) = story.order();
        let changes = format!("{order}/changes");
        let swap = json!({ "actions": [{ "swap": { "line": line, "quantity": 1, "with": { "sku": "LAMP", "quantity": 1 } } }] });
        let shown = story.ask(&story.storefront, "POST", &changes, swap.clone());
        assert_eq!(
            (shown.status.as_u16(), &shown.json["state"]),
            (201, &json!("previewed")),
            "{}",
            shown.text
        );
        assert_eq!(shown.json["difference"]["gross"], json!({ "amount": 700, "currency": "GBP" }));
        let again = story.ask(&story.storefront, "POST", &changes, swap);
        assert_eq!((again.status.as_u16(), again.code()), (409, "wrong_state"));
        let read = story.ask(&story.owner, "GET", &order, Value::Null);
        assert_eq!(read.json["open_change"], shown.json["id"]);

        let path = format!("{changes}/{}/confirm", shown.json["id"].as_str().expect("an id"));
        let yes = |minor: i64, currency: &str| json!({ "expected_difference": { "amount": minor, "currency": currency }, "payments": [{ "kind": "manual" }] });
        let other = story.ask(&story.storefront, "POST", &path, yes(699, "GBP"));
        assert_eq!(
            (other.status.as_u16(), other.code(), fields(&other)),
            (409, "total_changed", vec!["expected_difference"])
        );
        let euros = story.ask(&story.storefront, "POST", &path, yes(700, "EUR"));
        assert_eq!((euros.status.as_u16(), euros.code()), (422, "currency_mismatch"));
        for repeated in [false, true] {
            let done = story.ask_under("yes", &story.storefront, "POST", &path, yes(700, "GBP"));
            assert_eq!(
                (done.status.as_u16(), &done.json["state"]),
                (200, &json!("confirmed")),
                "{}",
                done.text
            );
            assert_eq!(done.headers.contains_key("idempotent-replayed"), repeated);
            assert!(done.json["paid_by"].is_string(), "the lamp waits for its money");
        }
        let read = story.ask(&story.owner, "GET", &order, Value::Null);
        assert_eq!(
            (&read.json["gross"]["amount"], &read.json["cancelled"]["amount"]),
            (&json!(3099), &json!(500))
        );
        assert!(read.json["open_change"].is_null() && read.json["changed_at"].is_string());
        let listed = story.ask(&story.storefront, "GET", &changes, Value::Null);
        assert_eq!(listed.json["items"].as_array().map(Vec::len), Some(1));
        let one = story.ask(&story.storefront, "GET", path.trim_end_matches("/confirm"), Value::Null);
        assert_eq!(one.json["lines"][0]["what"], json!("remove"));
    });
}

#[test]
fn bad_changes_name_their_fields() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let (order, line) = story.order();
        let changes = format!("{order}/changes");
        let refused = |token: &str, actions: Value| {
            let answer = story.ask(token, "POST", &changes, json!({ "actions": actions }));
            let named: Vec<String> = fields(&answer).into_iter().map(str::to_owned).collect();
            (answer.status.as_u16(), named)
        };
        let add = |sku: &str, quantity: i64| json!({ "add": { "sku": sku, "quantity": quantity } });
        let fields_of = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(refused(&story.owner, json!([])), (422, fields_of(&["actions"])));
        assert_eq!(
            refused(&story.owner, json!([add("MUG", 0), { "remove": { "line": "x", "quantity": -1 } }])),
            (
                422,
                fields_of(&["actions.0.add.quantity", "actions.1.remove.quantity", "actions.1.remove.line"])
            )
        );
        assert_eq!(
            refused(&story.owner, json!([{ "note": null }, add("NONE", 1)])),
            (422, fields_of(&["actions.1.add.sku"]))
        );
        assert_eq!(
            refused(&story.owner, json!([{ "remove": { "line": line, "quantity": 4 } }])),
            (409, fields_of(&["actions.0.remove.quantity"]))
        );
        assert_eq!(
            refused(&story.owner, json!([{ "delivery": { "method": "balloon" } }])),
            (422, fields_of(&["actions.0.delivery.method"]))
        );
        let price = json!([{ "correct_price": { "line": line, "unit_price": { "amount": 450, "currency": "GBP" } } }]);
        assert_eq!(refused(&story.owner, price.clone()), (422, fields_of(&["reason"])));
        let asked = json!({ "actions": price, "reason": "seen cheaper" });
        let customer = story.ask(&story.storefront, "POST", &changes, asked.clone());
        assert_eq!((customer.status.as_u16(), customer.code()), (403, "forbidden"));
        let shown = story.ask(&story.owner, "POST", &changes, asked);
        assert_eq!(shown.json["difference"]["gross"]["amount"], json!(-150));
        let path = format!("{changes}/{}/decline", shown.json["id"].as_str().expect("an id"));
        assert_eq!(story.ask(&story.owner, "POST", &path, Value::Null).json["state"], json!("declined"));
        let nobody = story.ask(&story.owner, "POST", &format!("{changes}/chg_x/decline"), Value::Null);
        assert_eq!(nobody.status.as_u16(), 404);

        let rule = "/v1/channels/web/change-rule";
        let usual = story.ask(&story.owner, "GET", rule, Value::Null).json;
        assert_eq!((&usual["customers"], &usual["preview_minutes"]), (&json!(true), &json!(15)));
        let mut strict = usual;
        strict["customers"] = json!(false);
        assert_eq!(story.ask(&story.owner, "PUT", rule, strict.clone()).json, strict);
        assert_eq!(refused(&story.storefront, json!([add("MUG", 1)])), (403, Vec::new()));
    });
}
