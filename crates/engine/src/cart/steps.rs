//! The steps that end a cart: ordered, merged into another, abandoned, expired.

use domain::actor::Actor;
use domain::cart::{self as rules, State};
use domain::value::Id;
use domain::value::id::{Cart as CartKind, Order};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, cart as rows};

use super::{Cart, begin, channel_of, finish, lock, may_use, pour, standing};
use crate::event::emit;
use crate::stock::hold::release_for_cart;
use crate::{Failure, World};

/// The most carts that one round of the duty ends.
const BATCH_MAX: i64 = 64;

/// Refuses a cart that cannot be ordered now.
///
/// # Errors
/// [`Code::CartNotOpen`].
pub fn check_open(cart: &Cart, world: &World) -> Result<(), Refusal> {
    let state = standing(cart, world.now());
    if state.is_open() { Ok(()) } else { Err(rules::not_open(cart.id, state)) }
}

/// Ends a cart whose order was placed in this transaction. The caller has locked it.
///
/// # Errors
/// [`Code::CartNotOpen`] when it was ordered, merged or left too long before.
pub fn mark_ordered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &Cart,
    order: Id<Order>,
) -> Result<(), Failure> {
    check_open(cart, world)?;
    let ended = Cart { order: Some(order), ..cart.clone() };
    end(tx, actor, world, ended, State::Ordered)
}

/// Moves the lines of one cart into another, such as a guest's into the customer's own after signing in. Nothing is lost: quantities
/// of the same variant add up. Merging the same two again changes nothing.
///
/// # Errors
/// [`Code::CartNotOpen`] when one of them has ended, [`Code::CurrencyMismatch`], [`Code::Invalid`] when both do not fit into one,
/// [`Code::OutOfStock`] where the channel holds stock for carts.
pub fn merge(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    from: Id<CartKind>,
    into: Id<CartKind>,
) -> Result<Cart, Failure> {
    if from == into {
        return Err(Refusal::invalid("from", "a cart cannot be merged into itself").into());
    }
    // In one order, so that merging both ways at once does not lock each other out.
    lock(tx, from.min(into))?;
    let source = lock(tx, from)?;
    may_use(actor, &channel_of(tx, &source)?, Some(&source))?;
    if source.state == State::Merged && source.merged_into == Some(into) {
        return super::read(tx, actor, into);
    }
    let state = standing(&source, world.now());
    if !state.leads_to(State::Merged) {
        return Err(rules::not_open(from, state).at("from").into());
    }
    let (mut target, channel) = begin(tx, actor, world, into, None)?;
    if source.currency != target.currency {
        let message = format!("one cart is in {}, the other in {}", source.currency, target.currency);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("from").into());
    }
    unite(tx, actor, world, source, &mut target)?;
    finish(tx, actor, world, &channel, target)
}

/// Moves what is in one locked cart into another, and ends the one.
pub(super) fn unite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    source: Cart,
    target: &mut Cart,
) -> Result<(), Failure> {
    let (from, into) = (source.id, target.id);
    for line in &source.lines {
        pour(tx, world, target, (line.variant, line.agreed, line.quantity))?;
    }
    rules::check_lines(target.lines.len())?;
    super::coupon::pour(tx, from, into)?;
    // Contacts of a company stay with what is bought in its name.
    if target.contact.is_none() && target.person.is_none() && target.company == source.company {
        target.person = source.person;
        target.contact = source.contact;
        target.destination = source.destination.clone();
        target.billing_contact = source.billing_contact;
    }
    release_for_cart(tx, actor, world, from)?;
    end(tx, actor, world, Cart { merged_into: Some(into), ..source }, State::Merged)
}

/// One round of the duty that ends carts whose time ran out and gives back what they hold; true when more wait.
///
/// # Errors
/// What the store says.
pub fn expire_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let mut ended = 0;
    for state in [State::Active, State::Recovered, State::Abandoned] {
        for id in rows::due(tx, state, world.now(), BATCH_MAX)? {
            let cart = lock(tx, id)?;
            let next = standing(&cart, world.now());
            if !cart.state.leads_to(next) {
                continue;
            }
            release_for_cart(tx, actor, world, id)?;
            end(tx, actor, world, cart, next)?;
            ended += 1;
        }
    }
    Ok(ended >= BATCH_MAX)
}

/// Writes the state a cart ends in and tells of it.
fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut cart: Cart,
    state: State,
) -> Result<(), Failure> {
    if state == State::Abandoned {
        cart.expires_at = cart.expires_at.plus_seconds(rules::ABANDONED_SECONDS);
    }
    cart.state = state;
    cart.version += 1;
    cart.changed_at = world.now();
    rows::change(tx, &cart)?;
    let (kind, body) = match state {
        State::Ordered => ("cart.ordered", json!({ "order": cart.order.map(|order| order.to_string()) })),
        State::Merged => ("cart.merged", json!({ "into": cart.merged_into.map(|into| into.to_string()) })),
        State::Abandoned => ("cart.abandoned", json!({})),
        _ => ("cart.expired", json!({})),
    };
    emit(tx, actor, world, cart.id, kind, body);
    Ok(())
}
