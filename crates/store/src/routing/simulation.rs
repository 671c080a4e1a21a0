//! The rows of simulations: past orders routed again, what came of it, and the shelves they were routed from.

use domain::value::id::{self, Location, Order, RoutingProfile, RoutingSimulation, Variant};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// What came of routing orders one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Orders.
    pub orders: i64,
    /// Of them, those of which everything was placed.
    pub filled: i64,
    /// Units that were wanted.
    pub units: i64,
    /// Units that were placed.
    pub placed: i64,
    /// Parts.
    pub parts: i64,
    /// What they cost, in minor units of the profile.
    pub cost_minor: i64,
    /// How far they went, in metres, as far as that is known.
    pub distance_m: i64,
    /// Orders of which something was not placed, or would have left late.
    pub late: i64,
}

/// A simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Its identity.
    pub id: Id<RoutingSimulation>,
    /// The profile that is tried.
    pub profile: (Id<RoutingProfile>, i64),
    /// From when on orders were placed,
    pub from: Instant,
    /// and before when.
    pub until: Instant,
    /// The most orders.
    pub orders_max: i64,
    /// How much of the stock at the beginning there is, in hundredths.
    pub stock_percent: i64,
    /// A part is late when it cannot leave for longer than so many hours.
    pub late_after_hours: i64,
    /// All orders were routed.
    pub is_done: bool,
    /// The last order that was routed: when it was placed, and which.
    pub after: (Instant, Id<Order>),
    /// As orders are routed now.
    pub now: Sums,
    /// As they would be routed then.
    pub then: Sums,
    /// When it was asked for.
    pub made_at: Instant,
}

impl Sums {
    fn text(self) -> String {
        let Sums { orders, filled, units, placed, parts, cost_minor, distance_m, late } = self;
        serde_json::json!([orders, filled, units, placed, parts, cost_minor, distance_m, late]).to_string()
    }

    fn read(text: &str) -> Result<Sums, String> {
        let all: [i64; 8] = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let [orders, filled, units, placed, parts, cost_minor, distance_m, late] = all;
        Ok(Sums { orders, filled, units, placed, parts, cost_minor, distance_m, late })
    }
}

fn simulation(row: &mut Row<'_>) -> Result<Simulation, StoreError> {
    Ok(Simulation {
        id: row.id()?,
        profile: (row.id()?, row.int()?),
        from: row.instant()?,
        until: row.instant()?,
        orders_max: row.int()?,
        stock_percent: row.int()?,
        late_after_hours: row.int()?,
        is_done: row.yes()?,
        after: (row.instant()?, row.id()?),
        now: row.value(Sums::read)?,
        then: row.value(Sums::read)?,
        made_at: row.instant()?,
    })
}

/// Adds a simulation.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Simulation) -> Result<(), StoreError> {
    tx.execute(
        "insert into routing_simulation (simulation_id, profile_id, profile_version, from_at, until_at, orders_max, stock_percent,
             late_after_hours, is_done, after_at, after_id, now_sums, then_sums, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            new.id,
            new.profile.0,
            new.profile.1,
            new.from,
            new.until,
            new.orders_max,
            new.stock_percent,
            new.late_after_hours,
            new.is_done,
            new.after.0,
            new.after.1,
            &new.now.text(),
            &new.then.text(),
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
        "update routing_simulation set is_done = $2, after_at = $3, after_id = $4, now_sums = $5, then_sums = $6
         where simulation_id = $1",
        params![one.id, one.is_done, one.after.0, one.after.1, &one.now.text(), &one.then.text()],
    )?;
    Ok(())
}

/// A simulation.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<RoutingSimulation>) -> Result<Option<Simulation>, StoreError> {
    tx.one(
        "select simulation_id, profile_id, profile_version, from_at, until_at, orders_max, stock_percent, late_after_hours, is_done,
             after_at, after_id, now_sums, then_sums, made_at
         from routing_simulation where simulation_id = $1",
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
    after: Id<RoutingSimulation>,
    limit: i64,
) -> Result<Vec<Simulation>, StoreError> {
    tx.rows(
        "select simulation_id, profile_id, profile_version, from_at, until_at, orders_max, stock_percent, late_after_hours, is_done,
             after_at, after_id, now_sums, then_sums, made_at
         from routing_simulation where simulation_id > $1 order by simulation_id limit $2",
        params![after, limit],
        simulation,
    )
}

/// Orders sent by parcel that were placed before an instant and after one of them, at most `limit`, the earliest first.
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
         where placed_at >= $1 and placed_at < $2 and (placed_at > $1 or order_id > $3) and kind = $4
         order by placed_at, order_id limit $5",
        params![after, until, id, domain::delivery::Kind::Ship.code(), limit],
        |row| row.id(),
    )
}

/// A shelf of a simulation: variant, location, free as orders are routed now, free as they would be then.
pub type Shelf = (Id<Variant>, Id<Location>, i64, i64);

/// The shelves of variants that a simulation has touched.
///
/// # Errors
/// What the store says.
pub fn shelves(
    tx: &mut Tx<'_>,
    id: Id<RoutingSimulation>,
    variants: &[[u8; 16]],
) -> Result<Vec<Shelf>, StoreError> {
    tx.rows(
        "select variant_id, location_id, now_free, then_free from routing_simulation_shelf
         where simulation_id = $1 and variant_id {in ids $2}",
        &[id.into(), Param::Ids(variants)],
        |row| Ok((row.id()?, row.id()?, row.int()?, row.int()?)),
    )
}

/// Writes what lies on a shelf of a simulation.
///
/// # Errors
/// What the store says.
pub fn set_shelf(tx: &mut Tx<'_>, id: Id<id::RoutingSimulation>, shelf: Shelf) -> Result<(), StoreError> {
    tx.execute(
        "insert into routing_simulation_shelf (simulation_id, variant_id, location_id, now_free, then_free) values ($1, $2, $3, $4, $5)
         on conflict (simulation_id, variant_id, location_id) do update
             set now_free = excluded.now_free, then_free = excluded.then_free",
        params![id, shelf.0, shelf.1, shelf.2, shelf.3],
    )?;
    Ok(())
}

/// Forgets the shelves of a simulation that is done.
///
/// # Errors
/// What the store says.
pub fn clear_shelves(tx: &mut Tx<'_>, id: Id<RoutingSimulation>) -> Result<(), StoreError> {
    tx.execute("delete from routing_simulation_shelf where simulation_id = $1", params![id])?;
    Ok(())
}
