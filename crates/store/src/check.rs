//! Reading the whole books for a check: everything in the order of its key and in pages, so that it needs little memory however much there is.

use domain::ledger::AccountKey;
use domain::value::id::{Book, Transfer};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// The most findings one question answers; a shop with more has one cause, not a thousand.
pub const FINDINGS_MAX: i64 = 100;

/// A posting as stored, in the order of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostingRow {
    /// The book.
    pub book: Id<Book>,
    /// The account.
    pub account: AccountKey,
    /// When.
    pub at: Instant,
    /// The transfer.
    pub transfer: Id<Transfer>,
    /// How much.
    pub amount: i64,
    /// The balance right after.
    pub balance: i64,
}

/// The postings after one, in the order of their key, at most `limit`; the first ones when there is none before.
///
/// # Errors
/// What the store says.
pub fn postings(tx: &mut Tx<'_>, after: Option<&PostingRow>, limit: i64) -> Result<Vec<PostingRow>, StoreError> {
    let first = ([0; 16], [0; 16], i64::MIN, i64::MIN, [0; 16]);
    let (book, place, state, at, transfer) = after.map_or(first, |row| {
        (row.book.bytes(), row.account.place, row.account.state, row.at.micros(), row.transfer.bytes())
    });
    tx.rows(
        "select book_id, place, state, at, transfer_id, amount, balance from posting
         where (book_id, place, state, at, transfer_id) > ($1, $2, $3, $4, $5) order by book_id, place, state, at, transfer_id limit $6",
        params![book, place, state, at, transfer, limit],
        |row| {
            let (book, account) = (row.id()?, AccountKey { place: row.key()?, state: row.int()? });
            Ok(PostingRow { book, account, at: row.instant()?, transfer: row.id()?, amount: row.int()?, balance: row.int()? })
        },
    )
}

/// An account as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The book.
    pub book: Id<Book>,
    /// The account.
    pub account: AccountKey,
    /// Its balance.
    pub amount: i64,
    /// The least it may be.
    pub floor: Option<i64>,
}

/// The accounts after one, in the order of their key, at most `limit`; the first ones when there is none before.
///
/// # Errors
/// What the store says.
pub fn accounts(tx: &mut Tx<'_>, after: Option<&AccountRow>, limit: i64) -> Result<Vec<AccountRow>, StoreError> {
    let first = ([0; 16], [0; 16], i64::MIN);
    let (book, place, state) = after.map_or(first, |row| (row.book.bytes(), row.account.place, row.account.state));
    tx.rows(
        "select book_id, place, state, amount, floor from account
         where (book_id, place, state) > ($1, $2, $3) order by book_id, place, state limit $4",
        params![book, place, state, limit],
        |row| {
            let (book, account) = (row.id()?, AccountKey { place: row.key()?, state: row.int()? });
            Ok(AccountRow { book, account, amount: row.int()?, floor: row.int_or_null()? })
        },
    )
}

/// The transfers after one, in the order of their key, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn transfers(tx: &mut Tx<'_>, after: (Id<Book>, Id<Transfer>), limit: i64) -> Result<Vec<(Id<Book>, Id<Transfer>)>, StoreError> {
    tx.rows(
        "select book_id, transfer_id from transfer where (book_id, transfer_id) > ($1, $2) order by book_id, transfer_id limit $3",
        params![after.0, after.1, limit],
        book_and_transfer,
    )
}

fn book_and_transfer(row: &mut Row<'_>) -> Result<(Id<Book>, Id<Transfer>), StoreError> {
    Ok((row.id()?, row.id()?))
}

/// Transfers no event tells of.
///
/// # Errors
/// What the store says.
pub fn untold(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, Id<Transfer>)>, StoreError> {
    tx.rows(
        "select t.book_id, t.transfer_id from transfer t left join event e on e.transfer_id = t.transfer_id and e.book_id = t.book_id
         where e.event_id is null order by t.book_id, t.transfer_id limit $1",
        params![FINDINGS_MAX],
        book_and_transfer,
    )
}

/// Transfers more than one event tells of, and how many do.
///
/// # Errors
/// What the store says.
pub fn told_twice(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, Id<Transfer>, i64)>, StoreError> {
    tx.rows(
        "select book_id, transfer_id, cast(count(*) as {int}) from event where transfer_id is not null
         group by book_id, transfer_id having count(*) > 1 order by book_id, transfer_id limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.id()?, row.int()?)),
    )
}

/// Postings without their transfer.
///
/// # Errors
/// What the store says.
pub fn loose_postings(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, Id<Transfer>)>, StoreError> {
    tx.rows(
        "select p.book_id, p.transfer_id from posting p
         where not exists (select 1 from transfer t where t.book_id = p.book_id and t.transfer_id = p.transfer_id)
         order by p.book_id, p.transfer_id limit $1",
        params![FINDINGS_MAX],
        book_and_transfer,
    )
}

/// Accounts that do not have what the pending holds say lies there: book, account, what the holds say, what the account has.
///
/// # Errors
/// What the store says.
pub fn unequal_holds(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, AccountKey, i64, i64)>, StoreError> {
    tx.rows(
        "select h.book_id, h.held_place, h.held_state, h.pending, coalesce(a.amount, 0)
         from (select book_id, held_place, held_state, cast(sum(case when state = 1 then amount else 0 end) as {int}) as pending
               from hold group by book_id, held_place, held_state) h
         left join account a on a.book_id = h.book_id and a.place = h.held_place and a.state = h.held_state
         where h.pending <> coalesce(a.amount, 0) order by h.book_id, h.held_place, h.held_state limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, AccountKey { place: row.key()?, state: row.int()? }, row.int()?, row.int()?)),
    )
}

/// How many postings, events and seals there are: what a check has before it.
///
/// # Errors
/// What the store says.
pub fn work_ahead(tx: &mut Tx<'_>) -> Result<(i64, i64), StoreError> {
    let counted = tx.one(
        "select (select cast(count(*) as {int}) from posting), (select cast(count(*) as {int}) from event)",
        &[],
        |row| Ok((row.int()?, row.int()?)),
    )?;
    Ok(counted.unwrap_or((0, 0)))
}
