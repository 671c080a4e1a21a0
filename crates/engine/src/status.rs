//! What a customer is told of an order: where each part is, what can be done now; and links by which the customer follows it.

pub mod page;
pub mod take_over;

use std::collections::BTreeMap;

use domain::actor::key::{from_hexadecimal, hexadecimal};
use domain::actor::{Actor, Permission};
use domain::fulfilment::Visit as Step;
use domain::fulfilment::parcel::State as Standing;
use domain::order::{State as OrderState, Sums};
use domain::returns::claim::Remedy;
use domain::status::{self as rules, Deed, Stage};
use domain::value::id;
use domain::value::{Id, Instant, Language};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::Tx;
use store::event::Entry;
use store::fulfilment::visit::{self, Visit};
use store::location::Location;
use store::status as rows;

use crate::change::{self, Change};
use crate::checkout;
use crate::event::emit;
use crate::fulfilment::carrier::{self, Carrier};
use crate::fulfilment::parcel::Parcel;
use crate::fulfilment::{FulfilmentOrder, open_units};
use crate::order::{self, Line, Order};
use crate::payment::Payment;
use crate::returns::claim::{self, Claim};
use crate::returns::exchange::Exchange;
use crate::returns::{self, Return};
use crate::{Failure, World};

/// The most links to one order that work at once.
pub const LINKS_MAX: i64 = 20;
/// The most changes of an order that its status tells.
const CHANGES_MAX: i64 = 20;
/// The longest a link works, in days.
pub const LINK_DAYS_MAX: i64 = 365;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// A part of an order as its customer sees it.
#[derive(Clone, Debug)]
pub struct PartStatus {
    /// The goods.
    pub part: FulfilmentOrder,
    /// How far they are.
    pub stage: Stage,
    /// The location that has them; none while it is being found.
    pub location: Option<Location>,
    /// The customer's visit, when they wait or waited for the customer.
    pub visit: Option<Visit>,
    /// The pickup code as long as it is of use, for whoever holds the order and who works on it at its location.
    pub code: Option<String>,
}

/// An order as its customer sees it.
#[derive(Clone, Debug)]
pub struct Status {
    /// The order.
    pub order: Order,
    /// How far the whole is.
    pub stage: Stage,
    /// The language the customer is spoken to in.
    pub language: Language,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Its parts that are under way or have left.
    pub parts: Vec<PartStatus>,
    /// Its parcels that were not unpacked again, each with its carrier.
    pub parcels: Vec<(Parcel, Option<Carrier>)>,
    /// What came back, or is to.
    pub returns: Vec<Return>,
    /// What was said to be lost, damaged or wrong.
    pub claims: Vec<Claim>,
    /// Goods that came back against other goods, in which the order had a part.
    pub exchanges: Vec<Exchange>,
    /// The newest changes of it, the newest first.
    pub changes: Vec<Change>,
    /// How it was paid, and what of that went back.
    pub payments: Vec<Payment>,
    /// Its money.
    pub sums: Sums,
    /// What the customer can do now.
    pub deeds: Vec<Deed>,
}

/// The status of an order for who may see it, in another language than the market's if one is named.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<id::Order>,
    language: Option<Language>,
) -> Result<Status, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    let holds = order::is_held_by(actor, &order);
    let sees = |part: &FulfilmentOrder| holds || actor.may(Permission::EditOrders, part.location).is_ok();
    of(tx, order, language, &sees)
}

/// The status of the order a link leads to.
///
/// # Errors
/// [`Code::NotFound`] when the link expired, was withdrawn or never was.
pub fn by_link(
    tx: &mut Tx<'_>,
    token: &str,
    now: Instant,
    language: Option<Language>,
) -> Result<Status, Failure> {
    let order = order_of_link(tx, token, now)?;
    of(tx, order, language, &|_| true)
}

