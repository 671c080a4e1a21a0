//! The ledger's rules: a book has accounts; a transfer moves amounts between accounts of one book and sums to zero; a hold is a transfer in two phases.
//!
//! Everything that is counted is a book: the stock of one variant today; points, gift cards, till cash and receivables in the same shape.
//! The two phases (pending with expiry → posted, wholly or in part | voided | expired) are those TigerBeetle defines.

use std::borrow::Cow;

use crate::refusal::{Code, Refusal};
use crate::value::Id;
use crate::value::id::{Book, Hold, Transfer};

/// A closed list of words: each is stored as a number and named over the API.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident $code:literal $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$item_doc])* $item),* }
        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[$($name::$item),*];
            /// The number it is stored as; never reused.
            pub const fn code(self) -> i64 { match self { $($name::$item => $code),* } }
            /// The name over the API.
            pub const fn text(self) -> &'static str { match self { $($name::$item => $text),* } }
            /// The one stored as this number.
            pub fn coded(code: i64) -> Option<$name> { $name::ALL.iter().copied().find(|one| one.code() == code) }
            /// The one of this name.
            pub fn named(name: &str) -> Option<$name> { $name::ALL.iter().copied().find(|one| one.text() == name) }
            /// The one of this name.
            ///
            /// # Errors
            /// The names there are.
            pub fn parse(name: &str) -> Result<$name, String> {
                $name::named(name).ok_or_else(|| format!("give one of {}", [$($text),*].join(", ")))
            }
        }
    };
}

words! {
    /// What a book counts.
    BookKind {
        /// Pieces, grams, millilitres or millimetres of one variant.
        Stock 1 "stock";
        /// Points of one member.
        Points 2 "points";
        /// Minor units on one gift card.
        GiftCard 3 "gift_card";
        /// Minor units of one store-credit account.
        StoreCredit 4 "store_credit";
        /// Cash of one till in minor units.
        TillCash 5 "till_cash";
        /// What a payment provider owes us by one payment, or by one difference that was cleared, in minor units.
        Receivable 6 "receivable";
    }
}

/// Where in a book an amount lies: at which place (a location's or network's id; all zero for the world outside) and in which state.
///
/// States are small numbers that each kind of book names for itself; for stock see `stock::State`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// A location, a network, a member; [`AccountKey::WORLD`] for none.
    pub place: [u8; 16],
    /// The state's number.
    pub state: i64,
}

impl AccountKey {
    /// The place of accounts that stand for the world outside.
    pub const WORLD: [u8; 16] = [0; 16];
}

/// One line of a transfer: this much into (positive) or out of (negative) this account, which must not fall under `floor` afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: AccountKey,
    /// Base units; never zero.
    pub amount: i64,
    /// The least balance the account may have after an amount is taken; `None` for accounts of the world, which may go below zero.
    pub floor: Option<i64>,
}

/// Amounts moved between accounts of one book at one instant, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTransfer {
    /// Its identity.
    pub id: Id<Transfer>,
    /// The book.
    pub book: Id<Book>,
    /// Why, in a word of the trade: `received`, `sold`, `counted`.
    pub reason: &'static str,
    /// The kind of thing that caused it and its id in text: `order`, `ord_…`.
    pub cause: Option<(Cow<'static, str>, String)>,
    /// The lines; they sum to zero.
    pub postings: Vec<Posting>,
}

/// The largest amount of one posting, in base units or minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// The most lines one transfer may have.
pub const POSTINGS_MAX: usize = 64;

impl NewTransfer {
    /// Brings the lines into their lawful form: one line per account, sorted by account, zero lines dropped.
    ///
    /// Amounts on the same account are summed before they are checked, so a transfer that takes twice from an account cannot pass its floor twice.
    /// The strictest floor named for an account holds.
    ///
    /// # Errors
    /// [`Code::Invalid`] when the lines do not sum to zero, are too many, or an amount is beyond [`AMOUNT_MAX`].
    pub fn settled(mut self) -> Result<NewTransfer, Refusal> {
        if self.postings.len() > POSTINGS_MAX {
            return Err(Refusal::invalid(
                "postings",
                format!("{} lines in one transfer; at most {POSTINGS_MAX}", self.postings.len()),
            ));
        }
        if self
            .postings
            .iter()
            .any(|posting| posting.amount.checked_abs().is_none_or(|size| size > AMOUNT_MAX))
        {
            return Err(Refusal::invalid("amount", format!("an amount is beyond {AMOUNT_MAX}")));
        }
        if self.postings.iter().map(|posting| posting.amount).sum::<i64>() != 0 {
            return Err(Refusal::invalid("postings", "the lines of a transfer must sum to zero"));
        }
        self.postings.sort_by_key(|posting| posting.account);
        self.postings.dedup_by(|next, kept| {
            if next.account != kept.account {
                return false;
            }
            kept.amount += next.amount;
            kept.floor = kept.floor.max(next.floor);
            true
        });
        self.postings.retain(|posting| posting.amount != 0);
        Ok(self)
    }
}

