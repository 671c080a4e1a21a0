//! S07: the last piece is sold once, whoever is first. That a flash sale of 500 pieces to 1,500 buyers sells exactly 500 is held by
//! `crates/app/tests/crowd.rs`; here a till and the web shop want one piece, one after the other and at once.

use std::thread;

use domain::stock::State as Stock;
use serde_json::{Value, json};
use sim::client::Client;
use sim::stand::{Bought, buy};

use crate::floor::{Floor, on_every_engine};

fn over_the_counter(till: &str) -> Value {
    json!({ "channel": till, "lines": [{ "variant": "MUG", "quantity": 1 }] })
}

/// Buys one mug: did it become an order? Any refusal is that there is none left.
fn gets_one(client: &Client, key: &str, cart: &Value) -> bool {
    match buy(client, key, cart, false).unwrap() {
        Bought::Order(_) => true,
        Bought::Refused(status, code) => {
            assert_eq!((status, code.as_str()), (409, "out_of_stock"));
            false
        }
    }
}

fn promised(floor: &Floor) -> Value {
    floor.list("/v1/availability?channel=web&variants=MUG")[0]["promisable"].clone()
}

#[test]
fn s07_the_last_piece_is_sold_once() {
    on_every_engine([1, 1], |floor| {
        let ((till, cashier), client, web) = (floor.till(0), floor.client(), floor.cart(1, None));
        let counter = over_the_counter(&till);
        // The one in Leeds goes over the counter, the one in York to the web shop; then nobody gets one.
        assert_eq!(promised(floor), 2);
        assert!(gets_one(&cashier, "first", &counter));
        assert_eq!(promised(floor), 1);
        assert!(gets_one(&client, "second", &web));
        assert_eq!(promised(floor), 0);
        assert!(!gets_one(&client, "third", &web) && !gets_one(&cashier, "fourth", &counter));
        assert_eq!((floor.count(0, Stock::Available), floor.count(1, Stock::Committed)), (0, 1));
    });
    on_every_engine([1, 0], |floor| {
        let ((till, cashier), client, web) = (floor.till(0), floor.client(), floor.cart(1, None));
        let counter = over_the_counter(&till);
        assert!(gets_one(&client, "first", &web));
        assert!(!gets_one(&cashier, "second", &counter));
    });
}

#[test]
fn s07_till_and_web_want_the_last_pieces_at_once() {
    on_every_engine([5, 0], |floor| {
        let (till, cashier) = floor.till(0);
        let carts = [(cashier, over_the_counter(&till)), (floor.client(), floor.cart(1, None))];
        let sold: usize = thread::scope(|scope| {
            let buyers: Vec<_> = (0..16)
                .map(|number| {
                    let (client, cart) = &carts[number % 2];
                    scope.spawn(move || gets_one(client, &format!("buyer-{number}"), cart))
                })
                .collect();
            buyers.into_iter().map(|buyer| usize::from(buyer.join().unwrap())).sum()
        });
        assert_eq!((sold, promised(floor)), (5, json!(0)));
    });
}
