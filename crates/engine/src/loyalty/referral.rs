//! Referral: a member's code brings friends, and both are given points once the friend's first order is kept. What changes of an order only
//! asks for judgement; a duty of the checkout judges, and is the only one that locks both.

use domain::actor::Actor;
use domain::loyalty::points::MemberState;
use domain::loyalty::programme::Terms as Programme;
use domain::loyalty::referral::{self as rules, Facts, State, Terms, Why};
use domain::promotion::coupon as codes;
use domain::value::id::{Member as MemberKind, Order};
use domain::value::{Currency, Id};
use domain::{Code, Refusal};
use serde_json::json;
use store::loyalty::referral as rows;
use store::{StoreError, Tx};

pub use store::loyalty::referral::Referral;

use super::member::{self, Member};
use super::points;
use crate::event::emit;
use crate::{Failure, World};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;

/// The code a member brings friends by; made when there is none yet.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::WrongState`] when the programme has no referral or the member has left.
pub fn code(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, of: &Member) -> Result<String, Failure> {
    member::may(actor, of.customer)?;
    let own = member::lock(tx, of.id)?;
    if let Some(known) = rows::code_of(tx, own.id)? {
        return Ok(known);
    }
    terms_of(tx, world, &own)?;
    let code = codes::drawn("F", world.bytes());
    if !rows::add_code(tx, own.id, &codes::code(&code)?, world.now())? {
        return Err(tx.begin_anew().into());
    }
    emit(tx, actor, world, own.id, "referral.code_made", json!({}));
    Ok(rows::code_of(tx, own.id)?.unwrap_or(code))
}

/// What the programme says of referral now, for a member who takes part.
fn terms_of(tx: &mut Tx<'_>, world: &World, own: &Member) -> Result<(i64, Terms), Failure> {
    if own.state != MemberState::Active {
        return Err(
            Refusal::new(Code::WrongState, "the member has left; enrol the customer again first").into()
        );
    }
    let (number, terms) = points::in_force(tx, own, world.now())?;
    let none = || Refusal::new(Code::WrongState, "the loyalty programme has no referral");
    Ok((number, terms.referral.ok_or_else(none)?))
}

/// A member says who brought him, before his first order.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::NotFound`] for a code nobody of the programme has; [`Code::WrongState`] for who ordered before, came by somebody already, or
/// is the same person.
pub fn accept(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (of, typed): (&Member, &str),
) -> Result<Referral, Failure> {
    member::may(actor, of.customer)?;
    let own = member::lock(tx, of.id)?;
    let (number, terms) = terms_of(tx, world, &own)?;
    let missing = || Refusal::new(Code::NotFound, "no member of the programme has this code").at("code");
    let code = codes::code(typed).map_err(|_| missing())?;
    let known = rows::by_code(tx, &code)?.ok_or_else(missing)?;
    let by = member::current(tx, known)?;
    if by.programme != own.programme || by.state != MemberState::Active {
        return Err(missing().into());
    }
    let refuse = |why: &str| Err(Refusal::new(Code::WrongState, why).at("code").into());
    if by.id == own.id || is_same(tx, &own, &by)? {
        return refuse("nobody brings himself; the code is of the same person");
    }
    if store::customer::has_ordered(tx, own.customer)? {
        return refuse("the customer has ordered before; only who is new comes by a code");
    }
    let now = world.now();
    let one = Referral {
        friend: own.id,
        member: by.id,
        number,
        state: State::Open,
        why: None,
        order: None,
        left_at: None,
        review_at: terms.within_days.map(|days| now.plus_seconds(days * DAY_SECONDS)),
        points: 0,
        friend_points: 0,
        made_at: now,
        rewarded_at: None,
    };
    if !rows::add(tx, &one)? {
        return refuse("the member came by a code already");
    }
    emit(tx, actor, world, own.id, "referral.accepted", json!({ "by": by.id.to_string() }));
    Ok(one)
}

/// Is a friend the same person as who brought him, by how they are reached?
fn is_same(tx: &mut Tx<'_>, friend: &Member, by: &Member) -> Result<bool, Failure> {
    let (one, other) = (store::customer::find(tx, friend.customer)?, store::customer::find(tx, by.customer)?);
    let Some((one, other)) = one.zip(other) else { return Ok(false) };
    let person = |of: &store::customer::Customer| of.merged_into.unwrap_or(of.id);
    Ok(person(&one) == person(&other)
        || one.person == other.person
        || rows::reached_alike(tx, one.person, other.person)?)
}

