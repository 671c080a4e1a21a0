//! Subscribers: whom consents and messages are of. A customer is one under its own number; whoever only left an address is found by the
//! address's keyed hash.

use domain::actor::{Actor, Permission};
use domain::contact::{Card, Draft};
use domain::value::id::{Contact, Customer, Person, Subscriber as SubscriberKind};
use domain::value::{Email, Id, Instant, Language};
use domain::{Code, Refusal};
use serde_json::json;
use store::consent::subscriber as rows;
use store::{Tx, customer as customers};

pub use store::consent::subscriber::Subscriber;

use crate::contact::{self, NewContact, Sought};
use crate::event::emit;
use crate::{Failure, World, customer};

/// The most others who share an address with somebody and are told of a no.
const TWINS_MAX: i64 = 20;

/// The subscriber a customer is, made when there is none yet. The person is not erased before the commit.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer, [`Code::WrongState`] when the person was erased.
pub fn of_customer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
) -> Result<Subscriber, Failure> {
    let customer = customer::load(tx, id)?;
    contact::must_live(tx, customer.person)?;
    if let Some(known) = rows::find(tx, id.shared_with())? {
        return Ok(known);
    }
    let made = Subscriber {
        id: id.shared_with(),
        customer: Some(id),
        person: customer.person,
        contact: None,
        language: first_language(tx)?,
        paused_until: None,
        made_at: world.now(),
        erased_at: None,
    };
    rows::add(tx, &made)?;
    emit(tx, actor, world, id, "subscriber.made", json!({ "language": made.language.to_string() }));
    Ok(made)
}

/// The subscriber with an e-mail address: the customer who has it, or somebody known by it only, made when there is nobody yet. And the contact
/// with this very address: the customer may be written to elsewhere himself, and have it of somebody who was merged into him.
///
/// # Errors
/// What the store says.
pub fn of_email(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    email: &Email,
    language: Option<Language>,
) -> Result<(Subscriber, Option<Id<Contact>>), Failure> {
    let hash = hash_of(world, email);
    if let Some((holder, contact)) = customers::holder(tx, &hash)? {
        let customer = customers::standing_for(tx, holder)?.unwrap_or(holder);
        return Ok((of_customer(tx, actor, world, customer)?, Some(contact)));
    }
    let id: Id<SubscriberKind> = world.id();
    if !rows::claim(tx, &hash, id)? {
        let known = rows::by_address(tx, &hash)?;
        let known = known.map(|known| rows::lock(tx, known)).transpose()?.flatten();
        let known = known.ok_or_else(|| tx.begin_anew())?;
        let contact = known.contact;
        return Ok((known, contact));
    }
    let language = language.map_or_else(|| first_language(tx), Ok)?;
    let draft = Draft { email: Some(email.as_str().to_owned()), ..Draft::default() };
    let contact = contact::save(tx, actor, world, NewContact { person: None, card: Card::new(&draft)? })?;
    let made = Subscriber {
        id,
        customer: None,
        person: contact::person_of(tx, contact)?,
        contact: Some(contact),
        language,
        paused_until: None,
        made_at: world.now(),
        erased_at: None,
    };
    rows::add(tx, &made)?;
    Ok((made, Some(contact)))
}

/// Who is known by an e-mail address: the customer and the subscriber, if there are such.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn by_email(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    email: &Email,
) -> Result<Vec<Subscriber>, Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    known_by(tx, &hash_of(world, email))
}

