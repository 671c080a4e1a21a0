//! Households: members of a programme who share a balance. What a member earns goes into the household's book as soon as it can be spent; who
//! spends takes it from there. People are locked before their household.

use domain::actor::Actor;
use domain::ledger::BookKind;
use domain::loyalty::household::{self as rules, INVITATION_DAYS, INVITATIONS_MAX, Leaving, Sharing};
use domain::loyalty::points::{MemberKind as Kind, MemberState};
use domain::promotion::coupon as codes;
use domain::value::id::Member as MemberKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::loyalty::{household as rows, member as members, programme};

pub use store::loyalty::household::Part;

use super::member::{self, Member};
use super::{points, tier};
use crate::event::emit;
use crate::{Failure, Keyring, World};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// A household with those in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Household {
    /// The household, whose book has what all of them can spend.
    pub member: Member,
    /// Who is in it, the first to join first.
    pub parts: Vec<Part>,
    /// How many invitations can still be accepted.
    pub invitations: i64,
}

/// Founds a household: the member is its head, and what he can spend goes into it.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::WrongState`] when the programme has no households, or the member is in one or left one just now.
pub fn found(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, of: &Member) -> Result<Household, Failure> {
    member::may(actor, of.customer)?;
    let own = member::lock(tx, of.id)?;
    may_share(tx, world, &own)?;
    let now = world.now();
    let one = Member {
        id: world.id(),
        programme: own.programme,
        customer: own.customer,
        kind: Kind::Household,
        pool: None,
        state: MemberState::Active,
        enrolled_at: now,
        left_at: None,
    };
    members::add_household(tx, &one)?;
    super::open(tx, &member::credit(&one), BookKind::Points, now)?;
    emit(tx, actor, world, one.id, "household.founded", json!({ "programme": one.programme.to_string() }));
    enter(tx, actor, world, (own, one.id), true)?;
    load(tx, one.id, now)
}

/// What the programme says of households, if the member may be in one now.
fn may_share(tx: &mut Tx<'_>, world: &World, own: &Member) -> Result<Sharing, Failure> {
    let refuse = |why: String| Err(Refusal::new(Code::WrongState, why).into());
    if own.state != MemberState::Active {
        return refuse("the member has left; enrol the customer again first".into());
    }
    if own.pool.is_some() {
        return refuse("the member is in a household; leave it first".into());
    }
    let (_, terms) = points::in_force(tx, own, world.now())?;
    let Some(sharing) = terms.sharing else {
        return refuse("the loyalty programme has no households".into());
    };
    let again = rows::left_at(tx, own.id)?.map(|at| at.plus_seconds(sharing.rejoin_days * DAY_SECONDS));
    if let Some(again) = again.filter(|again| *again > world.now()) {
        return refuse(format!("the member left a household; he may be in one again from {again} on"));
    }
    Ok(sharing)
}

fn enter(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (own, household): (Member, Id<MemberKind>),
    is_head: bool,
) -> Result<(), Failure> {
    let one = Part { member: own.id, is_head, may_spend: is_head, joined_at: world.now() };
    rows::add(tx, household, &one)?;
    members::update(tx, &Member { pool: Some(household), ..own })?;
    emit(tx, actor, world, household, "household.joined", json!({ "member": one.member.to_string() }));
    points::settle(tx, actor, world, one.member)?;
    tier::household_counts(tx, actor, world, household)
}

fn load(tx: &mut Tx<'_>, id: Id<MemberKind>, now: Instant) -> Result<Household, Failure> {
    let (member, parts) = (member::find(tx, id)?, rows::parts(tx, id)?);
    Ok(Household { member, parts, invitations: rows::invitations(tx, id, now)? })
}

/// The household a member is in. Who may see it was asked when the member was [read](member::read).
///
/// # Errors
/// [`Code::NotFound`] when he is in none.
pub fn read(tx: &mut Tx<'_>, of: &Member, now: Instant) -> Result<Household, Failure> {
    load(tx, id_of(of)?, now)
}

/// The household of a member.
///
/// # Errors
/// [`Code::NotFound`] when he is in none.
pub fn id_of(of: &Member) -> Result<Id<MemberKind>, Refusal> {
    of.pool.ok_or_else(|| Refusal::new(Code::NotFound, format!("member {} is in no household", of.id)))
}

