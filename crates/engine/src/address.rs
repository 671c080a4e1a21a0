//! The addresses of a customer or a company: each a contact under a name of its own, one of them where goods go when nothing is said, one where
//! invoices go.

use domain::actor::{Actor, Permission};
use domain::contact::Card;
use domain::detail::{ADDRESSES_MAX, can_be_sent_to};
use domain::value::id::{Address as AddressKind, Company, Contact, Customer, Person};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, address as rows};

use crate::contact::{self, NewContact};
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, company, customer, detail};

/// Whose addresses they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A customer's, with those of all who are one.
    Customer(Id<Customer>),
    /// A company's.
    Company(Id<Company>),
}

/// An address as it shall be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the holder calls it, checked by [`domain::detail::label`].
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
    /// What the holder calls it.
    pub label: Option<String>,
    /// Name and address.
    pub card: Card,
}

/// Where goods and invoices go when nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// Where goods go.
    pub delivery: Option<Id<Contact>>,
    /// Where invoices go.
    pub billing: Option<Id<Contact>>,
}

/// A holder as it is now, for who may see or change its addresses.
struct Book {
    holder: Holder,
    /// The customers who are one, or the company.
    all: Vec<[u8; 16]>,
    /// Whose key seals what is new.
    person: Id<Person>,
}

impl Book {
    fn tell(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        (row, of_customer, of_company): (&rows::Address, &'static str, &'static str),
    ) {
        let body = json!({ "address": row.id.to_string(), "contact": row.contact.to_string() });
        match self.holder {
            Holder::Customer(id) => emit(tx, actor, world, id, of_customer, body),
            Holder::Company(id) => emit(tx, actor, world, id, of_company, body),
        }
    }

    /// The holder a new address is told of.
    fn own(&self) -> [u8; 16] {
        match self.holder {
            Holder::Customer(id) => id.bytes(),
            Holder::Company(id) => id.bytes(),
        }
    }

    /// Whose key opens and seals what is written on an address.
    fn person_of(&self, tx: &mut Tx<'_>, row: &rows::Address) -> Result<Id<Person>, Failure> {
        if row.holder == self.own() {
            return Ok(self.person);
        }
        Ok(customer::load(tx, Id::from_bytes(row.holder))?.person)
    }

    /// All addresses. Of those that were each made the one for something, the last one is.
    fn addresses(&self, tx: &mut Tx<'_>) -> Result<Vec<Address>, Failure> {
        all(tx, &self.all)
    }

    fn one(&self, tx: &mut Tx<'_>, id: Id<AddressKind>) -> Result<Address, Failure> {
        let found = self.addresses(tx)?.into_iter().find(|one| one.row.id == id);
        found.ok_or_else(|| Refusal::not_found("address", id).into())
    }
}

fn admitted(tx: &mut Tx<'_>, actor: &Actor, holder: Holder) -> Result<Book, Failure> {
    match holder {
        Holder::Customer(id) => {
            let known = detail::admitted(tx, actor, id, Permission::ReadContacts)?;
            of_customer(tx, &known)
        }
        Holder::Company(id) => Ok(of_company(&company::seen(tx, actor, id)?)),
    }
}

fn held(tx: &mut Tx<'_>, actor: &Actor, holder: Holder) -> Result<Book, Failure> {
    match holder {
        Holder::Customer(id) => {
            let known = detail::held(tx, actor, id, Permission::EditCustomers)?;
            of_customer(tx, &known)
        }
        Holder::Company(id) => Ok(of_company(&company::held(tx, actor, id)?)),
    }
}

fn of_customer(tx: &mut Tx<'_>, known: &customer::Customer) -> Result<Book, Failure> {
    let all = detail::whole(tx, known.id)?;
    Ok(Book { holder: Holder::Customer(known.id), all, person: known.person })
}

fn of_company(known: &company::Company) -> Book {
    Book { holder: Holder::Company(known.id), all: vec![known.id.bytes()], person: known.person }
}

/// The addresses of a customer or a company, the oldest first, with a line in the audit trail for each; a customer reads its own, a member the
/// company's.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    holder: Holder,
) -> Result<Vec<Shown>, Failure> {
    let book = admitted(tx, actor, holder)?;
    let mut shown = Vec::new();
    for address in book.addresses(tx)? {
        let row = &address.row;
        let person = book.person_of(tx, row)?;
        let opened = |sealed| contact::unseal(tx, world, person, sealed, &row.id.bytes());
        let label = row.label.as_deref().map(opened).transpose()?.flatten();
        let label = label.and_then(|text| String::from_utf8(text).ok());
        let card = contact::open(tx, actor, world, row.contact)?;
        shown.push(Shown { address, label, card });
    }
    Ok(shown)
}

