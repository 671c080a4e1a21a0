//! The rows of prices: lists, the prices in them, and the history of every change.

pub mod history;

use domain::price::{Audience, List, Row as Price};
use domain::value::id::{Channel, Market, PriceList as ListKind, Variant as VariantKind};
use domain::value::{Currency, Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A price list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// Identity, who it is for, priority and dates.
    pub rule: List,
    /// The short word it goes by; unique.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What its prices are in.
    pub currency: Currency,
    /// Is it in use?
    pub active: bool,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
    /// Counts its changes, from 1.
    pub version: i64,
}

fn list(row: &mut Row<'_>) -> Result<PriceList, StoreError> {
    let id = row.id()?;
    let (code, name, currency) = (row.text()?, row.text()?, row.text()?);
    let (market, channel) = (row.id_or_null::<Market>()?, row.id_or_null::<Channel>()?);
    let audience = match (market, channel) {
        (Some(market), None) => Audience::Market(market),
        (None, Some(channel)) => Audience::Channel(channel),
        _ => {
            return Err(StoreError::Corrupt(format!(
                "price list \"{code}\" is not for one market or channel"
            )));
        }
    };
    let rule = List {
        id,
        audience,
        customer_group: row.text_or_null()?,
        priority: row.int()?,
        starts_at: row.instant_or_null()?,
        ends_at: row.instant_or_null()?,
    };
    let currency = Currency::parse(&currency).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(PriceList {
        rule,
        code,
        name,
        currency,
        active: row.yes()?,
        external_id: row.text_or_null()?,
        version: row.int()?,
    })
}

/// Adds a list; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_list(tx: &mut Tx<'_>, list: &PriceList) -> Result<bool, StoreError> {
    let (market, channel) = match list.rule.audience {
        Audience::Market(market) => (Some(market), None),
        Audience::Channel(channel) => (None, Some(channel)),
    };
    let made = tx.execute(
        "insert into price_list (price_list_id, code, name, currency, market_id, channel_id, customer_group, priority, starts_at, ends_at,
             active, external_id, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (code) do nothing",
        params![
            list.rule.id,
            &list.code,
            &list.name,
            list.currency.code(),
            market,
            channel,
            list.rule.customer_group.as_deref(),
            list.rule.priority,
            list.rule.starts_at,
            list.rule.ends_at,
            list.active,
            list.external_id.as_deref(),
            list.version,
        ],
    )?;
    Ok(made == 1)
}

/// Changes name, priority, dates and use of a list that still has the version before `list.version`; false when somebody was faster.
///
/// # Errors
/// What the store says.
pub fn update_list(tx: &mut Tx<'_>, list: &PriceList) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update price_list set name = $2, priority = $3, starts_at = $4, ends_at = $5, active = $6, version = $7
         where price_list_id = $1 and version = $7 - 1",
        params![
            list.rule.id,
            &list.name,
            list.rule.priority,
            list.rule.starts_at,
            list.rule.ends_at,
            list.active,
            list.version
        ],
    )?;
    Ok(touched == 1)
}

/// The list with this id.
///
/// # Errors
/// What the store says.
pub fn find_list(tx: &mut Tx<'_>, id: Id<ListKind>) -> Result<Option<PriceList>, StoreError> {
    tx.one(
        "select price_list_id, code, name, currency, market_id, channel_id, customer_group, priority, starts_at, ends_at, active, external_id, version
         from price_list where price_list_id = $1",
        params![id],
        list,
    )
}

/// The lists after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_lists(tx: &mut Tx<'_>, after: Id<ListKind>, limit: i64) -> Result<Vec<PriceList>, StoreError> {
    tx.rows(
        "select price_list_id, code, name, currency, market_id, channel_id, customer_group, priority, starts_at, ends_at, active, external_id, version
         from price_list where price_list_id > $1 order by price_list_id limit $2",
        params![after, limit],
        list,
    )
}

/// The lists in use that a buyer in this channel of this market may be served from.
///
/// # Errors
/// What the store says.
pub fn lists_for(
    tx: &mut Tx<'_>,
    channel: Id<Channel>,
    market: Id<Market>,
    customer_group: Option<&str>,
) -> Result<Vec<PriceList>, StoreError> {
    tx.rows(
        "select price_list_id, code, name, currency, market_id, channel_id, customer_group, priority, starts_at, ends_at, active, external_id, version
         from price_list
         where (channel_id = $1 or market_id = $2) and active = 1 and (customer_group is null or customer_group = cast($3 as text))
         order by price_list_id",
        params![channel, market, customer_group],
        list,
    )
}

