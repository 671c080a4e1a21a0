//! Payments over the API: shown, taken, given back, each once per key, and refused clearly.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use domain::payment::receivable::TEST_ACCOUNT;
use domain::payment::reconcile::{Side, Theirs};
use domain::payment::{Kind, Timing};
use domain::value::id::{Order, Payment};
use domain::value::{Currency, Id, Instant, LocalDay, Money};
use engine::payment::{self, NewPayment, Operation, Verdict, reconciliation};
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

const ORDER: Id<Order> = Id::from_bytes([7; 16]);

fn pay(shop: &TestShop, kind: Kind, external_id: Option<&'static str>) -> Id<Payment> {
    let create = shop.run(move |tx, actor, world| {
        let new = NewPayment {
            order: ORDER,
            kind,
            amount: Money::new(1000, Currency::parse("GBP").expect("pounds")).expect("ten pounds"),
            timing: Timing::WhenAsked,
            provider_token: kind.has_provider().then(|| "tok_ok".into()),
            account: None,
            credit: None,
            points: None,
            card: None,
            location: None,
            expires_at: None,
            external_id: external_id.map(Into::into),
        };
        payment::create(tx, actor, world, new)
    });
    create.expect("a payment").id
}

/// Asks with a key of its own, as everything that moves money must be.
fn keyed(desk: &Desk, token: &str, key: &str, path: &str, body: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    desk.send("POST", path, &headers, Some(body))
}

#[test]
fn a_payment_is_shown_taken_and_given_back_once_per_key() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, &[Permission::ReadOrders, Permission::TakePayments]);
        let id = pay(shop, Kind::Test, Some("PSP-1"));
        let authorised = Verdict::Done { reference: Some("tp_1".into()) };
        shop.run(move |tx, actor, world| {
            payment::outcome(tx, actor, world, id, Operation::Authorise, &authorised)
        })
        .expect("it is authorised");

        let shown = desk.ask(&token, "GET", "/v1/payments/PSP-1", None);
        assert_eq!((shown.status.as_u16(), &shown.json["state"]), (200, &json!("authorised")));
        assert_eq!(shown.headers["etag"], "\"2\"");
        for round in 0..2 {
            let taken =
                keyed(&desk, &token, "take", &format!("/v1/payments/{id}/capture"), json!({"amount": 400}));
            assert_eq!(taken.json["captures"][0]["state"], "pending");
            assert_eq!(taken.headers.contains_key("idempotent-replayed"), round == 1);
        }
        let again = keyed(&desk, &token, "take", &format!("/v1/payments/{id}/capture"), json!({}));
        assert_eq!(again.code(), "idempotency_key_reused");
        let more =
            keyed(&desk, &token, "more", &format!("/v1/payments/{id}/capture"), json!({"amount": 601}));
        assert_eq!((more.status.as_u16(), more.code()), (409, "amount_exceeded"));
        assert_eq!(more.json["detail"], "GBP 6.00 of the payment can still be captured, GBP 6.01 asked");
        let void = keyed(&desk, &token, "void", "/v1/payments/PSP-1/void", json!(null));
        assert_eq!((void.status.as_u16(), void.code()), (409, "wrong_state"));
        let listed = desk.ask(&token, "GET", &format!("/v1/orders/{ORDER}/payments"), None);
        assert_eq!(listed.json["items"][0]["id"], id.to_string());
    });
}

#[test]
fn a_bank_transfer_is_recorded_and_given_back() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let token = key_for(&shop, &[Permission::ReadOrders, Permission::TakePayments]);
    let id = pay(&shop, Kind::Manual, None);
    let arrived = keyed(&desk, &token, "1", &format!("/v1/payments/{id}/receipt"), json!({}));
    assert_eq!(
        (&arrived.json["state"], &arrived.json["captured"]["amount"]),
        (&json!("captured"), &json!(1000))
    );
    let returned = keyed(&desk, &token, "2", &format!("/v1/payments/{id}/refund"), json!({"amount": 1000}));
    assert_eq!(
        (&returned.json["state"], &returned.json["refunds"][0]["state"]),
        (&json!("refunded"), &json!("done"))
    );
}

