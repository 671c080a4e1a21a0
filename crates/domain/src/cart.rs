//! Carts: what a customer means to buy, how much fits in, and how long it waits for its customer.

use crate::refusal::{Code, Refusal};
use crate::value::id::Cart;
use crate::value::{Id, Instant, Quantity};
use crate::words;

/// The most lines of one cart.
pub const LINES_MAX: usize = 2000;
/// How long an abandoned cart may still be taken up again, in seconds: 30 days.
pub const ABANDONED_SECONDS: i64 = 30 * 86_400;

words! {
    /// Where a cart is on its way. Steps: [`State::NEXT`].
    State {
        /// Being filled.
        Active 1 "active";
        /// An order was made of it.
        Ordered 2 "ordered";
        /// Its lines went into another cart.
        Merged 3 "merged";
        /// Left alone by somebody we know; may be taken up again.
        Abandoned 4 "abandoned";
        /// Abandoned and taken up again.
        Recovered 5 "recovered";
        /// Left alone for too long.
        Expired 6 "expired";
    }
}

impl State {
    /// Every step a cart may take.
    pub const NEXT: &'static [(State, State)] = &[
        (State::Active, State::Ordered),
        (State::Active, State::Merged),
        (State::Active, State::Abandoned),
        (State::Active, State::Expired),
        (State::Abandoned, State::Recovered),
        (State::Abandoned, State::Merged),
        (State::Abandoned, State::Expired),
        (State::Recovered, State::Ordered),
        (State::Recovered, State::Merged),
        (State::Recovered, State::Abandoned),
        (State::Recovered, State::Expired),
    ];

    /// May this state follow?
    pub fn leads_to(self, next: State) -> bool {
        State::NEXT.contains(&(self, next))
    }

    /// Is this the last state a cart is ever in?
    pub const fn has_ended(self) -> bool {
        matches!(self, State::Ordered | State::Merged | State::Expired)
    }

    /// Can the cart be filled and ordered in this state?
    pub const fn is_open(self) -> bool {
        matches!(self, State::Active | State::Recovered)
    }
}

/// The state a cart is in at an instant, whether or not somebody has written down yet that its time ran out. A cart of somebody we
/// know (`known`: a customer, or a contact was given) is abandoned first and expires later.
pub fn standing(state: State, expires_at: Instant, known: bool, now: Instant) -> State {
    let overdue = |after: i64| expires_at.plus_seconds(after) <= now;
    match state {
        State::Active | State::Recovered if known && overdue(ABANDONED_SECONDS) => State::Expired,
        State::Active | State::Recovered if known && overdue(0) => State::Abandoned,
        State::Active | State::Recovered | State::Abandoned if overdue(0) => State::Expired,
        other => other,
    }
}

/// The state after the customer came back and changed the cart.
///
/// # Errors
/// [`Code::CartNotOpen`] when the cart cannot change any more.
pub fn touched(cart: Id<Cart>, standing: State) -> Result<State, Refusal> {
    match standing {
        State::Active | State::Recovered => Ok(standing),
        State::Abandoned => Ok(State::Recovered),
        ended => Err(not_open(cart, ended)),
    }
}

/// That a cart cannot be filled or ordered.
pub fn not_open(cart: Id<Cart>, state: State) -> Refusal {
    let todo = match state {
        State::Ordered => "its order is placed; begin a new cart",
        State::Merged => "its lines are in another cart; use that one",
        State::Abandoned => "it was left alone too long; change it to take it up again",
        _ => "begin a new cart",
    };
    Refusal::new(Code::CartNotOpen, format!("cart {cart} is {}: {todo}", state.text()))
}

/// Refuses more lines than fit.
///
/// # Errors
/// The refusal points at `lines`.
pub fn check_lines(count: usize) -> Result<(), Refusal> {
    if count > LINES_MAX {
        return Err(Refusal::invalid("lines", format!("a cart has at most {LINES_MAX} lines")));
    }
    Ok(())
}

/// The quantity of a line when so much is added to what is there.
///
/// # Errors
/// The refusal points at `quantity`.
pub fn add_up(there: i64, more: i64) -> Result<Quantity, Refusal> {
    Quantity::new(there.saturating_add(more)).map_err(|error| Refusal::invalid("quantity", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_left_alone_is_abandoned_if_we_know_whose_it_is() {
        let end = Instant::EPOCH.plus_seconds(100);
        let later = |seconds: i64| end.plus_seconds(seconds);
        assert_eq!(standing(State::Active, end, false, later(-1)), State::Active);
        assert_eq!(standing(State::Active, end, false, later(0)), State::Expired);
        assert_eq!(standing(State::Active, end, true, later(0)), State::Abandoned);
        assert_eq!(standing(State::Recovered, end, true, later(ABANDONED_SECONDS)), State::Expired);
        assert_eq!(standing(State::Abandoned, end, true, later(-1)), State::Abandoned);
        assert_eq!(standing(State::Ordered, end, true, later(1)), State::Ordered);
    }

    #[test]
    fn every_step_starts_at_a_state_that_has_not_ended() {
        assert!(State::NEXT.iter().all(|(from, to)| !from.has_ended() && from != to));
        assert!(State::Abandoned.leads_to(State::Recovered) && !State::Ordered.leads_to(State::Active));
        let cart = Id::from_bytes([1; 16]);
        assert_eq!(touched(cart, State::Abandoned), Ok(State::Recovered));
        assert_eq!(touched(cart, State::Merged).unwrap_err().code(), Code::CartNotOpen);
    }
}
