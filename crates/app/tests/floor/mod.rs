//! Busy floors: many colleagues work at once on the same orders and the same goods of a chain. They sell, pick, miss pieces, refuse, send,
//! cancel, take back, receive, count, send goods to each other and change orders, two of them often at the same order; and the plug is
//! pulled. Who got no answer asks again under the same key. In the end everything that was answered happened once, nothing else happened, and the books agree with themselves.

#![expect(clippy::disallowed_methods, reason = "a crash really comes after a while")]

mod between;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::company::Company;
use domain::ledger::AccountKey;
use domain::stock::{State, world};
use domain::value::Id;
use domain::value::id::Variant;
use engine::Failure;
use engine::stock::book_of;
use serde_json::{Value, json};
use sim::chance::Chance;
use sim::client::Client;
use sim::stand::{Stand, a_cart, until_answered};
use sim::{Retailer, TestShop};
use store::fulfilment::parcel;

/// Colleagues at once.
const COLLEAGUES: u64 = 8;
/// Pieces of each variant at each location when the day begins: few, so that they are fought for.
const PIECES: i64 = 40;
/// Steps of each colleague on a day without a crash.
const STEPS: usize = 60;
/// The least and the most milliseconds between a start and the next crash.
const BETWEEN_MS: (u64, u64) = (100, 700);
/// How often the day is looked at, twice a second, before it ends without having seen everything.
const LOOKS_MAX: u32 = 60;
/// What somebody must have done on a day.
const DONE: [&str; 12] = [
    "order",
    "pick",
    "short-pick",
    "reject",
    "ship",
    "return",
    "receive",
    "transfer",
    "send",
    "arrive",
    "post",
    "confirm",
];
/// The locations of a stand.
const PLACES: [&str; 5] = ["leeds", "york", "hull", "bath", "kent"];
/// Colleagues work on one of so many of the newest orders.
const RECENT: usize = 24;

