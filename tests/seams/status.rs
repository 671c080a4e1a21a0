//! S20: what the customer is told agrees with what the store did a second ago, on the page, on the live stream, by the mailed link and in the
//! journal.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::floor::{Floor, on_every_engine};

/// How soon a change must be told.
const SOON: Duration = Duration::from_secs(1);

/// Follows a stream from another thread: each status with the moment it came.
fn follow(floor: &Floor, path: &str) -> Receiver<(Value, Instant)> {
    let (teller, heard) = channel();
    let statuses = floor.client().follow(path).unwrap();
    thread::spawn(move || {
        for (_, status) in statuses {
            if teller.send((status, now())).is_err() {
                return;
            }
        }
    });
    heard
}

#[expect(clippy::disallowed_methods, reason = "how soon really is measured on a real clock")]
fn now() -> Instant {
    Instant::now()
}

/// A customer who follows an order, with a key and by a mailed link.
struct Customer<'f> {
    floor: &'f Floor,
    order: String,
    link: String,
    streams: [Receiver<(Value, Instant)>; 2],
}

impl<'f> Customer<'f> {
    fn of(floor: &'f Floor, order: &str) -> Customer<'f> {
        let made = floor.must(&format!("/v1/orders/{order}/status-links"), &json!({ "days": 1 }));
        let link = made["path"].as_str().expect("a path").to_owned();
        let streams = [format!("/v1/orders/{order}/status/stream"), format!("{link}/stream")]
            .map(|path| follow(floor, &path));
        Customer { floor, order: order.to_owned(), link, streams }
    }

    /// Takes a step, and holds what everybody is told of it against the page: by stream and by link within a second. Answers the page.
    fn told(&self, stage: &str, step: impl FnOnce()) -> Value {
        step();
        let done = now();
        let page = self.floor.get(&format!("/v1/orders/{}/status", self.order));
        assert_eq!(page["stage"]["code"], stage, "{page}");
        assert_eq!(self.floor.get(&self.link), page);
        for heard in &self.streams {
            // What came before the whole step was done is one of its parts.
            let came = loop {
                let (status, at) = heard.recv_timeout(Duration::from_secs(5)).expect("a status in time");
                if status == page {
                    break at;
                }
            };
            assert!(came.saturating_duration_since(done) < SOON, "{stage} was told too late: {page}");
        }
        page
    }

    /// As [`Customer::told`], and the journal tells it too.
    fn told_and_noted(&self, stage: &str, event: &str, step: impl FnOnce()) {
        self.told(stage, step);
        assert!(self.floor.told(&self.order).iter().any(|kind| kind == event), "{event} is missing");
    }
}

#[test]
fn s20_what_the_customer_is_told_is_what_the_store_did() {
    on_every_engine([3, 3], |floor| {
        let order = floor.order(2, Some("york"));
        let customer = Customer::of(floor, &order);
        let part = floor.part(&order, 0);
        let step = |stage, event, step: &str, body: Value| {
            customer.told_and_noted(stage, event, || drop(floor.step(&part, step, &body)));
        };
        customer.told_and_noted("accepted", "order.placed", || {});
        step("picking", "fulfilment.picking", "start-picking", json!(null));
        step("held", "fulfilment.held", "hold", json!({ "reason": "the handle looks cracked" }));
        step("picking", "fulfilment.released", "release", json!(null));
        customer.told_and_noted("packed", "fulfilment.packed", || {
            floor.step(&part, "pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
            floor.step(&part, "pack", &json!(null));
        });
        step("ready_for_pickup", "fulfilment.ready", "ready", json!(null));
        step("ready_for_pickup", "pickup.arrived", "arrive", json!({ "bay": "2" }));
        let code = floor.get(&format!("{part}/visit"))["code"].clone();
        step("collected", "pickup.handed_over", "hand-over", json!({ "code": code }));
        customer.told_and_noted("collected", "order.completed", || {
            let line = floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].clone();
            let back = json!({ "location": "leeds", "reason": "too small",
                "lines": [{ "line": line, "quantity": 1, "condition": "resellable" }] });
            floor.must(&format!("/v1/orders/{order}/returns"), &back);
        });
    });
}

#[test]
fn s20_goods_sent_to_where_they_are_collected_are_followed_on_their_way() {
    on_every_engine([4, 1], |floor| {
        floor.put("/v1/delivery-methods/collect/sending", &json!({ "network": "all", "days": 2 }));
        let order = floor.order(3, Some("york"));
        let customer = Customer::of(floor, &order);
        let coming = || {
            let open = floor.list("/v1/locations/york/transfer-orders?direction=in&open=true");
            format!("/v1/transfer-orders/{}", open[0]["id"].as_str().expect("an id"))
        };
        let sent = customer.told("on_its_way_to_pickup", || {});
        assert!(sent["parts"][0]["expected_at"].is_string(), "{sent}");
        let mugs = |many: i64| json!({ "lines": [{ "variant": "MUG", "quantity": many }] });
        let first = coming();
        floor.must(&format!("{first}/ship"), &json!({}));
        // One comes in time, the other is lost on the way and sent again.
        floor.must(&format!("{first}/receive"), &mugs(1));
        customer.told("on_its_way_to_pickup", || {
            drop(floor.must(&format!("{first}/close"), &json!({ "reason": "lost" })))
        });
        let second = coming();
        assert_ne!(first, second);
        floor.must(&format!("{second}/ship"), &json!({}));
        let here = customer.told("accepted", || drop(floor.must(&format!("{second}/receive"), &mugs(1))));
        assert_eq!(here["parts"][0].get("expected_at"), None, "{here}");
        let part = floor.part(&order, 0);
        customer.told("ready_for_pickup", || drop(floor.step(&part, "ready", &json!(null))));
    });
}

#[test]
fn s20_parcels_are_followed_to_the_door() {
    on_every_engine([3, 0], |floor| {
        let van = json!({ "code": "van", "name": "Own van", "external_id": "van", "kind": "own_van", "collections": "mo-su 24:00" });
        floor.must("/v1/carriers", &van);
        let order = floor.order(3, None);
        let customer = Customer::of(floor, &order);
        let part = floor.part(&order, 0);
        floor.step(&part, "pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 3 }] }));
        let pack = |pieces: i64| {
            let lines = json!([{ "variant": "MUG", "quantity": pieces }]);
            let packed = floor.step(&part, "parcels", &json!({ "lines": lines, "carrier": "van" }));
            format!("/v1/orders/{order}/parcels/{}", packed["id"].as_str().expect("a parcel"))
        };
        let mut parcels = Vec::new();
        let page = customer.told("picking", || parcels.push(pack(1)));
        assert_eq!(
            (page["parcels"].as_array().map(Vec::len), &page["parcels"][0]["carrier"]),
            (Some(1), &json!("Own van"))
        );
        let page =
            customer.told("picking", || drop(floor.must(&format!("{}/unpack", parcels[0]), &json!(null))));
        assert_eq!(page["parcels"], json!([]), "it was unpacked");
        customer.told("packed", || parcels.extend([pack(1), pack(2)]));
        customer.told("partly_on_its_way", || drop(floor.must(&format!("{}/ship", parcels[1]), &json!({}))));
        customer.told("shipped", || drop(floor.must(&format!("{}/ship", parcels[2]), &json!({}))));
        let attempt = |parcel: &str, outcome: &str| {
            drop(floor.must(&format!("{parcel}/attempt"), &json!({ "outcome": outcome })))
        };
        let page = customer.told("shipped", || attempt(&parcels[1], "not_at_home"));
        assert_eq!(page["parcels"][0]["attempts"], 1, "{page}");
        let page = customer.told("shipped", || attempt(&parcels[1], "delivered"));
        assert_eq!(page["parcels"][0]["state"]["code"], "delivered", "{page}");
        customer.told("delivered", || attempt(&parcels[2], "delivered"));
    });
}

#[test]
fn s20_what_comes_back_is_followed_until_the_money_is_there() {
    on_every_engine([5, 0], |floor| {
        let order = floor.order(4, None);
        floor.step(&floor.part(&order, 0), "ship", &json!({ "tracking": "JD1" }));
        let customer = Customer::of(floor, &order);
        let line = floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].clone();
        let asked = json!({ "order": order, "way": "post", "reason": "changed_mind", "lines": [{ "line": line, "quantity": 1 }] });
        let made = std::cell::Cell::new(json!(null));
        let page = customer.told("shipped", || made.set(floor.must("/v1/returns/requests", &asked)));
        assert_eq!(page["returns"][0]["state"]["code"], "approved", "{page}");
        let one = made.take();
        let path = format!("/v1/returns/{}", one["id"].as_str().expect("a return"));
        let piece = &one["lines"][0]["id"];
        let state_after = |step: &str, body: Value| {
            let page = customer.told("shipped", || drop(floor.must(&format!("{path}/{step}"), &body)));
            page["returns"][0]["state"]["code"].as_str().expect("a state").to_owned()
        };
        let here = json!({ "location": "york", "lines": [{ "line": piece, "quantity": 1 }] });
        assert_eq!(state_after("receive", here), "received");
        let graded = json!({ "lines": [{ "line": piece, "quantity": 1, "condition": "resellable" }] });
        assert_eq!(state_after("inspect", graded), "refunded");

        let claim = json!({ "order": order, "kind": "damaged", "reason": "not_arrived", "lines": [{ "line": line, "quantity": 1 }] });
        let page = customer.told("shipped", || made.set(floor.must("/v1/claims", &claim)));
        assert_eq!(page["claims"][0]["state"], "approved", "{page}");
        let resolve = format!("/v1/claims/{}/resolve", made.take()["id"].as_str().expect("a claim"));
        let page = customer.told("shipped", || drop(floor.must(&resolve, &json!({ "remedy": "refund" }))));
        assert_eq!(
            (&page["claims"][0]["remedy"], &page["refunded"]["amount"]),
            (&json!("refund"), &json!(1000)),
            "{page}"
        );

        let back = json!({ "location": "leeds", "reason": "too_small", "lines": [{ "line": line, "quantity": 1, "condition": "resellable" }] });
        let exchange = json!({ "order": order, "back": back, "cart": floor.cart_at_york(1), "payments": [] });
        let page = customer.told("shipped", || made.set(floor.must("/v1/exchanges", &exchange)));
        assert_eq!(page["exchanges"][0]["new_order"], made.take()["exchange"]["new_order"], "{page}");
    });
}

#[test]
fn s20_changes_are_followed_from_the_question_to_the_answer() {
    on_every_engine([5, 0], |floor| {
        let order = floor.order(3, None);
        let customer = Customer::of(floor, &order);
        let line = customer.told("accepted", || {})["lines"][0]["line"].clone();
        let changes = format!("/v1/orders/{order}/changes");
        let remove = json!({ "reason": "the customer called", "actions": [{ "remove": { "line": line, "quantity": 1 } }] });
        let shown = std::cell::Cell::new(json!(null));
        let state = |page: &Value| page["changes"][0]["state"]["code"].as_str().expect("a state").to_owned();
        let page = customer.told("accepted", || shown.set(floor.must(&changes, &remove)));
        assert_eq!(state(&page), "previewed");
        let path = format!("{changes}/{}", shown.take()["id"].as_str().expect("a change"));
        let page = customer.told("accepted", || drop(floor.must(&format!("{path}/decline"), &json!(null))));
        assert_eq!(state(&page), "declined");
        customer.told("accepted", || shown.set(floor.must(&changes, &remove)));
        let change = shown.take();
        let path = format!("{changes}/{}", change["id"].as_str().expect("a change"));
        let yes = json!({ "expected_difference": change["difference"]["gross"], "payments": [] });
        let page = customer.told("accepted", || drop(floor.must(&format!("{path}/confirm"), &yes)));
        assert_eq!((state(&page).as_str(), &page["lines"][0]["cancelled"]), ("confirmed", &json!(1)));
        let cancel = format!("/v1/orders/{order}/cancel");
        let one = json!({ "reason": "customer", "lines": [{ "line": line, "quantity": 1 }] });
        let page = customer.told("accepted", || drop(floor.must(&cancel, &one)));
        assert_eq!(page["lines"][0]["cancelled"], 2, "{page}");
        customer.told("cancelled", || drop(floor.must(&cancel, &json!({ "reason": "customer" }))));
    });
}
