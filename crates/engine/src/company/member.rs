//! Who may buy in a company's name, and up to what. A membership stays with the customer it was given to and is read over all who are one, so that a
//! merge moves nothing of it and its undoing gives everything back.

use domain::actor::{Actor, Permission, Who};
use domain::company::{COMPANIES_MAX, Limit, MEMBERS_MAX, Role, State, may_buy};
use domain::value::id::{Company as CompanyKind, Customer as CustomerKind};
use domain::value::{Currency, Id};
use domain::{Code, Refusal};
use serde_json::json;
use store::company::{self as companies, member as rows};
use store::{Tx, customer as customers};

pub use store::company::member::Member;

use super::{held, name_of};
use crate::event::emit;
use crate::{Failure, World, contact, customer, detail};

/// Before which no customer comes.
const FIRST: Id<CustomerKind> = Id::from_bytes([0; 16]);

/// Makes a customer a member, or gives a member another role and limit. A company's own administrators change who is a member already.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] when there are too many, somebody was erased, or nobody would be left who
/// administers the company.
pub fn set(
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
    let whole = detail::whole(tx, who.id)?;
    if rows::of(tx, id, &whole)?.is_empty() {
        if matches!(actor.who, Who::Customer(_)) {
            actor.may_somewhere(Permission::EditCustomers)?;
        }
        let one = Member { company: id, customer: who.id, role, limit, since: world.now() };
        return admit(tx, actor, world, one);
    }
    if role != Role::Administrator {
        somebody_is_left(tx, actor, id, &whole)?;
    }
    let mut now = None;
    for one in rows::of(tx, id, &whole)? {
        let one = Member { role, limit, ..one };
        rows::set(tx, &one)?;
        let body = json!({ "customer": one.customer.to_string(), "role": role.text(), "limit": limit.map(|limit| limit.minor),
            "currency": limit.map(|limit| limit.currency.code()) });
        emit(tx, actor, world, id, "company.member_changed", body);
        now = now.or(Some(one));
    }
    now.ok_or_else(|| Refusal::not_found("member", who.id).into())
}

/// Lets somebody in who is no member yet. The company and the customer are locked.
pub(super) fn admit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: Member,
) -> Result<Member, Failure> {
    if rows::list(tx, one.company, FIRST, MEMBERS_MAX)?.len() as i64 >= MEMBERS_MAX {
        let why = format!("company {} has {MEMBERS_MAX} members; end one of the memberships", one.company);
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let whole = detail::whole(tx, one.customer)?;
    if rows::of_customers(tx, &whole, COMPANIES_MAX)?.len() as i64 >= COMPANIES_MAX {
        let why = format!("customer {} is a member of {COMPANIES_MAX} companies", one.customer);
        return Err(Refusal::new(Code::WrongState, why).at("customer").into());
    }
    rows::set(tx, &one)?;
    let (company, customer) = (one.company.to_string(), one.customer.to_string());
    let body = json!({ "customer": customer, "role": one.role.text(), "limit": one.limit.map(|limit| limit.minor),
        "currency": one.limit.map(|limit| limit.currency.code()) });
    emit(tx, actor, world, one.company, "company.member_joined", body);
    emit(tx, actor, world, one.customer, "customer.joined_company", json!({ "company": company }));
    Ok(one)
}

/// Ends a membership; whoever is a member ends the own one too.
///
/// # Errors
/// As [`set`]; [`Code::NotFound`] for who is no member.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, who): (Id<CompanyKind>, Id<CustomerKind>),
) -> Result<(), Failure> {
    let who = customers::merged_into(tx, who)?.unwrap_or(who);
    match actor.who {
        Who::Customer(own) if own == who => drop(companies::lock(tx, id)?),
        _ => drop(held(tx, actor, id)?),
    }
    let whole = detail::whole(tx, who)?;
    let found = rows::of(tx, id, &whole)?;
    if found.is_empty() {
        return Err(Refusal::not_found("member", who).into());
    }
    somebody_is_left(tx, actor, id, &whole)?;
    found.iter().try_for_each(|one| end(tx, actor, world, one))
}

/// Ends a membership and tells of it. Nobody else changes the company's members, or the customer is locked.
pub(super) fn end(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Member) -> Result<(), Failure> {
    if rows::remove(tx, one.company, one.customer)? {
        let (company, customer) = (one.company.to_string(), one.customer.to_string());
        emit(tx, actor, world, one.company, "company.member_left", json!({ "customer": customer }));
        emit(tx, actor, world, one.customer, "customer.left_company", json!({ "company": company }));
    }
    Ok(())
}

/// Ends the memberships of a customer who is erased and therefore locked.
///
/// # Errors
/// What the store says.
pub(crate) fn leave_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    who: Id<CustomerKind>,
) -> Result<(), Failure> {
    let all = rows::of_customers(tx, &[who.bytes()], COMPANIES_MAX)?;
    all.iter().try_for_each(|one| end(tx, actor, world, one))
}

