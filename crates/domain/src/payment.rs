//! Payments: money asked for an order, in one of several kinds; authorised, captured in parts, given back in parts, and never more than was allowed.

pub mod account;
pub mod receivable;
pub mod reconcile;
pub mod sequence;

use crate::refusal::{Code, Refusal};
use crate::value::{Currency, Money};
use crate::words;

pub use crate::market::PaymentKind as Kind;

words! {
    /// Where a payment stands.
    State {
        /// Asked for; the provider, or the bank transfer, is waited for.
        Created 1 "created";
        /// The money is reserved for us.
        Authorised 2 "authorised";
        /// Money was taken, wholly or in part.
        Captured 3 "captured";
        /// Everything that was taken was given back.
        Refunded 4 "refunded";
        /// We let go of it before taking anything.
        Voided 5 "voided";
        /// The provider said no.
        Failed 6 "failed";
        /// Its time ran out before it was authorised.
        Expired 7 "expired";
    }
}

impl State {
    /// Does nothing more of it get authorised or captured?
    pub const fn has_ended(self) -> bool {
        matches!(self, State::Voided | State::Failed | State::Expired | State::Refunded)
    }
}

/// From which state a payment may go to which.
pub const TRANSITIONS: &[(State, State)] = &[
    (State::Created, State::Authorised),
    (State::Created, State::Captured),
    (State::Created, State::Voided),
    (State::Created, State::Failed),
    (State::Created, State::Expired),
    (State::Authorised, State::Captured),
    (State::Authorised, State::Voided),
    (State::Authorised, State::Failed),
    (State::Captured, State::Refunded),
];

words! {
    /// Where one capture or one refund stands.
    PartState {
        /// The provider was asked, or will be.
        Pending 1 "pending";
        /// The money moved.
        Done 2 "done";
        /// The provider said no.
        Failed 3 "failed";
    }
}

words! {
    /// When money that was authorised is taken.
    Timing {
        /// As soon as it is authorised.
        AtOnce 1 "at_once";
        /// When it is asked for, such as when the goods leave.
        WhenAsked 2 "when_asked";
    }
}

/// A card payment as the terminal printed it: masked, so that nothing of it needs protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    last_four: String,
    approval_code: String,
    terminal: String,
    token: Option<String>,
}

/// The most characters of an approval code (ISO 8583 data element 38 has 6; some acquirers give more).
const APPROVAL_CODE_LENGTH_MAX: usize = 12;
/// The most characters of a terminal's reference, of a provider's token, reference or reason.
pub const REFERENCE_LENGTH_MAX: usize = 200;

impl Card {
    /// A record of the last four digits, the approval code and the terminal's reference.
    ///
    /// # Errors
    /// [`Code::Invalid`] for each field that cannot be, also when more digits of a card number are given than may be kept.
    pub fn new(last_four: &str, approval_code: &str, terminal: &str) -> Result<Card, Refusal> {
        let mut refusals = Vec::new();
        if last_four.len() != 4 || !last_four.bytes().all(|digit| digit.is_ascii_digit()) {
            let message = "give exactly the last four digits; more of a card number must never be sent";
            refusals.push(Refusal::invalid("card.last_four", message));
        }
        let is_code = |text: &str| text.bytes().all(|letter| letter.is_ascii_alphanumeric());
        if !(1..=APPROVAL_CODE_LENGTH_MAX).contains(&approval_code.len()) || !is_code(approval_code) {
            let message =
                format!("give the approval code: 1 to {APPROVAL_CODE_LENGTH_MAX} letters and digits");
            refusals.push(Refusal::invalid("card.approval_code", message));
        }
        if reference(terminal).is_err() || holds_card_number(terminal) {
            let message = format!(
                "give the terminal's reference: 1 to {REFERENCE_LENGTH_MAX} visible characters, no card number"
            );
            refusals.push(Refusal::invalid("card.terminal", message));
        }
        match Refusal::all(refusals) {
            Some(refusal) => Err(refusal),
            None => Ok(Card {
                last_four: last_four.into(),
                approval_code: approval_code.into(),
                terminal: terminal.trim().into(),
                token: None,
            }),
        }
    }

    /// The same card with what the terminal calls it whenever it pays: a token, never its number.
    ///
    /// # Errors
    /// [`Code::Invalid`] when it is none.
    pub fn called(self, token: &str) -> Result<Card, Refusal> {
        match reference(token) {
            Ok(token) if !holds_card_number(&token) => Ok(Card { token: Some(token), ..self }),
            _ => {
                let message = format!(
                    "give what the terminal calls the card: 1 to {REFERENCE_LENGTH_MAX} visible characters, no card number"
                );
                Err(Refusal::invalid("card.token", message))
            }
        }
    }

    /// What the terminal calls the card, if it says so.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The last four digits of the card's number.
    pub fn last_four(&self) -> &str {
        &self.last_four
    }

    /// The code under which the card's issuer approved.
    pub fn approval_code(&self) -> &str {
        &self.approval_code
    }

    /// Which terminal, and its own number of the payment.
    pub fn terminal(&self) -> &str {
        &self.terminal
    }
}

/// Thirteen digits or more in a row that pass the check digit of card numbers (ISO/IEC 7812-1, annex B).
fn holds_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|letter| letter.to_digit(10)).collect();
    let check = |part: &[u32]| {
        let sum: u32 = part
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| if place % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
            .sum();
        sum.is_multiple_of(10)
    };
    (13..=19).any(|length| digits.windows(length).any(check)) && digits.iter().any(|digit| *digit != 0)
}

