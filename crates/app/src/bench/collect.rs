//! The collector: what people did on pages and in apps, sent one by one as pages do and in batches as programs do, durably kept with who is
//! who worked out in the same commit; and what a kept event weighs.

use std::fs;

use engine::Source as _;
use hyper::Method;
use serde_json::{Value, json};
use tandem::demo::assignment::scattered;
use tandem::demo::report::signed;

use super::crowd::{self, Load};
use super::figure::{Amount, Figure};
use crate::config::Config;
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;
use crate::world::RealWorld;

/// How many clients send how many events at once.
const ROUNDS: [(usize, u64); 4] = [(1, 1), (32, 1), (1, 100), (8, 100)];
/// The round whose figures have goals.
const GOAL_ROUND: (usize, u64) = (8, 100);
/// People who do something.
const PEOPLE: u64 = 20_000;
/// One event in so many says who somebody is.
const SIGN_INS: u64 = 20;
/// What people do, as the trade's tracking plans name it.
const DEEDS: [&str; 6] = [
    "Product Viewed",
    "Product List Viewed",
    "Product Added",
    "Cart Viewed",
    "Products Searched",
    "Checkout Started",
];

/// Sends for a time, one by one and in batches.
///
/// # Errors
/// When the shop cannot be reached.
pub async fn measure(api: &Api, serving: &Serving, seconds: u64) -> Result<(Vec<Figure>, u64), Fault> {
    let source = json!({ "name": "Bench", "kind": "server" });
    let made = api.post("/v1/sources", "bench:source", &source).await?;
    let key = made["write_key"].as_str().unwrap_or_default();
    let (mut figures, mut events) = (Vec::new(), 0);
    for round @ (clients, many) in ROUNDS {
        let one = |client: usize, nth: u64| send(api, key, many, format!("{clients}:{many}:{client}:{nth}"));
        let load = crowd::gather(clients, seconds, serving, one).await?;
        events += load.done() * many;
        figures.extend(figures_of(&load, round));
    }
    Ok((figures, events))
}

/// What a kept event weighs in the database file, with all that was written for it, when so many made `bytes` of it.
pub fn weight(bytes: u64, events: u64) -> Vec<Figure> {
    let of = format!("{} events of {} people", signed(events.cast_signed()), signed(PEOPLE.cast_signed()));
    let each = bytes
        .checked_div(events)
        .map(|each| Figure::new("collector: bytes on disk for an event", Amount::Count(each), of));
    each.into_iter().collect()
}

/// How long the database file is; none for other engines.
///
/// # Errors
/// When it cannot be seen.
pub fn file_bytes(config: &Config) -> Result<Option<u64>, Fault> {
    if !config.keeps_books_in_data() {
        return Ok(None);
    }
    let looked = fs::metadata(config.database());
    Ok(Some(looked.map_err(|error| Fault::environment("looking at the database file", error))?.len()))
}

fn figures_of(load: &Load, round: (usize, u64)) -> Vec<Figure> {
    let (clients, many) = round;
    let sort = if many == 1 { "one by one".to_owned() } else { format!("{many} at once") };
    let of = load.of(if many == 1 { "events" } else { "batches" });
    let figure = |what: &str, amount| {
        Figure::new(format!("collector, {}, {sort}: {what}", crowd::clients(clients)), amount, &of)
    };
    let Amount::PerSecond(answers) = load.per_second() else { return Vec::new() };
    let rate = figure("events", Amount::PerSecond(answers * many));
    let mut figures = vec![if round == GOAL_ROUND { rate.over(Amount::PerSecond(5_000)) } else { rate }];
    figures.push(figure("p50", load.wait(50)));
    figures.push(figure("p99", load.wait(99)));
    if let Some(Amount::Micros(each)) = load.served_each() {
        figures.push(figure("CPU of the server for an event", Amount::Micros(each / many)));
    }
    figures
}

/// Sends so many events of people who were drawn by `name`.
async fn send(api: &Api, key: &str, many: u64, name: String) -> Result<bool, Fault> {
    let batch: Vec<Value> = (0..many).map(|nth| event(&format!("{name}:{nth}"))).collect();
    let body = json!({ "writeKey": key, "sentAt": RealWorld.now().to_string(), "batch": batch });
    let answer = api.once(Method::POST, "/v1/batch", Some((&name, &body))).await?;
    Ok(answer.status == 200)
}

/// What a program's library sends of one deed: somebody does something, and now and then says who he is.
fn event(name: &str) -> Value {
    let dice = scattered(name, "what is done");
    let person = dice % PEOPLE;
    let mut event = json!({
        "messageId": format!("bench-{name}"),
        "anonymousId": format!("5f0c7d1e-browser-{person:08}"),
        "timestamp": RealWorld.now().to_string(),
        "context": { "page": { "path": "/teapots", "url": "https://shop.example/teapots?size=2", "title": "Teapots" } },
    });
    if (dice / PEOPLE).is_multiple_of(SIGN_INS) {
        event["type"] = json!("identify");
        event["userId"] = json!(format!("user-{person:08}"));
        event["traits"] = json!({ "email": format!("user-{person}@mail.example"), "plan": "gold" });
    } else {
        event["type"] = json!("track");
        event["event"] = json!(DEEDS[(dice / PEOPLE / SIGN_INS) as usize % DEEDS.len()]);
        event["properties"] =
            json!({ "product_id": format!("TEAPOT-{}", dice % 997), "price": 19.5, "currency": "GBP" });
    }
    event
}
