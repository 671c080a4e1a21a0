//! The customer comes for goods that wait: told that they are ready, known by a code, met at a bay, given the goods.

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::{State, Visit as Step};
use domain::value::Id;
use domain::value::id::Contact;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::fulfilment::visit::{self as rows, Visit};

use super::pick::{Which, pick_rest};
use super::{FulfilmentOrder, find, go_to, tell};
use crate::event::emit;
use crate::{Failure, World, order};

/// The digits of a pickup code.
const CODE_DIGITS: usize = 6;
/// The longest name of a bay, in characters.
const BAY_MAX: usize = 40;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// How it was made sure that goods go into the right hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The code the customer was given.
    Code(String),
    /// A colleague made sure in another way, and says how.
    Seen(String),
}

/// Goods wait for their customer: what is still to be picked is taken from the shelf, and the customer gets a code.
///
/// # Errors
/// [`Code::WrongState`] unless they lie at the location and are collected there.
pub fn ready(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
) -> Result<FulfilmentOrder, Failure> {
    let order = order::lock(tx, which.0)?;
    let mut one = find(tx, actor, &order, which.1)?;
    if one.kind != Kind::Pickup || order.state != domain::order::State::Placed {
        let message = "only goods of a placed order that are collected can be ready for pickup";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    go_to(&mut one, State::Ready)?;
    pick_rest(tx, actor, world, &mut one)?;
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    one.ready_at = Some(world.now());
    one.collect_by = Some(world.now().plus_seconds(channel.collect_days * DAY));
    store::fulfilment::update(tx, &one)?;
    let visit = Visit {
        order: one.order,
        fulfilment_order: one.id,
        state: Step::Booked,
        code: code(world),
        bay: None,
        collector: None,
        arrived_at: None,
        ended_at: None,
    };
    rows::add(tx, &visit)?;
    tell(tx, actor, world, &one, "fulfilment.ready");
    Ok(one)
}

fn code(world: &mut World) -> String {
    let chance: [u8; CODE_DIGITS] = world.bytes();
    // 250 is the largest multiple of ten a byte holds: beyond it some digits would come more often, so those bytes count as their rest.
    chance.iter().map(|byte| char::from(b'0' + byte % 250 % 10)).collect()
}

/// The visit that belongs to a fulfilment order.
///
/// # Errors
/// [`Code::NotFound`] when the goods were never ready, or the asker may not see the order.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<Visit, Failure> {
    let order = order::find(tx, which.0)?;
    order::may_see(actor, &order)?;
    found(tx, which)
}

fn found(tx: &mut Tx<'_>, which: Which) -> Result<Visit, Failure> {
    rows::find(tx, which)?.ok_or_else(|| Refusal::not_found("pickup visit", which.1).into())
}

/// The customer is there, at a bay when there are bays; said by the customer or by a colleague.
///
/// # Errors
/// [`Code::WrongState`] unless the goods are ready.
pub fn arrive(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    bay: Option<String>,
) -> Result<Visit, Failure> {
    if bay.as_ref().is_some_and(|bay| bay.is_empty() || bay.chars().count() > BAY_MAX) {
        return Err(Refusal::invalid("bay", format!("give 1 to {BAY_MAX} characters")).into());
    }
    let order = order::lock(tx, which.0)?;
    order::may_see(actor, &order)?;
    let mut visit = found(tx, which)?;
    step(&mut visit, Step::Arrived)?;
    visit.bay = bay;
    visit.arrived_at = Some(world.now());
    rows::update(tx, &visit)?;
    let body = json!({ "fulfilment_order": visit.fulfilment_order.to_string(), "bay": visit.bay });
    emit(tx, actor, world, order.id, "pickup.arrived", body);
    Ok(visit)
}

fn step(visit: &mut Visit, next: Step) -> Result<(), Refusal> {
    if !visit.state.leads_to(next) {
        let message = format!("the pickup visit is {}", visit.state.text());
        return Err(Refusal::new(Code::WrongState, message));
    }
    visit.state = next;
    Ok(())
}

/// Ends the visit when goods that were ready go into somebody's hands: the code must be right, or a colleague says how they made sure.
///
/// # Errors
/// [`Code::Invalid`] for a wrong code or none.
pub fn verify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
    (proof, collector): (Option<Proof>, Option<Id<Contact>>),
) -> Result<(), Failure> {
    if one.state != State::Ready {
        return Ok(());
    }
    let mut visit = found(tx, (one.order, one.id))?;
    let seen = match proof {
        Some(Proof::Code(code)) if code == visit.code => None,
        Some(Proof::Code(_)) => {
            return Err(Refusal::invalid("code", "this is not the code of this pickup").into());
        }
        Some(Proof::Seen(how)) => {
            actor.may(Permission::EditOrders, one.location)?;
            Some(how)
        }
        None => return Err(Refusal::invalid("code", "give the customer's pickup code").into()),
    };
    step(&mut visit, Step::HandedOver)?;
    visit.collector = collector;
    visit.ended_at = Some(world.now());
    rows::update(tx, &visit)?;
    let body = json!({ "fulfilment_order": one.id.to_string(), "seen": seen, "collector": collector.map(|id| id.to_string()) });
    emit(tx, actor, world, one.order, "pickup.handed_over", body);
    Ok(())
}

/// The customer did not come: the visit ends.
///
/// # Errors
/// What the store says.
pub fn no_show(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: Which) -> Result<(), Failure> {
    let Some(mut visit) = rows::find(tx, which)? else { return Ok(()) };
    if visit.state.leads_to(Step::NoShow) {
        visit.state = Step::NoShow;
        visit.ended_at = Some(world.now());
        rows::update(tx, &visit)?;
        let body = json!({ "fulfilment_order": visit.fulfilment_order.to_string() });
        emit(tx, actor, world, which.0, "pickup.no_show", body);
    }
    Ok(())
}
