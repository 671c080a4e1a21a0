//! The model's carts: lines that add up, a version that counts, and an end.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::cart::State;

use super::stock::{Reach, demand};
use super::{Choice, Model};

/// Days somebody we know may come back to a cart.
const RECOVERABLE_SECONDS: i64 = 30 * 86_400;

/// What a customer means to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    pub channel: usize,
    /// Variants and how many, the oldest line first.
    pub lines: Vec<(usize, i64)>,
    pub state: State,
    /// A contact was given, or is the customer's own.
    pub known: bool,
    pub customer: Option<usize>,
    pub choice: Option<Choice>,
    pub merged_into: Option<usize>,
    pub version: i64,
    pub expires_at: i64,
}

impl Cart {
    /// The state it is in, whether or not somebody has noticed.
    pub fn standing(&self, now: i64) -> State {
        let left_alone = now - self.expires_at;
        match self.state {
            State::Active | State::Recovered if left_alone < 0 => self.state,
            State::Active | State::Recovered if self.known && left_alone < RECOVERABLE_SECONDS => {
                State::Abandoned
            }
            State::Abandoned if left_alone < 0 => State::Abandoned,
            State::Active | State::Recovered | State::Abandoned => State::Expired,
            ended => ended,
        }
    }

    fn pour(&mut self, variant: usize, quantity: i64) {
        match self.lines.iter_mut().find(|line| line.0 == variant) {
            Some(line) => line.1 += quantity,
            None => self.lines.push((variant, quantity)),
        }
    }
}

impl Model {
    /// From where a channel sells.
    pub fn reach(&self, channel: usize) -> Reach {
        let channel = &self.plan.channels[channel];
        match channel.location {
            Some(location) => Reach::counter(location),
            None => self.network(channel.threshold),
        }
    }

    pub(super) fn create_cart(
        &mut self,
        channel: usize,
        lines: &[(usize, i64)],
        (known, customer): (bool, Option<usize>),
        choice: Option<Choice>,
    ) -> Result<(), Code> {
        let known = known || customer.is_some();
        if choice == Some(Choice::Parcel) && !known {
            return Err(Code::NotDeliverable);
        }
        let mut cart = Cart {
            channel,
            lines: Vec::new(),
            state: State::Active,
            known,
            customer,
            choice,
            merged_into: None,
            version: 1,
            expires_at: self.now + self.plan.channels[channel].cart_seconds,
        };
        lines.iter().for_each(|(variant, quantity)| cart.pour(*variant, *quantity));
        self.carts.push(Rc::new(cart));
        self.touched.carts.insert(self.carts.len() - 1);
        self.hold_for(self.carts.len() - 1)
    }

    /// Holds what is in a cart, where its channel does.
    fn hold_for(&mut self, cart: usize) -> Result<(), Code> {
        let Cart { channel, lines, .. } = (*self.carts[cart]).clone();
        if !self.plan.channels[channel].holds {
            return Ok(());
        }
        let expires_at = self.now + self.plan.channels[channel].hold_seconds;
        let demand: BTreeMap<usize, i64> = demand(&self.plan, &lines);
        let reach = self.reach(channel);
        self.hold_exactly(cart, &demand, (channel, &reach), expires_at)
    }

    /// A cart that is to be changed must be open, or be taken up again, and at the version that was read.
    fn begin(&mut self, cart: usize, version: Option<i64>) -> Result<(), Code> {
        let state = match self.carts[cart].standing(self.now) {
            State::Abandoned => State::Recovered,
            open @ (State::Active | State::Recovered) => open,
            _ => return Err(Code::CartNotOpen),
        };
        if version.is_some_and(|version| version != self.carts[cart].version) {
            return Err(Code::Stale);
        }
        self.cart_mut(cart).state = state;
        Ok(())
    }

    fn finish(&mut self, cart: usize) -> Result<(), Code> {
        let expires_at = self.now + self.plan.channels[self.carts[cart].channel].cart_seconds;
        let changed = self.cart_mut(cart);
        changed.version += 1;
        changed.expires_at = expires_at;
        self.hold_for(cart)
    }

    pub(super) fn add_line(&mut self, cart: usize, variant: usize, quantity: i64) -> Result<(), Code> {
        self.begin(cart, None)?;
        self.cart_mut(cart).pour(variant, quantity);
        self.finish(cart)
    }

    pub(super) fn set_quantity(
        &mut self,
        (cart, version): (usize, Option<i64>),
        variant: usize,
        quantity: i64,
    ) -> Result<(), Code> {
        self.begin(cart, version)?;
        let line = self.cart_mut(cart).lines.iter_mut().find(|line| line.0 == variant);
        line.ok_or(Code::NotFound)?.1 = quantity;
        self.finish(cart)
    }

    pub(super) fn remove_line(
        &mut self,
        (cart, version): (usize, Option<i64>),
        variant: usize,
    ) -> Result<(), Code> {
        self.begin(cart, version)?;
        let lines = &mut self.cart_mut(cart).lines;
        let place = lines.iter().position(|line| line.0 == variant).ok_or(Code::NotFound)?;
        lines.remove(place);
        self.finish(cart)
    }

    pub(super) fn choose(
        &mut self,
        (cart, version): (usize, Option<i64>),
        choice: Option<Choice>,
    ) -> Result<(), Code> {
        self.begin(cart, version)?;
        if choice == Some(Choice::Parcel) && !self.carts[cart].known {
            return Err(Code::NotDeliverable);
        }
        self.cart_mut(cart).choice = choice;
        self.finish(cart)
    }

    pub(super) fn merge(&mut self, from: usize, into: usize) -> Result<(), Code> {
        if from == into {
            return Err(Code::Invalid);
        }
        let source = self.carts[from].clone();
        if source.merged_into == Some(into) {
            return Ok(());
        }
        if !matches!(source.standing(self.now), State::Active | State::Recovered | State::Abandoned) {
            return Err(Code::CartNotOpen);
        }
        self.begin(into, None)?;
        let target = self.cart_mut(into);
        source.lines.iter().for_each(|(variant, quantity)| target.pour(*variant, *quantity));
        target.known |= source.known;
        self.end_cart(from, State::Merged);
        self.cart_mut(from).merged_into = Some(into);
        self.finish(into)
    }

    /// Ends a cart; what it holds goes back.
    pub(super) fn end_cart(&mut self, cart: usize, state: State) {
        self.stock.release_cart(cart);
        let ended = self.cart_mut(cart);
        ended.state = state;
        ended.version += 1;
        if state == State::Abandoned {
            ended.expires_at += RECOVERABLE_SECONDS;
        }
    }

    pub(super) fn expire_carts(&mut self) {
        for cart in 0..self.carts.len() {
            let standing = self.carts[cart].standing(self.now);
            if standing != self.carts[cart].state {
                self.end_cart(cart, standing);
            }
        }
    }
}
