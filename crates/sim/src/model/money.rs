//! The model's money: what an order owes, and what its payments promised, took and gave back.

use domain::Code;
use domain::order::State as OrderState;
use domain::payment::{Amounts, Kind, PartState, State};

use super::order::Order;

/// How long a provider is waited for when the order does not say, in seconds.
const WAITED_FOR_SECONDS: i64 = 24 * 3600;

/// What a provider was asked to do with a payment; captures and refunds by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Authorise,
    Capture(usize),
    Refund(usize),
}

/// What the provider answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    Pending,
    Declined,
}

/// Money asked for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub kind: Kind,
    pub state: State,
    /// Taken as soon as it is promised.
    pub at_once: bool,
    pub amounts: Amounts,
    pub expires_at: Option<i64>,
    pub captures: Vec<(i64, PartState)>,
    pub refunds: Vec<(i64, PartState)>,
    /// Of which payments of which orders it was carried over, and how much of each has not gone back.
    pub carried_from: Vec<(usize, usize, i64)>,
}

impl Payment {
    const fn open_to_capture(&self) -> i64 {
        self.amounts.authorised - self.amounts.captured - self.amounts.capturing
    }

    pub const fn open_to_refund(&self) -> i64 {
        self.amounts.captured - self.amounts.refunded - self.amounts.refunding - self.amounts.carried
    }

    const fn can_be_voided(&self) -> bool {
        matches!(self.state, State::Created | State::Authorised)
            && self.amounts.captured == 0
            && self.amounts.capturing == 0
    }

    /// Nothing more is taken of it.
    const fn has_ended(&self) -> bool {
        matches!(self.state, State::Voided | State::Failed | State::Expired | State::Refunded)
    }

    fn ask_to_capture(&mut self, amount: i64) {
        self.amounts.capturing += amount;
        self.captures.push((amount, PartState::Pending));
    }
}

/// The part of something open that is asked for, or all of it.
fn part(asked: Option<i64>, open: i64) -> Result<i64, Code> {
    match asked {
        Some(asked) if asked < 1 => Err(Code::Invalid),
        Some(asked) if asked > open => Err(Code::AmountExceeded),
        None if open < 1 => Err(Code::AmountExceeded),
        asked => Ok(asked.unwrap_or(open)),
    }
}

impl Order {
    pub fn owed(&self) -> i64 {
        self.gross() - self.cancelled - self.returned
    }

    /// What we have of the customer's money.
    pub fn kept(&self) -> i64 {
        self.payments.iter().map(Payment::open_to_refund).sum()
    }

    /// What is neither taken nor promised.
    pub fn missing(&self) -> i64 {
        (self.owed() - self.kept() - self.promised()).max(0)
    }

    /// What payments promise beyond what was taken.
    pub fn promised(&self) -> i64 {
        let alive = self.payments.iter().filter(|payment| !payment.has_ended());
        alive.map(|one| one.amounts.authorised - one.amounts.captured).sum()
    }

    /// Begins a payment.
    pub fn begin_payment(
        &mut self,
        (kind, amount): (Kind, i64),
        allowed: &[Kind],
        at_once: bool,
        now: i64,
    ) -> Result<(), Code> {
        if !(kind == Kind::Exchange || allowed.contains(&kind)) || amount < 1 {
            return Err(Code::Invalid);
        }
        let mut payment = Payment {
            kind,
            state: State::Created,
            at_once,
            amounts: Amounts {
                amount,
                authorised: 0,
                capturing: 0,
                captured: 0,
                refunding: 0,
                refunded: 0,
                carried: 0,
            },
            expires_at: self.due_at.or(kind.has_provider().then_some(now + WAITED_FOR_SECONDS)),
            captures: Vec::new(),
            refunds: Vec::new(),
            carried_from: Vec::new(),
        };
        if matches!(kind, Kind::Cash | Kind::CardRecord | Kind::Exchange) {
            payment.state = State::Captured;
            (payment.amounts.authorised, payment.amounts.captured) = (amount, amount);
            payment.captures.push((amount, PartState::Done));
        }
        self.payments.push(payment);
        Ok(())
    }

    /// What a new payment may still be asked for.
    pub fn open_to_pay(&self) -> i64 {
        let asked = self.payments.iter().filter(|one| !one.has_ended() && one.amounts.authorised == 0);
        (self.missing() - asked.map(|one| one.amounts.amount).sum::<i64>()).max(0)
    }

    pub(super) fn record_receipt(&mut self, payment: usize, amount: Option<i64>) -> Result<(), Code> {
        let payment = &mut self.payments[payment];
        if payment.kind != Kind::Manual || !matches!(payment.state, State::Created | State::Captured) {
            return Err(Code::WrongState);
        }
        let amount = part(amount, payment.amounts.amount - payment.amounts.authorised)?;
        payment.amounts.authorised += amount;
        payment.amounts.captured += amount;
        payment.captures.push((amount, PartState::Done));
        payment.state = State::Captured;
        self.told = true;
        Ok(())
    }

    pub(super) fn capture(&mut self, payment: usize, amount: Option<i64>) -> Result<(), Code> {
        let payment = &mut self.payments[payment];
        if !matches!(payment.state, State::Authorised | State::Captured) {
            return Err(Code::WrongState);
        }
        let amount = part(amount, payment.open_to_capture())?;
        payment.ask_to_capture(amount);
        Ok(())
    }

