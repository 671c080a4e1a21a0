//! Which variants are to be counted at a location, what the books had while they were, and how right the books turned out to be.

use domain::value::id::{Category, Location, Variant};
use domain::value::{Currency, Id, Instant};

use crate::{Param, StoreError, Tx, params};

/// The variants that lie on a shelf of a location, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn on_shelf(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    shelf: &str,
    limit: i64,
) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select variant_id from stock_level where location_id = $1 and shelf = $2 order by variant_id limit $3",
        params![location, shelf, limit],
        |row| row.id(),
    )
}

/// The variants of these categories that were ever on the shelf of a location, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn in_categories(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    categories: &[Id<Category>],
    limit: i64,
) -> Result<Vec<Id<Variant>>, StoreError> {
    let keys: Vec<[u8; 16]> = categories.iter().map(|category| category.bytes()).collect();
    tx.rows(
        "select distinct v.variant_id from product_category c join variant v on v.product_id = c.product_id
         join account a on a.book_id = v.variant_id and a.place = $1 and a.state = 1
         where c.category_id {in ids $2} order by v.variant_id limit $3",
        &[Param::from(location), Param::Ids(&keys), Param::Int(limit)],
        |row| row.id(),
    )
}

/// The variants that look wrong at a location: missing, kept from orders, or wrong when they were last counted; at most `limit`.
///
/// # Errors
/// What the store says.
pub fn exceptions(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    limit: i64,
) -> Result<Vec<Id<Variant>>, StoreError> {
    tx.rows(
        "select book_id from account where place = $1 and state = 8 and amount > 0
         union select variant_id from stock_level where location_id = $1 and excluded_until is not null
         union select l.variant_id from count c join count_line l on l.count_id = c.count_id
             join count_spot s on s.variant_id = l.variant_id and s.location_id = c.location_id and s.counted_at = c.counted_at
             where c.location_id = $1 and c.state = 5 and l.difference <> 0
         order by 1 limit $2",
        params![location, limit],
        |row| row.id(),
    )
}

/// What lies on a shelf, and since when nobody counted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lying {
    /// The variant.
    pub variant: Id<Variant>,
    /// Pieces free to promise.
    pub available: i64,
    /// What a piece is worth in minor units, if somebody said so.
    pub value_minor: Option<i64>,
    /// When it was last counted there.
    pub counted_at: Option<Instant>,
}

/// What lies on the shelves of a location after a variant and is in no open count, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn lying(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    after: Id<Variant>,
    limit: i64,
) -> Result<Vec<Lying>, StoreError> {
    tx.rows(
        "select a.book_id, a.amount, w.value_minor, s.counted_at from account a
         left join stock_value w on w.variant_id = a.book_id
         left join count_spot s on s.variant_id = a.book_id and s.location_id = a.place
         where a.place = $1 and a.state = 1 and a.book_id > $2 and s.count_id is null order by a.book_id limit $3",
        params![location, after, limit],
        |row| {
            Ok(Lying {
                variant: row.id()?,
                available: row.int()?,
                value_minor: row.int_or_null()?,
                counted_at: row.instant_or_null()?,
            })
        },
    )
}

/// What came to (positive) and went from (negative) the shelf of a variant at a location after an instant and until another, one sum for
/// each instant, in their order. On the shelf is what is available, held or committed.
///
/// # Errors
/// What the store says.
pub fn shelf_changes(
    tx: &mut Tx<'_>,
    (variant, location): (Id<Variant>, Id<Location>),
    (after, until): (Instant, Instant),
) -> Result<Vec<i64>, StoreError> {
    tx.rows(
        "select cast(sum(amount) as {int}) from posting where book_id = $1 and place = $2 and state in (1, 2, 3) and at > $3 and at <= $4
         group by at order by at",
        params![variant, location, after, until],
        |row| row.int(),
    )
}

/// How right the books of a location turned out to be, in one currency; lines nobody gave a value stand under none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accuracy {
    /// The currency of the values.
    pub currency: Option<Currency>,
    /// Lines that were counted and posted.
    pub lines: i64,
    /// Those without a difference.
    pub right: i64,
    /// Pieces counted.
    pub counted: i64,
    /// Pieces more than the books had.
    pub over: i64,
    /// Pieces fewer.
    pub under: i64,
    /// What those more are worth in minor units.
    pub over_minor: i64,
    /// What those fewer are worth.
    pub under_minor: i64,
}

/// How right the books of a location turned out to be in counts posted from one instant until before another.
///
/// # Errors
/// What the store says.
pub fn accuracy(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    (from, until): (Instant, Instant),
) -> Result<Vec<Accuracy>, StoreError> {
    tx.rows(
        "select l.currency, cast(count(*) as {int}), cast(sum(case when l.difference = 0 then 1 else 0 end) as {int}),
             cast(sum(l.counted) as {int}),
             cast(sum(case when l.difference > 0 then l.difference else 0 end) as {int}),
             cast(sum(case when l.difference < 0 then -l.difference else 0 end) as {int}),
             cast(sum(case when l.difference > 0 then l.difference * coalesce(l.value_minor, 0) else 0 end) as {int}),
             cast(sum(case when l.difference < 0 then -l.difference * coalesce(l.value_minor, 0) else 0 end) as {int})
         from count c join count_line l on l.count_id = c.count_id
         where c.location_id = $1 and c.state = 5 and c.ended_at >= $2 and c.ended_at < $3 and l.difference is not null
         group by l.currency order by l.currency",
        params![location, from, until],
        |row| {
            Ok(Accuracy {
                currency: row.value_or_null(Currency::parse)?,
                lines: row.int()?,
                right: row.int()?,
                counted: row.int()?,
                over: row.int()?,
                under: row.int()?,
                over_minor: row.int()?,
                under_minor: row.int()?,
            })
        },
    )
}

/// What lay at a location as of the end of an instant: on the shelf (available, held or committed), and missing.
///
/// # Errors
/// What the store says.
pub fn as_of(
    tx: &mut Tx<'_>,
    (variant, location): (Id<Variant>, Id<Location>),
    at: Instant,
) -> Result<(i64, i64), StoreError> {
    let states = tx.rows(
        "select a.state, a.amount - coalesce((select cast(sum(p.amount) as {int}) from posting p
            where p.book_id = a.book_id and p.place = a.place and p.state = a.state and p.at > $3), 0)
         from account a where a.book_id = $1 and a.place = $2 and a.state in (1, 2, 3, 8)",
        params![variant, location, at],
        |row| Ok((row.int()?, row.int()?)),
    )?;
    let sum =
        |missing| states.iter().filter(|(state, _)| (*state == 8) == missing).map(|(_, amount)| amount).sum();
    Ok((sum(false), sum(true)))
}

/// What lies at a location now, available and missing; nobody else changes what is on its shelf until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_now(
    tx: &mut Tx<'_>,
    (variant, location): (Id<Variant>, Id<Location>),
) -> Result<(i64, i64), StoreError> {
    let states = tx.rows(
        "select state, amount from account where book_id = $1 and place = $2 and state in (1, 2, 3, 8) order by state {lock}",
        params![variant, location],
        |row| Ok((row.int()?, row.int()?)),
    )?;
    let of = |wanted| states.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, amount)| *amount);
    Ok((of(1), of(8)))
}
