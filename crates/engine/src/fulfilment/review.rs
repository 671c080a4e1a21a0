//! A location changed: it closed, or can prepare less. What it was given and nobody picks yet is routed again, as far as another place
//! takes it.

use domain::actor::Actor;
use domain::delivery::Kind;
use domain::fulfilment::State;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Location as LocationKind};
use domain::{Code, Refusal};
use serde_json::json;
use store::job::Job;
use store::location::Location;
use store::routing::capacity;
use store::{Tx, fulfilment as rows};

use super::pick::Which;
use super::{FulfilmentOrder, pool};
use crate::routing::{self, profile};
use crate::{Failure, World, job, order};

/// The most fulfilment orders one round looks at.
const ROUND: i64 = 50;

/// The job that is noted when a location changes so that it may not serve what it was given.
const JOB: &str = "location.review";

/// Looks at what a location was given; comes again while there is more.
///
/// # Errors
/// What the store says.
pub fn review(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let body: serde_json::Value = serde_json::from_str(&job.body).unwrap_or_default();
    let Ok(location) = Id::<LocationKind>::parse(&job.subject) else { return Ok(()) };
    let Some(location) = store::location::find(tx, location)? else { return Ok(()) };
    let after = body["after"].as_str().and_then(|text| Id::<FulfilmentOrderKind>::parse(text).ok());
    if after.is_none() && give_away_beyond(tx, actor, world, &location)? {
        let now = world.now();
        return job::enqueue(tx, world, JOB, location.id, json!({}), now);
    }
    let page = rows::open_at(tx, location.id, after.unwrap_or(Id::from_bytes([0; 16])), ROUND)?;
    for one in page.iter().filter(|one| one.state == State::Open) {
        let why = if !location.active || !location.can_ship {
            Why::Gone
        } else if is_closed(tx, world, &location, one)? {
            Why::Closed
        } else {
            continue;
        };
        give_away(tx, actor, world, (one.order, one.id), why)?;
    }
    match page.last().filter(|_| page.len() as i64 == ROUND) {
        Some(last) => {
            let (now, body) = (world.now(), json!({ "after": last.id.to_string() }));
            job::enqueue(tx, world, JOB, location.id, body, now)
        }
        None => Ok(()),
    }
}

/// Why a location does not serve what it was given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// It sends no parcels any more.
    Gone,
    /// Its door stays closed for long.
    Closed,
    /// It can prepare no more today.
    Full,
}

/// Does the location's door stay closed for longer than the profile of the fulfilment order allows?
fn is_closed(
    tx: &mut Tx<'_>,
    world: &World,
    location: &Location,
    one: &FulfilmentOrder,
) -> Result<bool, Failure> {
    let order = order::find(tx, one.order)?;
    let version = profile::of_channel(tx, world.now(), (order.channel, one.network))?;
    Ok(version.is_some_and(|version| {
        !routing::opens_within(
            (location.hours.as_ref(), &location.zone),
            world.now(),
            version.profile.opens_within_hours(),
        )
    }))
}

/// Gives away what a location cannot prepare today, the newest first; true when something went and there may be more.
fn give_away_beyond(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    location: &Location,
) -> Result<bool, Failure> {
    let Some((day, most)) = routing::room(location, world.now()) else { return Ok(false) };
    let beyond = capacity::beyond(tx, (location.id, day), (most, ROUND))?;
    let mut went = false;
    for which in &beyond {
        went |= give_away(tx, actor, world, *which, Why::Full)?;
    }
    Ok(went && beyond.len() as i64 == ROUND)
}

/// Routes a fulfilment order again that nobody picks yet. Unless the location sends nothing any more, it stays when no other place takes
/// all of it; true when it went. The plain rule leaves everything where it is.
fn give_away(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): Which,
    why: Why,
) -> Result<bool, Failure> {
    let order: order::Order = order::lock(tx, order)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == id);
    let is_untouched =
        |one: &FulfilmentOrder| one.state == State::Open && one.on_hold.is_none() && one.kind == Kind::Ship;
    let Some(one) = found.filter(is_untouched) else { return Ok(false) };
    if profile::of_channel(tx, world.now(), (order.channel, one.network))?.is_none() {
        return Ok(false);
    }
    let reason = match why {
        Why::Gone => "it sends no parcels any more",
        Why::Closed => "its door stays closed",
        Why::Full => "it can prepare no more today",
    };
    let went = tx.savepoint(|tx| {
        pool::leave_to_others(tx, actor, world, &order, one, reason)?;
        let waits = |one: &FulfilmentOrder| one.state == State::Unrouted;
        if why != Why::Gone && rows::of_order(tx, order.id)?.iter().any(waits) {
            return Err(Failure::from(Refusal::new(Code::OutOfStock, "no other place takes it")));
        }
        Ok(())
    });
    match went {
        Err(Failure::Refused(refusal)) if refusal.code() == Code::OutOfStock => Ok(false),
        outcome => outcome.map(|()| true),
    }
}