words! {
    /// Where a hold stands.
    HoldState {
        /// The amount waits for its second phase.
        Pending 1 "pending";
        /// It became a transfer, wholly or in part.
        Posted 2 "posted";
        /// It was given back.
        Voided 3 "voided";
        /// Its time ran out and it was given back.
        Expired 4 "expired";
    }
}

/// How a pending hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// This much goes on to where it was promised; the rest is given back.
    Post(i64),
    /// All is given back at the owner's wish.
    Void,
    /// All is given back because its time ran out.
    Expire,
}

/// What ending a hold means: the new state, how much is posted and how much is given back.
///
/// # Errors
/// [`Code::HoldNotOpen`] unless it is pending; [`Code::Invalid`] when more would be posted than is held, or nothing.
pub fn end_hold(
    hold: Id<Hold>,
    state: HoldState,
    amount: i64,
    end: HoldEnd,
) -> Result<(HoldState, i64, i64), Refusal> {
    if state != HoldState::Pending {
        return Err(Refusal::new(Code::HoldNotOpen, format!("hold {hold} is {}", state.text())));
    }
    match end {
        HoldEnd::Post(part) if part < 1 || part > amount => {
            Err(Refusal::invalid("quantity", format!("hold {hold} has {amount}, {part} asked")))
        }
        HoldEnd::Post(part) => Ok((HoldState::Posted, part, amount - part)),
        HoldEnd::Void => Ok((HoldState::Voided, 0, amount)),
        HoldEnd::Expire => Ok((HoldState::Expired, 0, amount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn posting(place: u8, amount: i64, floor: Option<i64>) -> Posting {
        Posting { account: AccountKey { place: [place; 16], state: 1 }, amount, floor }
    }

    fn transfer(postings: Vec<Posting>) -> NewTransfer {
        NewTransfer {
            id: Id::from_bytes([1; 16]),
            book: Id::from_bytes([2; 16]),
            reason: "moved",
            cause: None,
            postings,
        }
    }

    #[test]
    fn taking_twice_from_one_account_is_one_taking_with_the_strictest_floor() {
        let settled = transfer(vec![posting(2, 5, None), posting(1, -3, Some(0)), posting(1, -2, Some(4))])
            .settled()
            .unwrap();
        assert_eq!(settled.postings, [posting(1, -5, Some(4)), posting(2, 5, None)]);
    }

    #[test]
    fn unbalanced_lines_are_refused() {
        assert!(transfer(vec![posting(1, -3, None), posting(2, 2, None)]).settled().is_err());
        assert!(transfer(vec![posting(1, i64::MIN, None), posting(2, 2, None)]).settled().is_err());
    }

    #[test]
    fn a_hold_ends_once() {
        let hold = Id::from_bytes([9; 16]);
        assert_eq!(end_hold(hold, HoldState::Pending, 5, HoldEnd::Post(3)), Ok((HoldState::Posted, 3, 2)));
        assert!(end_hold(hold, HoldState::Pending, 5, HoldEnd::Post(6)).is_err());
        assert_eq!(
            end_hold(hold, HoldState::Expired, 5, HoldEnd::Void).unwrap_err().code(),
            Code::HoldNotOpen
        );
    }

    proptest! {
        #[test]
        fn settling_keeps_every_account_s_sum(lines in prop::collection::vec((0u8..5, -100i64..100), 1..20)) {
            let mut postings: Vec<Posting> = lines.iter().map(|(place, amount)| posting(*place, *amount, None)).collect();
            let sum: i64 = lines.iter().map(|(_, amount)| amount).sum();
            postings.push(posting(9, -sum, None));
            let settled = transfer(postings.clone()).settled().unwrap();
            for place in 0..10u8 {
                let of = |lines: &[Posting]| lines.iter().filter(|line| line.account.place == [place; 16]).map(|line| line.amount).sum::<i64>();
                prop_assert_eq!(of(&settled.postings), of(&postings));
            }
            prop_assert!(settled.postings.windows(2).all(|pair| pair[0].account < pair[1].account));
        }
    }
}