/// Adds an address; a company's own administrators add the company's.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::Invalid`] when nothing could be sent there; [`Code::WrongState`] when there are too many, or the
/// holder was erased.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    holder: Holder,
    wanted: Wanted,
) -> Result<Address, Failure> {
    can_be_sent_to(&wanted.card)?;
    let book = held(tx, actor, holder)?;
    if book.addresses(tx)?.len() as i64 >= ADDRESSES_MAX {
        let why = format!("there are {ADDRESSES_MAX} addresses, the most there may be; remove one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let (address, now) = (world.id::<AddressKind>(), world.now());
    let new = NewContact { person: Some(book.person), card: wanted.card };
    let row = rows::Address {
        holder: book.own(),
        id: address,
        contact: contact::save(tx, actor, world, new)?,
        label: sealed(tx, world, book.person, (wanted.label.as_deref(), address))?,
        delivery_since: wanted.for_delivery.then_some(now),
        billing_since: wanted.for_billing.then_some(now),
        made_at: now,
        changed_at: now,
        version: 1,
    };
    rows::add(tx, &row)?;
    book.tell(tx, actor, world, (&row, "customer.address_added", "company.address_added"));
    book.one(tx, address)
}

/// Writes an address anew; its contact is kept for the orders that refer to it.
///
/// # Errors
/// As [`add`]; [`Code::NotFound`]; [`Code::Stale`] when it was changed since it was read.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (holder, address): (Holder, Id<AddressKind>),
    (wanted, if_match): (Wanted, i64),
) -> Result<Address, Failure> {
    can_be_sent_to(&wanted.card)?;
    let book = held(tx, actor, holder)?;
    let Address { mut row, for_delivery, for_billing } = book.one(tx, address)?;
    unchanged(address, row.version, Some(if_match))?;
    let (was, now) = (row.version, world.now());
    let person = book.person_of(tx, &row)?;
    row.contact = contact::save(tx, actor, world, NewContact { person: Some(person), card: wanted.card })?;
    row.label = sealed(tx, world, person, (wanted.label.as_deref(), address))?;
    row.delivery_since = since(row.delivery_since, (for_delivery, wanted.for_delivery), now);
    row.billing_since = since(row.billing_since, (for_billing, wanted.for_billing), now);
    row.changed_at = now;
    row.version = was + 1;
    if !rows::change(tx, &row, was)? {
        return Err(stale(address).into());
    }
    book.tell(tx, actor, world, (&row, "customer.address_changed", "company.address_changed"));
    book.one(tx, address)
}

/// Takes an address away.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (holder, address): (Holder, Id<AddressKind>),
) -> Result<(), Failure> {
    let book = held(tx, actor, holder)?;
    let row = book.one(tx, address)?.row;
    if !rows::remove(tx, row.holder, address)? {
        return Err(Refusal::not_found("address", address).into());
    }
    book.tell(tx, actor, world, (&row, "customer.address_removed", "company.address_removed"));
    Ok(())
}

/// Where a customer's goods and invoices go when nothing is said.
///
/// # Errors
/// What the store says.
pub(crate) fn usual_of_customer(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<Usual, Failure> {
    let whole = detail::whole(tx, id)?;
    usual(tx, &whole)
}

/// Where a company's goods and invoices go when nothing is said.
///
/// # Errors
/// What the store says.
pub(crate) fn usual_of_company(tx: &mut Tx<'_>, id: Id<Company>) -> Result<Usual, Failure> {
    usual(tx, &[id.bytes()])
}

fn usual(tx: &mut Tx<'_>, holders: &[[u8; 16]]) -> Result<Usual, Failure> {
    let found = all(tx, holders)?;
    let contact = |is: fn(&Address) -> bool| found.iter().find(|one| is(one)).map(|one| one.row.contact);
    Ok(Usual { delivery: contact(|one| one.for_delivery), billing: contact(|one| one.for_billing) })
}

/// The contact that an address of a customer, or of the company he buys for, is now.
///
/// # Errors
/// [`Code::NotFound`] for an address of anybody else.
pub(crate) fn contact_of(
    tx: &mut Tx<'_>,
    (customer, company): (Option<Id<Customer>>, Option<Id<Company>>),
    id: Id<AddressKind>,
) -> Result<Id<Contact>, Failure> {
    let mut holders = customer.map(|customer| detail::whole(tx, customer)).transpose()?.unwrap_or_default();
    holders.extend(company.map(|company| company.bytes()));
    let found = rows::find(tx, &holders, id)?;
    Ok(found.ok_or_else(|| Refusal::not_found("address", id))?.contact)
}

fn all(tx: &mut Tx<'_>, holders: &[[u8; 16]]) -> Result<Vec<Address>, Failure> {
    let rows = rows::list(tx, holders, ADDRESSES_MAX * holders.len() as i64)?;
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

/// Since when it is the one for something: what it is already it stays.
fn since(since: Option<Instant>, (is, shall): (bool, bool), now: Instant) -> Option<Instant> {
    if is && shall { since } else { shall.then_some(now) }
}

fn sealed(
    tx: &mut Tx<'_>,
    world: &mut World,
    person: Id<Person>,
    (label, id): (Option<&str>, Id<AddressKind>),
) -> Result<Option<Vec<u8>>, Failure> {
    label.map(|label| contact::seal(tx, world, person, label.as_bytes(), &id.bytes())).transpose()
}
