//! The figures of the start page: sums, names and order numbers, and nothing about any person. All who look share one counting.

use std::sync::Arc;
use std::time::Duration;

use domain::actor::Actor;
use domain::value::Instant;
use engine::insight::{self, Glance};
use serde::Serialize;
use store::order::Figures;
use tokio::sync::Mutex;

use crate::App;
use crate::problem::Problem;
use crate::shape::MoneyShape;

/// How long figures are good before they are counted again.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// Figures that took long to count are good for so many times as long, so that looking never costs more than a twentieth of the time.
const REST: i64 = 20;

/// The figures counted last.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Counted>>);

struct Counted {
    good_until: Instant,
    text: Arc<str>,
}

/// The figures as JSON, at most a second old, or a little older in a shop so large that counting takes long.
pub(super) async fn current(app: &App) -> Result<Arc<str>, Problem> {
    let mut kept = app.edge.figures.0.lock().await;
    let now = app.shop.source.now();
    if let Some(counted) = kept.as_ref().filter(|counted| now < counted.good_until) {
        return Ok(counted.text.clone());
    }
    let glance = app.read(move |tx| insight::glance(tx, &Actor::system(), now)).await?;
    let text: Arc<str> = serde_json::to_string(&Shown::from(&glance)).map_err(|_| Problem::fault())?.into();
    let counted_at = app.shop.source.now();
    let took = counted_at.micros().saturating_sub(now.micros()).max(0);
    let fresh = i64::try_from(FRESH.as_micros()).unwrap_or(i64::MAX);
    let good_for = took.saturating_mul(REST).max(fresh);
    let good_until = Instant::from_micros(counted_at.micros().saturating_add(good_for));
    *kept = Some(Counted { good_until, text: text.clone() });
    Ok(text)
}

#[derive(Serialize)]
struct Shown {
    /// One for each currency.
    today: Vec<Sum>,
    total: Vec<Sum>,
    /// The one that sold most first.
    channels: Vec<ChannelSum>,
    locations: Vec<Shelf>,
    latest: Vec<Latest>,
}

#[derive(Default, Serialize)]
struct Sum {
    orders: i64,
    units: i64,
    revenue: i64,
    currency: String,
}

#[derive(Serialize)]
struct ChannelSum {
    name: String,
    kind: &'static str,
    orders: i64,
    revenue: MoneyShape,
}

#[derive(Serialize)]
struct Shelf {
    name: String,
    kind: &'static str,
    pieces: i64,
}

#[derive(Serialize)]
struct Latest {
    number: String,
    channel: String,
    gross: MoneyShape,
    state: &'static str,
    at: String,
}

/// What was ordered, less what was cancelled and came back.
const fn revenue(figures: &Figures) -> i64 {
    figures.gross - figures.cancelled - figures.returned
}

fn sums(figures: &[Figures]) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    for one in figures {
        let found = sums.iter().position(|sum| sum.currency == one.currency).unwrap_or_else(|| {
            sums.push(Sum { currency: one.currency.clone(), ..Sum::default() });
            sums.len() - 1
        });
        sums[found].orders += one.orders;
        sums[found].units += one.units;
        sums[found].revenue += revenue(one);
    }
    sums
}

impl From<&Glance> for Shown {
    fn from(glance: &Glance) -> Shown {
        let named = |figures: &Figures| {
            let channel = glance.channels.iter().find(|channel| channel.id == figures.channel)?;
            let revenue = MoneyShape { amount: revenue(figures), currency: figures.currency.clone() };
            let kind = channel.kind.text();
            Some(ChannelSum { name: channel.name.clone(), kind, orders: figures.orders, revenue })
        };
        let mut channels: Vec<ChannelSum> = glance.total.iter().filter_map(named).collect();
        channels.sort_by_key(|channel| std::cmp::Reverse(channel.revenue.amount));
        let shelf = |(location, pieces): &(store::location::Location, i64)| Shelf {
            name: location.name.clone(),
            kind: location.kind.text(),
            pieces: *pieces,
        };
        let latest = |order: &store::order::Order| Latest {
            number: order.number.clone(),
            channel: glance
                .channels
                .iter()
                .find(|channel| channel.id == order.channel)
                .map_or_else(String::new, |channel| channel.name.clone()),
            gross: MoneyShape { amount: order.gross, currency: order.currency.code().to_owned() },
            state: order.state.text(),
            at: order.placed_at.to_string(),
        };
        Shown {
            today: sums(&glance.today),
            total: sums(&glance.total),
            channels,
            locations: glance.locations.iter().map(shelf).filter(|shelf| shelf.kind != "virtual").collect(),
            latest: glance.latest.iter().map(latest).collect(),
        }
    }
}
