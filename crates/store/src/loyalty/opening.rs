//! The rows of balances that were taken in from another system.

use domain::ledger::BookKind;
use domain::loyalty::State;
use domain::value::id::{Book, PointLot};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{StoreError, Tx, params};

/// Notes a balance by the number it had in the other system; false when it was taken in before.
///
/// # Errors
/// What the store says.
pub fn add(
    tx: &mut Tx<'_>,
    reference: &str,
    (book, amount): (Id<Book>, i64),
    now: Instant,
) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into opening_balance (reference, book_id, amount, made_at) values ($1, $2, $3, $4) on conflict (reference) do nothing",
        params![reference, book, amount, now],
    )?;
    Ok(made == 1)
}

/// What was taken in under a number: in which book, and how much.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, reference: &str) -> Result<Option<(Id<Book>, i64)>, StoreError> {
    tx.one("select book_id, amount from opening_balance where reference = $1", params![reference], |row| {
        Ok((row.id()?, row.int()?))
    })
}

/// Is there such a lot of points?
///
/// # Errors
/// What the store says.
pub fn is_lot(tx: &mut Tx<'_>, id: Id<PointLot>) -> Result<bool, StoreError> {
    let found =
        tx.one("select number from point_lot where point_lot_id = $1", params![id], |row| row.int())?;
    Ok(found.is_some())
}

/// The books of gift cards, store credit and points after one.
///
/// # Errors
/// What the store says.
pub fn books(tx: &mut Tx<'_>, after: Id<Book>, limit: i64) -> Result<Vec<Id<Book>>, StoreError> {
    tx.rows(
        "select book_id from book where kind in ($1, $2, $3) and book_id > $4 order by book_id limit $5",
        params![
            BookKind::GiftCard.code(),
            BookKind::StoreCredit.code(),
            BookKind::Points.code(),
            after,
            limit
        ],
        |row| row.id(),
    )
}

/// Books into which something else came from the system before than what was taken in under its numbers: the book, what was taken in,
/// and what the ledger says.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, i64, i64)>, StoreError> {
    tx.rows(
        "select s.book_id, cast(sum(s.said) as {int}), cast(sum(s.booked) as {int}) from (
             select book_id, amount as said, 0 as booked from opening_balance
             union all
             select a.book_id, 0, -a.amount from account a join book b on b.book_id = a.book_id
                 where b.kind in ($1, $2, $3) and a.state = $4
         ) s group by s.book_id having sum(s.said) <> sum(s.booked) order by s.book_id limit $5",
        params![
            BookKind::GiftCard.code(),
            BookKind::StoreCredit.code(),
            BookKind::Points.code(),
            State::Opening.code(),
            FINDINGS_MAX
        ],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
