//! What payment providers owe us agrees with what was taken by them and given back, and with what was cleared by hand.

use domain::value::Id;
use domain::value::id::{Book, Payment, ReconciliationLine, Transfer};
use store::Tx;
use store::payment::{receivable, reconciliation};

use super::Difference;
use crate::Failure;

/// What a payment by a provider took and gave back is what its book says the provider owes us.
pub fn payments(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(payment, said, found): (Id<Payment>, i64, i64)| {
        Difference::new("receivables", payment, format!("{said} owed by its captures and refunds"), found)
    };
    Ok(receivable::unequal(tx)?.into_iter().map(tell).collect())
}

/// Every transfer that changes what an account owes stands on a day of it.
pub fn days(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(book, transfer): (Id<Book>, Id<Transfer>)| {
        Difference::new("receivable days", transfer, format!("a day of the account, for {book}"), "none")
    };
    Ok(receivable::unnoted(tx)?.into_iter().map(tell).collect())
}

/// What a cleared difference lacked is what was booked for it.
pub fn cleared(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(line, lacked, found): (Id<ReconciliationLine>, i64, i64)| {
        Difference::new("cleared differences", line, format!("{lacked} booked for it"), found)
    };
    Ok(reconciliation::unequal(tx)?.into_iter().map(tell).collect())
}
