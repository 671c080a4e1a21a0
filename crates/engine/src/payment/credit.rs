//! Payments with money that customers have with us: held on the gift card or store credit in the same transaction, spent part by part when it
//! is asked for, free again when the payment ends before. No provider is asked, so nothing is ever waited for.

use domain::actor::Actor;
use domain::market::PaymentKind;
use domain::payment::Timing;
use domain::value::Id;
use domain::value::id::Hold;
use serde_json::json;
use store::payment as rows;
use store::{StoreError, Tx, ledger as books};

use super::{Payment, capture, note};
use crate::loyalty::{self, Credit, gift_card, store_credit};
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
    loyalty::hold(tx, actor, world, credit, (amount, None), cause(payment))?;
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
    let (hold, held) = aside(tx, payment)?;
    loyalty::spend(tx, actor, world, &credit, (hold, amount))?;
    if amount < held { keep(tx, actor, world, (payment, &credit), held - amount) } else { Ok(()) }
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
    let (hold, held) = aside(tx, payment)?;
    loyalty::release(tx, actor, world, &credit, hold)?;
    match part {
        Some(part) if part < held => keep(tx, actor, world, (payment, &credit), held - part),
        _ => Ok(()),
    }
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

/// Puts what was spent back onto the card or credit it came from, also when that is blocked or has expired meanwhile: the money is the
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
    loyalty::unspend(tx, actor, world, &credit, amount, cause(payment))
}

/// The gift card or store credit a payment is made with.
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
