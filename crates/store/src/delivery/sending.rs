//! The rows of sending: from which network a pickup location is sent what it lacks.

use domain::value::Id;
use domain::value::id::{DeliveryMethod, Network};

use crate::{Param, StoreError, Tx, params};

/// From where a pickup location is sent what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The locations that send.
    pub network: Id<Network>,
    /// How many days it takes.
    pub days: i64,
}

/// From where the pickup locations of a method are sent what they lack.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, method: Id<DeliveryMethod>) -> Result<Option<Sending>, StoreError> {
    tx.one(
        "select network_id, days from delivery_sending where delivery_method_id = $1",
        params![method],
        |row| Ok(Sending { network: row.id()?, days: row.int()? }),
    )
}

/// The same for several methods; those that are sent nothing are left out.
///
/// # Errors
/// What the store says.
pub fn among(
    tx: &mut Tx<'_>,
    methods: &[Id<DeliveryMethod>],
) -> Result<Vec<(Id<DeliveryMethod>, Sending)>, StoreError> {
    let ids: Vec<[u8; 16]> = methods.iter().map(|method| method.bytes()).collect();
    tx.rows(
        "select delivery_method_id, network_id, days from delivery_sending
         where delivery_method_id {in ids $1} order by delivery_method_id",
        &[Param::Ids(&ids)],
        |row| Ok((row.id()?, Sending { network: row.id()?, days: row.int()? })),
    )
}

/// Says from where the pickup locations of a method are sent what they lack; from nowhere when none.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, method: Id<DeliveryMethod>, sending: Option<Sending>) -> Result<(), StoreError> {
    tx.execute("delete from delivery_sending where delivery_method_id = $1", params![method])?;
    if let Some(sending) = sending {
        tx.execute(
            "insert into delivery_sending (delivery_method_id, network_id, days) values ($1, $2, $3)",
            params![method, sending.network, sending.days],
        )?;
    }
    Ok(())
}
