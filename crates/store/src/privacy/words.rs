//! What a person wrote beside what was bought: on carts, orders and their changes, in complaints; and what carriers told of whoever took a
//! parcel. All of it is in words that may name somebody, and is emptied when the person is erased.

use domain::value::Id;
use domain::value::id::Person;

use crate::{StoreError, Tx, params};

/// Holds the carts and orders of a person until the commit, in their order.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, of: Id<Person>) -> Result<(), StoreError> {
    tx.rows(
        "select cart_id from cart where person_id = $1 or customer_id in (select customer_id from customer where person_id = $1)
         order by cart_id {lock}",
        params![of],
        |row| row.key(),
    )?;
    tx.rows(
        "select order_id from order_head where order_id in
             (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
              union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1)
         order by order_id {lock}",
        params![of],
        |row| row.key(),
    )?;
    Ok(())
}

/// Empties what a person wrote. The carts and orders are locked.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, of: Id<Person>) -> Result<(), StoreError> {
    tx.execute(
        "update cart set note = null where note is not null
             and (person_id = $1 or customer_id in (select customer_id from customer where person_id = $1))",
        params![of],
    )?;
    tx.execute(
        "update order_head set note = null where note is not null and order_id in
             (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
              union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1)",
        params![of],
    )?;
    tx.execute(
        "update order_change set note = null, reason = null where (note is not null or reason is not null) and order_id in
             (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
              union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1)",
        params![of],
    )?;
    tx.execute(
        "update claim set evidence = null where evidence is not null and claim_id in
             (select k.claim_id from claim_of_order k where k.order_id in
                 (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
                  union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1))",
        params![of],
    )?;
    tx.execute(
        "update parcel_told set note = null where note is not null and order_id in
             (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
              union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1)",
        params![of],
    )?;
    Ok(())
}

/// Is there anything written on carts and orders of a person?
///
/// # Errors
/// What the store says.
pub fn any(tx: &mut Tx<'_>, of: Id<Person>) -> Result<bool, StoreError> {
    let found = tx.one(
        "select cart_id from cart where note is not null
             and (person_id = $1 or customer_id in (select customer_id from customer where person_id = $1))
         union select order_id from order_head where note is not null and order_id in
             (select o.order_id from customer c join order_of_customer o on o.customer_id = c.customer_id where c.person_id = $1
              union select o.order_id from contact c join order_of_contact o on o.contact_id = c.contact_id where c.person_id = $1)
         limit 1",
        params![of],
        |row| row.key(),
    )?;
    Ok(found.is_some())
}
