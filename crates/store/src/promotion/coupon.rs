//! The rows of coupons.

use domain::promotion::limit::Scope;
use domain::value::id::{Coupon as CouponKind, CouponBatch, Promotion};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A code that opens a promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Its identity.
    pub id: Id<CouponKind>,
    /// The code.
    pub code: String,
    /// What it opens.
    pub promotion: Id<Promotion>,
    /// The coupons it was made with.
    pub batch: Option<Id<CouponBatch>>,
    /// How many orders may use it; any number when `None`.
    pub uses_max: Option<i64>,
    /// Can it be used?
    pub active: bool,
    /// When it was made.
    pub made_at: Instant,
}

fn coupon(row: &mut Row<'_>) -> Result<Coupon, StoreError> {
    Ok(Coupon {
        id: row.id()?,
        code: row.text()?,
        promotion: row.id()?,
        batch: row.id_or_null()?,
        uses_max: row.int_or_null()?,
        active: row.yes()?,
        made_at: row.instant()?,
    })
}

/// Adds a coupon; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, own: &Coupon) -> Result<bool, StoreError> {
    let added = tx.execute(
        "insert into coupon (code, coupon_id, promotion_id, batch_id, uses_max, active, made_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (code) do nothing",
        params![&own.code, own.id, own.promotion, own.batch, own.uses_max, own.active, own.made_at],
    )?;
    if added == 1 {
        tx.execute(
            "insert into coupon_of_promotion (promotion_id, coupon_id, code) values ($1, $2, $3)",
            params![own.promotion, own.id, &own.code],
        )?;
    }
    Ok(added == 1)
}

/// The coupon with this code.
///
/// # Errors
/// What the store says.
pub fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Coupon>, StoreError> {
    tx.one(
        "select coupon_id, code, promotion_id, batch_id, uses_max, active, made_at from coupon where code = $1",
        params![code],
        coupon,
    )
}

/// The code of a promotion's coupon, and whether it can be used; nobody else uses or stops it until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(
    tx: &mut Tx<'_>,
    (promotion, id): (Id<Promotion>, Id<CouponKind>),
) -> Result<Option<(String, bool)>, StoreError> {
    tx.one(
        "select code, active from coupon where code = (select o.code from coupon_of_promotion o where o.promotion_id = $1 and o.coupon_id = $2) {lock}",
        params![promotion, id],
        |row| Ok((row.text()?, row.yes()?)),
    )
}

/// The code of a promotion's coupon.
///
/// # Errors
/// What the store says.
pub fn code_of(
    tx: &mut Tx<'_>,
    (promotion, id): (Id<Promotion>, Id<CouponKind>),
) -> Result<Option<String>, StoreError> {
    tx.one(
        "select code from coupon_of_promotion where promotion_id = $1 and coupon_id = $2",
        params![promotion, id],
        |row| row.text(),
    )
}

/// By how many orders a coupon is used.
///
/// # Errors
/// What the store says.
pub fn uses(tx: &mut Tx<'_>, (promotion, id): (Id<Promotion>, Id<CouponKind>)) -> Result<i64, StoreError> {
    let found = tx.one(
        "select cast(coalesce(max(uses), 0) as {int}) from promotion_used where promotion_id = $1 and scope = $2 and holder = $3",
        params![promotion, Scope::Coupon.code(), id],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Stops a coupon: it cannot be used any more.
///
/// # Errors
/// What the store says.
pub fn stop(tx: &mut Tx<'_>, code: &str) -> Result<(), StoreError> {
    tx.execute("update coupon set active = $2 where code = $1", params![code, false])?;
    Ok(())
}

/// The codes of a promotion's coupons after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    promotion: Id<Promotion>,
    after: Id<CouponKind>,
    limit: i64,
) -> Result<Vec<(Id<CouponKind>, String)>, StoreError> {
    tx.rows(
        "select coupon_id, code from coupon_of_promotion where promotion_id = $1 and coupon_id > $2 order by coupon_id limit $3",
        params![promotion, after, limit],
        |row| Ok((row.id()?, row.text()?)),
    )
}

/// All coupons after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn all(tx: &mut Tx<'_>, after: Id<CouponKind>, limit: i64) -> Result<Vec<Coupon>, StoreError> {
    tx.rows(
        "select coupon_id, code, promotion_id, batch_id, uses_max, active, made_at from coupon
         where coupon_id > $1 order by coupon_id limit $2",
        params![after, limit],
        coupon,
    )
}
