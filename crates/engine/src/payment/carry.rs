//! Carrying money over: what was paid for goods that come back pays for others in their place, and goes back the same way.

use domain::value::Id;
use domain::value::id::Payment as PaymentKind;
use domain::{Code, Refusal};
use store::{Tx, payment as rows};

use super::{Payment, load, tell_order};
use crate::{Failure, World};

/// Carries this much of payments, the first first, over to the payment of an exchange. Nothing of it can be given back by the payments
/// it came from, until it goes [`back`].
///
/// # Errors
/// [`Code::AmountExceeded`] when less is open.
pub fn over(
    tx: &mut Tx<'_>,
    from: &[Payment],
    to: Id<PaymentKind>,
    amount: i64,
) -> Result<Vec<(Id<PaymentKind>, i64)>, Failure> {
    let mut left = amount;
    let mut taken = Vec::new();
    for one in from {
        let part = one.amounts.open_to_refund().min(left);
        if part > 0 && rows::carry(tx, one.id, to, part)? {
            taken.push((one.id, part));
            left -= part;
        }
    }
    if left > 0 {
        let message = format!("{left} minor units more than was paid would be carried over");
        return Err(Refusal::new(Code::AmountExceeded, message).into());
    }
    Ok(taken)
}

/// Lets money of an exchange's payment go back to where it came from, the last first; the orders it came from give it back to the customer.
pub(super) fn back(
    tx: &mut Tx<'_>,
    world: &mut World,
    payment: Id<PaymentKind>,
    amount: i64,
) -> Result<(), Failure> {
    let mut left = amount;
    for (source, open) in rows::carried(tx, payment)?.into_iter().rev() {
        let part = open.min(left);
        if part > 0 {
            if !rows::carry_back(tx, payment, source, part)? {
                return Err(tx.begin_anew().into());
            }
            left -= part;
            let source = load(tx, source)?;
            tell_order(tx, world, &source)?;
        }
    }
    if left == 0 {
        return Ok(());
    }
    let message = format!("{left} minor units of payment {payment} came from nowhere");
    Err(store::StoreError::Corrupt(message).into())
}
