//! Asking somebody by mail to buy in a company's name. Whoever has the code may accept, once, within some days; the company learns who it is only
//! then, and a customer becomes a member only by the own word.

use domain::actor::{Actor, Permission, Who};
use domain::company::{INVITATION_DAYS, INVITATIONS_MAX, Limit, Role, State};
use domain::message::Template;
use domain::value::id::{Company as CompanyKind, CompanyInvitation, Customer as CustomerKind};
use domain::value::{Email, Id, Language};
use domain::{Code, Refusal};
use serde_json::json;
use store::company::{self as companies, invitation as rows, member as members};
use store::{Tx, customer as customers};

pub use store::company::invitation::Invitation;

use super::member::{self, Member, may_oversee};
use super::{Company, held, name_of};
use crate::consent::subscriber;
use crate::event::emit;
use crate::message::send::invitation_code;
use crate::message::{self, NewMessage};
use crate::{Failure, Keyring, World, customer, detail};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// Somebody to be asked.
#[derive(Clone)]
pub struct NewInvitation {
    /// Where the mail goes.
    pub email: Email,
    /// In which language, for who is not known.
    pub language: Option<Language>,
    /// What the member will do.
    pub role: Role,
    /// What the member may spend on one order.
    pub limit: Option<Limit>,
}

/// Mails an invitation. Who asks learns nothing of the address.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] when the company was erased or has too many that can be accepted.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CompanyKind>,
    new: NewInvitation,
) -> Result<Invitation, Failure> {
    let company = held(tx, actor, id)?;
    let now = world.now();
    if rows::open(tx, id, now, INVITATIONS_MAX)?.len() as i64 >= INVITATIONS_MAX {
        let why = format!("{INVITATIONS_MAX} invitations of company {id} can be accepted; end some of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let (to, contact) = subscriber::of_email(tx, actor, world, &new.email, new.language)?;
    subscriber::lock(tx, to.id)?;
    let one = Invitation {
        company: id,
        id: world.id(),
        role: new.role,
        limit: new.limit,
        made_at: now,
        expires_at: now.plus_seconds(INVITATION_DAYS * DAY_SECONDS),
        customer: None,
    };
    rows::add(tx, &one, &hash_of(world.keyring(), &invitation_code(world.keyring(), one.id)))?;
    let parameters = json!({ "invitation": one.id.to_string(), "contact": company.contact.to_string(), "days": INVITATION_DAYS });
    let (template, language) = (Template::CompanyInvitation, new.language);
    let (cell, link, due_at) = (None, None, None);
    let letter = NewMessage { to: to.id, contact, template, parameters, cell, link, due_at, language };
    message::write(tx, actor, world, letter)?;
    let body = json!({ "invitation": one.id.to_string(), "role": one.role.text() });
    emit(tx, actor, world, id, "company.member_invited", body);
    Ok(one)
}

/// The invitations of a company that can be accepted, for who may see its members.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    id: Id<CompanyKind>,
) -> Result<Vec<Invitation>, Failure> {
    may_oversee(tx, actor, id, Permission::ReadContacts)?;
    companies::find(tx, id)?.ok_or_else(|| Refusal::not_found("company", id))?;
    Ok(rows::open(tx, id, world.now(), INVITATIONS_MAX)?)
}

/// Ends an invitation that was not accepted.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] when there is none that could be accepted.
pub fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, invitation): (Id<CompanyKind>, Id<CompanyInvitation>),
) -> Result<(), Failure> {
    held(tx, actor, id)?;
    if !rows::end(tx, id, invitation, world.now())? {
        return Err(Refusal::not_found("company invitation", invitation).into());
    }
    let body = json!({ "invitation": invitation.to_string() });
    emit(tx, actor, world, id, "company.invitation_ended", body);
    Ok(())
}

/// What an invitation offers to whoever has its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The invitation.
    pub invitation: Invitation,
    /// What the company is called.
    pub company: String,
    /// Where the company stands with the retailer.
    pub state: State,
}

