//! Payments with what customers have with us: held on the gift card, store credit or member in the same transaction, spent part by part when it
//! is asked for, free again when the payment ends before. No provider is asked, so nothing is ever waited for.

use domain::actor::Actor;
use domain::loyalty::points::part as part_of;
use domain::market::PaymentKind;
use domain::payment::{PartState, Timing};
use domain::value::Id;
use domain::value::id::{Hold, Member};
use serde_json::json;
use store::payment as rows;
use store::{StoreError, Tx, ledger as books};

use super::{Payment, capture, note};
use crate::loyalty::{self, Credit, gift_card, member, store_credit};
use crate::{Failure, World};

/// What the money is held for.
fn cause(payment: &Payment) -> loyalty::Cause {
    ("payment", payment.id.to_string())
}

/// First phase: sets the payment's amount aside, and takes it when it is to be taken at once.
///
/// # Errors
/// [`domain::Code::AmountExceeded`] when less is on it.
pub(super) fn set_aside(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    credit: &Credit,
) -> Result<(), Failure> {
    let amount = payment.amounts.amount;
    if let Some(points) = payment.points {
        let member = member_of(credit);
        loyalty::purse::lock(tx, member)?;
        loyalty::hold(tx, actor, world, credit, (points, None), cause(payment))?;
        loyalty::purse::put_into(tx, world, member, (payment.id, points))?;
    } else {
        loyalty::hold(tx, actor, world, credit, (amount, None), cause(payment))?;
    }
    if !rows::authorise(tx, payment.id, &credit.subject)? {
        return Err(tx.begin_anew().into());
    }
    note(tx, actor, world, payment, "payment.authorised", json!({ "amount": amount }));
    if payment.timing == Timing::AtOnce {
        capture(tx, &actor.trusted(), world, payment.id, None)?;
    }
    Ok(())
}

/// Second phase: spends part of what was set aside; the rest stays aside.
///
/// # Errors
/// What the ledger says.
pub(super) fn spend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    amount: i64,
) -> Result<(), Failure> {
    let credit = of(tx, payment)?;
    let done = payment.amounts.captured + payment.amounts.capturing;
    let units = units(payment, done, done + amount);
    if units == 0 {
        return Ok(());
    }
    let (hold, held) = aside(tx, payment)?;
    loyalty::spend(tx, actor, world, &credit, (hold, units))?;
    if units < held { keep(tx, actor, world, (payment, &credit), held - units) } else { Ok(()) }
}

/// The other second phase: what was set aside is free again, or this much of it.
///
/// # Errors
/// What the ledger says.
pub(super) fn free(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    part: Option<i64>,
) -> Result<(), Failure> {
    let credit = of(tx, payment)?;
    let allowed = payment.amounts.authorised;
    let part = units(payment, allowed - part.unwrap_or(payment.amounts.open_to_capture()), allowed);
    if part == 0 {
        return Ok(());
    }
    let (hold, held) = aside(tx, payment)?;
    loyalty::release(tx, actor, world, &credit, hold)?;
    if part < held {
        keep(tx, actor, world, (payment, &credit), held - part)?;
    }
    if payment.points.is_some() {
        loyalty::purse::put_back(tx, actor, world, member_of(&credit), (payment.id, part))?;
    }
    Ok(())
}

/// Keeps the rest aside. Nobody comes between: the account's row is ours until the commit.
fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (payment, credit): (&Payment, &Credit),
    rest: i64,
) -> Result<(), Failure> {
    loyalty::hold(tx, actor, world, credit, (rest, None), cause(payment))?;
    Ok(())
}

/// Puts what was spent back onto the card, credit or member it came from, also when that is blocked or has expired meanwhile: the money is the
/// customer's all the same.
///
/// # Errors
/// What the ledger says.
pub(super) fn give_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    payment: &Payment,
    amount: i64,
) -> Result<(), Failure> {
    let credit = of(tx, payment)?;
    let refunds = rows::refunds(tx, payment.id)?;
    let came_back =
        refunds.iter().filter(|one| one.state == PartState::Done && one.provider_reference.is_none());
    let before: i64 = came_back.map(|one| one.amount).sum();
    let units = units(payment, before, before + amount);
    if units == 0 {
        return Ok(());
    }
    loyalty::unspend(tx, actor, world, &credit, units, cause(payment))?;
    if payment.points.is_some() {
        loyalty::purse::put_back(tx, actor, world, member_of(&credit), (payment.id, units))?;
    }
    Ok(())
}

/// What part of a payment is where it is paid from: minor units there too, or points. Parts are told by where they begin and end, so that
/// they sum to the whole however it is split.
fn units(payment: &Payment, from: i64, to: i64) -> i64 {
    let whole = payment.amounts.amount;
    payment.points.map_or(to - from, |points| part_of(points, whole, to) - part_of(points, whole, from))
}

/// The member whose points a payment takes.
const fn member_of(credit: &Credit) -> Id<Member> {
    credit.book.shared_with()
}

/// The gift card, store credit or member a payment is made with.
fn of(tx: &mut Tx<'_>, payment: &Payment) -> Result<Credit, Failure> {
    let lost = || StoreError::Corrupt(format!("payment {} does not name what pays it", payment.id));
    let named = payment.provider_reference.as_deref().ok_or_else(lost)?;
    match payment.kind {
        PaymentKind::GiftCard => {
            let id = Id::parse(named).map_err(|_| lost())?;
            Ok(gift_card::credit(&gift_card::find(tx, id)?))
        }
        PaymentKind::StoreCredit => {
            let id = Id::parse(named).map_err(|_| lost())?;
            Ok(store_credit::credit(&store_credit::find(tx, id)?))
        }
        PaymentKind::Points => {
            let id = Id::parse(named).map_err(|_| lost())?;
            loyalty::purse::lock(tx, id)?;
            Ok(member::credit(&member::find(tx, id)?))
        }
        _ => Err(lost().into()),
    }
}

/// The live hold of a payment, and how much it is.
fn aside(tx: &mut Tx<'_>, payment: &Payment) -> Result<(Id<Hold>, i64), Failure> {
    let live = books::lock_holds_of(tx, &payment.id.to_string())?;
    let lost = || StoreError::Corrupt(format!("nothing is set aside for payment {}", payment.id));
    let hold = live.first().ok_or_else(lost)?;
    Ok((hold.id, hold.amount))
}
