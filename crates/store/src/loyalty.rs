//! The rows of gift cards and store credit: what they are. How much is on them is in the ledger.

pub mod household;
pub mod member;
pub mod opening;
pub mod points;
pub mod programme;
pub mod referral;
pub mod reward;
pub mod sale;
pub mod tier;

use domain::ledger::BookKind;
use domain::loyalty::{CardState, State};
use domain::value::id::{Book, Customer, GiftCard as CardKind, StoreCredit as CreditKind};
use domain::value::{Currency, Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::{Row, StoreError, Tx, params};

/// A gift card. Its code is kept only as a keyed hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftCard {
    /// Its identity, which its book shares.
    pub id: Id<CardKind>,
    /// The currency of what is on it.
    pub currency: Currency,
    /// The last four letters and digits of its code, to tell cards apart.
    pub last_four: String,
    /// Whether it can be spent.
    pub state: CardState,
    /// From when on it cannot be spent any more.
    pub expires_at: Option<Instant>,
    /// When its code was shown.
    pub code_shown_at: Option<Instant>,
    /// When it was made.
    pub made_at: Instant,
    /// Counts its changes, from 1.
    pub version: i64,
}

/// Money we owe one customer in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCredit {
    /// Its identity, which its book shares.
    pub id: Id<CreditKind>,
    /// Whose it is.
    pub customer: Id<Customer>,
    /// Its currency.
    pub currency: Currency,
    /// The one that has what comes onto this one, because its customer was merged into another.
    pub pool: Option<Id<CreditKind>>,
    /// When it was opened.
    pub made_at: Instant,
}

fn unknown(what: &str) -> StoreError {
    StoreError::Corrupt(format!("a gift card or store credit has an unknown {what}"))
}

fn currency(row: &mut Row<'_>) -> Result<Currency, StoreError> {
    Currency::parse(&row.text()?).map_err(|_| unknown("currency"))
}

fn card(row: &mut Row<'_>) -> Result<GiftCard, StoreError> {
    Ok(GiftCard {
        id: row.id()?,
        currency: currency(row)?,
        last_four: row.text()?,
        state: CardState::coded(row.int()?).ok_or_else(|| unknown("state"))?,
        expires_at: row.instant_or_null()?,
        code_shown_at: row.instant_or_null()?,
        made_at: row.instant()?,
        version: row.int()?,
    })
}

fn credit(row: &mut Row<'_>) -> Result<StoreCredit, StoreError> {
    Ok(StoreCredit {
        id: row.id()?,
        customer: row.id()?,
        currency: currency(row)?,
        pool: row.id_or_null()?,
        made_at: row.instant()?,
    })
}

/// Adds a gift card, found by the hash of its code from now on.
///
/// # Errors
/// What the store says.
pub fn add_card(tx: &mut Tx<'_>, card: &GiftCard, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(
        "insert into gift_card (gift_card_id, currency, last_four, state, expires_at, code_shown_at, made_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            card.id,
            card.currency.code(),
            &card.last_four,
            card.state.code(),
            card.expires_at,
            card.code_shown_at,
            card.made_at,
            card.version
        ],
    )?;
    tx.execute(
        "insert into gift_card_by_code (hash, gift_card_id) values ($1, $2)",
        params![&hash[..], card.id],
    )?;
    Ok(())
}

/// A gift card.
///
/// # Errors
/// What the store says.
pub fn find_card(tx: &mut Tx<'_>, id: Id<CardKind>) -> Result<Option<GiftCard>, StoreError> {
    tx.one(
        "select gift_card_id, currency, last_four, state, expires_at, code_shown_at, made_at, version from gift_card where gift_card_id = $1",
        params![id],
        card,
    )
}

/// The gift card with a code of this hash.
///
/// # Errors
/// What the store says.
pub fn card_by_code(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Id<CardKind>>, StoreError> {
    tx.one("select gift_card_id from gift_card_by_code where hash = $1", params![&hash[..]], |row| row.id())
}

/// Notes that a card's code is shown now; false when it was shown before.
///
/// # Errors
/// What the store says.
pub fn show_code(tx: &mut Tx<'_>, id: Id<CardKind>, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update gift_card set code_shown_at = $2, version = version + 1 where gift_card_id = $1 and code_shown_at is null",
        params![id, now],
    )?;
    Ok(touched == 1)
}

/// Writes whether a card can be spent; false when it was so before.
///
/// # Errors
/// What the store says.
pub fn set_card_state(tx: &mut Tx<'_>, id: Id<CardKind>, state: CardState) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update gift_card set state = $2, version = version + 1 where gift_card_id = $1 and state <> $2",
        params![id, state.code()],
    )?;
    Ok(touched == 1)
}

/// Opens a customer's store credit in a currency; false when it is open already.
///
/// # Errors
/// What the store says.
pub fn add_credit(tx: &mut Tx<'_>, credit: &StoreCredit) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into store_credit_of_customer (customer_id, currency, store_credit_id) values ($1, $2, $3)
         on conflict (customer_id, currency) do nothing",
        params![credit.customer, credit.currency.code(), credit.id],
    )?;
    if made == 1 {
        tx.execute(
            "insert into store_credit (store_credit_id, customer_id, currency, made_at) values ($1, $2, $3, $4)",
            params![credit.id, credit.customer, credit.currency.code(), credit.made_at],
        )?;
    }
    Ok(made == 1)
}

