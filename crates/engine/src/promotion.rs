//! Promotions: made as drafts, put in force, ended, each version kept; their coupons; what carts find of them and what orders use.

pub mod apply;
pub mod coupon;
pub mod redeem;

use domain::actor::{Actor, Permission};
use domain::promotion::limit::{self, Limit};
use domain::promotion::{self as rules, State};
use domain::value::Id;
use domain::value::id::Promotion as Kind;
use domain::value::text::Name;
use domain::{Code, Refusal};
use pricing::promotion::PromotionShape;
use serde_json::json;
use store::{StoreError, Tx, promotion as rows};

pub use store::promotion::Promotion;

use crate::edit;
use crate::event::emit;
use crate::{Failure, World};

/// A promotion with its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// The promotion.
    pub promotion: Promotion,
    /// Its limits.
    pub limits: Vec<Limit>,
}

/// A promotion to be made.
#[derive(Clone, Debug)]
pub struct NewPromotion {
    /// What people call it.
    pub name: Name,
    /// What it says.
    pub terms: PromotionShape,
    /// Its limits.
    pub limits: Vec<Limit>,
}

/// What changes about a promotion; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What people call it.
    pub name: Option<Name>,
    /// What it says.
    pub terms: Option<PromotionShape>,
    /// Its limits.
    pub limits: Option<Vec<Limit>>,
}

/// Makes a promotion, as a draft that lowers nothing yet.
///
/// # Errors
/// [`Code::Invalid`] naming every field at fault, [`Code::Forbidden`].
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewPromotion,
) -> Result<Limited, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    let id = world.id();
    check(&new.terms, &new.limits, id)?;
    let promotion = Promotion {
        id,
        name: new.name.as_str().to_owned(),
        state: State::Draft,
        terms: written(&new.terms)?,
        version: 1,
        made_at: world.now(),
        changed_at: world.now(),
    };
    rows::add(tx, &promotion)?;
    rows::set_limits(tx, id, &new.limits)?;
    tell(tx, actor, world, "promotion.created", &promotion);
    Ok(Limited { promotion, limits: rows::limits(tx, id)? })
}

/// Changes a promotion that has not ended. One in force goes on with what it says now.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`], [`Code::WrongState`] once it has ended, and as [`create`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<Kind>, Option<i64>),
    change: Change,
) -> Result<Limited, Failure> {
    let Limited { mut promotion, mut limits } = begin(tx, actor, (id, version))?;
    if promotion.state == State::Ended {
        return Err(wrong_state(&promotion).into());
    }
    let old = words(&promotion)?;
    if let Some(terms) = &change.terms {
        promotion.terms = written(terms)?;
    }
    edit::set(&mut limits, change.limits);
    edit::set(&mut promotion.name, change.name.map(|name| name.as_str().to_owned()));
    check(&shape(&promotion)?, &limits, id)?;
    rows::set_limits(tx, id, &limits)?;
    finish(tx, actor, world, promotion, &old)
}

/// Puts a draft in force, or ends a promotion. The same again changes nothing.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`], [`Code::WrongState`] for a step back.
pub fn step(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<Kind>, Option<i64>),
    to: State,
) -> Result<Limited, Failure> {
    let Limited { mut promotion, limits } = begin(tx, actor, (id, version))?;
    if promotion.state == to {
        return Ok(Limited { promotion, limits });
    }
    if to.code() < promotion.state.code() {
        return Err(wrong_state(&promotion).into());
    }
    let old = words(&promotion)?;
    promotion.state = to;
    finish(tx, actor, world, promotion, &old)
}

/// The promotion with this id.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<Kind>) -> Result<Limited, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    load(tx, id)
}

/// The promotions after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: Id<Kind>, limit: i64) -> Result<Vec<Limited>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let found = rows::list(tx, after, limit)?;
    found
        .into_iter()
        .map(|promotion| Ok(Limited { limits: rows::limits(tx, promotion.id)?, promotion }))
        .collect()
}

fn load(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Limited, Failure> {
    let promotion = read_any(tx, id)?;
    Ok(Limited { limits: rows::limits(tx, id)?, promotion })
}

fn begin(tx: &mut Tx<'_>, actor: &Actor, (id, version): (Id<Kind>, Option<i64>)) -> Result<Limited, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    let own = load(tx, id)?;
    match version {
        Some(version) if version != own.promotion.version => Err(edit::stale(id).into()),
        _ => Ok(own),
    }
}

fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut promotion: Promotion,
    old: &[String],
) -> Result<Limited, Failure> {
    promotion.version += 1;
    promotion.changed_at = world.now();
    if !rows::change(tx, &promotion)? {
        return Err(edit::stale(promotion.id).into());
    }
    rows::set_words(tx, promotion.id, old, &words(&promotion)?)?;
    tell(tx, actor, world, "promotion.changed", &promotion);
    Ok(Limited { limits: rows::limits(tx, promotion.id)?, promotion })
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, kind: &'static str, promotion: &Promotion) {
    let body = json!({ "state": promotion.state.text(), "version": promotion.version });
    emit(tx, actor, world, promotion.id, kind, body);
}

fn wrong_state(promotion: &Promotion) -> Refusal {
    let message = format!("promotion {} is {}; make a new one", promotion.id, promotion.state.text());
    Refusal::new(Code::WrongState, message)
}

/// What a promotion in force is found by; nothing finds another.
fn words(promotion: &Promotion) -> Result<Vec<String>, Failure> {
    if promotion.state != State::Active {
        return Ok(Vec::new());
    }
    Ok(rules::rules::words_of(&rule(promotion)?))
}

fn check(terms: &PromotionShape, limits: &[Limit], id: Id<Kind>) -> Result<(), Failure> {
    let promotion = terms.read(id).map_err(|refusal| refusal.within("terms"))?;
    let own = rules::check(&promotion).map_err(|refusal| refusal.within("terms")).err();
    let limits = limit::check(limits, &promotion).err();
    match Refusal::all(own.into_iter().chain(limits).collect()) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn written(terms: &PromotionShape) -> Result<String, Failure> {
    serde_json::to_string(terms).map_err(|error| StoreError::Corrupt(error.to_string()).into())
}

/// What a promotion says, as it is kept.
///
/// # Errors
/// [`StoreError::Corrupt`] when the books hold something else.
pub fn shape(promotion: &Promotion) -> Result<PromotionShape, Failure> {
    serde_json::from_str(&promotion.terms)
        .map_err(|error| StoreError::Corrupt(format!("promotion {}: {error}", promotion.id)).into())
}

/// The promotion with this id, for whom that was settled before.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn read_any(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Promotion, Failure> {
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("promotion", id))?)
}

/// The promotion as the price engine sees it.
pub(crate) fn rule(promotion: &Promotion) -> Result<rules::Promotion, Failure> {
    let read = shape(promotion)?.read(promotion.id);
    read.map_err(|error| StoreError::Corrupt(format!("promotion {}: {error}", promotion.id)).into())
}
