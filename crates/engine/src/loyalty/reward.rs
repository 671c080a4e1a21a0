//! Rewards: points exchanged for a coupon, a gift card or store credit, in two phases within one transaction; taken back as long as nothing of
//! it was used.

use domain::actor::{Actor, Permission, Who};
use domain::loyalty::State as Place;
use domain::loyalty::points::MemberState;
use domain::loyalty::reward::{Gives, Kind, REWARDS_MAX, State, Terms};
use domain::promotion::coupon as codes;
use domain::value::id::{Coupon, GiftCard, LoyaltyProgramme, Redemption as RedemptionKind};
use domain::value::id::{Reward as RewardKind, StoreCredit};
use domain::value::{Id, Zone};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::loyalty::{programme, reward as rows};

pub use store::loyalty::reward::{Redemption, Reward};

use super::member::{self, Member};
use super::{Cause, gift_card, household, purse, store_credit, tier};
use crate::event::emit;
use crate::promotion::coupon::{self, NewCoupon};
use crate::{Failure, World, customer, edit};

/// Offers a reward for points.
///
/// # Errors
/// [`Code::AlreadyExists`] for a code that is taken, [`Code::Invalid`] naming every bad term.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (programme, code): (Id<LoyaltyProgramme>, String),
    terms: Terms,
) -> Result<Reward, Failure> {
    may_edit(tx, actor, &terms)?;
    let Some(programme) = programme::lock(tx, programme)? else {
        return Err(Refusal::not_found("loyalty programme", programme).into());
    };
    let known = rows::list(tx, programme.id, REWARDS_MAX)?;
    if known.iter().any(|one| one.code == code) {
        return Err(edit::code_taken::<RewardKind>(&code).into());
    }
    if known.len() as i64 >= REWARDS_MAX {
        let why = format!("there are {REWARDS_MAX} rewards; change one of them");
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let (id, made_at) = (world.id(), world.now());
    let one =
        Reward { id, programme: programme.id, code, terms: terms.checked()?, given: 0, version: 1, made_at };
    rows::add(tx, &one)?;
    tell(tx, actor, world, &one);
    Ok(one)
}

/// Says something else of a reward; what was given stays as it was.
///
/// # Errors
/// [`Code::Stale`] when it is not as it was read, [`Code::NotFound`], [`Code::Invalid`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, read): (Id<RewardKind>, Option<i64>),
    terms: Terms,
) -> Result<Reward, Failure> {
    may_edit(tx, actor, &terms)?;
    let old = load(tx, id)?;
    edit::unchanged(id, old.version, read)?;
    let one = Reward { terms: terms.checked()?, version: old.version + 1, ..old };
    if !rows::update(tx, &one)? {
        return Err(edit::stale(id).into());
    }
    tell(tx, actor, world, &one);
    Ok(one)
}

/// Who writes programmes says what points are worth, in rewards too; money is offered by who may also give it, and a coupon needs a
/// promotion that coupons open.
fn may_edit(tx: &mut Tx<'_>, actor: &Actor, terms: &Terms) -> Result<(), Failure> {
    actor.may(Permission::EditLoyalty, None)?;
    if terms.gives.kind().is_money() {
        actor.may(Permission::GiveCredit, None)?;
    }
    let Gives::Coupon(promotion) = terms.gives else { return Ok(()) };
    coupon::may_open(tx, promotion).map_err(|failure| match failure {
        Failure::Refused(refusal) => Failure::from(refusal.at("promotion")),
        other => other,
    })
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Reward) {
    let body = json!({ "programme": one.programme.to_string(), "code": one.code, "version": one.version, "active": one.terms.active });
    emit(tx, actor, world, one.id, "reward.written", body);
}

fn load(tx: &mut Tx<'_>, id: Id<RewardKind>) -> Result<Reward, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("reward", id).into())
}

/// A reward, for who writes programmes or gives points.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<RewardKind>) -> Result<Reward, Failure> {
    may_see(actor)?;
    load(tx, id)
}

fn may_see(actor: &Actor) -> Result<(), Refusal> {
    actor.may(Permission::EditLoyalty, None).or_else(|_| actor.may_somewhere(Permission::GivePoints))
}

/// The rewards of a programme, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor, programme: Id<LoyaltyProgramme>) -> Result<Vec<Reward>, Failure> {
    may_see(actor)?;
    Ok(rows::list(tx, programme, REWARDS_MAX)?)
}

