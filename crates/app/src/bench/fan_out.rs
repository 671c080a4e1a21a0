//! The journal's fan-out: how long after an answer all who follow the journal have heard of it, and what telling them costs.

use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tandem::demo::report::signed;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::crowd::{Load, gather, micros_now};
use super::figure::Figure;
use super::house::House;
use crate::fault::Fault;
use crate::replay::api::Api;
use crate::replay::child::Serving;

/// So many follow the journal.
const FOLLOWERS: usize = 32;
/// What they follow.
const STREAM: &str = "/v1/events/stream?kind=cart.created";
/// The longest wait until all have heard.
const HEARING_MAX: Duration = Duration::from_secs(5);

/// Makes carts one after the other for a time, each as soon as every follower has heard of the one before.
///
/// # Errors
/// When the shop cannot be reached, or a follower hears nothing.
pub async fn measure(
    api: &Api,
    house: &House,
    serving: &Serving,
    seconds: u64,
) -> Result<Vec<Figure>, Fault> {
    let (teller, heard) = unbounded_channel();
    let mut followers = JoinSet::new();
    for _ in 0..FOLLOWERS {
        let (api, teller) = (api.clone(), teller.clone());
        followers.spawn(async move {
            api.follow(STREAM, |_| {
                let _ = teller.send(micros_now());
            })
            .await
        });
    }
    drop(teller);
    let heard = tokio::sync::Mutex::new(heard);
    all_have_heard(&mut *heard.lock().await).await?;
    let waits = std::cell::RefCell::new(Vec::new());
    let one = |_, nth: u64| {
        let (heard, waits) = (&heard, &waits);
        async move {
            let once = format!("bench:fan-out:{nth}");
            let cart = json!({ "channel": house.channel });
            let answer = api.once(Method::POST, "/v1/carts", Some((&once, &cart))).await?;
            let answered = micros_now();
            let last = all_have_heard(&mut *heard.lock().await).await?;
            waits.borrow_mut().push(last.saturating_sub(answered));
            Ok(answer.status == 201)
        }
    };
    let load = gather(1, seconds, serving, one).await?;
    followers.abort_all();
    let of = format!("{} carts, {FOLLOWERS} followers", signed(load.done().cast_signed()));
    let figure = |what: &str, amount| Figure::new(format!("journal: {what}"), amount, &of);
    let told = Load::of_waits(waits.into_inner());
    let cpu =
        load.served_each().map(|each| figure("CPU of the server for a cart and telling all of it", each));
    let mut figures: Vec<Figure> = cpu.into_iter().collect();
    figures.push(figure("from the answer until all have heard, p50", told.wait(50)));
    figures.push(figure("from the answer until all have heard, p99", told.wait(99)));
    Ok(figures)
}

/// Waits until each follower said a word; answers when the last did.
async fn all_have_heard(heard: &mut UnboundedReceiver<u64>) -> Result<u64, Fault> {
    let mut last = 0;
    for _ in 0..FOLLOWERS {
        let word = timeout(HEARING_MAX, heard.recv()).await.ok().flatten();
        last = word.ok_or_else(|| Fault::Failed("a follower of the journal hears nothing".into()))?;
    }
    Ok(last)
}
