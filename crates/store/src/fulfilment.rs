//! The rows of fulfilment orders and their lines.

use domain::delivery::Kind;
use domain::fulfilment::State;
use domain::value::id::{self, Location, Order, OrderLine, Variant};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Goods of one order that leave one location together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FulfilmentOrder {
    /// The order.
    pub order: Id<Order>,
    /// Its identity.
    pub id: Id<id::FulfilmentOrder>,
    /// The location.
    pub location: Id<Location>,
    /// How the goods reach the customer.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// When it was made.
    pub made_at: Instant,
    /// When the goods left.
    pub left_at: Option<Instant>,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Pieces of one variant for one order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The order line.
    pub line: Id<OrderLine>,
    /// The variant; for a kit, a component.
    pub variant: Id<Variant>,
    /// How many are still part of it.
    pub quantity: i64,
}

/// Adds a fulfilment order with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &FulfilmentOrder) -> Result<(), StoreError> {
    tx.execute(
        "insert into fulfilment_order (order_id, fulfilment_order_id, location_id, kind, state, tracking, made_at, left_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![new.order, new.id, new.location, new.kind.code(), new.state.code(), new.tracking.as_ref(), new.made_at, new.left_at],
    )?;
    for line in &new.lines {
        tx.execute(
            "insert into fulfilment_line (order_id, fulfilment_order_id, line_id, variant_id, quantity) values ($1, $2, $3, $4, $5)",
            params![new.order, new.id, line.line, line.variant, line.quantity],
        )?;
    }
    Ok(())
}

fn fulfilment_order(row: &mut Row<'_>) -> Result<FulfilmentOrder, StoreError> {
    let unknown = |what: &str| StoreError::Corrupt(format!("a fulfilment order has an unknown {what}"));
    Ok(FulfilmentOrder {
        order: row.id()?,
        id: row.id()?,
        location: row.id()?,
        kind: Kind::coded(row.int()?).ok_or_else(|| unknown("kind"))?,
        state: State::coded(row.int()?).ok_or_else(|| unknown("state"))?,
        tracking: row.text_or_null()?,
        made_at: row.instant()?,
        left_at: row.instant_or_null()?,
        lines: Vec::new(),
    })
}

/// The fulfilment orders of an order with their lines, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<FulfilmentOrder>, StoreError> {
    let mut found = tx.rows(
        "select order_id, fulfilment_order_id, location_id, kind, state, tracking, made_at, left_at
         from fulfilment_order where order_id = $1 order by fulfilment_order_id",
        params![order],
        fulfilment_order,
    )?;
    let lines = tx.rows(
        "select fulfilment_order_id, line_id, variant_id, quantity from fulfilment_line where order_id = $1 order by fulfilment_order_id, line_id, variant_id",
        params![order],
        |row| Ok((row.id::<id::FulfilmentOrder>()?, Line { line: row.id()?, variant: row.id()?, quantity: row.int()? })),
    )?;
    for (of, line) in lines {
        if let Some(one) = found.iter_mut().find(|one| one.id == of) {
            one.lines.push(line);
        }
    }
    Ok(found)
}

/// Whether anything of an order is still to leave.
///
/// # Errors
/// What the store says.
pub fn any_open(tx: &mut Tx<'_>, order: Id<Order>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select state from fulfilment_order where order_id = $1 and state = 1 limit 1",
        params![order],
        |row| row.int(),
    )?;
    Ok(found.is_some())
}

/// Open fulfilment orders of a location after one, in the order they were made, at most `limit`, without their lines.
///
/// # Errors
/// What the store says.
pub fn open_at(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    after: Id<id::FulfilmentOrder>,
    limit: i64,
) -> Result<Vec<FulfilmentOrder>, StoreError> {
    tx.rows(
        "select order_id, fulfilment_order_id, location_id, kind, state, tracking, made_at, left_at
         from fulfilment_order where location_id = $1 and state = 1 and fulfilment_order_id > $2 order by fulfilment_order_id limit $3",
        params![location, after, limit],
        fulfilment_order,
    )
}

/// Writes where a fulfilment order stands. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &FulfilmentOrder) -> Result<(), StoreError> {
    tx.execute(
        "update fulfilment_order set state = $3, tracking = $4, left_at = $5 where order_id = $1 and fulfilment_order_id = $2",
        params![one.order, one.id, one.state.code(), one.tracking.as_ref(), one.left_at],
    )?;
    Ok(())
}

/// Writes how many pieces are still part of a line. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update_line(tx: &mut Tx<'_>, one: &FulfilmentOrder, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "update fulfilment_line set quantity = $5 where order_id = $1 and fulfilment_order_id = $2 and line_id = $3 and variant_id = $4",
        params![one.order, one.id, line.line, line.variant, line.quantity],
    )?;
    Ok(())
}

/// What a location has committed and picked of a variant by its books, and what its open fulfilment orders say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The variant.
    pub variant: Id<Variant>,
    /// The location.
    pub location: Id<Location>,
    /// By the books.
    pub booked: i64,
    /// By open fulfilment orders.
    pub open: i64,
}

/// Every variant and location where the books and the open fulfilment orders do not say the same.
///
/// # Errors
/// What the store says.
pub fn unequal_commitments(tx: &mut Tx<'_>) -> Result<Vec<Committed>, StoreError> {
    tx.rows(
        "select variant_id, location_id, cast(sum(booked) as {int}), cast(sum(pieces) as {int}) from (
            select l.variant_id as variant_id, f.location_id as location_id, 0 as booked, l.quantity as pieces
            from fulfilment_order f join fulfilment_line l on l.order_id = f.order_id and l.fulfilment_order_id = f.fulfilment_order_id
            where f.state = 1
            union all
            select book_id as variant_id, place as location_id, amount as booked, 0 as pieces from account where state in (3, 4)
         ) both_sides group by variant_id, location_id having sum(booked) <> sum(pieces)",
        &[],
        |row| Ok(Committed { variant: row.id()?, location: row.id()?, booked: row.int()?, open: row.int()? }),
    )
}