/// As [`by_email`], by the hash of the address and for a caller that has asked for the permission.
///
/// # Errors
/// What the store says.
pub fn known_by(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Vec<Subscriber>, Failure> {
    let customer = customers::by_email(tx, hash)?.map(Id::shared_with);
    let other = rows::by_address(tx, hash)?;
    let mut found = Vec::new();
    for id in customer.into_iter().chain(other) {
        found.extend(rows::find(tx, id)?);
    }
    Ok(found)
}

/// The hash an e-mail address is found by.
pub fn hash_of(world: &World, email: &Email) -> [u8; 32] {
    Sought::Email(email.lookup_form()).hash(world.keyring())
}

/// The others who have one of a subscriber's addresses: what one of them takes back is taken back for all.
///
/// # Errors
/// What the store says.
pub fn twins(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Subscriber,
) -> Result<Vec<Subscriber>, Failure> {
    let (others, customers) = rows::sharing_an_address(tx, one.person, TWINS_MAX)?;
    let mut twins = Vec::new();
    for id in others.into_iter().filter(|id| *id != one.id) {
        twins.extend(rows::find(tx, id)?.filter(|twin| twin.erased_at.is_none()));
    }
    for id in customers.into_iter().filter(|id| id.shared_with() != one.id) {
        twins.push(of_customer(tx, actor, world, id)?);
    }
    Ok(twins)
}

/// Who is known by an address only that is, or was, one of a person's, and that no customer but these has now: the same person, as far as anybody
/// can say.
///
/// # Errors
/// What the store says.
pub(crate) fn by_addresses_of(
    tx: &mut Tx<'_>,
    person: Id<Person>,
    customers: &[Id<Customer>],
) -> Result<Vec<Subscriber>, Failure> {
    let customers: Vec<[u8; 16]> = customers.iter().map(|id| id.bytes()).collect();
    Ok(rows::by_addresses_of(tx, person, &customers)?)
}

/// The subscriber of this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<SubscriberKind>) -> Result<Option<Subscriber>, Failure> {
    Ok(rows::find(tx, id)?)
}

/// The subscriber of this id, whom nobody else changes until the commit.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::WrongState`] when the person was erased.
pub fn lock(tx: &mut Tx<'_>, id: Id<SubscriberKind>) -> Result<Subscriber, Failure> {
    let found = rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("subscriber", id))?;
    if found.erased_at.is_some() {
        return Err(Refusal::new(Code::WrongState, format!("{id} was erased and is not written to")).into());
    }
    Ok(found)
}

/// Lets nothing that advertises go out before an instant; `None` ends the pause.
///
/// # Errors
/// As [`lock`].
pub fn pause(tx: &mut Tx<'_>, id: Id<SubscriberKind>, until: Option<Instant>) -> Result<(), Failure> {
    lock(tx, id)?;
    Ok(rows::pause(tx, id, until)?)
}

/// The contact with a subscriber's address; `None` when the customer is gone.
///
/// # Errors
/// What the store says.
pub fn contact_of(tx: &mut Tx<'_>, one: &Subscriber) -> Result<Option<Id<Contact>>, Failure> {
    match (one.contact, one.customer) {
        (Some(contact), _) => Ok(Some(contact)),
        (None, Some(customer)) => Ok(customers::find(tx, customer)?.map(|customer| customer.contact)),
        (None, None) => Ok(None),
    }
}

/// Forgets everybody who is this person: by what they are found, the links given to them, and the evidence of what they said.
///
/// # Errors
/// What the store says.
pub(crate) fn forget(
    tx: &mut Tx<'_>,
    world: &World,
    person: Id<Person>,
) -> Result<Vec<Id<SubscriberKind>>, Failure> {
    let all = rows::of_person(tx, person)?;
    for id in &all {
        rows::lock(tx, *id)?;
        rows::forget(tx, *id, world.now())?;
    }
    Ok(all)
}

/// What nobody chose yet is written in: the language of the retailer's first market.
fn first_language(tx: &mut Tx<'_>) -> Result<Language, Failure> {
    let first = store::market::list(tx, Id::from_bytes([0; 16]), 1)?.pop();
    let english = || Language::parse("en").unwrap_or_else(|_| unreachable!("English is a language"));
    Ok(first.map_or_else(english, |market| market.language))
}

/// What events about a subscriber are told of: the customer, or who is known by an address only.
pub fn subject(one: &Subscriber) -> String {
    one.customer.map_or_else(|| one.id.to_string(), |customer| customer.to_string())
}
