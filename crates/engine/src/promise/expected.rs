//! Expected goods: announced, moved to another date or quantity, received wholly or in part, more or less than was said, or cancelled. Whatever
//! changes, those who wait for the goods are promised anew in the same transaction.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::ledger::Posting;
use domain::stock::expected::{self as rules, Arrival, State};
use domain::stock::{self, State as Stock};
use domain::value::id::{ExpectedGoods as ExpectedKind, Location, Variant};
use domain::value::{Id, Instant, Quantity, Reference, text};
use serde_json::json;
use store::{Tx, ledger as books, stock::expected as rows};

pub use store::stock::expected::ExpectedGoods;

use super::waiting;
use crate::event::emit;
use crate::stock::{Movement, book_of, must_be_stocked, never_short, post_movement, selling};
use crate::{Failure, World, edit, external, location};

/// The longest reference, in characters.
pub const REFERENCE_MAX: usize = 200;

/// Goods to be announced.
#[derive(Clone, Debug)]
pub struct NewExpected {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where they arrive.
    pub location: Id<Location>,
    /// How many.
    pub quantity: Quantity,
    /// When.
    pub due_at: Instant,
    /// The retailer's paper, such as the number of a purchase order.
    pub reference: Option<String>,
    /// The id another system knows them by.
    pub external_id: Option<String>,
}

/// What of expected goods is to change; `None` leaves it.
#[derive(Clone, Debug)]
pub struct ExpectedChange {
    /// How many are expected altogether, with those that have arrived.
    pub quantity: Option<Quantity>,
    /// When.
    pub due_at: Option<Instant>,
    /// The retailer's paper.
    pub reference: Option<Option<String>>,
}

fn reference(given: Option<&str>) -> Result<Option<String>, Refusal> {
    let checked = given.map(|given| text::bounded("reference", given, 1, REFERENCE_MAX)).transpose();
    checked.map_err(|error| Refusal::invalid("reference", error))
}

/// Announces goods: they are expected at a location from now on.
///
/// # Errors
/// [`domain::Code::NotFound`] for an unknown variant or location, [`domain::Code::WrongState`] when the location does not receive.
pub fn announce(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewExpected,
) -> Result<ExpectedGoods, Failure> {
    actor.may(Permission::MoveStock, Some(new.location))?;
    must_be_stocked(tx, new.variant)?;
    location::must_receive(tx, new.location)?;
    let goods = ExpectedGoods {
        id: world.id(),
        variant: new.variant,
        location: new.location,
        quantity: new.quantity.units(),
        arrived: 0,
        due_at: new.due_at,
        reference: reference(new.reference.as_deref())?,
        state: State::Open,
        made_at: world.now(),
        version: 1,
    };
    books::lock_books(tx, &mut vec![book_of(goods.variant)])?;
    rows::add(tx, &goods)?;
    external::give(tx, goods.id, new.external_id.as_deref())?;
    expect(tx, actor, world, (&goods, "announced"), goods.quantity)?;
    tell(tx, actor, world, &goods, "expected_goods.announced");
    waiting::renew(tx, actor, world, goods.variant)?;
    Ok(goods)
}

/// Books that so many more (or fewer) are to come.
fn expect(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (goods, reason): (&ExpectedGoods, &'static str),
    change: i64,
) -> Result<(), Failure> {
    if change == 0 {
        return Ok(());
    }
    post(tx, actor, world, (goods, reason), coming(goods, change).into())
}

fn coming(goods: &ExpectedGoods, change: i64) -> [Posting; 2] {
    let (outside, there) = (stock::world(Stock::Expected), stock::at(goods.location, Stock::Incoming));
    if change > 0 {
        stock::moving(outside, there, change, 0)
    } else {
        stock::moving(there, outside, -change, 0)
    }
}

fn post(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (goods, reason): (&ExpectedGoods, &'static str),
    postings: Vec<Posting>,
) -> Result<(), Failure> {
    let cause = Some(("expected_goods", goods.id.to_string()));
    let movement = Movement { variant: goods.variant, reason, cause, postings };
    post_movement(tx, actor, world, movement, never_short)?;
    Ok(())
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, goods: &ExpectedGoods, kind: &'static str) {
    let body = json!({
        "variant": goods.variant.to_string(), "location": goods.location.to_string(), "quantity": goods.quantity, "arrived": goods.arrived,
        "due_at": goods.due_at.to_string(), "state": goods.state.text()
    });
    emit(tx, actor, world, goods.id, kind, body);
}

/// The expected goods that are to be worked on, with the book of their variant: nobody else changes either until the commit.
fn lock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    named: &Reference<ExpectedKind>,
    version: Option<i64>,
) -> Result<ExpectedGoods, Failure> {
    let id = external::resolve(tx, named)?;
    let missing = || Refusal::not_found("expected goods", id);
    let known = rows::find(tx, id)?.ok_or_else(missing)?;
    actor.may(Permission::MoveStock, Some(known.location))?;
    books::lock_books(tx, &mut vec![book_of(known.variant)])?;
    let goods = rows::lock(tx, id)?.ok_or_else(missing)?;
    if version.is_some() {
        edit::unchanged(goods.id, goods.version, version)?;
    }
    rules::must_be_open(goods.state)?;
    Ok(goods)
}

/// Moves expected goods to another date, or expects more or fewer of them.
///
/// # Errors
/// [`domain::Code::Stale`] when they are not at the version given; [`domain::Code::WrongState`] when no more are to come.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (named, version): (&Reference<ExpectedKind>, Option<i64>),
    change: ExpectedChange,
) -> Result<ExpectedGoods, Failure> {
    let version = version.unwrap_or(0);
    let mut goods = lock(tx, actor, named, Some(version))?;
    let before = goods.to_come();
    if let Some(quantity) = change.quantity {
        if quantity.units() <= goods.arrived {
            let message = format!("{} have arrived; give more, or say that no more come", goods.arrived);
            return Err(Refusal::invalid("quantity", message).into());
        }
        goods.quantity = quantity.units();
    }
    goods.due_at = change.due_at.unwrap_or(goods.due_at);
    if let Some(given) = change.reference {
        goods.reference = reference(given.as_deref())?;
    }
    rows::update(tx, &mut goods)?;
    expect(tx, actor, world, (&goods, "moved"), goods.to_come() - before)?;
    tell(tx, actor, world, &goods, "expected_goods.changed");
    waiting::renew(tx, actor, world, goods.variant)?;
    Ok(goods)
}

