//! Claims: a customer says that goods of an order were lost, came damaged or wrong. Approved by the policy or a colleague, then made good
//! with money, with the same goods again, or by taking them back.

pub mod found;
pub mod resolve;

use domain::actor::{Actor, Permission};
use domain::delivery::Kind as DeliveryKind;
use domain::fulfilment::parcel::State as ParcelState;
use domain::order::share;
use domain::returns::claim::{self as rules, CarrierState, Found, Kind, Remedy, State};
use domain::value::Id;
use domain::value::id::{self, Location, OrderLine};
use domain::{Code, Refusal};
use serde_json::json;
use store::fulfilment::parcel::{self as parcels, Parcel};
use store::returns::claim as rows;
use store::{Tx, order as order_rows};

pub use store::returns::claim::{AtCarrier, Claim, Line, Wanted};

use self::resolve::Resolve;
use super::judge::{self, Had};
use super::{policy, request::goes_to};
use crate::event::emit;
use crate::order::{self, Order};
use crate::{Failure, World, external, job};

/// The most claims of one order.
pub const CLAIMS_MAX: usize = 100;

/// What a customer says of goods.
#[derive(Clone, Debug)]
pub struct Request {
    /// The order.
    pub order: Id<id::Order>,
    /// What is wrong.
    pub kind: Kind,
    /// The parcel the goods were in. It must be named for lost goods that were sent in a parcel we know.
    pub parcel: Option<Id<id::Parcel>>,
    /// Why: a reason's code, or words.
    pub reason: String,
    /// Where photos and notes are found.
    pub evidence: Option<String>,
    /// How many of which lines.
    pub lines: Vec<(Id<OrderLine>, i64)>,
    /// How the customer wishes it to be made good.
    pub wished: Option<Remedy>,
    /// Why the policy shall not count; for who may override policies.
    pub override_reason: Option<String>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// Claims goods. Approved at once when a colleague asks or the policy's rule suffices; by the rule it is also made good as the customer
/// wishes, where that needs nobody.
///
/// # Errors
/// [`Code::WrongState`] when the customer has fewer that nobody claims or brings back; [`Code::PolicyRefuses`].
pub fn request(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Request) -> Result<Claim, Failure> {
    let order = order::lock(tx, input.order)?;
    order::may_see(tx, actor, &order)?;
    if rows::of_order(tx, order.id)?.len() >= CLAIMS_MAX {
        let message = format!("order {} has {CLAIMS_MAX} claims already; ask the shop", order.number);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let had = Had::of(tx, &order)?;
    let parcel = parcel_of(tx, &order, &input)?;
    let (lines, mut left_at) = (lines_of(tx, &order, &had, &input)?, Vec::new());
    for (number, line) in lines.iter().enumerate() {
        let at = |refusal: Refusal| refusal.at(format!("lines.{number}.quantity"));
        must_be_in(tx, &order, &had, (input.kind, parcel.as_ref()), line).map_err(
            |failure| match failure {
                Failure::Refused(refusal) => at(refusal).into(),
                store => store,
            },
        )?;
        left_at.push(had.left_by(line.line).iter().find_map(|one| one.left_at).unwrap_or(order.placed_at));
    }
    let from = lines.iter().find_map(|line| had.left_by(line.line).first().and_then(|one| one.location));
    let location = match parcel.as_ref().map(|one| one.location).or(from).or(order.location) {
        Some(location) => location,
        None => goes_to(tx, &order, None)?,
    };
    let by_colleague = actor.may(Permission::EditOrders, Some(location));
    if !order::is_held_by(actor, &order) {
        by_colleague.clone()?;
    }
    if input.override_reason.is_some() {
        actor.may(Permission::OverridePolicies, Some(location))?;
    }
    let terms = terms_of(tx, &lines)?;
    for (number, (terms, left_at)) in terms.iter().zip(left_at).enumerate() {
        let allowed = terms.allow(input.kind, (left_at, world.now()), input.evidence.is_some());
        if input.override_reason.is_none() {
            allowed.map_err(|refusal| refusal.at(format!("lines.{number}")))?;
        }
    }
    let one = begun(world, &order, (location, lines), input);
    rows::add(tx, &one)?;
    external::give(tx, one.id, one.external_id.as_deref())?;
    tell(tx, actor, world, &one, "claim.requested");
    let is_there = parcel.as_ref().is_some_and(|one| one.state == ParcelState::Delivered);
    let by_rule =
        terms.iter().all(|terms| terms.approves(one.value)) && !(one.kind == Kind::Lost && is_there);
    if by_colleague.is_ok() {
        return approve(tx, actor, world, one);
    }
    if !by_rule {
        return Ok(one);
    }
    let one = approve(tx, actor, world, one)?;
    as_wished(tx, actor, world, order, one)
}

fn begun(
    world: &mut World,
    order: &Order,
    (location, lines): (Id<Location>, Vec<Line>),
    input: Request,
) -> Claim {
    Claim {
        id: world.id(),
        order: order.id,
        customer: order.customer,
        location,
        parcel: input.parcel,
        kind: input.kind,
        state: State::Requested,
        reason: input.reason,
        evidence: input.evidence,
        wished: input.wished,
        override_reason: input.override_reason,
        decline_reason: None,
        currency: order.currency,
        value: lines.iter().map(|line| line.value).sum(),
        remedy: None,
        refund: 0,
        means: None,
        taken: None,
        carrier: None,
        found: None,
        whereabouts: None,
        external_id: input.external_id,
        at: world.now(),
        ended_at: None,
        lines,
    }
}

/// The parcel that is named, if it left.
fn parcel_of(tx: &mut Tx<'_>, order: &Order, input: &Request) -> Result<Option<Parcel>, Failure> {
    let Some(named) = input.parcel else { return Ok(None) };
    if !input.kind.is_carriers() {
        let message =
            format!("a parcel is named for lost and damaged goods, these are {}", input.kind.text());
        return Err(Refusal::invalid("parcel", message).into());
    }
    let found = parcels::of_order(tx, order.id)?.into_iter().find(|one| one.id == named);
    let found = found.ok_or_else(|| Refusal::not_found("parcel", named).at("parcel"))?;
    if matches!(found.state, ParcelState::Shipped | ParcelState::Delivered) {
        return Ok(Some(found));
    }
    let message = format!("the parcel is {}; nothing of it is on its way or arrived", found.state.text());
    Err(Refusal::new(Code::WrongState, message).at("parcel").into())
}

/// The lines that are claimed, each worth what it was sold for.
fn lines_of(tx: &mut Tx<'_>, order: &Order, had: &Had, input: &Request) -> Result<Vec<Line>, Failure> {
    let known = order_rows::lines(tx, order.id)?;
    let policies = policy::active(tx)?;
    let mut lines: Vec<Line> = Vec::with_capacity(input.lines.len());
    for (number, (id, quantity)) in input.lines.iter().enumerate() {
        let at = |refusal: Refusal, field: &str| refusal.at(format!("lines.{number}.{field}"));
        let line = known.iter().find(|line| line.id == *id);
        let line = line.ok_or_else(|| at(Refusal::not_found("order line", id), "line"))?;
        if lines.iter().any(|before| before.line == *id) {
            return Err(at(Refusal::invalid("line", "name each line once"), "line").into());
        }
        if line.handed > 0 {
            let message =
                format!("sku {} is a gift card; it comes back as a return while nothing is spent", line.sku);
            return Err(at(Refusal::new(Code::WrongState, message), "line").into());
        }
        let there = had.free(line);
        if *quantity < 1 || *quantity > there {
            let message = format!("{there} of sku {} can be claimed, {quantity} asked", line.sku);
            return Err(at(Refusal::new(Code::WrongState, message), "quantity").into());
        }
        let value = share(line.gross, line.quantity, line.cancelled + line.returned, *quantity);
        let (policy, _) =
            judge::terms_of(tx, &policies, (line.variant, order.customer, Some(order.channel)))?;
        lines.push(Line { line: *id, variant: line.variant, quantity: *quantity, value, refund: 0, policy });
    }
    Ok(lines)
}

/// Goods of a parcel are claimed no more than it held; lost goods were sent, in the parcel that is named if we know one.
fn must_be_in(
    tx: &mut Tx<'_>,
    order: &Order,
    had: &Had,
    (kind, parcel): (Kind, Option<&Parcel>),
    line: &Line,
) -> Result<(), Failure> {
    let Some(parcel) = parcel else {
        if kind != Kind::Lost {
            return Ok(());
        }
        if had.left_by(line.line).iter().all(|one| one.kind != DeliveryKind::Ship) {
            let message = "it was handed over; only goods that were sent can be lost on the way";
            return Err(Refusal::new(Code::WrongState, message).into());
        }
        let gone = |one: &Parcel| matches!(one.state, ParcelState::Shipped | ParcelState::Delivered);
        let holds = |one: &Parcel| one.lines.iter().any(|piece| piece.line == line.line);
        if parcels::of_order(tx, order.id)?.iter().any(|one| gone(one) && holds(one)) {
            return Err(Refusal::new(Code::Invalid, "name the parcel that did not come").into());
        }
        return Ok(());
    };
    let mut before = 0;
    for other in all_of(tx, order.id)? {
        let counts = other.state.is_live() || other.state == State::Resolved;
        if counts && other.parcel == Some(parcel.id) {
            before +=
                other.lines.iter().filter(|one| one.line == line.line).map(|one| one.quantity).sum::<i64>();
        }
    }
    let known = order_rows::lines(tx, order.id)?;
    let takes = known.iter().find(|one| one.id == line.line).map(|one| one.takes.clone()).unwrap_or_default();
    let held = |variant| -> i64 {
        let own = parcel.lines.iter().filter(|piece| piece.line == line.line && piece.variant == variant);
        own.map(|piece| piece.quantity).sum()
    };
    let held =
        takes.iter().map(|(variant, each)| held(*variant) / (*each).max(1)).min().unwrap_or(0) - before;
    if line.quantity <= held {
        return Ok(());
    }
    let message = format!("{held} in the parcel can be claimed, {} asked", line.quantity);
    Err(Refusal::new(Code::WrongState, message).into())
}

/// What the policies say of claims of each line.
fn terms_of(tx: &mut Tx<'_>, lines: &[Line]) -> Result<Vec<rules::Terms>, Failure> {
    lines.iter().map(|line| Ok(judge::terms_at(tx, line.policy)?.claims)).collect()
}

/// Makes a claim good as its customer wishes, where nothing has to come back and nobody has to decide.
fn as_wished(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Order,
    one: Claim,
) -> Result<Claim, Failure> {
    let Some(remedy) = one.wished else { return Ok(one) };
    let how = Resolve { remedy, amounts: Vec::new(), wish: super::Wish::default(), location: None };
    let trusted = actor.trusted();
    let done =
        tx.savepoint(|tx| resolve::make_good(tx, &trusted, world, (order.clone(), one.clone()), how.clone()));
    match done {
        // What the rule cannot do is left to a person.
        Err(failure) if failure.code().is_some() => Ok(one),
        done => done,
    }
}

/// We agree: what the carrier is liable for is claimed from it, and a lost parcel is given up.
fn approve(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, mut one: Claim) -> Result<Claim, Failure> {
    one.state = one.state.lead_to(State::Approved)?;
    if let Some(parcel) = one.parcel {
        one.carrier =
            Some(AtCarrier { state: CarrierState::Open, amount: one.value, paid: 0, reference: None });
        if one.kind == Kind::Lost {
            found::give_up(tx, actor, world, (one.order, parcel))?;
        }
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "claim.approved");
    Ok(one)
}

/// A colleague decides about a claim: yes, or no for a reason.
///
/// # Errors
/// [`Code::WrongState`] unless it waits for that.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, no): (Id<id::Claim>, Option<String>),
) -> Result<Claim, Failure> {
    let (_, mut one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    let Some(reason) = no else { return approve(tx, actor, world, one) };
    one.decline_reason = Some(reason);
    end(tx, actor, world, (one, State::Declined), "claim.declined")
}

/// The customer does not claim it any more.
///
/// # Errors
/// [`Code::WrongState`] when it has ended.
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Claim>,
) -> Result<Claim, Failure> {
    let (order, one) = locked(tx, id)?;
    may_see(tx, actor, &order, &one)?;
    if !order::is_held_by(actor, &order) {
        actor.may(Permission::EditOrders, Some(one.location))?;
    }
    end(tx, actor, world, (one, State::Withdrawn), "claim.withdrawn")
}

/// Nothing is made good: we want nothing of the carrier, and its parcel is an ordinary one again.
fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (mut one, next): (Claim, State),
    kind: &'static str,
) -> Result<Claim, Failure> {
    (one.state, one.ended_at) = (one.state.lead_to(next)?, Some(world.now()));
    if let Some(carrier) = one.carrier.as_mut().filter(|carrier| carrier.state.is_pending()) {
        carrier.state = CarrierState::Withdrawn;
    }
    let found = one.found.take();
    rows::update(tx, &one)?;
    if let Some(parcel) = one.parcel.filter(|_| one.kind == Kind::Lost) {
        found::wait_again(tx, (one.order, parcel))?;
        if found.is_some_and(|(found, _)| found == Found::Returned) {
            let (now, body) = (world.now(), json!({ "parcel": parcel.to_string() }));
            job::enqueue(tx, world, "parcel.returned", one.order, body, now)?;
        }
    }
    tell(tx, actor, world, &one, kind);
    Ok(one)
}

