//! Who has read the contacts of a person.

use domain::actor::{Actor, Permission, Who};
use domain::value::id::{Customer, Event as EventKind, Person};
use domain::value::{Id, Instant};
use store::Tx;
use store::event::{self as journal, Entry};
use store::privacy::retention::contacts_of;

use crate::{Failure, customer};

/// The most contacts of one person.
const CONTACTS_MAX: i64 = 10_000;
/// The most readings of one contact that are looked through.
const READINGS_MAX: i64 = 100_000;

/// Who read a contact, and when.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The event that tells of it.
    pub id: Id<EventKind>,
    /// The contact.
    pub contact: String,
    /// Who: kind and id.
    pub actor: String,
    /// When.
    pub at: Instant,
}

/// Who read the contacts of a customer, the newest first, before an event.
///
/// # Errors
/// [`Code::NotFound`](domain::Code::NotFound) when there is no such customer.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<Customer>,
    (before, limit): (Id<EventKind>, i64),
) -> Result<Vec<Reading>, Failure> {
    if actor.who != Who::Customer(id) {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    let person = customer::load(tx, id)?.person;
    let mut found = of_person(tx, person)?;
    found.retain(|one| one.id < before);
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

/// Who read the contacts of a person, the newest first.
///
/// # Errors
/// What the store says.
pub(crate) fn of_person(tx: &mut Tx<'_>, person: Id<Person>) -> Result<Vec<Reading>, Failure> {
    let mut found = Vec::new();
    for contact in contacts_of(tx, person, CONTACTS_MAX)? {
        let name = contact.to_string();
        let entries = journal::of_subject(tx, &name, 0, READINGS_MAX)?.into_iter();
        let reading =
            |entry: Entry| Reading { id: entry.id, contact: name.clone(), actor: entry.actor, at: entry.at };
        found.extend(entries.filter(|entry| entry.kind == "contact.read").map(reading));
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.id));
    Ok(found)
}