fn cause(id: Id<RedemptionKind>) -> Cause {
    ("redemption", id.to_string())
}

/// Exchanges a member's points for a reward: they are held, the reward is given, and they are spent. What is given is locked before the member,
/// as in a checkout.
///
/// # Errors
/// [`Code::Forbidden`], also for staff who may not give the money a reward is; [`Code::AmountExceeded`] when the member has fewer points or none of the reward is left; [`Code::WrongState`] when it is not
/// given now, or not to this member, or not as often.
pub fn redeem(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
    reward: Id<RewardKind>,
) -> Result<Redemption, Failure> {
    member::may(actor, of.customer)?;
    let found = rows::find(tx, reward)?.filter(|one| one.programme == of.programme);
    let one = found.ok_or_else(|| Refusal::invalid("reward", "the programme has no such reward"))?;
    if one.terms.gives.kind().is_money() && actor.who != Who::Customer(of.customer) {
        actor.may_somewhere(Permission::GiveCredit)?;
    }
    let id: Id<RedemptionKind> = world.id();
    if let Gives::StoreCredit(money) = one.terms.gives {
        customer::stay(tx, of.customer)?;
        store_credit::lock(tx, of.customer, money.currency())?;
    }
    let (outcome, promotion, minor) = give(tx, &actor.trusted(), world, (of, id), one.terms.gives)?;
    let member = member::lock(tx, of.id)?;
    may_have(tx, actor, world, &member, &one)?;
    if !rows::take_one(tx, one.id)? {
        let message = format!("none is left of reward \"{}\"; choose another", one.code);
        return Err(Refusal::new(Code::AmountExceeded, message).at("reward").into());
    }
    let sharing = programme::in_force(tx, member.programme, world.now())?.and_then(|own| own.terms.sharing);
    let paid_by = household::spends_from(tx, &member, sharing.as_ref())?;
    member::lock(tx, paid_by)?;
    let credit = member::credit_of(paid_by);
    let hold = super::hold(tx, actor, world, &credit, (one.terms.points, None), cause(id))?;
    purse::put_into(tx, world, paid_by, (id.shared_with(), one.terms.points))?;
    super::spend(tx, actor, world, &credit, (hold, one.terms.points))?;
    let redemption = Redemption {
        member: member.id,
        id,
        paid_by,
        reward: one.id,
        kind: one.terms.gives.kind(),
        outcome,
        promotion,
        minor,
        points: one.terms.points,
        state: State::Given,
        made_at: world.now(),
        taken_back_at: None,
    };
    rows::add_redemption(tx, &redemption)?;
    let body =
        json!({ "redemption": id.to_string(), "reward": one.id.to_string(), "points": one.terms.points });
    emit(tx, actor, world, member.id, "reward.given", body);
    Ok(redemption)
}

/// May a member have a reward now?
fn may_have(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    member: &Member,
    one: &Reward,
) -> Result<(), Failure> {
    let refuse = |why: String| Err(Refusal::new(Code::WrongState, why).at("reward").into());
    if !one.terms.active || member.state == MemberState::Ended {
        return refuse(format!("reward \"{}\" is not given now; choose another", one.code));
    }
    let version = programme::in_force(tx, member.programme, world.now())?;
    if let Some(least) = &one.terms.tier
        && !tier::is_at_least(tx, actor, world, (member.id, version.as_ref()), least)?
    {
        return refuse(format!("reward \"{}\" is given from tier \"{least}\" on", one.code));
    }
    if let Some(most) = one.terms.member_max {
        let zone = version.map(|version| version.terms.zone).or_else(|| Zone::parse("UTC").ok());
        let since =
            zone.map(|zone| one.terms.since(world.now(), &zone)).unwrap_or(domain::value::Instant::EPOCH);
        let had = rows::given_since(tx, (member.id, one.id), since)?;
        if had >= most {
            let period = one.terms.period.text();
            return refuse(format!(
                "the member had reward \"{}\" {had} times, as often as it is given (period: {period})",
                one.code
            ));
        }
    }
    Ok(())
}

/// The bytes of what was given, what a coupon opens, and how much money it is.
type Outcome = ([u8; 16], Option<Id<domain::value::id::Promotion>>, Option<i64>);

fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (member, id): (&Member, Id<RedemptionKind>),
    gives: Gives,
) -> Result<Outcome, Failure> {
    Ok(match gives {
        Gives::Coupon(promotion) => {
            let code = codes::drawn("R", world.bytes());
            let made = coupon::create(tx, actor, world, promotion, NewCoupon { code, uses_max: Some(1) })?;
            (made.id.bytes(), Some(promotion), None)
        }
        Gives::GiftCard(money) => {
            let card = gift_card::sell(tx, actor, world, money, None, cause(id))?;
            (card.id.bytes(), None, Some(money.minor()))
        }
        Gives::StoreCredit(money) => {
            let one = store_credit::of(tx, actor, world, member.customer, money.currency())?;
            let line = ("issued", Place::Issued, Place::Balance, money.minor());
            super::moved(tx, actor, world, &store_credit::credit(&one), line, Some(cause(id)))?;
            (one.id.bytes(), None, Some(money.minor()))
        }
    })
}

/// Takes a reward back of which nothing was used: the points return to the lots they came from, with the expiry they had. Doing it twice is
/// the same as once. What was given is locked before the member, as in a checkout.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] when something of it was used.
pub fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: &Member,
    id: Id<RedemptionKind>,
) -> Result<Redemption, Failure> {
    member::may(actor, of.customer)?;
    let missing = || Refusal::not_found("redemption", id);
    let mut one = rows::lock_redemption(tx, of.id, id)?.ok_or_else(missing)?;
    if one.state == State::TakenBack {
        return Ok(one);
    }
    if !undo(tx, &actor.trusted(), world, &one)? {
        let message = format!("the {} was used, or is set aside; it stays given", one.kind.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let member = member::lock(tx, of.id)?;
    member::lock(tx, one.paid_by)?;
    super::unspend(tx, actor, world, &member::credit_of(one.paid_by), one.points, cause(id))?;
    purse::put_back(tx, actor, world, one.paid_by, (id.shared_with(), one.points))?;
    rows::put_one_back(tx, one.reward)?;
    (one.state, one.taken_back_at) = (State::TakenBack, Some(world.now()));
    rows::take_back(tx, &one)?;
    let body =
        json!({ "redemption": id.to_string(), "reward": one.reward.to_string(), "points": one.points });
    emit(tx, actor, world, member.id, "reward.taken_back", body);
    Ok(one)
}

/// Takes back what was given; false when something of it was used. Its book is locked first, as in a checkout.
fn undo(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Redemption) -> Result<bool, Failure> {
    let minor = one.minor.unwrap_or(0);
    if one.kind.is_money() {
        store::ledger::lock_books(tx, &mut vec![Id::from_bytes(one.outcome)])?;
    }
    match (one.kind, one.promotion) {
        (Kind::Coupon, Some(promotion)) => {
            coupon::withdraw(tx, actor, world, (promotion, Id::<Coupon>::from_bytes(one.outcome)))
        }
        (Kind::Coupon, None) => Ok(false),
        (Kind::GiftCard, _) => {
            let card = Id::<GiftCard>::from_bytes(one.outcome);
            gift_card::unsell(tx, actor, world, card, minor, cause(one.id))
        }
        (Kind::StoreCredit, _) => {
            let credit =
                store_credit::credit(&store_credit::find(tx, Id::<StoreCredit>::from_bytes(one.outcome))?);
            let credit = store_credit::pool(tx, &credit)?.unwrap_or(credit);
            let line = ("taken_back", Place::Balance, Place::Issued, minor);
            match super::moved(tx, actor, world, &credit, line, Some(cause(one.id))) {
                Err(Failure::Refused(refusal)) if refusal.code() == Code::AmountExceeded => Ok(false),
                other => other.map(|()| true),
            }
        }
    }
}

/// What a member was given for points, with the code of a coupon. Who may see it was asked when the member was [read](member::read).
///
/// # Errors
/// What the store says.
pub fn redemptions(
    tx: &mut Tx<'_>,
    of: &Member,
    before: Id<RedemptionKind>,
    limit: i64,
) -> Result<Vec<(Redemption, Option<String>)>, Failure> {
    let found = rows::redemptions(tx, of.id, before, limit)?;
    found.into_iter().map(|one| with_code(tx, one)).collect()
}

/// What a member was given, with the code of a coupon.
///
/// # Errors
/// What the store says.
pub fn with_code(tx: &mut Tx<'_>, one: Redemption) -> Result<(Redemption, Option<String>), Failure> {
    let code = match one.promotion {
        Some(promotion) => coupon::code_of(tx, (promotion, Id::from_bytes(one.outcome)))?,
        None => None,
    };
    Ok((one, code))
}
