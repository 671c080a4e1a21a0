//! Many customers and many tax rates at once: all or none, or those that pass, each with its answer.

use crate::desk;
use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::shop::on_every_engine;

fn fields(answer: &desk::Answer) -> Vec<&str> {
    answer.json["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|error| error["field"].as_str())
        .collect()
}

#[test]
fn many_customers_at_once() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let person = |number: u32, email: &str| json!({"external_id": format!("C{number}"), "contact": {"name": "Ada Byron", "email": email}});
        let items = [
            person(1, "ada@example.com"),
            person(2, "no address"),
            person(3, "eve@example.com"),
            person(4, "ada@example.com"),
        ];
        let bulk = |on_error: &str| {
            let body = json!({"on_error": on_error, "items": items});
            desk.ask(&owner, "POST", "/v1/customers/bulk", Some(body))
        };
        let refused = bulk("all_or_nothing");
        let expected = vec!["items.1.contact.email", "items.3.contact.email"];
        assert_eq!((refused.status.as_u16(), fields(&refused)), (422, expected), "{}", refused.text);
        let made = bulk("rows_that_pass");
        assert_eq!((&made.json["done"], &made.json["refused"]), (&json!(2), &json!(2)), "{}", made.text);
        let statuses: Vec<_> =
            made.json["results"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
        assert_eq!(statuses, ["done", "refused", "done", "refused"]);
        assert!(!made.text.contains("example.com"), "the answer names ids");
        let listed = desk.ask(&owner, "GET", "/v1/customers", None);
        assert_eq!(listed.json["items"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn many_tax_rates_at_once() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let make = |path: &str, body: Value| {
            assert_eq!(desk.ask(&owner, "POST", path, Some(body)).status, 201, "{path}");
        };
        make("/v1/tax-zones", json!({"code": "gb", "name": "Britain", "areas": ["GB"]}));
        make("/v1/tax-classes", json!({"code": "standard", "name": "Standard"}));
        make("/v1/tax-classes", json!({"code": "reduced", "name": "Reduced"}));
        let items = [
            json!({"tax_class": "standard", "rate_ppm": 200_000}),
            json!({"tax_class": "none", "rate_ppm": 50_000}),
            json!({"tax_class": "reduced", "rate_ppm": -1}),
            json!({"tax_class": "reduced", "rate_ppm": 50_000}),
        ];
        let bulk = |on_error: &str| {
            let body = json!({"on_error": on_error, "items": items});
            desk.ask(&owner, "POST", "/v1/tax-zones/gb/rates/bulk", Some(body))
        };
        let rates = || {
            let listed = desk.ask(&owner, "GET", "/v1/tax-zones/gb/rates", None);
            listed.json["items"].as_array().unwrap().len()
        };
        let refused = bulk("all_or_nothing");
        let expected = vec!["items.1.tax_class", "items.2.rate_ppm"];
        assert_eq!((refused.status.as_u16(), fields(&refused), rates()), (422, expected, 0));
        let set = bulk("rows_that_pass");
        assert_eq!((&set.json["done"], &set.json["refused"], rates()), (&json!(2), &json!(2), 2));
    });
}
