//! What a customer is told of an order: the same on the page, on the live stream and by a mailed link, as soon as a colleague did something.

use crate::desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::retailer::a_channel;
use sim::stand::a_cart;
use sim::{Retailer, TestShop, on_every_engine};
use tandem_http::server::Settings;

/// A web shop that sends parcels from two stores and lets customers collect, and somebody who may do everything.
struct Floor<'s> {
    shop: &'s TestShop,
    desk: Desk,
    key: String,
    mug: Id<Variant>,
}

impl<'s> Floor<'s> {
    fn open(shop: &'s TestShop, settings: Settings) -> Floor<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
        retailer.parcel(shop, 395, &["web"]);
        retailer.collecting(shop, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        (0..2).for_each(|place| retailer.stock(shop, mug, place, 3));
        Floor { shop, desk: Desk::with(shop, settings), key: key_for(shop, Permission::ALL), mug }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", path)];
        self.desk.send("POST", path, &headers, Some(body.clone()))
    }

    fn must(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.desk.ask(&self.key, "GET", path, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json
    }

    /// A paid order of mugs, sent by parcel or collected: its path.
    fn order(&self, mugs: i64, collected_at: Option<&str>) -> String {
        let mut cart = a_cart(&[(self.mug, mugs)], "ada@example.com");
        if let Some(location) = collected_at {
            cart["delivery"] = json!({ "method": "collect", "location": location });
        }
        let cart = self.desk.ask(&self.key, "POST", "/v1/carts", Some(cart)).json;
        let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().expect("a cart"));
        let placed = self.must(&path, &json!({ "payments": [{ "kind": "cash" }] }));
        format!("/v1/orders/{}", placed["id"].as_str().expect("an order"))
    }

    fn part(&self, order: &str, number: usize) -> String {
        let whole = self.get(order);
        format!(
            "{order}/fulfilment-orders/{}",
            whole["fulfilment_orders"][number]["id"].as_str().expect("a part")
        )
    }
}

fn codes(status: &Value) -> (&str, Vec<&str>, Vec<&str>) {
    let of = |list: &'static str, field: &'static str| {
        let list = status[list].as_array().expect("a list").iter();
        list.map(move |one| if field.is_empty() { &one["code"] } else { &one[field]["code"] })
            .map(|code| code.as_str().expect("a code"))
            .collect()
    };
    (status["stage"]["code"].as_str().expect("a code"), of("parts", "stage"), of("can", ""))
}

#[test]
fn what_waits_in_a_store_is_told_with_code_and_bay() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, Settings::default());
        let order = floor.order(2, Some("york"));
        let status = || floor.get(&format!("{order}/status"));
        assert_eq!(codes(&status()), ("accepted", vec!["accepted"], vec!["cancel", "change"]));
        let part = floor.part(&order, 0);
        floor.must(&format!("{part}/start-picking"), &json!(null));
        assert_eq!(codes(&status()).0, "picking");
        floor.must(&format!("{part}/ready"), &json!(null));
        let ready = status();
        assert_eq!(codes(&ready), ("ready_for_pickup", vec!["ready_for_pickup"], vec!["arrive"]));
        assert_eq!(ready["parts"][0]["place"]["name"], "york");
        let visit = floor.get(&format!("{part}/visit"));
        assert_eq!(ready["parts"][0]["pickup"]["code"], visit["code"]);
        let reader = key_for(shop, &[Permission::ReadOrders]);
        let seen = floor.desk.ask(&reader, "GET", &format!("{order}/status"), None).json;
        assert_eq!((&seen["stage"], &seen["parts"][0]["pickup"]["code"]), (&ready["stage"], &Value::Null));
        floor.must(&format!("{part}/arrive"), &json!({ "bay": "2" }));
        let arrived = status();
        assert_eq!((codes(&arrived).2, &arrived["parts"][0]["pickup"]["bay"]), (vec![], &json!("2")));
        floor.must(&format!("{part}/hand-over"), &json!({ "code": visit["code"] }));
        let done = status();
        assert_eq!(codes(&done), ("collected", vec!["collected"], vec!["return"]));
        assert_eq!(done["parts"][0]["pickup"]["code"], Value::Null, "a used code is of no use");
        let line = done["lines"][0]["line"].clone();
        let back = json!({ "location": "leeds", "reason": "too small",
            "lines": [{ "line": line, "quantity": 2, "condition": "resellable" }] });
        floor.must(&format!("{order}/returns"), &back);
        let back = status();
        assert_eq!((codes(&back).2, &back["lines"][0]["returned"]), (vec![], &json!(2)));
        assert_eq!(back["returns"][0]["refund"], json!({ "amount": 1000, "currency": "GBP" }));
        assert_eq!((&back["total"]["amount"], &back["refunded"]["amount"]), (&json!(0), &json!(1000)));
    });
}

