//! What a person may ask about what is kept of them, until when it is answered, and how long which data is kept.

pub mod register;

use crate::refusal::{Code, Refusal};
use crate::value::{Country, Instant};
use crate::words;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// How many days before the end of a request's time its colleagues are reminded.
pub const REMIND_DAYS: i64 = 7;
/// The longest time a rule may give, in days.
pub const DAYS_MAX: i64 = 365;
/// The longest that data is kept by a rule, in days.
pub const KEEP_DAYS_MAX: i64 = 36_500;

words! {
    /// What is asked for.
    Kind {
        /// What is kept, and why.
        Access 1 "access";
        /// A copy to take along.
        Export 2 "export";
        /// Something is wrong.
        Correction 3 "correction";
        /// To be forgotten.
        Erasure 4 "erasure";
        /// To be kept but not used.
        Restriction 5 "restriction";
        /// Not to be used for what nobody must.
        Objection 6 "objection";
    }
}

words! {
    /// Where a request stands.
    State {
        /// It came in; who asked is not known for sure.
        Received 1 "received";
        /// Who asked has shown who they are.
        Verified 2 "verified";
        /// It was answered.
        Done 3 "done";
        /// It was refused, with a reason.
        Refused 4 "refused";
        /// Who asked took it back.
        TakenBack 5 "taken_back";
    }
}

words! {
    /// How who asked has shown who they are.
    Proof {
        /// By the link we sent to the address we know.
        Link 1 "link";
        /// By being signed in.
        SignedIn 2 "signed_in";
        /// A colleague looked at a document.
        Document 3 "document";
        /// A colleague called back.
        Call 4 "call";
    }
}

words! {
    /// Data that is kept equally long.
    Class {
        /// What was sent to people.
        Messages 1 "messages";
        /// Contacts of carts that never became an order.
        Carts 2 "carts";
        /// Contacts of guests whose orders are long done.
        Guests 3 "guests";
        /// Requests about data that were answered.
        Requests 4 "requests";
        /// Addresses that signed up and never confirmed.
        Unconfirmed 5 "unconfirmed";
        /// What people did, as collected, and their visits.
        Behaviour 6 "behaviour";
        /// When people came into segments and fell out.
        Segments 7 "segments";
    }
}

impl State {
    /// Does it still wait for us?
    pub const fn is_open(self) -> bool {
        matches!(self, State::Received | State::Verified)
    }

    /// The states that may follow this one.
    pub const fn next(self) -> &'static [State] {
        match self {
            State::Received => &[State::Verified, State::Refused, State::TakenBack],
            State::Verified => &[State::Done, State::Refused, State::TakenBack],
            State::Done | State::Refused | State::TakenBack => &[],
        }
    }

    /// May this state follow?
    ///
    /// # Errors
    /// [`Code::WrongState`], saying where the request stands.
    pub fn may_become(self, next: State) -> Result<(), Refusal> {
        if self.next().contains(&next) {
            return Ok(());
        }
        let why = match (self, next) {
            (State::Received, State::Done) => {
                "nobody has shown yet who asked: verify the request first".to_owned()
            }
            _ => format!("the request is {}, it cannot become {}", self.text(), next.text()),
        };
        Err(Refusal::new(Code::WrongState, why))
    }
}

/// How long a request of a country may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Days to answer.
    pub days: i64,
    /// Days it may be extended by, once.
    pub extension_days: i64,
}

/// What the law gives where the retailer said nothing: a month in Europe is 28 days at its shortest; California gives 45.
pub fn deadline(country: Option<Country>) -> Deadline {
    match country.map(Country::code) {
        Some("US") => Deadline { days: 45, extension_days: 45 },
        Some("CA" | "AU" | "JP") => Deadline { days: 30, extension_days: 30 },
        _ => Deadline { days: 28, extension_days: 59 },
    }
}

/// How long data of a class is kept where the retailer said nothing, in days.
pub const fn kept_days(class: Class) -> i64 {
    match class {
        Class::Messages | Class::Behaviour | Class::Segments => 730,
        Class::Carts => 90,
        Class::Guests => 3_650,
        Class::Requests => 1_095,
        Class::Unconfirmed => 30,
    }
}

/// The instant so many days after one.
pub const fn days_after(at: Instant, days: i64) -> Instant {
    at.plus_seconds(days * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_before_it_is_known_who_asked() {
        assert!(State::Received.may_become(State::Verified).is_ok());
        assert!(State::Verified.may_become(State::Done).is_ok());
        let refusal = State::Received.may_become(State::Done).unwrap_err();
        assert!(refusal.message().contains("verify the request first"));
        assert!(State::Done.may_become(State::Refused).is_err());
    }

    #[test]
    fn a_month_is_never_longer_than_the_shortest() {
        assert_eq!(deadline(Country::parse("DE").ok()).days, 28);
        assert_eq!(deadline(Country::parse("US").ok()), Deadline { days: 45, extension_days: 45 });
        assert_eq!(deadline(None).days, 28);
    }
}
