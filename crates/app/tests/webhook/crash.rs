//! The plug is pulled while events are sent: each arrives in the end, some twice, always under the same id and in its order.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sim::shop::TestShop;
use sim::stand::{Stand, until_answered};
use tokio::runtime::Runtime;

use super::street::Receiver;

/// How often the plug is pulled, and how much happens in between.
const ROUNDS: usize = 4;
const EVENTS: usize = 25;

fn events(stand: &Stand) -> Vec<Value> {
    let page = stand.client().get("/v1/events?kind=tax_class.&limit=200").unwrap().json().unwrap();
    page["items"].as_array().unwrap().clone()
}

fn pull_the_plug_while_events_are_sent(shop: TestShop) {
    let runtime = Runtime::new().unwrap();
    let receiver = Receiver::open(&runtime);
    let (mut stand, ()) = Stand::open(shop, Path::new(env!("CARGO_BIN_EXE_tandem")), |_, _| ());
    let before = events(&stand).len();
    let endpoint = json!({ "url": receiver.url, "kinds": ["tax_class."] });
    assert_eq!(stand.client().post("/v1/webhook-endpoints", &endpoint).unwrap().status, 201);
    for round in 0..ROUNDS {
        for number in 0..EVENTS {
            let name = format!("class-{round}-{number}");
            let client = stand.client().with_header("idempotency-key", name.clone());
            let class = json!({ "code": name, "name": "Made while the plug is pulled" });
            assert_eq!(until_answered(&client, "/v1/tax-classes", &class).unwrap().status, 201);
        }
        stand.server.kill().unwrap();
        stand.server.restart().unwrap();
    }
    let all = events(&stand);
    assert_eq!(all.len(), before + ROUNDS * EVENTS);
    let missing = || {
        let heard = receiver.heard();
        all[before..].iter().filter(|event| heard.iter().all(|one| event["id"] != one.id.as_str())).count()
    };
    // A claim of a killed program holds for 25 seconds.
    for _ in 0..600 {
        if missing() == 0 {
            break;
        }
        runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(100)).await });
    }
    assert_eq!(missing(), 0, "each arrives");
    let mut bodies: BTreeMap<String, Value> = BTreeMap::new();
    let mut last: BTreeMap<i64, i64> = BTreeMap::new();
    for one in receiver.heard() {
        let event = one.event();
        let sequence: i64 = event["sequence"].as_str().unwrap().parse().unwrap();
        let end = last.entry(event["partition"].as_i64().unwrap()).or_default();
        let first = bodies.entry(one.id.clone()).or_insert_with(|| {
            assert!(sequence > *end, "in order when it comes first");
            event.clone()
        });
        assert_eq!((*first).clone(), event, "the same again");
        *end = sequence.max(*end);
    }
    assert_eq!(bodies.len(), ROUNDS * EVENTS);
    stand.must_be_clean();
}

#[test]
fn crash_of_the_shop_on_its_own_file() {
    pull_the_plug_while_events_are_sent(TestShop::on_sqlite(1));
}

#[test]
fn crash_of_the_shop_on_postgres() {
    pull_the_plug_while_events_are_sent(TestShop::on_postgres(1));
}
