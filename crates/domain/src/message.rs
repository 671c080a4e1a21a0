//! Messages: what is sent to one person. One that advertises exists only with a consent; one that belongs to what the person asked for needs none.

pub mod words;

use crate::value::Instant;

crate::words! {
    /// Why a message is sent.
    Kind {
        /// The person asked for something of which it is a part.
        Transactional 1 "transactional";
        /// The retailer wants to be heard.
        Marketing 2 "marketing";
    }
}

crate::words! {
    /// Where a message stands.
    State {
        /// It waits until it is due.
        Queued 1 "queued";
        /// It is being handed over.
        Sending 2 "sending";
        /// Who carries it has taken it.
        Sent 3 "sent";
        /// It will not be sent any more.
        Failed 4 "failed";
        /// The consent it rested on was taken back before it left.
        Withdrawn 5 "withdrawn";
    }
}

crate::words! {
    /// Why a message failed.
    Failed {
        /// Who carries it refused it for good.
        Refused 1 "refused";
        /// Nobody could be reached for a long time.
        Unreachable 2 "unreachable";
        /// We stopped in the middle and cannot know whether it was taken; it is not sent twice.
        Interrupted 3 "interrupted";
        /// The address is on the list of those that are not written to.
        Suppressed 4 "suppressed";
        /// The person has no address of this medium, or was erased.
        NoAddress 5 "no_address";
        /// What it was to tell of is gone.
        Gone 6 "gone";
    }
}

crate::words! {
    /// Why an address is not written to.
    Suppressed {
        /// What was sent came back.
        Bounced 1 "bounced";
        /// The person complained to who carries the mail.
        Complained 2 "complained";
        /// A colleague said so.
        ByHand 3 "by_hand";
        /// The person was erased.
        Erased 4 "erased";
    }
}

crate::words! {
    /// What a message says; its words are in [`words`].
    Template {
        /// Asks the person to confirm what was agreed to.
        Confirm 1 "confirm";
        /// Tells of a product.
        Product 2 "product";
        /// Asks who made a request about data to show that the address is theirs.
        PrivacyCheck 3 "privacy_check";
        /// Says what became of a request about data.
        PrivacyDone 4 "privacy_done";
        /// Brings a code to sign in with.
        SignInCode 5 "sign_in_code";
        /// Asks somebody to buy in a company's name, and brings the code for it.
        CompanyInvitation 6 "company_invitation";
        /// Says that a request about data is refused, and why.
        PrivacyRefused 7 "privacy_refused";
        /// Says that a request about data takes longer, until when, and why.
        PrivacyExtended 8 "privacy_extended";
        /// Tells the address a customer had that it is not the customer's any more.
        AddressChanged 9 "address_changed";
    }
}

/// How often handing a message over is tried.
pub const TRIES_MAX: i64 = 9;
/// The longest wait between two tries.
const WAIT_SECONDS_MAX: i64 = 4 * 3600;

/// When a message is tried again that was not taken: a minute after the first try, three times as long after each further one, at most four
/// hours. `None` when it was tried often enough.
pub fn again_at(now: Instant, tries: i64) -> Option<Instant> {
    if tries >= TRIES_MAX {
        return None;
    }
    let wait = (1..tries.max(1)).fold(60, |wait: i64, _| (wait * 3).min(WAIT_SECONDS_MAX));
    Some(now.plus_seconds(wait))
}

impl Suppressed {
    /// Does it hold for a message of this kind? What comes back helps nobody; who complained about offers still wants receipts; who was erased
    /// and comes again by themselves is welcome, only no list of others brings them back.
    pub const fn holds_for(self, kind: Kind) -> bool {
        match self {
            Suppressed::Bounced | Suppressed::ByHand => true,
            Suppressed::Complained => matches!(kind, Kind::Marketing),
            Suppressed::Erased => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let wait = |tries| again_at(Instant::EPOCH, tries).map(|at| at.micros() / 1_000_000);
        assert_eq!((wait(1), wait(2), wait(3), wait(8)), (Some(60), Some(180), Some(540), Some(14_400)));
        assert_eq!(wait(TRIES_MAX), None);
    }

    #[test]
    fn who_complained_still_gets_what_belongs_to_an_order() {
        assert!(!Suppressed::Complained.holds_for(Kind::Transactional));
        assert!(Suppressed::Complained.holds_for(Kind::Marketing));
        assert!(Suppressed::Bounced.holds_for(Kind::Transactional));
    }
}
