//! Companies that buy: made and changed by colleagues and by their own administrators, with members who buy in their name. What names a company
//! is sealed under a key of its own, because a company may be one person.

pub mod invitation;
pub mod member;

use domain::actor::{Actor, Permission, Who};
use domain::company::{MEMBERS_MAX, Role, State, name_words};
use domain::contact::Card;
use domain::value::Id;
use domain::value::id::{Company as CompanyKind, Person};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::company::{self as rows, member as members};
use store::{StoreError, Tx};

pub use store::company::Company;

use crate::contact::NewContact;
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, contact, detail, external};

/// A company as it shall be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name and address.
    pub card: Card,
    /// Its number at the court or chamber, checked by [`domain::company::registration_number`].
    pub registration_number: Option<String>,
    /// Its VAT number, checked by [`domain::company::vat_number`].
    pub vat_number: Option<String>,
}

/// What a company is looked for by.
#[derive(Clone)]
pub enum Sought {
    /// Its VAT number, checked by [`domain::company::vat_number`].
    VatNumber(String),
    /// Words of its name.
    Name(String),
}

/// A company with what names it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The company.
    pub company: Company,
    /// Its name and address.
    pub card: Card,
    /// Its number at the court or chamber.
    pub registration_number: Option<String>,
    /// Its VAT number.
    pub vat_number: Option<String>,
}

/// Makes a company.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::AlreadyExists`] at `vat_number` or `external_id` when another company has it; [`Code::Invalid`] without a name.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (wanted, external_id): (Wanted, Option<String>),
) -> Result<Company, Failure> {
    actor.may_somewhere(Permission::EditCustomers)?;
    must_be_named(&wanted.card)?;
    let id: Id<CompanyKind> = world.id();
    external::give(tx, id, external_id.as_deref())?;
    be_found(tx, world, id, &wanted)?;
    let contact = contact::save(tx, actor, world, NewContact { person: None, card: wanted.card.clone() })?;
    let person = contact::person_of(tx, contact)?;
    let company = Company {
        id,
        person,
        contact,
        external_id,
        numbers: sealed(tx, world, (person, id), &wanted)?,
        state: State::Active,
        groups: Vec::new(),
        made_at: world.now(),
        changed_at: world.now(),
        erased_at: None,
        version: 1,
    };
    rows::add(tx, &company)?;
    emit(tx, actor, world, id, "company.created", json!({ "contact": contact.to_string() }));
    Ok(company)
}

/// Writes a company anew.
///
/// # Errors
/// As [`create`]; [`Code::NotFound`]; [`Code::Stale`] when it was changed since it was read; [`Code::WrongState`] when it was erased.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, if_match): (Id<CompanyKind>, i64),
    wanted: Wanted,
) -> Result<Company, Failure> {
    must_be_named(&wanted.card)?;
    let mut company = held(tx, actor, id)?;
    unchanged(id, company.version, Some(if_match))?;
    rows::forget_vat(tx, id)?;
    be_found(tx, world, id, &wanted)?;
    company.numbers = sealed(tx, world, (company.person, id), &wanted)?;
    company.contact =
        contact::save(tx, actor, world, NewContact { person: Some(company.person), card: wanted.card })?;
    keep(tx, world, &mut company)?;
    emit(tx, actor, world, id, "company.changed", json!({ "contact": company.contact.to_string() }));
    Ok(company)
}

/// Says what the retailer grants a company: the groups that decide on its prices, and whether anything is bought in its name.
///
/// # Errors
/// [`Code::Forbidden`] for its own people; as [`change`].
pub fn set_terms(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, if_match): (Id<CompanyKind>, i64),
    (state, groups): (State, Vec<String>),
) -> Result<Company, Failure> {
    actor.may_somewhere(Permission::EditCustomers)?;
    let mut company = held(tx, actor, id)?;
    unchanged(id, company.version, Some(if_match))?;
    (company.state, company.groups) = (state, groups);
    keep(tx, world, &mut company)?;
    let body = json!({ "state": state.text(), "groups": company.groups });
    emit(tx, actor, world, id, "company.terms_set", body);
    Ok(company)
}

/// A company with what names it; its members read their own. Reading is noted in the audit trail.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] when there is none, or it was erased.
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CompanyKind>,
) -> Result<Shown, Failure> {
    let company = seen(tx, actor, id)?;
    let card = contact::open(tx, actor, world, company.contact)?;
    let numbers = match &company.numbers {
        Some(sealed) => contact::unseal(tx, world, company.person, sealed, &id.bytes())?,
        None => None,
    };
    let lost = || StoreError::Corrupt(format!("the numbers of company {id} cannot be read"));
    let numbers =
        numbers.map(|text| serde_json::from_slice::<Value>(&text).map_err(|_| lost())).transpose()?;
    let number = |name: &str| Some(numbers.as_ref()?[name].as_str()?.to_owned());
    Ok(Shown { registration_number: number("registration"), vat_number: number("vat"), company, card })
}

/// The companies after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<CompanyKind>,
    limit: i64,
) -> Result<Vec<Company>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    Ok(rows::list(tx, after, limit)?)
}

