//! Holding goods: for a basket, on the network or at the counter's own location; and giving them back when the time runs out.

use std::collections::{BTreeMap, HashMap};

use domain::actor::{Actor, Permission};
use domain::ledger::{BookKind, HoldEnd, HoldState};
use domain::stock::{self, State};
use domain::value::id::{Cart, Hold, Location, Variant};
use domain::value::{Id, Instant, Quantity};
use domain::{Code, Refusal};
use store::ledger::HoldRow;
use store::market::Channel;
use store::{Tx, ledger as books};

use super::availability::{Picture, Reach, picture, reach};
use super::{book_of, in_skus, notice, selling, too_few};
use crate::ledger::{Ending, NewHold, end_hold, hold};
use crate::{Failure, World};

/// The most holds whose time ran out that one run gives back.
const EXPIRE_BATCH: i64 = 200;

/// Holds exactly these goods for a cart until an instant: what it held before and needs no more is given back.
///
/// # Errors
/// [`Code::OutOfStock`] when something cannot be promised; the cart then holds what it held before.
pub fn hold_for_cart(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, cart): (&Channel, Id<Cart>),
    demand: &BTreeMap<Id<Variant>, i64>,
    expires_at: Instant,
) -> Result<(), Failure> {
    let reach = reach(tx, channel)?;
    let mut locked: Vec<_> = demand.keys().map(|variant| book_of(*variant)).collect();
    books::lock_books(tx, &mut locked)?;
    let mut kept: BTreeMap<Id<Variant>, i64> = BTreeMap::new();
    for row in books::lock_holds_of(tx, &cart.to_string())? {
        let variant: Id<Variant> = row.book.shared_with();
        if demand.get(&variant) == Some(&row.amount) && !kept.contains_key(&variant) {
            kept.insert(variant, row.amount);
        } else {
            give_back(tx, actor, world, &row, HoldEnd::Void)?;
        }
    }
    let missing: Vec<_> = demand
        .iter()
        .filter(|(variant, _)| !kept.contains_key(variant))
        .map(|(variant, amount)| (*variant, *amount))
        .collect();
    let variants: Vec<_> = missing.iter().map(|(variant, _)| *variant).collect();
    let picture = picture(tx, &reach, &variants)?;
    let is_short = missing.iter().any(|(variant, amount)| picture.promisable(*variant) < *amount);
    let rules = if is_short { selling::of(tx, channel.id, &variants)? } else { HashMap::new() };
    for (variant, asked) in missing {
        // What is not there and is sold all the same is judged anew at the checkout.
        let rule = rules.get(&variant);
        let beyond = rule.and_then(|rule| selling::missing_of(&picture, rule, (variant, asked)));
        let amount = asked - beyond.unwrap_or(0);
        if amount > 0 {
            let cause = ("cart", cart.to_string());
            hold_one(tx, actor, world, (&reach, &picture), (variant, amount), (cause, Some(expires_at)))?;
        }
    }
    books::prolong_holds_of(tx, &cart.to_string(), expires_at)?;
    Ok(())
}

/// Holds goods for something that gives them back or uses them up itself, such as a change of an order.
///
/// # Errors
/// [`Code::OutOfStock`] when something cannot be promised.
pub(crate) fn hold_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    reach: &Reach,
    cause: &(&'static str, String),
    demand: &BTreeMap<Id<Variant>, i64>,
) -> Result<(), Failure> {
    books::lock_books(tx, &mut demand.keys().map(|variant| book_of(*variant)).collect())?;
    let picture = picture(tx, reach, &demand.keys().copied().collect::<Vec<_>>())?;
    for (variant, amount) in demand {
        hold_one(tx, actor, world, (reach, &picture), (*variant, *amount), (cause.clone(), None))?;
    }
    Ok(())
}

fn hold_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (reach, picture): (&Reach, &Picture),
    (variant, amount): (Id<Variant>, i64),
    (cause, expires_at): (Cause, Option<Instant>),
) -> Result<(), Failure> {
    let found = picture.promisable(variant);
    if found < amount {
        return Err(too_few(variant, found, amount).into());
    }
    let new = new_hold(reach, cause, (variant, amount), expires_at);
    hold(tx, actor, world, new, |short| too_few(variant, short.amount, amount))?;
    Ok(())
}

/// What a hold is for: kind and id in text.
type Cause = (&'static str, String);

fn new_hold(
    reach: &Reach,
    cause: Cause,
    (variant, amount): (Id<Variant>, i64),
    expires_at: Option<Instant>,
) -> NewHold {
    let (from, held) = match reach.locations.first().filter(|_| reach.pinned) {
        Some(location) => (stock::at(*location, State::Available), stock::at(*location, State::Held)),
        None => (stock::world(State::Demand), stock::on(reach.network, State::PoolHeld)),
    };
    let postings = stock::moving(from, held, amount, 0);
    let notice = notice(variant, "held", Some(&cause), &postings);
    let from = (from, postings[0].floor);
    NewHold { book: book_of(variant), from, held, amount, expires_at, cause, notice }
}

/// Gives back everything a cart holds.
///
/// # Errors
/// What the store says.
pub fn release_for_cart(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: Id<Cart>,
) -> Result<(), Failure> {
    release_for(tx, actor, world, &cart.to_string())
}

/// Gives back everything that is held for something.
///
/// # Errors
/// What the store says.
pub(crate) fn release_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cause_id: &str,
) -> Result<(), Failure> {
    for row in books::lock_holds_of(tx, cause_id)? {
        give_back(tx, actor, world, &row, HoldEnd::Void)?;
    }
    Ok(())
}

