//! The shop floor in a hurry: several colleagues at the same order at once, each asking twice. Whatever the order of things, every piece is
//! picked, cancelled, missing or shipped once, and the books agree.

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use domain::stock::State;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::TestShop;
use sim::client::Client;
use sim::stand::{Stand, a_cart};

/// Orders that everybody is at.
const ORDERS: usize = 12;
/// Mugs at each of the first two locations: more than is ever wanted.
const MUGS: i64 = 100;

/// Asks under a key, and once more under the same; both answers must be the same unless the first was refused.
fn twice(client: &Client, key: &str, path: &str, body: &Value) -> (u16, Value) {
    let client = client.clone().with_header("idempotency-key", key);
    let first = client.post(path, body).unwrap();
    let again = client.post(path, body).unwrap();
    assert!(first.status < 500 && again.status < 500, "{path}: {} {}", first.text(), again.text());
    if first.status < 300 {
        assert_eq!(
            (first.status, first.text()),
            (again.status, again.text()),
            "{path} is answered as before"
        );
    }
    (first.status, first.json().unwrap_or_default())
}

fn must(client: &Client, key: &str, path: &str, body: &Value) -> Value {
    let (status, answer) = twice(client, key, path, body);
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

/// A paid order of three mugs: its path, and the path of what one location prepares.
fn order(client: &Client, number: usize, mug: Id<Variant>) -> (String, String) {
    let cart = must(client, &format!("cart-{number}"), "/v1/carts", &a_cart(&[(mug, 3)], "ada@example.com"));
    let checkout = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
    let placed =
        must(client, &format!("order-{number}"), &checkout, &json!({ "payments": [{ "kind": "cash" }] }));
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let part = placed["fulfilment_orders"][0]["id"].as_str().unwrap();
    (path.clone(), format!("{path}/fulfilment-orders/{part}"))
}

/// Everybody does their work on the order at the same moment.
fn all_at_once(work: Vec<Box<dyn FnOnce() + Send + '_>>) {
    let start = Barrier::new(work.len());
    thread::scope(|scope| {
        for one in work {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                one();
            });
        }
    });
}

fn mugs_of(whole: &Value, states: &[&str]) -> i64 {
    let parts = whole["fulfilment_orders"].as_array().unwrap().iter();
    let parts = parts.filter(|part| states.contains(&part["state"].as_str().unwrap()));
    parts
        .flat_map(|part| part["lines"].as_array().unwrap())
        .map(|line| line["quantity"].as_i64().unwrap())
        .sum()
}

/// A mug of its own for each order: where a picker missed one, none of that kind is given for a while.
fn open(shop: TestShop) -> (Stand, Vec<Id<Variant>>) {
    Stand::open(shop, Path::new(env!("CARGO_BIN_EXE_tandem")), |retailer, shop| {
        let mug = |number: usize| {
            let mug = retailer.sell(shop, &sku(number), 500);
            (0..2).for_each(|place| retailer.stock(shop, mug, place, MUGS));
            mug
        };
        (0..ORDERS).map(mug).collect()
    })
}

fn sku(number: usize) -> String {
    format!("MUG-{number}")
}

