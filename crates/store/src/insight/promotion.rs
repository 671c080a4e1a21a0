//! The rows of simulated promotions: past orders priced again, and what came of it.

use domain::promotion::limit::Used;
use domain::value::id::{Channel, Order, Promotion, PromotionSimulation};
use domain::value::{Currency, Id, Instant};

use crate::promotion::{self, Counter};
use crate::{Row, StoreError, Tx, params};

/// A version of a promotion.
pub type Version = (Id<Promotion>, i64);

/// A simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Its identity.
    pub id: Id<PromotionSimulation>,
    /// The promotions that are added to those that were in force.
    pub added: Vec<Version>,
    /// The promotions that are left out.
    pub left_out: Vec<Id<Promotion>>,
    /// From when on orders were placed,
    pub from: Instant,
    /// and before when.
    pub until: Instant,
    /// The most orders.
    pub orders_max: i64,
    /// All orders were priced.
    pub is_done: bool,
    /// The last order that was priced: when it was placed, and which.
    pub after: (Instant, Id<Order>),
    /// How many orders were looked at.
    pub orders: i64,
    /// Of how many the price engine does not find what they cost then, even with the promotions of then.
    pub unlike: i64,
    /// When it was asked for.
    pub made_at: Instant,
}

/// What came of the orders of a channel in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The channel.
    pub channel: Id<Channel>,
    /// What the amounts are in.
    pub currency: Currency,
    /// Orders.
    pub orders: i64,
    /// Of them, those that would have cost something else.
    pub touched: i64,
    /// What they cost, in minor units with tax.
    pub was: i64,
    /// What they would have cost.
    pub becomes: i64,
}

/// What a promotion that is tried gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// The promotion.
    pub promotion: Id<Promotion>,
    /// What the amount is in.
    pub currency: Currency,
    /// How many orders used it.
    pub orders: i64,
    /// How many minor units it lowered them by.
    pub minor: i64,
}

fn ids(ids: &[Id<Promotion>]) -> String {
    serde_json::json!(ids.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string()
}

fn versions(versions: &[Version]) -> String {
    let all: Vec<_> = versions.iter().map(|(id, version)| (id.to_string(), version)).collect();
    serde_json::json!(all).to_string()
}

fn read_ids(text: &str) -> Result<Vec<Id<Promotion>>, String> {
    let all: Vec<String> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    all.iter().map(|id| Id::parse(id).map_err(|error| error.to_string())).collect()
}

fn read_versions(text: &str) -> Result<Vec<Version>, String> {
    let all: Vec<(String, i64)> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let version = |(id, version): &(String, i64)| {
        Id::parse(id).map(|id| (id, *version)).map_err(|error| error.to_string())
    };
    all.iter().map(version).collect()
}

fn simulation(row: &mut Row<'_>) -> Result<Simulation, StoreError> {
    Ok(Simulation {
        id: row.id()?,
        added: row.value(read_versions)?,
        left_out: row.value(read_ids)?,
        from: row.instant()?,
        until: row.instant()?,
        orders_max: row.int()?,
        is_done: row.yes()?,
        after: (row.instant()?, row.id()?),
        orders: row.int()?,
        unlike: row.int()?,
        made_at: row.instant()?,
    })
}

/// Adds a simulation.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Simulation) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion_simulation (simulation_id, added, left_out, from_at, until_at, orders_max, is_done, after_at, after_id,
             orders, unlike, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            new.id,
            &versions(&new.added),
            &ids(&new.left_out),
            new.from,
            new.until,
            new.orders_max,
            new.is_done,
            new.after.0,
            new.after.1,
            new.orders,
            new.unlike,
            new.made_at
        ],
    )?;
    Ok(())
}

/// Writes how far a simulation is.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Simulation) -> Result<(), StoreError> {
    tx.execute(
        "update promotion_simulation set is_done = $2, after_at = $3, after_id = $4, orders = $5, unlike = $6 where simulation_id = $1",
        params![one.id, one.is_done, one.after.0, one.after.1, one.orders, one.unlike],
    )?;
    Ok(())
}

/// A simulation.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<PromotionSimulation>) -> Result<Option<Simulation>, StoreError> {
    tx.one(
        "select simulation_id, added, left_out, from_at, until_at, orders_max, is_done, after_at, after_id, orders, unlike, made_at
         from promotion_simulation where simulation_id = $1",
        params![id],
        simulation,
    )
}

/// The simulations after one, in the order they were asked for, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    after: Id<PromotionSimulation>,
    limit: i64,
) -> Result<Vec<Simulation>, StoreError> {
    tx.rows(
        "select simulation_id, added, left_out, from_at, until_at, orders_max, is_done, after_at, after_id, orders, unlike, made_at
         from promotion_simulation where simulation_id > $1 order by simulation_id limit $2",
        params![after, limit],
        simulation,
    )
}