/// How often the plug is pulled: fewer times in every run, as often as is said by hand.
fn rounds(usually: u64) -> u64 {
    env::var("TANDEM_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usually)
}

fn open(shop: TestShop, company: &Company) -> (Stand, Vec<Id<Variant>>) {
    let fill = |retailer: &Retailer, shop: &TestShop| {
        company.works_for(shop);
        let sold = |(number, price): (usize, i64)| retailer.sell(shop, &format!("SKU-{number}"), price);
        let variants: Vec<_> = [500, 1250, 99].into_iter().enumerate().map(sold).collect();
        for variant in &variants {
            (0..PLACES.len()).for_each(|place| retailer.stock(shop, *variant, place, PIECES));
        }
        variants
    };
    Stand::open(shop, Path::new(env!("CARGO_BIN_EXE_tandem")), fill)
}

/// What was answered: each line was done once, whatever happened on the way.
#[derive(Default)]
struct Answered {
    orders: BTreeSet<String>,
    returns: BTreeSet<String>,
    /// Pieces received, by variant.
    received: BTreeMap<Id<Variant>, i64>,
    /// What was done between places.
    between: between::Answered,
    /// Steps done and refused, by name.
    steps: BTreeMap<(&'static str, bool), usize>,
}

/// The day as all colleagues know it.
struct Day {
    variants: Vec<Id<Variant>>,
    orders: Mutex<Vec<String>>,
    answered: Mutex<Answered>,
}

impl Day {
    fn has_seen_everything(&self) -> bool {
        let answered = self.answered.lock().unwrap();
        DONE.iter().all(|name| answered.steps.contains_key(&(*name, true)))
    }
}

/// A day without a crash ends after its steps, or somewhat later if it has not seen everything by then.
fn is_over(steps: usize, day: &Day) -> bool {
    steps >= STEPS && (day.has_seen_everything() || steps >= 4 * STEPS)
}

/// One colleague, with a way to the shop and chance of their own.
struct Colleague<'d> {
    day: &'d Day,
    client: Client,
    number: u64,
    asked: usize,
    chance: Chance,
}

impl Colleague<'_> {
    /// Asks until there is an answer that stands: what was answered, or `None` for a refusal.
    fn ask(&mut self, name: &'static str, path: &str, body: &Value) -> Option<Value> {
        self.asked += 1;
        let key = format!("colleague-{}-{}", self.number, self.asked);
        let client = self.client.clone().with_header("idempotency-key", key);
        let reply = until_answered(&client, path, body).unwrap();
        let done = (200..300).contains(&reply.status);
        // Somebody else was faster, or there is none left; nothing else is said to a colleague who asks for what is on the shelf.
        let refused = matches!(reply.status, 409 | 422);
        assert!(done || refused, "{name} {path} {body}: {} {}", reply.status, reply.text());
        *self.day.answered.lock().unwrap().steps.entry((name, done)).or_insert(0) += 1;
        done.then(|| reply.json().unwrap())
    }

    fn place(&mut self) -> &'static str {
        self.chance.one_of::<&'static str>(&PLACES)
    }

    fn variant(&mut self) -> Id<Variant> {
        *self.chance.one_of(&self.day.variants)
    }

    /// One step of the day.
    fn step(&mut self) {
        match self.chance.below(15) {
            0..3 => self.sell(),
            3 => self.receive(),
            4 => self.take_back(),
            5..10 => self.between(),
            _ => self.work(),
        }
    }

    fn sell(&mut self) {
        let lines: Vec<_> = (0..=self.chance.below(2))
            .map(|_| (self.variant(), 1 + self.chance.below(3).cast_signed()))
            .collect();
        let Some(cart) = self.ask("cart", "/v1/carts", &a_cart(&lines, "ada@example.com")) else { return };
        let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap());
        let Some(order) = self.ask("order", &path, &json!({ "payments": [{ "kind": "cash" }] })) else {
            return;
        };
        let id = order["id"].as_str().unwrap().to_owned();
        assert!(self.day.answered.lock().unwrap().orders.insert(id.clone()), "{id} answers two purchases");
        self.day.orders.lock().unwrap().push(id);
    }

    fn receive(&mut self) {
        let (variant, location) = (self.variant(), self.place());
        let quantity = 1 + self.chance.below(6).cast_signed();
        let line = json!({ "variant": variant.to_string(), "quantity": quantity });
        let receipt = json!({ "location": location, "lines": [line] });
        if self.ask("receive", "/v1/stock/receipts", &receipt).is_some() {
            *self.day.answered.lock().unwrap().received.entry(variant).or_insert(0) += quantity;
        }
    }

    /// An order that somebody, perhaps several, work on.
    fn an_order(&mut self) -> Option<Value> {
        let id = {
            let orders = self.day.orders.lock().unwrap();
            let newest = orders.len().saturating_sub(RECENT)..orders.len();
            let recent = &orders[newest];
            (!recent.is_empty()).then(|| self.chance.one_of(recent).clone())?
        };
        let reply = patient_get(&self.client, &format!("/v1/orders/{id}"));
        Some(reply)
    }

    fn take_back(&mut self) {
        let Some(order) = self.an_order() else { return };
        let lines = order["lines"].as_array().unwrap();
        let line = self.chance.one_of(lines)["id"].clone();
        let condition = *self.chance.one_of(&["resellable", "damaged", "inspect"]);
        let back = json!({ "location": self.place(), "reason": "too small",
            "lines": [{ "line": line, "quantity": 1, "condition": condition }] });
        let path = format!("/v1/orders/{}/returns", order["id"].as_str().unwrap());
        if let Some(taken) = self.ask("return", &path, &back) {
            let id = taken["id"].as_str().unwrap().to_owned();
            assert!(self.day.answered.lock().unwrap().returns.insert(id), "one return answers two");
        }
    }

    /// The next step of a part of an order, whether or not a colleague just took it.
    fn work(&mut self) {
        let Some(order) = self.an_order() else { return };
        let id = order["id"].as_str().unwrap();
        if self.chance.happens(5) {
            self.ask("cancel", &format!("/v1/orders/{id}/cancel"), &json!({ "reason": "customer" }));
            return;
        }
        let open =
            |part: &&Value| !["shipped", "rejected", "cancelled"].contains(&part["state"].as_str().unwrap());
        let parts: Vec<&Value> = order["fulfilment_orders"].as_array().unwrap().iter().filter(open).collect();
        if parts.is_empty() {
            return;
        }
        let part = *self.chance.one_of(&parts);
        let path = format!("/v1/orders/{id}/fulfilment-orders/{}", part["id"].as_str().unwrap());
        let piece = &part["lines"][0];
        let one = json!({ "lines": [{ "variant": piece["variant"], "quantity": 1 }] });
        match self.chance.below(15) {
            0..3 => self.ask("start-picking", &format!("{path}/start-picking"), &json!(null)),
            3..6 => self.ask("pick", &format!("{path}/pick"), &one),
            6 | 7 => self.ask("short-pick", &format!("{path}/short-pick"), &one),
            8 => self.ask("reject", &format!("{path}/reject"), &json!({ "reason": "no hands" })),
            9 => self.ask("pack", &format!("{path}/pack"), &json!(null)),
            10 | 11 => {
                let parcel = json!({ "carrier": "test", "weight_grams": 500 });
                self.ask("parcel", &format!("{path}/parcels"), &parcel)
            }
            12 | 13 => self.leave_in_a_parcel(id),
            _ => self.ask("ship", &format!("{path}/ship"), &json!({ "tracking": "JD1" })),
        };
    }

    /// A parcel of an order leaves once its label is there.
    fn leave_in_a_parcel(&mut self, order: &str) -> Option<Value> {
        let parcels = patient_get(&self.client, &format!("/v1/orders/{order}/parcels"));
        let parcel = parcels.as_array().unwrap().last()?;
        let path = format!("/v1/orders/{order}/parcels/{}/ship", parcel["id"].as_str().unwrap());
        self.ask("ship-parcel", &path, &json!({}))
    }
}

