//! Transfers: goods are asked for, picked and sent at one location and received at another; until then they are in the books between both.

use crate::stock::State as Stock;
use crate::words;

words! {
    /// Where a transfer order stands.
    State {
        /// Being put together; nothing is promised.
        Draft 1 "draft";
        /// Asked for; once it needs no approval, its goods are committed where they lie.
        Requested 2 "requested";
        /// Being taken from the shelves.
        Picking 3 "picking";
        /// Left, and nothing arrived yet.
        InTransit 4 "in_transit";
        /// Something arrived.
        PartlyReceived 5 "partly_received";
        /// All arrived.
        Received 6 "received";
        /// Some of it never arrived, and nobody waits for it any more.
        ClosedShort 7 "closed_short";
        /// Nothing was sent.
        Cancelled 8 "cancelled";
    }
}

impl State {
    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        use State::*;
        match self {
            Draft => &[Requested, Cancelled],
            Requested => &[Picking, InTransit, Cancelled],
            Picking => &[InTransit, Cancelled],
            InTransit | PartlyReceived => &[PartlyReceived, Received, ClosedShort],
            Received | ClosedShort | Cancelled => &[],
        }
    }

    /// May this state follow?
    pub fn leads_to(self, next: State) -> bool {
        self.next().contains(&next)
    }

    /// Do its goods still lie at the source?
    pub const fn is_at_source(self) -> bool {
        matches!(self, State::Requested | State::Picking)
    }

    /// Are its goods on their way?
    pub const fn is_on_the_way(self) -> bool {
        matches!(self, State::InTransit | State::PartlyReceived)
    }

    /// Is anything of it still to happen?
    pub const fn is_open(self) -> bool {
        matches!(self, State::Draft) || self.is_at_source() || self.is_on_the_way()
    }
}

words! {
    /// Why goods are moved to another location.
    Reason {
        /// The destination runs low.
        Replenish 1 "replenish";
        /// The source has more than it sells.
        Balance 2 "balance";
        /// A customer collects them there.
        Order 3 "order";
        /// They go back to a warehouse: season's end, recall, repair.
        Back 4 "back";
        /// Something else.
        Other 5 "other";
    }
}

words! {
    /// Why goods of a transfer order never arrived.
    Shortage {
        /// Lost on the way.
        Lost 1 "lost";
        /// Destroyed on the way.
        Destroyed 2 "destroyed";
        /// They never left: they are back on the source's shelf.
        NotSent 3 "not_sent";
    }
}

impl Shortage {
    /// The world's side of the loss; none when the goods are still there.
    pub const fn world_side(self) -> Option<Stock> {
        match self {
            Shortage::Lost => Some(Stock::Shrinkage),
            Shortage::Destroyed => Some(Stock::Scrap),
            Shortage::NotSent => None,
        }
    }
}

/// How far the pieces of one variant are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many are still part of the transfer order.
    pub quantity: i64,
    /// How many of those were taken from the shelf.
    pub picked: i64,
    /// How many of those left.
    pub shipped: i64,
    /// How many of those arrived, damaged ones among them.
    pub arrived: i64,
    /// How many of those were damaged.
    pub damaged: i64,
    /// How many arrived that nobody sent, by the books.
    pub over: i64,
    /// How many never arrived.
    pub lost: i64,
    /// How many of those still to arrive are promised to its order.
    pub promised: i64,
}

impl Progress {
    /// Pieces on their way.
    pub const fn on_the_way(&self) -> i64 {
        self.shipped - self.arrived - self.lost
    }

    /// Pieces still to be taken from the shelf.
    pub const fn unpicked(&self) -> i64 {
        self.quantity - self.picked
    }
}

/// What becomes of pieces that arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Sent and arrived whole, and go on to the order.
    pub to_order: i64,
    /// Sent and arrived whole, and are free.
    pub free: i64,
    /// Sent, and arrived in a state in which they are not sold.
    pub aside: i64,
    /// Not sent by the books: found.
    pub over: i64,
}

/// What becomes of so many pieces that arrive, whole or not: those that were sent first, and of those the order's first.
pub fn arrive(progress: &Progress, pieces: i64, whole: bool) -> Arrival {
    let sent = pieces.min(progress.on_the_way());
    let over = pieces - sent;
    if !whole {
        return Arrival { aside: sent, over, ..Arrival::default() };
    }
    let to_order = sent.min(progress.promised);
    Arrival { to_order, free: sent - to_order, over, ..Arrival::default() }
}

/// What of an order's pieces can no longer come when so many are on their way: beyond those, nothing is promised.
pub const fn unkept(progress: &Progress) -> i64 {
    let coming = progress.unpicked() + (progress.picked - progress.shipped) + progress.on_the_way();
    if progress.promised > coming { progress.promised - coming } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_arrives_before_what_was_not() {
        let progress =
            Progress { quantity: 5, picked: 5, shipped: 5, arrived: 1, promised: 2, ..Progress::default() };
        assert_eq!(
            arrive(&progress, 6, true),
            Arrival { to_order: 2, free: 2, over: 2, ..Arrival::default() }
        );
        assert_eq!(arrive(&progress, 1, true), Arrival { to_order: 1, ..Arrival::default() });
        assert_eq!(arrive(&progress, 5, false), Arrival { aside: 4, over: 1, ..Arrival::default() });
    }

    #[test]
    fn a_promise_is_kept_as_long_as_enough_is_coming() {
        let sent = Progress { quantity: 3, picked: 3, shipped: 3, promised: 3, ..Progress::default() };
        assert_eq!(unkept(&sent), 0);
        assert_eq!(unkept(&Progress { arrived: 1, damaged: 1, ..sent }), 1);
        assert_eq!(unkept(&Progress { arrived: 1, promised: 1, lost: 2, ..sent }), 1);
    }

    #[test]
    fn what_ended_leads_nowhere() {
        for state in State::ALL {
            assert_eq!(state.next().is_empty(), !state.is_open(), "{state:?}");
        }
    }
}