/// The companies after one that have this number or these words in their name, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::Invalid`] at `name` when it has no words.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    sought: &Sought,
    (after, limit): (Id<CompanyKind>, i64),
) -> Result<Vec<Company>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let found = match sought {
        Sought::VatNumber(number) => {
            let found = rows::by_vat(tx, &hash_of(world, number))?;
            found.into_iter().filter(|id| *id > after).collect()
        }
        Sought::Name(name) => {
            let hashes = word_hashes(world, name);
            if hashes.is_empty() {
                return Err(Refusal::invalid("name", "give a word of the company's name").into());
            }
            rows::by_words(tx, &hashes, after, limit)?
        }
    };
    found.into_iter().filter_map(|id| rows::find(tx, id).transpose()).map(|one| Ok(one?)).collect()
}

/// Erases a company: its key is destroyed, nothing finds it, nobody buys for it any more. Its orders stay. Twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn erase(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<CompanyKind>) -> Result<(), Failure> {
    actor.may(Permission::EditCustomers, None)?;
    let mut company = rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
    if company.erased_at.is_some() {
        return Ok(());
    }
    contact::erase(tx, actor, world, company.person)?;
    rows::forget_vat(tx, id)?;
    rows::set_words(tx, id, &[])?;
    store::address::forget(tx, id.bytes())?;
    if let Some(text) = company.external_id.take() {
        store::external::remove::<CompanyKind>(tx, &text)?;
    }
    for one in members::list(tx, id, Id::from_bytes([0; 16]), MEMBERS_MAX)? {
        member::end(tx, actor, world, &one)?;
    }
    company.numbers = None;
    company.erased_at = Some(world.now());
    keep(tx, world, &mut company)?;
    emit(tx, actor, world, id, "company.erased", json!({}));
    Ok(())
}

/// What a company is called, for a caller that has made sure that the actor may know it; `None` when it was erased. Reading is noted in the audit
/// trail.
fn name_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    company: &Company,
) -> Result<Option<String>, Failure> {
    match contact::open(tx, actor, world, company.contact) {
        Ok(card) => Ok(card.text().company.clone()),
        Err(Failure::Refused(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A company, for colleagues who see customers and for its members.
pub(crate) fn seen(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<Company, Failure> {
    let own = match actor.who {
        Who::Customer(own) => {
            let whole = detail::whole(tx, own)?;
            !members::of(tx, id, &whole)?.is_empty()
        }
        _ => false,
    };
    if !own {
        actor.may_somewhere(Permission::ReadContacts)?;
    }
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?)
}

/// A company for a change, by colleagues who change customers and by its own administrators; locked.
pub(crate) fn held(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<Company, Failure> {
    let company = rows::lock(tx, id)?;
    let own = match actor.who {
        Who::Customer(own) => {
            let whole = detail::whole(tx, own)?;
            members::of(tx, id, &whole)?.iter().any(|one| one.role == Role::Administrator)
        }
        _ => false,
    };
    if !own {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    let company = company.ok_or_else(|| Refusal::not_found("company", id))?;
    if company.erased_at.is_some() {
        return Err(
            Refusal::new(Code::WrongState, format!("company {id} was erased and cannot be changed")).into()
        );
    }
    Ok(company)
}

fn must_be_named(card: &Card) -> Result<(), Refusal> {
    if card.text().company.is_some() {
        return Ok(());
    }
    Err(Refusal::invalid("contact.company", "give the company's name"))
}

/// Lets a company be found by its VAT number and its name.
fn be_found(tx: &mut Tx<'_>, world: &World, id: Id<CompanyKind>, wanted: &Wanted) -> Result<(), Failure> {
    let name = wanted.card.text().company.as_deref().unwrap_or_default();
    rows::set_words(tx, id, &word_hashes(world, name))?;
    let Some(vat) = &wanted.vat_number else { return Ok(()) };
    if rows::claim_vat(tx, &hash_of(world, vat), id)? {
        return Ok(());
    }
    let why = "another company has this VAT number; find that company instead";
    Err(Refusal::new(Code::AlreadyExists, why).at("vat_number").into())
}

/// The first halves of the hashes a name's words are found by.
fn word_hashes(world: &World, name: &str) -> Vec<[u8; 16]> {
    let hashed = |word: &String| {
        let hash = world.keyring().lookup_hash("company name", word);
        std::array::from_fn(|place| hash[place])
    };
    name_words(name).iter().map(hashed).collect()
}

fn hash_of(world: &World, vat_number: &str) -> [u8; 32] {
    world.keyring().lookup_hash("vat_number", vat_number)
}

fn sealed(
    tx: &mut Tx<'_>,
    world: &mut World,
    (person, id): (Id<Person>, Id<CompanyKind>),
    wanted: &Wanted,
) -> Result<Option<Vec<u8>>, Failure> {
    let numbers = json!({ "registration": wanted.registration_number, "vat": wanted.vat_number });
    contact::seal(tx, world, person, numbers.to_string().as_bytes(), &id.bytes()).map(Some)
}

fn keep(tx: &mut Tx<'_>, world: &World, company: &mut Company) -> Result<(), Failure> {
    let was = company.version;
    company.changed_at = world.now();
    company.version = was + 1;
    if !rows::change(tx, company, was)? {
        return Err(stale(company.id).into());
    }
    Ok(())
}
