//! Crowds: many buyers at once want the same few pieces. Everything is sold, nothing twice, and who comes too late is told so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use domain::contact::{Card, Draft};
use domain::stock::State;
use domain::value::Id;
use domain::value::id::Variant;
use engine::customer::{self, NewCustomer};
use serde_json::{Value, json};
use sim::stand::{Bought, Stand, a_cart, buy};
use sim::{Retailer, TestShop};

/// Buyers at once.
const BUYERS: usize = 64;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tandem"))
}

/// Tells the same story on a fresh shop of every engine.
fn on_every_engine<T>(fill: impl Fn(&Retailer, &TestShop) -> T, story: impl Fn(&Stand, T)) {
    for open in [TestShop::on_sqlite as fn(u64) -> TestShop, TestShop::on_postgres] {
        let (stand, filled) = Stand::open(open(1), program(), &fill);
        story(&stand, filled);
        stand.must_be_clean();
    }
}

/// Does work number 0, 1, 2 … until `end`, each once, by as many buyers at once.
fn crowd<T: Send>(end: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let buyer = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return done;
            }
            done.push(work(number));
        }
    };
    thread::scope(|scope| {
        let buyers: Vec<_> = (0..BUYERS).map(|_| scope.spawn(buyer)).collect();
        buyers.into_iter().flat_map(|buyer| buyer.join().unwrap()).collect()
    })
}

/// How many attempts became orders, and how many were refused with which status and code.
fn sell(
    stand: &Stand,
    attempts: usize,
    cart: impl Fn(usize) -> Value + Sync,
) -> (usize, BTreeMap<(u16, String), usize>) {
    let client = stand.client();
    let ends =
        crowd(attempts, |number| buy(&client, &format!("buyer-{number}"), &cart(number), false).unwrap());
    let (mut sold, mut refused) = (0, BTreeMap::new());
    for end in ends {
        match end {
            Bought::Order(_) => sold += 1,
            Bought::Refused(status, code) => *refused.entry((status, code)).or_insert(0) += 1,
        }
    }
    (sold, refused)
}

fn sold_out(times: usize) -> BTreeMap<(u16, String), usize> {
    BTreeMap::from([((409, "out_of_stock".to_owned()), times)])
}

fn mugs(each: i64) -> impl Fn(&Retailer, &TestShop) -> Id<Variant> {
    move |retailer, shop| {
        let mug = retailer.sell(shop, "MUG", 500);
        (0..retailer.locations.len()).for_each(|place| retailer.stock(shop, mug, place, each));
        mug
    }
}

/// Everything that was sold is in an order, has its payment and waits at a shelf to be sent.
fn all_of_it_is_sold(stand: &Stand, variants: &[Id<Variant>], (orders, units): (usize, i64)) {
    let count = stand.count(variants);
    assert_eq!((count.orders.len(), count.carts, count.payments), (orders, orders, orders));
    let left: i64 = variants.iter().map(|variant| stand.pieces(*variant, State::Available)).sum();
    let promised: i64 = variants.iter().map(|variant| stand.pieces(*variant, State::Committed)).sum();
    assert_eq!((count.units, count.open, promised, left), (units, units, units, 0));
}

#[test]
fn crowd_of_1500_wants_500_pieces_that_lie_at_five_locations() {
    on_every_engine(mugs(100), |stand, mug| {
        let ends = sell(stand, 1500, |number| a_cart(&[(mug, 1)], &format!("buyer-{number}@example.com")));
        assert_eq!(ends, (500, sold_out(1000)));
        all_of_it_is_sold(stand, &[mug], (500, 500));
    });
}

