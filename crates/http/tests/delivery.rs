//! Delivery over the API: a parcel method is made, asked for its price, and changed.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::retailer::Retailer;
use sim::shop::on_every_engine;

/// Parcels within Britain by weight, free from 50 pounds.
fn parcel(retailer: &Retailer, channel: &str) -> Value {
    let pounds = |amount: i64| json!({"amount": amount, "currency": "GBP"});
    json!({
        "code": "parcel", "name": {"text": "Parcel", "translations": {"de": "Paket"}}, "external_id": "DLV-1", "kind": "ship",
        "zone": [{"country": "GB", "postal_prefixes": ["ls"]}],
        "rates": {"measure": "weight", "bands": [{"from": 0, "price": pounds(399)}, {"from": 2001, "price": pounds(799)}],
            "most": 30000, "free_from": pounds(5000)},
        "tax_class": retailer.tax_class.to_string(), "lead_days_min": 1, "lead_days_max": 3, "channels": [channel]
    })
}

/// The fields a problem names.
fn fields(answer: &Answer) -> Vec<&str> {
    let errors = answer.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().filter_map(|error| error["field"].as_str()).collect()
}

#[test]
fn a_method_is_made_asked_and_changed() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let channel = retailer.web(shop).id.to_string();
        let made = desk.ask(&owner, "POST", "/v1/delivery-methods", Some(parcel(&retailer, &channel)));
        assert_eq!(made.status, 201, "{}", made.json);
        assert_eq!(made.json["zone"], json!([{"country": "GB", "postal_prefixes": ["LS"]}]));
        assert_eq!(made.json["rates"], parcel(&retailer, &channel)["rates"]);
        assert_eq!(desk.ask(&owner, "GET", "/v1/delivery-methods/DLV-1", None).json, made.json);
        assert_eq!(desk.ask(&owner, "GET", "/v1/delivery-methods", None).json["items"][0], made.json);
        let mut collect = parcel(&retailer, &channel);
        for (field, value) in [
            ("code", json!("collect")),
            ("external_id", json!(null)),
            ("kind", json!("pickup")),
            ("zone", json!([])),
            ("pickup_locations", json!(["york"])),
        ] {
            collect[field] = value;
        }
        assert_eq!(desk.ask(&owner, "POST", "/v1/delivery-methods", Some(collect)).status, 201);

        let ask = |currency: &str, country: Value| {
            let goods = json!({"amount": 1000, "currency": currency});
            let body = json!({"channel": channel, "country": country, "postal_code": "LS1 4DY", "goods": goods, "weight_grams": 2500});
            desk.ask(&owner, "POST", "/v1/delivery-quotes", Some(body))
        };
        let offers = ask("GBP", json!("GB"));
        let offered = |kind: &str| {
            let items = offers.json["items"].as_array().cloned().unwrap_or_default();
            items.into_iter().find(|offer| offer["kind"] == kind).unwrap_or_default()
        };
        assert_eq!(offered("ship")["price"], json!({"amount": 799, "currency": "GBP"}));
        assert_eq!(offered("pickup")["pickup_locations"], json!([retailer.locations[1].to_string()]));
        assert_eq!(ask("GBP", json!(null)).json["items"].as_array().unwrap().len(), 1);
        assert_eq!(ask("EUR", json!("GB")).code(), "currency_mismatch");

        let bearer = format!("Bearer {owner}");
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let change = json!({"active": false, "lead_days_max": 5});
        let changed = desk.send("PATCH", "/v1/delivery-methods/DLV-1", &headers, Some(change.clone()));
        assert_eq!((&changed.json["active"], &changed.json["version"]), (&json!(false), &json!(2)));
        assert_eq!(desk.send("PATCH", "/v1/delivery-methods/DLV-1", &headers, Some(change)).code(), "stale");
        let euros = json!({"rates": {"measure": "value", "bands": [{"from": 0, "price": {"amount": 1, "currency": "EUR"}}]}});
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"2\"")];
        let refused = desk.send("PATCH", "/v1/delivery-methods/DLV-1", &headers, Some(euros));
        assert_eq!((refused.code(), fields(&refused)), ("currency_mismatch", vec!["rates"]));
    });
}

#[test]
fn what_a_method_cannot_be_is_refused_by_field() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = key_for(shop, Permission::ALL);
        let retailer = Retailer::open(shop, &["leeds"]);
        let channel = retailer.web(shop).id.to_string();
        let refused = |change: &[(&str, Value)]| {
            let mut body = parcel(&retailer, &channel);
            for (pointer, value) in change {
                *body.pointer_mut(pointer).expect("a field") = value.clone();
            }
            desk.ask(&owner, "POST", "/v1/delivery-methods", Some(body))
        };
        let wrong = refused(&[
            ("/kind", json!("fly")),
            ("/zone/0/country", json!("UK")),
            ("/rates/measure", json!("size")),
            ("/rates/bands/1/price/currency", json!("EUR")),
        ]);
        assert_eq!(fields(&wrong), ["kind", "zone.0.country", "rates.measure", "rates.bands.1.price"]);
        assert_eq!(fields(&refused(&[("/rates/bands/1/from", json!(0))])), ["rates.bands.1.from"]);
        assert_eq!(fields(&refused(&[("/rates/bands/1/from", json!(i64::MAX))])), ["rates.bands.1.from"]);
        assert_eq!(fields(&refused(&[("/rates/bands/0/price/amount", json!(-1))])), ["rates.bands.0.price"]);
        assert_eq!(fields(&refused(&[("/zone", json!([]))])), ["zone"]);
        assert_eq!(fields(&refused(&[("/channels", json!(["fax"]))])), ["channels.0"]);
        let stranger = key_for(shop, &[Permission::ReadPlaces]);
        let body = parcel(&retailer, &channel);
        assert_eq!(desk.ask(&stranger, "POST", "/v1/delivery-methods", Some(body)).code(), "forbidden");
    });
}