fn order_of_link(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<Order, Failure> {
    let no_link = || {
        let why = "this link to an order has expired, was withdrawn or was copied in part; ask for a new one";
        Refusal::new(Code::NotFound, why)
    };
    let hash = from_hexadecimal(token).map(|token| hash_of(&token)).ok_or_else(no_link)?;
    let id = rows::order_of_link(tx, &hash, now)?.ok_or_else(no_link)?;
    order::find(tx, id)
}

fn hash_of(token: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The status, with the codes of the parts of which they are seen.
fn of(
    tx: &mut Tx<'_>,
    order: Order,
    language: Option<Language>,
    sees_code: &dyn Fn(&FulfilmentOrder) -> bool,
) -> Result<Status, Failure> {
    let whole = checkout::whole(tx, order)?;
    let (order, lines, sums) = (whole.order, whole.lines, whole.sums);
    let deeds_of_lines = can_come_back(&order, &lines, &whole.fulfilment_orders);
    let open = change::is_open_to_customer(tx, &order, &whole.fulfilment_orders)?;
    let parts = parts(tx, whole.fulfilment_orders, sees_code)?;
    let stages: Vec<Stage> = parts.iter().map(|part| part.stage).collect();
    let mut deeds = Vec::new();
    if order.state == OrderState::PendingPayment && sums.missing() > 0 {
        deeds.push(Deed::Pay);
    }
    if parts.iter().any(|part| part.stage == Stage::Ready && part.visit.as_ref().is_some_and(is_expected)) {
        deeds.push(Deed::Arrive);
    }
    if deeds_of_lines {
        deeds.push(Deed::Return);
    }
    if open {
        deeds.extend([Deed::Cancel, Deed::Change]);
    }
    let language = match language {
        Some(language) => language,
        None => spoken(tx, &order)?,
    };
    let claims = claim::all_of(tx, order.id)?;
    // The money of a claim is told with the claim, not a second time as a return.
    let is_claims = |id| claims.iter().any(|one| one.remedy == Some(Remedy::Refund) && one.taken == Some(id));
    let mut returns = returns::all_of(tx, order.id)?;
    returns.retain(|one| !is_claims(one.id));
    Ok(Status {
        stage: rules::stage_of_order(order.state, order.kind, &stages),
        language,
        parcels: parcels(tx, &order)?,
        returns,
        claims,
        exchanges: store::returns::exchange::of_order(tx, order.id)?,
        changes: store::change::of_order(tx, order.id, Id::from_bytes([255; 16]), CHANGES_MAX)?,
        payments: whole.payments,
        lines,
        parts,
        sums,
        deeds,
        order,
    })
}

fn is_expected(visit: &Visit) -> bool {
    matches!(visit.state, Step::Booked | Step::OnTheWay)
}

/// Does the customer have anything of it that has not come back?
fn can_come_back(order: &Order, lines: &[Line], all: &[FulfilmentOrder]) -> bool {
    let had = |line: &Line| line.quantity - line.cancelled - line.returned - open_units(line, all) > 0;
    let sold = matches!(order.state, OrderState::Placed | OrderState::Completed);
    sold && lines.iter().any(|line| !line.takes.is_empty() && had(line))
}

fn parts(
    tx: &mut Tx<'_>,
    all: Vec<FulfilmentOrder>,
    sees_code: &dyn Fn(&FulfilmentOrder) -> bool,
) -> Result<Vec<PartStatus>, Failure> {
    let ids: Vec<_> = all.iter().filter_map(|part| part.location).collect();
    let places: BTreeMap<_, _> =
        store::location::among(tx, &ids)?.into_iter().map(|location| (location.id, location)).collect();
    let mut parts = Vec::with_capacity(all.len());
    for part in all {
        let Some(stage) = rules::stage_of(part.state, part.on_hold.is_some()) else { continue };
        let visit = if part.ready_at.is_some() { visit::find(tx, (part.order, part.id))? } else { None };
        let location = part.location.and_then(|id| places.get(&id).cloned());
        let useful = visit.as_ref().filter(|visit| visit.ended_at.is_none() && sees_code(&part));
        let code = useful.map(|visit| visit.code.clone());
        parts.push(PartStatus { stage, location, visit, code, part });
    }
    Ok(parts)
}

/// The parcels of an order, but those that were unpacked, with their carriers.
fn parcels(tx: &mut Tx<'_>, order: &Order) -> Result<Vec<(Parcel, Option<Carrier>)>, Failure> {
    let mut parcels = Vec::new();
    for parcel in store::fulfilment::parcel::of_order(tx, order.id)? {
        if parcel.state != Standing::Void {
            let carrier = parcel.carrier.map(|id| carrier::load(tx, id)).transpose()?;
            parcels.push((parcel, carrier));
        }
    }
    Ok(parcels)
}

/// The language of the market an order was placed in.
fn spoken(tx: &mut Tx<'_>, order: &Order) -> Result<Language, Failure> {
    let market = store::market::find_market(tx, order.market)?;
    Ok(market.ok_or_else(|| Refusal::not_found("market", order.market))?.language)
}

/// Makes a link to an order that works for so many days: its token, which nobody can read again, and when it expires.
///
/// # Errors
/// [`Code::Invalid`] for too many days, [`Code::WrongState`] when too many links work already.
pub fn make_link(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
    days: i64,
) -> Result<(String, Instant), Failure> {
    if !(1..=LINK_DAYS_MAX).contains(&days) {
        return Err(Refusal::invalid("days", format!("give 1 to {LINK_DAYS_MAX} days")).into());
    }
    let order = for_links(tx, actor, id)?;
    if rows::links(tx, order.id, world.now())? >= LINKS_MAX {
        let message =
            format!("{LINKS_MAX} links to order {} work already; withdraw them first", order.number);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let token = world.bytes::<32>();
    let expires_at = world.now().plus_seconds(days * DAY);
    rows::add_link(tx, &hash_of(&token), order.id, (world.now(), expires_at))?;
    emit(tx, actor, world, order.id, "order.status_link_made", json!({ "days": days }));
    Ok((hexadecimal(&token), expires_at))
}

/// Withdraws every link to an order. Withdrawing again is no harm.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn withdraw_links(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
) -> Result<(), Failure> {
    let order = for_links(tx, actor, id)?;
    let gone = rows::withdraw_links(tx, order.id)?;
    if gone > 0 {
        emit(tx, actor, world, order.id, "order.status_links_withdrawn", json!({ "links": gone }));
    }
    Ok(())
}

/// The order, locked, for who may give its customer a link.
fn for_links(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Order, Failure> {
    let order = order::lock(tx, id)?;
    actor.may(Permission::EditOrders, order.location)?;
    Ok(order)
}

/// The order an event tells of: the one it happened to, or the one its body names.
pub fn order_told_of(entry: &Entry) -> Option<Id<id::Order>> {
    if let Ok(order) = Id::parse(&entry.subject) {
        return Some(order);
    }
    let body: Value = serde_json::from_str(&entry.body).ok()?;
    Id::parse(body["order"].as_str()?).ok()
}
