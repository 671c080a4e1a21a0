//! What the figures say: the shop at one glance, for its start page; and what would have been under other promotions.

pub mod promotion;
pub mod trial;

use std::collections::HashMap;

use domain::actor::{Actor, Permission};
use domain::value::id::Location as LocationKind;
use domain::value::{Id, Instant, LocalDay, Zone};
use store::Tx;
use store::location::{Filter, Location};
use store::market::Channel;
use store::order::{Figures, Order};

use crate::{Failure, order};

/// The most channels and locations that are shown.
pub const PLACES_MAX: i64 = 200;
/// How many of the latest orders are shown.
pub const LATEST: i64 = 12;

/// The shop at one glance.
#[derive(Clone, Debug)]
pub struct Glance {
    /// What was ordered today, in the time zone of the first market.
    pub today: Vec<Figures>,
    /// What was ordered since the books were opened.
    pub total: Vec<Figures>,
    /// The channels, in the order they were made.
    pub channels: Vec<Channel>,
    /// The locations that take part in the trade, in the order they were made, with the pieces on hand there.
    pub locations: Vec<(Location, i64)>,
    /// The latest orders, the newest first.
    pub latest: Vec<Order>,
}

/// The shop at one glance, read anew: every order and every shelf is counted. Who asks often keeps the answer for a while.
///
/// # Errors
/// [`domain::Code::Forbidden`] for who may not read orders, places and stock everywhere.
pub fn glance(tx: &mut Tx<'_>, actor: &Actor, now: Instant) -> Result<Glance, Failure> {
    actor.may(Permission::ReadPlaces, None)?;
    actor.may(Permission::ReadStock, None)?;
    let first = Id::from_bytes([0; 16]);
    let (begin, end) = today(tx, now)?;
    let always = (Instant::from_micros(i64::MIN), Instant::from_micros(i64::MAX));
    let on_hand: HashMap<Id<LocationKind>, i64> = store::stock::on_hand(tx)?.into_iter().collect();
    let active = Filter { kind: None, active: Some(true) };
    let locations = store::location::list(tx, active, first, PLACES_MAX)?;
    let pieces = |location: Location| {
        let pieces = on_hand.get(&location.id).copied().unwrap_or(0);
        (location, pieces)
    };
    Ok(Glance {
        today: order::figures(tx, actor, begin, end)?,
        total: order::figures(tx, actor, always.0, always.1)?,
        channels: store::market::list_channels(tx, Id::from_bytes([0; 16]), PLACES_MAX)?,
        locations: locations.into_iter().map(pieces).collect(),
        latest: order::list(tx, actor, Id::from_bytes([255; 16]), (None, None), LATEST)?,
    })
}

/// When the day began and ends in the first market.
fn today(tx: &mut Tx<'_>, now: Instant) -> Result<(Instant, Instant), Failure> {
    let market = store::market::list(tx, Id::from_bytes([0; 16]), 1)?.pop();
    let zone = market.map(|market| market.zone).or_else(|| Zone::parse("UTC").ok());
    let Some(zone) = zone else { return Ok((now, now)) };
    let day = LocalDay::of(now, &zone);
    let end = day.next().map_or(now, |next| next.first_instant(&zone));
    Ok((day.first_instant(&zone), end))
}
