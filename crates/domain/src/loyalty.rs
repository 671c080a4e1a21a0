//! Loyalty: what customers have with us, as money on gift cards and store credit, and as points. Each is a book of the ledger.

pub mod household;
pub mod points;
pub mod programme;
pub mod referral;
pub mod reward;
pub mod tier;

use crate::ledger::{AccountKey, Posting};
use crate::refusal::{Code, Refusal};
use crate::value::id::{Book, DIGITS};
use crate::value::{Id, Instant, LocalDay, Zone};
use crate::words;

/// The most that may be put on one gift card or store credit at once, in minor units.
pub const CREDIT_MINOR_MAX: i64 = 1_000_000_000;
/// How many letters and digits a gift card's code has: 80 bits of chance.
pub const CODE_LENGTH: usize = 16;
/// The longest a hold on money may last before it is given back by itself, in minutes: thirty days.
pub const HOLD_MINUTES_MAX: i64 = 30 * 24 * 60;

words! {
    /// Where the money of a gift card or store credit, or the points of a member are, in the books' eyes.
    State {
        /// Free to be spent.
        Balance 1 "balance";
        /// Held for an order that is not placed yet.
        Held 2 "held";
        /// Points that wait for the return window to end.
        Pending 30 "pending";
        /// Points that were taken back after they were spent, below zero: new points pay them first.
        Owed 31 "owed";
        /// The other side of what was sold or given as a present.
        Issued 40 "issued";
        /// The other side of what was put on it for goods that came back.
        Refunded 41 "refunded";
        /// The other side of what was paid with it.
        Spent 42 "spent";
        /// The other side of corrections by hand.
        Adjusted 43 "adjusted";
        /// The other side of points that orders earned.
        Earned 44 "earned";
        /// The other side of what lapsed with a card's last day, and of points whose time ran out.
        Expired 45 "expired";
        /// The other side of what customers had in the system before.
        Opening 46 "opening";
        /// The other side of points that went to another book of the programme, or came from one: into a household, and out of it.
        Moved 47 "moved";
    }
}

words! {
    /// What a balance is of that is taken in from another system.
    BalanceKind {
        /// Points of a member.
        Points 1 "points";
        /// Store credit of a customer.
        StoreCredit 2 "store_credit";
        /// Money on a gift card.
        GiftCard 3 "gift_card";
    }
}

words! {
    /// Whether a gift card can be spent.
    CardState {
        /// It can.
        Active 1 "active";
        /// Somebody stopped it: lost, stolen, replaced.
        Blocked 2 "blocked";
    }
}

/// The longest a gift card can be valid, in months: a hundred years.
pub const VALIDITY_MONTHS_MAX: i64 = 1200;

/// How long gift cards are valid from the day they are sold, as the law of a country wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// So many months.
    pub months: i64,
    /// And then to the end of that year, as claims lapse in Germany (BGB §§ 195, 199).
    pub to_year_end: bool,
}

impl Validity {
    /// A rule of 1 to [`VALIDITY_MONTHS_MAX`] months.
    ///
    /// # Errors
    /// For more or less.
    pub fn new(months: i64, to_year_end: bool) -> Result<Validity, Refusal> {
        if !(1..=VALIDITY_MONTHS_MAX).contains(&months) {
            return Err(Refusal::invalid("months", format!("give 1 to {VALIDITY_MONTHS_MAX}")));
        }
        Ok(Validity { months, to_year_end })
    }

    /// The first instant at which a card sold then is not valid any more; its last day is counted whole. `None` beyond the end of the calendar.
    pub fn ends(&self, sold: Instant, zone: &Zone) -> Option<Instant> {
        let day = LocalDay::of(sold, zone);
        let last = day.plus_months(self.months)?;
        let after = if self.to_year_end {
            LocalDay::new(last.year().checked_add(1)?, 1, 1).ok()?
        } else {
            last.next()?
        };
        Some(after.first_instant(zone))
    }
}

/// An account of a book of money: the book's own, or the world's side.
pub const fn account(book: Id<Book>, state: State) -> AccountKey {
    let place = if state.code() < State::Issued.code() { book.bytes() } else { AccountKey::WORLD };
    AccountKey { place, state: state.code() }
}

/// The two lines that move money from one account of a book to another.
pub fn moving(book: Id<Book>, from: State, to: State, amount: i64) -> [Posting; 2] {
    let floor = |account: AccountKey| (account.place != AccountKey::WORLD).then_some(0);
    let (from, to) = (account(book, from), account(book, to));
    [
        Posting { account: from, amount: -amount, floor: floor(from) },
        Posting { account: to, amount, floor: floor(to) },
    ]
}

/// An amount that may be put on a card or credit.
///
/// # Errors
/// When it is not 1 to [`CREDIT_MINOR_MAX`].
pub fn amount(minor: i64) -> Result<i64, Refusal> {
    if (1..=CREDIT_MINOR_MAX).contains(&minor) {
        return Ok(minor);
    }
    Err(Refusal::invalid("amount", format!("give 1 to {CREDIT_MINOR_MAX} minor units")))
}

