//! A house with a thousand locations and up to a million shelves: how long it takes to say where and when twenty lines can be had, and to
//! route an order of ten lines, both with everything that has to be read from the books.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::Actor;
use domain::routing::decision::Occasion;
use domain::stock::State;
use domain::value::id::{Order as OrderKind, Variant};
use domain::value::{Id, Reference};
use engine::routing::{Of, Taking, take_or_wait};
use engine::stock::availability::reach;
use engine::{Failure, Shop, external};
use hyper::Method;
use serde_json::{Value, json};
use store::{StoreError, Tx};
use tandem::demo::assignment::scattered;
use tandem::demo::report::signed;

use super::crowd::{self, Load, micros_now};
use super::figure::{Amount, Figure};
use super::house::{self, House, Plan, VARIANTS_EACH};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;

/// Locations of the wide house, and of the channels that reach only a part of them.
const LOCATIONS: usize = 1_000;
const PARTS: [usize; 2] = [100, 500];
/// How many locations the goals are for.
const GOAL_PROMISE: usize = 500;
const GOAL_ROUTING: usize = 100;
/// So many clients at once.
const CROWDS: [usize; 2] = [1, 8];
/// Lines that are asked about, and how many of each.
const LINES: usize = 20;
const QUANTITY: u64 = 2;
/// Stores that are answered.
const STORES: usize = 10;
/// Orders that are routed, and their lines.
const ORDERS: usize = 20;
const ORDER_LINES: usize = 10;

/// The house that has so many shelves.
pub fn plan(accounts: usize) -> Plan {
    let products = (accounts / LOCATIONS / VARIANTS_EACH).max(LINES.div_ceil(VARIANTS_EACH) * 2);
    Plan { name: "wide", locations: LOCATIONS, products, on_the_map: true }
}

/// One to three pieces on each shelf, so that hardly any location has everything that is asked for.
pub fn pieces(variant: Id<Variant>, place: usize) -> i64 {
    1 + (scattered(&format!("{variant}:{place}"), "pieces") % 3).cast_signed()
}

/// Orders that were placed in a channel, to be routed again: how many locations it reaches, and their ids.
pub type Placed = (usize, Vec<String>);

/// Asks again and again for a time what can be promised, by a profile too, and places orders; answers the figures and the orders.
///
/// # Errors
/// When the shop cannot be reached, or the answer is not the one meant.
pub async fn measure(
    api: &Api,
    house: &House,
    serving: &Serving,
    seconds: u64,
) -> Result<(Vec<Figure>, Vec<Placed>), Fault> {
    let area = json!({ "country": "GB", "prefix": "LS", "place": "Leeds", "coordinates": { "latitude": 53.7965, "longitude": -1.5478 } });
    api.bulk("/v1/postal-areas/bulk", "bench:areas", &[area]).await?;
    let mut figures = Vec::new();
    let mut placed = Vec::new();
    let profile = profile(api).await?;
    for locations in PARTS.into_iter().chain([LOCATIONS]) {
        let narrow =
            if locations < LOCATIONS { house.narrower(api, locations).await? } else { house.clone() };
        figures.extend(ask(api, &narrow, serving, (seconds, "")).await?);
        let path = format!("/v1/channels/{}/routing-profile", narrow.channel);
        api.put(&path, &format!("bench:{path}"), &json!({ "profile": profile })).await?;
        figures.extend(ask(api, &narrow, serving, (seconds, " by a profile")).await?);
        placed.push((locations, place(api, &narrow).await?));
    }
    Ok((figures, placed))
}

/// Near and cheap: a profile that weighs parcels, pieces and the way.
async fn profile(api: &Api) -> Result<String, Fault> {
    let content = json!({
        "name": "Near and cheap", "opens_within_hours": 72,
        "costs": { "currency": "GBP", "otherwise": { "parcel_minor": 395, "item_minor": 40, "kilometre_minor": 1 } },
        "fallback": { "name": "All", "limits": { "parts_max": 10, "split_minor": 100 }, "objective": "cost", "remainder": { "kind": "back_order" } },
    });
    let made = api.post("/v1/routing-profiles", "bench:profile", &content).await?;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    api.post(&format!("/v1/routing-profiles/{id}/versions/1/activate"), "bench:activation", &json!({}))
        .await?;
    Ok(id)
}

fn some<'h>(house: &'h House, word: &str, many: usize) -> Vec<&'h String> {
    let all = house.variants.len();
    let first = scattered(word, "what is asked for") as usize % all;
    (0..many).map(|line| &house.variants[(first + line * 7) % all]).collect()
}

fn question(house: &House, word: &str) -> Value {
    let line = |variant: &String| json!({ "variant": variant, "quantity": QUANTITY });
    json!({
        "channel": house.channel, "lines": some(house, word, LINES).into_iter().map(line).collect::<Vec<_>>(),
        "destination": { "country": "GB", "postal_code": "LS1 4DY" }, "coordinates": house::point(word), "stores": STORES,
    })
}

