//! The rows of what payment providers owe us: which transfers moved it, by account and day.

use domain::ledger::BookKind;
use domain::market::PaymentKind;
use domain::payment::PartState;
use domain::payment::receivable::State;
use domain::payment::reconcile::{Ours, Side};
use domain::value::id::{Book, Payment, PaymentAccount, Transfer};
use domain::value::{Currency, Id, LocalDay};

use crate::check::TransferKey;
use crate::{Row, StoreError, Tx, params};

/// What caused transfers by captures and refunds.
pub const CAPTURE: &str = "capture";
/// As [`CAPTURE`].
pub const REFUND: &str = "refund";

/// Notes which transfer of which book changed what an account owes on a day.
///
/// # Errors
/// What the store says.
pub fn note(
    tx: &mut Tx<'_>,
    (account, day): (Id<PaymentAccount>, LocalDay),
    (book, transfer): (Id<Book>, Id<Transfer>),
) -> Result<(), StoreError> {
    tx.execute(
        "insert into payment_receivable (account_id, day, transfer_id, book_id) values ($1, $2, $3, $4)",
        params![account, &day.to_string(), transfer, book],
    )?;
    Ok(())
}

/// Did payments of an account move on a day?
///
/// # Errors
/// What the store says.
pub fn has_moved(
    tx: &mut Tx<'_>,
    (account, day): (Id<PaymentAccount>, LocalDay),
) -> Result<bool, StoreError> {
    let found = tx.one(
        "select transfer_id from payment_receivable where account_id = $1 and day = $2 limit 1",
        params![account, &day.to_string()],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}

fn ours(row: &mut Row<'_>) -> Result<(Id<Transfer>, Ours), StoreError> {
    Ok((
        row.id()?,
        Ours {
            side: if row.text()? == REFUND { Side::Refunded } else { Side::Captured },
            key: row.text()?,
            payment: row.id()?,
            payment_reference: row.text_or_null()?,
            amount: row.int()?,
            currency: row.value(Currency::parse)?,
            at: row.instant()?,
        },
    ))
}

/// What captures and refunds of an account moved on a day after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_day(
    tx: &mut Tx<'_>,
    (account, day): (Id<PaymentAccount>, LocalDay),
    after: Id<Transfer>,
    limit: i64,
) -> Result<Vec<(Id<Transfer>, Ours)>, StoreError> {
    tx.rows(
        "select r.transfer_id, t.cause_kind, t.cause_id, p.payment_id, p.provider_reference, o.amount, p.currency, t.at
         from payment_receivable r
         join transfer t on t.book_id = r.book_id and t.transfer_id = r.transfer_id
         join posting o on o.book_id = r.book_id and o.transfer_id = r.transfer_id and o.state = $5
         join payment p on p.payment_id = r.book_id
         where r.account_id = $1 and r.day = $2 and r.transfer_id > $3 order by r.transfer_id limit $4",
        params![account, &day.to_string(), after, limit, State::Owed.code()],
        ours,
    )
}

/// What captures and refunds of one payment ever moved.
///
/// # Errors
/// What the store says.
pub fn of_payment(
    tx: &mut Tx<'_>,
    account: Id<PaymentAccount>,
    payment: Id<Payment>,
) -> Result<Vec<(Id<Transfer>, Ours)>, StoreError> {
    tx.rows(
        "select t.transfer_id, t.cause_kind, t.cause_id, p.payment_id, p.provider_reference, o.amount, p.currency, t.at
         from posting o
         join transfer t on t.book_id = o.book_id and t.transfer_id = o.transfer_id
         join payment p on p.payment_id = o.book_id
         where o.book_id = $1 and o.place = $2 and o.state = $3 order by t.transfer_id",
        params![payment, account, State::Owed.code()],
        ours,
    )
}

/// Payments by a provider whose books say another amount than their captures and refunds: the payment, what these say, and what it has.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<(Id<Payment>, i64, i64)>, StoreError> {
    tx.rows(
        "select payment_id, said, owed from (
             select p.payment_id as payment_id,
                 coalesce((select cast(sum(c.amount) as {int}) from payment_capture c where c.payment_id = p.payment_id and c.state = $3), 0)
                 - coalesce((select cast(sum(r.amount) as {int}) from payment_refund r
                     where r.payment_id = p.payment_id and r.state = $3 and r.elsewhere = 0), 0) as said,
                 coalesce((select cast(sum(a.amount) as {int}) from account a where a.book_id = p.payment_id and a.state = $4), 0) as owed
             from payment p where p.kind in ($1, $2)) as sums
         where said <> owed order by payment_id limit $5",
        params![
            PaymentKind::Test.code(),
            PaymentKind::Stripe.code(),
            PartState::Done.code(),
            State::Owed.code(),
            crate::check::FINDINGS_MAX
        ],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}

/// Transfers that change what an account owes and stand on no day of it.
///
/// # Errors
/// What the store says.
pub fn unnoted(tx: &mut Tx<'_>) -> Result<Vec<TransferKey>, StoreError> {
    tx.rows(
        "select o.book_id, o.transfer_id from book b
         join posting o on o.book_id = b.book_id and o.state = $2
         left join payment_receivable r on r.account_id = o.place and r.transfer_id = o.transfer_id and r.book_id = o.book_id
         where b.kind = $1 and r.transfer_id is null order by o.book_id, o.transfer_id limit $3",
        params![BookKind::Receivable.code(), State::Owed.code(), crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.id()?)),
    )
}