/// Two pickers, somebody who misses a piece, somebody who cancels, and two who ship, all at one order.
fn everybody_at_once(shop: TestShop) {
    let (stand, mugs) = open(shop);
    let client = stand.client();
    let mut shipped = 0;
    for (number, mug) in mugs.iter().enumerate() {
        let (path, part) = order(&client, number, *mug);
        let (client, path, part) = (&client, &path, &part);
        let ask = move |who: &str, at: String, body: Value| {
            let (status, answer) = twice(client, &format!("{who}-{number}"), &at, &body);
            // A scan names what is wanted no more as the wrong thing.
            let expected = matches!(status, 200 | 404 | 409) || status == 422 && who == "second";
            assert!(expected, "{at}: {status} {answer}");
        };
        let pieces = |quantity: i64| json!({ "lines": [{ "variant": sku(number), "quantity": quantity }] });
        all_at_once(vec![
            Box::new(move || ask("first", format!("{part}/pick"), pieces(2))),
            Box::new(move || {
                ask("second", format!("{part}/scan"), json!({ "code": sku(number), "quantity": 2 }))
            }),
            Box::new(move || ask("short", format!("{part}/short-pick"), pieces(1))),
            Box::new(move || {
                if number.is_multiple_of(2) {
                    ask("cancel", format!("{path}/cancel"), json!({ "reason": "customer" }));
                }
            }),
            Box::new(move || ask("pack", format!("{part}/parcels"), json!({}))),
            Box::new(move || ask("ship", format!("{part}/ship"), json!({ "tracking": "JD1" }))),
            Box::new(move || ask("ship-too", format!("{part}/ship"), json!({ "tracking": "JD2" }))),
        ]);
        let whole = client.get(path).unwrap().json().unwrap();
        let gone = mugs_of(&whole, &["shipped"]);
        let cancelled = whole["lines"][0]["cancelled"].as_i64().unwrap();
        let open = mugs_of(&whole, &["open", "picking", "packed", "unrouted"]);
        assert_eq!(gone + cancelled + open, 3, "{whole}");
        shipped += gone;
    }
    let all: i64 = [State::Available, State::Committed, State::Picked, State::Missing]
        .iter()
        .flat_map(|state| mugs.iter().map(|mug| stand.pieces(*mug, *state)))
        .sum();
    assert_eq!(all, 2 * MUGS * ORDERS as i64 - shipped, "no mug came or went otherwise");
    stand.must_be_clean();
}

#[test]
fn crowd_on_the_floor_of_a_shop_on_its_own_file() {
    everybody_at_once(TestShop::on_sqlite(1));
}

#[test]
fn crowd_on_the_floor_of_a_shop_on_postgres() {
    everybody_at_once(TestShop::on_postgres(1));
}

/// An order of three mugs that has left: its path, and its line.
fn gone(client: &Client, number: usize, mug: Id<Variant>) -> (String, String) {
    let (path, part) = order(client, number, mug);
    must(client, &format!("gone-{number}"), &format!("{part}/ship"), &json!({ "tracking": "JD1" }));
    let whole = client.get(&path).unwrap().json().unwrap();
    (path, whole["lines"][0]["id"].as_str().unwrap().to_owned())
}

/// Two counters take the same mugs back, one desk announces them, another pays for a claim, a store exchanges them and an office cancels.
/// Of three mugs at most three come back, and no penny goes back twice.
fn everybody_wants_it_back(shop: TestShop) {
    let (stand, mugs) = open(shop);
    let client = stand.client();
    for (number, mug) in mugs.iter().enumerate() {
        let (path, line) = gone(&client, number, *mug);
        let (client, path) = (&client, &path);
        let id = path.rsplit('/').next().unwrap();
        let served = &AtomicUsize::new(0);
        let ask = move |who: &str, at: &str, body: Value| {
            let (status, answer) = twice(client, &format!("{who}-{number}"), at, &body);
            assert!(matches!(status, 200 | 201 | 409), "{at}: {status} {answer}");
            served.fetch_add(usize::from(status < 300), Ordering::Relaxed);
            answer
        };
        let pieces = |quantity: i64| json!([{ "line": line, "quantity": quantity }]);
        let back = |place: &str| {
            let lines = json!([{ "line": line, "quantity": 2, "condition": "resellable" }]);
            json!({ "location": place, "reason": "too_small", "lines": lines })
        };
        let claimed = json!({ "order": id, "kind": "damaged", "reason": "not_arrived", "lines": pieces(2) });
        let announced = json!({ "order": id, "way": "post", "reason": "changed_mind", "lines": pieces(2) });
        let other = a_cart(&[(*mug, 1)], "ada@example.com");
        let other = must(client, &format!("other-{number}"), "/v1/carts", &other)["id"].clone();
        let exchanged =
            json!({ "order": id, "back": back("york"), "cart": other, "payments": [{ "kind": "cash" }] });
        let (leeds, york) = (back("leeds"), back("york"));
        all_at_once(vec![
            Box::new(move || drop(ask("leeds", &format!("{path}/returns"), leeds))),
            Box::new(move || drop(ask("york", &format!("{path}/returns"), york))),
            Box::new(move || drop(ask("announced", "/v1/returns/requests", announced))),
            Box::new(move || drop(ask("exchanged", "/v1/exchanges", exchanged))),
            Box::new(move || {
                if let Some(claim) = ask("claimed", "/v1/claims", claimed)["id"].as_str() {
                    let at = format!("/v1/claims/{claim}/resolve");
                    drop(ask("resolved", &at, json!({ "remedy": "refund" })));
                }
            }),
            Box::new(move || {
                drop(ask("cancelled", &format!("{path}/cancel"), json!({ "reason": "customer" })))
            }),
        ]);
        let whole = client.get(path).unwrap().json().unwrap();
        let back = whole["lines"][0]["returned"].as_i64().unwrap();
        assert!((1..=3).contains(&served.load(Ordering::Relaxed)), "who comes first is served: {whole}");
        assert!(back <= 3, "of three mugs at most three came back: {whole}");
        let amount = |field: &str| whole[field]["amount"].as_i64().unwrap();
        assert!(amount("refunded") <= amount("captured"), "{whole}");
    }
    stand.must_be_clean();
}

