//! Returns: in which condition goods come back, and where the books put them.

use crate::stock;
use crate::words;

words! {
    /// The condition in which goods come back.
    Condition {
        /// Can be sold again.
        Resellable 1 "resellable";
        /// Must be looked at first.
        Inspect 2 "inspect";
        /// Damaged.
        Damaged 3 "damaged";
        /// Thrown away.
        Scrap 4 "scrap";
        /// The customer keeps them; nothing comes back.
        Kept 5 "kept";
    }
}

impl Condition {
    /// The state they come back into; `None` when nothing comes back.
    pub const fn state(self) -> Option<stock::State> {
        match self {
            Condition::Resellable => Some(stock::State::Available),
            Condition::Inspect => Some(stock::State::Quality),
            Condition::Damaged => Some(stock::State::Damaged),
            Condition::Scrap => Some(stock::State::Scrap),
            Condition::Kept => None,
        }
    }
}

words! {
    /// Where a return stands.
    State {
        /// The goods are here, the money is on its way back.
        Received 1 "received";
        /// The money was given back.
        Refunded 2 "refunded";
    }
}
