//! Crashes: the plug of the shop, or of its database, is pulled again and again while people buy. Who got no answer asks again under
//! the same key, and at the end there is one order with one payment for each purchase, and every piece is where the books say.

#![expect(clippy::disallowed_methods, reason = "a crash really comes after a while")]

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::company::Company;
use domain::fulfilment::parcel::State as Standing;
use domain::stock::State;
use domain::value::Id;
use domain::value::id::Variant;
use serde_json::{Value, json};
use sim::chance::Chance;
use sim::client::Client;
use sim::postgres::{Durability, Private};
use sim::stand::{Bought, Stand, a_cart, buy, until_answered};
use sim::{Retailer, TestShop};
use store::fulfilment::parcel;

/// Buyers at once.
const BUYERS: usize = 8;
/// Pieces at each location: nobody is ever refused.
const PIECES: i64 = 1_000_000;
/// The least and the most milliseconds between a start and the next crash.
const BETWEEN_MS: (u64, u64) = (30, 600);

/// How often the plug is pulled: fewer times in every run, as often as is said by hand.
fn rounds(usually: u64) -> u64 {
    env::var("TANDEM_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usually)
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tandem"))
}

fn fill(retailer: &Retailer, shop: &TestShop) -> Id<Variant> {
    let mug = retailer.sell(shop, "MUG", 500);
    (0..retailer.locations.len()).for_each(|place| retailer.stock(shop, mug, place, PIECES));
    mug
}

/// Buys on and on until told to stop; answers the orders confirmed.
fn buyer(client: &Client, number: usize, mug: Id<Variant>, stop: &AtomicBool) -> Vec<String> {
    let mut orders = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let cart = a_cart(&[(mug, 1)], "ada@example.com");
        match buy(client, &format!("buyer-{number}-{}", orders.len()), &cart, true).unwrap() {
            Bought::Order(id) => orders.push(id),
            Bought::Refused(status, code) => panic!("nobody may be refused: {status} {code}"),
        }
    }
    orders
}

/// Lets people buy while `crash` happens again and again at random moments; then counts.
fn people_buy_while(stand: &mut Stand, mug: Id<Variant>, rounds: u64, crash: impl Fn(&mut Stand)) {
    let stop = AtomicBool::new(false);
    let client = stand.client();
    let mut chance = Chance::new(rounds);
    let confirmed: Vec<String> = thread::scope(|scope| {
        let (stop, client) = (&stop, &client);
        let buyers: Vec<_> =
            (0..BUYERS).map(|number| scope.spawn(move || buyer(client, number, mug, stop))).collect();
        for _ in 0..rounds {
            let (least, most) = BETWEEN_MS;
            thread::sleep(Duration::from_millis(least + chance.below(most - least)));
            crash(stand);
        }
        stop.store(true, Ordering::Relaxed);
        buyers.into_iter().flat_map(|buyer| buyer.join().unwrap()).collect()
    });
    let orders: BTreeSet<String> = confirmed.iter().cloned().collect();
    assert_eq!(orders.len(), confirmed.len(), "no order answers two purchases");
    assert!(orders.len() as u64 > rounds, "people bought {} times in {rounds} rounds", orders.len());
    let count = stand.count(&[mug]);
    assert_eq!(count.orders, orders, "what was confirmed is there, and nothing else");
    let bought = orders.len() as i64;
    assert_eq!(
        (count.carts, count.payments, count.units, count.open),
        (orders.len(), orders.len(), bought, bought)
    );
    let places = stand.retailer.locations.len() as i64;
    assert_eq!(stand.pieces(mug, State::Committed), bought);
    assert_eq!(stand.pieces(mug, State::Available), places * PIECES - bought);
    stand.must_be_clean();
}

fn pull_the_plug(stand: &mut Stand) {
    stand.server.kill().unwrap();
    stand.server.restart().unwrap();
}

#[test]
fn crash_of_the_shop_on_its_own_file() {
    let (mut stand, mug) = Stand::open(TestShop::on_sqlite(1), program(), fill);
    people_buy_while(&mut stand, mug, rounds(12), pull_the_plug);
}

#[test]
fn crash_of_the_shop_on_postgres() {
    let (mut stand, mug) = Stand::open(TestShop::on_postgres(1), program(), fill);
    people_buy_while(&mut stand, mug, rounds(6), pull_the_plug);
}