/// Reads, also while the shop is down for a moment.
fn patient_get(client: &Client, path: &str) -> Value {
    loop {
        match client.get(path) {
            Ok(reply) if reply.status == 200 => return reply.json().unwrap(),
            Ok(reply) => {
                assert!([429, 503].contains(&reply.status), "{path}: {} {}", reply.status, reply.text())
            }
            Err(_) => {}
        }
        thread::sleep(Duration::from_millis(25));
    }
}

/// Colleagues work, each until it is `over` for them, while `meanwhile` happens; then everything is counted.
fn a_day(
    (stand, variants): (&mut Stand, Vec<Id<Variant>>),
    over: impl Fn(usize, &Day) -> bool + Sync,
    meanwhile: impl FnOnce(&mut Stand, &Day),
) {
    let day = Day { variants, orders: Mutex::default(), answered: Mutex::default() };
    let client = stand.client();
    thread::scope(|scope| {
        for number in 0..COLLEAGUES {
            let (day, client, over) = (&day, client.clone(), &over);
            scope.spawn(move || {
                let mut colleague = Colleague { day, client, number, asked: 0, chance: Chance::new(number) };
                let mut steps = 0;
                while !over(steps, day) {
                    colleague.step();
                    steps += 1;
                }
            });
        }
        meanwhile(stand, &day);
    });
    what_was_answered_happened_once(stand, &day.variants, day.answered.into_inner().unwrap());
}

