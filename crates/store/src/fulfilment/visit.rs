//! The rows of pickup visits.

use domain::fulfilment::Visit as State;
use domain::value::id::{Contact, FulfilmentOrder, Order};
use domain::value::{Id, Instant};

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
    /// Where the customer waits.
    pub bay: Option<String>,
    /// Who came, when it was somebody else.
    pub collector: Option<Id<Contact>>,
    /// When the customer came.
    pub arrived_at: Option<Instant>,
    /// When the visit ended.
    pub ended_at: Option<Instant>,
}

/// Adds a visit.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, visit: &Visit) -> Result<(), StoreError> {
    tx.execute(
        "insert into pickup_visit (order_id, fulfilment_order_id, state, code, bay, collector_id, arrived_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            visit.order, visit.fulfilment_order, visit.state.code(), &visit.code, visit.bay.as_ref(), visit.collector,
            visit.arrived_at, visit.ended_at
        ],
    )?;
    Ok(())
}

/// The visit for a fulfilment order.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    (order, id): (Id<Order>, Id<FulfilmentOrder>),
) -> Result<Option<Visit>, StoreError> {
    tx.one(
        "select order_id, fulfilment_order_id, state, code, bay, collector_id, arrived_at, ended_at from pickup_visit
         where order_id = $1 and fulfilment_order_id = $2",
        params![order, id],
        |row| {
            Ok(Visit {
                order: row.id()?,
                fulfilment_order: row.id()?,
                state: row.word(State::coded)?,
                code: row.text()?,
                bay: row.text_or_null()?,
                collector: row.id_or_null()?,
                arrived_at: row.instant_or_null()?,
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
        "update pickup_visit set state = $3, bay = $4, collector_id = $5, arrived_at = $6, ended_at = $7
         where order_id = $1 and fulfilment_order_id = $2",
        params![
            visit.order,
            visit.fulfilment_order,
            visit.state.code(),
            visit.bay.as_ref(),
            visit.collector,
            visit.arrived_at,
            visit.ended_at
        ],
    )?;
    Ok(())
}
