//! Making a claim good: money back, the same goods again, or the goods back free of charge and then the money.

use domain::actor::{Actor, Permission};
use domain::fulfilment::Pieces;
use domain::order::{State as OrderState, share};
use domain::returns::claim::{Remedy, State};
use domain::returns::policy::{DeliveryRefund, Ruling, Terms};
use domain::returns::{Condition, Means, State as ReturnState, Way};
use domain::stock;
use domain::value::Id;
use domain::value::id::{self, Location, OrderLine};
use domain::{Code, Refusal};
use serde_json::json;
use store::returns::claim as rows;
use store::{Tx, order as order_rows};

use super::{Claim, found, locked, tell, terms_of};
use crate::event::emit;
use crate::fulfilment::pool;
use crate::order::{self, Order};
use crate::returns::judge::{self, Judged};
use crate::returns::request::{approve, goes_to};
use crate::returns::{Wish, keep, money, settle};
use crate::stock::book_of;
use crate::{Failure, World};

/// How a claim is made good.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// How.
    pub remedy: Remedy,
    /// How much is given back for which lines, in minor units; for the others what they were sold for.
    pub amounts: Vec<(Id<OrderLine>, i64)>,
    /// How the money is given back, and why the policy shall not count.
    pub wish: Wish,
    /// Where goods go that are sent back; the best place when not given.
    pub location: Option<Id<Location>>,
}

/// Makes an approved claim good.
///
/// # Errors
/// [`Code::WrongState`] unless it is approved; [`Code::PolicyRefuses`] for goods that may not be kept or money that is not given back so;
/// [`Code::AmountExceeded`] for more than the goods were sold for.
pub fn resolve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, how): (Id<id::Claim>, Resolve),
) -> Result<Claim, Failure> {
    let (order, one) = locked(tx, id)?;
    actor.may(Permission::EditOrders, Some(one.location))?;
    if how.wish.override_reason.is_some() {
        actor.may(Permission::OverridePolicies, Some(one.location))?;
    }
    make_good(tx, actor, world, (order, one), how)
}

/// The same for who was allowed it already. The order is locked.
pub(super) fn make_good(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, mut one): (Order, Claim),
    how: Resolve,
) -> Result<Claim, Failure> {
    (one.state, one.ended_at) = (one.state.lead_to(State::Resolved)?, Some(world.now()));
    one.remedy = Some(how.remedy);
    still_there(tx, &one)?;
    allowed(tx, &one, &how)?;
    if how.wish.override_reason.is_some() {
        one.override_reason.clone_from(&how.wish.override_reason);
    }
    // Its goods are spoken for by what follows now, and not by the claim.
    rows::update(tx, &one)?;
    match how.remedy {
        Remedy::Refund => refund(tx, actor, world, (&order, &mut one), &how)?,
        Remedy::Replacement => replace(tx, actor, world, order, &one)?,
        Remedy::SendBack => send_back(tx, actor, world, (order, &mut one), &how)?,
    }
    if how.remedy != Remedy::SendBack && one.kind.is_gone() {
        let way = (stock::world(stock::State::Customer), stock::world(stock::State::Shrinkage));
        found::post(tx, actor, world, &one, way, "never_arrived")?;
    }
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "claim.resolved");
    Ok(one)
}

/// A service that was cancelled meanwhile was paid back with that; it is not made good again.
fn still_there(tx: &mut Tx<'_>, one: &Claim) -> Result<(), Failure> {
    for line in order_rows::lines(tx, one.order)? {
        let claimed = one.lines.iter().find(|claimed| claimed.line == line.id);
        let left = line.quantity - line.cancelled - line.returned;
        if let Some(claimed) = claimed.filter(|claimed| claimed.quantity > left) {
            let message = format!(
                "{left} of sku {} are left, {} claimed; the others were cancelled and paid back: decline this claim",
                line.sku, claimed.quantity
            );
            return Err(Refusal::new(Code::WrongState, message).into());
        }
    }
    Ok(())
}

/// What the customer never had cannot come back, and what is worth much is not kept.
fn allowed(tx: &mut Tx<'_>, one: &Claim, how: &Resolve) -> Result<(), Failure> {
    if how.remedy != Remedy::Refund && !how.amounts.is_empty() {
        let message =
            "amounts are named for a refund; goods that come back or are sent again have their price";
        return Err(Refusal::invalid("amounts", message).into());
    }
    match how.remedy {
        Remedy::SendBack if one.kind.is_gone() => {
            let message = format!("goods that are {} never came, so none come back", one.kind.text());
            Err(Refusal::new(Code::WrongState, message).at("remedy").into())
        }
        Remedy::SendBack => Ok(()),
        _ if one.kind.is_gone() || how.wish.override_reason.is_some() => Ok(()),
        _ => {
            for terms in terms_of(tx, &one.lines)? {
                terms.lets_keep(one.value)?;
            }
            Ok(())
        }
    }
}

/// How the money is given back, and the most of it in cash.
fn means_of(tx: &mut Tx<'_>, one: &Claim, wish: &Wish) -> Result<(Means, Option<i64>), Failure> {
    let first = one.lines.first().and_then(|line| line.policy);
    let terms = judge::terms_at(tx, first)?;
    let ways: Vec<Means> = terms.means.iter().copied().filter(|one| *one != Means::Exchange).collect();
    let means = wish.means.or(ways.first().copied()).unwrap_or(Means::Original);
    if !ways.contains(&means) && wish.override_reason.is_none() {
        let words: Vec<&str> = ways.iter().map(|means| means.text()).collect();
        let message = format!("the money is given back by {}", words.join(" or "));
        return Err(Refusal::new(Code::PolicyRefuses, message).at("means").into());
    }
    Ok((means, terms.cash_minor_max))
}

