//! Expected goods: what is to arrive at a location, and what becomes of it.

use crate::refusal::{Code, Refusal};
use crate::value::Quantity;
use crate::words;

words! {
    /// Where expected goods stand.
    State {
        /// Some are still to come.
        Open 1 "open";
        /// They have come; what is missing does not come any more.
        Received 2 "received";
        /// They do not come.
        Cancelled 3 "cancelled";
    }
}

/// Goods that arrived, by their condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Fit for sale.
    pub available: i64,
    /// To be inspected.
    pub quality: i64,
    /// Damaged.
    pub damaged: i64,
}

impl Arrival {
    /// All of them.
    pub fn total(&self) -> i64 {
        self.available.saturating_add(self.quality).saturating_add(self.damaged)
    }

    /// Checks that nothing is less than nothing and that there is something, unless it is the last that comes.
    ///
    /// # Errors
    /// The refusal names the field at fault.
    pub fn checked(self, is_last: bool) -> Result<Arrival, Refusal> {
        for (field, number) in
            [("available", self.available), ("quality", self.quality), ("damaged", self.damaged)]
        {
            if !(0..=Quantity::MAX).contains(&number) {
                return Err(Refusal::invalid(
                    field,
                    format!("give a whole number from 0 to {}", Quantity::MAX),
                ));
            }
        }
        if self.total() == 0 && !is_last {
            let message = "say how many have arrived, or that no more come";
            return Err(Refusal::invalid("available", message));
        }
        Ok(self)
    }
}

/// Refuses what is done to goods that are no longer expected.
///
/// # Errors
/// [`Code::WrongState`].
pub fn must_be_open(state: State) -> Result<(), Refusal> {
    if state == State::Open {
        return Ok(());
    }
    let message = format!("the expected goods are {}; announce others", state.text());
    Err(Refusal::new(Code::WrongState, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_arrives_or_nothing_more_comes() {
        let arrival = Arrival { available: 2, damaged: 1, quality: 0 };
        assert_eq!(arrival.checked(false).map(|all| all.total()), Ok(3));
        assert_eq!(Arrival::default().checked(false).unwrap_err().field(), Some("available"));
        assert!(Arrival::default().checked(true).is_ok());
        assert_eq!(Arrival { damaged: -1, ..arrival }.checked(true).unwrap_err().field(), Some("damaged"));
        assert!(must_be_open(State::Cancelled).is_err() && must_be_open(State::Open).is_ok());
    }
}
