//! Whose orders are: the customer's and the company's, found by who they went to; and whose an order becomes that was nobody's.

use domain::value::Id;
use domain::value::id::{self, Company, Contact, Customer};

use super::Order;
use crate::{StoreError, Tx, params};

/// Adds by whom an order is found.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, order: &Order) -> Result<(), StoreError> {
    if let Some(contact) = order.contact {
        tx.execute(
            "insert into order_of_contact (contact_id, order_id) values ($1, $2)",
            params![contact, order.id],
        )?;
    }
    if let Some(customer) = order.customer {
        tx.execute(
            "insert into order_of_customer (customer_id, order_id) values ($1, $2)",
            params![customer, order.id],
        )?;
    }
    if let Some(company) = order.company {
        tx.execute(
            "insert into order_of_company (company_id, order_id) values ($1, $2)",
            params![company, order.id],
        )?;
    }
    Ok(())
}

/// A customer's orders before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customer(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    before: Id<id::Order>,
    limit: i64,
) -> Result<Vec<Id<id::Order>>, StoreError> {
    tx.rows(
        "select order_id from order_of_customer where customer_id = $1 and order_id < $2 order by order_id desc limit $3",
        params![customer, before, limit],
        |row| row.id(),
    )
}

/// The orders that went to a contact, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_contact(
    tx: &mut Tx<'_>,
    contact: Id<Contact>,
    limit: i64,
) -> Result<Vec<Id<id::Order>>, StoreError> {
    tx.rows(
        "select order_id from order_of_contact where contact_id = $1 order by order_id desc limit $2",
        params![contact, limit],
        |row| row.id(),
    )
}

/// The orders bought in a company's name before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_company(
    tx: &mut Tx<'_>,
    company: Id<Company>,
    before: Id<id::Order>,
    limit: i64,
) -> Result<Vec<Id<id::Order>>, StoreError> {
    tx.rows(
        "select order_id from order_of_company where company_id = $1 and order_id < $2 order by order_id desc limit $3",
        params![company, before, limit],
        |row| row.id(),
    )
}

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
