//! The rows of pickup visits.

use domain::fulfilment::Visit as State;
use domain::value::id::{Contact, FulfilmentOrder, Order};
use domain::value::{Id, Instant};

use super::Which;
use crate::{StoreError, Tx, params};

/// The customer's visit for goods that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The order.
    pub order: Id<Order>,
    /// The goods.
    pub fulfilment_order: Id<FulfilmentOrder>,
    /// Where it stands.
    pub state: State,
    /// What the customer says or shows at the counter.
    pub code: String,
    /// How many wrong codes were given.
    pub wrong_codes: i64,
    /// When the customer said to be there.
    pub expected_at: Option<Instant>,
    /// Where the customer waits.
    pub bay: Option<String>,
    /// Who else may come, named by the customer beforehand.
    pub named: Option<Id<Contact>>,
    /// Who came, when it was somebody else.
    pub collector: Option<Id<Contact>>,
    /// When the customer came.
    pub arrived_at: Option<Instant>,
    /// When the customer was reminded.
    pub reminded_at: Option<Instant>,
    /// When the visit ended.
    pub ended_at: Option<Instant>,
}

/// Adds a visit.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, visit: &Visit) -> Result<(), StoreError> {
    tx.execute(
        "insert into pickup_visit (order_id, fulfilment_order_id, state, code, wrong_codes, expected_at, bay, named_id, collector_id,
             arrived_at, reminded_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            visit.order, visit.fulfilment_order, visit.state.code(), &visit.code, visit.wrong_codes, visit.expected_at,
            visit.bay.as_ref(), visit.named, visit.collector, visit.arrived_at, visit.reminded_at, visit.ended_at
        ],
    )?;
    Ok(())
}

/// The visit for a fulfilment order.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, (order, id): Which) -> Result<Option<Visit>, StoreError> {
    tx.one(
        "select order_id, fulfilment_order_id, state, code, wrong_codes, expected_at, bay, named_id, collector_id, arrived_at,
             reminded_at, ended_at
         from pickup_visit where order_id = $1 and fulfilment_order_id = $2",
        params![order, id],
        |row| {
            Ok(Visit {
                order: row.id()?,
                fulfilment_order: row.id()?,
                state: row.word(State::coded)?,
                code: row.text()?,
                wrong_codes: row.int()?,
                expected_at: row.instant_or_null()?,
                bay: row.text_or_null()?,
                named: row.id_or_null()?,
                collector: row.id_or_null()?,
                arrived_at: row.instant_or_null()?,
                reminded_at: row.instant_or_null()?,
                ended_at: row.instant_or_null()?,
            })
        },
    )
}

/// Writes where a visit stands. The order is locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, visit: &Visit) -> Result<(), StoreError> {
    tx.execute(
        "update pickup_visit set state = $3, wrong_codes = $4, expected_at = $5, bay = $6, named_id = $7, collector_id = $8,
             arrived_at = $9, reminded_at = $10, ended_at = $11
         where order_id = $1 and fulfilment_order_id = $2",
        params![
            visit.order, visit.fulfilment_order, visit.state.code(), visit.wrong_codes, visit.expected_at, visit.bay.as_ref(),
            visit.named, visit.collector, visit.arrived_at, visit.reminded_at, visit.ended_at
        ],
    )?;
    Ok(())
}

/// The goods that wait at most until an instant, of those that wait longer than `span_micros` in all, whose customers were not reminded
/// and which nobody holds; at most `limit`.
///
/// # Errors
/// What the store says.
pub fn to_remind(
    tx: &mut Tx<'_>,
    until: Instant,
    span_micros: i64,
    limit: i64,
) -> Result<Vec<Which>, StoreError> {
    tx.rows(
        "select v.order_id, v.fulfilment_order_id from fulfilment_order f
         join pickup_visit v on v.order_id = f.order_id and v.fulfilment_order_id = f.fulfilment_order_id
         where f.state = 10 and f.on_hold is null and f.collect_by <= $1 and f.collect_by - f.ready_at > $2 and v.reminded_at is null
         order by v.order_id, v.fulfilment_order_id limit $3",
        params![until, span_micros, limit],
        |row| Ok((row.id()?, row.id()?)),
    )
}
