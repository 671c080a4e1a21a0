//! Members: customers who take part in a loyalty programme. Each has a book of points, as has each household.

use domain::actor::{Actor, Permission, Who};
use domain::identity::{Identifier, Kind as IdentifierKind};
use domain::ledger::BookKind;
use domain::loyalty::household::Leaving;
use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::value::id::{Customer, LoyaltyProgramme, Member as MemberKind};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::loyalty::{member as rows, programme};
use store::{StoreError, Tx};

pub use store::loyalty::member::Member;

use super::{Credit, Unit};
use crate::event::emit;
use crate::identity::customer as known;
use crate::{Failure, World, customer};

/// The book of points of a member.
pub fn credit(one: &Member) -> Credit {
    credit_of(one.id)
}

/// The book of points of the member with an id.
pub fn credit_of(id: Id<MemberKind>) -> Credit {
    Credit { book: id.shared_with(), subject: id.to_string(), unit: Unit::Points }
}

/// Lets a customer take part; who had left takes part again with what he had. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::NotFound`] for an unknown customer, [`Code::WrongState`] for one who was erased or a programme that is not in force.
pub fn enrol(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    programme: Id<LoyaltyProgramme>,
    customer: Id<Customer>,
) -> Result<Member, Failure> {
    enrol_since(tx, actor, world, (programme, customer), None)
}

/// The same for one who takes part since an instant that has passed, because he joined elsewhere: orders that were placed since earn.
///
/// # Errors
/// And [`Code::Invalid`] for an instant still to come, [`Code::Forbidden`] unless who asks gives points.
pub fn enrol_since(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (programme, customer): (Id<LoyaltyProgramme>, Id<Customer>),
    since: Option<Instant>,
) -> Result<Member, Failure> {
    may(actor, customer)?;
    let now = world.now();
    if let Some(since) = since {
        actor.may_somewhere(Permission::GivePoints)?;
        if since > now {
            let why = "give an instant that has passed, or leave it out";
            return Err(Refusal::invalid("enrolled_at", why).into());
        }
    }
    let enrolled_at = since.unwrap_or(now);
    if programme::in_force(tx, programme, now)?.is_none() {
        let why = "the loyalty programme is not in force; activate a version of it first";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let known = customer::stay(tx, customer).map_err(|failure| failure.at("customer"))?;
    let customer = known.id;
    if known.erased_at.is_some() {
        return Err(Refusal::new(Code::WrongState, "the customer was erased").at("customer").into());
    }
    let found = rows::of_customer(tx, customer)?.into_iter().find(|one| one.programme == programme);
    let one = match found {
        Some(one) if one.state == MemberState::Active => return Ok(one),
        Some(one) => {
            let one = Member { state: MemberState::Active, enrolled_at, left_at: None, ..one };
            rows::update(tx, &one)?;
            one
        }
        None => {
            let state = MemberState::Active;
            let (kind, pool, id) = (Kind::Person, None, world.id());
            let one = Member { id, programme, customer, kind, pool, state, enrolled_at, left_at: None };
            if !rows::add(tx, &one)? {
                return Err(tx.begin_anew().into());
            }
            super::open(tx, &credit(&one), BookKind::Points, now)?;
            one
        }
    };
    let body = json!({ "programme": programme.to_string(), "customer": customer.to_string() });
    emit(tx, actor, world, one.id, "member.enrolled", body);
    known::give(tx, actor, world, (customer, &number_of(one.id)?))?;
    Ok(one)
}

/// Removes a membership that nothing was done with, and its number; false when something was.
pub(super) fn remove_unused(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<MemberKind>,
) -> Result<bool, Failure> {
    let removed = rows::remove_unused(tx, id)?;
    if removed {
        known::take_back(tx, actor, world, &number_of(id)?)?;
    }
    Ok(removed)
}

/// The number on the card of a member: his id.
pub(super) fn number_of(id: Id<MemberKind>) -> Result<Identifier, Failure> {
    let made = Identifier::new(IdentifierKind::LoyaltyNumber, None, &id.to_string());
    Ok(made.map_err(|why| StoreError::Corrupt(format!("the number of {id}: {why}")))?)
}

/// Lets a member leave, his household first: nothing is earned any more, and what he has he may still spend. Doing it twice is the same as
/// once.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn leave(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<MemberKind>,
) -> Result<Member, Failure> {
    let one = lock(tx, id)?;
    may(actor, one.customer)?;
    if one.state != MemberState::Active {
        return Ok(one);
    }
    let one = super::household::depart_from(tx, actor, world, one, None)?;
    let one = Member { state: MemberState::Left, left_at: Some(world.now()), ..one };
    rows::update(tx, &one)?;
    emit(tx, actor, world, id, "member.left", json!({ "programme": one.programme.to_string() }));
    Ok(one)
}