/// A store credit.
///
/// # Errors
/// What the store says.
pub fn find_credit(tx: &mut Tx<'_>, id: Id<CreditKind>) -> Result<Option<StoreCredit>, StoreError> {
    tx.one(
        "select store_credit_id, customer_id, currency, pool_id, made_at from store_credit where store_credit_id = $1",
        params![id],
        credit,
    )
}

/// A customer's store credits, one for each currency.
///
/// # Errors
/// What the store says.
pub fn credits_of(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<Vec<StoreCredit>, StoreError> {
    tx.rows(
        "select c.store_credit_id, c.customer_id, c.currency, c.pool_id, c.made_at from store_credit_of_customer o
         join store_credit c on c.store_credit_id = o.store_credit_id where o.customer_id = $1 order by c.currency",
        params![customer],
        credit,
    )
}

/// The store credit that has what comes onto one; it stays so until the commit.
///
/// # Errors
/// What the store says.
pub fn pool_of(tx: &mut Tx<'_>, id: Id<CreditKind>) -> Result<Option<Id<CreditKind>>, StoreError> {
    let found =
        tx.one("select pool_id from store_credit where store_credit_id = $1 {stay}", params![id], |row| {
            row.id_or_null()
        })?;
    Ok(found.flatten())
}

/// Writes which store credit has what comes onto one, after whoever is just putting something on it.
///
/// # Errors
/// What the store says.
pub fn set_pool(tx: &mut Tx<'_>, id: Id<CreditKind>, pool: Option<Id<CreditKind>>) -> Result<(), StoreError> {
    tx.one("select currency from store_credit where store_credit_id = $1 {lock}", params![id], |row| {
        row.text()
    })?;
    tx.execute("update store_credit set pool_id = $2 where store_credit_id = $1", params![id, pool])?;
    Ok(())
}

/// The store credits whose money one has.
///
/// # Errors
/// What the store says.
pub fn pooled(tx: &mut Tx<'_>, into: Id<CreditKind>) -> Result<Vec<Id<CreditKind>>, StoreError> {
    tx.rows(
        "select store_credit_id from store_credit where pool_id = $1 order by store_credit_id",
        params![into],
        |row| row.id(),
    )
}

/// Takes a store credit away onto which nothing came but what a merge moved; false when there was more.
///
/// # Errors
/// What the store says.
pub fn remove_unused_credit(tx: &mut Tx<'_>, id: Id<CreditKind>) -> Result<bool, StoreError> {
    let gone = tx.execute(
        "delete from store_credit where store_credit_id = $1
            and not exists (select 1 from transfer t where t.book_id = $1 and t.reason <> 'moved')
            and not exists (select 1 from hold h where h.book_id = $1)",
        params![id],
    )?;
    tx.execute(
        "delete from store_credit_of_customer where store_credit_id = $1
            and not exists (select 1 from store_credit s where s.store_credit_id = $1)",
        params![id],
    )?;
    Ok(gone == 1)
}

/// Currencies in which not as much money came onto store credits as left others, and store credits whose money another one has and that have
/// some: what, and how much.
///
/// # Errors
/// What the store says.
pub fn unequal_pools(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows(
        "select b.unit, cast(sum(a.amount) as {int}) from account a join book b on b.book_id = a.book_id
         where b.kind = $1 and a.state = $2 group by b.unit having sum(a.amount) <> 0
         union all
         select s.currency, a.amount from store_credit s join account a on a.book_id = s.store_credit_id and a.state = $3
         where s.pool_id is not null and a.amount <> 0
         limit $4",
        params![BookKind::StoreCredit.code(), State::Moved.code(), State::Balance.code(), FINDINGS_MAX],
        |row| Ok((row.text()?, row.int()?)),
    )
}

/// Books of gift cards and store credit that are nobody's, or whose currency is another than their owner's; and owners without a book:
/// the book and what is wrong.
///
/// # Errors
/// What the store says.
pub fn unowned_books(tx: &mut Tx<'_>) -> Result<Vec<(Id<Book>, String)>, StoreError> {
    tx.rows(
        "select b.book_id, 'no gift card' from book b where b.kind = $1
            and not exists (select 1 from gift_card g where g.gift_card_id = b.book_id and g.currency = b.unit)
         union all
         select b.book_id, 'no store credit' from book b where b.kind = $2
            and not exists (select 1 from store_credit s where s.store_credit_id = b.book_id and s.currency = b.unit)
            and (exists (select 1 from account a where a.book_id = b.book_id and a.amount <> 0)
                or not exists (select 1 from transfer t where t.book_id = b.book_id))
         union all
         select g.gift_card_id, 'no book' from gift_card g
            where not exists (select 1 from book b where b.book_id = g.gift_card_id and b.kind = $1)
         union all
         select s.store_credit_id, 'no book' from store_credit s
            where not exists (select 1 from book b where b.book_id = s.store_credit_id and b.kind = $2)
         limit $3",
        params![BookKind::GiftCard.code(), BookKind::StoreCredit.code(), FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