#[test]
fn crowd_after_the_sale_of_a_shop_on_its_own_file() {
    everybody_wants_it_back(TestShop::on_sqlite(1));
}

#[test]
fn crowd_after_the_sale_of_a_shop_on_postgres() {
    everybody_wants_it_back(TestShop::on_postgres(1));
}

/// Two stores claim the same offers, and several ask for waves of the same orders.
#[test]
fn crowd_of_stores_for_the_same_offers_and_waves() {
    let (stand, mugs) = open(TestShop::on_postgres(1));
    let client = stand.client();
    let until = stand.shop.shop.source.now().plus_seconds(10 * 365 * 86_400).to_string();
    for (number, mug) in mugs.iter().enumerate() {
        let (path, part) = order(&client, number, *mug);
        if number.is_multiple_of(2) {
            let offer = json!({ "locations": ["leeds", "york"], "until": until });
            must(&client, &format!("offer-{number}"), &format!("{part}/offer"), &offer);
            let (client, part) = (&client, &part);
            let claim = |store: &'static str| -> Box<dyn FnOnce() + Send + '_> {
                Box::new(move || {
                    let claim = json!({ "location": store });
                    let (status, _) =
                        twice(client, &format!("{store}-{number}"), &format!("{part}/claim"), &claim);
                    assert!(matches!(status, 200 | 409));
                })
            };
            all_at_once(vec![claim("leeds"), claim("york")]);
            let whole = client.get(&path).unwrap().json().unwrap();
            assert_eq!(mugs_of(&whole, &["claimed"]), 3, "exactly one has it: {whole}");
        }
    }
    let ask = |number: usize| -> Box<dyn FnOnce() + Send + '_> {
        let client = &client;
        Box::new(move || {
            let store = if number.is_multiple_of(2) { "leeds" } else { "york" };
            let path = format!("/v1/locations/{store}/pick-waves");
            let (status, answer) = twice(client, &format!("wave-{number}"), &path, &json!({ "most": 3 }));
            assert!(matches!(status, 201 | 409), "{status} {answer}");
        })
    };
    all_at_once((0..8).map(ask).collect());
    // Whoever met the others at the same orders was told that nothing waits; what is left is walked afterwards.
    (8..8 + ORDERS).for_each(|number| ask(number)());
    let mut totes = Vec::new();
    for store in ["leeds", "york"] {
        let waves = client.get(&format!("/v1/locations/{store}/pick-waves")).unwrap().json().unwrap();
        for wave in waves["items"].as_array().unwrap() {
            let id = wave["id"].as_str().unwrap();
            let wave = client.get(&format!("/v1/pick-waves/{id}")).unwrap().json().unwrap();
            let parts = wave["totes"].as_array().unwrap().iter();
            totes.extend(parts.map(|tote| tote["fulfilment_order"].as_str().unwrap().to_owned()));
        }
    }
    let all = totes.len();
    totes.sort_unstable();
    totes.dedup();
    assert_eq!((totes.len(), all), (ORDERS, ORDERS), "each is in exactly one wave");
    stand.must_be_clean();
}
