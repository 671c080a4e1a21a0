//! Returns: goods come back to any location that takes them, by their condition onto the right account, and the money goes back to the
//! first means of payment.

use domain::actor::{Actor, Permission};
use domain::order::{self as order_rules, share};
use domain::returns::{Condition, State};
use domain::stock;
use domain::value::id::{self, Location, OrderLine, Variant};
use domain::value::{Currency, Id};
use domain::{Code, Refusal};
use serde_json::json;
use store::job::Job;
use store::{Tx, order as order_rows, returns as rows};

pub use store::returns::{Line, Return};

use crate::checkout::settle::{give_back_too_much, payment_changed};
use crate::event::emit;
use crate::fulfilment::open_units;
use crate::order::{self, Order};
use crate::stock::{Movement, never_short, post_movement};
use crate::{Failure, World, external};

/// The most lines of one return.
pub const LINES_MAX: usize = 2000;

/// Goods of an order line that come back.
#[derive(Clone, Debug)]
pub struct BackLine {
    /// The order line.
    pub line: Id<OrderLine>,
    /// How many.
    pub quantity: i64,
    /// In which condition.
    pub condition: Condition,
}

/// Goods of an order that come back.
#[derive(Clone, Debug)]
pub struct Back {
    /// The order.
    pub order: Id<id::Order>,
    /// Where they come back to.
    pub location: Id<Location>,
    /// Why, in the retailer's words.
    pub reason: String,
    /// What.
    pub lines: Vec<BackLine>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// Takes goods of an order back.
///
/// # Errors
/// [`Code::WrongState`] when the location takes nothing back or more is returned than was received.
pub fn take_back(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Back) -> Result<Return, Failure> {
    actor.may(Permission::EditOrders, Some(input.location))?;
    takes_back(tx, input.location)?;
    let mut order = order::lock(tx, input.order)?;
    if !matches!(order.state, order_rules::State::Placed | order_rules::State::Completed) {
        let message =
            format!("order {} is {}; nothing of it can come back", order.number, order.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let mut lines = order_rows::lines(tx, order.id)?;
    let all = store::fulfilment::of_order(tx, order.id)?;
    let mut back = Vec::new();
    for (number, asked) in input.lines.iter().enumerate() {
        let found = lines.iter_mut().find(|line| line.id == asked.line);
        let line = found
            .ok_or_else(|| Refusal::not_found("order line", asked.line).at(format!("lines.{number}.line")))?;
        let received = line.quantity - line.cancelled - line.returned - open_units(line, &all);
        if asked.quantity < 1 || asked.quantity > received {
            let refusal = Refusal::new(
                Code::WrongState,
                format!("{received} of sku {} can come back, {} asked", line.sku, asked.quantity),
            );
            return Err(refusal.at(format!("lines.{number}.quantity")).into());
        }
        let refund = share(line.gross, line.quantity, line.cancelled + line.returned, asked.quantity);
        line.returned += asked.quantity;
        order_rows::update_line(tx, order.id, line)?;
        for (variant, each) in line.takes.clone() {
            restock(
                tx,
                actor,
                world,
                (variant, each * asked.quantity),
                (input.location, asked.condition),
                &order.id.to_string(),
            )?;
        }
        back.push(Line {
            id: world.id(),
            order_line: Some(line.id),
            variant: line.variant,
            quantity: asked.quantity,
            condition: asked.condition,
            refund,
        });
    }
    let refund: i64 = back.iter().map(|line| line.refund).sum();
    order.returned += refund;
    order_rows::update(tx, &mut order)?;
    let taken = taken_back(world, &input, (Some(order.id), order.currency), back);
    keep(tx, actor, world, &taken)?;
    give_back_too_much(tx, actor, world, &order)?;
    settle(tx, actor, world, &order)?;
    find(tx, taken.id)
}

fn taken_back(
    world: &mut World,
    input: &Back,
    (order, currency): (Option<Id<id::Order>>, Currency),
    lines: Vec<Line>,
) -> Return {
    Return {
        id: world.id(),
        order,
        location: input.location,
        state: State::Received,
        reason: input.reason.clone(),
        currency,
        refund: lines.iter().map(|line| line.refund).sum(),
        external_id: input.external_id.clone(),
        at: world.now(),
        lines,
    }
}

/// Goods that come back without a known order, and what is given back for each line by hand.
#[derive(Clone, Debug)]
pub struct BlindLine {
    /// What comes back.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// In which condition.
    pub condition: Condition,
    /// What is given back, in minor units.
    pub refund: i64,
}

/// Goods that come back without a known order.
#[derive(Clone, Debug)]
pub struct Blind {
    /// Where they come back to.
    pub location: Id<Location>,
    /// Why, in the retailer's words.
    pub reason: String,
    /// The currency given back.
    pub currency: Currency,
    /// What.
    pub lines: Vec<BlindLine>,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
}

/// Takes goods back whose order is not known; the money is given back by hand, so who asks must be allowed to handle payments too.
///
/// # Errors
/// [`Code::WrongState`] when the location takes nothing back; [`Code::CurrencyMismatch`] when no channel that sells from it trades in
/// the currency; [`Code::NotFound`] for an unknown variant.
pub fn take_back_blind(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Blind,
) -> Result<Return, Failure> {
    actor.may(Permission::EditOrders, Some(input.location))?;
    actor.may(Permission::TakePayments, Some(input.location))?;
    takes_back(tx, input.location)?;
    if !store::market::trades_in(tx, input.location, input.currency)? {
        let message = format!("nothing is sold in {} at this location", input.currency);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("currency").into());
    }
    let ids: Vec<Id<Variant>> = input.lines.iter().map(|line| line.variant).collect();
    let known = store::catalogue::variants(tx, &ids)?;
    let mut lines = Vec::new();
    for (number, line) in input.lines.iter().enumerate() {
        let variant = known.iter().find(|variant| variant.id == line.variant);
        let variant = variant.ok_or_else(|| {
            Refusal::not_found("variant", line.variant).at(format!("lines.{number}.variant"))
        })?;
        let reference = input.external_id.clone().unwrap_or_default();
        for (part, each) in variant.takes() {
            restock(
                tx,
                actor,
                world,
                (part, each * line.quantity),
                (input.location, line.condition),
                &reference,
            )?;
        }
        lines.push(Line {
            id: world.id(),
            order_line: None,
            variant: line.variant,
            quantity: line.quantity,
            condition: line.condition,
            refund: line.refund,
        });
    }
    let head = Back {
        order: Id::from_bytes([0; 16]),
        location: input.location,
        reason: input.reason,
        lines: Vec::new(),
        external_id: input.external_id,
    };
    let taken = Return { state: State::Refunded, ..taken_back(world, &head, (None, input.currency), lines) };
    keep(tx, actor, world, &taken)?;
    Ok(taken)
}

fn takes_back(tx: &mut Tx<'_>, location: Id<Location>) -> Result<(), Failure> {
    let found = store::location::find(tx, location)?
        .ok_or_else(|| Refusal::not_found("location", location).at("location"))?;
    if found.can_return {
        return Ok(());
    }
    Err(Refusal::new(
        Code::WrongState,
        format!("location \"{}\" takes nothing back; choose another", found.code),
    )
    .at("location")
    .into())
}

/// Puts goods that came back where their condition says.
fn restock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, quantity): (Id<Variant>, i64),
    (location, condition): (Id<Location>, Condition),
    cause: &str,
) -> Result<(), Failure> {
    let Some(state) = condition.state() else { return Ok(()) };
    let to = if state.is_world() { stock::world(state) } else { stock::at(location, state) };
    let postings = stock::moving(stock::world(stock::State::Customer), to, quantity, 0).into();
    let movement =
        Movement { variant, reason: "returned", cause: Some(("order", cause.to_owned())), postings };
    post_movement(tx, actor, world, movement, never_short)?;
    Ok(())
}

