//! Whose a cart is, and where it goes.

use domain::actor::{Actor, Permission, Who};
use domain::contact::Card;
use domain::delivery::{Kind, PREFIX_CHARS_MAX};
use domain::value::id::{Address, Company, Contact, Customer, DeliveryMethod, Location};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use store::Tx;

use super::{Cart, Destination};
use crate::contact::{self, NewContact};
use crate::{Failure, World, address, company, customer, delivery, external};

/// Whose a cart is and where it goes; what is `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// The customer it belongs to.
    pub customer: Option<Reference<Customer>>,
    /// The company in whose name it is bought; `Some(None)` when in nobody's.
    pub company: Option<Option<Reference<Company>>>,
    /// Who receives the goods, and where.
    pub contact: Option<Card>,
    /// Who is billed.
    pub billing_contact: Option<Card>,
    /// The address it goes to, of the customer or the company, in place of a contact.
    pub address: Option<Id<Address>>,
    /// The address that is billed, of the customer or the company, in place of a contact.
    pub billing_address: Option<Id<Address>>,
    /// How it is to be delivered; `Some(None)` takes the choice away.
    pub delivery: Option<Option<Choice>>,
    /// What the colleagues who prepare it should know; `Some(None)` takes it away.
    pub note: Option<Option<String>>,
}

/// How a cart is to be delivered.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The method.
    pub method: Reference<DeliveryMethod>,
    /// Where it is collected, for a method by which it is.
    pub location: Option<Reference<Location>>,
}

/// Writes whose a cart is and where it goes into it.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &mut Cart,
    details: Details,
) -> Result<(), Failure> {
    let changes_hands = details.customer.is_some() || details.company.is_some();
    if let Some(customer) = details.customer {
        may_name(actor)?;
        attach(tx, actor, cart, &customer)?;
    }
    if let Some(company) = details.company {
        let company = company.map(|company| external::resolve_at(tx, "company", &company)).transpose()?;
        buy_for(tx, cart, company)?;
    }
    if let Some(card) = details.contact {
        cart.destination = destination(&card);
        cart.contact = Some(keep(tx, actor, world, cart, card)?);
    }
    if let Some(card) = details.billing_contact {
        cart.billing_contact = Some(keep(tx, actor, world, cart, card)?);
    }
    if let Some(id) = details.address {
        let contact = chosen(tx, cart, ("address", id))?;
        go_to(tx, actor, world, cart, contact)?;
    }
    if let Some(id) = details.billing_address {
        cart.billing_contact = Some(chosen(tx, cart, ("billing_address", id))?);
    }
    if changes_hands {
        supply(tx, actor, world, cart)?;
    }
    match details.delivery {
        Some(Some(choice)) => choose(tx, cart, &choice)?,
        Some(None) => (cart.method, cart.pickup_location) = (None, None),
        None => {}
    }
    if let Some(note) = details.note {
        cart.note = note;
    }
    Ok(())
}

/// Chooses how a cart is delivered. Whether the method serves the goods shows when the cart is priced.
pub(crate) fn choose(tx: &mut Tx<'_>, cart: &mut Cart, choice: &Choice) -> Result<(), Failure> {
    let (method_at, location_at) = ("delivery.method", "delivery.location");
    let id = external::resolve_at(tx, method_at, &choice.method)?;
    let method = store::delivery::find(tx, id)?
        .ok_or_else(|| Refusal::invalid(method_at, format!("no delivery method \"{id}\"")))?;
    if method.kind == Kind::Ship && cart.destination.is_none() {
        let message = format!("\"{}\" needs an address: give the contact with its country", method.code);
        return Err(Refusal::new(Code::NotDeliverable, message).at("contact").into());
    }
    let location =
        choice.location.as_ref().map(|place| external::resolve_at(tx, location_at, place)).transpose()?;
    match (method.kind, location) {
        (Kind::Pickup, None) => {
            let message = format!("\"{}\" is collected: name the location", method.code);
            return Err(Refusal::invalid(location_at, message).into());
        }
        (Kind::Pickup, Some(place)) => {
            if !delivery::pickup_locations(tx, &method)?.iter().any(|known| known.id == place) {
                let message = format!("\"{}\" cannot be collected at {place}; choose another", method.code);
                return Err(Refusal::new(Code::NotDeliverable, message).at(location_at).into());
            }
        }
        (_, Some(_)) => {
            let message = format!("leave it out: \"{}\" is not collected", method.code);
            return Err(Refusal::invalid(location_at, message).into());
        }
        (_, None) => {}
    }
    (cart.method, cart.pickup_location) = (Some(id), location);
    Ok(())
}

