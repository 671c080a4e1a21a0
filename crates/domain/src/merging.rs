//! Merging: two customers turn out to be one person, and what the one has is the other's from then on, until somebody sees that it was wrong.

use crate::words;

/// The most characters of the reason for a merge.
pub const WHY_CHARS_MAX: usize = 500;
/// The most carts, orders, returns and claims that go along in one merge.
pub const MOVED_MAX: i64 = 10_000;

words! {
    /// What made two customers one.
    Cause {
        /// A rule of identity: they share a key of a source that is trusted.
        Rule 1 "rule";
        /// Somebody who looked at a pair that was found to be alike.
        Review 2 "review";
        /// Somebody who asked for it.
        Staff 3 "staff";
        /// Their records are so alike that the retailer lets that be enough.
        System 4 "system";
    }
}

words! {
    /// What goes along in a merge.
    Part {
        /// A cart.
        Cart 1 "cart";
        /// An order.
        Order 2 "order";
        /// A return.
        Return 3 "return";
        /// A claim.
        Claim 4 "claim";
        /// The groups of the customer who stays, as they were before.
        Groups 5 "groups";
        /// Store credit in one currency.
        StoreCredit 6 "store_credit";
        /// A membership of a loyalty programme.
        Membership 7 "membership";
        /// A cart whose lines went into one of the customer who stays.
        UnitedCart 8 "united_cart";
        /// A customer who was merged into the one who is merged now.
        Customer 9 "customer";
        /// A place in a household, and with it a household that became one with another.
        Household 10 "household";
    }
}

words! {
    /// What is done with all customers, beside everything else.
    Task {
        /// A model is learnt of them.
        Learn 1 "learn";
        /// They are compared with each other.
        Compare 2 "compare";
    }
}

words! {
    /// Where a task stands.
    TrainingState {
        /// Nobody has begun.
        Waiting 1 "waiting";
        /// It goes on.
        Running 2 "running";
        /// A model was learnt, or all were compared.
        Done 3 "done";
        /// It could not be done.
        Failed 4 "failed";
        /// Somebody stopped it.
        Stopped 5 "stopped";
    }
}

impl TrainingState {
    /// Does nothing follow any more?
    pub const fn is_over(self) -> bool {
        !matches!(self, TrainingState::Waiting | TrainingState::Running)
    }
}
