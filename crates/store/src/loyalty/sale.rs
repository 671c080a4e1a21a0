//! The rows of gift cards that are sold: which variants are gift cards, how long they are valid, and which cards an order brought.

use domain::ledger::BookKind;
use domain::loyalty::{State, Validity};
use domain::value::id::{GiftCard, Market, Order, OrderLine, Variant};
use domain::value::{Currency, Id, Instant};

use crate::{StoreError, Tx, params};

/// Makes a variant a gift card; false when it is one already.
///
/// # Errors
/// What the store says.
pub fn add_variant(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<bool, StoreError> {
    let added = tx.execute(
        "insert into gift_card_variant (variant_id) values ($1) on conflict (variant_id) do nothing",
        params![variant],
    )?;
    Ok(added == 1)
}

/// Makes a variant no gift card any more; false when it was none.
///
/// # Errors
/// What the store says.
pub fn remove_variant(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from gift_card_variant where variant_id = $1", params![variant])? == 1)
}

/// Is a variant a gift card?
///
/// # Errors
/// What the store says.
pub fn is_gift_card(tx: &mut Tx<'_>, variant: Id<Variant>) -> Result<bool, StoreError> {
    let found =
        tx.one("select variant_id from gift_card_variant where variant_id = $1", params![variant], |_| {
            Ok(())
        })?;
    Ok(found.is_some())
}

/// The variants after one that are gift cards, in the order of their ids.
///
/// # Errors
/// What the store says.
pub fn variants(tx: &mut Tx<'_>, after: Id<Variant>, limit: i64) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select variant_id from gift_card_variant where variant_id > $1 order by variant_id limit $2",
        params![after, limit],
        |row| row.id(),
    )
}

/// Writes how long cards sold in a market are valid; for ever when nothing is given.
///
/// # Errors
/// What the store says.
pub fn set_validity(
    tx: &mut Tx<'_>,
    market: Id<Market>,
    validity: Option<Validity>,
) -> Result<(), StoreError> {
    match validity {
        None => tx.execute("delete from gift_card_validity where market_id = $1", params![market])?,
        Some(validity) => tx.execute(
            "insert into gift_card_validity (market_id, months, to_year_end) values ($1, $2, $3)
             on conflict (market_id) do update set months = excluded.months, to_year_end = excluded.to_year_end",
            params![market, validity.months, validity.to_year_end],
        )?,
    };
    Ok(())
}

/// How long cards sold in a market are valid, when not for ever.
///
/// # Errors
/// What the store says.
pub fn validity(tx: &mut Tx<'_>, market: Id<Market>) -> Result<Option<Validity>, StoreError> {
    tx.one(
        "select months, to_year_end from gift_card_validity where market_id = $1",
        params![market],
        |row| Ok(Validity { months: row.int()?, to_year_end: row.yes()? }),
    )
}

/// A card that an order's line brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The line.
    pub line: Id<OrderLine>,
    /// The line's first card is 0.
    pub number: i64,
    /// The card.
    pub card: Id<GiftCard>,
    /// What was on it, in minor units.
    pub minor: i64,
    /// When it came back.
    pub taken_back_at: Option<Instant>,
}

/// Notes a card that an order's line brought.
///
/// # Errors
/// What the store says.
pub fn add_sold(tx: &mut Tx<'_>, order: Id<Order>, sold: &Sold) -> Result<(), StoreError> {
    tx.execute(
        "insert into gift_card_sold (order_id, line_id, number, gift_card_id, minor) values ($1, $2, $3, $4, $5)",
        params![order, sold.line, sold.number, sold.card, sold.minor],
    )?;
    Ok(())
}

/// Notes that a card came back.
///
/// # Errors
/// What the store says.
pub fn take_back(tx: &mut Tx<'_>, order: Id<Order>, sold: &Sold, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "update gift_card_sold set taken_back_at = $4 where order_id = $1 and line_id = $2 and number = $3",
        params![order, sold.line, sold.number, now],
    )?;
    Ok(())
}

/// The cards an order brought, line by line.
///
/// # Errors
/// What the store says.
pub fn sold(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Sold>, StoreError> {
    tx.rows(
        "select line_id, number, gift_card_id, minor, taken_back_at from gift_card_sold where order_id = $1 order by line_id, number",
        params![order],
        |row| {
            Ok(Sold {
                line: row.id()?,
                number: row.int()?,
                card: row.id()?,
                minor: row.int()?,
                taken_back_at: row.instant_or_null()?,
            })
        },
    )
}

/// Cards that have expired and still have money on them that is not set aside, the longest expired first.
///
/// # Errors
/// What the store says.
pub fn expired(tx: &mut Tx<'_>, now: Instant, limit: i64) -> Result<Vec<Id<GiftCard>>, StoreError> {
    tx.rows(
        "select g.gift_card_id from gift_card g join account a on a.book_id = g.gift_card_id and a.place = g.gift_card_id and a.state = $1
         where g.expires_at <= $2 and a.amount > 0 order by g.expires_at, g.gift_card_id limit $3",
        params![State::Balance.code(), now, limit],
        |row| row.id(),
    )
}

/// What happened to the money of one kind of book in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Liability {
    /// Gift cards or store credit.
    pub kind: BookKind,
    /// The currency.
    pub currency: Currency,
    /// What customers had with us at the end.
    pub outstanding: i64,
    /// Sold, given, or taken in from the system before, in the time.
    pub issued: i64,
    /// Put on for goods that came back.
    pub refunded: i64,
    /// Paid with, less what was given back.
    pub spent: i64,
    /// Corrected by hand: more (positive) or less.
    pub adjusted: i64,
    /// Lapsed.
    pub expired: i64,
}

/// What customers have with us on gift cards and as store credit at the end of a time, and what happened in it.
///
/// # Errors
/// What the store says.
pub fn liability(tx: &mut Tx<'_>, from: Instant, until: Instant) -> Result<Vec<Liability>, StoreError> {
    tx.rows(
        "select b.kind, b.unit,
             cast(sum(case when p.state in ($5, $6) then p.amount else 0 end) as {int}),
             cast(sum(case when p.state in ($7, $12) and p.at >= $1 then -p.amount else 0 end) as {int}),
             cast(sum(case when p.state = $8 and p.at >= $1 then -p.amount else 0 end) as {int}),
             cast(sum(case when p.state = $9 and p.at >= $1 then p.amount else 0 end) as {int}),
             cast(sum(case when p.state = $10 and p.at >= $1 then -p.amount else 0 end) as {int}),
             cast(sum(case when p.state = $11 and p.at >= $1 then p.amount else 0 end) as {int})
         from book b join posting p on p.book_id = b.book_id
         where b.kind in ($3, $4) and p.at < $2 group by b.kind, b.unit order by b.kind, b.unit",
        params![
            from,
            until,
            BookKind::GiftCard.code(),
            BookKind::StoreCredit.code(),
            State::Balance.code(),
            State::Held.code(),
            State::Issued.code(),
            State::Refunded.code(),
            State::Spent.code(),
            State::Adjusted.code(),
            State::Expired.code(),
            State::Opening.code()
        ],
        |row| {
            let unknown = |what: &str| StoreError::Corrupt(format!("a book of money has an unknown {what}"));
            Ok(Liability {
                kind: BookKind::coded(row.int()?).ok_or_else(|| unknown("kind"))?,
                currency: Currency::parse(&row.text()?).map_err(|_| unknown("currency"))?,
                outstanding: row.int()?,
                issued: row.int()?,
                refunded: row.int()?,
                spent: row.int()?,
                adjusted: row.int()?,
                expired: row.int()?,
            })
        },
    )
}
