//! Routing agrees with fulfilment: what locations were given on a day is what is counted, and what left is what days of supply go by.

use store::Tx;
use store::routing::{capacity, outflow};

use super::Difference;
use crate::Failure;
use crate::fulfilment::outflow::window_begin;

/// Locations were given as many fulfilment orders on each day as have a place there.
pub fn capacity(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let tell = |(location, day, counted, there)| {
        Difference::new("capacity", format!("{location} on {day}"), format!("{there} given"), counted)
    };
    Ok(capacity::unequal(tx)?.into_iter().map(tell).collect())
}

/// What left each location in the 28 days before the mark is what is counted.
pub fn outflow(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let Some(until) = outflow::mark(tx)? else { return Ok(Vec::new()) };
    let tell = |(variant, location, counted, left)| {
        Difference::new("outflow", format!("{variant} at {location}"), format!("{left} left"), counted)
    };
    Ok(outflow::unequal(tx, (window_begin(until), until))?.into_iter().map(tell).collect())
}