/// Whose a cart is, its customer says, or who may see customers. A storefront key is everybody's: whoever named a customer by it could read where
/// the customer lives.
fn may_name(actor: &Actor) -> Result<(), Refusal> {
    let sees = [Permission::ReadContacts, Permission::EditCustomers];
    let is_trusted = sees.iter().any(|one| actor.may_somewhere(*one).is_ok());
    if matches!(actor.who, Who::Key(_) | Who::Guest) && !is_trusted {
        let why = "whose a cart is, is said by the customer, signed in, or by a key with contacts:read or customers:write";
        return Err(Refusal::new(Code::Forbidden, why).at("customer"));
    }
    Ok(())
}

/// Makes a cart a customer's.
fn attach(
    tx: &mut Tx<'_>,
    actor: &Actor,
    cart: &mut Cart,
    customer: &Reference<Customer>,
) -> Result<(), Failure> {
    let id = external::resolve_at(tx, "customer", customer)?;
    if matches!(actor.who, Who::Customer(me) if me != id) {
        return Err(Refusal::invalid("customer", format!("no customer \"{id}\"")).into());
    }
    let customer = match customer::stay(tx, id) {
        Err(Failure::Refused(_)) => {
            return Err(Refusal::invalid("customer", format!("no customer \"{id}\"")).into());
        }
        found => found?,
    };
    if customer.erased_at.is_some() {
        return Err(Refusal::invalid("customer", format!("customer {id} was erased")).into());
    }
    if cart.customer != Some(customer.id) {
        buy_for(tx, cart, None)?;
    }
    cart.customer = Some(customer.id);
    cart.person = cart.person.or(Some(customer.person));
    Ok(())
}

/// Says in which company's name a cart is bought. The contacts of the company it was bought for go with it; where goods would go to the customer
/// because nothing else was said, they go where the company's go.
fn buy_for(tx: &mut Tx<'_>, cart: &mut Cart, company: Option<Id<Company>>) -> Result<(), Failure> {
    if let Some(was) = cart.company.filter(|was| company != Some(*was)) {
        let person = store::company::find(tx, was)?.map(|company| company.person);
        let mut is_its = |contact: Option<Id<Contact>>| match contact {
            Some(contact) => Ok::<_, Failure>(Some(contact::person_of(tx, contact)?) == person),
            None => Ok(false),
        };
        let (goods, invoice) = (is_its(cart.contact)?, is_its(cart.billing_contact)?);
        if goods {
            (cart.contact, cart.destination) = (None, None);
        }
        if invoice {
            cart.billing_contact = None;
        }
    }
    cart.company = company;
    let Some(company) = company else { return Ok(()) };
    company::member::buyer(tx, company, cart.customer)?;
    if let (Some(customer), Some(_)) = (cart.customer, address::usual_of_company(tx, company)?.delivery) {
        let own = customer::load(tx, customer)?.contact;
        let usual = address::usual_of_customer(tx, customer)?.delivery;
        if cart.contact == Some(own) || (usual.is_some() && cart.contact == usual) {
            cart.contact = None;
        }
    }
    Ok(())
}

/// The contact that an address is now.
fn chosen(
    tx: &mut Tx<'_>,
    cart: &Cart,
    (field, id): (&'static str, Id<Address>),
) -> Result<Id<Contact>, Failure> {
    match address::contact_of(tx, (cart.customer, cart.company), id) {
        Err(Failure::Refused(_)) => {
            let why =
                "give the id of one of the addresses of the customer, or of the company it is bought for";
            Err(Refusal::invalid(field, why).into())
        }
        found => found,
    }
}

/// Where nothing was said, goods and invoices go where the company's go, else where the customer's go; goods at last to the customer's own contact.
fn supply(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, cart: &mut Cart) -> Result<(), Failure> {
    if cart.contact.is_some() && cart.billing_contact.is_some() {
        return Ok(());
    }
    let Some(customer) = cart.customer else { return Ok(()) };
    let known = customer::load(tx, customer)?;
    let own = address::usual_of_customer(tx, customer)?;
    let (company, invoiced) = match cart.company {
        Some(id) => {
            let company = store::company::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
            (address::usual_of_company(tx, id)?, Some(company.contact))
        }
        None => (address::Usual::default(), None),
    };
    if cart.contact.is_none() {
        let contact = company.delivery.or(own.delivery).unwrap_or(known.contact);
        go_to(tx, actor, world, cart, contact)?;
    }
    cart.billing_contact = cart.billing_contact.or(company.billing).or(invoiced).or(own.billing);
    Ok(())
}

fn go_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    cart: &mut Cart,
    contact: Id<Contact>,
) -> Result<(), Failure> {
    let card = contact::open(tx, actor, world, contact)?;
    cart.destination = destination(&card);
    cart.contact = Some(contact);
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
pub(crate) fn destination(card: &Card) -> Option<Destination> {
    let code = card.text().postal_code.as_deref().unwrap_or_default().to_uppercase();
    let area: String =
        code.chars().filter(|letter| letter.is_alphanumeric()).take(PREFIX_CHARS_MAX).collect();
    Some(Destination {
        country: card.country()?,
        region: card.text().region.as_deref().map(str::to_uppercase),
        postal_area: Some(area).filter(|area| !area.is_empty()),
    })
}
