//! The label for goods that come back by post, drawn anew each time it is printed, so no name or address is kept with it.

use domain::actor::{Actor, Permission};
use domain::fulfilment::label::Label;
use domain::returns::State;
use domain::value::Id;
use domain::value::id;
use domain::{Code, Refusal};
use store::Tx;

use super::find;
use crate::fulfilment::label::from;
use crate::{Failure, World, contact, order};

/// The label of a return, for who may see it; with the sender's address only for who may read contacts.
///
/// # Errors
/// [`Code::WrongState`] unless it was approved and comes by post.
pub fn label(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Return>,
) -> Result<Label, Failure> {
    let one = find(tx, id)?;
    let order = one.order.map(|order| order::find(tx, order)).transpose()?;
    match &order {
        Some(order) => order::may_see(tx, actor, order)?,
        None => actor.may(Permission::ReadOrders, Some(one.location))?,
    }
    let tracking = one.label.filter(|_| one.state == State::Approved).ok_or_else(|| {
        let message = format!(
            "return {id} is {}; only one that was approved and comes by post has a label",
            one.state.text()
        );
        Refusal::new(Code::WrongState, message)
    })?;
    let place = store::location::find(tx, one.location)?
        .ok_or_else(|| Refusal::not_found("location", one.location))?;
    let reads = actor.may_somewhere(Permission::ReadContacts).is_ok();
    let mut sender = Vec::new();
    if let Some(contact) = order.as_ref().and_then(|order| order.contact).filter(|_| reads) {
        let card = contact::read(tx, actor, world, contact)?;
        sender = card.address().map(|address| address.label(address.country())).unwrap_or_default();
    }
    let reference = order.map(|order| order.number).unwrap_or_default();
    Ok(Label {
        from: sender,
        to: from(&place),
        carrier: String::new(),
        reference,
        weight: String::new(),
        tracking,
    })
}
