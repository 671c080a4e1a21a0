//! The rows of promotions, their limits and what was used of them.

pub mod coupon;

use domain::promotion::State;
use domain::promotion::limit::{Limit, Period, Scope, Used};
use domain::value::id::{Category, Order, Product, Promotion as Kind};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// A promotion as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// Its identity.
    pub id: Id<Kind>,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub state: State,
    /// What it says, as the crate `pricing` writes it.
    pub terms: String,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// Whose uses are counted: the scope and period of a limit, for one holder in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    /// Of which promotion.
    pub promotion: Id<Kind>,
    /// Whose uses count together.
    pub scope: Scope,
    /// In what time.
    pub period: Period,
    /// Which coupon, customer or store; zeros for everybody.
    pub holder: [u8; 16],
    /// When the period began, as [`Period::begins`] says.
    pub begins: i64,
}

pub(crate) fn promotion(row: &mut Row<'_>) -> Result<Promotion, StoreError> {
    Ok(Promotion {
        id: row.id()?,
        name: row.text()?,
        state: row.word(State::coded)?,
        terms: row.text()?,
        version: row.int()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
    })
}

/// Adds a promotion, with its first version.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, own: &Promotion) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion (promotion_id, name, state, terms, version, made_at, changed_at) values ($1, $2, $3, $4, $5, $6, $7)",
        params![own.id, &own.name, own.state.code(), &own.terms, own.version, own.made_at, own.changed_at],
    )?;
    keep_version(tx, own)
}

/// Writes a changed promotion and keeps the version; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, own: &Promotion) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update promotion set name = $2, state = $3, terms = $4, version = $5, changed_at = $6 where promotion_id = $1 and version = $5 - 1",
        params![own.id, &own.name, own.state.code(), &own.terms, own.version, own.changed_at],
    )?;
    if touched == 1 {
        keep_version(tx, own)?;
    }
    Ok(touched == 1)
}

fn keep_version(tx: &mut Tx<'_>, own: &Promotion) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion_version (promotion_id, version, name, state, terms, changed_at) values ($1, $2, $3, $4, $5, $6)",
        params![own.id, own.version, &own.name, own.state.code(), &own.terms, own.changed_at],
    )?;
    Ok(())
}

/// The promotion with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Option<Promotion>, StoreError> {
    tx.one(
        "select promotion_id, name, state, terms, version, made_at, changed_at from promotion where promotion_id = $1",
        params![id],
        promotion,
    )
}

/// The promotions after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<Kind>, limit: i64) -> Result<Vec<Promotion>, StoreError> {
    tx.rows(
        "select promotion_id, name, state, terms, version, made_at, changed_at from promotion
         where promotion_id > $1 order by promotion_id limit $2",
        params![after, limit],
        promotion,
    )
}

/// The promotions in force that are found by any of these words.
///
/// # Errors
/// What the store says.
pub fn found_by(tx: &mut Tx<'_>, words: &[String]) -> Result<Vec<Promotion>, StoreError> {
    tx.rows(
        "select promotion_id, name, state, terms, version, made_at, changed_at from promotion
         where promotion_id in (select promotion_id from promotion_word where word {in texts $1}) order by promotion_id",
        &[Param::Texts(words)],
        promotion,
    )
}

/// The versions of promotions that were in force at some time between two instants, each with when it ended.
///
/// # Errors
/// What the store says.
pub fn in_force(
    tx: &mut Tx<'_>,
    from: Instant,
    until: Instant,
) -> Result<Vec<(Promotion, Option<Instant>)>, StoreError> {
    tx.rows(
        "select v.promotion_id, v.name, v.state, v.terms, v.version, p.made_at, v.changed_at, n.changed_at from promotion_version v
         join promotion p on p.promotion_id = v.promotion_id
         left join promotion_version n on n.promotion_id = v.promotion_id and n.version = v.version + 1
         where v.state = $1 and v.changed_at <= $3 and (n.changed_at is null or n.changed_at > $2) order by v.promotion_id, v.version",
        params![State::Active.code(), from, until],
        |row| Ok((promotion(row)?, row.instant_or_null()?)),
    )
}

