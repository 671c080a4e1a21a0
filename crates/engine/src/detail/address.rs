//! The addresses of a customer: each a contact under a name of its own, one of them where goods go when nothing is said, one where invoices go.

use domain::actor::{Actor, Permission};
use domain::contact::Card;
use domain::detail::{ADDRESSES_MAX, can_be_sent_to};
use domain::value::id::{Address as AddressKind, Customer as CustomerKind};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, detail as rows};

use super::{admitted, held, opened, whole};
use crate::contact::{self, NewContact};
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, customer};

/// An address as it shall be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the customer calls it, checked by [`domain::detail::label`].
    pub label: Option<String>,
    /// Name and address.
    pub card: Card,
    /// Do goods go there when nothing is said?
    pub for_delivery: bool,
    /// Do invoices go there when nothing is said?
    pub for_billing: bool,
}

/// An address without what names anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As it lies in the books.
    pub row: rows::Address,
    /// Do goods go there when nothing is said?
    pub for_delivery: bool,
    /// Do invoices go there when nothing is said?
    pub for_billing: bool,
}

/// An address with what is written on it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The address.
    pub address: Address,
    /// What the customer calls it.
    pub label: Option<String>,
    /// Name and address.
    pub card: Card,
}

/// The addresses of a customer, the oldest first, with a line in the audit trail for each; a customer reads its own.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Vec<Shown>, Failure> {
    let known = admitted(tx, actor, id, Permission::ReadContacts)?;
    let mut shown = Vec::new();
    for address in all(tx, known.id)? {
        let row = &address.row;
        let sealed = row.label.as_deref();
        let label = sealed.map(|sealed| opened(tx, world, row.customer, (sealed, &row.id.bytes())));
        let label = label.transpose()?.flatten();
        let card = contact::open(tx, actor, world, row.contact)?;
        shown.push(Shown { address, label, card });
    }
    Ok(shown)
}

/// Adds an address.
///
/// # Errors
/// [`Code::Invalid`] when nothing could be sent there; [`Code::WrongState`] when there are too many, or the customer was erased.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    wanted: Wanted,
) -> Result<Address, Failure> {
    can_be_sent_to(&wanted.card)?;
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    if all(tx, known.id)?.len() as i64 >= ADDRESSES_MAX {
        let why = format!("customer {} has {ADDRESSES_MAX} addresses; remove one of them", known.id);
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let (address, now) = (world.id::<AddressKind>(), world.now());
    let row = rows::Address {
        customer: known.id,
        id: address,
        contact: contact::save(
            tx,
            actor,
            world,
            NewContact { person: Some(known.person), card: wanted.card },
        )?,
        label: sealed(tx, world, known.person, (wanted.label.as_deref(), address))?,
        delivery_since: wanted.for_delivery.then_some(now),
        billing_since: wanted.for_billing.then_some(now),
        made_at: now,
        changed_at: now,
        version: 1,
    };
    rows::add_address(tx, &row)?;
    tell(tx, actor, world, known.id, (&row, "customer.address_added"));
    one(tx, known.id, address)
}

/// Writes an address anew; its contact is kept for the orders that refer to it.
///
/// # Errors
/// As [`add`]; [`Code::NotFound`]; [`Code::Stale`] when it was changed since it was read.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, address): (Id<CustomerKind>, Id<AddressKind>),
    (wanted, if_match): (Wanted, i64),
) -> Result<Address, Failure> {
    can_be_sent_to(&wanted.card)?;
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    let Address { mut row, for_delivery, for_billing } = one(tx, known.id, address)?;
    unchanged(address, row.version, Some(if_match))?;
    let (was, now) = (row.version, world.now());
    let person = customer::load(tx, row.customer)?.person;
    row.contact = contact::save(tx, actor, world, NewContact { person: Some(person), card: wanted.card })?;
    row.label = sealed(tx, world, person, (wanted.label.as_deref(), address))?;
    row.delivery_since = since(row.delivery_since, (for_delivery, wanted.for_delivery), now);
    row.billing_since = since(row.billing_since, (for_billing, wanted.for_billing), now);
    row.changed_at = now;
    row.version = was + 1;
    if !rows::change_address(tx, &row, was)? {
        return Err(stale(address).into());
    }
    tell(tx, actor, world, known.id, (&row, "customer.address_changed"));
    one(tx, known.id, address)
}

/// Takes an address away.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, address): (Id<CustomerKind>, Id<AddressKind>),
) -> Result<(), Failure> {
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    let row = one(tx, known.id, address)?.row;
    if !rows::remove_address(tx, row.customer, address)? {
        return Err(Refusal::not_found("address", address).into());
    }
    tell(tx, actor, world, known.id, (&row, "customer.address_removed"));
    Ok(())
}

/// All addresses of the customers who are one. Of those that were each made the one for something, the last one is.
fn all(tx: &mut Tx<'_>, id: Id<CustomerKind>) -> Result<Vec<Address>, Failure> {
    let whole = whole(tx, id)?;
    let rows = rows::addresses(tx, &whole, ADDRESSES_MAX * whole.len() as i64)?;
    let last = |since: fn(&rows::Address) -> Option<Instant>| {
        let chosen = rows.iter().filter_map(|row| Some((since(row)?, row.id)));
        chosen.max().map(|(_, id)| id)
    };
    let (delivery, billing) = (last(|row| row.delivery_since), last(|row| row.billing_since));
    let shaped = rows.into_iter().map(|row| Address {
        for_delivery: delivery == Some(row.id),
        for_billing: billing == Some(row.id),
        row,
    });
    Ok(shaped.collect())
}

fn one(tx: &mut Tx<'_>, of: Id<CustomerKind>, id: Id<AddressKind>) -> Result<Address, Failure> {
    let found = all(tx, of)?.into_iter().find(|one| one.row.id == id);
    found.ok_or_else(|| Refusal::not_found("address", id).into())
}

/// Since when it is the one for something: what it is already it stays.
fn since(since: Option<Instant>, (is, shall): (bool, bool), now: Instant) -> Option<Instant> {
    if is && shall { since } else { shall.then_some(now) }
}

fn sealed(
    tx: &mut Tx<'_>,
    world: &mut World,
    person: Id<domain::value::id::Person>,
    (label, id): (Option<&str>, Id<AddressKind>),
) -> Result<Option<Vec<u8>>, Failure> {
    label.map(|label| contact::seal(tx, world, person, label.as_bytes(), &id.bytes())).transpose()
}

fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    (row, kind): (&rows::Address, &'static str),
) {
    let body = json!({ "address": row.id.to_string(), "contact": row.contact.to_string() });
    emit(tx, actor, world, id, kind, body);
}
