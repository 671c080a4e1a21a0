//! The catalogue over the API: a product is made, found, changed and shown; many are made at once.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};

/// A desk with a tax class; the owner's key, and the class's id.
fn open(shop: &TestShop) -> (Desk, String, String) {
    let (desk, owner) = (Desk::of(shop), key_for(shop, Permission::ALL));
    let class = json!({"code": "standard", "name": "Standard rate"});
    let class =
        desk.ask(&owner, "POST", "/v1/tax-classes", Some(class)).json["id"].as_str().expect("an id").into();
    (desk, owner, class)
}

fn mug(class: &str, sku: &str) -> Value {
    json!({"title": {"text": "Mug", "translations": {"de": "Becher"}}, "status": "active", "tax_class": class, "external_id": sku,
        "options": [{"name": "colour", "values": ["red", "blue"]}],
        "media": [{"address": "https://img.example/mug.jpg", "alt": {"text": "a mug"}}],
        "variants": [{"sku": format!("{sku}-RED"), "options": ["red"], "external_id": format!("{sku}-red")},
            {"sku": format!("{sku}-BLUE"), "options": ["blue"], "weight_grams": 350}]})
}

#[test]
fn a_product_is_made_found_and_changed() {
    on_every_engine(|shop| {
        let (desk, owner, class) = open(shop);
        let mut new = mug(&class, "M1");
        new["variants"][0]["barcodes"] =
            json!([{"code": "036000291452"}, {"code": "R-1", "kind": "internal"}]);
        let made = desk.ask(&owner, "POST", "/v1/products", Some(new));
        assert_eq!(
            (made.status.as_u16(), &made.headers["etag"]),
            (201, &"\"1\"".parse().unwrap()),
            "{}",
            made.text
        );
        let red = &made.json["variants"][0];
        assert_eq!(red["title"], "Mug, red");
        let found = desk.ask(&owner, "GET", "/v1/barcodes/0036000291452", None);
        assert_eq!(found.json["variant"]["id"], red["id"]);

        let plain = desk.ask(&owner, "GET", "/v1/products/M1", None);
        assert_eq!((&plain.json["variants"], &plain.json["prices"]), (&Value::Null, &Value::Null));
        let whole = desk.ask(&owner, "GET", "/v1/products/M1?include=variants,media,prices", None);
        assert_eq!(
            (whole.json["media"][0]["kind"].as_str(), &whole.json["prices"]),
            (Some("image"), &json!([]))
        );
        assert_eq!(desk.ask(&owner, "GET", "/v1/products/M1?include=stock", None).code(), "invalid");

        let bearer = format!("Bearer {owner}");
        let change = |version: &str| {
            let headers = [("authorization", bearer.as_str()), ("if-match", version)];
            desk.send("PATCH", "/v1/products/M1", &headers, Some(json!({"brand": "Acme", "status": "draft"})))
        };
        assert_eq!(change("\"1\"").json["variants"][0]["active"], false);
        assert_eq!(change("\"1\"").code(), "stale");
        let listed = |query: &str| {
            let page = desk.ask(&owner, "GET", &format!("/v1/products?{query}"), None);
            page.json["items"].as_array().map_or(99, Vec::len)
        };
        assert_eq!(
            [listed("prefix=mu"), listed("prefix=m1-r"), listed("status=active"), listed("prefix=x")],
            [1, 1, 0, 0]
        );
    });
}

#[test]
fn every_bad_field_is_named_at_once() {
    on_every_engine(|shop| {
        let (desk, owner, class) = open(shop);
        let mut bad = mug(&class, "M1");
        bad["title"]["text"] = json!(" ");
        bad["status"] = json!("gone");
        bad["media"][0]["address"] = json!("javascript:alert(1)");
        bad["variants"][1]["barcodes"] = json!([{"code": "036000291453"}]);
        let refused = desk.ask(&owner, "POST", "/v1/products", Some(bad));
        let fields: Vec<_> = refused.json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["title.text", "status", "media.0.address", "variants.1.barcodes.0.code"]);
        assert_eq!(refused.status, 422);
    });
}

