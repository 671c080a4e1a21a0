//! Promotions over the API, and the crowds that want the last coupon and the last of a budget.

use std::sync::Mutex;

use crate::desk::{Desk, key_for};
use domain::actor::Permission;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

/// Asks at once.
const THREADS: usize = 10;

/// A till at Leeds that sells a mug for 10.00, and a key that may do everything.
fn open(shop: &TestShop) -> (Desk, String, String) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let till = retailer.till(shop, 0).id.to_string();
    let mug = retailer.sell(shop, "MUG", 1000);
    retailer.stock(shop, mug, 0, 10_000);
    (Desk::of(shop), key_for(shop, Permission::ALL), till)
}

fn in_force(desk: &Desk, key: &str, promotion: Value) -> String {
    let made = desk.ask(key, "POST", "/v1/promotions", Some(promotion));
    assert_eq!((made.status.as_u16(), &made.json["state"]), (201, &json!("draft")), "{}", made.text);
    let path = format!("/v1/promotions/{}", made.json["id"].as_str().unwrap_or_default());
    let active = desk.ask(key, "POST", &format!("{path}/activate"), None);
    assert_eq!((active.status.as_u16(), &active.json["state"]), (200, &json!("active")), "{}", active.text);
    path
}

fn half(needs_coupon: bool, limits: Value) -> Value {
    let benefit = json!({"each": {"steps": [{"off": {"rate": 500_000}}]}});
    json!({"name": "half", "terms": {"needs_coupon": needs_coupon, "currency": "GBP", "benefit": benefit}, "limits": limits})
}

/// So many carts are ordered at once, each with the coupon, if there is one; the codes of all answers, and what was paid in all.
fn crowd(
    shop: &TestShop,
    (key, channel): (&str, &str),
    many: usize,
    coupon: Option<&str>,
) -> Vec<(String, i64)> {
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let answers = &answers;
            scope.spawn(move || {
                let desk = Desk::of(shop);
                let carts: Vec<String> = (0..many / THREADS)
                    .map(|_| {
                        let cart = json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 1}]});
                        let made = desk.ask(key, "POST", "/v1/carts", Some(cart));
                        let path = format!("/v1/carts/{}", made.json["id"].as_str().unwrap_or_default());
                        if let Some(code) = coupon {
                            let given = desk.ask(
                                key,
                                "POST",
                                &format!("{path}/coupons"),
                                Some(json!({"code": code})),
                            );
                            assert_eq!(given.status, 200, "{}", given.text);
                        }
                        path
                    })
                    .collect();
                for (number, cart) in carts.iter().enumerate() {
                    let bearer = format!("Bearer {key}");
                    let own = format!("crowd-{thread}-{number}");
                    let headers = [("authorization", bearer.as_str()), ("idempotency-key", own.as_str())];
                    let body = json!({"payments": [{"kind": "cash"}]});
                    let done = desk.send("POST", &format!("{cart}/checkout"), &headers, Some(body));
                    let told = if done.status == 201 { "ordered".to_owned() } else { done.code().to_owned() };
                    let gross = done.json["totals"]["gross"]["amount"].as_i64().unwrap_or_default();
                    answers.lock().expect("no thread broke").push((told, gross));
                }
            });
        }
    });
    answers.into_inner().expect("no thread broke")
}

fn count(answers: &[(String, i64)], code: &str) -> usize {
    answers.iter().filter(|(told, _)| told == code).count()
}

#[test]
fn a_coupon_for_one_serves_one_of_five_hundred() {
    on_every_engine(|shop| {
        let (desk, key, channel) = open(shop);
        let path = in_force(&desk, &key, half(true, json!([])));
        let coupon = json!({"code": "ONLY-ONE", "uses_max": 1});
        let made = desk.ask(&key, "POST", &format!("{path}/coupons"), Some(coupon));
        assert_eq!(made.status, 201, "{}", made.text);
        let answers = crowd(shop, (&key, &channel), 500, Some("only-one"));
        assert_eq!(
            (count(&answers, "ordered"), count(&answers, "promotion_used_up")),
            (1, 499),
            "{answers:?}"
        );
    });
}

