//! The customer comes for goods that wait: told that they are ready, reminded, on the way, known by a code, met at a bay, given the goods;
//! or somebody else comes whom the customer named, or whom a colleague made sure of.

use domain::actor::{Actor, Permission};
use domain::contact::Card;
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
use crate::contact::{self, NewContact};
use crate::event::emit;
use crate::order::{self, Order};
use crate::{Failure, World};

/// The digits of a pickup code.
const CODE_DIGITS: usize = 6;
/// The longest name of a bay, in characters.
const BAY_MAX: usize = 40;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// How long before the end customers are reminded, in seconds.
const REMINDED_BEFORE: i64 = DAY;
/// The most customers one round reminds.
const ROUND: i64 = 100;
/// The longest way to the store, in minutes.
pub const MINUTES_MAX: i64 = 24 * 60;
/// How many wrong codes may be given before a colleague must make sure in another way.
pub const WRONG_CODES_MAX: i64 = 5;

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
        wrong_codes: 0,
        expected_at: None,
        bay: None,
        named: None,
        collector: None,
        arrived_at: None,
        reminded_at: None,
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

/// A visit as it is shown to who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The visit.
    pub visit: Visit,
    /// The code, for whoever holds the order and who works on it at its location; others who may read orders do not see it.
    pub code: Option<String>,
}

/// The visit that belongs to a fulfilment order.
///
/// # Errors
/// [`Code::NotFound`] when the goods were never ready, or the asker may not see the order.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<Shown, Failure> {
    let order = order::find(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    let visit = found(tx, which)?;
    shown(tx, actor, &order, visit)
}

fn shown(tx: &mut Tx<'_>, actor: &Actor, order: &Order, visit: Visit) -> Result<Shown, Failure> {
    let all = store::fulfilment::of_order(tx, order.id)?;
    let location = all.iter().find(|one| one.id == visit.fulfilment_order).and_then(|one| one.location);
    let works_there = actor.may(Permission::EditOrders, location).is_ok();
    let code = (works_there || order::is_held_by(actor, order)).then(|| visit.code.clone());
    Ok(Shown { visit, code })
}

fn found(tx: &mut Tx<'_>, which: Which) -> Result<Visit, Failure> {
    rows::find(tx, which)?.ok_or_else(|| Refusal::not_found("pickup visit", which.1).into())
}

/// What the customer's QR code holds: the counter finds the goods by it, and it stands for the pickup code.
pub fn qr_text(visit: &Visit) -> String {
    format!("{}/{}", visit.fulfilment_order, visit.code)
}