/// Orders that were placed before an instant and after one of them, at most `limit`, the earliest first.
///
/// # Errors
/// What the store says.
pub fn orders(
    tx: &mut Tx<'_>,
    (after, id): (Instant, Id<Order>),
    until: Instant,
    limit: i64,
) -> Result<Vec<Id<Order>>, StoreError> {
    tx.rows(
        "select order_id from order_head
         where placed_at >= $1 and placed_at < $2 and (placed_at > $1 or order_id > $3) order by placed_at, order_id limit $4",
        params![after, until, id, limit],
        |row| row.id(),
    )
}

/// A version of a promotion.
///
/// # Errors
/// What the store says.
pub fn version(tx: &mut Tx<'_>, (id, version): Version) -> Result<Option<promotion::Promotion>, StoreError> {
    tx.one(
        "select promotion_id, name, state, terms, version, changed_at, changed_at from promotion_version
         where promotion_id = $1 and version = $2",
        params![id, version],
        promotion::promotion,
    )
}

/// Counts what came of an order.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>, id: Id<PromotionSimulation>, one: &Sum) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion_simulation_sum (simulation_id, channel_id, currency, orders, touched, was, becomes)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (simulation_id, channel_id, currency) do update
             set orders = promotion_simulation_sum.orders + excluded.orders, touched = promotion_simulation_sum.touched + excluded.touched,
                 was = promotion_simulation_sum.was + excluded.was, becomes = promotion_simulation_sum.becomes + excluded.becomes",
        params![id, one.channel, one.currency.code(), one.orders, one.touched, one.was, one.becomes],
    )?;
    Ok(())
}

/// Counts what a promotion that is tried gave an order.
///
/// # Errors
/// What the store says.
pub fn give(tx: &mut Tx<'_>, id: Id<PromotionSimulation>, one: &Given) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion_simulation_given (simulation_id, promotion_id, currency, orders, minor) values ($1, $2, $3, $4, $5)
         on conflict (simulation_id, promotion_id, currency) do update
             set orders = promotion_simulation_given.orders + excluded.orders, minor = promotion_simulation_given.minor + excluded.minor",
        params![id, one.promotion, one.currency.code(), one.orders, one.minor],
    )?;
    Ok(())
}

/// What came of a simulation so far, by channel and currency.
///
/// # Errors
/// What the store says.
pub fn sums(tx: &mut Tx<'_>, id: Id<PromotionSimulation>) -> Result<Vec<Sum>, StoreError> {
    tx.rows(
        "select channel_id, currency, orders, touched, was, becomes from promotion_simulation_sum
         where simulation_id = $1 order by currency, channel_id",
        params![id],
        |row| {
            Ok(Sum {
                channel: row.id()?,
                currency: row.value(Currency::parse)?,
                orders: row.int()?,
                touched: row.int()?,
                was: row.int()?,
                becomes: row.int()?,
            })
        },
    )
}

/// What the promotions that are tried gave so far.
///
/// # Errors
/// What the store says.
pub fn given(tx: &mut Tx<'_>, id: Id<PromotionSimulation>) -> Result<Vec<Given>, StoreError> {
    tx.rows(
        "select promotion_id, currency, orders, minor from promotion_simulation_given
         where simulation_id = $1 order by promotion_id, currency",
        params![id],
        |row| {
            Ok(Given {
                promotion: row.id()?,
                currency: row.value(Currency::parse)?,
                orders: row.int()?,
                minor: row.int()?,
            })
        },
    )
}

/// What a simulation has used of a counter.
///
/// # Errors
/// What the store says.
pub fn used(tx: &mut Tx<'_>, id: Id<PromotionSimulation>, own: &Counter) -> Result<Used, StoreError> {
    let found = tx.one(
        "select uses, minor from promotion_simulation_used where simulation_id = $1 and promotion_id = $2 and scope = $3 and period = $4
             and holder = $5 and begins = $6",
        params![id, own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins],
        |row| Ok(Used { uses: row.int()?, minor: row.int()? }),
    )?;
    Ok(found.unwrap_or_default())
}

/// A simulation uses a counter once more, for so many minor units.
///
/// # Errors
/// What the store says.
pub fn take(
    tx: &mut Tx<'_>,
    id: Id<PromotionSimulation>,
    own: &Counter,
    minor: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into promotion_simulation_used (simulation_id, promotion_id, scope, period, holder, begins, uses, minor)
         values ($1, $2, $3, $4, $5, $6, 1, $7)
         on conflict (simulation_id, promotion_id, scope, period, holder, begins) do update
             set uses = promotion_simulation_used.uses + 1, minor = promotion_simulation_used.minor + excluded.minor",
        params![id, own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins, minor],
    )?;
    Ok(())
}

/// Forgets what a simulation that is done used of limits.
///
/// # Errors
/// What the store says.
pub fn clear_used(tx: &mut Tx<'_>, id: Id<PromotionSimulation>) -> Result<(), StoreError> {
    tx.execute("delete from promotion_simulation_used where simulation_id = $1", params![id])?;
    Ok(())
}
