//! Discounts by hand: a colleague lowers a line or the whole cart, within what is allowed to give.

use super::Off;
use super::lane::off_amount;
use crate::refusal::{Code, Refusal};
use crate::value::{Money, Rate};

/// Checks a discount by hand: a rate up to the whole, or an amount.
///
/// # Errors
/// The refusal names what is wrong; the caller points it at a field.
pub fn check(off: Off) -> Result<Off, Refusal> {
    let message = match off {
        Off::Rate(rate) if rate == Rate::ZERO || rate.parts_per_million() > Rate::WHOLE => {
            "give a rate above 0 and up to 100 %".to_owned()
        }
        Off::Amount(minor) if !(1..=Money::MAX).contains(&minor) => {
            format!("give 1 to {} minor units", Money::MAX)
        }
        Off::Price(_) => "give a rate or an amount; another price is agreed on the line".to_owned(),
        _ => return Ok(off),
    };
    Err(Refusal::new(Code::Invalid, message))
}

/// Refuses a discount on so much that exceeds the share a colleague may give.
///
/// # Errors
/// [`Code::Forbidden`], naming the share.
pub fn within(off: Off, minor: i64, most: Rate) -> Result<(), Refusal> {
    let given = i128::from(off_amount(off, minor)) * i128::from(Rate::WHOLE);
    let allowed = i128::from(minor) * i128::from(most.parts_per_million());
    // A rate is compared as a rate, so that rounding up half a minor unit is nobody's fault.
    let is_within = match off {
        Off::Rate(rate) => rate <= most,
        _ => given <= allowed,
    };
    if is_within {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, format!("you may give up to {most}; ask somebody who may give more")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colleague_gives_what_he_may() {
        let rate = |percent: i64| Rate::from_parts_per_million(percent * 10_000).unwrap();
        assert!(within(Off::Rate(rate(10)), 5, rate(10)).is_ok());
        assert!(within(Off::Amount(100), 1000, rate(10)).is_ok());
        let refusal = within(Off::Amount(101), 1000, rate(10)).unwrap_err();
        assert_eq!(refusal.code(), Code::Forbidden);
        assert_eq!(refusal.message(), "you may give up to 10 %; ask somebody who may give more");
        assert!(check(Off::Rate(rate(101))).is_err() && check(Off::Amount(0)).is_err());
    }
}
