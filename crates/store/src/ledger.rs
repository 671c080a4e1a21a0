//! The ledger's rows: every change of a balance goes through [`post`], which moves amounts by guarded updates and writes the postings beside them.

use domain::ledger::{AccountKey, BookKind, HoldState, NewTransfer};
use domain::value::id::{Book, Channel, Hold, Transfer};
use domain::value::{Id, Instant};

use crate::dialect::Engine;
use crate::{Row, StoreError, Tx, params};

/// Who moves something, through which channel, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Instant,
    /// Who, as text: `staff:stf_…`.
    pub actor: String,
    /// Through which channel.
    pub channel: Option<Id<Channel>>,
}

/// An account that had too little; nothing was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The account.
    pub account: AccountKey,
    /// How much it has.
    pub amount: i64,
}

/// Opens a book unless it is open.
///
/// # Errors
/// What the store says.
pub fn open_book(
    tx: &mut Tx<'_>,
    book: Id<Book>,
    kind: BookKind,
    unit: &str,
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute("insert into book (book_id, kind, unit, made_at) values ($1, $2, $3, $4) on conflict (book_id) do nothing", params![book, kind.code(), unit, now])?;
    Ok(())
}

/// Is there such a book?
///
/// # Errors
/// What the store says.
pub fn has_book(tx: &mut Tx<'_>, book: Id<Book>) -> Result<bool, StoreError> {
    Ok(tx.one("select kind from book where book_id = $1", params![book], |row| row.int())?.is_some())
}

/// Locks books until the commit, in sorted order, so that a promise made from a sum over their accounts stays true. The one writer of SQLite is the lock there.
///
/// # Errors
/// What the store says.
pub fn lock_books(tx: &mut Tx<'_>, books: &mut Vec<Id<Book>>) -> Result<(), StoreError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(());
    }
    books.sort();
    books.dedup();
    for book in books {
        tx.one("select kind from book where book_id = $1 {lock}", params![*book], |row| row.int())?;
    }
    Ok(())
}

/// Posts a settled transfer (see [`NewTransfer::settled`]): all of it, or nothing with the account that had too little.
///
/// The caller undoes the transaction on a shortfall: lines before it may have been written.
///
/// # Errors
/// What the store says.
pub fn post(
    tx: &mut Tx<'_>,
    transfer: &NewTransfer,
    stamp: &Stamp,
) -> Result<Result<Vec<i64>, Shortfall>, StoreError> {
    let mut balances = Vec::with_capacity(transfer.postings.len());
    for posting in &transfer.postings {
        match change(tx, transfer.book, posting.account, posting.amount, posting.floor)? {
            Some(balance) => balances.push(balance),
            None => {
                return Ok(Err(Shortfall {
                    account: posting.account,
                    amount: balance(tx, transfer.book, posting.account)?,
                }));
            }
        }
    }
    let (cause_kind, cause_id) =
        transfer.cause.as_ref().map_or((None, None), |(kind, id)| (Some(kind.as_ref()), Some(id)));
    tx.execute(
        "insert into transfer (book_id, transfer_id, at, reason, cause_kind, cause_id, actor, channel_id) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![transfer.book, transfer.id, stamp.at, transfer.reason, cause_kind, cause_id, &stamp.actor, stamp.channel],
    )?;
    for (posting, balance) in transfer.postings.iter().zip(&balances) {
        tx.execute(
            "insert into posting (book_id, place, state, at, transfer_id, amount, balance) values ($1, $2, $3, $4, $5, $6, $7)",
            params![transfer.book, posting.account.place, posting.account.state, stamp.at, transfer.id, posting.amount, *balance],
        )?;
    }
    Ok(Ok(balances))
}

/// Changes one balance; `None` when it would fall under the floor.
fn change(
    tx: &mut Tx<'_>,
    book: Id<Book>,
    account: AccountKey,
    amount: i64,
    floor: Option<i64>,
) -> Result<Option<i64>, StoreError> {
    match floor {
        Some(floor) if amount < 0 => tx.one(
            "update account set amount = amount + $4 where book_id = $1 and place = $2 and state = $3 and amount + $4 >= $5 returning amount",
            params![book, account.place, account.state, amount, floor],
            |row| row.int(),
        ),
        _ => tx.one(
            "insert into account (book_id, place, state, amount, floor) values ($1, $2, $3, $4, $5)
             on conflict (book_id, place, state) do update set amount = account.amount + excluded.amount returning amount",
            params![book, account.place, account.state, amount, floor.map(|_| 0i64)],
            |row| row.int(),
        ),
    }
}

