//! The model's gift cards and store credit: money customers have with us, set aside for an order, spent as it is asked for, and given back.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::loyalty::State;
use domain::payment::{Kind, PartState, State as PaymentState};

use super::Model;
use super::money::Tender;
use super::order::Order;
use super::points::{points_for, worth};

/// How often what is left on expired gift cards lapses.
const LAPSE_EVERY_SECONDS: i64 = 600;

/// A gift card, or what we owe one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Whose store credit it is; none of a gift card, which whoever has the code may spend.
    pub customer: Option<usize>,
    pub blocked: bool,
    pub expires_at: Option<i64>,
    /// How much is where; nothing is not noted.
    pub amounts: BTreeMap<State, i64>,
}

/// Money of a gift card or store credit that goes from one account to another.
pub type Moved = (usize, State, State, i64);

/// A payment that a tender begins.
#[derive(Clone, Copy, Debug)]
pub struct Paid {
    pub kind: Kind,
    pub amount: i64,
    pub credit: Option<usize>,
    pub points: Option<i64>,
}

impl Credit {
    pub fn count(&self, state: State) -> i64 {
        self.amounts.get(&state).copied().unwrap_or(0)
    }

    fn shift(&mut self, (from, to): (State, State), amount: i64) {
        assert!(amount > 0, "{amount} minor units moved");
        for (state, change) in [(from, -amount), (to, amount)] {
            let count = self.amounts.entry(state).or_insert(0);
            *count += change;
            assert!(*count >= 0 || state.code() >= State::Issued.code(), "{state:?} of a credit: {count}");
        }
        self.amounts.retain(|_, amount| *amount != 0);
    }
}

impl Model {
    /// The gift card or store credit a tender means.
    fn credit_of(&self, order: &Order, tender: &Tender) -> Result<Option<usize>, Code> {
        match (tender.kind, tender.card) {
            (Kind::GiftCard, Some(card)) => {
                let one = &self.credits[card];
                let may_be_spent = !one.blocked && one.expires_at.is_none_or(|at| at > self.now);
                if may_be_spent { Ok(Some(card)) } else { Err(Code::WrongState) }
            }
            (Kind::GiftCard, None) | (_, Some(_)) => Err(Code::Invalid),
            (Kind::StoreCredit, None) => {
                let customer = Some(order.customer.ok_or(Code::Invalid)?);
                let own = self.credits.iter().position(|one| one.customer == customer);
                own.map(Some).ok_or(Code::AmountExceeded)
            }
            _ => Ok(None),
        }
    }

    /// How much each tender brings of what is missing; one that finds nothing missing brings nothing.
    pub(super) fn means(&self, order: &Order, tenders: &[Tender], missing: i64) -> Result<Vec<Paid>, Code> {
        let allowed = &self.plan.channels[order.channel].payment_kinds;
        let (mut missing, mut by_points) = (missing, order.paid_by_points());
        let mut means = Vec::new();
        for tender in tenders {
            let credit = self.credit_of(order, tender)?;
            let may_pay = order.points_may_pay(by_points);
            let purse = self.purse(order, tender.kind)?.map(|free| worth(free.max(0)).min(may_pay));
            let there = credit.map(|one| self.credits[one].count(State::Balance)).or(purse);
            let most = there.map_or(missing, |there| missing.min(there));
            let amount = tender.amount.unwrap_or(most);
            if amount > missing {
                return Err(Code::AmountExceeded);
            }
            if (amount, missing) == (0, 0) {
                continue;
            }
            if amount == 0 && tender.kind.has_book() {
                return Err(Code::AmountExceeded);
            }
            if !allowed.contains(&tender.kind) && tender.kind != Kind::Exchange {
                return Err(Code::Invalid);
            }
            let points = purse.map(|_| points_for(amount, may_pay)).transpose()?;
            by_points += points.map_or(0, |_| amount);
            missing -= amount;
            means.push(Paid { kind: tender.kind, amount, credit, points });
        }
        Ok(means)
    }

    /// Begins a payment of an order; what pays it from a book of ours is set aside.
    pub(super) fn begin_paying(&mut self, number: usize, paid: Paid, at_once: bool) -> Result<(), Code> {
        let now = self.now;
        let order = self.order_mut(number);
        order.begin_payment(paid, at_once, now)?;
        let place = order.payments.len() - 1;
        if let Some(credit) = paid.credit {
            if self.credits[credit].count(State::Balance) < paid.amount {
                return Err(Code::AmountExceeded);
            }
            self.move_credit((credit, State::Balance, State::Held, paid.amount));
        }
        if let Some(points) = paid.points {
            self.set_points_aside((number, place), points)?;
        }
        if paid.kind.has_book() {
            let order = self.order_mut(number);
            let payment = &mut order.payments[place];
            (payment.state, payment.amounts.authorised) = (PaymentState::Authorised, paid.amount);
            if at_once {
                order.take(place, paid.amount);
            }
        }
        self.move_money();
        Ok(())
    }