/// A token, reference or reason of a provider: 1 to [`REFERENCE_LENGTH_MAX`] visible characters.
///
/// # Errors
/// What is wrong with it.
pub fn reference(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > REFERENCE_LENGTH_MAX || text.chars().any(char::is_control) {
        return Err(format!("give 1 to {REFERENCE_LENGTH_MAX} visible characters"));
    }
    Ok(text.to_owned())
}

/// What of a payment was asked, allowed, taken and given back, in minor units. What the provider is just being asked counts as gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Asked for.
    pub amount: i64,
    /// Allowed.
    pub authorised: i64,
    /// Being taken.
    pub capturing: i64,
    /// Taken.
    pub captured: i64,
    /// Being given back.
    pub refunding: i64,
    /// Given back.
    pub refunded: i64,
    /// Carried over to the order of an exchange.
    pub carried: i64,
}

impl Amounts {
    /// How much may still arrive by bank transfer.
    pub const fn open_to_receive(&self) -> i64 {
        self.amount - self.authorised
    }

    /// How much may still be taken.
    pub const fn open_to_capture(&self) -> i64 {
        self.authorised - self.captured - self.capturing
    }

    /// How much may still be given back.
    pub const fn open_to_refund(&self) -> i64 {
        self.captured - self.refunded - self.refunding - self.carried
    }
}

/// One thing that is done with part of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Money that arrived is recorded.
    Receive,
    /// Authorised money is taken.
    Capture,
    /// Taken money is given back.
    Refund,
}

impl Step {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Step::Receive => ("received", "receive"),
            Step::Capture => ("captured", "capture"),
            Step::Refund => ("refunded", "refund"),
        }
    }
}

/// How much a step moves: what was asked, or everything that is open.
///
/// # Errors
/// [`Code::WrongState`] when the payment is not in a state for it, [`Code::Invalid`] for an amount under 1,
/// [`Code::AmountExceeded`] when less is open.
pub fn part(
    step: Step,
    state: State,
    amounts: &Amounts,
    currency: Currency,
    asked: Option<i64>,
) -> Result<i64, Refusal> {
    let (done, verb) = step.words();
    let (fits, open) = match step {
        Step::Receive => (matches!(state, State::Created | State::Captured), amounts.open_to_receive()),
        Step::Capture => (matches!(state, State::Authorised | State::Captured), amounts.open_to_capture()),
        Step::Refund => (matches!(state, State::Captured | State::Refunded), amounts.open_to_refund()),
    };
    if !fits {
        return Err(Refusal::new(
            Code::WrongState,
            format!("the payment is {}, so nothing of it can be {done}", state.text()),
        ));
    }
    let part = asked.unwrap_or(open);
    if asked.is_some() && part < 1 {
        return Err(Refusal::invalid("amount", format!("give at least 1 minor unit to {verb}")));
    }
    if part > open || open < 1 {
        let words =
            |minor| Money::new(minor, currency).map_or_else(|_| minor.to_string(), |money| money.to_string());
        let asked = asked.map_or_else(String::new, |asked| format!(", {} asked", words(asked)));
        let message = format!("{} of the payment can still be {done}{asked}", words(open));
        return Err(Refusal::new(Code::AmountExceeded, message).at("amount"));
    }
    Ok(part)
}

/// May we let go of the payment?
///
/// # Errors
/// [`Code::WrongState`] when money was taken or is being taken, or it has ended.
pub fn may_void(state: State, amounts: &Amounts) -> Result<(), Refusal> {
    let free = amounts.captured == 0 && amounts.capturing == 0;
    if free && matches!(state, State::Created | State::Authorised) {
        return Ok(());
    }
    let hint = if free { "" } else { "; refund what was taken instead" };
    Err(Refusal::new(Code::WrongState, format!("the payment is {} and cannot be voided{hint}", state.text())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts() -> Amounts {
        Amounts {
            amount: 1000,
            authorised: 1000,
            capturing: 100,
            captured: 600,
            refunding: 50,
            refunded: 250,
            carried: 0,
        }
    }

    #[test]
    fn what_is_open_leaves_out_what_is_under_way() {
        let (pounds, amounts) = (Currency::parse("GBP").unwrap(), amounts());
        assert_eq!(part(Step::Capture, State::Captured, &amounts, pounds, None), Ok(300));
        assert_eq!(part(Step::Refund, State::Captured, &amounts, pounds, Some(300)), Ok(300));
        let refusal = part(Step::Refund, State::Captured, &amounts, pounds, Some(301)).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "amount_exceeded: amount: GBP 3.00 of the payment can still be refunded, GBP 3.01 asked"
        );
        let refusal = part(Step::Capture, State::Created, &amounts, pounds, None).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "wrong_state: the payment is created, so nothing of it can be captured"
        );
        assert!(part(Step::Capture, State::Authorised, &amounts, pounds, Some(0)).is_err());
        assert!(may_void(State::Captured, &amounts).is_err());
    }

    #[test]
    fn a_card_record_is_masked() {
        let card = Card::new("4242", "A1B2C3", " T1/000123 ").unwrap();
        assert_eq!(
            (card.last_four(), card.approval_code(), card.terminal()),
            ("4242", "A1B2C3", "T1/000123")
        );
        assert_eq!(card.clone().called(" tok_7 ").unwrap().token(), Some("tok_7"));
        assert!(card.called("4242 4242 4242 4242").is_err());
        let refusal = Card::new("4242424242424242", "", "4242 4242 4242 4242").unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["card.last_four", "card.approval_code", "card.terminal"]);
    }
}