async fn ask(
    api: &Api,
    house: &House,
    serving: &Serving,
    (seconds, how): (u64, &str),
) -> Result<Vec<Figure>, Fault> {
    let whole = api.post("/v1/promises", "bench:promise", &question(house, "whole")).await?;
    let has = |list: &str| whole[list].as_array().map_or(0, Vec::len);
    if (has("lines"), has("stores"), has("deliveries")) != (LINES, STORES, 1)
        || !whole["deliveries"][0]["by"].is_string()
    {
        return Err(Fault::Failed(format!(
            "{LINES} lines, {STORES} stores and a date were to be promised: {whole}"
        )));
    }
    let read = |client: usize, nth: u64| {
        let question = question(house, &format!("{client}:{nth}"));
        async move {
            let answer = api.once(Method::POST, "/v1/promises", Some(("bench:promise", &question))).await?;
            Ok(answer.status == 200)
        }
    };
    crowd::gather(1, seconds.div_ceil(5), serving, read).await?;
    let locations = house.locations.len();
    let shelves = signed((house.variants.len() * LOCATIONS) as i64);
    let mut figures = Vec::new();
    for clients in CROWDS {
        let load = crowd::gather(clients, seconds, serving, read).await?;
        let of = format!("{}, {shelves} stock accounts", load.of("promises"));
        let figure = |what: &str, amount| {
            let who = crowd::clients(clients);
            Figure::new(
                format!("promise, {LINES} lines x {locations} locations{how}, {who}: {what}"),
                amount,
                &of,
            )
        };
        let with_goal = |figure: Figure| match (locations, clients) {
            (GOAL_PROMISE, 1) => figure.under(Amount::Micros(10_000)),
            _ => figure,
        };
        figures.extend(load.served_each().map(|each| with_goal(figure("CPU of the server for one", each))));
        figures.push(with_goal(figure("p50", load.wait(50))));
        figures.push(with_goal(figure("p99", load.wait(99))));
    }
    Ok(figures)
}

/// Places orders in the house's channel; answers their ids.
async fn place(api: &Api, house: &House) -> Result<Vec<String>, Fault> {
    let mut orders = Vec::with_capacity(ORDERS);
    for number in 0..ORDERS {
        let name = format!("{}:{number}", house.channel);
        let cart = house.cart_of(&some(house, &name, ORDER_LINES), QUANTITY);
        let cart = api.post("/v1/carts", &format!("bench:cart:{name}"), &cart).await?;
        let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap_or_default());
        let body = json!({ "expected_total": cart["totals"]["gross"], "payments": [{ "kind": "manual" }] });
        let placed = api.post(&path, &format!("bench:order:{name}"), &body).await?;
        orders.push(placed["id"].as_str().unwrap_or_default().to_owned());
    }
    Ok(orders)
}

/// Routes placed orders again and again in process, by the profile: everything from reading the shelves to posting the parts. Each time
/// all of it is taken back.
///
/// # Errors
/// What the shop refuses.
pub fn measure_routing(shop: &Shop, placed: &[Placed], seconds: u64) -> Result<Vec<Figure>, Fault> {
    let mut figures = Vec::new();
    for (locations, orders) in placed {
        let until = micros_now() + seconds * 1_000_000;
        let mut waits = Vec::new();
        for order in orders.iter().cycle() {
            waits.push(route(shop, Reference::read(order))?);
            if micros_now() >= until {
                break;
            }
        }
        let load = Load::of_waits(waits);
        let of = format!("{} of {} orders", load.of("routings"), orders.len());
        let figure = |what: &str, amount| {
            let what = format!(
                "routing, {ORDER_LINES} lines x {locations} locations, from the books to the books: {what}"
            );
            Figure::new(what, amount, &of)
        };
        let with_goal = |figure: Figure| match *locations {
            GOAL_ROUTING => figure.under(Amount::Micros(5_000)),
            _ => figure,
        };
        figures.push(with_goal(figure("p50", load.wait(50))));
        figures.push(with_goal(figure("p99", load.wait(99))));
    }
    Ok(figures)
}

/// How a routing ends: always so that nothing of it stays.
enum Ending {
    /// It took so many microseconds.
    Took(u64),
    /// Something went wrong.
    Failed(Failure),
}

impl From<StoreError> for Ending {
    fn from(error: StoreError) -> Ending {
        Ending::Failed(error.into())
    }
}

fn route(shop: &Shop, order: Reference<OrderKind>) -> Result<u64, Fault> {
    let of_world = shop.clone();
    let ended = shop.db.write(move |tx| -> Result<(), Ending> {
        Err(route_once(tx, &of_world, &order).map_or_else(Ending::Failed, Ending::Took))
    });
    match ended {
        Err(Ending::Took(micros)) => Ok(micros),
        Err(Ending::Failed(failure)) => Err(failure.into()),
        Ok(()) => Err(Fault::Failed("a routing that was to be taken back stayed".into())),
    }
}

fn route_once(tx: &mut Tx<'_>, shop: &Shop, order: &Reference<OrderKind>) -> Result<u64, Failure> {
    let id = external::resolve(tx, order)?;
    let order = engine::order::find(tx, id)?;
    let lines = store::order::lines(tx, id)?;
    let mut demand: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    for line in &lines {
        for (variant, each) in &line.takes {
            *demand.entry(*variant).or_insert(0) += each * line.quantity;
        }
    }
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let mut world = shop.world();
    let began = micros_now();
    let taking = Taking {
        of: Of { order: &order, lines: &lines, occasion: Occasion::Waiting, first: &[] },
        reach: &reach(tx, &channel)?,
        cart: None,
        cause: ("order", order.id.to_string()),
        demand: &demand,
        to: State::Committed,
    };
    take_or_wait(tx, &Actor::system(), &mut world, &taking)?;
    Ok(micros_now() - began)
}