    fn move_credit(&mut self, (credit, from, to, amount): Moved) {
        Rc::make_mut(&mut self.credits[credit]).shift((from, to), amount);
        self.touched.credits.insert(credit);
    }

    /// What orders spent, let go and gave back changes what customers have.
    pub(super) fn move_money(&mut self) {
        for number in 0..self.orders.len() {
            if !self.orders[number].moved.is_empty() {
                for one in std::mem::take(&mut self.order_mut(number).moved) {
                    self.move_credit(one);
                }
            }
        }
        self.move_points();
    }

    pub(super) fn issue_card(&mut self, amount: i64, days: Option<i64>) -> Result<(), Code> {
        let expires_at = days.map(|days| self.now + days * 86_400);
        if amount < 1 || expires_at.is_some_and(|at| at <= self.now) {
            return Err(Code::Invalid);
        }
        let amounts = BTreeMap::new();
        self.credits.push(Rc::new(Credit { customer: None, blocked: false, expires_at, amounts }));
        self.move_credit((self.credits.len() - 1, State::Issued, State::Balance, amount));
        Ok(())
    }

    /// Corrects what is on a card or credit by hand.
    pub(super) fn adjust_credit(&mut self, credit: usize, change: i64) -> Result<(), Code> {
        if change == 0 {
            return Err(Code::Invalid);
        }
        if self.credits[credit].count(State::Balance) + change < 0 {
            return Err(Code::AmountExceeded);
        }
        let (from, to) =
            if change > 0 { (State::Adjusted, State::Balance) } else { (State::Balance, State::Adjusted) };
        self.move_credit((credit, from, to, change.abs()));
        Ok(())
    }

    pub(super) fn block_card(&mut self, card: usize, blocked: bool) -> Result<(), Code> {
        Rc::make_mut(&mut self.credits[card]).blocked = blocked;
        self.touched.credits.insert(card);
        Ok(())
    }

    /// What is left on expired gift cards is nobody's to spend any more; what is set aside for an order stays.
    pub(super) fn lapse_cards(&mut self) {
        if self.now < self.lapses_at {
            return;
        }
        self.lapses_at = self.now + LAPSE_EVERY_SECONDS;
        for card in 0..self.credits.len() {
            let one = &self.credits[card];
            let left = one.count(State::Balance);
            if one.expires_at.is_some_and(|at| at <= self.now) && left > 0 {
                self.move_credit((card, State::Balance, State::Expired, left));
            }
        }
    }
}

impl Order {
    /// Promised money is taken: from a book of ours at once, else its provider is asked.
    pub(super) fn take(&mut self, payment: usize, amount: i64) {
        let one = &mut self.payments[payment];
        let done = one.amounts.captured + one.amounts.capturing;
        one.amounts.capturing += amount;
        one.captures.push((amount, PartState::Pending));
        self.moved.extend(one.credit.map(|credit| (credit, State::Held, State::Spent, amount)));
        if one.kind.has_book() {
            self.points_spent(payment, (done, done + amount));
            let last = self.payments[payment].captures.len() - 1;
            self.end_capture(payment, last, super::money::Verdict::Done);
        }
    }

    /// What is not asked for any more is let go: what would be taken last, of that which lies in books of ours.
    pub(super) fn free_too_much(&mut self) {
        let mut left = self.kept() + self.promised() - self.owed().max(0);
        for number in (0..self.payments.len()).rev() {
            let payment = &mut self.payments[number];
            let part = if payment.has_ended() { 0 } else { payment.open_to_capture().min(left) };
            if part < 1 {
                continue;
            }
            left -= part;
            if !payment.kind.has_book() {
                continue;
            }
            let all = payment.amounts.authorised;
            if part == all {
                self.void(number).expect("what is only set aside can be let go");
            } else {
                payment.amounts.authorised -= part;
                self.moved.extend(payment.credit.map(|credit| (credit, State::Held, State::Balance, part)));
                self.points_back(number, State::Held, (all - part, all));
            }
        }
    }
}
