//! A customer who gets another address: the one by which he signed in until now is written to, so that nobody loses an account without a word.

use domain::actor::Actor;
use domain::message::Template;
use domain::value::Id;
use domain::value::id::{Contact, Customer as CustomerKind};
use serde_json::json;
use store::Tx;

use crate::consent::subscriber;
use crate::customer::{self, Change, Customer};
use crate::message::{self, NewMessage};
use crate::{Failure, World, contact};

/// As [`customer::update`]; where the e-mail address that was in the contact does not open the account any more, it is written to.
///
/// # Errors
/// As [`customer::update`].
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    change: Change,
) -> Result<Customer, Failure> {
    if change.card.is_none() {
        return customer::update(tx, actor, world, id, change);
    }
    let id = customer::stay(tx, id)?.id;
    let before = address_of(tx, world, id)?;
    let customer = customer::update(tx, actor, world, id, change)?;
    if let Some((contact, hash)) = before
        && store::customer::by_email(tx, &hash)? != Some(id)
    {
        tell(tx, actor, world, (id, contact))?;
    }
    Ok(customer)
}

/// A contact, and the hash its e-mail address is found by.
type Address = (Id<Contact>, [u8; 32]);

/// The contact a customer has, and the hash of the address in it. It is shown to nobody, so no reading of it is noted.
fn address_of(tx: &mut Tx<'_>, world: &World, id: Id<CustomerKind>) -> Result<Option<Address>, Failure> {
    let contact = customer::load(tx, id)?.contact;
    let sealed = store::contact::find(tx, contact)?;
    let card = sealed.and_then(|sealed| contact::unsealed(world.keyring(), contact, &sealed));
    Ok(card.and_then(|card| contact::email_hash(world.keyring(), &card)).map(|hash| (contact, hash)))
}

fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customer, contact): (Id<CustomerKind>, Id<Contact>),
) -> Result<(), Failure> {
    let to = subscriber::of_customer(tx, actor, world, customer)?.id;
    let (template, parameters, contact) = (Template::AddressChanged, json!({}), Some(contact));
    let (cell, link, due_at, language) = (None, None, None, None);
    let letter = NewMessage { to, contact, template, parameters, cell, link, due_at, language };
    message::write(tx, actor, world, letter).map(drop)
}
