//! Segments over many people: a fifth of the profiles are customers, half of whom agreed to be written to; everybody did one to three things within
//! ninety days. Segments are made over the API, and it is measured until everybody was gone through; then people are asked for.

use std::time::Duration;

use domain::actor::Actor;
use domain::behaviour::plan::Plan;
use domain::behaviour::{Call, SchemaMode, SourceKind};
use domain::consent::{Cell, Medium, Source as Heard, Status};
use domain::contact::{Card, Draft};
use domain::identity::Kind;
use domain::value::Instant;
use engine::behaviour::source::{self, NewSource};
use engine::behaviour::{self, Incoming, incoming};
use engine::consent::{self, Evidence, Said};
use engine::customer::{self, NewCustomer};
use engine::{Failure, Shop, World};
use hyper::Method;
use serde_json::{Value, json};
use store::Tx;
use store::dialect::Engine;
use tandem::demo::assignment::scattered;
use tandem::demo::report::signed;

use super::crowd::{self, micros_now, per_second};
use super::figure::{Amount, Figure};
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;

/// One profile in so many is a customer's.
const CUSTOMERS: u32 = 5;
/// So many profiles are made in one transaction.
const BATCH: u32 = 500;
/// Nobody did anything longer ago, in days.
const DAYS: u64 = 90;
/// What goods are of.
const CATEGORIES: [&str; 10] =
    ["shoes", "hats", "bags", "coats", "toys", "books", "lamps", "mugs", "rugs", "tents"];
/// What people do; most of it is looking at goods.
const DEEDS: [&str; 5] =
    ["Product Viewed", "Product Viewed", "Product Viewed", "Product Added", "Products Searched"];
/// How often it is looked whether a segment is built.
const LOOK: Duration = Duration::from_millis(50);
/// The longest wait for one, in microseconds.
const WAIT_MICROS: u64 = 600_000_000;

/// Within so long PostgreSQL has tidied up and counted what was loaded: it looks once a minute, and writes for a while.
const TIDIED: Duration = Duration::from_secs(90);

/// What was made.
pub struct Made {
    profiles: u32,
    events: u64,
    customers: Vec<String>,
    rate: Amount,
}

/// Makes so many profiles.
///
/// # Errors
/// What the shop refuses.
pub fn make(shop: &Shop, profiles: u32) -> Result<Made, Fault> {
    let begun = micros_now();
    let source = shop.db.write({
        let shop = shop.clone();
        move |tx| {
            let (mode, plan, channel) = (SchemaMode::Accept, Plan::default(), None);
            let (countable, purpose) = (Vec::new(), None);
            let new = NewSource {
                name: "Bench".into(),
                kind: SourceKind::Server,
                mode,
                plan,
                channel,
                countable,
                purpose,
            };
            source::create(tx, &Actor::system(), &mut shop.world(), new).map(|(source, _)| source)
        }
    })?;
    let mut made = Made { profiles, events: 0, customers: Vec::new(), rate: Amount::Count(0) };
    let mut next = 0;
    while next < profiles {
        let numbers = next..profiles.min(next + BATCH);
        next = numbers.end;
        let (shop_of, source) = (shop.clone(), source.clone());
        let (events, customers) = shop.db.write(move |tx| {
            let mut world = shop_of.world();
            let (mut events, mut customers) = (Vec::new(), Vec::new());
            for number in numbers.clone() {
                let known = somebody(tx, &mut world, number)?;
                events.extend(deeds(number, known.as_ref(), world.now()));
                customers.extend(known);
            }
            behaviour::collect(tx, &mut world, &source, &events)?;
            Ok::<_, Failure>((events.len() as u64, customers))
        })?;
        made.events += events;
        made.customers.extend(customers);
    }
    made.rate = per_second(profiles.into(), micros_now() - begun);
    Ok(made)
}

/// The customer whose profile it is, if it is one's; every other one agreed to be written to.
fn somebody(tx: &mut Tx<'_>, world: &mut World, number: u32) -> Result<Option<String>, Failure> {
    if !number.is_multiple_of(CUSTOMERS) {
        return Ok(None);
    }
    let actor = Actor::system();
    let card = Card::new(&Draft { name: Some(format!("Somebody {number}")), ..Draft::default() })?;
    let new = NewCustomer { external_id: None, card, groups: Vec::new() };
    let customer = customer::create(tx, &actor, world, new)?.id;
    if number.is_multiple_of(2 * CUSTOMERS) {
        let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
        let yes = [Said { cell, status: Status::Granted }];
        consent::say(tx, &actor, world, customer, &yes, &Evidence::of(Heard::Told))?;
    }
    Ok(Some(customer.to_string()))
}

/// What somebody did: one to three things.
fn deeds(number: u32, customer: Option<&String>, now: Instant) -> Vec<Incoming> {
    let chance = |what: &str| scattered(&format!("{number}"), what);
    let event = |nth: u64| {
        let chance = |what: &str| chance(&format!("{nth} {what}"));
        let mut identifiers = vec![(Kind::AnonymousId, None, format!("browser-{number:08}"))];
        identifiers.extend(customer.map(|id| (Kind::UserId, None, id.clone())));
        let category = CATEGORIES[(chance("category") % CATEGORIES.len() as u64) as usize];
        let properties = json!({ "category": category, "price": 19.5, "product_id": format!("P-{}", chance("goods") % 997) });
        Incoming {
            call: Call::Track,
            name: Some(DEEDS[(chance("deed") % DEEDS.len() as u64) as usize].into()),
            message: Some(format!("bench-{number}-{nth}")),
            identifiers,
            at: now.plus_seconds(-(chance("when") % (DAYS * 86_400)).cast_signed()),
            body: incoming::body(Some(properties), None, None),
            fault: None,
        }
    };
    (0..1 + chance("how often") % 3).map(event).collect()
}

