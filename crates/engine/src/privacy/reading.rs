//! Who has read what is known of a person.

use domain::actor::{Actor, Permission, Who};
use domain::identity::Part;
use domain::value::id::{Customer, Event as EventKind, Person};
use domain::value::{Id, Instant};
use serde_json::Value;
use store::event::{self as journal, Entry};
use store::privacy::retention::contacts_of;
use store::{StoreError, Tx};

use crate::identity::reading::READ;
use crate::{Failure, customer, detail};

/// The most contacts of one person.
const CONTACTS_MAX: i64 = 10_000;
/// The most profiles of one person.
const PROFILES_MAX: i64 = 500;
/// What the journal calls the reading of a contact.
const CONTACT_READ: &str = "contact.read";

/// Who read something, and when.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The event that tells of it.
    pub id: Id<EventKind>,
    /// What was read.
    pub part: Part,
    /// Which contact, if it was one.
    pub contact: Option<String>,
    /// Who: kind and id.
    pub actor: String,
    /// When.
    pub at: Instant,
}

/// Who read what is known of a customer, the newest first, before an event.
///
/// # Errors
/// [`Code::NotFound`](domain::Code::NotFound) when there is no such customer.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<Customer>,
    page: (Id<EventKind>, i64),
) -> Result<Vec<Reading>, Failure> {
    if actor.who != Who::Customer(id) {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    customer::load(tx, id)?;
    let id = store::customer::merged_into(tx, id)?.unwrap_or(id);
    let whole = detail::whole(tx, id)?;
    let mut persons = Vec::new();
    for one in &whole {
        persons.push(customer::load(tx, Id::from_bytes(*one))?.person);
    }
    of_person(tx, (&whole, &persons, Vec::new()), page)
}

/// Who read what is known of customers who are one, of their persons' contacts, and of others by what the journal calls them, the newest
/// first, before an event.
///
/// # Errors
/// What the store says.
pub(crate) fn of_person(
    tx: &mut Tx<'_>,
    (customers, persons, others): (&[[u8; 16]], &[Id<Person>], Vec<String>),
    page: (Id<EventKind>, i64),
) -> Result<Vec<Reading>, Failure> {
    let mut subjects = others;
    subjects.extend(customers.iter().map(|id| Id::<Customer>::from_bytes(*id).to_string()));
    let profiles = store::identity::of_customers(tx, customers, PROFILES_MAX)?;
    subjects.extend(profiles.iter().map(ToString::to_string));
    for person in persons {
        subjects.extend(contacts_of(tx, *person, CONTACTS_MAX)?.iter().map(ToString::to_string));
    }
    let kinds = [CONTACT_READ, READ].map(str::to_owned);
    journal::newest_of(tx, &subjects, &kinds, page)?.into_iter().map(of_entry).collect()
}

fn of_entry(one: Entry) -> Result<Reading, Failure> {
    let (id, actor, at) = (one.id, one.actor, one.at);
    if one.kind == CONTACT_READ {
        return Ok(Reading { id, part: Part::Contact, contact: Some(one.subject), actor, at });
    }
    let body: Option<Value> = serde_json::from_str(&one.body).ok();
    let part = body.and_then(|body| Part::named(body["what"].as_str()?));
    let lost = || StoreError::Corrupt(format!("event {id} does not say what was read"));
    Ok(Reading { id, part: part.ok_or_else(lost)?, contact: None, actor, at })
}