/// The customer's QR code, for who may see the pickup code.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::Forbidden`] for others.
pub fn qr(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<String, Failure> {
    let shown = read(tx, actor, which)?;
    if shown.code.is_none() {
        let message = "the pickup code is shown to whoever holds the order and to who hands the goods over";
        return Err(Refusal::new(Code::Forbidden, message).into());
    }
    Ok(qr_text(&shown.visit))
}

/// The customer is on the way, and says in how many minutes to be there if that is known.
///
/// # Errors
/// [`Code::WrongState`] unless the goods are ready; [`Code::Invalid`] for a time under a minute or over a day.
pub fn come(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    minutes: Option<i64>,
) -> Result<Shown, Failure> {
    if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
        return Err(Refusal::invalid("minutes", format!("give 1 to {MINUTES_MAX}")).into());
    }
    let order = order::lock(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    let mut visit = found(tx, which)?;
    step(&mut visit, Step::OnTheWay)?;
    visit.expected_at = minutes.map(|minutes| world.now().plus_seconds(minutes * 60));
    rows::update(tx, &visit)?;
    let expected = visit.expected_at.map(|at| at.to_string());
    let body = json!({ "fulfilment_order": visit.fulfilment_order.to_string(), "expected_at": expected });
    emit(tx, actor, world, order.id, "pickup.on_the_way", body);
    shown(tx, actor, &order, visit)
}

/// The customer names somebody else who may come; a second name replaces the first.
///
/// # Errors
/// [`Code::WrongState`] when the visit has ended.
pub fn name_collector(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    card: Card,
) -> Result<Shown, Failure> {
    let order = order::lock(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    let mut visit = found(tx, which)?;
    if !visit.state.leads_to(Step::HandedOver) {
        let message = format!("the pickup visit is {}", visit.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let named = contact::save(tx, actor, world, NewContact { person: None, card })?;
    visit.named = Some(named);
    rows::update(tx, &visit)?;
    let body =
        json!({ "fulfilment_order": visit.fulfilment_order.to_string(), "collector": named.to_string() });
    emit(tx, actor, world, order.id, "pickup.collector_named", body);
    shown(tx, actor, &order, visit)
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
) -> Result<Shown, Failure> {
    if bay.as_ref().is_some_and(|bay| bay.is_empty() || bay.chars().count() > BAY_MAX) {
        return Err(Refusal::invalid("bay", format!("give 1 to {BAY_MAX} characters")).into());
    }
    let order = order::lock(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    let mut visit = found(tx, which)?;
    step(&mut visit, Step::Arrived)?;
    visit.bay = bay;
    visit.arrived_at = Some(world.now());
    rows::update(tx, &visit)?;
    let body = json!({ "fulfilment_order": visit.fulfilment_order.to_string(), "bay": visit.bay });
    emit(tx, actor, world, order.id, "pickup.arrived", body);
    shown(tx, actor, &order, visit)
}

fn step(visit: &mut Visit, next: Step) -> Result<(), Refusal> {
    if !visit.state.leads_to(next) {
        let message = format!("the pickup visit is {}", visit.state.text());
        return Err(Refusal::new(Code::WrongState, message));
    }
    visit.state = next;
    Ok(())
}

/// Counts a code that is given, when it is wrong. This is a command of its own, kept before the goods are asked for: a refusal leaves no
/// trace, and a count of refusals must.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn count_wrong_code(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    code: &str,
) -> Result<(), Failure> {
    let order = order::lock(tx, which.0)?;
    find(tx, actor, &order, which.1)?;
    let Some(mut visit) = rows::find(tx, which)? else { return Ok(()) };
    if is_right(&visit, code) || !visit.state.leads_to(Step::HandedOver) {
        return Ok(());
    }
    visit.wrong_codes += 1;
    rows::update(tx, &visit)?;
    let body =
        json!({ "fulfilment_order": visit.fulfilment_order.to_string(), "wrong_codes": visit.wrong_codes });
    emit(tx, actor, world, order.id, "pickup.wrong_code", body);
    Ok(())
}

/// Is it the code, typed or scanned?
fn is_right(visit: &Visit, code: &str) -> bool {
    code == visit.code || code == qr_text(visit)
}

/// Ends the visit when goods that were ready go into somebody's hands: the code must be right, or a colleague says how they made sure.
/// Somebody the customer did not name is always made sure of by a colleague.
///
/// # Errors
/// [`Code::Invalid`] for a wrong code or none; [`Code::WrongState`] for a code after too many wrong ones.
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
        Some(Proof::Code(_)) if visit.wrong_codes >= WRONG_CODES_MAX => {
            let message = "too many wrong codes were given: make sure who it is, and say how in \"seen\"";
            return Err(Refusal::new(Code::WrongState, message).at("code").into());
        }
        Some(Proof::Code(code)) if is_right(&visit, &code) => None,
        Some(Proof::Code(_)) => {
            return Err(Refusal::invalid("code", "this is not the code of this pickup").into());
        }
        Some(Proof::Seen(how)) => {
            actor.may(Permission::EditOrders, one.location)?;
            Some(how)
        }
        None => return Err(Refusal::invalid("code", "give the customer's pickup code").into()),
    };
    if let Some(collector) = collector {
        store::contact::find(tx, collector)?
            .ok_or_else(|| Refusal::not_found("contact", collector).at("collector"))?;
        if seen.is_none() && visit.named != Some(collector) {
            let message = "the customer did not name this person: make sure who it is, and say how";
            return Err(Refusal::invalid("seen", message).into());
        }
    }
    step(&mut visit, Step::HandedOver)?;
    visit.collector = collector;
    visit.ended_at = Some(world.now());
    rows::update(tx, &visit)?;
    let body = json!({ "fulfilment_order": one.id.to_string(), "seen": seen, "collector": collector.map(|id| id.to_string()) });
    emit(tx, actor, world, one.order, "pickup.handed_over", body);
    Ok(())
}

/// Reminds customers whose goods wait for one more day; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn remind(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let until = world.now().plus_seconds(REMINDED_BEFORE);
    let waiting = rows::to_remind(tx, until, REMINDED_BEFORE * 1_000_000, ROUND)?;
    for which in &waiting {
        let order = order::lock(tx, which.0)?;
        let all = store::fulfilment::of_order(tx, order.id)?;
        let one = all.iter().find(|one| one.id == which.1 && one.state == State::Ready);
        let visit = rows::find(tx, *which)?.filter(|visit| visit.reminded_at.is_none());
        let Some((one, mut visit)) = one.zip(visit) else { continue };
        visit.reminded_at = Some(world.now());
        rows::update(tx, &visit)?;
        let collect_by = one.collect_by.map(|at| at.to_string());
        let body = json!({ "fulfilment_order": one.id.to_string(), "collect_by": collect_by });
        emit(tx, actor, world, order.id, "pickup.reminded", body);
    }
    Ok(waiting.len() as i64 == ROUND)
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
