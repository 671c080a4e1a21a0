//! A large house, 50 locations and up to a million shelves with stock: how long it takes to ask what can be had, and to put something
//! into a cart.

use domain::actor::Actor;
use domain::ledger::{NewTransfer, Posting};
use domain::stock::{self, State};
use domain::value::id::{Location, Variant};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use engine::ledger::{Notice, Told, post};
use engine::{Failure, Shop, external};
use hyper::Method;
use indicatif::ProgressBar;
use serde_json::json;
use store::Tx;
use tandem::demo::assignment::scattered;
use tandem::demo::report::signed;

use super::crowd::{self, Load};
use super::figure::{Amount, Figure};
use super::house::{House, Plan, VARIANTS_EACH};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;

/// Locations of the large house.
const LOCATIONS: usize = 50;
/// Pieces on each shelf.
pub const PIECES: i64 = 1_000;
/// The most shelves that one transfer fills.
const SHELVES_AT_ONCE: usize = 50;
/// Variants whose shelves are filled in one transaction.
const BATCH: usize = 100;
/// So many clients at once.
const CROWDS: [usize; 2] = [1, 8];
/// So many lines a client's cart gets; adding the same again raises its quantity.
const LINES: u64 = 20;

/// The house that has so many shelves.
pub fn plan(accounts: usize) -> Plan {
    Plan {
        name: "large",
        locations: LOCATIONS,
        products: (accounts / LOCATIONS / VARIANTS_EACH).max(1),
        on_the_map: false,
    }
}

/// Fills every shelf, each with what `pieces` says of a variant and the number of a location: transfers of at most 51 lines.
///
/// # Errors
/// What the books say.
pub fn fill(
    shop: &Shop,
    house: &House,
    pieces: fn(Id<Variant>, usize) -> i64,
    bar: &ProgressBar,
) -> Result<(), Fault> {
    let locations: Vec<Reference<Location>> =
        house.locations.iter().map(|location| Reference::read(location)).collect();
    bar.set_length(house.variants.len() as u64);
    for variants in house.variants.chunks(BATCH) {
        let variants: Vec<Reference<Variant>> =
            variants.iter().map(|variant| Reference::read(variant)).collect();
        let (count, locations, of_world) = (variants.len(), locations.clone(), shop.clone());
        shop.db.write(move |tx| -> Result<(), Failure> {
            let mut world = of_world.world();
            let places = locations.iter().map(|location| external::resolve(tx, location));
            let places = places.collect::<Result<Vec<_>, _>>()?;
            for variant in &variants {
                let variant = external::resolve(tx, variant)?;
                let shelves = (0..).zip(&places).map(|(number, place)| (*place, pieces(variant, number)));
                for shelves in shelves.collect::<Vec<_>>().chunks(SHELVES_AT_ONCE) {
                    fill_some(tx, &mut world, variant, shelves)?;
                }
            }
            Ok(())
        })?;
        bar.inc(count as u64);
    }
    Ok(())
}

fn fill_some(
    tx: &mut Tx<'_>,
    world: &mut engine::World,
    variant: Id<Variant>,
    shelves: &[(Id<Location>, i64)],
) -> Result<(), Failure> {
    let shelf = |(place, pieces): &(Id<Location>, i64)| Posting {
        account: stock::at(*place, State::Available),
        amount: *pieces,
        floor: Some(0),
    };
    let mut postings: Vec<Posting> = shelves.iter().map(shelf).collect();
    let amount = -shelves.iter().map(|(_, pieces)| pieces).sum::<i64>();
    postings.push(Posting { account: stock::world(State::Opening), amount, floor: None });
    let book = engine::stock::book_of(variant);
    let transfer = NewTransfer { id: world.id(), book, reason: "opening", cause: None, postings };
    let notice =
        Notice { subject: variant.to_string(), kind: "stock.moved", body: json!({ "reason": "opening" }) };
    let short = |_| Refusal::new(Code::OutOfStock, "opening stock takes nothing from a shelf");
    post(tx, &Actor::system(), world, Told { transfer, notice }, short)?;
    Ok(())
}

/// Asks what can be had of one variant, and fills carts, for a time each.
///
/// # Errors
/// When the shop cannot be reached.
pub async fn measure(
    api: &Api,
    house: &House,
    serving: &Serving,
    seconds: u64,
) -> Result<Vec<Figure>, Fault> {
    let shelves = house.variants.len() * house.locations.len();
    let shelves = format!("{} stock accounts", signed(shelves as i64));
    let variant = |client: usize, nth: u64| {
        let dice = scattered(&format!("{client}:{nth}"), "what is asked for") as usize;
        &house.variants[dice % house.variants.len()]
    };
    let read = |client: usize, nth: u64| {
        let path = format!("/v1/availability?channel={}&variants={}", house.channel, variant(client, nth));
        async move { Ok(api.once(Method::GET, &path, None).await?.status == 200) }
    };
    crowd::gather(1, seconds.div_ceil(5), serving, read).await?;
    let mut figures = Vec::new();
    for clients in CROWDS {
        let load = crowd::gather(clients, seconds, serving, read).await?;
        let of = format!("{}, {shelves}", load.of("reads"));
        let what = format!("availability, {}", crowd::clients(clients));
        figures.extend(read_or_add(&what, &of, &load, Amount::Micros(2_000)));
    }
    for clients in CROWDS {
        let carts = carts(api, house, clients).await?;
        let add = |client: usize, nth: u64| {
            let path = format!("/v1/carts/{}/lines", carts[client]);
            let line = json!({ "variant": variant(client, nth % LINES), "quantity": 1 });
            let once = format!("bench:line:{clients}:{client}:{nth}");
            async move { Ok(api.once(Method::POST, &path, Some((&once, &line))).await?.status == 200) }
        };
        let load = crowd::gather(clients, seconds, serving, add).await?;
        let of = format!("{}, carts of {LINES} lines, {shelves}", load.of("adds"));
        let what = format!("add to cart, {}", crowd::clients(clients));
        figures.extend(read_or_add(&what, &of, &load, Amount::Micros(10_000)));
    }
    Ok(figures)
}

fn read_or_add(what: &str, of: &str, load: &Load, p99_max: Amount) -> Vec<Figure> {
    let figure = |which: &str, amount| Figure::new(format!("{what}: {which}"), amount, of);
    let mut figures: Vec<Figure> = Vec::new();
    figures.extend(load.served_each().map(|each| figure("CPU of the server for one", each)));
    figures.push(figure("p50", load.wait(50)));
    figures.push(figure("p99", load.wait(99)).under(p99_max));
    figures
}

/// An empty cart for each client.
async fn carts(api: &Api, house: &House, clients: usize) -> Result<Vec<String>, Fault> {
    let mut carts = Vec::new();
    for client in 0..clients {
        let once = format!("bench:large-cart:{clients}:{client}");
        let made = api.post("/v1/carts", &once, &json!({ "channel": house.channel })).await?;
        carts.push(made["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(carts)
}
