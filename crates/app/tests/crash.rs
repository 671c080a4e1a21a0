//! Crashes: the plug of the shop, or of its database, is pulled again and again while people buy. Who got no answer asks again under
//! the same key, and at the end there is one order with one payment for each purchase, and every piece is where the books say.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]
#![expect(clippy::disallowed_methods, reason = "a crash really comes after a while")]

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use domain::stock::State;
use domain::value::Id;
use domain::value::id::Variant;
use sim::chance::Chance;
use sim::client::Client;
use sim::postgres::{Durability, Private};
use sim::stand::{Bought, Stand, a_cart, buy};
use sim::{Retailer, TestShop};

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
