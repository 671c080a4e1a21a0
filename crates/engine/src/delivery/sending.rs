//! Sending goods to where they are collected: from which network other locations send what a pickup location lacks, and how many days
//! that takes.

use domain::actor::{Actor, Permission};
use domain::delivery::{Kind, LEAD_DAYS_MAX};
use domain::value::Id;
use domain::value::id::DeliveryMethod;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::delivery::sending as rows;

pub use store::delivery::sending::Sending;

use crate::event::emit;
use crate::{Failure, World};

/// Says from where a pickup location is sent what it lacks; `None`: from nowhere.
///
/// # Errors
/// [`Code::WrongState`] unless goods are collected by this method; [`Code::Invalid`] for days out of bounds.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    method: Id<DeliveryMethod>,
    sending: Option<Sending>,
) -> Result<Option<Sending>, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let known =
        store::delivery::find(tx, method)?.ok_or_else(|| Refusal::not_found("delivery method", method))?;
    if known.kind != Kind::Pickup {
        let message = format!("delivery method \"{}\" is no pickup: parcels go to the customer", known.code);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    if sending.is_some_and(|sending| !(0..=LEAD_DAYS_MAX).contains(&sending.days)) {
        return Err(Refusal::invalid("days", format!("give 0 to {LEAD_DAYS_MAX}")).into());
    }
    rows::set(tx, method, sending)?;
    let body = json!({
        "network": sending.map(|sending| sending.network.to_string()), "days": sending.map(|sending| sending.days)
    });
    emit(tx, actor, world, method, "delivery.sending_set", body);
    Ok(sending)
}

/// From where a pickup location is sent what it lacks, if from anywhere.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, method: Id<DeliveryMethod>) -> Result<Option<Sending>, Failure> {
    actor.may(Permission::ReadPlaces, None)?;
    store::delivery::find(tx, method)?.ok_or_else(|| Refusal::not_found("delivery method", method))?;
    Ok(rows::find(tx, method)?)
}
