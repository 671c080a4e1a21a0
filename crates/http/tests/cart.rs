//! A guest's cart over the API, and the customer file: what names a person is answered by its own operations only, and never kept.

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

fn ada() -> Value {
    json!({"name": "Ada Quince", "street": ["17 Zebrafinch Lane"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB",
        "email": "ada.quince@example.com", "phone": "+442079460958"})
}

/// A shop that sells a mug, and a key that may do everything.
fn open(shop: &TestShop) -> (Desk, String, String) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let channel = retailer.web(shop).id.to_string();
    let mug = retailer.sell(shop, "MUG", 999);
    retailer.stock(shop, mug, 0, 100);
    (Desk::of(shop), key_for(shop, Permission::ALL), channel)
}

fn keyed<'a>(bearer: &'a str, key: &'a str) -> [(&'a str, &'a str); 2] {
    [("authorization", bearer), ("idempotency-key", key)]
}

#[test]
fn a_guests_cart() {
    on_every_engine(|shop| {
        let (desk, owner, channel) = open(shop);
        let bearer = format!("Bearer {owner}");
        let cart = json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 2}], "contact": ada(), "note": "gift wrap"});
        let made = desk.send("POST", "/v1/carts", &keyed(&bearer, "one"), Some(cart.clone()));
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.headers["etag"], "\"1\"");
        assert_eq!(made.json["totals"]["gross"], json!({"amount": 1998, "currency": "GBP"}));
        assert_eq!(made.json["state"], "active");
        assert!(!made.text.contains("Quince"), "no name in an answer that is kept");
        let again = desk.send("POST", "/v1/carts", &keyed(&bearer, "one"), Some(cart));
        assert_eq!(again.json, made.json, "the same cart, not a second one");

        let path = format!("/v1/carts/{}", made.json["id"].as_str().unwrap());
        assert_eq!(desk.ask(&owner, "GET", &path, None).json, made.json);
        let more =
            desk.ask(&owner, "POST", &format!("{path}/lines"), Some(json!({"sku": "MUG", "quantity": 1})));
        assert_eq!(
            (&more.json["lines"][0]["quantity"], &more.headers["etag"]),
            (&json!(3), &"\"2\"".parse().unwrap())
        );
        let line = format!("{path}/lines/{}", more.json["lines"][0]["id"].as_str().unwrap());
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        assert_eq!(desk.send("PUT", &line, &headers, Some(json!({"quantity": 1}))).code(), "stale");
        assert_eq!(
            desk.ask(&owner, "PUT", &line, Some(json!({"quantity": 1}))).json["lines"][0]["quantity"],
            1
        );
        assert_eq!(desk.ask(&owner, "PATCH", &path, Some(json!({"note": null}))).json.get("note"), None);

        let shown = desk.send("GET", &format!("{path}/contacts"), &keyed(&bearer, "two"), None);
        assert_eq!(shown.json, json!({"contact": ada()}));
        assert_eq!(desk.ask(&owner, "DELETE", &line, None).status, 204);
        assert_eq!(desk.ask(&owner, "GET", &path, None).json["lines"], json!([]));
        if let Some(directory) = shop.directory() {
            let files = std::fs::read_dir(directory).unwrap();
            let bytes: Vec<u8> =
                files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
            for name in ["Quince", "quince", "Zebrafinch", "79460958"] {
                assert!(
                    !bytes.windows(name.len()).any(|window| window == name.as_bytes()),
                    "{name} is in the file"
                );
            }
        }
    });
}