fn keep(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, taken: &Return) -> Result<(), Failure> {
    rows::add(tx, taken)?;
    external::give(tx, taken.id, taken.external_id.as_deref())?;
    let lines: Vec<_> = taken
        .lines
        .iter()
        .map(|line| json!({ "variant": line.variant.to_string(), "quantity": line.quantity, "condition": line.condition.text(), "refund": line.refund }))
        .collect();
    let body = json!({
        "order": taken.order.map(|order| order.to_string()), "location": taken.location.to_string(),
        "currency": taken.currency.code(), "refund": taken.refund, "lines": lines
    });
    emit(tx, actor, world, taken.id, "return.received", body);
    Ok(())
}

/// The job that tells an order that one of its payments changed, and its returns that their money was given back.
///
/// # Errors
/// What [`payment_changed`] says.
pub fn on_payment_changed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    job: &Job,
) -> Result<(), Failure> {
    let order = Id::parse(&job.subject).map_err(|error| Refusal::invalid("subject", error))?;
    payment_changed(tx, actor, world, order)?;
    let order = order::find(tx, order)?;
    settle(tx, actor, world, &order)
}

/// Closes the returns of an order once nothing is on its way back any more. Idempotent.
///
/// # Errors
/// What the store says.
pub fn settle(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, order: &Order) -> Result<(), Failure> {
    let pending = store::payment::of_order(tx, order.id)?.iter().any(|payment| payment.amounts.refunding > 0);
    if pending || order::sums(tx, order)?.to_refund() > 0 {
        return Ok(());
    }
    for id in rows::of_order(tx, order.id)? {
        if find(tx, id)?.state == State::Received {
            rows::refunded(tx, id)?;
            emit(tx, actor, world, id, "return.refunded", json!({ "order": order.id.to_string() }));
        }
    }
    Ok(())
}

fn find(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<Return, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("return", id).into())
}

/// A return, for who may read orders where it came back.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Return>) -> Result<Return, Failure> {
    let found = find(tx, id)?;
    actor.may(Permission::ReadOrders, Some(found.location))?;
    Ok(found)
}

/// The returns of an order the asker may see.
///
/// # Errors
/// [`Code::NotFound`].
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<Return>, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(actor, &order)?;
    all_of(tx, id)
}

/// The returns of an order that somebody may see.
pub(crate) fn all_of(tx: &mut Tx<'_>, order: Id<id::Order>) -> Result<Vec<Return>, Failure> {
    rows::of_order(tx, order)?.into_iter().map(|id| find(tx, id)).collect()
}

/// Returns before one, the newest first, without their lines.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<id::Return>,
    limit: i64,
) -> Result<Vec<Return>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::list(tx, before, limit)?)
}
