//! Companies that buy: made and changed by colleagues and by their own administrators, with members who buy in their name. What names a company
//! is sealed under a key of its own, because a company may be one person.

use domain::actor::{Actor, Permission, Who};
use domain::company::{COMPANIES_MAX, Limit, MEMBERS_MAX, Role, may_buy};
use domain::contact::Card;
use domain::value::id::{
    Cart as CartKind, Company as CompanyKind, Customer as CustomerKind, Order as OrderKind,
};
use domain::value::{Currency, Id};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::{StoreError, Tx, company as rows, customer as customers};

pub use store::company::{Company, Member};

use crate::contact::NewContact;
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::{Failure, World, cart, contact, customer, detail, external};

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
    claim(tx, world, id, wanted.vat_number.as_deref())?;
    let contact = contact::save(tx, actor, world, NewContact { person: None, card: wanted.card.clone() })?;
    let person = contact::person_of(tx, contact)?;
    let company = Company {
        id,
        person,
        contact,
        external_id,
        numbers: sealed(tx, world, (person, id), &wanted)?,
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
    claim(tx, world, id, wanted.vat_number.as_deref())?;
    company.numbers = sealed(tx, world, (company.person, id), &wanted)?;
    company.contact =
        contact::save(tx, actor, world, NewContact { person: Some(company.person), card: wanted.card })?;
    keep(tx, world, &mut company)?;
    emit(tx, actor, world, id, "company.changed", json!({ "contact": company.contact.to_string() }));
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
    may_see(tx, actor, id)?;
    let company = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
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

/// The company with a VAT number.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    vat_number: &str,
) -> Result<Option<Company>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let found = rows::by_vat(tx, &hash_of(world, vat_number))?;
    Ok(found.map(|id| rows::find(tx, id)).transpose()?.flatten())
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
    if let Some(text) = company.external_id.take() {
        store::external::remove::<CompanyKind>(tx, &text)?;
    }
    for member in rows::members(tx, id, MEMBERS_MAX)? {
        rows::remove_member(tx, id, member.customer)?;
    }
    company.numbers = None;
    company.erased_at = Some(world.now());
    keep(tx, world, &mut company)?;
    emit(tx, actor, world, id, "company.erased", json!({}));
    Ok(())
}

/// Makes a customer a member, or gives a member another role and limit.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] when there are too many, somebody was erased, or nobody would be left who
/// administers the company.
pub fn set_member(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, who): (Id<CompanyKind>, Id<CustomerKind>),
    (role, limit): (Role, Option<Limit>),
) -> Result<Member, Failure> {
    held(tx, actor, id)?;
    let who = customer::stay(tx, who)?;
    if who.erased_at.is_some() {
        let why = format!("customer {} was erased and cannot be a member", who.id);
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    let members = rows::members(tx, id, MEMBERS_MAX)?;
    let known = members.iter().find(|one| one.customer == who.id);
    if known.is_none() && members.len() as i64 >= MEMBERS_MAX {
        let why = format!("company {id} has {MEMBERS_MAX} members; end one of the memberships");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    if known.is_none()
        && rows::of_customers(tx, &[who.id.bytes()], COMPANIES_MAX)?.len() as i64 >= COMPANIES_MAX
    {
        let why = format!("customer {} is a member of {COMPANIES_MAX} companies", who.id);
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    if role != Role::Administrator {
        somebody_is_left(actor, &members, who.id)?;
    }
    let since = known.map_or(world.now(), |one| one.since);
    let one = Member { company: id, customer: who.id, role, limit, since };
    rows::set_member(tx, &one)?;
    let body = json!({ "customer": who.id.to_string(), "role": role.text(), "limit": limit.map(|limit| limit.minor),
        "currency": limit.map(|limit| limit.currency.code()) });
    emit(tx, actor, world, id, "company.member_set", body);
    Ok(one)
}

/// Ends a membership.
///
/// # Errors
/// As [`set_member`].
pub fn remove_member(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, who): (Id<CompanyKind>, Id<CustomerKind>),
) -> Result<(), Failure> {
    held(tx, actor, id)?;
    let members = rows::members(tx, id, MEMBERS_MAX)?;
    somebody_is_left(actor, &members, who)?;
    if !rows::remove_member(tx, id, who)? {
        return Err(Refusal::not_found("member", who).into());
    }
    emit(tx, actor, world, id, "company.member_removed", json!({ "customer": who.to_string() }));
    Ok(())
}

/// The members of a company, for those who may see it.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn members(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<Vec<Member>, Failure> {
    may_see(tx, actor, id)?;
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
    Ok(rows::members(tx, id, MEMBERS_MAX)?)
}

/// The companies a customer may buy for, over all who are one; a customer reads its own.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn of_customer(tx: &mut Tx<'_>, actor: &Actor, id: Id<CustomerKind>) -> Result<Vec<Member>, Failure> {
    let id = customers::merged_into(tx, id)?.unwrap_or(id);
    if actor.who != Who::Customer(id) {
        actor.may_somewhere(Permission::ReadContacts)?;
    }
    customer::load(tx, id)?;
    let whole = detail::whole(tx, id)?;
    let mut found = rows::of_customers(tx, &whole, COMPANIES_MAX)?;
    found.dedup_by_key(|one| one.company);
    Ok(found)
}

/// The orders bought for a company before one, the newest first, with the member who bought.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn orders(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CompanyKind>,
    (before, limit): (Id<OrderKind>, i64),
) -> Result<Vec<(Id<OrderKind>, Id<CustomerKind>)>, Failure> {
    may_see(tx, actor, id)?;
    Ok(rows::orders(tx, id, before, limit)?)
}

