//! The rows of money carried over: which payments of old orders pay for the goods of an exchange.

use domain::value::Id;
use domain::value::id::Payment as PaymentKind;

use crate::{StoreError, Tx, params};

/// Carries a taken amount over to the payment of another order, at this place in the sequence in which it goes back; false when less is
/// open.
///
/// # Errors
/// What the store says.
pub fn over(
    tx: &mut Tx<'_>,
    source: Id<PaymentKind>,
    (to, place): (Id<PaymentKind>, i64),
    amount: i64,
) -> Result<bool, StoreError> {
    let moved = tx.execute(
        "update payment set carried = carried + $2, version = version + 1
         where payment_id = $1 and refunded + refunding + carried + $2 <= captured",
        params![source, amount],
    )?;
    if moved == 1 {
        tx.execute(
            "insert into payment_carry (payment_id, source_id, place, amount, back) values ($1, $2, $3, $4, 0)",
            params![to, source, place, amount],
        )?;
    }
    Ok(moved == 1)
}

/// From which payments of other orders a payment was carried over, and how much of each has not gone back, in the sequence in
/// which it goes back.
///
/// # Errors
/// What the store says.
pub fn carried(tx: &mut Tx<'_>, payment: Id<PaymentKind>) -> Result<Vec<(Id<PaymentKind>, i64)>, StoreError> {
    tx.rows(
        "select source_id, amount - back from payment_carry where payment_id = $1 and back < amount order by place",
        params![payment],
        |row| Ok((row.id()?, row.int()?)),
    )
}

/// Lets go back what was carried over; false when less is there.
///
/// # Errors
/// What the store says.
pub fn back(
    tx: &mut Tx<'_>,
    payment: Id<PaymentKind>,
    source: Id<PaymentKind>,
    amount: i64,
) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update payment_carry set back = back + $3 where payment_id = $1 and source_id = $2 and back + $3 <= amount",
        params![payment, source, amount],
    )?;
    let moved = tx.execute(
        "update payment set carried = carried - $2, version = version + 1 where payment_id = $1 and carried >= $2",
        params![source, amount],
    )?;
    Ok(noted == 1 && moved == 1)
}

/// Payments whose carried amount is another than what carries of it say: the payment, what they say, and what it has.
///
/// # Errors
/// What the store says.
pub fn unequal_carries(tx: &mut Tx<'_>) -> Result<Vec<(Id<PaymentKind>, i64, i64)>, StoreError> {
    tx.rows(
        "select p.payment_id, coalesce(c.open, 0), p.carried from payment p
         left join (select source_id, cast(sum(amount - back) as {int}) as open from payment_carry group by source_id) c on c.source_id = p.payment_id
         where p.carried <> coalesce(c.open, 0) order by p.payment_id limit $1",
        params![crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