/// The segments that are made: what they are in words, and the expression. The goal is of those that a retailer writes to.
fn segments() -> [(&'static str, bool, Value); 4] {
    let viewed = |least: i64| {
        json!({ "event": { "name": "Product Viewed", "within_days": 30, "at_least": least,
            "where": [{ "property": "category", "is": ["shoes"] }] } })
    };
    let bought = json!({ "orders": { "within_days": 30 } });
    let agreed = json!({ "consent": { "purpose": "marketing", "medium": "mail" } });
    [
        ("viewed shoes twice within 30 days", true, viewed(2)),
        (
            "viewed shoes within 30 days, bought nothing since, and agreed to mail",
            true,
            json!({ "all": [viewed(1), { "not": bought.clone() }, agreed.clone()] }),
        ),
        ("agreed to mail", false, agreed),
        ("bought nothing within 30 days", false, json!({ "not": bought })),
    ]
}

/// Makes segments, one after another, and asks for people. An engine that tidies up by itself after so much was written is given the time to.
///
/// # Errors
/// When the shop cannot be reached, or a segment is not built in time.
pub async fn measure(
    api: &Api,
    serving: &Serving,
    made: &Made,
    (seconds, engine): (u64, Engine),
) -> Result<Vec<Figure>, Fault> {
    at_rest(api).await?;
    if engine == Engine::Postgres {
        tokio::time::sleep(TIDIED).await;
    }
    let count = |many: u64| signed(many.cast_signed());
    let of = format!("{} profiles, {} events", count(made.profiles.into()), count(made.events));
    let mut figures = vec![Figure::new("segments: profiles made, with what they did", made.rate, &of)];
    let mut first = None;
    for (number, (words, is_goal, expression)) in segments().into_iter().enumerate() {
        let begun = micros_now();
        let preview = api
            .post(
                "/v1/segments/preview",
                &format!("bench:preview:{number}"),
                &json!({ "expression": expression }),
            )
            .await?;
        let previewed = micros_now() - begun;
        let begun = micros_now();
        let body = json!({ "code": format!("segment_{number}"), "name": words, "expression": expression });
        let segment = api.post("/v1/segments", &format!("bench:segment:{number}"), &body).await?;
        let id = segment["id"].as_str().unwrap_or_default().to_owned();
        let members = built(api, &id, begun).await?;
        let took = Amount::Micros(micros_now() - begun);
        let of = format!("{of}; {} belong to it", count(members));
        let figure = Figure::new(format!("segment until built: {words}"), took, &of);
        figures.push(if is_goal { figure.under(Amount::Micros(2_000_000)) } else { figure });
        let sort = if preview["exact"] == json!(true) { "exact" } else { "reckoned" };
        let of = format!("{} found, {sort}", count(preview["members"].as_u64().unwrap_or(0)));
        figures.push(Figure::new(format!("segment tried: {words}"), Amount::Micros(previewed), of));
        first = first.or(Some(id));
    }
    let id = first.unwrap_or_default();
    let ask = |client: usize, nth: u64| {
        let whom = scattered(&format!("{client}:{nth}"), "whom") as usize % made.customers.len();
        let path = format!("/v1/segments/{id}/members/{}", made.customers[whom]);
        async move { Ok(api.once(Method::GET, &path, None).await?.status == 200) }
    };
    for clients in [1, 8] {
        let load = crowd::gather(clients, seconds, serving, ask).await?;
        let of = load.of("people");
        let figure = |what: &str, amount| {
            Figure::new(format!("does somebody belong, {}: {what}", crowd::clients(clients)), amount, &of)
        };
        let median = figure("p50", load.wait(50));
        figures.push(if clients == 1 { median.under(Amount::Micros(1_000)) } else { median });
        figures.push(figure("p99", load.wait(99)));
        figures.push(figure("answers", load.per_second()));
    }
    Ok(figures)
}

/// Waits until the shop has done what making everybody left to be done, so that it does nothing else while it is measured.
async fn at_rest(api: &Api) -> Result<(), Fault> {
    let begun = micros_now();
    while api.get("/v1/jobs?limit=1").await?["items"].as_array().is_none_or(|jobs| !jobs.is_empty()) {
        if micros_now() - begun > WAIT_MICROS {
            return Err(Fault::Failed("the shop did not come to rest in time".into()));
        }
        tokio::time::sleep(LOOK * 10).await;
    }
    Ok(())
}

/// Waits until everybody was gone through; answers how many belong to the segment.
async fn built(api: &Api, id: &str, begun: u64) -> Result<u64, Fault> {
    loop {
        let size = api.get(&format!("/v1/segments/{id}/size")).await?;
        if size["built"] == json!(true) {
            return Ok(size["members"].as_u64().unwrap_or(0));
        }
        if micros_now() - begun > WAIT_MICROS {
            return Err(Fault::Failed("a segment was not built in time".into()));
        }
        tokio::time::sleep(LOOK).await;
    }
}
