//! Fulfilment: which location gives which pieces of which order line, and what is still open.

pub mod label;
pub mod parcel;
pub mod substitute;
pub mod wave;

use std::collections::BTreeMap;

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
        /// Sold, at no location yet.
        Unrouted 5 "unrouted";
        /// At no location yet; the locations it is offered to may claim it.
        Offered 6 "offered";
        /// Claimed by the location it was offered to.
        Claimed 7 "claimed";
        /// Being taken from the shelves.
        Picking 8 "picking";
        /// Picked and packed.
        Packed 9 "packed";
        /// Waits for the customer.
        Ready 10 "ready_for_pickup";
        /// The carrier handed it over.
        Delivered 11 "delivered";
        /// The location could not serve it; another one does.
        Rejected 12 "rejected";
        /// Part of its goods are on their way to its location from another one.
        AwaitingTransfer 13 "awaiting_transfer";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        use State::*;
        match self {
            Unrouted => &[Offered, Open, Cancelled],
            Offered => &[Claimed, Open, Unrouted, Cancelled],
            Open => &[Picking, Packed, Ready, Shipped, Collected, Rejected, Cancelled],
            Claimed => &[Picking, Packed, Ready, Shipped, Collected, Rejected, Cancelled],
            Picking => &[Open, Packed, Ready, Shipped, Collected, Rejected, Cancelled],
            Packed => &[Ready, Shipped, Collected, Rejected, Cancelled],
            Ready => &[Collected, Rejected, Cancelled],
            AwaitingTransfer => &[Open, Cancelled],
            Shipped => &[Delivered],
            Collected | Delivered | Cancelled | Rejected => &[],
        }
    }

    /// May this state follow?
    pub fn leads_to(self, next: State) -> bool {
        self.next().contains(&next)
    }

    /// Do its goods lie at its location, committed or picked?
    pub const fn is_at_location(self) -> bool {
        matches!(self, State::Open | State::Claimed | State::Picking | State::Packed | State::Ready)
    }

    /// Are its goods promised, but at no location yet?
    pub const fn is_unplaced(self) -> bool {
        matches!(self, State::Unrouted | State::Offered)
    }

    /// Is anything of it still to leave?
    pub const fn is_open(self) -> bool {
        self.is_at_location() || self.is_unplaced() || matches!(self, State::AwaitingTransfer)
    }

    /// Have its goods left?
    pub const fn has_left(self) -> bool {
        matches!(self, State::Shipped | State::Collected | State::Delivered)
    }
}

words! {
    /// Where the customer's visit for goods that wait stands.
    Visit {
        /// The goods are ready.
        Booked 1 "booked";
        /// The customer said that they are coming.
        OnTheWay 2 "on_the_way";
        /// The customer is there.
        Arrived 3 "arrived";
        /// The goods are in the right hands.
        HandedOver 4 "handed_over";
        /// The customer did not come.
        NoShow 5 "no_show";
    }
}

impl Visit {
    /// May this step follow? Telling the same again is no harm.
    pub const fn leads_to(self, next: Visit) -> bool {
        use Visit::*;
        match self {
            Booked => !matches!(next, Booked),
            OnTheWay => !matches!(next, Booked),
            Arrived => matches!(next, Arrived | HandedOver | NoShow),
            HandedOver | NoShow => false,
        }
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

/// How many pieces of variants for order lines.
pub type Pieces = BTreeMap<(Id<OrderLine>, Id<Variant>), i64>;

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

/// Gives the allocated pieces to parts of lines, in their order; answers what each location gives, by location, and what nobody gives.
pub fn share_out(mut wanted: Pieces, allocations: &[Allocation]) -> (Vec<Part>, Pieces) {
    let mut left = allocations.to_vec();
    let mut parts = Vec::new();
    for ((line, variant), missing) in &mut wanted {
        for allocation in left.iter_mut().filter(|one| one.variant == *variant) {
            let quantity = allocation.quantity.min(*missing);
            if quantity > 0 {
                allocation.quantity -= quantity;
                *missing -= quantity;
                parts.push(Part { location: allocation.location, line: *line, variant: *variant, quantity });
            }
        }
    }
    wanted.retain(|_, missing| *missing > 0);
    parts.sort_by_key(|part| part.location);
    (parts, wanted)
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
    let left = states.iter().any(|state| state.has_left());
    let open = states.iter().any(|state| state.is_open());
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
    fn what_nobody_gives_is_left() {
        let wanted = BTreeMap::from([((id(71), id(1)), 2), ((id(72), id(1)), 2), ((id(72), id(2)), 1)]);
        let allocations = [
            Allocation { location: id(51), variant: id(1), quantity: 1 },
            Allocation { location: id(50), variant: id(1), quantity: 2 },
        ];
        let (parts, rest) = share_out(wanted, &allocations);
        let told: Vec<_> = parts.iter().map(|part| (part.location, part.line, part.quantity)).collect();
        assert_eq!(told, [(id(50), id(71), 1), (id(50), id(72), 1), (id(51), id(71), 1)]);
        assert_eq!(rest, BTreeMap::from([((id(72), id(1)), 1), ((id(72), id(2)), 1)]));
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
        assert_eq!(status(&[State::Unrouted, State::Delivered]), Status::PartlyFulfilled);
        assert_eq!(status(&[State::Rejected, State::Ready]), Status::Unfulfilled);
    }

    #[test]
    fn what_ended_leads_nowhere_and_what_is_open_can_end() {
        for state in State::ALL {
            assert_eq!(state.next().is_empty(), !state.is_open() && *state != State::Shipped, "{state:?}");
            assert!(!state.is_open() || state.leads_to(State::Cancelled), "{state:?}");
            assert!(!state.is_at_location() || state.leads_to(left(Kind::Pickup)), "{state:?}");
        }
    }
}
