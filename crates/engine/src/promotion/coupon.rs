//! Coupons: a code of the retailer's own, or many codes drawn together.

use domain::actor::{Actor, Permission};
use domain::promotion::coupon as rules;
use domain::value::Id;
use domain::value::id::{Coupon as CouponKind, CouponBatch, Promotion};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::promotion::coupon as rows;

pub use store::promotion::coupon::Coupon;

use crate::event::emit;
use crate::{Failure, World};

/// The highest number of uses of a coupon.
const USES_MAX: i64 = 1_000_000_000;

/// A coupon to be made.
#[derive(Clone, Debug)]
pub struct NewCoupon {
    /// Its code.
    pub code: String,
    /// How many orders may use it; any number when `None`.
    pub uses_max: Option<i64>,
}

/// Coupons to be made together.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// What all codes begin with.
    pub prefix: String,
    /// How many.
    pub count: i64,
    /// How many orders may use each; any number when `None`.
    pub uses_max: Option<i64>,
}

/// Makes a coupon.
///
/// # Errors
/// [`Code::AlreadyExists`] when the code is taken, [`Code::Invalid`], [`Code::NotFound`] for the promotion, [`Code::WrongState`] when it
/// needs no coupon.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    promotion: Id<Promotion>,
    new: NewCoupon,
) -> Result<Coupon, Failure> {
    begin(tx, actor, promotion, new.uses_max)?;
    let coupon = Coupon {
        id: world.id(),
        code: rules::code(&new.code)?,
        promotion,
        batch: None,
        uses_max: new.uses_max,
        active: true,
        made_at: world.now(),
    };
    if !rows::add(tx, &coupon)? {
        let message = format!("the code {} is taken; choose another", coupon.code);
        return Err(Refusal::new(Code::AlreadyExists, message).at("code").into());
    }
    let body = json!({ "promotion": promotion.to_string(), "uses_max": coupon.uses_max });
    emit(tx, actor, world, coupon.id, "coupon.created", body);
    Ok(coupon)
}

/// Makes many coupons with drawn codes.
///
/// # Errors
/// As [`create`].
pub fn create_batch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    promotion: Id<Promotion>,
    new: NewBatch,
) -> Result<(Id<CouponBatch>, Vec<Coupon>), Failure> {
    begin(tx, actor, promotion, new.uses_max)?;
    if !(1..=rules::BATCH_MAX).contains(&new.count) {
        return Err(Refusal::invalid("count", format!("give 1 to {}", rules::BATCH_MAX)).into());
    }
    let prefix = rules::prefix(&new.prefix)?;
    let batch: Id<CouponBatch> = world.id();
    let mut coupons = Vec::new();
    while (coupons.len() as i64) < new.count {
        let coupon = Coupon {
            id: world.id(),
            code: rules::drawn(&prefix, world.bytes()),
            promotion,
            batch: Some(batch),
            uses_max: new.uses_max,
            active: true,
            made_at: world.now(),
        };
        if rows::add(tx, &coupon)? {
            coupons.push(coupon);
        }
    }
    let body = json!({ "promotion": promotion.to_string(), "count": new.count, "uses_max": new.uses_max });
    emit(tx, actor, world, batch, "coupon_batch.created", body);
    Ok((batch, coupons))
}

/// The codes of a promotion's coupons after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`]: who knows a code can use it.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    promotion: Id<Promotion>,
    after: Id<CouponKind>,
    limit: i64,
) -> Result<Vec<(Id<CouponKind>, String)>, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    super::load(tx, promotion)?;
    Ok(rows::list(tx, promotion, after, limit)?)
}

/// The coupon of a code that a customer gives.
///
/// # Errors
/// [`Code::Invalid`] pointing at `code` when there is no such coupon.
pub fn given(tx: &mut Tx<'_>, code: &str) -> Result<Coupon, Failure> {
    let code = rules::code(code)?;
    let unknown =
        || Refusal::invalid("code", format!("no coupon \"{code}\"; look whether it is typed right"));
    Ok(rows::by_code(tx, &code)?.filter(|coupon| coupon.active).ok_or_else(unknown)?)
}

/// The code of a promotion's coupon. The caller has asked for the permission.
///
/// # Errors
/// What the store says.
pub(crate) fn code_of(
    tx: &mut Tx<'_>,
    of: (Id<Promotion>, Id<CouponKind>),
) -> Result<Option<String>, Failure> {
    Ok(rows::code_of(tx, of)?)
}

/// Stops a coupon that no order uses; false when one does. An order that is just being placed with it is waited for.
///
/// # Errors
/// What the store says.
pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: (Id<Promotion>, Id<CouponKind>),
) -> Result<bool, Failure> {
    let Some((code, true)) = rows::lock(tx, of)? else { return Ok(false) };
    if rows::uses(tx, of)? > 0 {
        return Ok(false);
    }
    rows::stop(tx, &code)?;
    emit(tx, actor, world, of.1, "coupon.stopped", json!({ "promotion": of.0.to_string() }));
    Ok(true)
}

/// Can a promotion be opened by coupons?
///
/// # Errors
/// [`Code::NotFound`], [`Code::WrongState`] when it needs none.
pub(crate) fn may_open(tx: &mut Tx<'_>, promotion: Id<Promotion>) -> Result<(), Failure> {
    let own = super::load(tx, promotion)?.promotion;
    if !super::shape(&own)?.needs_coupon {
        let message = format!("promotion {promotion} needs no coupon; say so in its terms first");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(())
}

fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    promotion: Id<Promotion>,
    uses_max: Option<i64>,
) -> Result<(), Failure> {
    actor.may(Permission::EditPromotions, None)?;
    if uses_max.is_some_and(|most| !(1..=USES_MAX).contains(&most)) {
        return Err(Refusal::invalid("uses_max", format!("give 1 to {USES_MAX}")).into());
    }
    may_open(tx, promotion)
}
