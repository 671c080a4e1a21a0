//! Changes of an order after it was placed: shown first with what they cost, then done exactly as shown, or left.
//!
//! A preview keeps the goods it puts in and changes nothing else. One change of an order is open at a time. Lines that stay keep their
//! frozen amounts; units taken out are cancelled, more units are lines of their own.

mod confirm;
mod keep;
pub mod money;
mod plan;
pub mod rule;

use domain::actor::{Actor, Permission, Who};
use domain::cart::State as CartState;
use domain::change::{self as rules, Frozen, Rule, State};
use domain::contact::Card;
use domain::delivery::Kind;
use domain::order::{CancelReason, State as OrderState};
use domain::tax::Taxed;
use domain::value::id::{self, Network, OrderChange, OrderLine};
use domain::value::{Id, Money, Quantity};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::market::{Channel, Market};
use store::{Tx, change as rows, order as order_rows};

pub use confirm::{Confirm, confirm};
pub use store::change::{Change, Line, Way, Which};

use crate::cart::{Cart, Choice, NewLine};
use crate::checkout::{self, Cancel, Whole};
use crate::event::emit;
use crate::fulfilment::FulfilmentOrder;
use crate::order::{self, Order};
use crate::stock::hold;
use crate::{Failure, World};

/// The most previews one run expires.
const EXPIRE_BATCH: i64 = 50;

/// One thing to be changed.
#[derive(Clone, Debug)]
pub enum Action {
    /// Put something in.
    Add(NewLine),
    /// Take units of a line out.
    Remove(Id<OrderLine>, Quantity),
    /// Take units of a line out and put something in instead.
    Swap(Id<OrderLine>, Quantity, NewLine),
    /// Give a line another price of one.
    CorrectPrice(Id<OrderLine>, Money),
    /// Send it to somebody or somewhere else.
    Address(Card),
    /// Deliver it in another way, or have it collected at another place.
    Delivery(Choice),
    /// Another note for the colleagues who prepare it, or none.
    Note(Option<String>),
}

impl Action {
    /// Its name over the API.
    pub const fn text(&self) -> &'static str {
        match self {
            Action::Add(_) => "add",
            Action::Remove(..) => "remove",
            Action::Swap(..) => "swap",
            Action::CorrectPrice(..) => "correct_price",
            Action::Address(_) => "address",
            Action::Delivery(_) => "delivery",
            Action::Note(_) => "note",
        }
    }
}

/// A change to be shown.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The order.
    pub order: Id<id::Order>,
    /// What is to change, in order.
    pub actions: Vec<Action>,
    /// Why, in the words of who asks; nothing about a person.
    pub reason: Option<String>,
}

/// An order with all that a change of it depends on.
struct Ground {
    order: Order,
    lines: Vec<order::Line>,
    parts: Vec<FulfilmentOrder>,
    channel: Channel,
    market: Market,
    rule: Rule,
}

impl Ground {
    fn of(tx: &mut Tx<'_>, order: Order) -> Result<Ground, Failure> {
        let channel = store::market::find_channel(tx, order.channel)?
            .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
        let market = store::market::find_market(tx, order.market)?
            .ok_or_else(|| Refusal::not_found("market", order.market))?;
        Ok(Ground {
            lines: order_rows::lines(tx, order.id)?,
            parts: store::fulfilment::of_order(tx, order.id)?,
            rule: rule::of_channel(tx, channel.id)?,
            order,
            channel,
            market,
        })
    }

    /// The cart the order is of, as far as it decides what more goods and another delivery cost.
    fn cart(&self, tx: &mut Tx<'_>) -> Result<Cart, Failure> {
        let order = &self.order;
        let ordered = store::cart::find(tx, order.cart)?;
        Ok(Cart {
            id: order.cart,
            channel: order.channel,
            currency: order.currency,
            customer: order.customer,
            company: order.company,
            person: None,
            contact: order.contact,
            billing_contact: None,
            destination: ordered.and_then(|cart| cart.destination),
            method: order.delivery_method,
            pickup_location: order.location.filter(|_| order.kind == Kind::Pickup),
            note: order.note.clone(),
            state: CartState::Active,
            order: None,
            merged_into: None,
            made_at: order.placed_at,
            changed_at: order.placed_at,
            expires_at: order.placed_at,
            version: 1,
            lines: Vec::new(),
        })
    }

    fn line(&self, id: Id<OrderLine>) -> Result<&order::Line, Refusal> {
        let found = self.lines.iter().find(|line| line.id == id);
        found.ok_or_else(|| Refusal::not_found("order line", id).at("line"))
    }
}

