//! Whose a cart is, and where it goes.

use domain::Refusal;
use domain::actor::{Actor, Who};
use domain::contact::Card;
use domain::value::id::{Contact, Customer};
use domain::value::{Id, Reference};
use store::Tx;

use super::{Cart, Destination};
use crate::contact::{self, NewContact};
use crate::{Failure, World, customer, external};

/// The most letters and digits of a postal code that are kept outside the contact.
const POSTAL_AREA_CHARS_MAX: usize = 5;

/// Whose a cart is and where it goes; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// The customer it belongs to.
    pub customer: Option<Reference<Customer>>,
    /// Who receives the goods, and where.
    pub contact: Option<Card>,
    /// Who is billed.
    pub billing_contact: Option<Card>,
    /// What the colleagues who prepare it should know; empty to take it away.
    pub note: Option<String>,
}

/// Writes whose a cart is and where it goes into it.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &mut Cart,
    details: Details,
) -> Result<(), Failure> {
    if let Some(customer) = details.customer {
        attach(tx, actor, world, cart, &customer)?;
    }
    if let Some(card) = details.contact {
        cart.destination = destination(&card);
        cart.contact = Some(keep(tx, actor, world, cart, card)?);
    }
    if let Some(card) = details.billing_contact {
        cart.billing_contact = Some(keep(tx, actor, world, cart, card)?);
    }
    if let Some(note) = details.note {
        cart.note = Some(note).filter(|note| !note.is_empty());
    }
    Ok(())
}

/// Makes a cart a customer's. Where no contact was given yet, the customer's own is taken.
fn attach(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &mut Cart,
    customer: &Reference<Customer>,
) -> Result<(), Failure> {
    let id = external::resolve_at(tx, "customer", customer)?;
    if matches!(actor.who, Who::Customer(me) if me != id) {
        return Err(Refusal::invalid("customer", format!("no customer \"{id}\"")).into());
    }
    let customer =
        customer::load(tx, id).map_err(|_| Refusal::invalid("customer", format!("no customer \"{id}\"")))?;
    if customer.erased_at.is_some() {
        return Err(Refusal::invalid("customer", format!("customer {id} was erased")).into());
    }
    if cart.contact.is_none() {
        let card = contact::open(tx, actor, world, customer.contact)?;
        cart.destination = destination(&card);
        cart.contact = Some(customer.contact);
    }
    cart.customer = Some(id);
    cart.person = cart.person.or(Some(customer.person));
    Ok(())
}

/// Keeps a contact under the cart's person; the first one makes the person known.
fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &mut Cart,
    card: Card,
) -> Result<Id<Contact>, Failure> {
    let id = contact::save(tx, actor, world, NewContact { person: cart.person, card })?;
    if cart.person.is_none() {
        cart.person = Some(contact::person_of(tx, id)?);
    }
    Ok(id)
}

/// What taxes and delivery charges depend on, of an address.
fn destination(card: &Card) -> Option<Destination> {
    let code = card.text().postal_code.as_deref().unwrap_or_default().to_uppercase();
    let area: String =
        code.chars().filter(|letter| letter.is_alphanumeric()).take(POSTAL_AREA_CHARS_MAX).collect();
    Some(Destination {
        country: card.country()?,
        region: card.text().region.as_deref().map(str::to_uppercase),
        postal_area: Some(area).filter(|area| !area.is_empty()),
    })
}
