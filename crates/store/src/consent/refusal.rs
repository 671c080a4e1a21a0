//! Who said no to something: looked up for many people at once.

use std::collections::BTreeSet;

use domain::consent::{Basis, Cell};
use domain::value::id::Customer;
use domain::value::{Id, Instant};

use crate::{Param, StoreError, Tx, params};

/// Is there anybody who says no to this purpose? What belongs to what was bought is not asked for.
///
/// # Errors
/// What the store says.
pub fn is_any(tx: &mut Tx<'_>, purpose: &str) -> Result<bool, StoreError> {
    let found = tx.one(
        "select n.status from purpose p join consent_now n on n.purpose = p.code
         where p.code = $1 and p.basis <> $2 and n.status in (3, 4) limit 1",
        params![purpose, Basis::Contract.code()],
        |row| row.int(),
    )?;
    Ok(found.is_some())
}

/// Who of these customers, or of those merged into them, said no to a cell as a whole.
///
/// # Errors
/// What the store says.
pub fn of_customers(
    tx: &mut Tx<'_>,
    customers: &[[u8; 16]],
    cell: &Cell,
    now: Instant,
) -> Result<BTreeSet<Id<Customer>>, StoreError> {
    let found = tx.rows(
        "select distinct coalesce(c.merged_into, c.customer_id) from customer c join consent_now n on n.subscriber_id = c.customer_id
         where (c.customer_id {in ids $1} or c.merged_into {in ids $1}) and n.purpose = $2 and n.status in (3, 4)
           and n.medium in (1, $3) and n.topic in ('', $4) and (n.expires_at is null or n.expires_at > $5)",
        &[
            Param::Ids(customers),
            Param::Text(&cell.purpose),
            cell.medium.code().into(),
            Param::Text(&cell.topic),
            now.into(),
        ],
        |row| row.id(),
    )?;
    Ok(found.into_iter().collect())
}

/// Did whoever is known by an address only, whose keyed hash begins so, say no to a cell?
///
/// # Errors
/// What the store says.
pub fn of_address(
    tx: &mut Tx<'_>,
    beginning: &[u8; 16],
    cell: &Cell,
    now: Instant,
) -> Result<bool, StoreError> {
    let (first, last) = ([&beginning[..], &[0; 16][..]].concat(), [&beginning[..], &[255; 16][..]].concat());
    let found = tx.one(
        "select n.status from subscriber_by_address b join consent_now n on n.subscriber_id = b.subscriber_id
         where b.hash >= $1 and b.hash <= $2 and n.purpose = $3 and n.status in (3, 4) and n.medium in (1, $4) and n.topic in ('', $5)
           and (n.expires_at is null or n.expires_at > $6) limit 1",
        params![&first, &last, &cell.purpose, cell.medium.code(), &cell.topic, now],
        |row| row.int(),
    )?;
    Ok(found.is_some())
}