/// A line as its money sees it.
fn frozen(line: &order::Line) -> Frozen {
    Frozen {
        quantity: line.quantity,
        unit: line.unit,
        amounts: Taxed { net_minor: line.net, tax_minor: line.tax, gross_minor: line.gross },
        cancelled: line.cancelled,
        returned: line.returned,
    }
}

/// Shows what a change would do and cost, and keeps what it puts in until it is confirmed, declined or expires.
///
/// # Errors
/// [`Code::WrongState`] when the order has ended, another change is open or something has left already; [`Code::OutOfStock`],
/// [`Code::NoPrice`] and [`Code::NotDeliverable`] as for a cart; each names the action at fault.
pub fn preview(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, asked: Asked) -> Result<Change, Failure> {
    let order = order::lock(tx, asked.order)?;
    order::may_see(tx, actor, &order)?;
    let mut ground = Ground::of(tx, order)?;
    may_change(actor, &ground, asked.actions.iter())?;
    if let Some(open) = ground.order.open_change {
        let mut open = find(tx, (ground.order.id, open))?;
        if open.expires_at > world.now() {
            let message = format!("change {} of this order is open; confirm or decline it first", open.id);
            return Err(Refusal::new(Code::WrongState, message).into());
        }
        end(tx, actor, world, (&mut ground.order, &mut open), State::Expired)?;
    }
    let mut change = plan::plan(tx, actor, world, &ground, asked)?;
    let kept = keep::keep(tx, actor, world, &ground, &mut change)?;
    if !rows::add(tx, &change, &kept)? {
        return Err(store::StoreError::Conflict.into());
    }
    ground.order.open_change = Some(change.id);
    order_rows::change(tx, &mut ground.order)?;
    emit(tx, actor, world, change.order, "order.change_previewed", told(&change));
    Ok(change)
}

/// Colleagues who edit orders may change all of it; a customer, through the order's channel, as far as the channel says and until
/// picking begins.
fn may_change<'a>(
    actor: &Actor,
    ground: &Ground,
    mut actions: impl Iterator<Item = &'a Action>,
) -> Result<(), Failure> {
    let order = &ground.order;
    if actor.may(Permission::EditOrders, order.location).is_err() {
        actor.may(Permission::Shop, ground.channel.location)?;
        if actor.channel != Some(order.channel)
            || matches!(actor.who, Who::Customer(me) if order.customer != Some(me))
        {
            return Err(Refusal::not_found("order", order.id).into());
        }
        if !ground.rule.customers || actions.any(|action| matches!(action, Action::CorrectPrice(..))) {
            let message = "this is changed by a colleague; ask the shop";
            return Err(Refusal::new(Code::Forbidden, message).into());
        }
        let states: Vec<_> = ground.parts.iter().map(|part| part.state).collect();
        if !rules::is_untouched(&states) {
            let message = format!("order {} is being prepared; ask the shop to change it", order.number);
            return Err(Refusal::new(Code::WrongState, message).into());
        }
    }
    if !matches!(order.state, OrderState::PendingPayment | OrderState::Placed) {
        let message =
            format!("order {} is {}; what has left comes back as a return", order.number, order.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(())
}

/// How the order is after a change.
fn after(order: &Order, change: &Change) -> Order {
    let (after, way) = (&change.after, &change.after.way);
    Order {
        kind: way.kind,
        location: way.location,
        contact: after.contact,
        note: after.note.clone(),
        delivery_method: way.method,
        delivery_net: way.charge.net_minor,
        delivery_tax: way.charge.tax_minor,
        delivery_gross: way.charge.gross_minor,
        delivery_rate: way.charge_rate,
        ..order.clone()
    }
}

/// Cancels an order or a part of it: a colleague as [`checkout::cancel`] says; its customer, through the order's channel, as far as the
/// channel lets customers change orders, until picking begins.
///
/// # Errors
/// As [`checkout::cancel`].
pub fn cancel(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, input: Cancel) -> Result<Whole, Failure> {
    let order = order::lock(tx, input.order)?;
    order::may_see(tx, actor, &order)?;
    if actor.may(Permission::EditOrders, order.location).is_ok() {
        return checkout::cancel(tx, actor, world, input);
    }
    may_change(actor, &Ground::of(tx, order)?, std::iter::empty())?;
    let input = Cancel { reason: CancelReason::Customer, ..input };
    checkout::cancel(tx, &actor.trusted(), world, input)
}

/// May the customer of an order change or cancel it now?
///
/// # Errors
/// What the store says.
pub(crate) fn is_open_to_customer(
    tx: &mut Tx<'_>,
    order: &Order,
    parts: &[FulfilmentOrder],
) -> Result<bool, Failure> {
    let states: Vec<_> = parts.iter().map(|part| part.state).collect();
    let open = matches!(order.state, OrderState::PendingPayment | OrderState::Placed);
    Ok(open && rules::is_untouched(&states) && rule::of_channel(tx, order.channel)?.customers)
}

/// What a change is, told in ids and numbers.
fn told(change: &Change) -> Value {
    let lines: Vec<_> = change
        .lines
        .iter()
        .map(|line| {
            json!({ "what": line.what.text(), "line": line.line.to_string(), "variant": line.variant.to_string(),
                "quantity": line.quantity, "gross": line.amounts.gross_minor })
        })
        .collect();
    json!({
        "change": change.id.to_string(), "state": change.state.text(), "kind": change.after.way.kind.text(),
        "location": change.after.way.location.map(|location| location.to_string()), "served_anew": change.served_anew,
        "difference": change.difference.gross_minor, "lines": lines
    })
}

/// A change that is not wanted: what was kept for it is free again. Declining twice is the same as once.
///
/// # Errors
/// [`Code::WrongState`] when it was confirmed or has expired.
pub fn decline(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: Which) -> Result<Change, Failure> {
    let mut order = order::lock(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    let mut change = find(tx, which)?;
    if actor.may(Permission::EditOrders, order.location).is_err() {
        actor.may_somewhere(Permission::Shop)?;
    }
    if change.state != State::Declined {
        must_lead_to(&change, State::Declined)?;
        end(tx, actor, world, (&mut order, &mut change), State::Declined)?;
    }
    Ok(change)
}

fn must_lead_to(change: &Change, next: State) -> Result<(), Refusal> {
    if change.state.next().contains(&next) {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongState, format!("change {} is {}", change.id, change.state.text())))
}

/// Ends an open change without doing it. The order is locked.
fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, change): (&mut Order, &mut Change),
    state: State,
) -> Result<(), Failure> {
    hold::release_for(tx, actor, world, &change.id.to_string())?;
    (change.state, change.ended_at) = (state, Some(world.now()));
    rows::update(tx, change)?;
    order.open_change = None;
    order_rows::change(tx, order)?;
    let kind = if state == State::Expired { "order.change_expired" } else { "order.change_declined" };
    emit(tx, actor, world, change.order, kind, json!({ "change": change.id.to_string() }));
    Ok(())
}

