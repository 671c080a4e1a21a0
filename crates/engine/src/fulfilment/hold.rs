//! Holding a fulfilment order: nobody goes on with it until it is released.

use domain::actor::Actor;
use domain::value::Id;
use domain::value::id::{FulfilmentOrder as FulfilmentOrderKind, Order as OrderKind};
use domain::{Code, Refusal};
use store::{Tx, fulfilment as rows};

use super::{FulfilmentOrder, find, tell};
use crate::{Failure, World, order};

/// The longest reason, in characters.
pub const REASON_MAX: usize = 200;

/// Puts a fulfilment order on hold for a reason; a second hold replaces the reason.
///
/// # Errors
/// [`Code::WrongState`] when nothing of it is open; [`Code::Invalid`] for a reason that is empty or too long.
pub fn put(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): (Id<OrderKind>, Id<FulfilmentOrderKind>),
    reason: &str,
) -> Result<FulfilmentOrder, Failure> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(Refusal::invalid("reason", format!("say why in 1 to {REASON_MAX} characters")).into());
    }
    let order = order::lock(tx, order)?;
    let mut one = find(tx, actor, &order, id)?;
    if !one.state.is_open() {
        let message = format!("fulfilment order {id} is {}: there is nothing to hold", one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    one.on_hold = Some(reason.to_owned());
    rows::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.held");
    Ok(one)
}

/// Lets a fulfilment order go on; one that is not on hold stays as it is.
///
/// # Errors
/// [`Code::NotFound`].
pub fn release(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): (Id<OrderKind>, Id<FulfilmentOrderKind>),
) -> Result<FulfilmentOrder, Failure> {
    let order = order::lock(tx, order)?;
    let mut one = find(tx, actor, &order, id)?;
    if one.on_hold.take().is_some() {
        rows::update(tx, &one)?;
        tell(tx, actor, world, &one, "fulfilment.released");
    }
    Ok(one)
}
