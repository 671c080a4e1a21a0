//! The rows of coupons that lie in carts.

use domain::value::Id;
use domain::value::id::{Cart, Coupon, Promotion};

use crate::{StoreError, Tx, params};

/// A coupon in a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its code.
    pub code: String,
    /// The coupon.
    pub coupon: Id<Coupon>,
    /// What it opens.
    pub promotion: Id<Promotion>,
}

/// The coupons in a cart, in the order they were given.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, cart: Id<Cart>) -> Result<Vec<Given>, StoreError> {
    tx.rows(
        "select code, coupon_id, promotion_id from cart_coupon where cart_id = $1 order by place, code",
        params![cart],
        |row| Ok(Given { code: row.text()?, coupon: row.id()?, promotion: row.id()? }),
    )
}

/// Puts a coupon into a cart; nothing changes when it is there already.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, cart: Id<Cart>, given: &Given, place: i64) -> Result<(), StoreError> {
    tx.execute(
        "insert into cart_coupon (cart_id, code, coupon_id, promotion_id, place) values ($1, $2, $3, $4, $5)
         on conflict (cart_id, code) do nothing",
        params![cart, &given.code, given.coupon, given.promotion, place],
    )?;
    Ok(())
}

/// Takes a coupon out of a cart; false when it was not in it.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, cart: Id<Cart>, code: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from cart_coupon where cart_id = $1 and code = $2", params![cart, code])? == 1)
}
