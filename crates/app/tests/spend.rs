//! Points, a gift card and a coupon are spent by many at once while the plug of the shop is pulled again and again. Whoever got no answer asks
//! again under the same key; at the end each was spent as often as orders say, never more than there was, and the books agree.

#![expect(clippy::disallowed_methods, reason = "a crash really comes after a while")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::TestShop;
use sim::chance::Chance;
use sim::client::Client;
use sim::stand::{Stand, a_cart, until_answered};

/// Who spends at once.
const SPENDERS: usize = 6;
/// What is spent of the points and of the card at a time, in minor units, and what the coupon takes off.
const AT_A_TIME: i64 = 500;
const OFF: i64 = 100;
/// A mug and its delivery.
const WHOLE: i64 = 895;

/// What can be spent.
struct Purse {
    mug: Id<Variant>,
    points: String,
    card: String,
    card_code: String,
}

/// How often points, the card and the coupon paid, and the orders.
#[derive(Default)]
struct Spent {
    times: [i64; 3],
    refused: [i64; 3],
    orders: Vec<String>,
}

fn made(client: &Client, key: &str, path: &str, body: &Value) -> Value {
    let reply = client.clone().with_header("idempotency-key", key).post(path, body).unwrap();
    assert!((200..300).contains(&reply.status), "{path}: {} {}", reply.status, reply.text());
    reply.json().unwrap()
}

/// So many spends' worth of points, of a gift card, and of a coupon.
fn fill_purse(client: &Client, mug: Id<Variant>, most: i64) -> Purse {
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    let pound = json!({ "amount": 100, "currency": "GBP" });
    let terms =
        json!({ "earnings": [{ "points": 1, "per": pound }], "worth": [{ "points": 1, "amount": pound }] });
    let programme = json!({ "code": "club", "name": "The club", "terms": terms });
    made(client, "programme", "/v1/loyalty-programmes", &programme);
    made(client, "active", "/v1/loyalty-programmes/club/versions/1/activate", &json!({}));
    let contact = json!({ "name": "Ada Byron", "email": "ada@example.com" });
    made(client, "ada", "/v1/customers", &json!({ "external_id": "ADA", "contact": contact }));
    let member = made(client, "member", "/v1/customers/ADA/points", &json!({ "programme": "club" }));
    let points = format!("/v1/customers/ADA/points/{}", id(&member));
    let given = json!({ "change": most * AT_A_TIME / 100, "note": "goodwill" });
    made(client, "points", &format!("{points}/adjust"), &given);

    let amount = json!({ "amount": most * AT_A_TIME, "currency": "GBP" });
    let card = format!(
        "/v1/gift-cards/{}",
        id(&made(client, "card", "/v1/gift-cards", &json!({ "amount": amount })))
    );
    let code = made(client, "code", &format!("{card}/code"), &json!(null));

    let whole = json!({ "whole": { "steps": [{ "off": { "amount": OFF } }] } });
    let promotion =
        json!({ "name": "a pound", "terms": { "needs_coupon": true, "currency": "GBP", "benefit": whole } });
    let promotion =
        format!("/v1/promotions/{}", id(&made(client, "promotion", "/v1/promotions", &promotion)));
    made(client, "in-force", &format!("{promotion}/activate"), &json!(null));
    let coupon = json!({ "code": "A-POUND", "uses_max": most });
    made(client, "coupon", &format!("{promotion}/coupons"), &coupon);
    Purse { mug, points, card, card_code: code["code"].as_str().unwrap().to_owned() }
}