/// The locked household of a member who is its head, locked as well.
fn as_head(tx: &mut Tx<'_>, actor: &Actor, of: &Member) -> Result<(Id<MemberKind>, Vec<Part>), Failure> {
    member::may(actor, of.customer)?;
    let household = id_of(&member::lock(tx, of.id)?)?;
    member::lock(tx, household)?;
    let parts = rows::parts(tx, household)?;
    if !parts.iter().any(|part| part.member == of.id && part.is_head) {
        return Err(Refusal::new(Code::Forbidden, "only the head of the household may do this").into());
    }
    Ok((household, parts))
}

fn hash_of(keyring: &Keyring, code: &str) -> [u8; 32] {
    keyring.lookup_hash("household invitation", code)
}

/// Makes an invitation: whoever of the programme has its code may join, once, within [`INVITATION_DAYS`]. The code is kept nowhere.
///
/// # Errors
/// [`Code::Forbidden`] for who is not its head; [`Code::WrongState`] when there are as many members and invitations as may be.
pub fn invite(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
) -> Result<(String, Instant), Failure> {
    let (household, parts) = as_head(tx, actor, of)?;
    let (_, terms) = points::in_force(tx, of, world.now())?;
    let none = || Refusal::new(Code::WrongState, "the loyalty programme has no households any more");
    let most = terms.sharing.ok_or_else(none)?.members_max;
    let (there, open) = (parts.len() as i64, rows::invitations(tx, household, world.now())?);
    if there + open >= most || open >= INVITATIONS_MAX {
        let why = format!(
            "there are {there} members and {open} invitations, and {most} members may be; end the invitations"
        );
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let code = codes::drawn("H", world.bytes());
    let expires_at = world.now().plus_seconds(INVITATION_DAYS * DAY_SECONDS);
    let hash = hash_of(world.keyring(), &codes::code(&code)?);
    rows::add_invitation(tx, (household, &hash), expires_at)?;
    emit(tx, actor, world, household, "household.invited", json!({ "expires_at": expires_at.to_string() }));
    Ok((code, expires_at))
}

/// Ends all invitations that were not accepted. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`] for who is not its head.
pub fn end_invitations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
) -> Result<Household, Failure> {
    let (household, _) = as_head(tx, actor, of)?;
    let now = world.now();
    if rows::invitations(tx, household, now)? > 0 {
        rows::end_invitations(tx, household, now)?;
        emit(tx, actor, world, household, "household.invitations_ended", json!({}));
    }
    load(tx, household, now)
}

/// Accepts an invitation: the member is in the household from now on, and what he can spend goes into it.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] for a code nobody has; [`Code::WrongState`] when it was used, its time is over, the household is full, or
/// the member may not be in one.
pub fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
    typed: &str,
) -> Result<Household, Failure> {
    member::may(actor, of.customer)?;
    let own = member::lock(tx, of.id)?;
    let sharing = may_share(tx, world, &own)?;
    let missing =
        || Refusal::new(Code::NotFound, "no household of the programme waits for this code").at("code");
    let hash = hash_of(world.keyring(), &codes::code(typed).map_err(|_| missing())?);
    let household = rows::invited_to(tx, &hash)?.ok_or_else(missing)?;
    let into = member::lock(tx, household)?;
    if into.programme != own.programme {
        return Err(missing().into());
    }
    let there = rows::parts(tx, household)?.len() as i64;
    let is_open = into.state == MemberState::Active && there < sharing.members_max;
    if !is_open || !rows::accept(tx, (household, &hash), own.id, world.now())? {
        let why = "the invitation was used, its time is over, or the household is full; ask for another";
        return Err(Refusal::new(Code::WrongState, why).at("code").into());
    }
    enter(tx, actor, world, (own, household), false)?;
    load(tx, household, world.now())
}

/// Lets a member leave his household: what becomes of the points is the programme's rule. Who is left when the head goes and joined first
/// is the head; with the last one, all of it goes.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`] when he is in none.
pub fn leave(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, of: &Member) -> Result<Household, Failure> {
    member::may(actor, of.customer)?;
    let own = member::lock(tx, of.id)?;
    let household = id_of(&own)?;
    depart_from(tx, actor, world, own, None)?;
    load(tx, household, world.now())
}