/// Ends what a cart holds because it is being ordered, in the same transaction: how many of each variant were held.
///
/// # Errors
/// What the store says.
pub(crate) fn use_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: Id<Cart>,
) -> Result<BTreeMap<Id<Variant>, i64>, Failure> {
    use_up_for(tx, actor, world, &cart.to_string())
}

/// Ends what is held for something because it is taken now, in the same transaction: how many of each variant were held.
///
/// # Errors
/// What the store says.
pub(crate) fn use_up_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cause_id: &str,
) -> Result<BTreeMap<Id<Variant>, i64>, Failure> {
    let mut held = BTreeMap::new();
    for row in books::lock_holds_of(tx, cause_id)? {
        *held.entry(row.book.shared_with()).or_insert(0) += row.amount;
        give_back(tx, actor, world, &row, HoldEnd::Post(row.amount))?;
    }
    Ok(held)
}

/// Ends a hold with everything back where it came from. A hold that is being ordered ends as posted: the order's own transfer takes the goods on.
fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &HoldRow,
    end: HoldEnd,
) -> Result<HoldState, Failure> {
    let postings = stock::moving(row.held, row.from, row.amount, 0);
    let kind = if row.cause_kind.as_deref() == Some("change") { "change" } else { "cart" };
    let cause = row.cause_id.clone().map(|id| (kind, id));
    let variant: Id<Variant> = row.book.shared_with();
    let reason = match end {
        HoldEnd::Post(_) => "hold_posted",
        HoldEnd::Void => "hold_released",
        HoldEnd::Expire => "hold_expired",
    };
    let notice = notice(variant, reason, cause.as_ref(), &postings);
    let onward = matches!(end, HoldEnd::Post(_)).then_some(postings[1]);
    end_hold(tx, actor, world, row, Ending { end, onward: onward.as_slice(), notice })
}

/// Goods set aside at a location for somebody, to be collected or released.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// How many.
    pub quantity: Quantity,
    /// Until when.
    pub expires_at: Instant,
    /// The retailer's word for what it is for, without personal data.
    pub reference: String,
}

/// Sets goods aside at a location until an instant.
///
/// # Errors
/// [`Code::OutOfStock`], or [`Code::Invalid`] when the instant has passed.
pub fn set_aside(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: SetAside,
) -> Result<Id<Hold>, Failure> {
    actor.may(Permission::MoveStock, Some(input.location))?;
    if input.expires_at <= world.now() {
        return Err(Refusal::invalid("expires_at", "give an instant that is still to come").into());
    }
    super::must_be_stocked(tx, input.variant)?;
    super::must_be_there(tx, input.location)?;
    let (from, held) = (stock::at(input.location, State::Available), stock::at(input.location, State::Held));
    let amount = input.quantity.units();
    let postings = stock::moving(from, held, amount, 0);
    let notice = notice(input.variant, "held", Some(&("reference", input.reference.clone())), &postings);
    let new = NewHold {
        book: book_of(input.variant),
        from: (from, Some(0)),
        held,
        amount,
        expires_at: Some(input.expires_at),
        cause: ("reference", input.reference),
        notice,
    };
    let outcome = hold(tx, actor, world, new, |short| too_few(input.variant, short.amount, amount));
    in_skus(tx, &[input.variant], outcome)
}

/// Gives back what was set aside.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::HoldNotOpen`] when it ended before.
pub fn release(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    id: Id<Hold>,
) -> Result<(), Failure> {
    let row = books::lock_hold(tx, book_of(variant), id)?.ok_or_else(|| Refusal::not_found("hold", id))?;
    let place = Id::from_bytes(row.held.place);
    actor.may(Permission::MoveStock, Some(place))?;
    if let Some(owner @ ("cart" | "change")) = row.cause_kind.as_deref() {
        let message = format!("this hold belongs to a {owner}; it ends with the {owner}");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    give_back(tx, actor, world, &row, HoldEnd::Void)?;
    Ok(())
}

/// Gives back what is held of a variant at a location, the newest hold first, until so many are free: its goods are not there. Answers
/// how many became free.
///
/// # Errors
/// What the store says.
pub(crate) fn let_go(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (variant, location): (Id<Variant>, Id<Location>),
    pieces: i64,
) -> Result<i64, Failure> {
    let mut free = 0;
    for row in books::lock_holds_in(tx, book_of(variant), stock::at(location, State::Held))? {
        if free >= pieces {
            break;
        }
        give_back(tx, actor, world, &row, HoldEnd::Void)?;
        free += row.amount;
    }
    Ok(free)
}

/// Gives back holds whose time ran out; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = books::holds_due(tx, BookKind::Stock, world.now(), EXPIRE_BATCH)?;
    let full = due.len() as i64 == EXPIRE_BATCH;
    for row in due {
        let Some(row) = books::lock_hold(tx, row.book, row.id)? else { continue };
        if row.state == HoldState::Pending && row.expires_at.is_some_and(|at| at <= world.now()) {
            give_back(tx, actor, world, &row, HoldEnd::Expire)?;
        }
    }
    Ok(full)
}
