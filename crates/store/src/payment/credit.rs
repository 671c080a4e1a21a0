//! The rows by which payments with gift cards and store credit are held against the books.

use domain::ledger::HoldState;
use domain::loyalty::State as Money;
use domain::market::PaymentKind;
use domain::payment::{PartState, State};
use domain::value::id::Payment;

use crate::{StoreError, Tx, params};

/// A payment in text, what is set aside for it, and what was spent by it less what came back to where it was spent from; in minor units.
pub type Standing = (String, i64, i64);

/// What payments with gift cards and store credit say of themselves.
///
/// # Errors
/// What the store says.
pub fn said(tx: &mut Tx<'_>) -> Result<Vec<Standing>, StoreError> {
    tx.rows(
        "select p.payment_id, case when p.state in ($3, $4) then p.authorised - p.captured else 0 end,
             p.captured - coalesce((select cast(sum(r.amount) as {int}) from payment_refund r
                 where r.payment_id = p.payment_id and r.state = $5 and r.provider_reference is null), 0)
         from payment p where p.kind in ($1, $2)",
        params![
            PaymentKind::GiftCard.code(),
            PaymentKind::StoreCredit.code(),
            State::Authorised.code(),
            State::Captured.code(),
            PartState::Done.code()
        ],
        |row| Ok((row.id::<Payment>()?.to_string(), row.int()?, row.int()?)),
    )
}

/// What the ledger says of payments: what their live holds set aside, and what their transfers spent; a payment may come twice.
///
/// # Errors
/// What the store says.
pub fn booked(tx: &mut Tx<'_>) -> Result<Vec<Standing>, StoreError> {
    tx.rows(
        "select cause_id, amount, cast(0 as {int}) from hold where state = $1 and cause_kind = 'payment'
         union all
         select t.cause_id, cast(0 as {int}), p.amount from transfer t
         join posting p on p.book_id = t.book_id and p.transfer_id = t.transfer_id
         where t.cause_kind = 'payment' and p.state = $2",
        params![HoldState::Pending.code(), Money::Spent.code()],
        |row| Ok((row.text()?, row.int()?, row.int()?)),
    )
}