#[test]
fn many_are_made_at_once_all_or_those_that_pass() {
    on_every_engine(|shop| {
        let (desk, owner, class) = open(shop);
        let mut bad = mug(&class, "M2");
        bad["variants"][1]["sku"] = json!("M1-RED");
        let mut unread = mug(&class, "M3");
        unread["status"] = json!("gone");
        let items = json!([mug(&class, "M1"), bad, unread, mug(&class, "M4")]);
        let bulk = |policy: &str| {
            let body = json!({"on_error": policy, "items": items});
            desk.ask(&owner, "POST", "/v1/products/bulk", Some(body))
        };
        let none = bulk("all_or_nothing");
        let fields: Vec<_> = none.json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!((none.status.as_u16(), fields), (409, vec!["items.1.variants.1.sku", "items.2.status"]));
        assert_eq!(desk.ask(&owner, "GET", "/v1/products", None).json["items"], json!([]));

        let some = bulk("rows_that_pass");
        assert_eq!((&some.json["done"], &some.json["refused"]), (&json!(2), &json!(2)));
        let states: Vec<_> =
            some.json["results"].as_array().unwrap().iter().map(|row| &row["status"]).collect();
        assert_eq!(states, ["done", "refused", "refused", "done"]);
        assert_eq!(some.json["results"][1]["problem"]["code"], "already_exists");
        assert_eq!(desk.ask(&owner, "GET", "/v1/products", None).json["items"].as_array().unwrap().len(), 2);
        let empty = desk.ask(
            &owner,
            "POST",
            "/v1/products/bulk",
            Some(json!({"on_error": "rows_that_pass", "items": []})),
        );
        assert_eq!(empty.code(), "invalid");
    });
}

#[test]
fn a_channel_shows_products_with_their_prices() {
    on_every_engine(|shop| {
        let (desk, owner, class) = open(shop);
        let post = |path: &str, body: Value| {
            let made = desk.ask(&owner, "POST", path, Some(body));
            assert!(made.status.is_success(), "{path}: {}", made.text);
            made.json
        };
        post(
            "/v1/locations",
            json!({"code": "leeds", "name": "Leeds", "kind": "store", "time_zone": "Europe/London", "external_id": "leeds"}),
        );
        post(
            "/v1/networks",
            json!({"code": "uk", "name": "UK", "external_id": "uk", "members": [{"location": "leeds", "rank": 1}]}),
        );
        post(
            "/v1/markets",
            json!({"code": "de", "name": "Germany", "countries": ["DE"], "currency": "EUR", "prices_include_tax": true,
            "language": "de-DE", "time_zone": "Europe/Berlin", "external_id": "de"}),
        );
        post(
            "/v1/channels",
            json!({"code": "web", "name": "Web", "kind": "web", "market": "de", "network": "uk", "external_id": "web", "payment_kinds": ["test"]}),
        );
        post(
            "/v1/price-lists",
            json!({"code": "de", "name": "Germany", "currency": "EUR", "market": "de", "external_id": "de"}),
        );
        let tree = post("/v1/category-trees", json!({"code": "web", "name": "Web"}));
        let tree = tree["id"].as_str().unwrap();
        post(
            &format!("/v1/category-trees/{tree}/categories"),
            json!({"title": {"text": "Home"}, "external_id": "home"}),
        );
        post(
            &format!("/v1/category-trees/{tree}/categories"),
            json!({"title": {"text": "Kitchen"}, "parent": "home", "external_id": "kitchen"}),
        );
        let mut new = mug(&class, "M1");
        new["categories"] = json!(["kitchen"]);
        post("/v1/products", new);
        let prices = json!({"on_error": "all_or_nothing", "items": [{"price_list": "de", "variant": "M1-red", "amount": 1299, "was_amount": 1599}]});
        assert_eq!(post("/v1/prices/bulk", prices)["done"], 1);

        for query in ["category=home", "ids=M1", "limit=24"] {
            let shown = desk.ask(&owner, "GET", &format!("/v1/catalogue/products?channel=web&{query}"), None);
            let product = &shown.json["items"][0];
            assert_eq!(product["title"], "Becher", "{query}: {}", shown.text);
            let price = &product["variants"][0]["price"];
            assert_eq!(
                (&price["amount"], &price["currency"], &price["was_amount"]),
                (&json!(1299), &json!("EUR"), &json!(1599))
            );
            assert_eq!(product["variants"][1]["price"], Value::Null);
        }
        let one = desk.ask(&owner, "GET", "/v1/variants/M1-red/price?channel=web&quantity=3", None);
        assert_eq!(one.json["price"]["amount"], 1299);
        let changes = desk.ask(&owner, "GET", "/v1/variants/M1-red/price-changes", None);
        assert_eq!(changes.json["items"][0]["new_amount"], 1299);
        let nobody = key_for(shop, &[Permission::ReadPlaces]);
        assert_eq!(desk.ask(&nobody, "GET", "/v1/catalogue/products?channel=web", None).code(), "forbidden");
        assert_eq!(desk.ask(&nobody, "POST", "/v1/products", Some(mug(&class, "M9"))).code(), "forbidden");
    });
}
