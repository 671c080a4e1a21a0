//! Writing goods off: lost, stolen, thrown away, used in the house. What is worth more than one person may write off waits for a second.

use domain::actor::{Actor, Permission};
use domain::stock::{self, State, WriteOffReason, WriteOffState};
use domain::value::id::{Location, Variant, WriteOff as Kind};
use domain::value::{Id, Quantity};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::ledger::Shortfall;
use store::stock::rule as rows;

pub use store::stock::rule::WriteOff;

use super::{Movement, in_skus, must_be_stocked, must_be_there, post_movement, rule, too_few};
use crate::event::emit;
use crate::{Failure, World};

/// Goods to be written off.
#[derive(Clone, Debug)]
pub struct NewWriteOff {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where.
    pub location: Id<Location>,
    /// In which state they are.
    pub from: State,
    /// How many.
    pub quantity: Quantity,
    /// Why.
    pub reason: WriteOffReason,
    /// The retailer's paper.
    pub reference: Option<String>,
}

/// Writes goods off, or asks a second person when they are worth more than one may write off alone.
///
/// # Errors
/// [`Code::OutOfStock`] when fewer are in that state; [`Code::Invalid`] for goods that are promised.
pub fn ask(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewWriteOff) -> Result<WriteOff, Failure> {
    actor.may(Permission::WriteOff, Some(new.location))?;
    if !new.from.is_by_hand() {
        let message = format!("goods {} are promised; only what is free is written off", new.from.text());
        return Err(Refusal::invalid("from", message).into());
    }
    must_be_stocked(tx, new.variant)?;
    must_be_there(tx, new.location)?;
    let mut one = WriteOff {
        id: world.id(),
        location: new.location,
        variant: new.variant,
        from: new.from,
        quantity: new.quantity.units(),
        reason: new.reason,
        reference: new.reference,
        state: WriteOffState::Asked,
        asked_by: actor.who.label(),
        asked_at: world.now(),
        ended_by: None,
        ended_at: None,
    };
    if rule::write_off_needs_approval(tx, one.location, &[(one.variant, one.quantity)])? {
        rows::add_write_off(tx, &one)?;
        tell(tx, actor, world, &one, "stock.write_off_asked");
        return Ok(one);
    }
    post(tx, actor, world, &mut one)?;
    rows::add_write_off(tx, &one)?;
    Ok(one)
}

/// A write-off that waits, for who may agree to it: somebody else than who asked.
fn waiting(tx: &mut Tx<'_>, actor: &Actor, id: Id<Kind>) -> Result<WriteOff, Failure> {
    let one = rows::lock_write_off(tx, id)?.ok_or_else(|| Refusal::not_found("write-off", id))?;
    actor.may(Permission::WriteOff, Some(one.location))?;
    if one.state != WriteOffState::Asked {
        let message = format!("write-off {id} is {}", one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    if one.asked_by == actor.who.label() {
        let message = "somebody else than who asked for it must agree";
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(one)
}

/// A second person agrees: the goods leave the books.
///
/// # Errors
/// [`Code::WrongState`] when it waits for nobody, or for somebody else; [`Code::OutOfStock`] when fewer are in that state now.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<Kind>) -> Result<WriteOff, Failure> {
    let mut one = waiting(tx, actor, id)?;
    post(tx, actor, world, &mut one)?;
    rows::end_write_off(tx, &one)?;
    Ok(one)
}

/// A second person does not agree: the goods stay in the books.
///
/// # Errors
/// [`Code::WrongState`] when it waits for nobody, or for somebody else.
pub fn decline(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<Kind>) -> Result<WriteOff, Failure> {
    let mut one = waiting(tx, actor, id)?;
    end(actor, world, &mut one, WriteOffState::Declined);
    rows::end_write_off(tx, &one)?;
    tell(tx, actor, world, &one, "stock.write_off_declined");
    Ok(one)
}

fn end(actor: &Actor, world: &World, one: &mut WriteOff, state: WriteOffState) {
    one.state = state;
    one.ended_by = Some(actor.who.label());
    one.ended_at = Some(world.now());
}

fn post(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &mut WriteOff) -> Result<(), Failure> {
    let (from, to) = (stock::at(one.location, one.from), stock::world(one.reason.world_side()));
    let movement = Movement {
        variant: one.variant,
        reason: one.reason.text(),
        cause: Some(("write_off", one.id.to_string())),
        postings: stock::moving(from, to, one.quantity, 0).into(),
    };
    let short = |short: Shortfall| too_few(one.variant, short.amount, one.quantity);
    let outcome = post_movement(tx, actor, world, movement, short);
    in_skus(tx, &[one.variant], outcome)?;
    end(actor, world, one, WriteOffState::Posted);
    tell(tx, actor, world, one, "stock.written_off");
    Ok(())
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &WriteOff, kind: &'static str) {
    let body = json!({
        "write_off": one.id.to_string(), "location": one.location.to_string(), "from": one.from.text(), "quantity": one.quantity,
        "reason": one.reason.text(), "asked_by": one.asked_by
    });
    emit(tx, actor, world, one.variant, kind, body);
}

/// The write-offs of a location before one, the newest first: those that wait, or all.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    which: (Id<Location>, bool),
    before: Id<Kind>,
    limit: i64,
) -> Result<Vec<WriteOff>, Failure> {
    actor.may(Permission::WriteOff, Some(which.0))?;
    Ok(rows::write_offs(tx, which, before, limit)?)
}