/// The balance of an account now; 0 when nothing was ever posted to it.
///
/// # Errors
/// What the store says.
pub fn balance(tx: &mut Tx<'_>, book: Id<Book>, account: AccountKey) -> Result<i64, StoreError> {
    let found = tx.one(
        "select amount from account where book_id = $1 and place = $2 and state = $3",
        params![book, account.place, account.state],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// The balance of an account, which nobody else changes until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_balance(tx: &mut Tx<'_>, book: Id<Book>, account: AccountKey) -> Result<i64, StoreError> {
    let found = tx.one(
        "select amount from account where book_id = $1 and place = $2 and state = $3 {lock}",
        params![book, account.place, account.state],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// All balances of a book now, in the order of accounts.
///
/// # Errors
/// What the store says.
pub fn balances(tx: &mut Tx<'_>, book: Id<Book>) -> Result<Vec<(AccountKey, i64)>, StoreError> {
    tx.rows(
        "select place, state, amount from account where book_id = $1 order by place, state",
        params![book],
        |row| Ok((AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
    )
}

/// All balances of a book as of the end of an instant: those of now less what was posted later.
///
/// # Errors
/// What the store says.
pub fn balances_as_of(
    tx: &mut Tx<'_>,
    book: Id<Book>,
    at: Instant,
) -> Result<Vec<(AccountKey, i64)>, StoreError> {
    tx.rows(
        "select a.place, a.state, a.amount - coalesce((select cast(sum(p.amount) as {int}) from posting p
            where p.book_id = a.book_id and p.place = a.place and p.state = a.state and p.at > $2), 0)
         from account a where a.book_id = $1 order by a.place, a.state",
        params![book, at],
        |row| Ok((AccountKey { place: row.key()?, state: row.int()? }, row.int()?)),
    )
}

/// One line of an account's history, newest first: what moved, why, and the balance after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLine {
    /// The transfer.
    pub transfer: Id<Transfer>,
    /// The account.
    pub account: AccountKey,
    /// When.
    pub at: Instant,
    /// How much came (positive) or went (negative).
    pub amount: i64,
    /// The balance right after.
    pub balance: i64,
    /// Why, in a word.
    pub reason: String,
    /// The kind of thing that caused it, such as `order`.
    pub cause_kind: Option<String>,
    /// Its id in text.
    pub cause_id: Option<String>,
    /// Who did it.
    pub actor: String,
    /// Through which channel.
    pub channel: Option<Id<Channel>>,
}

/// Why is this number what it is: the postings of one account before `(at, transfer)`, newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn history(
    tx: &mut Tx<'_>,
    book: Id<Book>,
    account: AccountKey,
    before: (Instant, Id<Transfer>),
    limit: i64,
) -> Result<Vec<HistoryLine>, StoreError> {
    tx.rows(
        "select p.transfer_id, p.place, p.state, p.at, p.amount, p.balance, t.reason, t.cause_kind, t.cause_id, t.actor, t.channel_id
         from posting p join transfer t on t.book_id = p.book_id and t.transfer_id = p.transfer_id
         where p.book_id = $1 and p.place = $2 and p.state = $3 and (p.at < $4 or (p.at = $4 and p.transfer_id < $5))
         order by p.at desc, p.transfer_id desc limit $6",
        params![book, account.place, account.state, before.0, before.1, limit],
        history_line,
    )
}

fn history_line(row: &mut Row<'_>) -> Result<HistoryLine, StoreError> {
    Ok(HistoryLine {
        transfer: row.id()?,
        account: AccountKey { place: row.key()?, state: row.int()? },
        at: row.instant()?,
        amount: row.int()?,
        balance: row.int()?,
        reason: row.text()?,
        cause_kind: row.text_or_null()?,
        cause_id: row.text_or_null()?,
        actor: row.text()?,
        channel: row.id_or_null()?,
    })
}

/// A hold as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// The book.
    pub book: Id<Book>,
    /// Its identity.
    pub id: Id<Hold>,
    /// Where the amount came from and goes back to.
    pub from: AccountKey,
    /// Where it lies meanwhile.
    pub held: AccountKey,
    /// How much.
    pub amount: i64,
    /// How much of it went on.
    pub posted: i64,
    /// Where it stands.
    pub state: HoldState,
    /// When it is given back by itself; never when `None`.
    pub expires_at: Option<Instant>,
    /// The kind of thing it is for, such as `cart`.
    pub cause_kind: Option<String>,
    /// Its id in text.
    pub cause_id: Option<String>,
}