/// Spends on and on until told to stop, by turns.
fn spender(client: &Client, number: usize, purse: &Purse, stop: &AtomicBool) -> Spent {
    let mut spent = Spent::default();
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let ask = |step: &str, path: &str, body: &Value| {
            let key = format!("spender-{number}-{round}-{step}");
            until_answered(&client.clone().with_header("idempotency-key", key), path, body).unwrap()
        };
        let mut cart = a_cart(&[(purse.mug, 1)], "ada@example.com");
        cart["customer"] = json!("ADA");
        let cart = ask("cart", "/v1/carts", &cart).json().unwrap();
        let path = format!("/v1/carts/{}", cart["id"].as_str().unwrap());
        let by = round % 3;
        let payments = match by {
            0 => json!([{ "kind": "points", "amount": AT_A_TIME }, { "kind": "cash" }]),
            1 => {
                json!([{ "kind": "gift_card", "gift_card": purse.card_code, "amount": AT_A_TIME }, { "kind": "cash" }])
            }
            _ => json!([{ "kind": "cash" }]),
        };
        if by == 2 && ask("coupon", &format!("{path}/coupons"), &json!({ "code": "A-POUND" })).status >= 300 {
            spent.refused[by] += 1;
            continue;
        }
        let placed = ask("order", &format!("{path}/checkout"), &json!({ "payments": payments }));
        let answer = placed.json().unwrap();
        match placed.status {
            201 if by < 2 || answer["gross"]["amount"] == WHOLE - OFF => spent.times[by] += 1,
            201 | 409 => spent.refused[by] += 1,
            status => panic!("{status} {}", placed.text()),
        }
        if placed.status == 201 {
            spent.orders.push(answer["id"].as_str().unwrap().to_owned());
        }
    }
    spent
}

/// Each can be spent so often.
fn spent_while_it_crashes(shop: TestShop, rounds: u64, most: i64) {
    let program = Path::new(env!("CARGO_BIN_EXE_tandem"));
    let (mut stand, mug) = Stand::open(shop, program, |retailer, shop| {
        let mug = retailer.sell(shop, "MUG", WHOLE - 395);
        retailer.stock(shop, mug, 0, 1_000_000);
        mug
    });
    let (client, stop) = (stand.client(), AtomicBool::new(false));
    let purse = fill_purse(&client, mug, most);
    let all: Vec<Spent> = thread::scope(|scope| {
        let (stop, client, purse) = (&stop, &client, &purse);
        let spenders: Vec<_> =
            (0..SPENDERS).map(|number| scope.spawn(move || spender(client, number, purse, stop))).collect();
        let mut chance = Chance::new(rounds);
        for _ in 0..rounds {
            thread::sleep(Duration::from_millis(100 + chance.below(700)));
            stand.server.kill().unwrap();
            stand.server.restart().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        spenders.into_iter().map(|spender| spender.join().unwrap()).collect()
    });
    let sum = |of: &dyn Fn(&Spent) -> i64| all.iter().map(of).sum::<i64>();
    let times: Vec<i64> = (0..3).map(|by| sum(&|spent| spent.times[by])).collect();
    let refused: Vec<i64> = (0..3).map(|by| sum(&|spent| spent.refused[by])).collect();
    assert!(
        times.iter().all(|times| (1..=most).contains(times)),
        "{times:?} of {most} each, {refused:?} refused"
    );
    let short = times.iter().zip(&refused).find(|(times, refused)| **refused > 0 && **times < most);
    assert_eq!(short, None, "who was refused came after the last was spent: {times:?}, {refused:?}");

    let orders: Vec<&String> = all.iter().flat_map(|spent| &spent.orders).collect();
    let known: BTreeSet<String> = orders.iter().map(|order| (*order).clone()).collect();
    assert_eq!(
        (known.len(), stand.count(&[mug]).orders),
        (orders.len(), known),
        "what was confirmed is there, once"
    );
    let read = |path: &str| client.get(path).unwrap().json().unwrap();
    let member = read("/v1/customers/ADA/points")["items"][0].clone();
    assert!(purse.points.ends_with(member["id"].as_str().unwrap()));
    assert_eq!(member["balance"], (most - times[0]) * AT_A_TIME / 100, "{member}");
    assert_eq!(read(&purse.card)["balance"]["amount"], (most - times[1]) * AT_A_TIME);
    stand.must_be_clean();
}

#[test]
fn crash_while_points_a_card_and_a_coupon_are_spent_on_a_file() {
    spent_while_it_crashes(TestShop::on_sqlite(1), 10, 30);
}

#[test]
fn crash_while_points_a_card_and_a_coupon_are_spent_on_postgres() {
    spent_while_it_crashes(TestShop::on_postgres(1), 6, 8);
}
