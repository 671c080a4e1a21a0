//! The rows by which payments with gift cards, store credit and points are held against the books.

use domain::ledger::HoldState;
use domain::loyalty::State as Money;
use domain::market::PaymentKind;
use domain::payment::{PartState, State};
use domain::value::Id;
use domain::value::id::Payment;

use crate::{StoreError, Tx, params};

/// A payment in text, what is set aside for it, and what was spent by it less what came back to where it was spent from; in minor units,
/// or in points.
pub type Standing = (String, i64, i64);

/// A payment from a book of ours as it says of itself, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The payment.
    pub payment: Id<Payment>,
    /// How much it is.
    pub amount: i64,
    /// How many points that is, if it is paid by points.
    pub points: Option<i64>,
    /// What may still be spent by it, and was.
    pub allowed: i64,
    /// What was spent by it.
    pub spent: i64,
    /// What came back of that to where it was spent from.
    pub back: i64,
}

/// What payments with gift cards, store credit and points say of themselves.
///
/// # Errors
/// What the store says.
pub fn said(tx: &mut Tx<'_>) -> Result<Vec<Said>, StoreError> {
    tx.rows(
        "select p.payment_id, p.amount, p.points, case when p.state in ($4, $5) then p.authorised else p.captured end, p.captured,
             coalesce((select cast(sum(r.amount) as {int}) from payment_refund r
                 where r.payment_id = p.payment_id and r.state = $6 and r.provider_reference is null), 0)
         from payment p where p.kind in ($1, $2, $3)",
        params![
            PaymentKind::GiftCard.code(),
            PaymentKind::StoreCredit.code(),
            PaymentKind::Points.code(),
            State::Authorised.code(),
            State::Captured.code(),
            PartState::Done.code()
        ],
        |row| {
            Ok(Said {
                payment: row.id()?,
                amount: row.int()?,
                points: row.int_or_null()?,
                allowed: row.int()?,
                spent: row.int()?,
                back: row.int()?,
            })
        },
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
