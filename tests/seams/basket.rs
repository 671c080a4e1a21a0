//! S02: a basket begun in the app is called up at the till, by its code, the phone number or the e-mail, and paid there.

use std::thread;

use domain::stock::State as Stock;
use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// Bob's basket in the app: two mugs by parcel.
fn begun(floor: &Floor) -> String {
    let contact = json!({ "name": "Bob", "email": "bob@example.com", "phone": "+442079460958" });
    floor.must("/v1/customers", &json!({ "external_id": "BOB", "contact": contact }));
    let mut cart = floor.cart(2, None);
    cart["customer"] = json!("BOB");
    let made = floor.must("/v1/carts", &cart);
    assert_eq!(made["totals"]["gross"]["amount"], 2 * 500 + 395, "with the parcel: {made}");
    made["id"].as_str().unwrap().to_owned()
}

/// The baskets a till finds by what the customer says.
fn found(floor: &Floor, by: &Value) -> Vec<Value> {
    let customer = floor.must("/v1/customers/find", by)["items"][0]["id"].clone();
    let carts = floor.list(&format!("/v1/carts?customer={}", customer.as_str().unwrap()));
    carts.into_iter().filter(|cart| cart["state"] == "active").map(|cart| cart["id"].clone()).collect()
}

#[test]
fn s02_a_basket_of_the_app_is_paid_at_the_till() {
    on_every_engine([3, 3], |floor| {
        let cart = begun(floor);
        assert!(floor.picture(&format!("/v1/carts/{cart}/code.png")).starts_with(b"\x89PNG"));
        for by in [json!({ "phone": "+442079460958" }), json!({ "email": "BOB@example.com" })] {
            assert_eq!(found(floor, &by), [json!(cart)]);
        }
        let (till, cashier) = floor.till(1);
        let asked = |step: &str, key: &str, body: &Value| {
            let client = cashier.clone().with_header("idempotency-key", key.to_owned());
            client.post(&format!("/v1/carts/{cart}/{step}"), body).unwrap()
        };
        let early = asked("checkout", "early", &json!({ "payments": [{ "kind": "cash" }] }));
        assert_eq!(early.status, 403, "it is still another channel's: {}", early.text());
        for key in ["once", "twice"] {
            let here = asked("call-up", key, &json!({ "channel": till }));
            let told = here.json().unwrap();
            assert_eq!(
                (here.status, &told["totals"]["gross"]["amount"]),
                (200, &json!(1000)),
                "no parcel: {told}"
            );
        }
        let sold = asked("checkout", "paid", &json!({ "payments": [{ "kind": "cash" }] })).json().unwrap();
        assert_eq!((&sold["state"], &sold["gross"]["amount"]), (&json!("completed"), &json!(1000)), "{sold}");
        assert_eq!((floor.count(0, Stock::Available), floor.count(1, Stock::Available)), (3, 1));
        let seen = floor.get(&format!("/v1/carts/{cart}"));
        assert_eq!((&seen["state"], &seen["order"]), (&json!("ordered"), &sold["id"]), "what the app shows");
        let his = floor.must("/v1/orders/searches", &json!({ "customer": { "email": "bob@example.com" } }));
        assert_eq!(his["items"][0]["id"], sold["id"]);
    });
}

/// Two tills and the app want to have the same basket paid: it is sold once.
#[test]
fn s02_two_tills_and_the_app_at_once() {
    on_every_engine([9, 9], |floor| {
        let cart = begun(floor);
        let (leeds, york) = (floor.till(0), floor.till(1));
        let web = floor.client();
        let pays = |client: &sim::client::Client, key: &str, till: Option<&str>| {
            let keyed = |step: &str| client.clone().with_header("idempotency-key", format!("{key}-{step}"));
            if let Some(till) = till {
                let called =
                    keyed("call").post(&format!("/v1/carts/{cart}/call-up"), &json!({ "channel": till }));
                assert!(matches!(called.unwrap().status, 200 | 409), "open, or ordered already");
            }
            let paid = json!({ "payments": [{ "kind": "cash" }] });
            keyed("pay").post(&format!("/v1/carts/{cart}/checkout"), &paid).unwrap().status
        };
        let statuses: Vec<u16> = thread::scope(|scope| {
            let app = scope.spawn(|| pays(&web, "app", None));
            let tills = [(&leeds, "leeds"), (&york, "york")]
                .map(|((till, client), key)| scope.spawn(move || pays(client, key, Some(till))));
            tills.into_iter().chain([app]).map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        let orders =
            floor.must("/v1/orders/searches", &json!({ "customer": { "email": "bob@example.com" } }));
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1), "{orders}");
    });
}