/// The claimed goods as a return sees them: judged by the claim and no return policy, with nothing kept but what is not given back.
fn judged(
    tx: &mut Tx<'_>,
    one: &Claim,
    (means, delivery, condition): (Means, DeliveryRefund, Option<Condition>),
) -> Result<Vec<Judged>, Failure> {
    let known = order_rows::lines(tx, one.order)?;
    let mut judged = Vec::with_capacity(one.lines.len());
    for claimed in &one.lines {
        let line = known.iter().find(|line| line.id == claimed.line);
        let line = line.ok_or_else(|| Refusal::not_found("order line", claimed.line))?.clone();
        let done = line.cancelled + line.returned;
        let value = share(line.gross, line.quantity, done, claimed.quantity);
        let tax = share(line.tax, line.quantity, done, claimed.quantity);
        let fee = if condition.is_some() { value - claimed.refund } else { 0 };
        let kept = condition.is_some();
        let ruling = Ruling { until: None, fee, means, others: Vec::new(), kept, objections: Vec::new() };
        let terms = Terms { delivery, ..Terms::open() };
        let quantity = claimed.quantity;
        judged.push(Judged { line, quantity, condition, value, tax, ruling, policy: None, terms });
    }
    Ok(judged)
}

/// The money goes back, and the customer keeps what came. It stands in a return of which nothing comes back.
fn refund(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, one): (&Order, &mut Claim),
    how: &Resolve,
) -> Result<(), Failure> {
    let known = order_rows::lines(tx, order.id)?;
    for line in &mut one.lines {
        // What came back or was cancelled since the claim was made changes the part of the line by a rounding.
        let own = known.iter().find(|known| known.id == line.line);
        let own = own.ok_or_else(|| Refusal::not_found("order line", line.line))?;
        line.value = share(own.gross, own.quantity, own.cancelled + own.returned, line.quantity);
        line.refund = line.value;
    }
    for (number, (id, amount)) in how.amounts.iter().enumerate() {
        let at = |refusal: Refusal, field: &str| refusal.at(format!("amounts.{number}.{field}"));
        let line = one.lines.iter_mut().find(|line| line.line == *id);
        let line = line.ok_or_else(|| at(Refusal::not_found("claimed order line", id), "line"))?;
        if *amount < 1 || *amount > line.value {
            let message = format!("{} minor units can be given back, {amount} asked", line.value);
            return Err(at(Refusal::new(Code::AmountExceeded, message), "amount").into());
        }
        line.refund = *amount;
    }
    let whole = one.lines.iter().all(|line| line.refund == line.value);
    let delivery = if whole && one.kind.is_gone() { DeliveryRefund::Last } else { DeliveryRefund::Never };
    let (means, cash_max) = means_of(tx, one, &how.wish)?;
    let judged = judged(tx, one, (means, delivery, Some(Condition::Kept)))?;
    let mut taken = judge::announced(world, order, &judged, one.location, one.reason.clone());
    taken.state = ReturnState::Received;
    taken.override_reason.clone_from(&how.wish.override_reason);
    for line in &mut taken.lines {
        (line.received, line.graded) = (line.quantity, line.quantity);
    }
    let mut order = order.clone();
    judge::credit(tx, &mut order, &mut taken, &judged)?;
    keep(tx, actor, world, &taken, "return.received")?;
    money::pay_out(tx, actor, world, (&order, &taken), cash_max)?;
    settle(tx, actor, world, &order)?;
    (one.refund, one.means, one.taken) = (taken.refund, Some(means), Some(taken.id));
    Ok(())
}

/// The same goods are sent again: they are open in the order once more, routed as any other, and nothing is paid for them.
fn replace(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
    one: &Claim,
) -> Result<(), Failure> {
    let known = order_rows::lines(tx, order.id)?;
    let mut pieces = Pieces::new();
    for claimed in &one.lines {
        let line = known.iter().find(|line| line.id == claimed.line);
        let line = line.ok_or_else(|| Refusal::not_found("order line", claimed.line))?;
        if line.takes.is_empty() {
            let message =
                format!("sku {} lies on no shelf and cannot be sent again; give money back", line.sku);
            return Err(Refusal::new(Code::WrongState, message).at("remedy").into());
        }
        for (variant, each) in &line.takes {
            *pieces.entry((line.id, *variant)).or_insert(0) += each * claimed.quantity;
        }
    }
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let mut books = pieces.keys().map(|(_, variant)| book_of(*variant)).collect();
    store::ledger::lock_books(tx, &mut books)?;
    if order.state == OrderState::Completed {
        order::go_to(&mut order, OrderState::Placed)?;
        order_rows::update(tx, &mut order)?;
        emit(
            tx,
            actor,
            world,
            order.id,
            "order.reopened",
            json!({ "number": order.number, "claim": one.id.to_string() }),
        );
    }
    pool::go_elsewhere(tx, actor, world, &order, (channel.network, pieces))
}

/// The goods come back by post, free of charge, whatever the return policies say; their money follows when they were looked at.
fn send_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, one): (Order, &mut Claim),
    how: &Resolve,
) -> Result<(), Failure> {
    let (means, _) = means_of(tx, one, &how.wish)?;
    let judged = judged(tx, one, (means, DeliveryRefund::Never, None))?;
    let location = goes_to(tx, &order, how.location)?;
    let mut taken = judge::announced(world, &order, &judged, location, one.reason.clone());
    taken.way = Way::Post;
    judge::sums(tx, &order, &mut taken, &judged)?;
    keep(tx, actor, world, &taken, "return.requested")?;
    (one.means, one.taken) = (Some(means), Some(taken.id));
    approve(tx, actor, world, order, taken)?;
    Ok(())
}