#[test]
fn who_may_not_or_asks_wrongly_is_told_so() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let reader = key_for(&shop, &[Permission::ReadOrders]);
    let id = pay(&shop, Kind::Cash, None);
    let path = format!("/v1/payments/{id}/refund");
    assert_eq!(keyed(&desk, &reader, "1", &path, json!({})).code(), "forbidden");
    let taker = key_for(&shop, &[Permission::TakePayments]);
    assert_eq!(desk.ask(&taker, "GET", &format!("/v1/payments/{id}"), None).code(), "forbidden");
    assert_eq!(desk.ask(&taker, "POST", &path, Some(json!({}))).code(), "unreadable");
    assert_eq!(keyed(&desk, &taker, "2", &path, json!({"amount": 0})).code(), "invalid");
    assert_eq!(keyed(&desk, &taker, "3", &path, json!({"much": 5})).code(), "invalid");
    assert_eq!(keyed(&desk, &taker, "4", &path, json!({"amount": i64::MAX})).code(), "amount_exceeded");
    assert_eq!(keyed(&desk, &taker, "5", "/v1/payments/PSP-9/refund", json!({})).code(), "not_found");
    let unsigned = desk.send("POST", "/v1/payments/webhooks/test", &[], Some(json!({})));
    assert_eq!((unsigned.status.as_u16(), unsigned.code()), (401, "sign_in_failed"));
}

#[test]
fn payment_accounts_keep_their_secrets() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let token = key_for(shop, &[Permission::ReadPlaces, Permission::EditPlaces]);
        let body = json!({"code": "stripe-gb", "name": "Stripe", "kind": "stripe", "secret_key": "sk_test_1", "currency": "GBP"});
        let made = desk.ask(&token, "POST", "/v1/payment-accounts", Some(body.clone()));
        assert_eq!((made.status.as_u16(), &made.json["hears"]), (201, &json!(false)), "{}", made.text);
        assert_eq!(made.json["url"], "https://api.stripe.com");
        assert!(!made.text.contains("sk_test_1"));
        assert_eq!(desk.ask(&token, "POST", "/v1/payment-accounts", Some(body)).code(), "already_exists");

        let path = format!("/v1/payment-accounts/{}", made.json["id"].as_str().expect("an id"));
        let bearer = format!("Bearer {token}");
        let change = |version: &str, body: Value| {
            let headers = [("authorization", bearer.as_str()), ("if-match", version)];
            desk.send("PATCH", &path, &headers, Some(body))
        };
        let heard = change("\"1\"", json!({"webhook_secret": "whsec_1", "active": false}));
        assert_eq!((&heard.json["hears"], &heard.json["active"]), (&json!(true), &json!(false)));
        assert_eq!(change("\"1\"", json!({"name": "Late"})).code(), "stale");
        assert_eq!(
            change("\"2\"", json!({"secret_key": "pk_live_1"})).json["errors"][0]["field"],
            "secret_key"
        );
        let moved = change("\"2\"", json!({"url": "https://stripe.example.com"}));
        assert_eq!(moved.json["errors"][0]["field"], "secret_key", "{}", moved.text);
        let listed = desk.ask(&token, "GET", "/v1/payment-accounts", None);
        assert!(!listed.text.contains("whsec_1"));
        assert_eq!(listed.json["items"][0]["version"], 2);
    });
}

#[test]
fn a_secret_key_is_not_sent_in_the_open() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let token = key_for(&shop, &[Permission::EditPlaces]);
    let open = ["http://api.stripe.com", "http://127.0.0.1.example.com", "https://me@example.com", "ftp://x"];
    let private = ["http://127.0.0.1:8420", "https://10.0.0.1", "https://localhost", "https://[::1]/v1"];
    for url in open.into_iter().chain(private) {
        let body = json!({"code": "s", "name": "", "kind": "paypal", "url": url, "secret_key": "sk_1", "currency": "XX"});
        let refused = desk.ask(&token, "POST", "/v1/payment-accounts", Some(body));
        let fields: Vec<_> = refused.json["errors"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|one| one["field"].clone())
            .collect();
        assert_eq!(fields, ["name", "kind", "url", "currency"], "{url}");
    }
}

/// What the provider says of the last day of May: a capture nobody here knows of.
fn an_unknown_capture() -> Theirs {
    Theirs {
        side: Side::Captured,
        reference: "ch_1".into(),
        key: None,
        payment: None,
        payment_reference: None,
        amount: 70,
        currency: Currency::parse("GBP").expect("pounds"),
        fee: None,
        at: Instant::parse("2026-05-31T12:00:00Z").expect("noon"),
        takes_back: false,
    }
}