#[test]
fn a_part_that_moved_is_told_once() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, Settings::default());
        let order = floor.order(2, None);
        let part = floor.part(&order, 0);
        floor.must(&format!("{part}/start-picking"), &json!(null));
        floor.must(&format!("{part}/short-pick"), &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
        let moved = floor.get(&format!("{order}/status?language=de-AT"));
        assert_eq!(
            codes(&moved),
            ("accepted", vec!["accepted"], vec!["cancel", "change"]),
            "the rejected part is not a customer's matter"
        );
        assert_eq!(
            (&moved["stage"]["words"], &moved["language"]),
            (&json!("Wir haben Ihre Bestellung"), &json!("de-AT"))
        );
        floor.must(&format!("{}/ship", floor.part(&order, 1)), &json!({ "tracking": "JD1" }));
        let sent = floor.get(&format!("{order}/status"));
        assert_eq!((codes(&sent).0, &sent["parts"][0]["tracking"]), ("shipped", &json!("JD1")));
        let refused = floor.desk.ask(&floor.key, "GET", &format!("{order}/status?language=tlh"), None);
        assert_eq!((refused.status.as_u16(), &refused.json["errors"][0]["field"]), (422, &json!("language")));
    });
}

#[test]
fn the_stream_tells_what_the_page_shows() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, Settings::default());
        let (order, other) = (floor.order(1, Some("york")), floor.order(1, None));
        let path = format!("{order}/status/stream");
        let mut stream = floor.desk.follow(&floor.key, &path, None);
        assert_eq!(codes(&stream.next().1).0, "accepted");
        floor.must(&format!("{}/ship", floor.part(&other, 0)), &json!({}));
        let part = floor.part(&order, 0);
        floor.must(&format!("{part}/start-picking"), &json!(null));
        let (seen, picking) = stream.next();
        assert_eq!(picking, floor.get(&format!("{order}/status")));
        assert_eq!(codes(&picking).0, "picking");
        drop(stream);
        floor.must(&format!("{part}/ready"), &json!(null));
        let mut again = floor.desk.follow(&floor.key, &path, Some(&seen));
        let (seen, ready) = again.next();
        assert_eq!(codes(&ready).0, "ready_for_pickup");
        drop(again);
        let mut nothing_new = floor.desk.follow(&floor.key, &path, Some(&seen));
        floor.must(&format!("{part}/arrive"), &json!({ "bay": "1" }));
        assert_eq!(nothing_new.next().1["parts"][0]["pickup"]["state"], "arrived");
    });
}

#[test]
fn a_link_shows_the_order_until_it_is_withdrawn_or_expires() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, Settings::default());
        let order = floor.order(1, None);
        let link = floor.must(&format!("{order}/status-links"), &json!({ "days": 2 }));
        let path = link["path"].as_str().expect("a path").to_owned();
        let open = |path: &str| floor.desk.send("GET", path, &[], None);
        assert_eq!(open(&path).json, floor.get(&format!("{order}/status")));
        let mut stream = floor.desk.follow("", &format!("{path}/stream"), None);
        assert_eq!(codes(&stream.next().1).0, "accepted");
        let second = floor.must(&format!("{order}/status-links"), &json!({ "days": 1 }));
        assert_ne!(second["token"], link["token"]);
        shop.pass(86_400);
        let expired = open(second["path"].as_str().expect("a path"));
        assert_eq!((expired.status.as_u16(), expired.code()), (404, "not_found"));
        assert_eq!(open(&path).status, 200);
        for _ in 0..2 {
            let withdrawn = floor.desk.ask(&floor.key, "DELETE", &format!("{order}/status-links"), None);
            assert_eq!(withdrawn.status, 204, "{}", withdrawn.text);
        }
        assert_eq!(open(&path).status, 404);
        assert_eq!(open("/v1/order-status/abc").status, 404);
        stream.ends();
    });
}

#[test]
fn who_may_not_or_asks_too_much_is_told_so() {
    let shop = TestShop::on_sqlite(1);
    let floor = Floor::open(&shop, Settings { status_streams_at_once_max: 1, ..Settings::default() });
    let order = floor.order(1, None);
    for days in [0, 366] {
        let refused = floor.post(&format!("{order}/status-links"), &json!({ "days": days }));
        assert_eq!((refused.status.as_u16(), &refused.json["errors"][0]["field"]), (422, &json!("days")));
    }
    for _ in 0..20 {
        floor.must(&format!("{order}/status-links"), &json!(null));
    }
    let more = floor.post(&format!("{order}/status-links"), &json!(null));
    assert_eq!((more.status.as_u16(), more.code()), (409, "wrong_state"));
    let reader = key_for(floor.shop, &[Permission::ReadOrders]);
    assert_eq!(floor.desk.ask(&reader, "GET", &format!("{order}/status"), None).status, 200);
    let refused = floor.desk.ask(&reader, "POST", &format!("{order}/status-links"), Some(json!({})));
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "forbidden"));
    let open = floor.desk.follow(&floor.key, &format!("{order}/status/stream"), None);
    let busy = floor.desk.ask(&floor.key, "GET", &format!("{order}/status/stream"), None);
    assert_eq!((busy.status.as_u16(), busy.code()), (503, "unavailable"));
    drop(open);
    drop(floor.desk.follow(&floor.key, &format!("{order}/status/stream"), None));
}

#[test]
fn one_order_is_followed_by_so_many_and_no_more() {
    let shop = TestShop::on_sqlite(1);
    let floor = Floor::open(&shop, Settings::default());
    let (order, other) = (floor.order(1, None), floor.order(1, None));
    let path = format!("{order}/status/stream");
    let open: Vec<_> = (0..16).map(|_| floor.desk.follow(&floor.key, &path, None)).collect();
    assert_eq!(floor.desk.ask(&floor.key, "GET", &path, None).status, 503);
    drop(floor.desk.follow(&floor.key, &format!("{other}/status/stream"), None));
    drop(open);
    drop(floor.desk.follow(&floor.key, &path, None));
}
