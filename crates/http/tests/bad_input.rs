//! Bad input by hand: whatever nonsense comes, it is refused clearly, with the field named, and nothing in the shop is changed by it.

use std::cell::Cell;

use crate::desk::{Answer, Desk, key_for};
use domain::actor::key::KeyKind;
use domain::actor::{Permission, Permissions};
use domain::stock::State;
use domain::value::id::Variant;
use domain::value::{Id, Reference};
use engine::actor::key;
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

/// A shop with two stores, a mug on both shelves and a till in both, and a key that may do everything.
struct Story<'s> {
    shop: &'s TestShop,
    retailer: Retailer,
    desk: Desk,
    owner: String,
    mug: Id<Variant>,
    asked: Cell<u32>,
}

impl<'s> Story<'s> {
    fn begin(shop: &'s TestShop) -> Story<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        retailer.web(shop);
        retailer.till(shop, 0);
        retailer.till(shop, 1);
        let mug = retailer.sell(shop, "MUG", 999);
        for place in [0, 1] {
            retailer.stock(shop, mug, place, 100);
        }
        Story {
            shop,
            retailer,
            desk: Desk::of(shop),
            owner: key_for(shop, Permission::ALL),
            mug,
            asked: Cell::new(0),
        }
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask_by(&self.owner, method, path, body)
    }

    /// Asks under an idempotency key of its own.
    fn ask_by(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let (bearer, key) =
            (format!("Bearer {token}"), format!("key-{}", self.asked.replace(self.asked.get() + 1)));
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", &key), ("if-match", "\"1\"")];
        self.desk.send(method, path, &headers, (!body.is_null()).then_some(body))
    }

    /// Everything that ever happened: whatever changes the shop adds to it.
    fn history(&self) -> String {
        self.desk.ask(&self.owner, "GET", "/v1/events?limit=200", None).text
    }

    /// Insists that this is refused with the code, naming the field, and that nothing is changed by it.
    fn refuses(&self, method: &str, path: &str, body: &Value, (status, code, field): (u16, &str, &str)) {
        let before = self.history();
        let answer = self.ask(method, path, body.clone());
        let about = format!("{method} {path} {body:.200}: {}", answer.text);
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{about}");
        assert!(fields(&answer).contains(&field), "{field} is not named: {about}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{about}");
        assert!(self.history() == before, "changed by {about}");
    }
}

/// The fields a problem names; the empty one when it names none.
fn fields(answer: &Answer) -> Vec<&str> {
    let errors = answer.json["errors"].as_array();
    let named: Vec<_> = errors.into_iter().flatten().filter_map(|one| one["field"].as_str()).collect();
    if named.is_empty() { vec![""] } else { named }
}

fn cart(lines: &Value) -> Value {
    json!({"channel": "web", "lines": lines})
}

fn location(name: &str) -> Value {
    json!({"code": "hull", "name": name, "kind": "store", "time_zone": "Europe/London"})
}

#[test]
fn what_is_no_json_is_refused() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let before = story.history();
        let deep = format!("{{\"channel\": \"web\", \"lines\": [{}", "{\"quantity\": [".repeat(50_000));
        let bearer = format!("Bearer {}", story.owner);
        let bodies: [&[u8]; 9] = [
            b"",
            b"{\"channel\": \"web\"",
            b"{\"channel\": \"web\"} {}",
            b"{\"channel\": \"web\",}",
            b"{'channel': 'web'}",
            b"{\"channel\": \"\xff\xfe\"}",
            b"{\"channel\": \"\\ud83d\"}",
            b"{\"channel\": \"web\", \"lines\": [{\"sku\": \"MUG\", \"quantity\": 1e400}]}",
            b"{\"channel\": \"we\0b\"}",
        ];
        for body in bodies {
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let answer = story.desk.send_raw("POST", "/v1/carts", &headers, body.to_vec());
            let about = format!("{}: {}", String::from_utf8_lossy(body), answer.text);
            assert_eq!((answer.status.as_u16(), answer.code()), (400, "unreadable"), "{about}");
            assert!(
                answer.json["detail"].as_str().unwrap().starts_with("the body is not valid JSON: "),
                "{about}"
            );
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
            let answer =
                story.desk.send_raw("POST", "/v1/carts", &headers, b"{\"channel\": \"web\"}".to_vec());
            assert_eq!((answer.status.as_u16(), answer.code()), (415, "not_json"), "{kind}");
        }
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = story.desk.send_raw("POST", "/v1/carts", &headers, deep.into_bytes());
        assert_eq!(answer.status, 422, "{}", answer.text);
        let answer = story.desk.send_raw("POST", "/v1/carts", &headers, vec![b' '; (1 << 20) + 1]);
        assert_eq!((answer.status.as_u16(), answer.code()), (413, "too_large"));
        assert_eq!(story.history(), before);
    });
}

