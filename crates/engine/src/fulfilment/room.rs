//! What a location that prepares only so many orders a day was given: counted with each fulfilment order that comes to it or leaves it.

use domain::value::Instant;
use store::Tx;
use store::routing::capacity::{self, Claim};

use super::FulfilmentOrder;
use crate::Failure;
use crate::routing::day_of;

/// A fulfilment order came to its location.
pub(super) fn take(tx: &mut Tx<'_>, now: Instant, one: &FulfilmentOrder) -> Result<(), Failure> {
    let Some(location) = one.location else { return Ok(()) };
    if let Some(zone) = store::location::clock_of_limited(tx, location)? {
        let claim = Claim { order: one.order, part: one.id, location, day: day_of(now, &zone) };
        capacity::claim(tx, &claim)?;
    }
    Ok(())
}

/// A fulfilment order is not prepared where it was.
pub(super) fn give_back(tx: &mut Tx<'_>, one: &FulfilmentOrder) -> Result<(), Failure> {
    Ok(capacity::give_back(tx, one.order, one.id)?)
}
