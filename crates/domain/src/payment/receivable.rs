//! What payment providers owe us: each payment by a provider has a book of its own, in which what was taken lies until it is given back.

use crate::ledger::{AccountKey, Posting};
use crate::value::id::PaymentAccount;
use crate::value::{Id, Instant, LocalDay, Zone, zone::ZoneError};
use crate::words;

/// The account under which the test provider's payments stand, as it has none that the retailer made.
pub const TEST_ACCOUNT: Id<PaymentAccount> = Id::from_bytes(*b"the test account");

words! {
    /// Where money of a payment by a provider is, in the books' eyes.
    State {
        /// With the provider, who owes it to us.
        Owed 1 "owed";
        /// The other side of what was taken from customers and given back to them.
        Customer 40 "customer";
        /// The other side of differences that were cleared by hand.
        Cleared 41 "cleared";
    }
}

/// What an account owes, in a book.
pub const fn owed(account: Id<PaymentAccount>) -> AccountKey {
    AccountKey { place: account.bytes(), state: State::Owed.code() }
}

/// The two lines by which an account owes more, or less: it may owe less than nothing, when more was given back than it took.
pub const fn moving(account: Id<PaymentAccount>, other: State, change: i64) -> [Posting; 2] {
    let other = AccountKey { place: AccountKey::WORLD, state: other.code() };
    [
        Posting { account: owed(account), amount: change, floor: None },
        Posting { account: other, amount: -change, floor: None },
    ]
}

/// The day of an instant as providers count days: by universal time.
///
/// # Errors
/// When the program has no calendar of universal time.
pub fn day(at: Instant) -> Result<LocalDay, ZoneError> {
    Ok(LocalDay::of(at, &Zone::parse("UTC")?))
}

/// When a day begins and ends, by universal time.
///
/// # Errors
/// As [`day`].
pub fn span(day: LocalDay) -> Result<(Instant, Instant), ZoneError> {
    let begins = day.first_instant(&Zone::parse("UTC")?);
    Ok((begins, begins.plus_seconds(24 * 60 * 60)))
}