/// Ends previews nobody said yes to in time; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::due(tx, world.now(), EXPIRE_BATCH)?;
    let full = due.len() as i64 == EXPIRE_BATCH;
    for which in due {
        let mut order = order::lock(tx, which.0)?;
        let mut change = find(tx, which)?;
        if change.state == State::Previewed && change.expires_at <= world.now() {
            end(tx, actor, world, (&mut order, &mut change), State::Expired)?;
        }
    }
    Ok(full)
}

fn find(tx: &mut Tx<'_>, which: Which) -> Result<Change, Failure> {
    rows::find(tx, which)?.ok_or_else(|| Refusal::not_found("order change", which.1).into())
}

/// A change of an order with the order, for who may see it.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<(Order, Change), Failure> {
    let order = order::find(tx, which.0)?;
    order::may_see(tx, actor, &order)?;
    Ok((order, find(tx, which)?))
}

/// The changes of an order before one, the newest first, with the order.
///
/// # Errors
/// [`Code::NotFound`] for who may not see the order.
pub fn of_order(
    tx: &mut Tx<'_>,
    actor: &Actor,
    order: Id<id::Order>,
    before: Id<OrderChange>,
    limit: i64,
) -> Result<(Order, Vec<Change>), Failure> {
    let order = order::find(tx, order)?;
    order::may_see(tx, actor, &order)?;
    let changes = rows::of_order(tx, order.id, before, limit)?;
    Ok((order, changes))
}

/// The network that promises an order's goods, and the books a change of it touches, in their order.
fn lock_books(tx: &mut Tx<'_>, ground: &Ground, change: &Change) -> Result<Id<Network>, Failure> {
    let of_lines = ground.lines.iter().flat_map(|line| line.takes.iter());
    let of_change = change.lines.iter().flat_map(|line| line.takes.iter());
    let mut books: Vec<_> =
        of_lines.chain(of_change).map(|(variant, _)| crate::stock::book_of(*variant)).collect();
    books.sort();
    books.dedup();
    store::ledger::lock_books(tx, &mut books)?;
    Ok(ground.channel.network)
}