/// Says for which company a cart is bought, if for one. Its customer must be a member.
///
/// # Errors
/// [`Code::CartNotOpen`]; [`Code::Invalid`] at `company` when the cart's customer may not buy for it.
pub fn set_cart(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, company): (Id<CartKind>, Option<Id<CompanyKind>>),
) -> Result<(), Failure> {
    let cart = cart::lock(tx, id)?;
    if matches!(actor.who, Who::Customer(own) if cart.customer != Some(own)) {
        return Err(Refusal::not_found("cart", id).into());
    }
    actor.may_somewhere(Permission::Shop)?;
    cart::check_open(&cart, world)?;
    if let Some(company) = company {
        buyer(tx, company, cart.customer)?;
    }
    rows::set_cart(tx, id, company)?;
    let body = json!({ "company": company.map(|company| company.to_string()) });
    emit(tx, actor, world, id, "cart.company_set", body);
    Ok(())
}

/// An order is placed from a cart: when the cart is bought for a company, its customer must still be a member who may spend so much, or a
/// colleague allows it who may override policies.
///
/// # Errors
/// [`Code::PolicyRefuses`] beyond the member's limit; [`Code::Invalid`] at `company` when the customer may not buy for it any more.
pub(crate) fn bought(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (cart, order): (Id<CartKind>, Id<OrderKind>),
    (customer, cost): (Option<Id<CustomerKind>>, (i64, Currency)),
) -> Result<(), Failure> {
    let Some(company) = rows::of_cart(tx, cart)? else { return Ok(()) };
    let member = buyer(tx, company, customer)?;
    if let Err(refusal) = may_buy(member.role, member.limit, cost) {
        actor.may_somewhere(Permission::OverridePolicies).map_err(|_| refusal.at("company"))?;
    }
    rows::add_order(tx, company, order, member.customer)?;
    let body = json!({ "company": company.to_string(), "customer": member.customer.to_string() });
    emit(tx, actor, world, order, "order.bought_for_company", body);
    Ok(())
}

/// The member that a cart's customer is; nobody ends the membership or lowers its limit before the commit.
fn buyer(tx: &mut Tx<'_>, id: Id<CompanyKind>, who: Option<Id<CustomerKind>>) -> Result<Member, Failure> {
    let refuse = |why: String| Failure::from(Refusal::invalid("company", why));
    let who =
        who.ok_or_else(|| refuse("a cart bought for a company needs a customer who is its member".into()))?;
    let company = rows::lock(tx, id)?.ok_or_else(|| refuse(format!("no company \"{id}\"")))?;
    if company.erased_at.is_some() {
        return Err(refuse(format!("company {id} was erased; nothing is bought for it any more")));
    }
    let whole = detail::whole(tx, who)?;
    let found = rows::memberships(tx, id, &whole)?;
    found.into_iter().next().ok_or_else(|| refuse(format!("customer {who} is no member of company {id}")))
}

/// Refuses when a company's own people would leave it without an administrator; colleagues may.
fn somebody_is_left(actor: &Actor, members: &[Member], but: Id<CustomerKind>) -> Result<(), Refusal> {
    let others = members.iter().any(|one| one.role == Role::Administrator && one.customer != but);
    if others || !matches!(actor.who, Who::Customer(_)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::WrongState,
        "nobody else administers the company; make somebody an administrator first",
    ))
}

/// Colleagues who see customers, and the company's members.
fn may_see(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<(), Failure> {
    if let Who::Customer(own) = actor.who {
        let whole = detail::whole(tx, own)?;
        if !rows::memberships(tx, id, &whole)?.is_empty() {
            return Ok(());
        }
    }
    Ok(actor.may_somewhere(Permission::ReadContacts)?)
}

/// A company for a change, by colleagues who change customers and by its own administrators; locked.
fn held(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<Company, Failure> {
    let company = rows::lock(tx, id)?;
    let own = match actor.who {
        Who::Customer(own) => {
            let whole = detail::whole(tx, own)?;
            rows::memberships(tx, id, &whole)?.iter().any(|one| one.role == Role::Administrator)
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

fn claim(tx: &mut Tx<'_>, world: &World, id: Id<CompanyKind>, vat: Option<&str>) -> Result<(), Failure> {
    let Some(vat) = vat else { return Ok(()) };
    if rows::claim_vat(tx, &hash_of(world, vat), id)? {
        return Ok(());
    }
    let why = "another company has this VAT number; find that company instead";
    Err(Refusal::new(Code::AlreadyExists, why).at("vat_number").into())
}

fn hash_of(world: &World, vat_number: &str) -> [u8; 32] {
    world.keyring().lookup_hash("vat_number", vat_number)
}

fn sealed(
    tx: &mut Tx<'_>,
    world: &mut World,
    (person, id): (Id<domain::value::id::Person>, Id<CompanyKind>),
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

/// Ends the memberships of a customer who is erased.
///
/// # Errors
/// What the store says.
pub(crate) fn leave_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    who: Id<CustomerKind>,
) -> Result<(), Failure> {
    for one in rows::of_customers(tx, &[who.bytes()], COMPANIES_MAX)? {
        rows::remove_member(tx, one.company, who)?;
        let body = json!({ "customer": who.to_string() });
        emit(tx, actor, world, one.company, "company.member_removed", body);
    }
    Ok(())
}
