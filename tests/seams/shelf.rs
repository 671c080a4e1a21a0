//! What lies where: the shelf of each store near the customer and a reservation there, and one number in all places at every instant.

use domain::stock::State as Stock;
use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// What is promised to somebody in Leeds who would buy a mug.
fn asked(floor: &Floor) -> Value {
    let question = json!({
        "channel": "web", "lines": [{ "variant": "MUG", "quantity": 1 }],
        "destination": { "country": "GB", "postal_code": "LS1 4DY" }, "stores": 2
    });
    floor.must("/v1/promises", &question)
}

/// The product page shows what is on the shelf of each store near the customer; reserve it, look at it in the store, pay there.
#[test]
fn s06_reserved_at_a_store_near_by_and_paid_there() {
    on_every_engine([2, 3], |floor| {
        floor.on_the_map(&[
            ("leeds", "53.797,-1.5437"),
            ("york", "53.9582,-1.0803"),
            ("hull", "53.7443,-0.3325"),
        ]);
        let areas = json!({ "on_error": "all_or_nothing", "items": [
            { "country": "GB", "prefix": "LS", "coordinates": { "latitude": 53.7965, "longitude": -1.5478 } }] });
        floor.must("/v1/postal-areas/bulk", &areas);
        let near = asked(floor);
        let stores = near["stores"].as_array().unwrap();
        let shown: Vec<_> =
            stores.iter().map(|store| (store["code"].as_str().unwrap(), &store["here"][0])).collect();
        assert_eq!(shown, [("leeds", &json!(2)), ("york", &json!(3))]);
        assert!(stores[0]["distance_km"].as_f64() < stores[1]["distance_km"].as_f64(), "{near}");
        assert!(stores[0]["ready_at"].is_string() && stores[0]["ready_in_minutes"].is_i64(), "{near}");
        assert_eq!(near["deliveries"][0]["code"], "parcel");
        assert!(near["deliveries"][0]["by"].is_string(), "{near}");

        // Reserved in York on the customer's phone, through the store's own channel, which holds what is in a cart for an hour.
        let (channel, customer) = floor.counter(1);
        let cart = json!({ "channel": channel, "lines": [{ "variant": "MUG", "quantity": 2 }] });
        let customer = customer.with_header("idempotency-key", "reserve");
        let first = customer.post("/v1/carts", &cart).unwrap();
        assert_eq!(first.status, 201, "{}", first.text());
        let id = first.json().unwrap()["id"].as_str().unwrap().to_owned();
        let again = customer.post("/v1/carts", &cart).unwrap();
        assert_eq!(again.json().unwrap()["id"], json!(id), "asked twice, reserved once");
        assert_eq!((floor.count(1, Stock::Available), floor.count(1, Stock::Held)), (1, 2));
        assert_eq!(asked(floor)["stores"][1]["here"], json!([1]), "nobody else is shown what is reserved");
        let greedy = json!({ "channel": channel, "lines": [{ "variant": "MUG", "quantity": 2 }] });
        let refused =
            floor.cashier(1).with_header("idempotency-key", "other").post("/v1/carts", &greedy).unwrap();
        assert_eq!(refused.json().unwrap()["code"], "out_of_stock");

        // Looked at, liked, paid at the counter: the sale uses the reservation up.
        let cashier = floor.cashier(1).with_header("idempotency-key", "pay");
        let paid = json!({ "payments": [{ "kind": "cash" }] });
        let sold = cashier.post(&format!("/v1/carts/{id}/checkout"), &paid).unwrap();
        assert_eq!(sold.status, 201, "{}", sold.text());
        let sold = sold.json().unwrap();
        assert_eq!((&sold["state"], &sold["fulfilment_status"]), (&json!("completed"), &json!("fulfilled")));
        assert_eq!((floor.count(1, Stock::Available), floor.count(1, Stock::Held)), (1, 0));
        assert_eq!(asked(floor)["lines"][0]["there"], json!(3));
    });
}

/// What every place says of the mug now: the sum and each location's part.
fn numbers(floor: &Floor) -> [i64; 2] {
    let availability = floor.get("/v1/availability?channel=web&variants=MUG");
    let one = &availability["items"][0];
    let free = |parts: &Value| {
        parts.as_array().unwrap().iter().map(|part| part["free"].as_i64().unwrap()).sum::<i64>()
    };
    let page = floor.list("/v1/catalogue/products?channel=web");
    let shown = &page[0]["variants"][0];
    let parts: i64 = shown["free"].as_array().unwrap().iter().filter_map(Value::as_i64).sum();
    let promised = asked(floor)["lines"][0]["there"].as_i64();
    assert_eq!(one["promisable"], shown["promisable"], "catalogue and warehouses");
    assert_eq!(promised, one["promisable"].as_i64(), "the promise");
    assert_eq!(free(&one["locations"]), parts, "each warehouse in both");
    let booked: i64 = (0..2).map(|place| floor.count(place, Stock::Available)).sum();
    assert_eq!(free(&one["locations"]), booked, "the books");
    [one["promisable"].as_i64().unwrap(), booked]
}

/// What the books say was available at an instant.
fn available_at(floor: &Floor, instant: &str) -> i64 {
    let then = floor.get(&format!("/v1/stock/MUG?as_of={}", instant.replace('+', "%2B")));
    let balances = then["balances"].as_array().unwrap().iter();
    balances.filter(|one| one["state"] == "available").filter_map(|one| one["amount"].as_i64()).sum()
}

/// Two warehouses and a catalogue always show the same number, at every instant and as of any past instant.
#[test]
fn s11_one_number_in_all_places_now_and_then() {
    on_every_engine([2, 3], |floor| {
        let mut seen: Vec<(String, i64)> = Vec::new();
        let mut look = |expected: [i64; 2]| {
            assert_eq!(numbers(floor), expected);
            let variant = floor.get("/v1/availability?channel=web&variants=MUG");
            let variant = variant["items"][0]["variant"].as_str().unwrap().to_owned();
            let told = floor.list(&format!("/v1/events?subject={variant}&limit=200"));
            let last = told.iter().rev().find(|event| event["type"] == "stock.moved").unwrap();
            seen.push((last["time"].as_str().unwrap().to_owned(), expected[1]));
        };
        look([5, 5]);
        let receipt = json!({ "location": "york", "lines": [{ "variant": "MUG", "quantity": 4 }] });
        floor.must("/v1/stock/receipts", &receipt);
        look([9, 9]);
        let order = floor.order(6, None);
        look([3, 3]);
        let set_aside = json!({ "variant": "MUG", "location": "york", "quantity": 1, "expires_at": "2999-01-01T00:00:00Z", "reference": "window" });
        let held = floor.must("/v1/stock/holds", &set_aside);
        look([2, 2]);
        let hold = held["id"].as_str().unwrap();
        floor.must(&format!("/v1/stock/holds/MUG/{hold}/release"), &json!(null));
        look([3, 3]);
        let lost = json!({ "variant": "MUG", "location": "york", "change": -1, "reason": "lost" });
        floor.must("/v1/stock/adjustments", &lost);
        look([2, 2]);
        let whole = floor.get(&format!("/v1/orders/{order}"));
        let cancel =
            json!({ "reason": "customer", "lines": [{ "line": whole["lines"][0]["id"], "quantity": 2 }] });
        floor.must(&format!("/v1/orders/{order}/cancel"), &cancel);
        look([4, 4]);
        for (instant, available) in seen {
            assert_eq!(available_at(floor, &instant), available, "as of {instant}");
        }
    });
}
