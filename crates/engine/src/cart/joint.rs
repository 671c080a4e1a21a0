//! Carts of two customers who are one person: what lies in the one's goes into the other's of the same channel, and back again when nobody
//! touched it since.

use std::cmp::Reverse;

use domain::actor::Actor;
use domain::cart::{self as rules, State};
use domain::value::id::{Cart as CartKind, Customer};
use domain::value::{Country, Id, Instant};
use serde_json::{Value, json};
use store::cart::coupon as coupons;
use store::{StoreError, Tx, cart as rows};

use super::{Cart, Destination, Line, channel_of, finish, hold, lock, standing, steps};
use crate::event::emit;
use crate::stock::hold::release_for_cart;
use crate::{Failure, World};

/// The most carts of a customer that are looked at.
const LOOKED_AT_MAX: i64 = 200;

/// For each channel in which both have a cart that can be filled: the newest of the one goes into the newest of the other. Where that cannot
/// be, because both do not fit or the goods are not there, they stay two. Both customers' carts are locked.
///
/// # Errors
/// What the store says.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (Id<Customer>, Id<Customer>),
) -> Result<Vec<(Id<CartKind>, Value)>, Failure> {
    let (theirs, own) = (newest(tx, world, from)?, newest(tx, world, into)?);
    let mut joined = Vec::new();
    for source in theirs {
        let same = |cart: &&Cart| (cart.channel, cart.currency) == (source.channel, source.currency);
        let Some(target) = own.iter().find(same) else { continue };
        let (source, target) = (lock(tx, source.id)?, lock(tx, target.id)?);
        if source.lines.is_empty() {
            continue;
        }
        let id = source.id;
        match tx.savepoint(|tx| join_one(tx, actor, world, source.clone(), target.clone())) {
            Err(Failure::Refused(_)) => {}
            outcome => joined.push((id, outcome?)),
        }
    }
    Ok(joined)
}

/// The carts of a customer that can be filled, of each channel and currency the one that was changed last.
fn newest(tx: &mut Tx<'_>, world: &World, of: Id<Customer>) -> Result<Vec<Cart>, Failure> {
    let mut carts = rows::open_of_customer(tx, of, LOOKED_AT_MAX)?;
    carts.retain(|cart| standing(cart, world.now()).is_open());
    carts.sort_by_key(|cart| (cart.channel, cart.currency.code(), Reverse((cart.changed_at, cart.id))));
    carts.dedup_by_key(|cart| (cart.channel, cart.currency));
    Ok(carts)
}

fn join_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    source: Cart,
    mut target: Cart,
) -> Result<Value, Failure> {
    let before = json!({ "into": target.id.to_string(), "source": written(tx, &source)?, "target": written(tx, &target)? });
    let channel = channel_of(tx, &target)?;
    let ended = source.version + 1;
    steps::unite(tx, actor, world, source, &mut target)?;
    let target = finish(tx, actor, world, &channel, target)?;
    let mut before = before;
    before["versions"] = json!([ended, target.version]);
    Ok(before)
}

/// The one's cart can be filled again as it was, and what came from it leaves the other's, unless that was changed or ordered since: then
/// it stays as it is.
///
/// # Errors
/// What the store says.
pub(crate) fn part(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, before): (Id<CartKind>, &Value),
) -> Result<(), Failure> {
    let (mut source, target) = (lock(tx, id)?, lock_target(tx, before)?);
    let into = target.id;
    let as_left = |place: usize, version: i64| before["versions"][place].as_i64() == Some(version);
    if as_left(1, target.version) && target.state.leads_to(State::Merged) {
        release_for_cart(tx, actor, world, into)?;
        reopen(tx, actor, world, target, &before["target"])?;
    }
    if as_left(0, source.version) && source.state == State::Merged {
        source.merged_into = None;
        reopen(tx, actor, world, source, &before["source"])?;
    }
    Ok(())
}

/// Locks the cart into which another went.
pub(crate) fn lock_target(tx: &mut Tx<'_>, before: &Value) -> Result<Cart, Failure> {
    let into = before["into"].as_str().and_then(|text| Id::parse(text).ok()).ok_or_else(unreadable)?;
    lock(tx, into)
}

/// Writes a cart as it was, and holds what it holds, if that is still there.
fn reopen(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut cart: Cart,
    was: &Value,
) -> Result<(), Failure> {
    read_into(&mut cart, was).ok_or_else(unreadable)?;
    rows::replace_lines(tx, cart.id, &cart.lines)?;
    for given in coupons::list(tx, cart.id)? {
        if was["coupons"].as_array().is_none_or(|all| !all.contains(&json!(given.code))) {
            coupons::remove(tx, cart.id, &given.code)?;
        }
    }
    cart.version += 1;
    rows::change(tx, &cart)?;
    let state = rules::standing(cart.state, cart.expires_at, true, world.now());
    if state.is_open() {
        let channel = channel_of(tx, &cart)?;
        match tx.savepoint(|tx| hold(tx, actor, world, &channel, &cart)) {
            Err(Failure::Refused(_)) => {}
            outcome => outcome?,
        }
    }
    let body = json!({ "version": cart.version, "lines": cart.lines.len() });
    emit(tx, actor, world, cart.id, "cart.changed", body);
    Ok(())
}

fn unreadable() -> Failure {
    StoreError::Corrupt("what a merge made of a cart cannot be read".into()).into()
}

fn written(tx: &mut Tx<'_>, cart: &Cart) -> Result<Value, Failure> {
    let line = |line: &Line| {
        json!([line.id.to_string(), line.position, line.variant.to_string(), line.quantity, line.agreed])
    };
    let coupons: Vec<String> = coupons::list(tx, cart.id)?.into_iter().map(|given| given.code).collect();
    let goes = cart.destination.as_ref();
    Ok(json!({
        "state": cart.state.code(), "changed_at": cart.changed_at.micros(), "expires_at": cart.expires_at.micros(),
        "person": cart.person.map(|id| id.to_string()), "contact": cart.contact.map(|id| id.to_string()),
        "billing_contact": cart.billing_contact.map(|id| id.to_string()), "country": goes.map(|goes| goes.country.code()),
        "region": goes.and_then(|goes| goes.region.clone()), "postal_area": goes.and_then(|goes| goes.postal_area.clone()),
        "lines": cart.lines.iter().map(line).collect::<Vec<_>>(), "coupons": coupons,
    }))
}

fn read_into(cart: &mut Cart, was: &Value) -> Option<()> {
    let text = |field: &str| was[field].as_str().map(str::to_owned);
    let at = |field: &str| was[field].as_i64().map(Instant::from_micros);
    let line = |one: &Value| {
        Some(Line {
            id: Id::parse(one[0].as_str()?).ok()?,
            position: one[1].as_i64()?,
            variant: Id::parse(one[2].as_str()?).ok()?,
            quantity: one[3].as_i64()?,
            agreed: one[4].as_i64(),
        })
    };
    cart.state = State::coded(was["state"].as_i64()?)?;
    (cart.changed_at, cart.expires_at) = (at("changed_at")?, at("expires_at")?);
    cart.person = text("person").and_then(|text| Id::parse(&text).ok());
    cart.contact = text("contact").and_then(|text| Id::parse(&text).ok());
    cart.billing_contact = text("billing_contact").and_then(|text| Id::parse(&text).ok());
    let country = text("country").and_then(|code| Country::parse(&code).ok());
    let (region, postal_area) = (text("region"), text("postal_area"));
    cart.destination = country.map(|country| Destination { country, region, postal_area });
    cart.lines = was["lines"].as_array()?.iter().map(line).collect::<Option<_>>()?;
    Some(())
}
