//! Asking somebody by mail to buy in a company's name. Whoever has the code may accept, once, within some days; the company learns who it is only
//! then, and a customer becomes a member only by the own word.

use domain::actor::{Actor, Permission, Who};
use domain::company::{INVITATION_DAYS, INVITATIONS_MAX, Limit, Role};
use domain::message::Template;
use domain::value::id::{Company as CompanyKind, CompanyInvitation, Customer as CustomerKind};
use domain::value::{Email, Id, Language};
use domain::{Code, Refusal};
use serde_json::json;
use store::company::{self as companies, invitation as rows, member as members};
use store::{Tx, customer as customers};

pub use store::company::invitation::Invitation;

use super::held;
use super::member::{self, Member, may_oversee};
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
    let to = subscriber::of_email(tx, actor, world, &new.email, new.language)?;
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
    let template = Template::CompanyInvitation;
    let letter = NewMessage { to: to.id, template, parameters, cell: None, link: None, due_at: None };
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

/// Accepts an invitation: the customer is a member from now on.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] at `code` for a code nobody has; [`Code::WrongState`] when it was used, its time is over, there are too
/// many members, or the customer is a member already.
pub fn accept(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (who, code): (Id<CustomerKind>, &str),
) -> Result<Member, Failure> {
    let who = customers::merged_into(tx, who)?.unwrap_or(who);
    if actor.who != Who::Customer(who) {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    let missing = || Failure::from(Refusal::new(Code::NotFound, "no invitation has this code").at("code"));
    let refuse = |why: String| Err(Refusal::new(Code::WrongState, why).at("code").into());
    let (company, id) = rows::by_code(tx, &hash_of(world.keyring(), code))?.ok_or_else(missing)?;
    let known = companies::lock(tx, company)?.filter(|one| one.erased_at.is_none());
    known.ok_or_else(missing)?;
    let who = customer::stay(tx, who)?;
    if who.erased_at.is_some() {
        return refuse(format!("customer {} was erased and cannot be a member", who.id));
    }
    let one = rows::find(tx, company, id)?.ok_or_else(missing)?;
    let now = world.now();
    if !rows::accept(tx, &one, who.id, now)? {
        return refuse("the invitation was used, or its time is over; ask for another".into());
    }
    let whole = detail::whole(tx, who.id)?;
    if !members::of(tx, company, &whole)?.is_empty() {
        return refuse(format!("customer {} is a member of company {company} already", who.id));
    }
    let (role, limit, customer) = (one.role, one.limit, who.id);
    member::admit(tx, actor, world, Member { company, customer, role, limit, since: now })
}

fn hash_of(keyring: &Keyring, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(|one| one.is_ascii_alphanumeric()).collect();
    keyring.lookup_hash("company invitation code", &plain.to_ascii_lowercase())
}