#[test]
fn deep_nesting_ends_where_it_begins() {
    let shop = TestShop::on_sqlite(1);
    let story = Story::begin(&shop);
    let bearer = format!("Bearer {}", story.owner);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let value = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let body = format!(
            "{{\"title\": {{\"text\": \"Mug\"}}, \"tax_class\": \"standard\", \"attributes\": {{\"care\": {value}}}}}"
        );
        let answer = story.desk.send_raw("POST", "/v1/products", &headers, body.into_bytes());
        assert!([400, 422].contains(&answer.status.as_u16()), "{}", answer.text);
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_place() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let quantities = [
            json!("2"),
            json!(1.5),
            json!(1e300),
            json!(null),
            json!([1]),
            json!(true),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(-1),
            json!(0),
            json!(1_000_000_001),
        ];
        for quantity in quantities {
            let body = cart(&json!([{"sku": "MUG", "quantity": 1}, {"sku": "MUG", "quantity": quantity}]));
            story.refuses("POST", "/v1/carts", &body, (422, "invalid", "lines.1.quantity"));
        }
        story.refuses("POST", "/v1/carts", &json!({"channel": ["web"]}), (422, "invalid", "channel"));
        story.refuses("POST", "/v1/carts", &json!([]), (422, "invalid", "body"));
        story.refuses(
            "POST",
            "/v1/carts",
            &json!({"channel": "web", "lines": {}}),
            (422, "invalid", "lines"),
        );
        let unknown = cart(&json!([{"sku": "MUG", "quantity": 1, "price": 1}]));
        story.refuses("POST", "/v1/carts", &unknown, (422, "invalid", "lines.0.price"));
        let twice = b"{\"channel\": \"web\", \"channel\": \"till-0\"}".to_vec();
        let bearer = format!("Bearer {}", story.owner);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = story.desk.send_raw("POST", "/v1/carts", &headers, twice);
        assert_eq!((answer.status.as_u16(), fields(&answer)[0]), (422, "channel"), "{}", answer.text);
    });
}

#[test]
fn numbers_at_the_edge_move_nothing() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        for number in [i64::MAX, i64::MIN, 1_000_000_001, -1_000_000_001] {
            let price =
                json!({"price_list": story.retailer.prices.to_string(), "variant": "MUG", "amount": number});
            story.refuses("POST", "/v1/prices", &price, (422, "invalid", "amount"));
            let line = json!({"variant": "MUG", "quantity": number});
            let receipt = json!({"location": "leeds", "lines": [line]});
            story.refuses("POST", "/v1/stock/receipts", &receipt, (422, "invalid", "lines.0.quantity"));
            let set = json!({"quantity": number});
            story.refuses("PUT", "/v1/stock/MUG/leeds", &set, (422, "invalid", "quantity"));
            let change = json!({"variant": "MUG", "location": "leeds", "change": number, "reason": "found"});
            story.refuses("POST", "/v1/stock/adjustments", &change, (422, "invalid", "change"));
            let level = json!({"variant": "MUG", "location": "leeds", "safety": number, "low_below": 0});
            story.refuses("PUT", "/v1/stock/levels", &level, (422, "invalid", "safety"));
            let path = format!("/v1/orders?limit={number}");
            story.refuses("GET", &path, &Value::Null, (422, "invalid", "limit"));
        }
        for limit in ["9223372036854775808", "1e3", "-", "%00", "1.0"] {
            let path = format!("/v1/orders?limit={limit}");
            story.refuses("GET", &path, &Value::Null, (400, "unreadable", ""));
        }
        assert_eq!(story.retailer.count(shop, story.mug, 0, State::Available), 100);
    });
}