/// Is any promotion in force?
///
/// # Errors
/// What the store says.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    Ok(tx.one("select promotion_id from promotion_word limit 1", params![], |row| row.key())?.is_some())
}

/// The words a promotion in force is found by, in place of those before; none when it is not in force.
///
/// # Errors
/// What the store says.
pub fn set_words(tx: &mut Tx<'_>, id: Id<Kind>, old: &[String], words: &[String]) -> Result<(), StoreError> {
    for word in old {
        tx.execute("delete from promotion_word where word = $1 and promotion_id = $2", params![word, id])?;
    }
    for word in words {
        tx.execute(
            "insert into promotion_word (word, promotion_id) values ($1, $2) on conflict (word, promotion_id) do nothing",
            params![word, id],
        )?;
    }
    Ok(())
}

/// The limits of a promotion.
///
/// # Errors
/// What the store says.
pub fn limits(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Vec<Limit>, StoreError> {
    tx.rows(
        "select scope, period, uses_max, minor_max from promotion_limit where promotion_id = $1 order by scope, period",
        params![id],
        |row| {
            Ok(Limit {
                scope: row.word(Scope::coded)?,
                period: row.word(Period::coded)?,
                uses_max: row.int_or_null()?,
                minor_max: row.int_or_null()?,
            })
        },
    )
}

/// Writes the limits of a promotion in place of those before.
///
/// # Errors
/// What the store says.
pub fn set_limits(tx: &mut Tx<'_>, id: Id<Kind>, limits: &[Limit]) -> Result<(), StoreError> {
    tx.execute("delete from promotion_limit where promotion_id = $1", params![id])?;
    for limit in limits {
        tx.execute(
            "insert into promotion_limit (promotion_id, scope, period, uses_max, minor_max) values ($1, $2, $3, $4, $5)",
            params![id, limit.scope.code(), limit.period.code(), limit.uses_max, limit.minor_max],
        )?;
    }
    Ok(())
}

/// What was used of a counter so far.
///
/// # Errors
/// What the store says.
pub fn used(tx: &mut Tx<'_>, own: &Counter) -> Result<Used, StoreError> {
    let found = tx.one(
        "select uses, minor from promotion_used
         where promotion_id = $1 and scope = $2 and period = $3 and holder = $4 and begins = $5",
        params![own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins],
        |row| Ok(Used { uses: row.int()?, minor: row.int()? }),
    )?;
    Ok(found.unwrap_or_default())
}

/// An order uses a counter once, for so much, within a limit; false when not enough is left. Told once per order.
///
/// # Errors
/// What the store says.
pub fn take(
    tx: &mut Tx<'_>,
    own: &Counter,
    (order, minor): (Id<Order>, i64),
    (uses_max, minor_max): (Option<i64>, Option<i64>),
) -> Result<bool, StoreError> {
    tx.execute(
        "insert into promotion_used (promotion_id, scope, period, holder, begins, uses, minor) values ($1, $2, $3, $4, $5, 0, 0)
         on conflict (promotion_id, scope, period, holder, begins) do nothing",
        params![own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins],
    )?;
    let taken = tx.execute(
        "update promotion_used set uses = uses + 1, minor = minor + $6
         where promotion_id = $1 and scope = $2 and period = $3 and holder = $4 and begins = $5 and uses + 1 <= $7 and minor + $6 <= $8",
        params![
            own.promotion,
            own.scope.code(),
            own.period.code(),
            own.holder,
            own.begins,
            minor,
            uses_max.unwrap_or(i64::MAX),
            minor_max.unwrap_or(i64::MAX)
        ],
    )?;
    if taken == 1 {
        tx.execute(
            "insert into promotion_use (promotion_id, order_id, scope, period, holder, begins, minor, released)
             values ($1, $2, $3, $4, $5, $6, $7, 0)",
            params![own.promotion, order, own.scope.code(), own.period.code(), own.holder, own.begins, minor],
        )?;
    }
    Ok(taken == 1)
}

/// What an order used of a promotion and did not give back.
///
/// # Errors
/// What the store says.
pub fn held(
    tx: &mut Tx<'_>,
    promotion: Id<Kind>,
    order: Id<Order>,
) -> Result<Vec<(Counter, i64)>, StoreError> {
    tx.rows(
        "select scope, period, holder, begins, minor from promotion_use
         where promotion_id = $1 and order_id = $2 and released = 0 order by scope, period",
        params![promotion, order],
        |row| {
            let counter = Counter {
                promotion,
                scope: row.word(Scope::coded)?,
                period: row.word(Period::coded)?,
                holder: row.key()?,
                begins: row.int()?,
            };
            Ok((counter, row.int()?))
        },
    )
}

/// An order gives back what it used of a counter.
///
/// # Errors
/// What the store says.
pub fn give_back(tx: &mut Tx<'_>, own: &Counter, (order, minor): (Id<Order>, i64)) -> Result<(), StoreError> {
    let released = tx.execute(
        "update promotion_use set released = 1
         where promotion_id = $1 and order_id = $2 and scope = $3 and period = $4 and released = 0",
        params![own.promotion, order, own.scope.code(), own.period.code()],
    )?;
    if released == 1 {
        tx.execute(
            "update promotion_used set uses = uses - 1, minor = minor - $6
             where promotion_id = $1 and scope = $2 and period = $3 and holder = $4 and begins = $5",
            params![own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins, minor],
        )?;
    }
    Ok(())
}

/// A product and a category it is in.
pub type InCategory = (Id<Product>, Id<Category>);
/// A category and the one right above it.
pub type Above = (Id<Category>, Id<Category>);

/// The categories products are in.
///
/// # Errors
/// What the store says.
pub fn categories(tx: &mut Tx<'_>, products: &[Id<Product>]) -> Result<Vec<InCategory>, StoreError> {
    let ids: Vec<_> = products.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select product_id, category_id from product_category where product_id {in ids $1} order by product_id, category_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// The categories right above these.
///
/// # Errors
/// What the store says.
pub fn above(tx: &mut Tx<'_>, categories: &[Id<Category>]) -> Result<Vec<Above>, StoreError> {
    let ids: Vec<_> = categories.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select category_id, parent_id from category where category_id {in ids $1} and parent_id is not null order by category_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// Counters that are not what the orders used of them: the promotion, what they say, and what the orders say.
///
/// # Errors
/// What the store says.
pub fn unequal_counters(tx: &mut Tx<'_>) -> Result<Vec<(Id<Kind>, Used, Used)>, StoreError> {
    tx.rows(
        "select u.promotion_id, u.uses, u.minor, cast(coalesce(p.uses, 0) as bigint), cast(coalesce(p.minor, 0) as bigint)
         from promotion_used u left join (
             select promotion_id, scope, period, holder, begins, count(*) as uses, sum(minor) as minor from promotion_use
             where released = 0 group by promotion_id, scope, period, holder, begins
         ) p on p.promotion_id = u.promotion_id and p.scope = u.scope and p.period = u.period and p.holder = u.holder and p.begins = u.begins
         where u.uses <> coalesce(p.uses, 0) or u.minor <> coalesce(p.minor, 0) order by u.promotion_id limit $1",
        params![crate::check::FINDINGS_MAX],
        |row| {
            let id = row.id()?;
            let mut used = || Ok::<_, StoreError>(Used { uses: row.int()?, minor: row.int()? });
            Ok((id, used()?, used()?))
        },
    )
}