/// The start as part of the key: 0 for none.
fn start_key(starts_at: Option<Instant>) -> i64 {
    starts_at.map_or(0, Instant::micros)
}

fn start_of(key: i64) -> Option<Instant> {
    (key != 0).then(|| Instant::from_micros(key))
}

fn price(row: &mut Row<'_>) -> Result<(Id<VariantKind>, Price), StoreError> {
    let variant = row.id()?;
    let price = Price {
        list: row.id()?,
        minimum_quantity: row.int()?,
        starts_at: start_of(row.int()?),
        ends_at: row.instant_or_null()?,
        minor: row.int()?,
        was_minor: row.int_or_null()?,
    };
    Ok((variant, price))
}

/// The prices of these variants in these lists, past and future ones too, in the order of variants.
///
/// # Errors
/// What the store says.
pub fn prices(
    tx: &mut Tx<'_>,
    variants: &[Id<VariantKind>],
    lists: &[Id<ListKind>],
) -> Result<Vec<(Id<VariantKind>, Price)>, StoreError> {
    let variants: Vec<_> = variants.iter().map(|id| id.bytes()).collect();
    let lists: Vec<_> = lists.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select variant_id, price_list_id, minimum_quantity, starts_at, ends_at, minor, was_minor from price
         where variant_id {in ids $1} and price_list_id {in ids $2}
         order by variant_id, price_list_id, minimum_quantity, starts_at",
        &[Param::Ids(&variants), Param::Ids(&lists)],
        price,
    )
}

/// Every price of these variants, in all lists, in the order of variants.
///
/// # Errors
/// What the store says.
pub fn all_prices(
    tx: &mut Tx<'_>,
    variants: &[Id<VariantKind>],
) -> Result<Vec<(Id<VariantKind>, Price)>, StoreError> {
    let variants: Vec<_> = variants.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select variant_id, price_list_id, minimum_quantity, starts_at, ends_at, minor, was_minor from price
         where variant_id {in ids $1} order by variant_id, price_list_id, minimum_quantity, starts_at",
        &[Param::Ids(&variants)],
        price,
    )
}

/// The price that has this place in a list, held until the commit.
///
/// # Errors
/// What the store says.
pub fn find_price(
    tx: &mut Tx<'_>,
    variant: Id<VariantKind>,
    place: &Price,
) -> Result<Option<Price>, StoreError> {
    let found = tx.one(
        "select variant_id, price_list_id, minimum_quantity, starts_at, ends_at, minor, was_minor from price
         where variant_id = $1 and price_list_id = $2 and minimum_quantity = $3 and starts_at = $4 {lock}",
        params![variant, place.list, place.minimum_quantity, start_key(place.starts_at)],
        price,
    )?;
    Ok(found.map(|(_, price)| price))
}

/// Sets a price, in the place of the one with the same variant, list, quantity and start.
///
/// # Errors
/// What the store says.
pub fn set_price(tx: &mut Tx<'_>, variant: Id<VariantKind>, price: &Price) -> Result<(), StoreError> {
    tx.execute(
        "insert into price (variant_id, price_list_id, minimum_quantity, starts_at, ends_at, minor, was_minor) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (variant_id, price_list_id, minimum_quantity, starts_at)
         do update set ends_at = excluded.ends_at, minor = excluded.minor, was_minor = excluded.was_minor",
        params![
            variant,
            price.list,
            price.minimum_quantity,
            start_key(price.starts_at),
            price.ends_at,
            price.minor,
            price.was_minor
        ],
    )?;
    Ok(())
}

/// Takes a price away; false when there was none.
///
/// # Errors
/// What the store says.
pub fn remove_price(tx: &mut Tx<'_>, variant: Id<VariantKind>, place: &Price) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "delete from price where variant_id = $1 and price_list_id = $2 and minimum_quantity = $3 and starts_at = $4",
        params![variant, place.list, place.minimum_quantity, start_key(place.starts_at)],
    )?;
    Ok(touched == 1)
}