#[test]
fn names_of_all_scripts_are_welcome_and_deceptive_ones_are_not() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let deceptive = [
            "Leeds\u{202e}kroY",
            "\u{2066}Leeds\u{2069}",
            "Le\u{0}eds",
            "Leeds\nYork",
            "Le\u{2028}eds",
            "\u{7f}",
            "\u{200b}",
            " ",
            "",
        ];
        let deceptive = deceptive.map(str::to_owned).into_iter().chain([
            "x".repeat(256),
            "é".repeat(500_000),
            "x".repeat(1_000_000),
        ]);
        for name in deceptive {
            story.refuses("POST", "/v1/locations", &location(&name), (422, "invalid", "name"));
        }
        for (place, name) in
            ["متجر ليدز", "חנות לידס", "🛍️ Leeds 👩‍👩‍👧‍👦", "ร้านลีดส์", "𝕷𝖊𝖊𝖉𝖘", "Łódź", "x"].into_iter().enumerate()
        {
            let mut new = location(name);
            new["code"] = json!(format!("store-{place}"));
            let made = story.ask("POST", "/v1/locations", new);
            assert_eq!((made.status.as_u16(), &made.json["name"]), (201, &json!(name)), "{}", made.text);
        }
        let mut contact = json!({"channel": "web", "contact": {"name": "Ada\u{202e}", "country": "GB"}});
        story.refuses("POST", "/v1/carts", &contact, (422, "invalid", "contact.name"));
        contact["contact"]["name"] = json!("أدا 🌹");
        assert_eq!(story.ask("POST", "/v1/carts", contact).status, 201);
    });
}

#[test]
fn wrong_ids_find_nothing() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let (other_kind, unknown) = (story.mug.to_string(), "chn_01jd0000000000000000000000".to_owned());
        for id in [
            other_kind,
            unknown,
            "nowhere".into(),
            "web\u{0}".into(),
            "'; drop table carts; --".into(),
            "../web".into(),
            "🛒".into(),
            String::new(),
            "x".repeat(10_000),
        ] {
            let answer = story.ask("POST", "/v1/carts", json!({"channel": id}));
            assert!([404, 422].contains(&answer.status.as_u16()), "{id:.40}: {}", answer.text);
            assert_eq!(fields(&answer), ["channel"], "{id:.40}: {}", answer.text);
        }
        for id in [
            "nowhere",
            "cart_01jd0000000000000000000000",
            "var_01jd0000000000000000000000",
            "cart_",
            "%2e%2e",
            "%F0%9F%9B%92",
            "'%20or%201=1",
        ] {
            story.refuses("GET", &format!("/v1/carts/{id}"), &Value::Null, (404, "not_found", ""));
        }
        for id in ["%ff", "%00", "web%00"] {
            story.refuses("GET", &format!("/v1/carts/{id}"), &Value::Null, (400, "unreadable", ""));
        }
    });
}

#[test]
fn foreign_currency_is_refused() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        for currency in ["EUR", "XYZ", "gbp", "GB", "", "£"] {
            let code = if currency == "EUR" { "currency_mismatch" } else { "invalid" };
            story.refuses(
                "POST",
                "/v1/carts",
                &json!({"channel": "web", "currency": currency}),
                (422, code, "currency"),
            );
            let agreed = cart(
                &json!([{"sku": "MUG", "quantity": 1, "unit_price": {"amount": 1, "currency": currency}}]),
            );
            story.refuses("POST", "/v1/carts", &agreed, (422, code, "lines.0.unit_price"));
            let back = json!({"location": "leeds", "reason": "gift", "currency": currency,
                "lines": [{"variant": "MUG", "quantity": 1, "condition": "resellable", "refund": 399}]});
            story.refuses("POST", "/v1/returns", &back, (422, code, "currency"));
        }
        let made = story.ask(
            "POST",
            "/v1/carts",
            json!({"channel": "till-0", "lines": [{"sku": "MUG", "quantity": 1}]}),
        );
        let path = format!("/v1/carts/{}/checkout", made.json["id"].as_str().expect("an id"));
        let foreign =
            json!({"expected_total": {"amount": 999, "currency": "EUR"}, "payments": [{"kind": "cash"}]});
        story.refuses("POST", &path, &foreign, (422, "currency_mismatch", "expected_total"));
        for amount in [i64::MAX, i64::MIN, 0] {
            let too_much = json!({"payments": [{"kind": "cash", "amount": amount}]});
            story.refuses("POST", &path, &too_much, (422, "invalid", "payments.0.amount"));
        }
    });
}

