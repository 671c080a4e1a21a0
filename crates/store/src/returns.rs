//! The rows of returns.

use domain::returns::{Condition, State};
use domain::value::id::{self, Location, Order, OrderLine, ReturnLine, Variant};
use domain::value::{Currency, Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Goods that came back. Amounts are minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// Its identity.
    pub id: Id<id::Return>,
    /// The order they were bought with, if it is known.
    pub order: Option<Id<Order>>,
    /// Where they came back to.
    pub location: Id<Location>,
    /// Where it stands.
    pub state: State,
    /// Why, in the retailer's words.
    pub reason: String,
    /// The currency.
    pub currency: Currency,
    /// What is given back for it.
    pub refund: i64,
    /// The retailer's own id for it.
    pub external_id: Option<String>,
    /// When.
    pub at: Instant,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Goods of one variant that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identity.
    pub id: Id<ReturnLine>,
    /// The order line they were, if it is known.
    pub order_line: Option<Id<OrderLine>>,
    /// What came back.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// In which condition.
    pub condition: Condition,
    /// What is given back for them.
    pub refund: i64,
}

/// Adds a return with its lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Return) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_of_goods (return_id, order_id, location_id, state, reason, currency, refund, external_id, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![new.id, new.order, new.location, new.state.code(), &new.reason, new.currency.code(), new.refund, new.external_id.as_ref(), new.at],
    )?;
    if let Some(order) = new.order {
        tx.execute(
            "insert into return_of_order (order_id, return_id) values ($1, $2)",
            params![order, new.id],
        )?;
    }
    for line in &new.lines {
        tx.execute(
            "insert into return_line (return_id, return_line_id, order_line_id, variant_id, quantity, condition, refund) values ($1, $2, $3, $4, $5, $6, $7)",
            params![new.id, line.id, line.order_line, line.variant, line.quantity, line.condition.code(), line.refund],
        )?;
    }
    Ok(())
}

fn return_of_goods(row: &mut Row<'_>) -> Result<Return, StoreError> {
    let unknown = |what: &str| StoreError::Corrupt(format!("a return has an unknown {what}"));
    Ok(Return {
        id: row.id()?,
        order: row.id_or_null()?,
        location: row.id()?,
        state: State::coded(row.int()?).ok_or_else(|| unknown("state"))?,
        reason: row.text()?,
        currency: Currency::parse(&row.text()?).map_err(|_| unknown("currency"))?,
        refund: row.int()?,
        external_id: row.text_or_null()?,
        at: row.instant()?,
        lines: Vec::new(),
    })
}

/// A return with its lines.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<Option<Return>, StoreError> {
    let found = tx.one(
        "select return_id, order_id, location_id, state, reason, currency, refund, external_id, at from return_of_goods where return_id = $1",
        params![id],
        return_of_goods,
    )?;
    let Some(mut found) = found else { return Ok(None) };
    found.lines = tx.rows(
        "select return_line_id, order_line_id, variant_id, quantity, condition, refund from return_line where return_id = $1 order by return_line_id",
        params![id],
        |row| {
            Ok(Line {
                id: row.id()?,
                order_line: row.id_or_null()?,
                variant: row.id()?,
                quantity: row.int()?,
                condition: Condition::coded(row.int()?).ok_or_else(|| StoreError::Corrupt("a return line has an unknown condition".into()))?,
                refund: row.int()?,
            })
        },
    )?;
    Ok(Some(found))
}

/// The returns of an order, in the order they came.
///
/// # Errors
/// What the store says.
pub fn of_order(tx: &mut Tx<'_>, order: Id<Order>) -> Result<Vec<Id<id::Return>>, StoreError> {
    tx.rows(
        "select return_id from return_of_order where order_id = $1 order by return_id",
        params![order],
        |row| row.id(),
    )
}

/// Returns before one, the newest first, at most `limit`, without their lines.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, before: Id<id::Return>, limit: i64) -> Result<Vec<Return>, StoreError> {
    tx.rows(
        "select return_id, order_id, location_id, state, reason, currency, refund, external_id, at from return_of_goods
         where return_id < $1 order by return_id desc limit $2",
        params![before, limit],
        return_of_goods,
    )
}

/// Notes that the money of a return was given back.
///
/// # Errors
/// What the store says.
pub fn refunded(tx: &mut Tx<'_>, id: Id<id::Return>) -> Result<(), StoreError> {
    tx.execute(
        "update return_of_goods set state = $2 where return_id = $1",
        params![id, State::Refunded.code()],
    )?;
    Ok(())
}
