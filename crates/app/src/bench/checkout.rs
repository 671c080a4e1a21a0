//! A guest's whole checkout, two calls: the cart with everything in it, and the order of it. Alone, in a crowd, and at a sale where
//! many want the same few pieces.

use futures_util::{StreamExt, TryStreamExt, stream};
use hyper::Method;
use serde_json::{Value, json};
use tandem::demo::report::signed;

use super::crowd::{self, micros_now};
use super::figure::{Amount, Figure};
use super::house::House;
use crate::fault::Fault;
use crate::replay::api::{Answer, Api};
use crate::replay::child::Serving;

/// So many clients at once.
const CROWDS: [usize; 3] = [1, 8, 32];
/// The crowd whose figures have goals.
const GOAL_CROWD: usize = 32;
/// Clients that warm the shop up.
const WARMING: usize = 8;
/// Pieces of a flash sale at each of the house's five locations,
const PIECES_EACH: u64 = 100;
/// how many want one,
const BUYERS: u64 = 1_500;
/// and how many of them ask at once.
const BUYERS_AT_ONCE: usize = 64;

/// Checkouts for a time with each crowd; answers the figures and how many orders were made.
///
/// # Errors
/// When the shop cannot be reached.
pub async fn measure(
    api: &Api,
    house: &House,
    serving: &Serving,
    seconds: u64,
) -> Result<(Vec<Figure>, u64), Fault> {
    let round = |clients: usize, name: &'static str, seconds: u64| async move {
        let one = |client: usize, nth: u64| buy(api, house, format!("{name}:{clients}:{client}:{nth}"));
        crowd::gather(clients, seconds, serving, one).await
    };
    let mut orders = round(WARMING, "warm", seconds.div_ceil(5)).await?.done();
    let mut figures = Vec::new();
    for clients in CROWDS {
        let load = round(clients, "checkout", seconds).await?;
        orders += load.done();
        let of = load.of("checkouts");
        let figure = |what: &str, amount| {
            Figure::new(format!("checkout, {}: {what}", crowd::clients(clients)), amount, &of)
        };
        let with_goal = clients == GOAL_CROWD;
        let cpu = load.served_each().map(|each| figure("CPU of the server for one", each));
        figures.extend(cpu.map(|figure| figure.under(Amount::Micros(5_000))));
        figures.extend(load.asked_each().map(|each| figure("CPU of the clients for one", each)));
        let often = figure("checkouts", load.per_second());
        figures.push(if with_goal { often.over(Amount::PerSecond(500)) } else { often });
        figures.push(figure("p50", load.wait(50)));
        let longest = figure("p99", load.wait(99));
        figures.push(if with_goal { longest.under(Amount::Micros(50_000)) } else { longest });
    }
    Ok((figures, orders))
}

/// One to three variants that lie apart in the catalogue, different ones each time.
fn choice<'h>(house: &'h House, name: &str) -> Vec<&'h String> {
    let dice = tandem::demo::assignment::scattered(name, "what is bought") as usize;
    let all = house.variants.len();
    (0..1 + dice % 3).map(|line| &house.variants[(dice / 3 + line * 7) % all]).collect()
}

async fn buy(api: &Api, house: &House, name: String) -> Result<bool, Fault> {
    let answer = order(api, house.cart(&choice(house, &name)), &name).await?;
    Ok(answer.status == 201)
}

/// The two calls; the answer is the order's, or that of the cart which was refused.
async fn order(api: &Api, cart: Value, name: &str) -> Result<Answer, Fault> {
    let once = format!("bench:cart:{name}");
    let answer = api.once(Method::POST, "/v1/carts", Some((&once, &cart))).await?;
    if answer.status != 201 {
        return Ok(answer);
    }
    let cart = answer.document();
    let path = format!("/v1/carts/{}/checkout", cart["id"].as_str().unwrap_or_default());
    let body = json!({ "expected_total": cart["totals"]["gross"], "payments": [{ "kind": "manual" }] });
    api.once(Method::POST, &path, Some((&format!("bench:order:{name}"), &body))).await
}

/// 500 pieces over five stores, 1,500 buyers, 64 at a time; answers the figures and how many orders were made.
///
/// # Errors
/// When the shop cannot be reached.
pub async fn measure_flash_sale(api: &Api, house: &House) -> Result<(Vec<Figure>, u64), Fault> {
    let variant = house.also_sell(api, "flash", PIECES_EACH).await?;
    let began = micros_now();
    let all: Vec<u16> = stream::iter(0..BUYERS)
        .map(|buyer| {
            let cart = house.cart(&[&variant]);
            async move {
                let answer = order(api, cart, &format!("flash:{buyer}")).await?;
                let sold_out = answer.status == 409 && answer.document()["code"] == "out_of_stock";
                Ok::<u16, Fault>(if sold_out { 0 } else { answer.status })
            }
        })
        .buffer_unordered(BUYERS_AT_ONCE)
        .try_collect()
        .await?;
    let micros = micros_now() - began;
    let count = |which: &dyn Fn(u16) -> bool| all.iter().filter(|status| which(**status)).count() as u64;
    let (sold, refused) = (count(&|status| status == 201), count(&|status| status == 0));
    let path = format!("/v1/availability?channel={}&variants={variant}", house.channel);
    let left = api.get(&path).await?["items"][0]["promisable"].as_u64();
    let pieces = PIECES_EACH * house.locations.len() as u64;
    let of = format!("{} pieces, {} buyers, {BUYERS_AT_ONCE} at once", pieces, signed(BUYERS.cast_signed()));
    let figure =
        |what: &str, count: u64| Figure::new(format!("flash sale: {what}"), Amount::Count(count), &of);
    let mut figures = vec![
        figure("sold", sold).exactly(Amount::Count(pieces)),
        figure("told that it is sold out", refused).exactly(Amount::Count(BUYERS - pieces)),
        figure("other answers", BUYERS - sold - refused).exactly(Amount::Count(0)),
    ];
    figures.extend(left.map(|left| figure("could still be promised", left).exactly(Amount::Count(0))));
    figures.push(Figure::new("flash sale: time", Amount::Micros(micros), &of));
    Ok((figures, sold))
}
