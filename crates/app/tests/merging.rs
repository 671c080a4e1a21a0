//! Customers are merged from all sides while they buy, spend points, are given money and are erased: nothing is left with who was merged, and
//! the books agree.

use std::path::Path;
use std::thread;

use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::TestShop;
use sim::client::{Client, Reply};
use sim::stand::{Stand, a_cart, until_answered};

/// How often three customers are merged from all sides.
const ROUNDS: usize = 6;
/// How many sign up with one e-mail at once.
const SIGN_UPS: usize = 50;

fn asked(client: &Client, key: String, path: &str, body: &Value) -> Reply {
    until_answered(&client.clone().with_header("idempotency-key", key), path, body).unwrap()
}

fn made(client: &Client, key: String, path: &str, body: &Value) -> Value {
    let reply = asked(client, key, path, body);
    assert!((200..300).contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
    reply.json().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn open_club(client: &Client) {
    let pound = json!({ "amount": 100, "currency": "GBP" });
    let terms =
        json!({ "earnings": [{ "points": 1, "per": pound }], "worth": [{ "points": 1, "amount": pound }] });
    let programme = json!({ "code": "club", "name": "The club", "terms": terms });
    made(client, "programme".into(), "/v1/loyalty-programmes", &programme);
    made(client, "active".into(), "/v1/loyalty-programmes/club/versions/1/activate", &json!({}));
}

/// A customer with points, store credit and a cart; answers the customer and the cart.
fn a_customer(client: &Client, name: &str, mug: Id<Variant>) -> (String, String) {
    let contact = json!({ "name": name, "email": format!("{name}@example.com") });
    let key = |step: &str| format!("{name}-{step}");
    let customer =
        made(client, key("made"), "/v1/customers", &json!({ "external_id": name, "contact": contact }));
    let path = format!("/v1/customers/{name}/points");
    let member = made(client, key("member"), &path, &json!({ "programme": "club" }));
    let given = json!({ "change": 50, "note": "goodwill" });
    made(client, key("points"), &format!("{path}/{}/adjust", text(&member["id"])), &given);
    let credit = json!({ "customer": name, "amount": { "amount": 700, "currency": "GBP" } });
    made(client, key("credit"), "/v1/store-credits", &credit);
    let mut cart = a_cart(&[(mug, 1)], &format!("{name}@example.com"));
    cart["customer"] = json!(name);
    let cart = made(client, key("cart"), "/v1/carts", &cart);
    (text(&customer["id"]), text(&cart["id"]))
}

/// Everything at once: whatever is refused is refused for a reason, and the books say the rest.
fn all_at_once(client: &Client, round: usize, mug: Id<Variant>) -> [String; 3] {
    let names = ["a", "b", "c"].map(|name| format!("{name}{round}"));
    let made: Vec<_> = names.iter().map(|name| a_customer(client, name, mug)).collect();
    let ids = [0, 1, 2].map(|at: usize| made[at].0.clone());
    let merge = |into: usize, from: usize| {
        (format!("/v1/customers/{}/merge", ids[into]), json!({ "customer": ids[from], "why": "one person" }))
    };
    let checkout = |of: usize, by: &str| {
        let payments = json!([{ "kind": by, "amount": 400 }, { "kind": "cash" }]);
        (format!("/v1/carts/{}/checkout", made[of].1), json!({ "payments": payments }))
    };
    let credit = |of: usize| {
        let amount = json!({ "amount": 100, "currency": "GBP" });
        ("/v1/store-credits".to_owned(), json!({ "customer": ids[of], "amount": amount }))
    };
    let mut calls = vec![
        merge(0, 1),
        merge(1, 0),
        merge(1, 2),
        merge(2, 0),
        checkout(1, "points"),
        checkout(0, "store_credit"),
        credit(1),
        credit(2),
        (format!("/v1/customers/{}/points", ids[1]), json!({ "programme": "club" })),
    ];
    if round % 3 == 2 {
        calls.push((format!("/v1/customers/{}/erase", ids[1]), json!(null)));
    }
    thread::scope(|scope| {
        for (number, (path, body)) in calls.iter().enumerate() {
            scope.spawn(move || {
                let reply = asked(client, format!("round-{round}-{number}"), path, body);
                assert!(
                    [200, 201, 409, 422].contains(&reply.status),
                    "{path}: {} {}",
                    reply.status,
                    reply.text()
                );
            });
        }
    });
    ids
}

fn merged_from_all_sides(shop: TestShop) {
    let program = Path::new(env!("CARGO_BIN_EXE_tandem"));
    let (stand, mug) = Stand::open(shop, program, |retailer, shop| {
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 1_000);
        mug
    });
    let client = stand.client();
    open_club(&client);
    for round in 0..ROUNDS {
        let ids = all_at_once(&client, round, mug);
        stand.must_be_clean();
        let now =
            |id: &String| text(&client.get(&format!("/v1/customers/{id}")).unwrap().json().unwrap()["id"]);
        let found = ids.each_ref().map(now);
        if round % 3 != 2 {
            assert!(found.iter().all(|id| *id == found[0]), "all three are one: {found:?}");
        }
        let merges = client.get(&format!("/v1/merges?customer={}", found[0])).unwrap().json().unwrap();
        for (place, merge) in merges["items"].as_array().unwrap().iter().enumerate() {
            let path = format!("/v1/merges/{}/undo", text(&merge["id"]));
            let undone = asked(&client, format!("undo-{round}-{place}"), &path, &json!(null));
            assert!([200, 409].contains(&undone.status), "{}", undone.text());
            stand.must_be_clean();
        }
    }
    let contact = json!({ "contact": { "name": "Zoe", "email": "zoe@example.com" } });
    let made = thread::scope(|scope| {
        let (client, contact) = (&client, &contact);
        let all: Vec<_> = (0..SIGN_UPS)
            .map(|number| {
                scope.spawn(move || asked(client, format!("zoe-{number}"), "/v1/customers", contact).status)
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).filter(|status| *status == 201).count()
    });
    assert_eq!(made, 1, "one customer for one e-mail");
    stand.must_be_clean();
}

#[test]
fn customers_are_merged_from_all_sides_on_a_file() {
    merged_from_all_sides(TestShop::on_sqlite(1));
}

#[test]
fn customers_are_merged_from_all_sides_on_postgres() {
    merged_from_all_sides(TestShop::on_postgres(1));
}