/// A member with what the customer is called.
#[derive(Clone, Debug)]
pub struct Named {
    /// The member.
    pub member: Member,
    /// The name; `None` where none was given.
    pub name: Option<String>,
}

/// The members of a company after one, with their names, for colleagues who see customers and the company's approvers and administrators. Each
/// reading of a name is noted in the audit trail.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CompanyKind>,
    (after, limit): (Id<CustomerKind>, i64),
) -> Result<Vec<Named>, Failure> {
    may_oversee(tx, actor, id, Permission::ReadContacts)?;
    companies::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
    let mut named = Vec::new();
    for member in rows::list(tx, id, after, limit)? {
        let known = customer::load(tx, member.customer)?;
        let card = contact::open(tx, actor, world, known.contact)?;
        named.push(Named { member, name: card.text().name.clone() });
    }
    Ok(named)
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
    let mut found = rows::of_customers(tx, &whole, COMPANIES_MAX * whole.len() as i64)?;
    found.dedup_by_key(|one| one.company);
    Ok(found)
}

/// A company a customer may buy for, with what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The customer as its member.
    pub member: Member,
    /// What the company is called.
    pub company: String,
    /// Where the company stands with the retailer.
    pub state: State,
}

/// As [`of_customer`], with the names of the companies. Each reading of a name is noted in the audit trail.
///
/// # Errors
/// As [`of_customer`].
pub fn memberships(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
) -> Result<Vec<Membership>, Failure> {
    let mut named = Vec::new();
    for member in of_customer(tx, actor, id)? {
        let Some(known) = companies::find(tx, member.company)? else { continue };
        if let Some(company) = name_of(tx, actor, world, &known)? {
            named.push(Membership { member, company, state: known.state });
        }
    }
    Ok(named)
}

/// The member a customer is who wants to buy in a company's name; until the commit nobody ends the membership, lowers its limit or blocks the
/// company.
///
/// # Errors
/// [`Code::Invalid`] at `company` when the customer may not buy for it, or nothing may be bought for it.
pub(crate) fn buyer(
    tx: &mut Tx<'_>,
    id: Id<CompanyKind>,
    who: Option<Id<CustomerKind>>,
) -> Result<Member, Failure> {
    let refuse = |why: String| Failure::from(Refusal::invalid("company", why));
    let who =
        who.ok_or_else(|| refuse("what is bought for a company needs a customer who is its member".into()))?;
    let company = companies::stay(tx, id)?.ok_or_else(|| refuse(format!("no company \"{id}\"")))?;
    if company.erased_at.is_some() {
        return Err(refuse(format!("company {id} was erased; nothing is bought for it any more")));
    }
    if company.state == State::Blocked {
        return Err(refuse(format!("company {id} is blocked; the retailer has to unblock it first")));
    }
    let whole = detail::whole(tx, who)?;
    let found = rows::of(tx, id, &whole)?.into_iter().next();
    found
        .ok_or_else(|| refuse(format!("customer {who} is no member of company {id}; choose another or none")))
}

/// Refuses what is beyond a member's limit, unless who asks may override policies.
///
/// # Errors
/// [`Code::PolicyRefuses`] at `company`.
pub(crate) fn within_limit(actor: &Actor, one: &Member, cost: (i64, Currency)) -> Result<(), Refusal> {
    may_buy(one.role, one.limit, cost).or_else(|refusal| {
        actor.may_somewhere(Permission::OverridePolicies).map_err(|_| refusal.at("company"))
    })
}

/// Those with the permission somewhere, and the company's approvers and administrators.
///
/// # Errors
/// [`Code::Forbidden`].
pub(crate) fn may_oversee(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CompanyKind>,
    permission: Permission,
) -> Result<(), Failure> {
    if oversees(tx, actor, id)? { Ok(()) } else { Ok(actor.may_somewhere(permission)?) }
}

/// Is it one of the company's approvers and administrators?
pub(crate) fn oversees(tx: &mut Tx<'_>, actor: &Actor, id: Id<CompanyKind>) -> Result<bool, Failure> {
    let Who::Customer(own) = actor.who else { return Ok(false) };
    let whole = detail::whole(tx, own)?;
    Ok(rows::of(tx, id, &whole)?.iter().any(|one| one.role != Role::Buyer))
}

/// Refuses when a company's own people would leave it without an administrator; colleagues may.
fn somebody_is_left(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<CompanyKind>,
    but: &[[u8; 16]],
) -> Result<(), Failure> {
    if !matches!(actor.who, Who::Customer(_)) {
        return Ok(());
    }
    let all = rows::list(tx, id, FIRST, MEMBERS_MAX)?;
    let (own, others): (Vec<&Member>, Vec<&Member>) =
        all.iter().partition(|one| but.contains(&one.customer.bytes()));
    let administers = |all: &[&Member]| all.iter().any(|one| one.role == Role::Administrator);
    if administers(&others) || !administers(&own) {
        return Ok(());
    }
    let why = "nobody else administers the company; make somebody an administrator first";
    Err(Refusal::new(Code::WrongState, why).into())
}
