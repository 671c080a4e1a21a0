//! The customer file: people who buy, one per e-mail address, with the groups the retailer put them into.

pub mod matching;
pub mod record;

use domain::actor::{Actor, Permission, Who};
use domain::contact::Card;
use domain::value::Id;
use domain::value::id::Customer as CustomerKind;
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, customer as rows};

pub use store::customer::Customer;

use crate::contact::{self, NewContact, Sought};
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, external};

/// The most customers found by one phone number.
const FOUND_MAX: i64 = 50;
/// How many merges are followed that were made while one command ran.
const MERGED_MEANWHILE_MAX: usize = 4;

/// A customer to be made.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// What other systems know the customer by.
    pub external_id: Option<String>,
    /// Name, address, mail and phone.
    pub card: Card,
    /// Groups, checked by [`domain::customer::groups`].
    pub groups: Vec<String>,
}

/// A change of a customer: what is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    /// The whole new contact; the old one is kept for the orders that refer to it.
    pub card: Option<Card>,
    /// All groups from now on.
    pub groups: Option<Vec<String>>,
    /// The version that was read.
    pub if_match: Option<i64>,
    /// The address whose mail a customer who changes his own e-mail showed to read.
    pub shown: Option<Shown>,
}

/// An e-mail address whose mail somebody showed to read. Made only of a code that was mailed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown([u8; 32]);

impl Shown {
    /// Of the hash of the address.
    pub(crate) fn of(hash: [u8; 32]) -> Shown {
        Shown(hash)
    }
}

/// Makes a customer.
///
/// # Errors
/// [`Code::AlreadyExists`] at `email` or `external_id` when another customer has it.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewCustomer,
) -> Result<Customer, Failure> {
    let customer = make(tx, actor, world, new)?;
    matching::look_later(tx, world, customer.id)?;
    Ok(customer)
}

/// As [`create`], of somebody who comes by himself: nobody checked what he says.
///
/// # Errors
/// As [`create`].
pub(crate) fn come(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewCustomer,
) -> Result<Customer, Failure> {
    let customer = create(tx, &actor.trusted(), world, new)?;
    rows::matching::put_own_word(tx, customer.id, true)?;
    Ok(customer)
}

/// As [`create`], for who looks at once whom the customer may be the same person as.
///
/// # Errors
/// As [`create`].
pub(crate) fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewCustomer,
) -> Result<Customer, Failure> {
    actor.may_somewhere(Permission::EditCustomers)?;
    let id: Id<CustomerKind> = world.id();
    add_lookups(tx, world, id, &new.card)?;
    external::give(tx, id, new.external_id.as_deref())?;
    matching::keep_keys(tx, (actor, world), id, &new.card)?;
    let contact = contact::save(tx, actor, world, NewContact { person: None, card: new.card })?;
    let customer = Customer {
        id,
        person: contact::person_of(tx, contact)?,
        contact,
        external_id: new.external_id,
        groups: new.groups,
        made_at: world.now(),
        changed_at: world.now(),
        erased_at: None,
        merged_into: None,
        version: 1,
    };
    rows::add(tx, &customer)?;
    emit(
        tx,
        actor,
        world,
        id,
        "customer.created",
        json!({ "contact": contact.to_string(), "groups": customer.groups }),
    );
    Ok(customer)
}

/// The customer with this id; a customer sees only itself.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CustomerKind>) -> Result<Customer, Failure> {
    if actor.who != Who::Customer(id) {
        actor.may_somewhere(Permission::ReadContacts)?;
    }
    load(tx, id)
}

/// The customer with this id, for a caller that has asked for the permission.
///
/// # Errors
/// [`Code::NotFound`].
pub fn load(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Customer, Failure> {
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("customer", id))?)
}

/// The customer with this id, or whoever he was merged into; until the commit he is neither merged nor erased, so what is written for him
/// stays where it belongs. Without the groups. Carts and orders are locked before, members and books after.
///
/// # Errors
/// [`Code::NotFound`].
pub fn stay(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Customer, Failure> {
    let mut id = id;
    for _ in 0..MERGED_MEANWHILE_MAX {
        let found = rows::stay(tx, id)?.ok_or_else(|| Refusal::not_found("customer", id))?;
        match found.merged_into {
            None => return Ok(found),
            Some(into) => id = into,
        }
    }
    Err(tx.begin_anew().into())
}

/// The customers after one, in the order they were made; those who were merged into another are that one.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<CustomerKind>,
    limit: i64,
) -> Result<Vec<Customer>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The customers known by an e-mail address (one at most) or phone number.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    sought: &Sought,
) -> Result<Vec<Customer>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let hash = sought.hash(world.keyring());
    let ids = match sought {
        Sought::Email(_) => rows::by_email(tx, &hash)?.into_iter().collect(),
        Sought::Phone(_) => rows::by_phone(tx, &hash, FOUND_MAX)?,
    };
    ids.into_iter().map(|id| load(tx, id)).collect()
}

