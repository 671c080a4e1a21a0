//! Reading the whole books for a check: everything in the order of its key and in pages, so that it needs little memory however much there is.

use domain::ledger::{AccountKey, BookKind};
use domain::value::id::{Book, Transfer};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// The most findings one question answers; a shop with more has one cause, not a thousand.
pub const FINDINGS_MAX: i64 = 100;

/// A transfer's key.
pub type TransferKey = (Id<Book>, Id<Transfer>);

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
pub fn postings(
    tx: &mut Tx<'_>,
    after: Option<&PostingRow>,
    limit: i64,
) -> Result<Vec<PostingRow>, StoreError> {
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
pub fn accounts(
    tx: &mut Tx<'_>,
    after: Option<&AccountRow>,
    limit: i64,
) -> Result<Vec<AccountRow>, StoreError> {
    let first = ([0; 16], [0; 16], i64::MIN);
    let (book, place, state) =
        after.map_or(first, |row| (row.book.bytes(), row.account.place, row.account.state));
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
pub fn transfers(tx: &mut Tx<'_>, after: TransferKey, limit: i64) -> Result<Vec<TransferKey>, StoreError> {
    tx.rows(
        "select book_id, transfer_id from transfer where (book_id, transfer_id) > ($1, $2) order by book_id, transfer_id limit $3",
        params![after.0, after.1, limit],
        book_and_transfer,
    )
}

fn book_and_transfer(row: &mut Row<'_>) -> Result<TransferKey, StoreError> {
    Ok((row.id()?, row.id()?))
}

/// Transfers no event tells of.
///
/// # Errors
/// What the store says.
pub fn untold(tx: &mut Tx<'_>) -> Result<Vec<TransferKey>, StoreError> {
    tx.rows(
        "select book_id, transfer_id from transfer except select book_id, transfer_id from event where transfer_id is not null
         order by book_id, transfer_id limit $1",
        params![FINDINGS_MAX],
        book_and_transfer,
    )
}

/// Transfers more than one event tells of, and how many do.
///
/// # Errors
/// What the store says.
pub fn told_twice(tx: &mut Tx<'_>) -> Result<Vec<(TransferKey, i64)>, StoreError> {
    tx.rows(
        "select book_id, transfer_id, cast(count(*) as {int}) from event where transfer_id is not null
         group by book_id, transfer_id having count(*) > 1 order by book_id, transfer_id limit $1",
        params![FINDINGS_MAX],
        |row| Ok((book_and_transfer(row)?, row.int()?)),
    )
}

/// Postings without their transfer.
///
/// # Errors
/// What the store says.
pub fn loose_postings(tx: &mut Tx<'_>) -> Result<Vec<TransferKey>, StoreError> {
    tx.rows(
        "select p.book_id, p.transfer_id from posting p
         where not exists (select 1 from transfer t where t.book_id = p.book_id and t.transfer_id = p.transfer_id)
         order by p.book_id, p.transfer_id limit $1",
        params![FINDINGS_MAX],
        book_and_transfer,
    )
}

/// An account and the live holds that should make it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldAccount {
    /// The book.
    pub book: Id<Book>,
    /// The account.
    pub account: AccountKey,
    /// What its live holds sum to.
    pub pending: i64,
    /// What it has.
    pub amount: i64,
}

/// Accounts that do not have what their live holds say lies there.
///
/// # Errors
/// What the store says.
pub fn unequal_holds(tx: &mut Tx<'_>) -> Result<Vec<HeldAccount>, StoreError> {
    tx.rows(
        "select h.book_id, h.held_place, h.held_state, h.pending, coalesce(a.amount, 0)
         from (select book_id, held_place, held_state, cast(sum(case when state = 1 then amount else 0 end) as {int}) as pending
               from hold group by book_id, held_place, held_state) h
         left join account a on a.book_id = h.book_id and a.place = h.held_place and a.state = h.held_state
         where h.pending <> coalesce(a.amount, 0) order by h.book_id, h.held_place, h.held_state limit $1",
        params![FINDINGS_MAX],
        |row| {
            let (book, account) = (row.id()?, AccountKey { place: row.key()?, state: row.int()? });
            Ok(HeldAccount { book, account, pending: row.int()?, amount: row.int()? })
        },
    )
}

/// Accounts of two states of stock that have an amount although no hold, live or ended, was ever made in them.
///
/// # Errors
/// What the store says.
pub fn unheld(tx: &mut Tx<'_>, kind: BookKind, states: (i64, i64)) -> Result<Vec<HeldAccount>, StoreError> {
    tx.rows(
        "select a.book_id, a.place, a.state, a.amount from account a join book b on b.book_id = a.book_id
         where b.kind = $4 and a.state in ($1, $2) and a.amount <> 0 and not exists (
             select 1 from hold h where h.book_id = a.book_id and h.held_place = a.place and h.held_state = a.state)
         order by a.book_id, a.place, a.state limit $3",
        params![states.0, states.1, FINDINGS_MAX, kind.code()],
        |row| {
            let (book, account) = (row.id()?, AccountKey { place: row.key()?, state: row.int()? });
            Ok(HeldAccount { book, account, pending: 0, amount: row.int()? })
        },
    )
}

// `select` stands alone, so that the test that reads all statements takes the pieces for what they are; it reads the whole of each too.
macro_rules! lookups {
    ($($kind:literal $table:literal $key:literal;)*) => {
        /// Where things with external ids are kept: the kind's prefix, and the statement that finds external ids without a thing.
        pub const LOOKUPS: &[(&str, &str)] = &[$(($kind, concat!(
            "select", " x.kind, x.external_id from external_id x where x.kind = '", $kind, "' and not exists (select 1 from ", $table,
            " t where t.", $key, " = x.id) order by x.external_id limit 100"
        ))),*];
    };
}

lookups! {
    "car" "carrier" "carrier_id";
    "cart" "cart" "cart_id";
    "cat" "category" "category_id";
    "chn" "channel" "channel_id";
    "clm" "claim" "claim_id";
    "com" "company" "company_id";
    "cus" "customer" "customer_id";
    "dlv" "delivery_method" "delivery_method_id";
    "exp" "expected_goods" "expected_goods_id";
    "loc" "location" "location_id";
    "mkt" "market" "market_id";
    "net" "network" "network_id";
    "ord" "order_head" "order_id";
    "pay" "payment" "payment_id";
    "prd" "product" "product_id";
    "prl" "price_list" "price_list_id";
    "pro" "promotion" "promotion_id";
    "ret" "return_of_goods" "return_id";
    "tree" "category_tree" "tree_id";
    "txc" "tax_class" "tax_class_id";
    "txz" "tax_zone" "tax_zone_id";
    "var" "variant" "variant_id";
}

/// External ids that lead to nothing: kind and external id.
///
/// # Errors
/// [`StoreError::Corrupt`] when the books hold external ids of a kind that [`LOOKUPS`] does not know.
pub fn lost_external_ids(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let kinds = tx.rows("select distinct kind from external_id order by kind", &[], |row| row.text())?;
    let mut lost = Vec::new();
    for kind in kinds {
        let found = LOOKUPS.iter().find(|(known, _)| *known == kind);
        let (_, sql) = found.ok_or_else(|| {
            StoreError::Corrupt(format!("no check knows where external ids of {kind} lead"))
        })?;
        lost.extend(tx.rows(sql, &[], |row| Ok((row.text()?, row.text()?)))?);
    }
    Ok(lost)
}

/// How many postings and events there are: what a check has before it.
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
