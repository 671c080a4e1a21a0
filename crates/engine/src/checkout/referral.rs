//! Referral and orders: the duty that judges what became of friends' first orders.

use domain::actor::Actor;
use domain::order::{State, share};
use domain::value::Id;
use domain::value::id::Order;
use store::Tx;
use store::loyalty::referral as rows;

use crate::loyalty::member;
use crate::loyalty::referral::{self, Worth};
use crate::order::{self, Line};
use crate::{Failure, World};

/// The most referrals one run of the duty judges.
const BATCH: i64 = 100;

/// The duty that judges referrals of which something changed, or whose time has come; true when there may be more.
///
/// # Errors
/// What the store says.
pub fn review_due(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let due = rows::due(tx, world.now(), BATCH)?;
    let both: Vec<_> = due.iter().flat_map(|(friend, by)| [*friend, *by]).collect();
    member::lock_all(tx, &both)?;
    for (friend, _) in &due {
        let found = rows::find(tx, *friend)?;
        let Some(one) = found.filter(|one| one.review_at.is_some_and(|at| at <= world.now())) else {
            continue;
        };
        let first = one.order.map(|order| worth(tx, order)).transpose()?;
        referral::review(tx, actor, world, (one, first))?;
    }
    Ok(due.len() as i64 == BATCH)
}

/// What is kept of an order's goods, if it is paid.
fn worth(tx: &mut Tx<'_>, id: Id<Order>) -> Result<Worth, Failure> {
    let (order, lines) = (order::find(tx, id)?, store::order::lines(tx, id)?);
    let stays = |line: &Line| line.quantity - line.cancelled - line.returned;
    let kept = lines.iter().map(|line| share(line.gross, line.quantity, 0, stays(line))).sum();
    let is_paid = order.state != State::Cancelled && order::sums(tx, &order)?.missing() == 0;
    let whole = lines.iter().map(|line| line.gross).sum();
    Ok(Worth { order: id, kept: if is_paid { kept } else { 0 }, whole, currency: order.currency })
}