/// Tells what happened to a claim, in ids and numbers.
fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Claim, kind: &'static str) {
    let lines: Vec<_> = one
        .lines
        .iter()
        .map(|line| json!({ "line": line.line.to_string(), "variant": line.variant.to_string(), "quantity": line.quantity, "refund": line.refund }))
        .collect();
    let carrier = one.carrier.as_ref();
    let body = json!({
        "order": one.order.to_string(), "kind": one.kind.text(), "state": one.state.text(), "parcel": one.parcel.map(|parcel| parcel.to_string()),
        "currency": one.currency.code(), "value": one.value, "remedy": one.remedy.map(Remedy::text), "refund": one.refund,
        "return": one.taken.map(|taken| taken.to_string()), "carrier": carrier.map(|carrier| carrier.state.text()),
        "overridden": one.override_reason.is_some(), "lines": lines
    });
    emit(tx, actor, world, one.id, kind, body);
}

fn find(tx: &mut Tx<'_>, id: Id<id::Claim>) -> Result<Claim, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("claim", id).into())
}

/// The order of a claim, and then the claim, changed by nobody else until the commit.
fn locked(tx: &mut Tx<'_>, id: Id<id::Claim>) -> Result<(Order, Claim), Failure> {
    let order = find(tx, id)?.order;
    Ok((order::lock(tx, order)?, find(tx, id)?))
}

