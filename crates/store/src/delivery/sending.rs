//! The rows of sending: from which network a pickup location is sent what it lacks.

use domain::value::Id;
use domain::value::id::{DeliveryMethod, Network};

use crate::{StoreError, Tx, params};

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
