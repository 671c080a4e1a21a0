//! Rows for trials of loyalty programmes: what members bought.

use domain::value::id::{LoyaltyProgramme, Member, Order};
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// An order of a member, and since when he takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought {
    /// The order.
    pub order: Id<Order>,
    /// When it was placed.
    pub placed_at: Instant,
    /// Who bought.
    pub member: Id<Member>,
}

/// Orders that members of a programme placed before an instant and after one of them, at most `limit`, the earliest first.
///
/// # Errors
/// What the store says.
pub fn bought(
    tx: &mut Tx<'_>,
    programme: Id<LoyaltyProgramme>,
    (after, id): (Instant, Id<Order>),
    until: Instant,
    limit: i64,
) -> Result<Vec<Bought>, StoreError> {
    tx.rows(
        "select h.order_id, h.placed_at, m.member_id from order_head h
         join member_of_customer o on o.customer_id = h.customer_id and o.loyalty_programme_id = $1
         join member m on m.member_id = o.member_id
         where h.placed_at >= $2 and h.placed_at < $3 and (h.placed_at > $2 or h.order_id > $4) and m.enrolled_at <= h.placed_at
         order by h.placed_at, h.order_id limit $5",
        params![programme, after, until, id, limit],
        |row| Ok(Bought { order: row.id()?, placed_at: row.instant()?, member: row.id()? }),
    )
}
