//! A shop that stands open: the real program serves books that were filled beforehand, buyers come over HTTP, and afterwards every
//! order, payment and piece is counted in the books.

#![expect(clippy::disallowed_methods, reason = "a buyer really waits before he asks again")]

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use domain::actor::Permissions;
use domain::actor::key::KeyKind;
use domain::stock::State;
use domain::value::id::{Order, Variant};
use domain::value::{Id, Reference};
use engine::Failure;
use engine::actor::key::{self, NewKey};
use engine::check::check;
use serde_json::{Value, json};
use store::{fulfilment, order as orders, payment as payments};

use crate::client::{Client, Reply};
use crate::retailer::a_channel;
use crate::server::{Launch, Server};
use crate::{Retailer, TestShop};

/// The master key of a [`TestShop`], as the environment holds it.
const MASTER_KEY: &str = "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a";
/// How long a buyer waits before he asks again.
const AGAIN: Duration = Duration::from_millis(25);
/// How often a buyer asks again before he gives up.
const TRIES_MAX: u32 = 2400;
/// How many orders are read at once.
const PAGE: i64 = 500;

/// A retailer with five locations and a web shop that sends parcels, served over HTTP.
pub struct Stand {
    /// The retailer.
    pub retailer: Retailer,
    /// The program that serves.
    pub server: Server,
    /// The same books, beside the program.
    pub shop: TestShop,
    token: String,
}

/// How an attempt to buy ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bought {
    /// It became the order of this id.
    Order(String),
    /// It was refused, with this status and code.
    Refused(u16, String),
}

/// What the books hold at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Ids of all orders.
    pub orders: BTreeSet<String>,
    /// Carts that became orders.
    pub carts: usize,
    /// Payments of all orders.
    pub payments: usize,
    /// Pieces the orders took.
    pub units: i64,
    /// Pieces to be sent.
    pub open: i64,
}

impl Stand {
    /// Fills the books by `fill` and opens the shop with the program.
    ///
    /// # Panics
    /// When the shop refuses or the program does not start.
    pub fn open<T>(
        shop: TestShop,
        program: &Path,
        fill: impl FnOnce(&Retailer, &TestShop) -> T,
    ) -> (Stand, T) {
        Stand::open_with(shop, program, &[], fill)
    }

    /// As [`Stand::open`], with settings of its own.
    ///
    /// # Panics
    /// As [`Stand::open`].
    pub fn open_with<T>(
        shop: TestShop,
        program: &Path,
        environment: &[(&str, String)],
        fill: impl FnOnce(&Retailer, &TestShop) -> T,
    ) -> (Stand, T) {
        let retailer = Retailer::open(&shop, &["leeds", "york", "hull", "bath", "kent"]);
        retailer.channel(&shop, a_channel("web", retailer.market, retailer.network));
        retailer.parcel(&shop, 395, &["web"]);
        let made = shop.run(|tx, actor, world| {
            let new = NewKey {
                name: "buyers".into(),
                kind: KeyKind::Secret,
                permissions: Permissions::EVERYTHING,
                channel: Some(Reference::External("web".into())),
                location: None,
            };
            key::create(tx, actor, world, new)
        });
        let (_, token) = made.expect("a key");
        let filled = fill(&retailer, &shop);
        let address = shop
            .server_address()
            .or_else(|| Some(shop.directory()?.join("shop.db").display().to_string()))
            .expect("the books have an address");
        let launch = Launch::program(program, "/health/ready")
            .argument("serve")
            .argument("--listen")
            .argument("127.0.0.1:{port}")
            .argument("--data")
            .argument("{data}")
            .environment("TANDEM_DATABASE", address)
            .environment("TANDEM_MASTER_KEY", MASTER_KEY)
            .environment("TANDEM_WEBHOOKS_TO_PRIVATE_ADDRESSES", "true")
            .environment("TANDEM_REQUESTS_PER_MINUTE_MAX", "100000000");
        let launch =
            environment.iter().fold(launch, |launch, (name, value)| launch.environment(*name, value));
        let server = Server::start(launch).expect("the program serves");
        (Stand { retailer, server, shop, token }, filled)
    }

    /// A buyer's way to the shop.
    pub fn client(&self) -> Client {
        self.server.client().with_header("authorization", format!("Bearer {}", self.token))
    }

