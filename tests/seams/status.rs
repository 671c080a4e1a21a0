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

/// Takes a step, and holds what everybody is told of it against the page: by stream and by link within a second, and the last event.
fn told_after(
    floor: &Floor,
    (order, link): (&str, &str),
    streams: &[Receiver<(Value, Instant)>],
    (stage, event): (&str, &str),
    step: impl Fn(),
) {
    step();
    let done = now();
    let page = floor.get(&format!("/v1/orders/{order}/status"));
    assert_eq!(page["stage"]["code"], stage, "{page}");
    assert_eq!(floor.get(link), page);
    assert!(floor.told(order).iter().any(|kind| kind == event), "{event} is missing");
    for heard in streams {
        // What came before the whole step was done is one of its parts.
        let came = loop {
            let (status, at) = heard.recv_timeout(Duration::from_secs(5)).expect("a status in time");
            if status == page {
                break at;
            }
        };
        assert!(came.saturating_duration_since(done) < SOON, "{stage} was told too late");
    }
}

#[test]
fn s20_what_the_customer_is_told_is_what_the_store_did() {
    on_every_engine([3, 3], |floor| {
        let order = floor.order(2, Some("york"));
        let made = floor.must(&format!("/v1/orders/{order}/status-links"), &json!({ "days": 1 }));
        let link = made["path"].as_str().expect("a path").to_owned();
        let streams = [format!("/v1/orders/{order}/status/stream"), format!("{link}/stream")]
            .map(|path| follow(floor, &path));
        let part = floor.part(&order, 0);
        let seen = (order.as_str(), link.as_str());
        let told = |stage, event, step: &dyn Fn()| told_after(floor, seen, &streams, (stage, event), step);
        told("accepted", "order.placed", &|| {});
        told("picking", "fulfilment.picking", &|| {
            floor.step(&part, "start-picking", &json!(null));
        });
        told("held", "fulfilment.held", &|| {
            floor.step(&part, "hold", &json!({ "reason": "the handle looks cracked" }));
        });
        told("picking", "fulfilment.released", &|| {
            floor.step(&part, "release", &json!(null));
        });
        told("packed", "fulfilment.packed", &|| {
            floor.step(&part, "pick", &json!({ "lines": [{ "variant": "MUG", "quantity": 2 }] }));
            floor.step(&part, "pack", &json!(null));
        });
        told("ready_for_pickup", "fulfilment.ready", &|| {
            floor.step(&part, "ready", &json!(null));
        });
        told("ready_for_pickup", "pickup.arrived", &|| {
            floor.step(&part, "arrive", &json!({ "bay": "2" }));
        });
        told("collected", "pickup.handed_over", &|| {
            let code = floor.get(&format!("{part}/visit"))["code"].clone();
            floor.step(&part, "hand-over", &json!({ "code": code }));
        });
        told("collected", "order.completed", &|| {
            let line = floor.get(&format!("/v1/orders/{order}"))["lines"][0]["id"].clone();
            let back = json!({ "location": "leeds", "reason": "too small",
                "lines": [{ "line": line, "quantity": 1, "condition": "resellable" }] });
            floor.must(&format!("/v1/orders/{order}/returns"), &back);
        });
    });
}