#[test]
fn crowd_of_one_account_gets_no_more_than_there_is() {
    let account = |retailer: &Retailer, shop: &TestShop| {
        let draft = Draft { name: Some("Ada Byron".into()), country: Some("GB".into()), ..Draft::default() };
        let card = Card::new(&draft).unwrap();
        let made = shop.run(move |tx, actor, world| {
            let new = NewCustomer { external_id: Some("ada".into()), card: card.clone(), groups: Vec::new() };
            customer::create(tx, actor, world, new)
        });
        made.unwrap();
        mugs(20)(retailer, shop)
    };
    on_every_engine(account, |stand, mug| {
        let line = json!({ "variant": mug.to_string(), "quantity": 1 });
        let cart = json!({ "channel": "web", "customer": "ada", "lines": [line], "delivery": { "method": "parcel" } });
        assert_eq!(sell(stand, 300, |_| cart.clone()), (100, sold_out(200)));
        all_of_it_is_sold(stand, &[mug], (100, 100));
    });
}

#[test]
fn crowd_of_one_mail_address_gets_no_more_than_there_is() {
    on_every_engine(mugs(20), |stand, mug| {
        let cart = a_cart(&[(mug, 1)], "ada@example.com");
        assert_eq!(sell(stand, 300, |_| cart.clone()), (100, sold_out(200)));
        all_of_it_is_sold(stand, &[mug], (100, 100));
    });
}

#[test]
fn crowd_wants_a_kit_and_what_is_in_it() {
    let tea = |retailer: &Retailer, shop: &TestShop| {
        let mug = mugs(60)(retailer, shop);
        let pot = retailer.sell(shop, "POT", 2500);
        (0..retailer.locations.len()).for_each(|place| retailer.stock(shop, pot, place, 20));
        (mug, pot, retailer.sell_kit(shop, "TEA", &[(mug, 2), (pot, 1)], 3000))
    };
    on_every_engine(tea, |stand, (mug, pot, set)| {
        // Each cart takes three mugs, two of them in the set: 300 mugs and 100 pots are enough for exactly 100 carts.
        let cart = a_cart(&[(set, 1), (mug, 1)], "ada@example.com");
        assert_eq!(sell(stand, 250, |_| cart.clone()), (100, sold_out(150)));
        all_of_it_is_sold(stand, &[mug, pot], (100, 400));
    });
}

#[test]
fn crowd_with_the_same_variant_twice_in_each_cart() {
    on_every_engine(mugs(20), |stand, mug| {
        let cart = a_cart(&[(mug, 1), (mug, 1)], "ada@example.com");
        assert_eq!(sell(stand, 150, |_| cart.clone()), (50, sold_out(100)));
        all_of_it_is_sold(stand, &[mug], (50, 100));
    });
}

#[test]
fn crowd_fills_one_cart_and_every_add_survives() {
    on_every_engine(mugs(100), |stand, mug| {
        let client = stand.client();
        let made = client.post("/v1/carts", &a_cart(&[(mug, 1)], "ada@example.com")).unwrap();
        let cart = made.json().unwrap()["id"].as_str().unwrap().to_owned();
        let line = json!({ "variant": mug.to_string(), "quantity": 1 });
        let added = crowd(199, |_| client.post(&format!("/v1/carts/{cart}/lines"), &line).unwrap().status);
        assert!(added.iter().all(|status| *status == 200), "{added:?}");
        let filled = client.get(&format!("/v1/carts/{cart}")).unwrap().json().unwrap();
        assert_eq!((&filled["lines"][0]["quantity"], &filled["version"]), (&200.into(), &200.into()));
        let buys = crowd(20, |number| {
            let client = client.clone().with_header("idempotency-key", format!("order-{number}"));
            let ordered = client
                .post(&format!("/v1/carts/{cart}/checkout"), &json!({ "payments": [{ "kind": "manual" }] }));
            ordered.unwrap().status
        });
        assert_eq!(
            buys.iter().filter(|status| **status == 201).count(),
            1,
            "a cart is ordered once: {buys:?}"
        );
        assert!(buys.iter().all(|status| matches!(status, 201 | 409)), "{buys:?}");
        let count = stand.count(&[mug]);
        assert_eq!((count.orders.len(), count.payments, count.units), (1, 1, 200));
    });
}