/// Receives expected goods by their condition: all of them, a part, or more than were expected. With `is_last` no more come, and what is
/// missing is not expected any longer. What is fit for sale is promised to those who waited longest before anybody else can buy it.
///
/// # Errors
/// [`domain::Code::WrongState`] when no more are to come; [`domain::Code::Invalid`] when nothing arrived and more are to come.
pub fn receive(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    named: &Reference<ExpectedKind>,
    (arrival, is_last): (Arrival, bool),
) -> Result<ExpectedGoods, Failure> {
    let arrival = arrival.checked(is_last)?;
    let mut goods = lock(tx, actor, named, None)?;
    let (total, to_come) = (arrival.total(), goods.to_come());
    let ends = is_last || total >= to_come;
    let no_longer_expected = if ends { to_come } else { total };
    goods.arrived += total;
    goods.state = if ends { State::Received } else { State::Open };
    rows::update(tx, &mut goods)?;
    let mut postings = Vec::new();
    if no_longer_expected > 0 {
        postings.extend(coming(&goods, -no_longer_expected));
    }
    let conditions = [
        (Stock::Available, arrival.available),
        (Stock::Quality, arrival.quality),
        (Stock::Damaged, arrival.damaged),
    ];
    for (state, quantity) in conditions.into_iter().filter(|(_, quantity)| *quantity > 0) {
        let shelf = stock::at(goods.location, state);
        postings.extend(stock::moving(stock::world(Stock::Supplier), shelf, quantity, 0));
    }
    if !postings.is_empty() {
        post(tx, actor, world, (&goods, "received"), postings)?;
    }
    selling::claim_arrived(tx, actor, world, goods.variant, arrival.available)?;
    if arrival.available > 0 {
        waiting::serve(tx, world, goods.variant)?;
    }
    let body = json!({
        "variant": goods.variant.to_string(), "location": goods.location.to_string(), "available": arrival.available, "quality": arrival.quality,
        "damaged": arrival.damaged, "missing": if ends { (to_come - total).max(0) } else { 0 }, "over": (total - to_come).max(0),
        "state": goods.state.text()
    });
    emit(tx, actor, world, goods.id, "expected_goods.received", body);
    waiting::renew(tx, actor, world, goods.variant)?;
    Ok(goods)
}

/// Cancels expected goods: what has not arrived does not come.
///
/// # Errors
/// [`domain::Code::WrongState`] when no more are to come.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    named: &Reference<ExpectedKind>,
) -> Result<ExpectedGoods, Failure> {
    let mut goods = lock(tx, actor, named, None)?;
    let to_come = goods.to_come();
    goods.state = State::Cancelled;
    rows::update(tx, &mut goods)?;
    expect(tx, actor, world, (&goods, "cancelled"), -to_come)?;
    tell(tx, actor, world, &goods, "expected_goods.cancelled");
    waiting::renew(tx, actor, world, goods.variant)?;
    Ok(goods)
}

/// Expected goods.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    named: &Reference<ExpectedKind>,
) -> Result<ExpectedGoods, Failure> {
    actor.may_somewhere(Permission::ReadStock)?;
    let id = external::resolve(tx, named)?;
    let goods = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("expected goods", id))?;
    actor.may(Permission::ReadStock, Some(goods.location))?;
    Ok(goods)
}

/// The goods expected at a location after some, in the order they were announced, in one state if named.
///
/// # Errors
/// [`domain::Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (location, state): (&Reference<Location>, Option<State>),
    after: Id<ExpectedKind>,
    limit: i64,
) -> Result<Vec<ExpectedGoods>, Failure> {
    let location = external::resolve(tx, location)?;
    actor.may(Permission::ReadStock, Some(location))?;
    Ok(rows::at(tx, (location, state), after, limit)?)
}
