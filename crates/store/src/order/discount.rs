//! The rows of what lowered an order's lines and delivery.

use domain::value::Id;
use domain::value::id::{Coupon, Order, OrderLine, Promotion};

use crate::{StoreError, Tx, params};

/// That a promotion lowered a line of an order, or its delivery; frozen when the order was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discount {
    /// The line; the delivery when `None`.
    pub line: Option<Id<OrderLine>>,
    /// By which promotion.
    pub promotion: Id<Promotion>,
    /// Which coupon opened it.
    pub coupon: Option<Id<Coupon>>,
    /// On so many base units.
    pub quantity: i64,
    /// By so many minor units.
    pub minor: i64,
}

/// Adds what lowered an order.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, order: Id<Order>, discounts: &[Discount]) -> Result<(), StoreError> {
    for (place, own) in (0i64..).zip(discounts) {
        tx.execute(
            "insert into order_discount (order_id, place, line_id, promotion_id, coupon_id, quantity, minor) values ($1, $2, $3, $4, $5, $6, $7)",
            params![order, place, own.line, own.promotion, own.coupon, own.quantity, own.minor],
        )?;
    }
    Ok(())
}

/// What lowered an order.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Discount>, StoreError> {
    tx.rows(
        "select line_id, promotion_id, coupon_id, quantity, minor from order_discount where order_id = $1 order by place",
        params![order],
        |row| {
            Ok(Discount {
                line: row.id_or_null()?,
                promotion: row.id()?,
                coupon: row.id_or_null()?,
                quantity: row.int()?,
                minor: row.int()?,
            })
        },
    )
}

/// Orders whose discounts are not what was counted of their promotions, or that were cancelled and still count: with the promotion, what
/// the order gave and what is counted.
///
/// # Errors
/// What the store says.
pub fn miscounted(
    tx: &mut Tx<'_>,
    cancelled: i64,
) -> Result<Vec<(Id<Order>, Id<Promotion>, i64, i64)>, StoreError> {
    tx.rows(
        "select d.order_id, d.promotion_id, d.minor, cast(coalesce(p.minor, 0) as bigint) from (
             select o.order_id as order_id, o.promotion_id as promotion_id, h.state as state, cast(sum(o.minor) as bigint) as minor
             from order_discount o join order_head h on h.order_id = o.order_id group by o.order_id, o.promotion_id, h.state
         ) d left join promotion_use p on p.promotion_id = d.promotion_id and p.order_id = d.order_id and p.scope = 1 and p.period = 1
         where p.minor is null or p.minor <> d.minor or (p.released = 0) = (d.state = $1)
         order by d.order_id, d.promotion_id limit $2",
        params![cancelled, crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.id()?, row.int()?, row.int()?)),
    )
}