#[test]
fn a_compared_day_is_read_and_cleared_by_who_may() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let clerk = key_for(shop, &[Permission::Reconcile]);
        let path = "/v1/payment-accounts/test/reconciliations";
        for day in ["2026-06-01", "soon"] {
            let refused = desk.ask(&clerk, "POST", path, Some(json!({"day": day})));
            assert_eq!(refused.json["errors"][0]["field"], "day", "{}", refused.text);
        }
        let unknown = format!("{path}/2026-05-31");
        assert_eq!(desk.ask(&clerk, "GET", &unknown, None).code(), "not_found");
        let asked = desk.ask(&clerk, "POST", path, Some(json!({"day": "2026-05-31"})));
        assert_eq!((asked.status.as_u16(), &asked.json["state"]), (202, &json!("asked")), "{}", asked.text);
        let day = (TEST_ACCOUNT, LocalDay::parse("2026-05-31").expect("a day"));
        let answered = shop.run(move |tx, actor, world| {
            let asked = reconciliation::asked(tx, day)?;
            reconciliation::answered(tx, actor, world, &asked, &[an_unknown_capture()])
        });
        answered.expect("it is compared");

        let report = desk.ask(&clerk, "GET", &unknown, None).json;
        assert_eq!((&report["state"], &report["open_differences"]), (&json!("differs"), &json!(1)));
        assert_eq!((&report["account"], &report["totals"][0]["left_there"]), (&json!("test"), &json!(70)));
        assert_eq!(desk.ask(&clerk, "GET", path, None).json["items"][0]["day"], "2026-05-31");
        let line = desk.ask(&clerk, "GET", &format!("{unknown}/lines"), None).json["items"][0].clone();
        assert_eq!((&line["outcome"], &line["reference"]), (&json!("missing_here"), &json!("ch_1")));
        assert_eq!(line["theirs"], json!({"amount": 70, "currency": "GBP"}));
        let clear = format!("{unknown}/lines/{}/clear", line["id"].as_str().expect("an id"));
        let reader = key_for(shop, &[Permission::ReadOrders]);
        let why = json!({"reason": "the old till's"});
        assert_eq!(keyed(&desk, &reader, "1", &clear, why.clone()).code(), "forbidden");
        let none = keyed(&desk, &clerk, "2", &clear, json!({"reason": " "}));
        assert_eq!(none.json["errors"][0]["field"], "reason", "{}", none.text);
        for _ in 0..2 {
            let cleared = keyed(&desk, &clerk, "3", &clear, why.clone());
            assert_eq!(cleared.json["cleared"]["reason"], "the old till's", "{}", cleared.text);
        }
        assert_eq!(keyed(&desk, &clerk, "4", &clear, why).code(), "wrong_state");
        assert_eq!(desk.ask(&clerk, "GET", &unknown, None).json["state"], "equal");
    });
}

#[test]
fn a_market_says_which_means_come_first() {
    on_every_engine(|shop| {
        let market = Retailer::open(shop, &["leeds"]).market;
        let desk = Desk::of(shop);
        let editor = key_for(shop, &[Permission::ReadPlaces, Permission::EditPolicies]);
        let path = format!("/v1/markets/{market}/payment-sequence");
        let usual = desk.ask(&editor, "GET", &path, None);
        assert_eq!((&usual.json["version"], &usual.json["refund"]["rest"]), (&json!(0), &json!("as_given")));
        let bearer = format!("Bearer {editor}");
        let put = |version: &str, body: &Value| {
            let headers = [("authorization", bearer.as_str()), ("if-match", version)];
            desk.send("PUT", &path, &headers, Some(body.clone()))
        };
        let rule = json!({"capture": {"kinds": ["points", "gift_card"], "rest": "as_given"},
            "refund": {"kinds": [], "rest": "latest_first"}});
        let set = put("\"0\"", &rule);
        assert_eq!((set.status.as_u16(), &set.json["version"]), (200, &json!(1)), "{}", set.text);
        assert_eq!(set.json["capture"], rule["capture"]);
        assert_eq!(put("\"0\"", &rule).code(), "stale");
        let wrong = json!({"capture": {"kinds": ["points", "shells"], "rest": "as_given"},
            "refund": {"kinds": ["cash", "cash"], "rest": "latest_first"}});
        let fields: Vec<_> = put("\"1\"", &wrong).json["errors"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|one| one["field"].clone())
            .collect();
        assert_eq!(fields, ["capture.kinds.1", "refund.kinds.1"]);
        let versions = desk.ask(&editor, "GET", &format!("{path}/versions"), None);
        assert_eq!(versions.json["items"][0]["version"], 1);
    });
}
