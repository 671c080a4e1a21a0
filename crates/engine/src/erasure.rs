//! Erasing a person: what is known of them, and what they take part in.

use domain::actor::{Actor, Permission};
use domain::value::Id;
use domain::value::id::{Contact, Customer as CustomerKind};
use store::Tx;

use crate::customer::{self, Customer};
use crate::loyalty::member;
use crate::{Failure, World, contact, identity};

/// Erases a customer: the person's key is destroyed, nothing finds the customer by mail, phone or external id any more, and what the
/// customer takes part in ends. Who was merged into the customer is erased too: it is one person. Erasing twice is the same as once.
///
/// # Errors
/// [`Code::NotFound`](domain::Code::NotFound) when there is no such customer.
pub fn erase(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Customer, Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let id = store::customer::merged_into(tx, id)?.unwrap_or(id);
    let mut all = store::customer::merged_with(tx, id)?;
    all.push(id);
    store::customer::lock(tx, &all)?;
    if store::customer::merged_into(tx, id)?.is_some()
        || store::customer::merged_with(tx, id)?.len() + 1 != all.len()
    {
        return Err(tx.begin_anew().into());
    }
    for merged in &all[..all.len() - 1] {
        customer::erase(tx, actor, world, *merged)?;
    }
    let erased = customer::erase(tx, actor, world, id)?;
    identity::customer::forget(tx, world, id)?;
    member::end_all(tx, actor, world, id)?;
    Ok(erased)
}

/// Erases whoever a contact is of: the customer, or somebody who bought as a guest.
///
/// # Errors
/// [`Code::NotFound`](domain::Code::NotFound) when there is no such contact.
pub fn erase_contact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Contact>,
) -> Result<(), Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let person = contact::person_of(tx, id)?;
    match store::customer::of_person(tx, person)? {
        Some(customer) => erase(tx, actor, world, customer).map(drop),
        None => contact::erase(tx, actor, world, person),
    }
}