#[test]
fn a_budget_is_spent_to_the_penny() {
    on_every_engine(|shop| {
        let (desk, key, channel) = open(shop);
        // 5.00 each: seven fit into 37.49, and the rest pays in full.
        in_force(&desk, &key, half(false, json!([{"scope": "everybody", "amount_max": 3749}])));
        let answers = crowd(shop, (&key, &channel), 60, None);
        let (ordered, late) = (count(&answers, "ordered"), count(&answers, "promotion_used_up"));
        assert_eq!(ordered + late, 60, "{answers:?}");
        let found = shop.read(|tx| {
            let promotions = store::promotion::list(tx, domain::value::Id::from_bytes([0; 16]), 10)?;
            let counter = store::promotion::Counter {
                promotion: promotions[0].id,
                scope: domain::promotion::limit::Scope::Everybody,
                period: domain::promotion::limit::Period::Ever,
                holder: [0; 16],
                begins: 0,
            };
            Ok::<_, engine::Failure>(store::promotion::used(tx, &counter)?)
        });
        let used = found.expect("used");
        assert_eq!((used.uses, used.minor), (7, 3500));
    });
}

#[test]
fn a_cart_says_who_lowered_what() {
    on_every_engine(|shop| {
        let (desk, key, channel) = open(shop);
        let path = in_force(&desk, &key, half(true, json!([{"scope": "coupon", "uses_max": 3}])));
        let batch = json!({"prefix": "may", "count": 2, "uses_max": 1});
        let drawn = desk.ask(&key, "POST", &format!("{path}/coupon-batches"), Some(batch));
        assert_eq!(drawn.status, 201, "{}", drawn.text);
        let code = drawn.json["coupons"][0]["code"].as_str().unwrap_or_default().to_owned();
        let listed = desk.ask(&key, "GET", &format!("{path}/coupons"), None);
        assert_eq!(listed.json["items"].as_array().map_or(0, Vec::len), 2, "{}", listed.text);
        let made = desk.ask(
            &key,
            "POST",
            "/v1/carts",
            Some(json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 2}]})),
        );
        let cart = format!("/v1/carts/{}", made.json["id"].as_str().unwrap_or_default());
        let now = desk.ask(&key, "POST", &format!("{cart}/coupons"), Some(json!({"code": code})));
        assert_eq!(now.json["totals"]["gross"]["amount"], 1000, "{}", now.text);
        let discount = &now.json["lines"][0]["discounts"][0];
        assert_eq!(
            (&discount["by"], &discount["amount"], &discount["quantity"]),
            (&json!("promotion"), &json!(1000), &json!(2))
        );
        assert_eq!(now.json["coupons"][0]["unused"], Value::Null);
        let ended = desk.ask(&key, "POST", &format!("{path}/end"), None);
        assert_eq!(ended.json["state"], "ended");
        let now = desk.ask(&key, "GET", &cart, None);
        assert_eq!(
            (&now.json["totals"]["gross"]["amount"], &now.json["coupons"][0]["unused"]),
            (&json!(2000), &json!("time"))
        );
        let gone = desk.ask(&key, "DELETE", &format!("{cart}/coupons/{code}"), None);
        assert_eq!(gone.status, 204, "{}", gone.text);
        let bad = desk.ask(&key, "PATCH", &path, Some(json!({"name": " ", "limits": [{"scope": "nobody"}]})));
        assert_eq!(
            (bad.status.as_u16(), bad.json["errors"].as_array().map_or(0, Vec::len)),
            (422, 2),
            "{}",
            bad.text
        );
    });
}

