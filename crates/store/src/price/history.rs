//! The rows of the history of prices: every price that was set or taken away, and every state a price list was in. Lines are never changed.

use domain::price::{Change, ListChange, Row as Price};
use domain::value::id::{
    Channel, Market, PriceChange as ChangeKind, PriceList as ListKind, Variant as VariantKind,
};
use domain::value::{Id, Instant};

use super::{PriceList, list, start_key, start_of};
use crate::{Row, StoreError, Tx, params};

/// One line of the history: who set which price when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceChange {
    /// Its identity.
    pub id: Id<ChangeKind>,
    /// The variant.
    pub variant: Id<VariantKind>,
    /// The list.
    pub list: Id<ListKind>,
    /// When it was changed.
    pub at: Instant,
    /// Who changed it: `staff:stf_…`.
    pub actor: String,
    /// From how many base units on.
    pub minimum_quantity: i64,
    /// From when the price holds.
    pub starts_at: Option<Instant>,
    /// Until when it holds, as set by this change.
    pub ends_at: Option<Instant>,
    /// The price before; none when it is new.
    pub old_minor: Option<i64>,
    /// The price after; none when it was taken away.
    pub new_minor: Option<i64>,
}

impl PriceChange {
    /// The change as the rule replays it.
    pub fn replayed(&self) -> Change {
        let PriceChange { at, list, minimum_quantity, starts_at, ends_at, .. } = *self;
        let row = |minor| Price { list, minimum_quantity, starts_at, ends_at, minor, was_minor: None };
        Change { at, list, minimum_quantity, starts_at, row: self.new_minor.map(row) }
    }
}

/// Notes how a list stands from now on.
///
/// # Errors
/// What the store says.
pub fn note_list(
    tx: &mut Tx<'_>,
    list: &PriceList,
    (change, at, actor): (Id<ChangeKind>, Instant, &str),
) -> Result<(), StoreError> {
    tx.execute(
        "insert into price_list_change (price_list_id, change_id, at, actor, priority, starts_at, ends_at, active)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            list.rule.id,
            change,
            at,
            actor,
            list.rule.priority,
            list.rule.starts_at,
            list.rule.ends_at,
            list.active
        ],
    )?;
    Ok(())
}

/// Every list that everybody, or this group, was ever served from in this channel of this market, in use or not.
///
/// # Errors
/// What the store says.
pub fn lists_ever_for(
    tx: &mut Tx<'_>,
    channel: Id<Channel>,
    market: Id<Market>,
    customer_group: Option<&str>,
) -> Result<Vec<PriceList>, StoreError> {
    tx.rows(
        "select price_list_id, code, name, currency, market_id, channel_id, customer_group, priority, starts_at, ends_at, active, external_id, version
         from price_list
         where (channel_id = $1 or market_id = $2) and (customer_group is null or customer_group = cast($3 as text))
         order by price_list_id",
        params![channel, market, customer_group],
        list,
    )
}

/// How these lists stood from when on, in order of time; of those that were changed more often the newest `limit`.
///
/// # Errors
/// What the store says.
pub fn list_changes(tx: &mut Tx<'_>, lists: &[PriceList], limit: i64) -> Result<Vec<ListChange>, StoreError> {
    let ids: Vec<_> = lists.iter().map(|list| list.rule.id.bytes()).collect();
    let mut changes = tx.rows(
        "select price_list_id, at, priority, starts_at, ends_at, active from price_list_change
         where price_list_id {in ids $1} order by at desc, change_id desc limit $2",
        params![ids.as_slice(), limit],
        |row| {
            let id: Id<ListKind> = row.id()?;
            let known = lists.iter().find(|list| list.rule.id == id);
            let mut rule =
                known.ok_or_else(|| StoreError::Corrupt(format!("no price list {id}")))?.rule.clone();
            let at = row.instant()?;
            rule.priority = row.int()?;
            (rule.starts_at, rule.ends_at) = (row.instant_or_null()?, row.instant_or_null()?);
            Ok(ListChange { at, list: rule, active: row.yes()? })
        },
    )?;
    changes.reverse();
    Ok(changes)
}

/// Writes a line of the history. Lines are never changed.
///
/// # Errors
/// What the store says.
pub fn note_change(tx: &mut Tx<'_>, change: &PriceChange) -> Result<(), StoreError> {
    tx.execute(
        "insert into price_change (variant_id, price_list_id, change_id, at, actor, minimum_quantity, starts_at, ends_at, old_minor, new_minor)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            change.variant,
            change.list,
            change.id,
            change.at,
            &change.actor,
            change.minimum_quantity,
            start_key(change.starts_at),
            change.ends_at,
            change.old_minor,
            change.new_minor,
        ],
    )?;
    Ok(())
}

/// The history of a variant's prices after a change, oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn changes(
    tx: &mut Tx<'_>,
    variant: Id<VariantKind>,
    after: Id<ChangeKind>,
    limit: i64,
) -> Result<Vec<PriceChange>, StoreError> {
    tx.rows(
        "select change_id, variant_id, price_list_id, at, actor, minimum_quantity, starts_at, ends_at, old_minor, new_minor
         from price_change where variant_id = $1 and change_id > $2 order by change_id limit $3",
        params![variant, after, limit],
        change,
    )
}

/// The history of a variant's prices in these lists, newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn changes_in(
    tx: &mut Tx<'_>,
    variant: Id<VariantKind>,
    lists: &[Id<ListKind>],
    limit: i64,
) -> Result<Vec<PriceChange>, StoreError> {
    let lists: Vec<_> = lists.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select change_id, variant_id, price_list_id, at, actor, minimum_quantity, starts_at, ends_at, old_minor, new_minor
         from price_change where variant_id = $1 and price_list_id {in ids $2} order by at desc, change_id desc limit $3",
        params![variant, lists.as_slice(), limit],
        change,
    )
}

fn change(row: &mut Row<'_>) -> Result<PriceChange, StoreError> {
    Ok(PriceChange {
        id: row.id()?,
        variant: row.id()?,
        list: row.id()?,
        at: row.instant()?,
        actor: row.text()?,
        minimum_quantity: row.int()?,
        starts_at: start_of(row.int()?),
        ends_at: row.instant_or_null()?,
        old_minor: row.int_or_null()?,
        new_minor: row.int_or_null()?,
    })
}
