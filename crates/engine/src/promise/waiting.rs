//! Those who wait for goods that were not there when they bought them: each is promised a date by his place in the queue and by what is
//! expected, and promised anew when that changes.

use std::collections::HashMap;

use domain::actor::Actor;
use domain::promise::queue::{Supply, covered};
use domain::stock::State;
use domain::stock::selling::Later;
use domain::value::id::{
    FulfilmentOrder as FulfilmentKind, Location as LocationKind, Order as OrderKind, Variant,
};
use domain::value::{Id, Instant};
use serde_json::{Value, json};
use store::delivery::Method;
use store::fulfilment::waiting::{self as rows, Waiting};
use store::location::Location;
use store::stock::expected::ExpectedGoods;
use store::{StoreError, Tx, ledger as books};

use super::date;
use crate::event::emit;
use crate::fulfilment::{Promised, pool};
use crate::job::{self, Job};
use crate::stock::{book_of, selling};
use crate::{Failure, World};

/// The job that goes on with a queue too long for one transaction.
pub const RENEW: &str = "promise.renew";
/// The job that gives goods which came to those who wait for them.
pub const SERVE: &str = "promise.serve";
/// The most who are promised anew in one transaction.
const ROUND: i64 = 100;
/// The most deliveries of one variant that are looked at.
const EXPECTED_MAX: i64 = 200;
const DAY_SECONDS: i64 = 24 * 3600;

/// Promises anew to those who wait for a variant, the longest waiting first; a job goes on where there are too many.
///
/// # Errors
/// What the store says.
pub fn renew(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, variant: Id<Variant>) -> Result<(), Failure> {
    renew_after(tx, actor, world, variant, Id::from_bytes([0; 16]))
}

/// Goes on where one transaction stopped.
///
/// # Errors
/// What the store says.
pub fn on_renew(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let lost = || StoreError::Corrupt(format!("job {} does not say who waits", job.id));
    let body: Value = serde_json::from_str(&job.body).map_err(|_| lost())?;
    let after = body["after"].as_str().and_then(|text| Id::parse(text).ok()).ok_or_else(lost)?;
    let variant = Id::parse(&job.subject).map_err(|_| lost())?;
    books::lock_books(tx, &mut vec![book_of(variant)])?;
    renew_after(tx, actor, world, variant, after)
}

/// Goods came that are claimed for those who wait: they are given to them right after the commit, by a job, because serving somebody begins
/// with the lock of his order, and the receipt has locked the book.
///
/// # Errors
/// What the store says.
pub(crate) fn serve(tx: &mut Tx<'_>, world: &mut World, variant: Id<Variant>) -> Result<(), Failure> {
    if rows::queue(tx, variant, Id::from_bytes([0; 16]), 1)?.is_empty() {
        return Ok(());
    }
    let now = world.now();
    job::enqueue(tx, world, SERVE, variant, json!({}), now)
}

/// Gives those who wait what came, the longest waiting first: a round of them in one transaction, and the next job follows at once.
///
/// # Errors
/// What the store says.
pub fn on_serve(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    if pool::route_waiting(tx, actor, world)? {
        let now = world.now();
        job::enqueue(tx, world, SERVE, &job.subject, json!({}), now)?;
    }
    Ok(())
}

fn renew_after(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    after: Id<FulfilmentKind>,
) -> Result<(), Failure> {
    let queue = rows::queue(tx, variant, after, ROUND)?;
    if queue.is_empty() {
        return Ok(());
    }
    let ahead = rows::pieces_up_to(tx, variant, after)?;
    let mut outlook = Outlook::of(tx, variant, world.now())?;
    let mut up_to = ahead;
    for waiting in &queue {
        up_to += waiting.quantity;
        if waiting.later.is_none() {
            continue;
        }
        let promised = outlook.promised(tx, (variant, waiting), up_to)?;
        if promised != waiting.promised {
            rows::promise(tx, (waiting.order, waiting.id), promised)?;
            tell(tx, actor, world, (variant, waiting), promised);
        }
    }
    if let Some(last) = queue.last().filter(|_| queue.len() as i64 == ROUND) {
        let body = json!({ "after": last.id.to_string() });
        job::enqueue(tx, world, RENEW, variant, body, world.now())?;
    }
    Ok(())
}

fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, waiting): (Id<Variant>, &Waiting),
    promised: Promised,
) {
    let written = |at: Option<Instant>| at.map(|at| at.to_string());
    let body = json!({
        "fulfilment_order": waiting.id.to_string(), "variant": variant.to_string(), "quantity": waiting.quantity,
        "was": { "from": written(waiting.promised.from), "by": written(waiting.promised.by) },
        "now": { "from": written(promised.from), "by": written(promised.by) }
    });
    emit(tx, actor, world, waiting.order, "promise.changed", body);
}

/// What an order says about how its goods reach the customer.
#[derive(Clone)]
struct Way {
    method: Option<Method>,
    lead_days: Option<i64>,
    home: Option<Location>,
}

/// What is there of a variant and what is to come, and where.
struct Outlook {
    now: Instant,
    shelves: Vec<(Id<LocationKind>, i64)>,
    expected: Vec<ExpectedGoods>,
    locations: Vec<Location>,
    ways: HashMap<Id<OrderKind>, Way>,
}