#[test]
fn a_cart_is_previewed_with_a_draft_at_another_time() {
    on_every_engine(|shop| {
        let (desk, key, channel) = open(shop);
        let mut draft = half(false, json!([]));
        draft["terms"]["starts_at"] = json!("2026-12-24T00:00:00Z");
        draft["terms"]["conditions"] = json!([{"groups": ["members"]}]);
        let made = desk.ask(&key, "POST", "/v1/promotions", Some(draft));
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json["id"].as_str().unwrap_or_default().to_owned();
        let ask = |at: &str, groups: Value| {
            let question = json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 3}], "groups": groups, "at": at,
                "promotions": [id]});
            desk.ask(&key, "POST", "/v1/prices/preview", Some(question))
        };
        let told = ask("2026-12-24T09:00:00Z", json!(["members"]));
        assert_eq!(
            (told.status.as_u16(), &told.json["totals"]["gross"]["amount"]),
            (200, &json!(1500)),
            "{}",
            told.text
        );
        assert_eq!(told.json["lines"][0]["discounts"][0]["promotion"], json!(id));
        assert_eq!(told.json["promotions"], json!([{"promotion": id, "amount": 1500}]));
        for (at, groups, why) in [
            ("2026-12-23T23:59:59Z", json!(["members"]), "time"),
            ("2026-12-24T09:00:00Z", json!([]), "customer"),
        ] {
            let told = ask(at, groups);
            assert_eq!(told.json["totals"]["gross"]["amount"], 3000, "{}", told.text);
            assert_eq!(told.json["promotions"], json!([{"promotion": id, "amount": 0, "why": why}]));
        }
        let wrong = json!({"channel": channel, "lines": [{"sku": "NONE", "quantity": 1}], "coupons": ["NO-SUCH"], "promotions": [id]});
        let refused = desk.ask(&key, "POST", "/v1/prices/preview", Some(wrong));
        assert_eq!(
            (refused.status.as_u16(), &refused.json["errors"][0]["field"]),
            (422, &json!("lines.0.sku")),
            "{}",
            refused.text
        );
        let many = json!({"channel": channel, "lines": [], "promotions": []});
        assert_eq!(desk.ask(&key, "POST", "/v1/prices/preview", Some(many)).status, 422);
        let reader = key_for(shop, &[Permission::ReadCatalogue]);
        let plain = json!({"channel": channel, "lines": [{"sku": "MUG", "quantity": 1}]});
        assert_eq!(desk.ask(&reader, "POST", "/v1/prices/preview", Some(plain)).status, 403);
    });
}

#[test]
fn a_past_period_is_simulated() {
    on_every_engine(|shop| {
        let (desk, key, channel) = open(shop);
        assert_eq!(count(&crowd(shop, (&key, &channel), 10, None), "ordered"), 10);
        let made = desk.ask(&key, "POST", "/v1/promotions", Some(half(false, json!([]))));
        let id = made.json["id"].as_str().unwrap_or_default().to_owned();
        let from = shop.shop.source.now();
        shop.pass(3600);
        let until = shop.shop.source.now();
        let asked =
            json!({"added": [id], "from": from.plus_seconds(-3600).to_string(), "until": until.to_string()});
        let begun = desk.ask(&key, "POST", "/v1/promotion-simulations", Some(asked));
        assert_eq!((begun.status.as_u16(), &begun.json["done"]), (201, &json!(false)), "{}", begun.text);
        for _ in 0..4 {
            engine::job::turn(&shop.shop, &engine::job::registry()).expect("a turn");
        }
        let path = format!("/v1/promotion-simulations/{}", begun.json["id"].as_str().unwrap_or_default());
        let done = desk.ask(&key, "GET", &path, None);
        let sum = json!({"channel": channel, "currency": "GBP", "orders": 10, "touched": 10, "was": 10_000, "becomes": 5000});
        assert_eq!(
            (&done.json["done"], &done.json["unlike"], &done.json["sums"]),
            (&json!(true), &json!(0), &json!([sum])),
            "{}",
            done.text
        );
        assert_eq!(done.json["given"][0]["amount"], 5000);
        let listed = desk.ask(&key, "GET", "/v1/promotion-simulations", None);
        assert_eq!(listed.json["items"].as_array().map_or(0, Vec::len), 1, "{}", listed.text);
        let empty = json!({"from": until.to_string(), "until": from.to_string()});
        let refused = desk.ask(&key, "POST", "/v1/promotion-simulations", Some(empty));
        assert_eq!(
            (refused.status.as_u16(), refused.json["errors"].as_array().map_or(0, Vec::len)),
            (422, 2),
            "{}",
            refused.text
        );
    });
}