    /// Counts what the books hold.
    ///
    /// # Panics
    /// When the books cannot be read.
    pub fn count(&self, variants: &[Id<Variant>]) -> Count {
        let variants = variants.to_vec();
        let read = self.shop.read(move |tx| {
            let mut count = Count { orders: BTreeSet::new(), carts: 0, payments: 0, units: 0, open: 0 };
            let mut carts = BTreeSet::new();
            let mut before: Id<Order> = Id::from_bytes([255; 16]);
            loop {
                let page = orders::list(tx, before, None, 0, PAGE)?;
                for order in &page {
                    count.orders.insert(order.id.to_string());
                    carts.insert(order.cart.bytes());
                    count.payments += payments::of_order(tx, order.id)?.len();
                    for line in orders::lines(tx, order.id)? {
                        let taken = line.takes.iter().filter(|(variant, _)| variants.contains(variant));
                        count.units += taken.map(|(_, each)| each * line.quantity).sum::<i64>();
                    }
                    let parts = fulfilment::of_order(tx, order.id)?;
                    let pieces = parts.iter().flat_map(|part| &part.lines);
                    count.open += pieces
                        .filter(|piece| variants.contains(&piece.variant))
                        .map(|piece| piece.quantity)
                        .sum::<i64>();
                }
                match page.last() {
                    Some(last) if page.len() as i64 == PAGE => before = last.id,
                    _ => break,
                }
            }
            count.carts = carts.len();
            Ok::<_, Failure>(count)
        });
        read.expect("the books can be counted")
    }

    /// Pieces of a variant in a state, over all locations.
    ///
    /// # Panics
    /// When the books cannot be read.
    pub fn pieces(&self, variant: Id<Variant>, state: State) -> i64 {
        let places = 0..self.retailer.locations.len();
        places.map(|place| self.retailer.count(&self.shop, variant, place, state)).sum()
    }

    /// The books agree with themselves.
    ///
    /// # Panics
    /// When they do not: the differences are named.
    pub fn must_be_clean(&self) {
        let report = self.shop.read(|tx| check(tx, [3; 32], &mut |_, _| ())).expect("the books can be read");
        assert!(report.is_clean(), "{:#?}", report.differences);
    }
}

/// A cart of the web shop with these lines, sent to a guest's address.
pub fn a_cart(lines: &[(Id<Variant>, i64)], email: &str) -> Value {
    let lines: Vec<_> = lines
        .iter()
        .map(|(variant, quantity)| json!({ "variant": variant.to_string(), "quantity": quantity }))
        .collect();
    let contact = json!({
        "name": "Ada Byron", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB", "email": email
    });
    json!({ "channel": "web", "lines": lines, "contact": contact, "delivery": { "method": "parcel" } })
}

/// Buys a cart: makes it and orders it, each under a key of its own, so that asking again buys nothing twice.
///
/// # Errors
/// What was answered that is neither an order nor a refusal, or that nothing was.
pub fn buy(client: &Client, key: &str, cart: &Value, patient: bool) -> Result<Bought, String> {
    let ask = |part: &str, path: &str, body: &Value| -> Result<Reply, String> {
        let client = client.clone().with_header("idempotency-key", format!("{key}-{part}"));
        if patient { until_answered(&client, path, body) } else { when_it_may(&client, path, body) }
    };
    let made = ask("cart", "/v1/carts", cart)?;
    if made.status != 201 {
        return refused(&made);
    }
    let id = text(&made, "id")?;
    order(&ask, &id)
}

/// Orders a cart that is there.
///
/// # Errors
/// As [`buy`].
pub fn order(
    ask: &impl Fn(&str, &str, &Value) -> Result<Reply, String>,
    cart: &str,
) -> Result<Bought, String> {
    let ordered =
        ask("order", &format!("/v1/carts/{cart}/checkout"), &json!({ "payments": [{ "kind": "manual" }] }))?;
    if ordered.status == 201 { Ok(Bought::Order(text(&ordered, "id")?)) } else { refused(&ordered) }
}

/// Asks, and again when the shop says that too much is asked of it at once, as every good client does.
fn when_it_may(client: &Client, path: &str, body: &Value) -> Result<Reply, String> {
    let mut reply = client.post(path, body).map_err(|failure| failure.to_string())?;
    for _ in 0..TRIES_MAX {
        if reply.status != 429 {
            break;
        }
        thread::sleep(AGAIN);
        reply = client.post(path, body).map_err(|failure| failure.to_string())?;
    }
    Ok(reply)
}

/// Asks until there is an answer that stands: not while the shop is down, gone, not ready, or asked too much at once.
///
/// # Errors
/// When there is no such answer in a minute.
pub fn until_answered(client: &Client, path: &str, body: &Value) -> Result<Reply, String> {
    let mut last = String::new();
    for _ in 0..TRIES_MAX {
        match client.post(path, body) {
            Ok(reply) if ![429, 503].contains(&reply.status) => return Ok(reply),
            Ok(reply) => last = reply.text(),
            Err(failure) => last = failure.to_string(),
        }
        thread::sleep(AGAIN);
    }
    Err(format!("nobody answers: {last}"))
}

fn refused(reply: &Reply) -> Result<Bought, String> {
    if !(400..500).contains(&reply.status) {
        return Err(format!("{} {}", reply.status, reply.text()));
    }
    Ok(Bought::Refused(reply.status, text(reply, "code")?))
}

fn text(reply: &Reply, field: &str) -> Result<String, String> {
    let body = reply.json().map_err(|failure| failure.to_string())?;
    let found = body[field].as_str().ok_or_else(|| format!("no {field} in {body}"))?;
    Ok(found.to_owned())
}