/// An order of a member was placed or changed; his lock is held. The first one placed is what who brought him waits for.
///
/// # Errors
/// What the store says.
pub(crate) fn order_changed(
    tx: &mut Tx<'_>,
    world: &World,
    of: Id<MemberKind>,
    (order, has_left): (Id<Order>, bool),
) -> Result<(), Failure> {
    let Some(mut one) = rows::find(tx, of)? else { return Ok(()) };
    if one.state == State::Open && one.review_at.is_none_or(|at| at > world.now()) {
        (one.state, one.order) = (State::Ordered, Some(order));
    }
    if one.order != Some(order) || !matches!(one.state, State::Ordered | State::Rewarded) {
        return Ok(());
    }
    if has_left {
        one.left_at = one.left_at.or(Some(world.now()));
    }
    one.review_at = Some(world.now());
    Ok(rows::update(tx, &one)?)
}

/// What is known of a friend's first order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth {
    /// The order.
    pub order: Id<Order>,
    /// For how much goods are kept of it, in minor units; nothing when it is not paid.
    pub kept: i64,
    /// For how much there were.
    pub whole: i64,
    /// The currency.
    pub currency: Currency,
}

/// Judges a referral, both of whose members are locked, by the friend's first order.
///
/// # Errors
/// What the store says.
pub(crate) fn review(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (mut one, first): (Referral, Option<Worth>),
) -> Result<(), Failure> {
    let (friend, by) = (member::find(tx, one.friend)?, member::find(tx, one.member)?);
    let version = super::programme::find_version(tx, friend.programme, one.number)?;
    let lost = || StoreError::Corrupt(format!("member {} came by no referral", one.friend));
    let terms = version.terms.referral.clone().ok_or_else(lost)?;
    let now = world.now();
    one.review_at = None;
    let judged = match first {
        None => Some((State::Refused, Some(Why::TooLate))),
        Some(Worth { order, kept, whole, currency }) => {
            let due_at = one.left_at.map(|at| at.plus_seconds(terms.wait_days * DAY_SECONDS));
            let since = terms.period_since(now, &version.terms.zone);
            let is_full = match terms.member_max {
                Some(most) => rows::rewarded_since(tx, by.id, since)? >= most,
                None => false,
            };
            let is_same = is_same(tx, &friend, &by)? || rows::paid_alike(tx, order, by.customer)?;
            let facts = Facts {
                state: one.state,
                is_kept: terms.is_enough(kept, currency),
                was_enough: terms.is_enough(whole, currency),
                due_at,
                is_same,
                is_full,
                take_part: member::current(tx, friend.id)?.state == MemberState::Active
                    && member::current(tx, by.id)?.state == MemberState::Active,
            };
            if one.state == State::Ordered {
                one.review_at = due_at.filter(|at| *at > now);
            }
            rules::judge(&facts, now)
        }
    };
    if let Some((state, why)) = judged {
        (one.state, one.why) = (state, why);
        go(tx, actor, world, (&mut one, &terms), &version.terms)?;
    }
    Ok(rows::update(tx, &one)?)
}

/// Does what follows from a judgement: points are given to both, or taken back.
fn go(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (one, terms): (&mut Referral, &Terms),
    programme: &Programme,
) -> Result<(), Failure> {
    let cause = || Some(("referral", one.friend.to_string()));
    let kind = match one.state {
        State::Rewarded => {
            one.rewarded_at = Some(world.now());
            "referral.rewarded"
        }
        State::Revoked => {
            one.rewarded_at = None;
            "referral.revoked"
        }
        _ => "referral.refused",
    };
    let (points, friend_points) = match one.state {
        State::Rewarded => (terms.points, terms.friend_points),
        _ => (0, 0),
    };
    for (of, change) in [(one.member, points - one.points), (one.friend, friend_points - one.friend_points)] {
        points::give_or_take(tx, actor, world, (of, one.number, programme), (change, cause()))?;
    }
    (one.points, one.friend_points) = (points, friend_points);
    let body = json!({ "friend": one.friend.to_string(), "why": one.why.map(Why::text), "points": points, "friend_points": friend_points });
    emit(tx, actor, world, one.member, kind, body);
    Ok(())
}

/// By whom a member came. Who may see it was asked when the member was [read](member::read).
///
/// # Errors
/// What the store says.
pub fn came_by(tx: &mut Tx<'_>, of: &Member) -> Result<Option<Referral>, Failure> {
    Ok(rows::find(tx, of.id)?)
}

/// The friends a member brought before one, the latest enrolled first. Who may see them was asked when the member was [read](member::read).
///
/// # Errors
/// What the store says.
pub fn friends(
    tx: &mut Tx<'_>,
    of: &Member,
    before: Id<MemberKind>,
    limit: i64,
) -> Result<Vec<Referral>, Failure> {
    Ok(rows::of_member(tx, of.id, before, limit)?)
}