fn what_was_answered_happened_once(stand: &Stand, variants: &[Id<Variant>], answered: Answered) {
    for name in DONE {
        assert!(answered.steps.contains_key(&(name, true)), "nobody did {name}: {:?}", answered.steps);
    }
    assert_eq!(
        stand.count(variants).orders,
        answered.orders,
        "what was confirmed is there, and nothing else"
    );
    let client = stand.client();
    let (mut sent, mut returns) = (BTreeMap::new(), BTreeSet::new());
    for order in &answered.orders {
        let whole = patient_get(&client, &format!("/v1/orders/{order}"));
        for part in
            whole["fulfilment_orders"].as_array().unwrap().iter().filter(|part| part["state"] == "shipped")
        {
            for line in part["lines"].as_array().unwrap() {
                *sent.entry(line["variant"].as_str().unwrap().to_owned()).or_insert(0) +=
                    line["quantity"].as_i64().unwrap();
            }
        }
        let back = patient_get(&client, &format!("/v1/orders/{order}/returns"));
        for one in back["items"].as_array().unwrap() {
            returns.insert(one["id"].as_str().unwrap().to_owned());
            for line in one["lines"].as_array().unwrap() {
                *sent.entry(line["variant"].as_str().unwrap().to_owned()).or_insert(0) -=
                    line["quantity"].as_i64().unwrap();
            }
        }
    }
    assert_eq!(returns, answered.returns, "what was taken back is there, and nothing else");
    for variant in variants {
        let received = answered.received.get(variant).copied().unwrap_or(0);
        let has = sent.get(&variant.to_string()).copied().unwrap_or(0);
        assert_eq!(balance(stand, *variant, world(State::Customer)), has, "with customers of {variant}");
        let came = balance(stand, *variant, world(State::Supplier))
            + balance(stand, *variant, world(State::Opening));
        assert_eq!(-came, received + PLACES.len() as i64 * PIECES, "received of {variant}");
    }
    stand.must_be_clean();
    answered.between.happened_once(stand, answered.orders.iter());
}

/// Each parcel has a label of its own, and the carrier was asked for no other.
fn each_parcel_has_its_label(stand: &Stand, company: &Company) {
    let orders = stand.count(&[]).orders;
    let parcels = stand.shop.read(move |tx| {
        let each = |order: &String| Ok(parcel::of_order(tx, Id::parse(order).unwrap())?);
        orders.iter().map(each).collect::<Result<Vec<_>, Failure>>()
    });
    let parcels: Vec<_> = parcels.unwrap().into_iter().flatten().collect();
    let labelled: Vec<_> = parcels.iter().filter_map(|parcel| parcel.tracking.clone()).collect();
    let own: BTreeSet<_> = labelled.iter().collect();
    assert_eq!(own.len(), labelled.len(), "no label is on two parcels");
    let asked = company.carrier.parcels();
    assert!(asked <= parcels.len(), "{asked} labels were made for {} parcels", parcels.len());
}

fn balance(stand: &Stand, variant: Id<Variant>, account: AccountKey) -> i64 {
    let read =
        stand.shop.read(move |tx| Ok::<_, Failure>(store::ledger::balances(tx, book_of(variant))?)).unwrap();
    read.into_iter().filter(|(key, _)| *key == account).map(|(_, amount)| amount).sum()
}

/// Pulls the plug again and again at random moments while colleagues work.
fn a_day_of_crashes(shop: TestShop, rounds: u64) {
    let company = Company::open();
    let (mut stand, variants) = open(shop, &company);
    let stop = AtomicBool::new(false);
    let over = |_, _: &Day| stop.load(Ordering::Relaxed);
    a_day((&mut stand, variants), over, |stand, day| {
        let mut chance = Chance::new(rounds);
        for _ in 0..rounds {
            let (least, most) = BETWEEN_MS;
            thread::sleep(Duration::from_millis(least + chance.below(most - least)));
            stand.server.kill().unwrap();
            stand.server.restart().unwrap();
        }
        // As long as the day has not seen everything once.
        for _ in 0..LOOKS_MAX {
            thread::sleep(Duration::from_millis(500));
            if day.has_seen_everything() {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    each_parcel_has_its_label(&stand, &company);
}

#[test]
fn crowd_of_colleagues_on_a_file() {
    let company = Company::open();
    let (mut stand, variants) = open(TestShop::on_sqlite(1), &company);
    a_day((&mut stand, variants), is_over, |_, _| ());
    each_parcel_has_its_label(&stand, &company);
}

#[test]
fn crowd_of_colleagues_on_postgres() {
    let company = Company::open();
    let (mut stand, variants) = open(TestShop::on_postgres(1), &company);
    a_day((&mut stand, variants), is_over, |_, _| ());
    each_parcel_has_its_label(&stand, &company);
}

#[test]
fn crash_while_colleagues_work_on_a_file() {
    a_day_of_crashes(TestShop::on_sqlite(1), rounds(10));
}

#[test]
fn crash_while_colleagues_work_on_postgres() {
    a_day_of_crashes(TestShop::on_postgres(1), rounds(6));
}
