//! Noting who was shown what is known of somebody else, so that the person can be told.

use domain::actor::{Actor, Who};
use domain::identity::Part;
use domain::value::Id;
use domain::value::id::{Customer, Profile, Subscriber};
use serde_json::json;
use store::{Tx, customer as customers, identity as rows};

use crate::event::emit;
use crate::{Failure, World};

/// What the journal calls it; the contact is told of by an event of its own.
pub const READ: &str = "person.read";

/// Of whom something was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A customer.
    Customer(Id<Customer>),
    /// A customer who was merged into nobody, as was looked up in the same transaction.
    Standing(Id<Customer>),
    /// Whoever a profile is of.
    Profile(Id<Profile>),
    /// Somebody who only left an address.
    Address(Id<Subscriber>),
}

/// Notes in the audit trail that a part of what is known of a person was shown, unless it was to the person.
///
/// # Errors
/// What the store says.
pub fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    whom: Whom,
    part: Part,
) -> Result<(), Failure> {
    let (customer, other) = match whom {
        Whom::Customer(id) => (Some(customers::merged_into(tx, id)?.unwrap_or(id)), String::new()),
        Whom::Standing(id) => (Some(id), String::new()),
        Whom::Profile(id) => {
            let root = rows::root_of(tx, id)?.unwrap_or(id);
            let known = rows::of_root(tx, root, Id::from_bytes([0; 16]), 1)?.pop();
            (known.and_then(|known| known.root_customer), root.to_string())
        }
        Whom::Address(id) => (None, id.to_string()),
    };
    if customer.is_none_or(|customer| actor.who != Who::Customer(customer)) {
        let subject = customer.map_or(other, |customer| customer.to_string());
        emit(tx, actor, world, subject, READ, json!({ "what": part.text() }));
    }
    Ok(())
}