impl Outlook {
    fn of(tx: &mut Tx<'_>, variant: Id<Variant>, now: Instant) -> Result<Outlook, Failure> {
        let balances = books::balances(tx, book_of(variant))?.into_iter();
        let there =
            balances.filter(|(account, amount)| account.state == State::Available.code() && *amount > 0);
        let shelves: Vec<_> =
            there.map(|(account, amount)| (Id::from_bytes(account.place), amount)).collect();
        let fullest = shelves.iter().max_by_key(|(_, amount)| *amount).map(|(location, _)| *location);
        let expected = store::stock::expected::to_come_of(tx, &[variant], EXPECTED_MAX)?;
        let mut ids: Vec<_> = expected.iter().map(|goods| goods.location).collect();
        ids.extend(fullest);
        let locations = store::location::among(tx, &ids)?;
        Ok(Outlook { now, shelves, expected, locations, ways: HashMap::new() })
    }

    /// With which supply the goods have come of somebody up to and with whom so many pieces are claimed: from when on, and where. What is
    /// collected at a location comes from there.
    fn comes(&self, waiting: &Waiting, up_to: i64) -> Option<(Instant, Id<LocationKind>)> {
        let counts = |location: Id<LocationKind>| waiting.location.is_none_or(|own| own == location);
        let shelves: Vec<_> = self.shelves.iter().filter(|(location, _)| counts(*location)).collect();
        let expected: Vec<_> = self.expected.iter().filter(|goods| counts(goods.location)).collect();
        let there = shelves.iter().map(|(_, amount)| amount).sum();
        let mut supplies = vec![Supply { at: self.now, quantity: there }];
        supplies.extend(
            expected.iter().map(|goods| Supply { at: goods.due_at.max(self.now), quantity: goods.to_come() }),
        );
        let place = covered(&supplies, 0, &[up_to]).pop().flatten()?;
        let fullest = || shelves.iter().max_by_key(|(_, amount)| *amount).map(|(location, _)| *location);
        let location = if place == 0 { fullest()? } else { expected[place - 1].location };
        Some((supplies[place].at, location))
    }

    /// What somebody is promised up to and with whom so many pieces are claimed; where too little comes, what the channel's lead time says.
    fn promised(
        &mut self,
        tx: &mut Tx<'_>,
        (variant, waiting): (Id<Variant>, &Waiting),
        up_to: i64,
    ) -> Result<Promised, Failure> {
        let way = self.way(tx, variant, waiting)?;
        let (there_at, comes_to) = match (self.comes(waiting, up_to), waiting.later, way.lead_days) {
            (Some((at, location)), ..) => (at, Some(location)),
            (None, Some(Later::BackOrder), Some(days)) => {
                (waiting.since.plus_seconds(days * DAY_SECONDS), None)
            }
            _ => return Ok(Promised::default()),
        };
        let from = there_at.max(self.now).max(waiting.not_before.unwrap_or(self.now));
        let location = waiting.location.and(way.home.as_ref());
        let known = comes_to.and_then(|id| self.locations.iter().find(|one| one.id == id));
        let location = location.or(known).or(way.home.as_ref());
        let kind = if waiting.location.is_some() {
            domain::delivery::Kind::Pickup
        } else {
            domain::delivery::Kind::Ship
        };
        let promised = location.map(|location| date::of(kind, (location, false), way.method.as_ref(), from));
        Ok(promised.unwrap_or_default())
    }

    fn way(&mut self, tx: &mut Tx<'_>, variant: Id<Variant>, waiting: &Waiting) -> Result<Way, Failure> {
        if let Some(known) = self.ways.get(&waiting.order) {
            return Ok(known.clone());
        }
        let order = crate::order::find(tx, waiting.order)?;
        let method = order.delivery_method.map(|id| store::delivery::find(tx, id)).transpose()?.flatten();
        let rules = selling::of(tx, order.channel, &[variant])?;
        let home = match (waiting.location, store::market::find_channel(tx, order.channel)?) {
            (Some(location), _) => store::location::find(tx, location)?,
            (None, Some(channel)) => {
                let members = store::location::network_members(tx, channel.network)?;
                members.into_iter().map(|(location, _)| location).find(|location| location.can_ship)
            }
            (None, None) => None,
        };
        let way = Way { method, lead_days: rules.get(&variant).and_then(|rule| rule.lead_days), home };
        self.ways.insert(waiting.order, way.clone());
        Ok(way)
    }
}

/// What goods were promised that were just sold though they are not there: by their place at the end of the queue.
///
/// # Errors
/// What the store says.
pub(crate) fn give(
    tx: &mut Tx<'_>,
    made: &[crate::fulfilment::FulfilmentOrder],
    now: Instant,
) -> Result<(), Failure> {
    for one in made {
        for line in one.lines.iter().take(1) {
            let up_to = rows::pieces_up_to(tx, line.variant, one.id)?;
            let mut outlook = Outlook::of(tx, line.variant, now)?;
            let before = Id::from_bytes(previous(one.id.bytes()));
            for waiting in rows::queue(tx, line.variant, before, 1)? {
                let promised = outlook.promised(tx, (line.variant, &waiting), up_to)?;
                rows::promise(tx, (one.order, one.id), promised)?;
            }
        }
    }
    Ok(())
}

/// The id right before one, so that a list after it begins with that one.
fn previous(id: [u8; 16]) -> [u8; 16] {
    u128::from_be_bytes(id).saturating_sub(1).to_be_bytes()
}
