//! Sources of files: a shop, a till or a newsletter that knows people under numbers of its own, and what of a person it may change.

use crate::value::Instant;
use crate::words;

/// The most characters of a source's name.
pub const NAME_CHARS_MAX: usize = 200;
/// How far a source may be trusted, from 1; the higher wins.
pub const TRUST_MAX: i64 = 100;
/// The most sources there may be.
pub const SOURCES_MAX: usize = 100;

words! {
    /// Who is right where a file says something else of a person than is known.
    Precedence {
        /// What is known; only what is missing is taken.
        FillGaps 1 "fill_gaps";
        /// Who said it later.
        Newer 2 "newer";
        /// The source that is trusted more; of two that are trusted alike, who said it later.
        Trust 3 "trust";
        /// What is known, and nothing of it is changed.
        Never 4 "never";
    }
}

words! {
    /// A key by which a row and a person that is known are the same.
    SameBy {
        /// The row names the customer: by our id, an external id, or another source's number.
        Customer 1 "customer";
        /// The e-mail address.
        Email 2 "email";
        /// The phone number, and the name agrees too: a house may share its phone.
        Phone 3 "phone";
        /// No key is the same, but the two are alike.
        Alike 4 "alike";
    }
}

words! {
    /// What of a person is known or taken as one.
    Part {
        /// The name.
        Name 1 "name";
        /// The firm.
        Company 2 "company";
        /// Street, town, region, postal code and country.
        Address 3 "address";
        /// The e-mail address.
        Email 4 "email";
        /// The phone number.
        Phone 5 "phone";
        /// The groups.
        Groups 6 "groups";
    }
}

/// Whose word something that is known of a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// Nobody's: it is not known.
    Nobody,
    /// The source's own, as it said earlier.
    Own,
    /// Another source's.
    Other {
        /// How far that source is trusted.
        trust: i64,
        /// When it said so.
        at: Instant,
    },
    /// The shop's own: a colleague or the customer wrote it.
    Shop {
        /// When the customer was changed last.
        at: Instant,
    },
}

/// Does what a source says, trusted so far and said at an instant, take the place of what is known?
pub fn takes(precedence: Precedence, (trust, at): (i64, Instant), known: Voice) -> bool {
    match (precedence, known) {
        (Precedence::Never, _) => false,
        (_, Voice::Nobody | Voice::Own) => true,
        (Precedence::FillGaps, _) => false,
        (Precedence::Newer, Voice::Other { at: known, .. } | Voice::Shop { at: known }) => at > known,
        (Precedence::Trust, Voice::Other { trust: known, at: said }) => (trust, at) > (known, said),
        (Precedence::Trust, Voice::Shop { .. }) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_right_follows_from_the_precedence() {
        let at = Instant::from_micros;
        let other = |trust, micros| Voice::Other { trust, at: at(micros) };
        let all =
            [Voice::Nobody, Voice::Own, other(40, 9), other(50, 5), other(60, 5), Voice::Shop { at: at(6) }];
        let said = |precedence| all.map(|known| takes(precedence, (50, at(7)), known));
        assert_eq!(said(Precedence::FillGaps), [true, true, false, false, false, false]);
        assert_eq!(said(Precedence::Newer), [true, true, false, true, true, true]);
        assert_eq!(said(Precedence::Trust), [true, true, true, true, false, false]);
        assert_eq!(said(Precedence::Never), [false; 6]);
    }
}
