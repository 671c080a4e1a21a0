//! Locations: stores, warehouses, drop-ship suppliers and virtual places, and the networks they form.

pub mod area;

use crate::refusal::Refusal;
use crate::value::Id;
use crate::value::id::Location;

/// Most locations in one network.
pub const MEMBERS_MAX: usize = 1000;
/// The highest rank of a member.
pub const RANK_MAX: i64 = 1000;
/// The most orders a day a location can be said to prepare.
pub const CAPACITY_MAX: i64 = 1_000_000;
/// The longest time to prepare an order, in minutes: a week.
pub const PREPARATION_MINUTES_MAX: i64 = 7 * 24 * 60;
/// How long it takes where nothing else is said.
pub const PREPARATION_MINUTES: i64 = 30;

crate::words! {
    /// What a location is.
    Kind {
        /// It has a door and a till.
        Store 1 "store";
        /// It ships and has no door.
        Warehouse 2 "warehouse";
        /// A supplier who ships to our customers.
        Supplier 3 "supplier";
        /// No place on the map: stock kept apart in the books only.
        Virtual 4 "virtual";
    }
}

/// A location of a network, and its place in the order in which they are asked: the lowest rank first.
pub type Member = (Id<Location>, i64);

/// Checks the members of a network and puts them in order of rank.
///
/// # Errors
/// The refusal names the member at fault.
pub fn members(mut members: Vec<Member>) -> Result<Vec<Member>, Refusal> {
    if members.len() > MEMBERS_MAX {
        return Err(Refusal::invalid("members", format!("a network has at most {MEMBERS_MAX} locations")));
    }
    for (place, (location, rank)) in members.iter().enumerate() {
        if members[..place].iter().any(|(earlier, _)| earlier == location) {
            let message = "this location is named twice; name each once";
            return Err(Refusal::invalid(format!("members.{place}.location"), message));
        }
        if !(0..=RANK_MAX).contains(rank) {
            return Err(Refusal::invalid(
                format!("members.{place}.rank"),
                format!("give a rank from 0 to {RANK_MAX}"),
            ));
        }
    }
    members.sort_by_key(|(location, rank)| (*rank, *location));
    Ok(members)
}

/// Checks how many orders a day a location can prepare.
///
/// # Errors
/// The refusal says what can be given.
pub fn capacity(orders_per_day: i64) -> Result<i64, Refusal> {
    if (0..=CAPACITY_MAX).contains(&orders_per_day) {
        return Ok(orders_per_day);
    }
    Err(Refusal::invalid(
        "capacity",
        format!("give 0 to {CAPACITY_MAX} orders a day, or nothing for no limit"),
    ))
}

/// Checks how long it takes to prepare an order.
///
/// # Errors
/// The refusal says what can be given.
pub fn preparation_minutes(minutes: i64) -> Result<i64, Refusal> {
    if (0..=PREPARATION_MINUTES_MAX).contains(&minutes) {
        return Ok(minutes);
    }
    let message = format!("give 0 to {PREPARATION_MINUTES_MAX} minutes");
    Err(Refusal::invalid("preparation_minutes", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_in_order_of_rank_and_named_once() {
        let (leeds, york) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        assert_eq!(members(vec![(leeds, 2), (york, 1)]), Ok(vec![(york, 1), (leeds, 2)]));
        assert_eq!(members(vec![(leeds, 1), (leeds, 2)]).unwrap_err().field(), Some("members.1.location"));
        assert_eq!(members(vec![(leeds, RANK_MAX + 1)]).unwrap_err().field(), Some("members.0.rank"));
        assert!(capacity(-1).is_err());
        assert!(preparation_minutes(PREPARATION_MINUTES_MAX + 1).is_err() && preparation_minutes(0).is_ok());
    }
}
