//! Whose an order becomes that was nobody's.

use domain::value::Id;
use domain::value::id::{self, Customer};

use crate::{StoreError, Tx, params};

/// Makes an order that was nobody's a customer's, with the returns and claims of it; false when it is somebody's. The order is locked.
///
/// # Errors
/// What the store says.
pub fn give_to(tx: &mut Tx<'_>, order: Id<id::Order>, customer: Id<Customer>) -> Result<bool, StoreError> {
    let given = tx.execute(
        "update order_head set customer_id = $2 where order_id = $1 and customer_id is null",
        params![order, customer],
    )?;
    if given == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into order_of_customer (customer_id, order_id) values ($1, $2)",
        params![customer, order],
    )?;
    let returns: Vec<Id<id::Return>> = tx.rows(
        "select return_id from return_of_order where order_id = $1 order by return_id",
        params![order],
        |row| row.id(),
    )?;
    for one in returns {
        let own = tx.execute(
            "update return_of_goods set customer_id = $2 where return_id = $1 and customer_id is null",
            params![one, customer],
        )?;
        if own == 1 {
            tx.execute(
                "insert into return_of_customer (customer_id, return_id) values ($1, $2)",
                params![customer, one],
            )?;
        }
    }
    tx.execute(
        "update claim set customer_id = $2 where order_id = $1 and customer_id is null",
        params![order, customer],
    )?;
    Ok(true)
}
