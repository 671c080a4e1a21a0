//! Carrying money over: what was paid for goods that come back pays for others in their place, and goes back the same way.

use domain::value::Id;
use domain::value::id::Payment as PaymentKind;
use domain::{Code, Refusal};
use store::Tx;
use store::payment::carry as rows;

use super::{Payment, load, tell_order};
use crate::{Failure, World};

/// Carries money of payments, the first first, over to the payment of an exchange: this much, after what of them is left to be paid out.
/// Nothing of it can be given back by the payments it came from, until it goes [`back`].
///
/// # Errors
/// [`Code::AmountExceeded`] when less is open.
pub fn over(
    tx: &mut Tx<'_>,
    from: &[Payment],
    to: Id<PaymentKind>,
    (paid_out, amount): (i64, i64),
) -> Result<Vec<(Id<PaymentKind>, i64)>, Failure> {
    let (mut passed, mut left) = (paid_out, amount);
    let mut taken = Vec::new();
    for (place, one) in (0i64..).zip(from) {
        let open = one.amounts.open_to_refund();
        let leads = open.min(passed);
        passed -= leads;
        let part = (open - leads).min(left);
        if part > 0 && rows::over(tx, one.id, (to, place), part)? {
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

/// Lets money of an exchange's payment go back to where it came from, in the sequence in which it was carried over, which is that of the
/// order it came from; that order gives it back to the customer.
pub(super) fn back(
    tx: &mut Tx<'_>,
    world: &mut World,
    payment: Id<PaymentKind>,
    amount: i64,
) -> Result<(), Failure> {
    let mut left = amount;
    for (source, open) in rows::carried(tx, payment)? {
        let part = open.min(left);
        if part > 0 {
            if !rows::back(tx, payment, source, part)? {
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