#[test]
fn what_cannot_be_in_a_cart_is_named() {
    on_every_engine(|shop| {
        let (desk, owner, channel) = open(shop);
        let bad = json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 0}, {"quantity": 1}], "contact": {"email": "no", "street": ["x"]},
            "note": "x".repeat(501)});
        let refused = desk.ask(&owner, "POST", "/v1/carts", Some(bad));
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid"));
        let errors = refused.json["errors"].as_array().unwrap();
        let mut fields: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            ["contact.country", "contact.email", "lines.0.quantity", "lines.1.variant", "note"]
        );
        let guess = desk.ask(&owner, "GET", "/v1/carts/MY-CART", None);
        assert_eq!((guess.status.as_u16(), guess.code()), (404, "not_found"));
        let nobody = desk.send("POST", "/v1/carts", &[], Some(json!({"channel": channel})));
        assert_eq!(nobody.status, 401);
    });
}

#[test]
fn the_customer_file() {
    on_every_engine(|shop| {
        let (desk, owner, _) = open(shop);
        let bearer = format!("Bearer {owner}");
        let new = || Some(json!({"external_id": "CRM-1", "contact": ada(), "groups": ["trade"]}));
        let made = desk.send("POST", "/v1/customers", &keyed(&bearer, "three"), new());
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(!made.text.contains("Quince"));
        assert_eq!(desk.ask(&owner, "POST", "/v1/customers", new()).code(), "already_exists");
        let found =
            desk.ask(&owner, "POST", "/v1/customers/find", Some(json!({"email": "ADA.quince@Example.com"})));
        assert_eq!(found.json["items"], json!([made.json]));
        let both = desk.ask(&owner, "POST", "/v1/customers/find", Some(json!({})));
        assert_eq!(both.json["errors"][0]["field"], "email");
        assert_eq!(desk.ask(&owner, "GET", "/v1/customers/CRM-1/contact", None).json, ada());
        let cashier = key_for(shop, &[Permission::Shop]);
        for path in ["/v1/customers", "/v1/customers/CRM-1", "/v1/customers/CRM-1/contact"] {
            assert_eq!(desk.ask(&cashier, "GET", path, None).status, 403, "{path}");
        }
        let contact = format!("/v1/contacts/{}", made.json["contact"].as_str().unwrap());
        assert_eq!(desk.ask(&cashier, "GET", &contact, None).status, 403);
        assert_eq!(desk.ask(&owner, "GET", &contact, None).json, ada());
        assert_eq!(desk.ask(&owner, "POST", "/v1/customers/CRM-1/erase", None).status, 200);
        assert_eq!(desk.ask(&owner, "GET", &contact, None).status, 404);
        let found = desk.ask(&owner, "POST", "/v1/contacts/find", Some(json!({"phone": "+442079460958"})));
        assert_eq!(found.json["items"], json!([]));
    });
}

#[test]
fn tax_zones_and_rates() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        desk.ask(&owner, "POST", "/v1/tax-classes", Some(json!({"code": "standard", "name": "Standard"})));
        let new = || Some(json!({"code": "us", "name": "USA", "areas": ["US", "US-CA"]}));
        let made = desk.ask(&owner, "POST", "/v1/tax-zones", new());
        assert_eq!((made.status.as_u16(), &made.json["areas"]), (201, &json!(["US", "US-CA"])));
        assert_eq!(desk.ask(&owner, "POST", "/v1/tax-zones", new()).code(), "already_exists");
        let rate = json!({"tax_class": "standard", "rate_ppm": 107_500});
        let set = desk.ask(&owner, "PUT", "/v1/tax-zones/us/rates", Some(rate));
        assert_eq!((set.status.as_u16(), &set.json["rate_ppm"]), (200, &json!(107_500)));
        assert_eq!(desk.ask(&owner, "GET", "/v1/tax-zones/us/rates", None).json["items"], json!([set.json]));
        let bearer = format!("Bearer {owner}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let change = json!({"name": "United States", "areas": ["US"]});
        assert_eq!(desk.send("PUT", "/v1/tax-zones/us", &headers, Some(change)).json["version"], 2);
        assert_eq!(desk.ask(&owner, "GET", "/v1/tax-zones", None).json["items"][0]["name"], "United States");
    });
}