/// What a customer who was erased takes part in ends: what can be spent lapses at once, and what comes later as it comes. What a household
/// has that others are in stays there. Doing it twice is the same as once.
pub(crate) fn end_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: Id<Customer>,
) -> Result<(), Failure> {
    for found in rows::of_customer(tx, customer)? {
        let one = lock(tx, found.id)?;
        if matches!(one.state, MemberState::Ended | MemberState::Merged) {
            continue;
        }
        let one = super::household::depart_from(tx, actor, world, one, Some(Leaving::Stay))?;
        let left_at = one.left_at.or(Some(world.now()));
        let one = Member { state: MemberState::Ended, left_at, ..one };
        rows::update(tx, &one)?;
        super::points::lapse_all(tx, actor, world, one.id)?;
        let body = json!({ "programme": one.programme.to_string() });
        emit(tx, actor, world, one.id, "member.ended", body);
    }
    Ok(())
}

/// A customer is asked for by himself, and by who gives points.
pub(super) fn may(actor: &Actor, customer: Id<Customer>) -> Result<(), Refusal> {
    if actor.who == Who::Customer(customer) {
        return Ok(());
    }
    actor.may_somewhere(Permission::GivePoints)
}

/// A member, whose lots and accounts nobody else changes until the commit.
///
/// # Errors
/// [`Code::NotFound`].
pub(super) fn lock(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<Member, Failure> {
    rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("member", id).into())
}

/// Members, each locked as by [`lock`], in the one order: who was merged into another first, then people, then households.
///
/// # Errors
/// What the store says.
pub(crate) fn lock_all(tx: &mut Tx<'_>, members: &[Id<MemberKind>]) -> Result<(), Failure> {
    let mut all = Vec::with_capacity(members.len());
    for id in members {
        let one = find(tx, *id)?;
        all.push((one.state != MemberState::Merged, one.kind.code(), *id));
    }
    all.sort_unstable();
    all.dedup();
    for (.., id) in all {
        lock(tx, id)?;
    }
    Ok(())
}

/// A member.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn find(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<Member, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("member", id).into())
}

/// A member, or whom he was merged into.
///
/// # Errors
/// [`Code::NotFound`].
pub(super) fn current(tx: &mut Tx<'_>, id: Id<MemberKind>) -> Result<Member, Failure> {
    let one = find(tx, id)?;
    match one.pool.filter(|_| one.state == MemberState::Merged) {
        Some(into) => find(tx, into),
        None => Ok(one),
    }
}

/// The membership of a customer with an id, for himself and for who gives points.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`] also when it is another customer's.
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: Id<Customer>,
    id: Id<MemberKind>,
) -> Result<Member, Failure> {
    may(actor, customer)?;
    let one = current(tx, id)?;
    if one.customer != customer || one.kind != Kind::Person {
        return Err(Refusal::not_found("member", id).into());
    }
    Ok(one)
}

/// What a customer is a member of, for himself and for who gives points.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn of_customer(tx: &mut Tx<'_>, actor: &Actor, customer: Id<Customer>) -> Result<Vec<Member>, Failure> {
    may(actor, customer)?;
    Ok(rows::of_customer(tx, customer)?)
}
