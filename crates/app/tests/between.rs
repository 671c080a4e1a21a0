//! Crashes while goods arrive and counts are posted: the plug of the shop is pulled again and again. Who got no answer asks again under the
//! same key, and at the end every piece arrived once and every loss was booked once.

#![expect(clippy::disallowed_methods, reason = "a crash really comes after a while")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use domain::stock::State;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::TestShop;
use sim::chance::Chance;
use sim::client::Client;
use sim::stand::{Stand, until_answered};

/// How many transfer orders arrive, and how many counts are posted.
const EACH: i64 = 25;
/// Pieces of each variant at the first location.
const PIECES: i64 = 1_000;
/// The least and the most milliseconds between a start and the next crash.
const BETWEEN_MS: (u64, u64) = (100, 500);

/// Asks under a key until it is answered, and insists that it is done.
fn done(client: &Client, key: &str, path: &str, body: &Value) -> Value {
    let client = client.clone().with_header("idempotency-key", key);
    let reply = until_answered(&client, path, body).unwrap();
    assert!((200..300).contains(&reply.status), "{key}: {} {}", reply.status, reply.text());
    reply.json().unwrap()
}

/// Mugs arrive at York, one transfer order after the other.
fn receive_all(client: &Client) {
    for number in 0..EACH {
        let line = json!({ "variant": "MUG", "quantity": 1 });
        let new = json!({ "source": "leeds", "destination": "york", "reason": "replenish", "lines": [line.clone()] });
        let made = done(client, &format!("new-{number}"), "/v1/transfer-orders", &new);
        let path = format!("/v1/transfer-orders/{}", made["id"].as_str().unwrap());
        done(client, &format!("ship-{number}"), &format!("{path}/ship"), &json!({}));
        let got = json!({ "lines": [line] });
        let all = done(client, &format!("receive-{number}"), &format!("{path}/receive"), &got);
        assert_eq!(all["state"], "received");
    }
}

/// Cups are counted in Leeds again and again, and each time one is lost.
fn count_all(client: &Client) {
    for number in 0..EACH {
        let new = json!({ "location": "leeds", "variants": ["CUP"] });
        let asked = done(client, &format!("count-{number}"), "/v1/counts", &new);
        let path = format!("/v1/counts/{}", asked["id"].as_str().unwrap());
        let counted = json!({ "lines": [{ "variant": "CUP", "pieces": PIECES - number - 1 }] });
        done(client, &format!("tally-{number}"), &format!("{path}/tally"), &counted);
        done(client, &format!("finish-{number}"), &format!("{path}/finish"), &json!({}));
        done(client, &format!("post-{number}"), &format!("{path}/post"), &json!(null));
    }
}

fn crash_while_goods_move(shop: TestShop) {
    let program = Path::new(env!("CARGO_BIN_EXE_tandem"));
    let (mut stand, (mug, cup)) = Stand::open(shop, program, |retailer, shop| {
        let goods: (Id<Variant>, Id<Variant>) =
            (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 300));
        retailer.stock(shop, goods.0, 0, PIECES);
        retailer.stock(shop, goods.1, 0, PIECES);
        goods
    });
    let (client, over) = (stand.client(), AtomicBool::new(false));
    let mut chance = Chance::new(7);
    let crashes = thread::scope(|scope| {
        let (client, over) = (&client, &over);
        let workers = scope.spawn(move || {
            thread::scope(|scope| {
                scope.spawn(|| receive_all(client));
                scope.spawn(|| count_all(client));
            });
            over.store(true, Ordering::Relaxed);
        });
        let mut crashes = 0;
        while !workers.is_finished() && !over.load(Ordering::Relaxed) {
            let (least, most) = BETWEEN_MS;
            thread::sleep(Duration::from_millis(least + chance.below(most - least)));
            stand.server.kill().unwrap();
            stand.server.restart().unwrap();
            crashes += 1;
        }
        workers.join().unwrap();
        crashes
    });
    assert!(crashes > 0, "nothing crashed");
    let count = |variant, place, state| stand.retailer.count(&stand.shop, variant, place, state);
    assert_eq!((count(mug, 1, State::Available), count(mug, 1, State::InTransit)), (EACH, 0));
    assert_eq!(count(mug, 0, State::Available), PIECES - EACH);
    assert_eq!(count(cup, 0, State::Available), PIECES - EACH);
    stand.must_be_clean();
}

#[test]
fn crash_while_goods_move_on_sqlite() {
    crash_while_goods_move(TestShop::on_sqlite(1));
}

#[test]
fn crash_while_goods_move_on_postgres() {
    crash_while_goods_move(TestShop::on_postgres(1));
}
