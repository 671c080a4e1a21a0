//! Orders: reading them, and the money of each derived from what was frozen and what was paid.

pub mod search;

use domain::actor::{Actor, Permission, Who};
use domain::order::{State, Sums};
use domain::payment::sequence::{Rule, Sequence};
use domain::value::Id;
use domain::value::id::{self, Channel, Company};
use domain::{Code, Refusal};
use store::payment::{self, Payment};
use store::{Tx, order as rows};

pub use store::order::discount::Discount;
pub use store::order::{Figures, Line, Order};

use crate::payment::sequence::followed;
use crate::{Failure, company};

/// The order, or the refusal that there is none.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, id: Id<id::Order>) -> Result<Order, Failure> {
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("order", id).into())
}

/// The order, changed by nobody else until the commit.
///
/// # Errors
/// [`Code::NotFound`].
pub fn lock(tx: &mut Tx<'_>, id: Id<id::Order>) -> Result<Order, Failure> {
    rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("order", id).into())
}

/// Insists that an actor may see an order, as [`sees`].
///
/// # Errors
/// [`Code::NotFound`], so that nobody learns which ids exist.
pub fn may_see(tx: &mut Tx<'_>, actor: &Actor, order: &Order) -> Result<(), Failure> {
    if sees(tx, actor, order)? { Ok(()) } else { Err(Refusal::not_found("order", order.id).into()) }
}

/// May an actor see an order, and do with it what its customer does? Staff with the permission where it was sold; who shops through the same channel
/// and knows its id, which nobody can guess; its customer; and the approvers and administrators of the company it was bought for.
///
/// # Errors
/// What the store says.
pub fn sees(tx: &mut Tx<'_>, actor: &Actor, order: &Order) -> Result<bool, Failure> {
    if actor.may(Permission::ReadOrders, order.location).is_ok() || is_held_by(actor, order) {
        return Ok(true);
    }
    order.company.map_or(Ok(false), |company| company::member::oversees(tx, actor, company))
}

/// Does who asks hold the order: it is his own, or he shops through the channel it was placed in and knows its id, which nobody can guess?
pub fn is_held_by(actor: &Actor, order: &Order) -> bool {
    if let Who::Customer(me) = actor.who {
        return order.customer == Some(me);
    }
    actor.may_somewhere(Permission::Shop).is_ok() && actor.channel == Some(order.channel)
}

/// The id of the order with a number, for staff.
///
/// # Errors
/// [`Code::NotFound`].
pub fn by_number(tx: &mut Tx<'_>, actor: &Actor, number: &str) -> Result<Id<id::Order>, Failure> {
    actor.may_somewhere(Permission::ReadOrders)?;
    rows::by_number(tx, number)?.ok_or_else(|| Refusal::not_found("order", number).into())
}

/// Orders before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`] for who may read orders at some locations only: those are listed per location.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<id::Order>,
    (channel, state): (Option<Id<Channel>>, Option<State>),
    limit: i64,
) -> Result<Vec<Order>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::list(tx, before, channel, state.map_or(0, State::code), limit)?)
}

/// The orders bought in a company's name before one, the newest first; its approvers and administrators see them too.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn of_company(
    tx: &mut Tx<'_>,
    actor: &Actor,
    company: Id<Company>,
    (before, limit): (Id<id::Order>, i64),
) -> Result<Vec<Order>, Failure> {
    company::member::may_oversee(tx, actor, company, Permission::ReadOrders)?;
    let found = rows::owner::of_company(tx, company, before, limit)?;
    found.into_iter().map(|id| find(tx, id)).collect()
}

/// The money of an order: what it was placed at, what was cancelled and came back, and what its payments took and gave back.
///
/// # Errors
/// What the store says.
pub fn sums(tx: &mut Tx<'_>, order: &Order) -> Result<Sums, Failure> {
    Ok(sums_of(order, &payment::of_order(tx, order.id)?))
}

/// The same, when its payments are known.
pub(crate) fn sums_of(order: &Order, payments: &[Payment]) -> Sums {
    let mut sums =
        Sums { gross: order.gross, cancelled: order.cancelled, returned: order.returned, ..Sums::default() };
    for payment in payments {
        let amounts = payment.amounts;
        if !payment.state.has_ended() {
            sums.authorised += amounts.open_to_capture() + amounts.capturing;
        }
        sums.captured += amounts.captured;
        sums.refunded += amounts.refunded + amounts.refunding + amounts.carried;
    }
    sums
}

/// What promotions lowered the lines and the delivery of an order by, as it was frozen when it was placed.
///
/// # Errors
/// [`Code::NotFound`] for an order the asker may not see.
pub fn discounts(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<Discount>, Failure> {
    let order = find(tx, id)?;
    may_see(tx, actor, &order)?;
    Ok(rows::discount::of_order(tx, id)?)
}

/// The payments of an order, in the sequence in which their money is taken.
///
/// # Errors
/// What the store says.
pub(crate) fn to_capture(tx: &mut Tx<'_>, order: &Order) -> Result<Vec<Payment>, Failure> {
    arranged(tx, order, |rule| rule.capture)
}

/// The payments of an order, in the sequence in which their money is given back.
///
/// # Errors
/// What the store says.
pub(crate) fn to_refund(tx: &mut Tx<'_>, order: &Order) -> Result<Vec<Payment>, Failure> {
    arranged(tx, order, |rule| rule.refund)
}

fn arranged(
    tx: &mut Tx<'_>,
    order: &Order,
    part: impl FnOnce(Rule) -> Sequence,
) -> Result<Vec<Payment>, Failure> {
    let mut all = payment::of_order(tx, order.id)?;
    if all.len() > 1 {
        part(followed(tx, order.channel, order.placed_at)?).arrange(&mut all, |one| one.kind);
    }
    Ok(all)
}

/// Moves an order to another state.
///
/// # Errors
/// [`Code::WrongState`] when it cannot go there from where it is.
pub fn go_to(order: &mut Order, state: State) -> Result<(), Failure> {
    if !order.state.next().contains(&state) {
        let message =
            format!("order {} is {} and cannot become {}", order.number, order.state.text(), state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    order.state = state;
    Ok(())
}

/// The figures of each channel over a span of time.
///
/// # Errors
/// What the store says.
pub fn figures(
    tx: &mut Tx<'_>,
    actor: &Actor,
    from: domain::value::Instant,
    until: domain::value::Instant,
) -> Result<Vec<Figures>, Failure> {
    actor.may(Permission::ReadOrders, None)?;
    Ok(rows::figures(tx, from, until)?)
}
