//! What a customer is told of an order: one stage for each part of it and one for the whole, and what the customer can do now.

mod words;
pub mod writing;

use crate::delivery::Kind;
use crate::fulfilment::State as Part;
use crate::order::State as Order;
use crate::words;

pub use words::{language_of_words, page_words, words_for};

words! {
    /// How far goods are, in a customer's eyes. A part of an order has one, and the whole order has one.
    Stage {
        /// The order waits for its payment.
        AwaitingPayment 1 "awaiting_payment";
        /// Sold; the place that serves it is being found.
        Waiting 2 "waiting";
        /// On its way to where the customer collects it.
        Coming 13 "on_its_way_to_pickup";
        /// A location has it to do.
        Accepted 3 "accepted";
        /// Being taken from the shelves.
        Picking 4 "picking";
        /// Packed.
        Packed 5 "packed";
        /// Somebody has to look at it first.
        Held 6 "held";
        /// Waits for the customer.
        Ready 7 "ready_for_pickup";
        /// Part of it has left, the rest has not.
        PartlyGone 8 "partly_on_its_way";
        /// With the carrier.
        Shipped 9 "shipped";
        /// The carrier handed it over.
        Delivered 10 "delivered";
        /// The customer has it.
        Collected 11 "collected";
        /// Will not come.
        Cancelled 12 "cancelled";
    }
}

words! {
    /// What a customer can do about an order now.
    Deed {
        /// Pay what is missing.
        Pay 1 "pay";
        /// Say that they have come for goods that wait.
        Arrive 2 "arrive";
        /// Bring or send goods back that they have.
        Return 3 "return";
        /// Have nothing of it after all.
        Cancel 4 "cancel";
        /// Have other things, or have it sent elsewhere.
        Change 5 "change";
    }
}

/// The stage of a part, `None` for one that came to nothing: its goods are in another part.
pub const fn stage_of(state: Part, held: bool) -> Option<Stage> {
    if held && state.is_open() {
        return Some(Stage::Held);
    }
    Some(match state {
        Part::Unrouted | Part::Offered => Stage::Waiting,
        Part::AwaitingTransfer => Stage::Coming,
        Part::Open | Part::Claimed => Stage::Accepted,
        Part::Picking => Stage::Picking,
        Part::Packed => Stage::Packed,
        Part::Ready => Stage::Ready,
        Part::Shipped => Stage::Shipped,
        Part::Delivered => Stage::Delivered,
        Part::Collected => Stage::Collected,
        Part::Cancelled => Stage::Cancelled,
        Part::Rejected => return None,
    })
}

/// The stage of the whole: what waits for the customer is said first; else what is on its way beside what is not; else the part that is
/// least far. An order without goods, such as one of services, is there as soon as it is placed.
pub fn stage_of_order(state: Order, kind: Kind, parts: &[Stage]) -> Stage {
    match state {
        Order::PendingPayment => return Stage::AwaitingPayment,
        Order::Cancelled => return Stage::Cancelled,
        Order::Placed | Order::Completed => {}
    }
    if parts.contains(&Stage::Ready) {
        return Stage::Ready;
    }
    let coming = || parts.iter().copied().filter(|stage| *stage != Stage::Cancelled);
    let gone = |stage: Stage| matches!(stage, Stage::Shipped | Stage::Delivered | Stage::Collected);
    if coming().any(gone) && !coming().all(gone) {
        return Stage::PartlyGone;
    }
    let least = coming().min();
    match (least, parts.is_empty()) {
        (Some(least), _) => least,
        (None, false) => Stage::Cancelled,
        (None, true) if kind == Kind::Ship => Stage::Delivered,
        (None, true) => Stage::Collected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_the_customer_is_said_first() {
        let of = |parts: &[Stage]| stage_of_order(Order::Placed, Kind::Pickup, parts);
        assert_eq!(of(&[Stage::Collected, Stage::Ready, Stage::Waiting]), Stage::Ready);
        assert_eq!(of(&[Stage::Shipped, Stage::Packed]), Stage::PartlyGone);
        assert_eq!(of(&[Stage::Shipped, Stage::Delivered, Stage::Cancelled]), Stage::Shipped);
        assert_eq!(of(&[Stage::Packed, Stage::Waiting]), Stage::Waiting);
        assert_eq!(of(&[Stage::Cancelled]), Stage::Cancelled);
        assert_eq!(of(&[]), Stage::Collected);
        assert_eq!(
            stage_of_order(Order::PendingPayment, Kind::Ship, &[Stage::Accepted]),
            Stage::AwaitingPayment
        );
    }

    #[test]
    fn only_what_came_to_nothing_has_no_stage() {
        for state in Part::ALL {
            assert_eq!(stage_of(*state, false).is_none(), *state == Part::Rejected);
        }
        assert_eq!(
            (stage_of(Part::Open, true), stage_of(Part::Shipped, true)),
            (Some(Stage::Held), Some(Stage::Shipped))
        );
    }
}