/// Can this card be spent now?
///
/// # Errors
/// [`Code::WrongState`] when it is blocked or its time is over.
pub fn may_spend(state: CardState, expires_at: Option<Instant>, now: Instant) -> Result<(), Refusal> {
    if state == CardState::Blocked {
        return Err(Refusal::new(Code::WrongState, "the gift card is blocked; ask for another means"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::new(Code::WrongState, "the gift card has expired; ask for another means"));
    }
    Ok(())
}

/// A gift card's code from 80 bits of chance: four groups of letters and digits a person can read out.
pub fn code(chance: [u8; 10]) -> String {
    let bits = chance.iter().fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let mut text = String::with_capacity(CODE_LENGTH + 3);
    for place in 0..CODE_LENGTH {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        let digit = usize::try_from((bits >> (5 * (CODE_LENGTH - 1 - place))) & 31).unwrap_or(0);
        text.push(char::from(DIGITS[digit].to_ascii_uppercase()));
    }
    text
}

/// A code as it is looked for, however it was typed: without gaps, in capitals, O read as 0, I and L as 1. `None` when it cannot be one.
pub fn sought(typed: &str) -> Option<String> {
    if typed.len() > 4 * CODE_LENGTH {
        return None;
    }
    let mut plain = String::with_capacity(CODE_LENGTH);
    for letter in typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
        plain.push(match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
    }
    let known = |letter: char| letter.is_ascii() && DIGITS.contains(&(letter as u8).to_ascii_lowercase());
    (plain.len() == CODE_LENGTH && plain.chars().all(known)).then_some(plain)
}

/// The fewest letters and digits of another system's code.
pub const OLD_CODE_CHARS_MIN: usize = 8;
/// The most of them.
pub const OLD_CODE_CHARS_MAX: usize = 40;

/// A code of another system as it is looked for: capitals, letters and digits, without gaps and hyphens. `None` when it cannot be one.
pub fn old_code(typed: &str) -> Option<String> {
    if typed.len() > 4 * OLD_CODE_CHARS_MAX {
        return None;
    }
    let gap = |letter: &char| letter.is_whitespace() || *letter == '-';
    let plain: String = typed.chars().filter(|letter| !gap(letter)).collect::<String>().to_ascii_uppercase();
    let fits = (OLD_CODE_CHARS_MIN..=OLD_CODE_CHARS_MAX).contains(&plain.len());
    (fits && plain.chars().all(|letter| letter.is_ascii_alphanumeric())).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let code = code([0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!((code.len(), code.as_str()), (19, "ZW00-20G3-0G2G-C1R8"));
        let typed = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(sought(&typed).as_deref(), Some("ZW0020G30G2GC1R8"));
        for wrong in ["", "ZW00-20C4", "ZW00-20C4-0M2G-C1RU", &"Z".repeat(1000), "ZW00-20C4-0M2G-C1Rß"] {
            assert_eq!(sought(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_code_of_another_system_is_found_however_it_is_typed() {
        assert_eq!(old_code(" 6006-4912 abcd ").as_deref(), Some("60064912ABCD"));
        for wrong in ["", "1234567", "6006_49121", &"9".repeat(41), "6006491ß"] {
            assert_eq!(old_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_blocked_or_expired_card_is_not_spent() {
        let (then, now) = (Instant::from_micros(5), Instant::from_micros(6));
        assert!(may_spend(CardState::Active, None, now).is_ok());
        assert!(may_spend(CardState::Active, Some(now), then).is_ok());
        assert!(may_spend(CardState::Active, Some(now), now).is_err());
        assert!(may_spend(CardState::Blocked, None, now).is_err());
        assert!(amount(0).is_err() && amount(CREDIT_MINOR_MAX + 1).is_err() && amount(1).is_ok());
    }

    #[test]
    fn a_card_is_valid_for_whole_days_and_whole_years() {
        let (berlin, sold) =
            (Zone::parse("Europe/Berlin").unwrap(), Instant::parse("2026-08-31T22:30:00Z").unwrap());
        let ends = |months, to_year_end| {
            Validity::new(months, to_year_end).unwrap().ends(sold, &berlin).unwrap().to_string()
        };
        assert_eq!(ends(36, true), "2029-12-31T23:00:00Z", "sold on the first of September there");
        assert_eq!(ends(6, false), "2027-03-01T23:00:00Z");
        let august = Instant::parse("2026-08-31T10:00:00Z").unwrap();
        let ends = Validity::new(6, false).unwrap().ends(august, &berlin).unwrap();
        assert_eq!(ends.to_string(), "2027-02-28T23:00:00Z", "the last day of a short month");
        assert!(Validity::new(0, false).is_err() && Validity::new(VALIDITY_MONTHS_MAX + 1, false).is_err());
    }

    #[test]
    fn money_moves_between_a_book_s_own_accounts_and_the_world() {
        let book = Id::from_bytes([7; 16]);
        let lines = moving(book, State::Issued, State::Balance, 500);
        assert_eq!((lines[0].account.place, lines[0].floor), (AccountKey::WORLD, None));
        assert_eq!((lines[1].account.place, lines[1].amount), ([7; 16], 500));
    }
}