/// Notes a new, pending hold; the amount is moved by the transfer that goes with it.
///
/// # Errors
/// What the store says.
pub fn add_hold(tx: &mut Tx<'_>, hold: &HoldRow, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into hold (book_id, hold_id, from_place, from_state, held_place, held_state, amount, posted, state, expires_at, cause_kind, cause_id, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            hold.book, hold.id, hold.from.place, hold.from.state, hold.held.place, hold.held.state, hold.amount, hold.posted, hold.state.code(),
            hold.expires_at, hold.cause_kind.as_ref(), hold.cause_id.as_ref(), now
        ],
    )?;
    Ok(())
}

fn hold_row(row: &mut Row<'_>) -> Result<HoldRow, StoreError> {
    Ok(HoldRow {
        book: row.id()?,
        id: row.id()?,
        from: AccountKey { place: row.key()?, state: row.int()? },
        held: AccountKey { place: row.key()?, state: row.int()? },
        amount: row.int()?,
        posted: row.int()?,
        state: HoldState::coded(row.int()?)
            .ok_or_else(|| StoreError::Corrupt("a hold has an unknown state".into()))?,
        expires_at: row.instant_or_null()?,
        cause_kind: row.text_or_null()?,
        cause_id: row.text_or_null()?,
    })
}

/// A hold, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_hold(tx: &mut Tx<'_>, book: Id<Book>, hold: Id<Hold>) -> Result<Option<HoldRow>, StoreError> {
    tx.one(
        "select book_id, hold_id, from_place, from_state, held_place, held_state, amount, posted, state, expires_at, cause_kind, cause_id
         from hold where book_id = $1 and hold_id = $2 {lock}",
        params![book, hold],
        hold_row,
    )
}

/// The pending holds made for one thing, locked until the commit, in the order of books.
///
/// # Errors
/// What the store says.
pub fn lock_holds_of(tx: &mut Tx<'_>, cause_id: &str) -> Result<Vec<HoldRow>, StoreError> {
    tx.rows(
        "select book_id, hold_id, from_place, from_state, held_place, held_state, amount, posted, state, expires_at, cause_kind, cause_id
         from hold where cause_id = $1 and state = 1 order by book_id, hold_id {lock}",
        params![cause_id],
        hold_row,
    )
}

/// As [`lock_holds_of`], for whoever only looks.
///
/// # Errors
/// What the store says.
pub fn holds_of(tx: &mut Tx<'_>, cause_id: &str) -> Result<Vec<HoldRow>, StoreError> {
    tx.rows(
        "select book_id, hold_id, from_place, from_state, held_place, held_state, amount, posted, state, expires_at, cause_kind, cause_id
         from hold where cause_id = $1 and state = 1 order by book_id, hold_id",
        params![cause_id],
        hold_row,
    )
}

/// The pending holds whose amount lies in an account, the newest first, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_holds_in(tx: &mut Tx<'_>, book: Id<Book>, held: AccountKey) -> Result<Vec<HoldRow>, StoreError> {
    tx.rows(
        "select book_id, hold_id, from_place, from_state, held_place, held_state, amount, posted, state, expires_at, cause_kind, cause_id
         from hold where book_id = $1 and held_place = $2 and held_state = $3 and state = 1 order by hold_id desc {lock}",
        params![book, held.place, held.state],
        hold_row,
    )
}

/// Pending holds in books of a kind whose time ran out at `now`, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn holds_due(
    tx: &mut Tx<'_>,
    kind: BookKind,
    now: Instant,
    limit: i64,
) -> Result<Vec<HoldRow>, StoreError> {
    tx.rows(
        "select h.book_id, h.hold_id, h.from_place, h.from_state, h.held_place, h.held_state, h.amount, h.posted, h.state, h.expires_at, h.cause_kind, h.cause_id
         from hold h join book b on b.book_id = h.book_id
         where h.state = 1 and h.expires_at <= $2 and b.kind = $1 order by h.expires_at limit $3",
        params![kind.code(), now, limit],
        hold_row,
    )
}

/// Sets a new expiry for the pending holds made for one thing.
///
/// # Errors
/// What the store says.
pub fn prolong_holds_of(tx: &mut Tx<'_>, cause_id: &str, expires_at: Instant) -> Result<u64, StoreError> {
    tx.execute(
        "update hold set expires_at = $2 where cause_id = $1 and state = 1",
        params![cause_id, expires_at],
    )
}

/// Writes how a pending hold ended; false when somebody ended it before.
///
/// # Errors
/// What the store says.
pub fn end_hold(
    tx: &mut Tx<'_>,
    book: Id<Book>,
    hold: Id<Hold>,
    state: HoldState,
    posted: i64,
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update hold set state = $3, posted = $4 where book_id = $1 and hold_id = $2 and state = 1",
        params![book, hold, state.code(), posted],
    )?;
    Ok(touched == 1)
}