/// The current contact of a customer, with a line in the audit trail; a customer reads its own.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer or the person was erased.
pub fn read_contact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Card, Failure> {
    let customer = read(tx, actor, id)?;
    contact::open(tx, actor, world, customer.contact)
}

/// Changes a customer: a new contact becomes the current one, groups are replaced. A customer who gives himself an e-mail address that is not
/// his yet shows that he reads its mail: whoever signs in by it is let in as this customer.
///
/// # Errors
/// [`Code::Stale`] when it was changed since it was read, [`Code::Invalid`] at `email_code` when that was not shown,
/// [`Code::AlreadyExists`] when the new e-mail is another customer's, [`Code::WrongState`] when the person was erased.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    change: Change,
) -> Result<Customer, Failure> {
    if actor.who != Who::Customer(id) || change.groups.is_some() {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    let id = stay(tx, id)?.id;
    let mut customer = load(tx, id)?;
    let was = customer.version;
    unchanged(id, was, change.if_match)?;
    if customer.erased_at.is_some() {
        return Err(Refusal::new(
            Code::WrongState,
            format!("customer {id} was erased and cannot be changed"),
        )
        .into());
    }
    if let Some(card) = change.card {
        must_be_shown(tx, actor, world, id, (&card, change.shown))?;
        rows::forget_lookups(tx, id)?;
        add_lookups(tx, world, id, &card)?;
        matching::keep_keys(tx, (actor, world), id, &card)?;
        matching::look_later(tx, world, id)?;
        customer.contact =
            contact::save(tx, actor, world, NewContact { person: Some(customer.person), card })?;
    }
    customer.groups = change.groups.unwrap_or(customer.groups);
    customer.changed_at = world.now();
    customer.version = was + 1;
    if !rows::change(tx, &customer, was)? {
        return Err(stale(id).into());
    }
    let body = json!({ "contact": customer.contact.to_string(), "groups": customer.groups });
    emit(tx, actor, world, id, "customer.changed", body);
    Ok(customer)
}

/// As [`update`], for a file that says `said`: what the customer wrote of himself stays his own word until all of the contact is what the file says.
///
/// # Errors
/// As [`update`].
pub(crate) fn fill(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    (said, change): (&Card, Change),
) -> Result<Customer, Failure> {
    let id = stay(tx, id)?.id;
    let is_whole = change.card.as_ref().is_none_or(|card| card == said);
    let was_own = !rows::matching::own_words(tx, &[id])?.is_empty();
    let customer = update(tx, actor, world, id, change)?;
    if was_own && !is_whole {
        rows::matching::put_own_word(tx, id, true)?;
    }
    Ok(customer)
}

/// Erases a customer: the person's key is destroyed and nothing finds the customer by mail, phone or external id any more. The
/// customer's id stays in orders and books, which still balance. Erasing twice is the same as once. The whole of it is
/// [`erasure::erase`](crate::erasure::erase).
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer.
pub(crate) fn erase(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Customer, Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let mut customer = load(tx, id)?;
    if customer.erased_at.is_some() {
        return Ok(customer);
    }
    contact::erase(tx, actor, world, customer.person)?;
    rows::forget_lookups(tx, id)?;
    rows::matching::forget_keys(tx, id)?;
    rows::matching::put_own_word(tx, id, false)?;
    record::forget(tx, id)?;
    if let Some(text) = customer.external_id.take() {
        store::external::remove::<CustomerKind>(tx, &text)?;
    }
    let was = customer.version;
    customer.groups.clear();
    customer.changed_at = world.now();
    customer.erased_at = Some(world.now());
    customer.version = was + 1;
    if !rows::change(tx, &customer, was)? {
        return Err(stale(id).into());
    }
    emit(tx, actor, world, id, "customer.erased", json!({ "person": customer.person.to_string() }));
    Ok(customer)
}

/// Insists that whoever may not change others takes no address but one that leads to him already or whose mail he showed to read.
fn must_be_shown(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    id: Id<CustomerKind>,
    (card, shown): (&Card, Option<Shown>),
) -> Result<(), Failure> {
    let Some(hash) = contact::email_hash(world.keyring(), card) else { return Ok(()) };
    if shown == Some(Shown(hash))
        || actor.may_somewhere(Permission::EditCustomers).is_ok()
        || rows::by_email(tx, &hash)? == Some(id)
    {
        return Ok(());
    }
    let why = "the e-mail address is new: have a code mailed to it, as to sign in, and give that code here";
    Err(Refusal::invalid("email_code", why).into())
}

fn add_lookups(tx: &mut Tx<'_>, world: &World, id: Id<CustomerKind>, card: &Card) -> Result<(), Failure> {
    if let Some(hash) = contact::email_hash(world.keyring(), card)
        && !rows::claim_email(tx, &hash, id)?
    {
        let message = "another customer has this e-mail address; find that customer instead";
        return Err(Refusal::new(Code::AlreadyExists, message).at("email").into());
    }
    if let Some(hash) = contact::phone_hash(world.keyring(), card) {
        rows::add_phone(tx, &hash, id)?;
    }
    Ok(())
}
