//! Fulfilment: which location gives which pieces of which order line, and what is still open.

use crate::delivery::Kind;
use crate::routing::Allocation;
use crate::stock::Wish;
use crate::value::Id;
use crate::value::id::{Location, OrderLine, Variant};
use crate::words;

words! {
    /// Where the goods of an order that leave one location together stand.
    State {
        /// Promised at the location, to be picked.
        Open 1 "open";
        /// Left by parcel.
        Shipped 2 "shipped";
        /// Handed to the customer.
        Collected 3 "collected";
        /// Will not leave.
        Cancelled 4 "cancelled";
    }
}

/// The state in which goods have left that go out in this way.
pub const fn left(kind: Kind) -> State {
    match kind {
        Kind::Ship => State::Shipped,
        Kind::Pickup | Kind::HandOver => State::Collected,
    }
}

/// Pieces of one variant for one order line from one location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The location.
    pub location: Id<Location>,
    /// The order line.
    pub line: Id<OrderLine>,
    /// The variant taken; for a kit, a component.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
}

/// Gives the allocated pieces to the lines, line by line in order. Allocations cover exactly what the lines consume.
pub fn assign(lines: &[(Id<OrderLine>, Wish)], allocations: &[Allocation]) -> Vec<Part> {
    let mut left = allocations.to_vec();
    let mut parts: Vec<Part> = Vec::new();
    for (line, wish) in lines {
        for (variant, mut wanted) in wish.consumes() {
            for allocation in left.iter_mut().filter(|one| one.variant == variant && one.quantity > 0) {
                let quantity = allocation.quantity.min(wanted);
                if quantity == 0 {
                    break;
                }
                allocation.quantity -= quantity;
                wanted -= quantity;
                parts.push(Part { location: allocation.location, line: *line, variant, quantity });
            }
            assert_eq!(wanted, 0, "allocations cover what the lines consume");
        }
    }
    parts.sort_by_key(|part| part.location);
    parts
}

/// How many units of a line have not left yet: for a kit, so many as its slowest component still has open, rounded up.
pub fn open_units(each: &[(Id<Variant>, i64)], open_of: impl Fn(Id<Variant>) -> i64) -> i64 {
    let units = |(variant, each): &(Id<Variant>, i64)| {
        let (open, each) = (open_of(*variant), (*each).max(1));
        open / each + i64::from(open % each > 0)
    };
    each.iter().map(units).max().unwrap_or(0)
}

/// How many units of a line are still whole: for a kit, so many as its fastest component still has open. What left in part can
/// neither be cancelled nor come back before the rest has left.
pub fn untouched_units(each: &[(Id<Variant>, i64)], open_of: impl Fn(Id<Variant>) -> i64) -> i64 {
    each.iter().map(|(variant, each)| open_of(*variant) / (*each).max(1)).min().unwrap_or(0)
}

/// How far the goods of an order are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing left yet.
    Unfulfilled,
    /// Part left.
    PartlyFulfilled,
    /// All that was not cancelled left.
    Fulfilled,
    /// All was cancelled.
    Cancelled,
}

impl Status {
    /// The name over the API.
    pub const fn text(self) -> &'static str {
        match self {
            Status::Unfulfilled => "unfulfilled",
            Status::PartlyFulfilled => "partly_fulfilled",
            Status::Fulfilled => "fulfilled",
            Status::Cancelled => "cancelled",
        }
    }
}

/// The status that follows from the states of an order's fulfilment orders; an order of services alone has none and is fulfilled.
pub fn status(states: &[State]) -> Status {
    let left = states.iter().any(|state| matches!(state, State::Shipped | State::Collected));
    let open = states.contains(&State::Open);
    match (left, open) {
        (true, true) => Status::PartlyFulfilled,
        (true, false) => Status::Fulfilled,
        (false, true) => Status::Unfulfilled,
        (false, false) if states.is_empty() => Status::Fulfilled,
        (false, false) => Status::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<K: crate::value::Kind>(number: u8) -> Id<K> {
        Id::from_bytes([number; 16])
    }

    #[test]
    fn two_lines_share_what_was_allocated_for_both() {
        let kit = Wish { variant: id(9), quantity: 1, takes: vec![(id(1), 2)] };
        let single = Wish { variant: id(1), quantity: 3, takes: vec![(id(1), 1)] };
        let allocations = [
            Allocation { location: id(50), variant: id(1), quantity: 4 },
            Allocation { location: id(51), variant: id(1), quantity: 1 },
        ];
        let parts = assign(&[(id(71), kit), (id(72), single)], &allocations);
        let of = |line: u8| {
            parts.iter().filter(|part| part.line == id(line)).map(|part| part.quantity).sum::<i64>()
        };
        assert_eq!((of(71), of(72)), (2, 3));
        assert_eq!(parts.last().map(|part| (part.location, part.quantity)), Some((id(51), 1)));
    }

    #[test]
    fn a_kit_is_open_until_its_last_component_has_left() {
        let each = [(id(1), 2), (id(2), 1)];
        assert_eq!(open_units(&each, |variant| if variant == id(1) { 1 } else { 0 }), 1);
        assert_eq!(open_units(&each, |_| 0), 0);
        let open = |variant| if variant == id(1) { 4 } else { 1 };
        assert_eq!((open_units(&each, open), untouched_units(&each, open)), (2, 1));
    }

    #[test]
    fn the_goods_status() {
        assert_eq!(status(&[State::Open, State::Shipped]), Status::PartlyFulfilled);
        assert_eq!(status(&[State::Cancelled, State::Shipped]), Status::Fulfilled);
        assert_eq!(status(&[State::Cancelled]), Status::Cancelled);
    }
}
