//! How many of each variant leave each location for customers over 28 days: a window that slides on behind what leaves, a little at a
//! time, so that nobody ever adds up all orders.

use domain::actor::Actor;
use domain::value::Instant;
use store::Tx;
use store::routing::outflow as rows;

use crate::routing::OUTFLOW_DAYS;
use crate::{Failure, World};

/// The most fulfilment orders that come into the window, or leave it, in one round; more only when many left in the same instant.
const ROUND: i64 = 500;
/// What leaves now may still be written by a transaction that began earlier.
const BEHIND_SECONDS: i64 = 300;

/// Slides the window on; true when there is more to do.
///
/// # Errors
/// What the store says.
pub fn slide(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let now = world.now().plus_seconds(-BEHIND_SECONDS);
    let begin = match rows::mark(tx)? {
        Some(mark) => mark,
        None => match rows::first_leaving(tx)? {
            Some(first) => first.plus_seconds(-1),
            None => return Ok(false),
        },
    };
    if now <= begin {
        return Ok(false);
    }
    let coming = rows::leaving(tx, (begin, now), ROUND)?.unwrap_or(now);
    let going = rows::leaving(tx, (window_begin(begin), window_begin(coming)), ROUND)?;
    let until = going.map_or(coming, |left| coming.min(left.plus_seconds(OUTFLOW_DAYS * 24 * 3600)));
    rows::count(tx, (begin, until), 1)?;
    rows::count(tx, (window_begin(begin), window_begin(until)), -1)?;
    rows::set_mark(tx, until)?;
    Ok(until < now)
}

/// What left before this instant is not counted any more when it is counted until then.
pub fn window_begin(until: Instant) -> Instant {
    until.plus_seconds(-OUTFLOW_DAYS * 24 * 3600)
}
