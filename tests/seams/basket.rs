//! S01: a basket begun on the phone without an account is there on the laptop after signing in; two baskets merge and no line is lost.
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

/// Signs in on a page of the web shop with the basket filled there: what was answered.
fn signs_in(floor: &Floor, page: &sim::client::Client, cart: Option<&Value>) -> Value {
    let to = "Ada.Byron@example.com";
    let asked = page.post("/v1/customer-session/codes", &json!({ "email": to })).unwrap();
    assert_eq!(asked.status, 202, "{}", asked.text());
    let mut body =
        json!({ "email": to, "code": floor.code_mailed(to), "channel": "web", "name": "Ada Byron" });
    if let Some(cart) = cart {
        body["cart"] = cart["id"].clone();
    }
    let opened = page.post("/v1/customer-session", &body).unwrap();
    assert_eq!(opened.status, 200, "{}", opened.text());
    opened.json().unwrap()
}

#[test]
fn s01_a_basket_of_the_phone_is_on_the_laptop_after_signing_in() {
    on_every_engine([9, 9], |floor| {
        floor.sells("CUP", 300, [5, 5]);
        let basket = |page: &sim::client::Client, lines: Value| {
            let made = page.post("/v1/carts", &json!({ "channel": "web", "lines": lines })).unwrap();
            assert_eq!(made.status, 201, "{}", made.text());
            made.json().unwrap()
        };
        let (phone, laptop) = (floor.page(), floor.page());
        let begun =
            basket(&phone, json!([{ "variant": "MUG", "quantity": 2 }, { "variant": "CUP", "quantity": 1 }]));
        let on_phone = signs_in(floor, &phone, Some(&begun));
        assert_eq!((&on_phone["is_new"], &on_phone["cart"]), (&json!(true), &begun["id"]));

        let other = basket(&laptop, json!([{ "variant": "MUG", "quantity": 1 }]));
        let on_laptop = signs_in(floor, &laptop, Some(&other));
        assert_eq!((&on_laptop["is_new"], &on_laptop["cart"]), (&json!(false), &begun["id"]), "{on_laptop}");
        assert_eq!(on_laptop["customer"], on_phone["customer"], "one person on both");
        let ada = floor.signed_in(on_laptop["token"].as_str().unwrap());
        let cart = format!("/v1/carts/{}", begun["id"].as_str().unwrap());
        let seen = ada.get(&cart).unwrap().json().unwrap();
        let lines: Vec<_> =
            seen["lines"].as_array().unwrap().iter().map(|line| (&line["sku"], &line["quantity"])).collect();
        assert_eq!(lines, [(&json!("MUG"), &json!(3)), (&json!("CUP"), &json!(1))], "no line is lost");

        // What is hers she may see, and nothing of anybody else.
        let own = format!("/v1/customers/{}", on_laptop["customer"].as_str().unwrap());
        assert_eq!(ada.get(&own).unwrap().status, 200);
        assert_eq!(ada.get(&format!("{own}/contact")).unwrap().json().unwrap()["name"], "Ada Byron");
        floor.must(
            "/v1/customers",
            &json!({ "external_id": "BOB", "contact": { "name": "Bob", "email": "bob@example.com" } }),
        );
        for forbidden in
            ["/v1/customers/BOB", "/v1/customers/BOB/contact", "/v1/carts?customer=BOB", "/v1/customers"]
        {
            assert_eq!(ada.get(forbidden).unwrap().status, 403, "{forbidden}");
        }
        let who = ada.get("/v1/customer-session").unwrap().json().unwrap();
        assert_eq!(who["customer"], on_laptop["customer"]);
        let out = ada.clone().with_header("idempotency-key", "out").delete("/v1/customer-session").unwrap();
        assert_eq!((out.status, ada.get(&own).unwrap().status), (204, 401));
        let phone = floor.signed_in(on_phone["token"].as_str().unwrap());
        assert_eq!(phone.get(&own).unwrap().status, 200, "the other device stays signed in");
    });
}