#[test]
fn an_expired_session_changes_nothing() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let token = shop.run(engine::actor::setup_token).unwrap();
        let owner = json!({"token": token, "name": "Ada Byron", "email": "ada@example.com", "password": "a few words to keep in mind"});
        let session = story.desk.send("POST", "/v1/setup", &[], Some(owner));
        let cookie = session.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let csrf = session.json["csrf_token"].as_str().unwrap().to_owned();
        let headers = [("cookie", cookie.as_str()), ("x-csrf-token", &csrf), ("idempotency-key", "one")];
        let class = |code: &str| Some(json!({"code": code, "name": "Class"}));
        assert_eq!(story.desk.send("POST", "/v1/tax-classes", &headers, class("books")).status, 201);
        shop.pass(8 * 24 * 3600);
        let before = story.history();
        for headers in [
            &headers[..],
            &[("cookie", "tandem_session=nonsense"), headers[1]],
            &[("cookie", "tandem_session=%00")],
        ] {
            let refused = story.desk.send("POST", "/v1/tax-classes", headers, class("food"));
            assert_eq!(
                (refused.status.as_u16(), refused.code()),
                (401, "sign_in_failed"),
                "{}",
                refused.text
            );
        }
        assert_eq!(story.history(), before);
    });
}

/// A key with all permissions that only count at one location.
fn colleague_of(story: &Story<'_>, place: usize) -> String {
    let location = Some(Reference::Id(story.retailer.locations[place]));
    let permissions = Permissions::of(Permission::ALL);
    let new =
        key::NewKey { name: "colleague".into(), kind: KeyKind::Secret, permissions, channel: None, location };
    story.shop.run(move |tx, actor, world| key::create(tx, actor, world, new.clone())).expect("a key").1
}

/// Sells a mug at a till, to be handed over at once; the order.
fn sell(story: &Story<'_>, token: &str, till: &str) -> Answer {
    let made = story.ask_by(
        token,
        "POST",
        "/v1/carts",
        json!({"channel": till, "lines": [{"sku": "MUG", "quantity": 1}]}),
    );
    if made.status != 201 {
        return made;
    }
    let path = format!("/v1/carts/{}/checkout", made.json["id"].as_str().expect("an id"));
    story.ask_by(token, "POST", &path, json!({"payments": [{"kind": "cash"}]}))
}

