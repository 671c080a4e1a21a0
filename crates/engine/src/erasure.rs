//! Erasing a person: what is known of them, and what they take part in.

use domain::actor::{Actor, Permission};
use domain::message::Suppressed;
use domain::value::Id;
use domain::value::id::Person;
use domain::value::id::{Contact, Customer as CustomerKind};
use store::Tx;
use store::privacy::words;

use crate::consent::subscriber;
use crate::customer::{self, Customer};
use crate::loyalty::member;
use crate::message::suppression;
use crate::privacy::hold;
use crate::sign_in::{passkey, sign_on};
use crate::{Failure, World, company, contact, detail, identity, message};

/// Erases a customer: the person's key is destroyed, nothing finds the customer by mail, phone or external id any more, and what the
/// customer takes part in ends. Who was merged into the customer is erased too: it is one person. Erasing twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`](domain::Code::Forbidden) without the permission to answer requests;
/// [`Code::NotFound`](domain::Code::NotFound) when there is no such customer;
/// [`Code::PolicyRefuses`](domain::Code::PolicyRefuses) under a legal hold.
pub fn erase(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Customer, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    // Whoever may answer requests may have done what is asked for.
    let actor = &actor.trusted();
    let id = store::customer::merged_into(tx, id)?.unwrap_or(id);
    let mut all = store::customer::merged_with(tx, id)?;
    all.push(id);
    // Carts and orders are locked before customers.
    for one in &all {
        let person = customer::load(tx, *one)?.person;
        forget_words(tx, person)?;
    }
    store::customer::lock(tx, &all)?;
    if store::customer::merged_into(tx, id)?.is_some()
        || store::customer::merged_with(tx, id)?.len() + 1 != all.len()
    {
        return Err(tx.begin_anew().into());
    }
    for one in &all {
        let known = customer::load(tx, *one)?;
        if known.erased_at.is_none() {
            hold::must_be_free(tx, *one)?;
            if words::any(tx, known.person)? {
                // Something was written meanwhile.
                return Err(tx.begin_anew().into());
            }
            store::sign_in::end_all(tx, *one)?;
            passkey::forget(tx, *one)?;
            sign_on::forget(tx, *one)?;
            forget(tx, actor, world, known.person)?;
            detail::forget(tx, *one)?;
            company::member::leave_all(tx, actor, world, *one)?;
        }
    }
    for merged in &all[..all.len() - 1] {
        customer::erase(tx, actor, world, *merged)?;
        identity::customer::forget(tx, world, *merged)?;
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
    actor.may(Permission::AnswerPrivacy, None)?;
    let actor = &actor.trusted();
    let person = contact::person_of(tx, id)?;
    match store::customer::of_person(tx, person)? {
        Some(customer) => erase(tx, actor, world, customer).map(drop),
        None => {
            forget_words(tx, person)?;
            forget(tx, actor, world, person)?;
            contact::erase(tx, actor, world, person)
        }
    }
}

/// Empties what a person wrote on carts, orders and complaints.
fn forget_words(tx: &mut Tx<'_>, person: Id<Person>) -> Result<(), Failure> {
    words::lock(tx, person)?;
    Ok(words::forget(tx, person)?)
}

/// Takes back what waits to be sent to a person, forgets by what they are found and where their consents came from, and keeps of their
/// addresses the hashes, so that no old list brings them back.
fn forget(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, person: Id<Person>) -> Result<(), Failure> {
    for one in subscriber::forget(tx, world, person)? {
        message::take_back(tx, actor, world, one)?;
    }
    for hash in store::contact::lookups_of(tx, person)? {
        suppression::note(tx, actor, world, &hash, Suppressed::Erased)?;
    }
    Ok(())
}