#[test]
fn crash_of_postgres_under_the_shop() {
    let postgres = Private::start(Durability::Full).unwrap();
    let shop = TestShop::on_database(postgres.database().unwrap(), 1);
    let (mut stand, mug) = Stand::open(shop, program(), fill);
    people_buy_while(&mut stand, mug, rounds(6), |_| {
        postgres.kill().unwrap();
        postgres.restart().unwrap();
    });
}

/// Buys, picks, packs and ships on and on until told to stop, each step under a key of its own; answers the orders shipped.
fn packer(client: &Client, number: usize, mug: Id<Variant>, stop: &AtomicBool) -> Vec<String> {
    let mut orders = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let round = orders.len();
        let ask = |step: &str, path: &str, body: &Value| {
            let client =
                client.clone().with_header("idempotency-key", format!("packer-{number}-{round}-{step}"));
            let reply = until_answered(&client, path, body).unwrap();
            (reply.status, reply.json().unwrap())
        };
        let (_, cart) = ask("cart", "/v1/carts", &a_cart(&[(mug, 1)], "ada@example.com"));
        let checkout = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
        let (_, placed) = ask("order", &checkout, &json!({ "payments": [{ "kind": "cash" }] }));
        let order = placed["id"].as_str().unwrap().to_owned();
        let part = placed["fulfilment_orders"][0]["id"].as_str().unwrap();
        let part = format!("/v1/orders/{order}/fulfilment-orders/{part}");
        let pieces = json!({ "lines": [{ "variant": "MUG", "quantity": 1 }] });
        assert_eq!(ask("pick", &format!("{part}/pick"), &pieces).0, 200);
        let (_, parcel) =
            ask("pack", &format!("{part}/parcels"), &json!({ "carrier": "test", "weight_grams": 500 }));
        let ship = format!("/v1/orders/{order}/parcels/{}/ship", parcel["id"].as_str().unwrap());
        // Until its label is there, a parcel does not leave; a refused command leaves its key free.
        while ask("ship", &ship, &json!({})).0 != 200 {
            thread::sleep(Duration::from_millis(20));
        }
        orders.push(order);
    }
    orders
}

#[test]
fn crash_of_the_shop_while_parcels_are_labelled_and_shipped() {
    let company = Company::open();
    let (mut stand, mug) = Stand::open(TestShop::on_sqlite(1), program(), |retailer, shop| {
        company.works_for(shop);
        fill(retailer, shop)
    });
    let (stop, client) = (AtomicBool::new(false), stand.client());
    let shipped: Vec<String> = thread::scope(|scope| {
        let (stop, client) = (&stop, &client);
        let packers: Vec<_> =
            (0..4).map(|number| scope.spawn(move || packer(client, number, mug, stop))).collect();
        let mut chance = Chance::new(7);
        for _ in 0..rounds(8) {
            thread::sleep(Duration::from_millis(100 + chance.below(600)));
            pull_the_plug(&mut stand);
        }
        stop.store(true, Ordering::Relaxed);
        packers.into_iter().flat_map(|packer| packer.join().unwrap()).collect()
    });
    assert!(!shipped.is_empty());
    let gone = shipped.len();
    let parcels = stand.shop.read(move |tx| {
        let each = |order: &String| Ok(parcel::of_order(tx, Id::parse(order).unwrap())?);
        shipped.iter().map(each).collect::<Result<Vec<_>, engine::Failure>>()
    });
    let mut numbers = BTreeSet::new();
    for of_order in parcels.unwrap() {
        assert_eq!(of_order.len(), 1, "one parcel for each order");
        assert_eq!(of_order[0].state, Standing::Shipped);
        numbers.extend(of_order[0].tracking.clone());
    }
    assert_eq!(
        (numbers.len(), company.carrier.parcels()),
        (gone, gone),
        "one label for each parcel, at the carrier too"
    );
    assert_eq!(stand.pieces(mug, State::Picked) + stand.pieces(mug, State::Committed), 0);
    let places = stand.retailer.locations.len() as i64;
    assert_eq!(stand.pieces(mug, State::Available), places * PIECES - gone as i64);
    stand.must_be_clean();
}