/// Puts a member out of the household, at the word of its head; as if he left.
///
/// # Errors
/// [`Code::Forbidden`] for who is not its head, [`Code::NotFound`], [`Code::WrongState`] for the head himself.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, other): (&Member, Id<MemberKind>),
) -> Result<Household, Failure> {
    member::may(actor, of.customer)?;
    if store::loyalty::member::find(tx, other)?.is_none() {
        return Err(Refusal::not_found("member", other).into());
    }
    member::lock_all(tx, &[of.id, other])?;
    let (household, parts) = as_head(tx, actor, of)?;
    part_of(&parts, other)?;
    if other == of.id {
        return Err(Refusal::new(Code::WrongState, "the head leaves the household by himself").into());
    }
    let own = member::lock(tx, other)?;
    depart_from(tx, actor, world, own, None)?;
    load(tx, household, world.now())
}

fn part_of(parts: &[Part], member: Id<MemberKind>) -> Result<Part, Refusal> {
    let found = parts.iter().find(|part| part.member == member);
    found.copied().ok_or_else(|| Refusal::not_found("member of the household", member))
}

/// Lets a member spend where the head says who may, or does not any more.
///
/// # Errors
/// [`Code::Forbidden`] for who is not its head, [`Code::NotFound`].
pub fn let_spend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, other): (&Member, Id<MemberKind>),
    may_spend: bool,
) -> Result<Household, Failure> {
    let (household, parts) = as_head(tx, actor, of)?;
    let part = part_of(&parts, other)?;
    if part.may_spend != may_spend {
        rows::update(tx, household, &Part { may_spend, ..part })?;
        let body = json!({ "member": other.to_string(), "may_spend": may_spend });
        emit(tx, actor, world, household, "household.spender_changed", body);
    }
    load(tx, household, world.now())
}

/// A locked member is in no household any more; nothing changes when he is in none. What becomes of the points is said by the programme, unless
/// it is given.
pub(super) fn depart_from(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    own: Member,
    leaving: Option<Leaving>,
) -> Result<Member, Failure> {
    let Some(household) = own.pool else { return Ok(own) };
    let (now, shared) = (world.now(), member::lock(tx, household)?);
    let sharing = programme::in_force(tx, own.programme, now)?.and_then(|version| version.terms.sharing);
    let leaving = leaving.or(sharing.map(|sharing| sharing.leaving)).unwrap_or(Leaving::Own);
    rows::leave(tx, (household, own.id), now)?;
    let own = Member { pool: None, ..own };
    members::update(tx, &own)?;
    let rest = rows::parts(tx, household)?;
    let took = match rest.first() {
        None => {
            let (state, left_at) = (MemberState::Left, Some(now));
            members::update(tx, &Member { state, left_at, pool: Some(own.id), ..shared })?;
            rows::end_invitations(tx, household, now)?;
            points::pour(tx, actor, world, (household, own.id), None)?
        }
        Some(first) => {
            if !rest.iter().any(|part| part.is_head) {
                rows::update(tx, household, &Part { is_head: true, may_spend: true, ..*first })?;
                let body = json!({ "member": first.member.to_string() });
                emit(tx, actor, world, household, "household.head_changed", body);
            }
            match leaving {
                Leaving::Stay => 0,
                Leaving::Own => brought_in(tx, actor, world, (household, own.id))?,
            }
        }
    };
    let body = json!({ "member": own.id.to_string(), "points": took, "left": rest.len() });
    emit(tx, actor, world, household, "household.left", body);
    tier::household_counts(tx, actor, world, household)?;
    Ok(own)
}

/// What a member brought in goes to him, and what those brought in who were merged into him.
fn brought_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (household, own): (Id<MemberKind>, Id<MemberKind>),
) -> Result<i64, Failure> {
    let mut took = 0;
    let merged = members::merged_with(tx, own)?;
    for earner in std::iter::once(own).chain(merged) {
        took += points::pour(tx, actor, world, (household, own), Some(earner))?;
    }
    Ok(took)
}

/// Whose book a member spends from: his household's, if he is in one and may.
///
/// # Errors
/// [`Code::Forbidden`] when he may not spend what it has.
pub(super) fn spends_from(
    tx: &mut Tx<'_>,
    of: &Member,
    sharing: Option<&Sharing>,
) -> Result<Id<MemberKind>, Failure> {
    let Some(household) = of.pool else { return Ok(of.id) };
    if of.state == MemberState::Merged {
        return Err(tx.begin_anew().into());
    }
    let parts = rows::parts(tx, household)?;
    let part = parts.iter().find(|part| part.member == of.id);
    if part.is_some_and(|part| rules::may_spend(sharing, part.is_head, part.may_spend)) {
        return Ok(household);
    }
    let why = "the member may not spend what the household has; its head may let him";
    Err(Refusal::new(Code::Forbidden, why).into())
}