/// What a colleague of another store may try: method, path, body.
type Attempt = (&'static str, String, Value);

fn on_the_stock(story: &Story<'_>) -> Vec<Attempt> {
    let hold = json!({"variant": "MUG", "location": "leeds", "quantity": 1, "expires_at": "2026-12-01T18:00:00Z", "reference": "counter"});
    let held = story.ask("POST", "/v1/stock/holds", hold.clone());
    let held = format!("/v1/stock/holds/MUG/{}/release", held.json["id"].as_str().expect("an id"));
    vec![
        (
            "POST",
            "/v1/stock/receipts".into(),
            json!({"location": "leeds", "lines": [{"variant": "MUG", "quantity": 1}]}),
        ),
        (
            "POST",
            "/v1/stock/adjustments".into(),
            json!({"variant": "MUG", "location": "leeds", "change": -1, "reason": "lost"}),
        ),
        (
            "POST",
            "/v1/stock/moves".into(),
            json!({"variant": "MUG", "location": "leeds", "from": "available", "to": "display", "quantity": 1}),
        ),
        ("PUT", "/v1/stock/MUG/leeds".into(), json!({"quantity": 0})),
        (
            "PUT",
            "/v1/stock/levels".into(),
            json!({"variant": "MUG", "location": "leeds", "safety": 1, "low_below": 1}),
        ),
        ("POST", "/v1/stock/holds".into(), hold),
        ("POST", held, Value::Null),
        ("GET", "/v1/stock/MUG/leeds/history".into(), Value::Null),
    ]
}

fn on_the_place(story: &Story<'_>) -> Vec<Attempt> {
    let back = json!({"location": "leeds", "reason": "gift", "currency": "GBP", "lines": [{"variant": "MUG", "quantity": 1, "condition": "resellable", "refund": 1}]});
    vec![
        ("PATCH", "/v1/locations/leeds".into(), json!({"active": false})),
        ("GET", "/v1/locations/leeds/fulfilment-orders".into(), Value::Null),
        ("POST", "/v1/returns".into(), back),
        (
            "POST",
            "/v1/prices".into(),
            json!({"price_list": story.retailer.prices.to_string(), "variant": "MUG", "amount": 1}),
        ),
        ("GET", "/v1/orders?channel=till-0".into(), Value::Null),
        ("GET", "/v1/events".into(), Value::Null),
        ("GET", "/v1/api-keys".into(), Value::Null),
    ]
}

fn on_the_trade(story: &Story<'_>) -> Vec<Attempt> {
    let sold = sell(story, &story.owner, "till-0");
    assert_eq!(sold.status, 201, "{}", sold.text);
    let order = format!("/v1/orders/{}", sold.json["id"].as_str().expect("an id"));
    let line = &sold.json["lines"][0]["id"];
    let parcel = format!(
        "{order}/fulfilment-orders/{}",
        sold.json["fulfilment_orders"][0]["id"].as_str().expect("an id")
    );
    let payment = format!("/v1/payments/{}", sold.json["payments"][0]["id"].as_str().expect("an id"));
    let waiting = story.ask(
        "POST",
        "/v1/carts",
        json!({"channel": "till-0", "lines": [{"sku": "MUG", "quantity": 1}]}),
    );
    let waiting = format!("/v1/carts/{}", waiting.json["id"].as_str().expect("an id"));
    vec![
        ("POST", "/v1/carts".into(), json!({"channel": "till-0"})),
        ("GET", waiting.clone(), Value::Null),
        ("PATCH", waiting.clone(), json!({"note": "mine now"})),
        ("POST", format!("{waiting}/lines"), json!({"sku": "MUG", "quantity": 1})),
        ("POST", format!("{waiting}/checkout"), json!({"payments": [{"kind": "cash"}]})),
        ("GET", order.clone(), Value::Null),
        ("POST", format!("{order}/cancel"), json!({"reason": "customer"})),
        ("POST", format!("{order}/payments"), json!({"kind": "cash", "amount": 1})),
        (
            "POST",
            format!("{order}/returns"),
            json!({"location": "leeds", "reason": "x", "lines": [{"line": line, "quantity": 1, "condition": "resellable"}]}),
        ),
        ("POST", format!("{parcel}/hand-over"), Value::Null),
        ("GET", payment.clone(), Value::Null),
        ("POST", format!("{payment}/refund"), json!({"amount": 1})),
        ("POST", format!("{payment}/void"), Value::Null),
    ]
}

#[test]
fn another_stores_colleague_may_do_nothing_here() {
    on_every_engine(|shop| {
        let story = Story::begin(shop);
        let york = colleague_of(&story, 1);
        let attempts = [on_the_stock(&story), on_the_place(&story), on_the_trade(&story)].concat();
        let before = story.history();
        for (method, path, body) in attempts {
            let answer = story.ask_by(&york, method, &path, body.clone());
            let outcome = (answer.status.as_u16(), answer.code());
            assert!(
                [(403, "forbidden"), (404, "not_found")].contains(&outcome),
                "{method} {path} {body}: {}",
                answer.text
            );
        }
        assert!(story.history() == before, "the colleague of york changed something in leeds");
        let own = sell(&story, &york, "till-1");
        assert_eq!(own.status, 201, "{}", own.text);
    });
}