    pub(super) fn refund(&mut self, payment: usize, amount: Option<i64>) -> Result<(), Code> {
        let refunded = &mut self.payments[payment];
        if !matches!(refunded.state, State::Captured | State::Refunded) {
            return Err(Code::WrongState);
        }
        let amount = part(amount, refunded.open_to_refund())?;
        refunded.amounts.refunding += amount;
        refunded.refunds.push((amount, PartState::Pending));
        let mut left = amount;
        for (order, source, open) in &mut refunded.carried_from {
            let part = (*open).min(left);
            if part > 0 {
                *open -= part;
                left -= part;
                self.carried_back.push((*order, *source, part));
            }
        }
        let refunded = &mut self.payments[payment];
        refunded.carried_from.retain(|(.., open)| *open > 0);
        if !refunded.kind.has_provider() {
            let last = refunded.refunds.len() - 1;
            self.end_refund(payment, last, Verdict::Done);
        }
        Ok(())
    }

    pub(super) fn void(&mut self, payment: usize) -> Result<(), Code> {
        if !self.payments[payment].can_be_voided() {
            return Err(Code::WrongState);
        }
        self.payments[payment].state = State::Voided;
        self.told = true;
        Ok(())
    }

    /// The provider answers; the same answer again changes nothing.
    pub(super) fn answer(
        &mut self,
        payment: usize,
        operation: Operation,
        verdict: Verdict,
    ) -> Result<(), Code> {
        if !self.payments[payment].kind.has_provider() {
            return Err(Code::WrongState);
        }
        match (operation, verdict) {
            (_, Verdict::Pending) => {}
            (Operation::Authorise, verdict) => self.end_authorisation(payment, verdict),
            (Operation::Capture(number), verdict) => self.end_capture(payment, number, verdict),
            (Operation::Refund(number), verdict) => self.end_refund(payment, number, verdict),
        }
        Ok(())
    }

    fn end_authorisation(&mut self, payment: usize, verdict: Verdict) {
        let payment = &mut self.payments[payment];
        if payment.state != State::Created {
            return;
        }
        self.told = true;
        if verdict == Verdict::Declined {
            payment.state = State::Failed;
            return;
        }
        payment.state = State::Authorised;
        payment.amounts.authorised = payment.amounts.amount;
        if payment.at_once {
            payment.ask_to_capture(payment.amounts.amount);
        }
    }

    fn end_capture(&mut self, payment: usize, number: usize, verdict: Verdict) {
        let payment = &mut self.payments[payment];
        let Some(capture) = payment.captures.get_mut(number).filter(|one| one.1 == PartState::Pending) else {
            return;
        };
        self.told = true;
        payment.amounts.capturing -= capture.0;
        if verdict == Verdict::Done {
            capture.1 = PartState::Done;
            payment.amounts.captured += capture.0;
            payment.state = State::Captured;
            return;
        }
        capture.1 = PartState::Failed;
        if payment.state == State::Authorised && payment.can_be_voided() {
            payment.state = State::Failed;
        }
    }

    fn end_refund(&mut self, payment: usize, number: usize, verdict: Verdict) {
        let payment = &mut self.payments[payment];
        let Some(refund) = payment.refunds.get_mut(number).filter(|one| one.1 == PartState::Pending) else {
            return;
        };
        self.told = true;
        payment.amounts.refunding -= refund.0;
        if verdict == Verdict::Declined {
            refund.1 = PartState::Failed;
            return;
        }
        refund.1 = PartState::Done;
        payment.amounts.refunded += refund.0;
        let all_taken = payment.amounts.captured == payment.amounts.authorised;
        if all_taken && payment.amounts.refunded == payment.amounts.captured {
            payment.state = State::Refunded;
        }
    }

    /// An order that waited for its money and has it is placed; one with nothing open any more is complete.
    pub fn go_on(&mut self) {
        if self.state == OrderState::PendingPayment && self.missing() == 0 {
            self.state = OrderState::Placed;
            self.due_at = None;
        }
        if self.state == OrderState::Placed && !self.parts.iter().any(super::order::Part::is_open) {
            self.state = OrderState::Completed;
        }
    }

    /// What we have beyond what is owed goes back, to the first payment first; promises nobody needs are let go.
    pub fn give_back_too_much(&mut self) {
        let mut left = (self.kept() - self.owed()).max(0);
        let enough = self.owed() <= self.kept();
        for number in 0..self.payments.len() {
            let part = self.payments[number].open_to_refund().min(left);
            let outcome = if part > 0 {
                left -= part;
                self.refund(number, Some(part))
            } else if enough && self.payments[number].can_be_voided() {
                self.void(number)
            } else {
                Ok(())
            };
            outcome.expect("what is open can be given back");
        }
    }

    /// What came back is paid out, as far as there is more than is owed.
    pub fn pay_out(&mut self, amount: i64) {
        let mut left = (self.kept() - self.owed()).clamp(0, amount);
        for number in 0..self.payments.len() {
            let part = self.payments[number].open_to_refund().min(left);
            if part > 0 {
                left -= part;
                self.refund(number, Some(part)).expect("what is open can be given back");
            }
        }
    }

    /// Promised money is taken for what the customer has and does not give back.
    pub fn capture_for_what_left(&mut self) {
        let has = |line: usize| self.lines[line].unit * self.had_units(line);
        let gone: i64 = self.delivery + (0..self.lines.len()).map(has).sum::<i64>();
        let being_taken: i64 = self.payments.iter().map(|payment| payment.amounts.capturing).sum();
        let mut missing = gone.min(self.owed()) - self.kept() - being_taken;
        for payment in self.payments.iter_mut().filter(|payment| !payment.has_ended()) {
            let part = payment.open_to_capture().min(missing);
            if part > 0 {
                payment.ask_to_capture(part);
                missing -= part;
            }
        }
    }
}
