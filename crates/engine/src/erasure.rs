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
use crate::identity::trace;
use crate::loyalty::member;
use crate::message::suppression;
use crate::privacy::hold;
use crate::sign_in::{passkey, sign_on};
use crate::{Failure, World, company, contact, detail, message};

/// Erases a customer: the person's key is destroyed, nothing finds the customer by mail, phone or external id any more, and what the
/// customer takes part in ends. Who was merged into the customer is erased too, and who is known only by an address that was ever theirs: it
/// is one person. Erasing twice is the same as once.
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
    let mut persons = Vec::new();
    for one in &all {
        persons.push(customer::load(tx, *one)?.person);
    }
    let persons = with_addresses_of(tx, &all, persons)?;
    // Carts and orders are locked before customers.
    for person in &persons {
        forget_words(tx, *person)?;
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
            detail::forget(tx, *one)?;
            company::member::leave_all(tx, actor, world, *one)?;
        }
    }
    forget(tx, actor, world, (&all, &persons))?;
    for merged in &all[..all.len() - 1] {
        customer::erase(tx, actor, world, *merged)?;
    }
    let erased = customer::erase(tx, actor, world, id)?;
    member::end_all(tx, actor, world, id)?;
    Ok(erased)
}

/// Erases whoever a contact is of: the customer, or somebody who bought as a guest, with who is known only by an address of theirs.
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
    if let Some(customer) = store::customer::of_person(tx, person)? {
        return erase(tx, actor, world, customer).map(drop);
    }
    let persons = with_addresses_of(tx, &[], vec![person])?;
    for person in &persons {
        forget_words(tx, *person)?;
    }
    forget(tx, actor, world, (&[], &persons))
}

/// Forgets a contact that is no customer's because it was kept long enough. Nobody asked to be erased: what is known by the same address
/// otherwise stays, and the address may come again.
///
/// # Errors
/// As [`erase_contact`].
pub(crate) fn let_go(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Contact>,
) -> Result<(), Failure> {
    let person = contact::person_of(tx, id)?;
    forget_words(tx, person)?;
    forget_person(tx, actor, world, person)
}

/// These persons, and those who are known only by an address that is or was one of theirs.
fn with_addresses_of(
    tx: &mut Tx<'_>,
    customers: &[Id<CustomerKind>],
    mut persons: Vec<Id<Person>>,
) -> Result<Vec<Id<Person>>, Failure> {
    for person in persons.clone() {
        let others = subscriber::by_addresses_of(tx, person, customers)?;
        persons.extend(others.iter().map(|one| one.person));
    }
    persons.sort_unstable();
    persons.dedup();
    Ok(persons)
}

/// Empties what a person wrote on carts, orders and complaints.
fn forget_words(tx: &mut Tx<'_>, person: Id<Person>) -> Result<(), Failure> {
    words::lock(tx, person)?;
    Ok(words::forget(tx, person)?)
}

/// Forgets persons who are one and may be these customers: by what they are recognised, with what was collected of them, what waits to be sent and all
/// they are found by. Of their addresses the hashes are kept, so that no old list brings them back.
fn forget(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customers, persons): (&[Id<CustomerKind>], &[Id<Person>]),
) -> Result<(), Failure> {
    let mut addresses = Vec::new();
    for person in persons {
        addresses.extend(store::contact::lookups_of(tx, *person)?);
    }
    addresses.sort_unstable();
    addresses.dedup();
    let traces = trace::of(tx, actor, world, (customers, &addresses))?;
    trace::forget(tx, actor, world, &traces)?;
    for person in persons {
        forget_person(tx, actor, world, *person)?;
    }
    for hash in &addresses {
        suppression::note(tx, actor, world, hash, Suppressed::Erased)?;
    }
    Ok(())
}

/// Takes back what waits to be sent to a person, and destroys the key and all they are found by.
fn forget_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    person: Id<Person>,
) -> Result<(), Failure> {
    for one in subscriber::forget(tx, world, person)? {
        message::take_back(tx, actor, world, one)?;
    }
    contact::erase(tx, actor, world, person)
}