/// Who may see a claim: whoever may see its order, and who reads orders where its goods left.
fn may_see(tx: &mut Tx<'_>, actor: &Actor, order: &Order, one: &Claim) -> Result<(), Failure> {
    let is_there = actor.may(Permission::ReadOrders, Some(one.location)).is_ok();
    if is_there || order::sees(tx, actor, order)? {
        return Ok(());
    }
    Err(Refusal::not_found("claim", one.id).into())
}

/// A claim, for whoever may see its order.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Claim>) -> Result<Claim, Failure> {
    let one = find(tx, id)?;
    let order = order::find(tx, one.order)?;
    may_see(tx, actor, &order, &one)?;
    Ok(one)
}

/// The claims of an order the asker may see.
///
/// # Errors
/// [`Code::NotFound`].
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<Claim>, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    all_of(tx, id)
}

/// The claims of an order that somebody may see.
pub(crate) fn all_of(tx: &mut Tx<'_>, order: Id<id::Order>) -> Result<Vec<Claim>, Failure> {
    rows::of_order(tx, order)?.into_iter().map(|id| find(tx, id)).collect()
}

/// Claims before one, the newest first, without their lines.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<id::Claim>,
    (wanted, limit): (Wanted, i64),
) -> Result<Vec<Claim>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::list(tx, before, wanted, limit)?)
}