/// What an invitation offers a customer who has its code; looking uses nothing up. Reading the company's name is noted in the audit trail.
///
/// # Errors
/// As [`accept`], but for too many members.
pub fn offered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (who, code): (Id<CustomerKind>, &str),
) -> Result<Offered, Failure> {
    let who = may_accept(tx, actor, who)?;
    let (company, _) = known(tx, world.keyring(), code)?;
    must_be_new(tx, company, who)?;
    let (company, invitation) = open(tx, world, code)?;
    let name = name_of(tx, actor, world, &company)?.ok_or_else(unknown)?;
    Ok(Offered { invitation, company: name, state: company.state })
}

/// The invitation with this code and its company, if it can be accepted now.
///
/// # Errors
/// [`Code::NotFound`] at `code` for a code nobody has; [`Code::WrongState`] at `code` when it was used or its time is over.
pub fn open(tx: &mut Tx<'_>, world: &World, code: &str) -> Result<(Company, Invitation), Failure> {
    let (company, id) = known(tx, world.keyring(), code)?;
    let company = companies::find(tx, company)?.filter(|one| one.erased_at.is_none()).ok_or_else(unknown)?;
    let one = rows::find(tx, company.id, id)?.ok_or_else(unknown)?;
    if one.customer.is_some() || one.expires_at <= world.now() {
        return Err(over().into());
    }
    Ok((company, one))
}

/// Accepts an invitation: the customer is a member from now on.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] at `code` for a code nobody has; [`Code::AlreadyExists`] at `code` when the customer is a member already;
/// [`Code::WrongState`] at `code` when it was used or its time is over, elsewhere when there are too many members or companies.
pub fn accept(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (who, code): (Id<CustomerKind>, &str),
) -> Result<Member, Failure> {
    let who = may_accept(tx, actor, who)?;
    let (company, id) = known(tx, world.keyring(), code)?;
    companies::lock(tx, company)?.filter(|one| one.erased_at.is_none()).ok_or_else(unknown)?;
    let who = customer::stay(tx, who)?;
    if who.erased_at.is_some() {
        let why = format!("customer {} was erased and cannot be a member", who.id);
        return Err(Refusal::new(Code::WrongState, why).at("code").into());
    }
    must_be_new(tx, company, who.id)?;
    let one = rows::find(tx, company, id)?.ok_or_else(unknown)?;
    let now = world.now();
    if !rows::accept(tx, &one, who.id, now)? {
        return Err(over().into());
    }
    let (role, limit, customer) = (one.role, one.limit, who.id);
    member::admit(tx, actor, world, Member { company, customer, role, limit, since: now })
}

/// Customers accept for themselves, colleagues who change customers for anybody: who the customer is by now.
fn may_accept(tx: &mut Tx<'_>, actor: &Actor, who: Id<CustomerKind>) -> Result<Id<CustomerKind>, Failure> {
    let who = customers::merged_into(tx, who)?.unwrap_or(who);
    if actor.who != Who::Customer(who) {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    Ok(who)
}

fn known(tx: &mut Tx<'_>, keyring: &Keyring, code: &str) -> Result<rows::Named, Failure> {
    Ok(rows::by_code(tx, &hash_of(keyring, code))?.ok_or_else(unknown)?)
}

fn must_be_new(tx: &mut Tx<'_>, company: Id<CompanyKind>, who: Id<CustomerKind>) -> Result<(), Failure> {
    let whole = detail::whole(tx, who)?;
    if members::of(tx, company, &whole)?.is_empty() {
        return Ok(());
    }
    let why = format!("customer {who} is a member of company {company} already");
    Err(Refusal::new(Code::AlreadyExists, why).at("code").into())
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "no invitation has this code").at("code")
}

fn over() -> Refusal {
    let why = "the invitation was used, or its time is over; ask for another";
    Refusal::new(Code::WrongState, why).at("code")
}

fn hash_of(keyring: &Keyring, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(|one| one.is_ascii_alphanumeric()).collect();
    keyring.lookup_hash("company invitation code", &plain.to_ascii_lowercase())
}
