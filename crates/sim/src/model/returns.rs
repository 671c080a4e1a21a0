//! The model's returns: taken back over the counter in one step, or announced, received, looked at and paid one after the other.

use domain::Code;
use domain::order::State as OrderState;
use domain::returns::policy::When;
use domain::returns::{Condition, State};
use domain::stock::State as StockState;

use super::Model;
use super::order::Order;
use super::stock::{at, world};

/// How long goods may take whose money was given back before they came.
const DUE_SECONDS: i64 = 30 * 86_400;
/// How often money is claimed back for goods that never came.
const CLAIMED_EVERY_SECONDS: i64 = 3600;

/// Goods of an order that come back together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    pub location: usize,
    pub state: State,
    /// Minor units that are given back.
    pub refund: i64,
    /// What of the delivery charge that is.
    pub delivery: i64,
    /// The order owes less for it.
    pub credited: bool,
    /// When the money is claimed back unless the goods came.
    pub due_at: Option<i64>,
    /// When its money goes back.
    pub pays: When,
    pub lines: Vec<ReturnLine>,
}

/// Units of an order line that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    pub line: usize,
    pub quantity: i64,
    pub received: i64,
    /// How many of those were looked at.
    pub graded: i64,
    pub condition: Condition,
    pub refund: i64,
}

/// What can be done with a return that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnStep {
    Receive {
        location: usize,
        /// Lines of the return, how many came, and in which condition if somebody looked.
        lines: Vec<(usize, i64, Option<Condition>)>,
        /// What else was in the parcel.
        others: Vec<(usize, i64)>,
        complete: bool,
    },
    /// Lines of the return, how many were looked at, and their condition.
    Inspect(Vec<(usize, i64, Condition)>),
    Refund,
    Close,
    Approve,
    Decline,
}

/// A line of an order, how many of it come back, and how they are.
pub type Brought = (usize, i64, Condition);

impl Return {
    /// Its units are spoken for, and the order still owes for them.
    pub const fn is_coming(&self) -> bool {
        !self.credited && !matches!(self.state, State::Declined | State::Closed | State::Refunded)
    }

    fn is_here(&self) -> bool {
        self.lines.iter().all(|line| line.received == line.quantity)
    }

    fn is_graded(&self) -> bool {
        self.lines.iter().all(|line| line.graded == line.received)
    }
}

impl Order {
    /// How many units of a line can still be brought back.
    pub fn returnable_units(&self, line: usize) -> i64 {
        let coming = self.returns.iter().filter(|one| one.is_coming()).flat_map(|one| &one.lines);
        let coming: i64 = coming.filter(|one| one.line == line).map(|one| one.quantity).sum();
        self.had_units(line) - coming - self.claimed_units(line)
    }

    /// Lines of a return that can be made of this order.
    fn asked(&self, lines: &[Brought]) -> Result<Vec<ReturnLine>, Code> {
        if !matches!(self.state, OrderState::Placed | OrderState::Completed) {
            return Err(Code::WrongState);
        }
        let mut asked: Vec<ReturnLine> = Vec::new();
        for (line, quantity, condition) in lines.iter().copied() {
            let named = asked.iter().filter(|one| one.line == line).map(|one| one.quantity).sum::<i64>();
            if quantity < 1 || quantity > self.returnable_units(line) - named {
                return Err(Code::WrongState);
            }
            let refund = self.lines[line].unit * quantity;
            asked.push(ReturnLine { line, quantity, received: 0, graded: 0, condition, refund });
        }
        Ok(asked)
    }

    /// The order owes less for so many units of each line of a return.
    fn credit(&mut self, number: usize, units: impl Fn(&ReturnLine) -> i64) {
        let one = &mut self.returns[number];
        for back in &mut one.lines {
            let sold = &mut self.lines[back.line];
            // What was cancelled meanwhile was paid back with that.
            let units = units(back).min(sold.quantity - sold.cancelled - sold.returned);
            sold.returned += units;
            back.refund = sold.unit * units;
        }
        one.refund = one.lines.iter().map(|line| line.refund).sum();
        one.credited = true;
        self.returned += one.refund;
    }

    pub(super) fn pay_out_return(&mut self, number: usize) {
        self.pay_out(self.returns[number].refund);
        self.give_back_too_much();
    }

    /// Nobody waits any longer for what did not come of a return whose money was given back: the order owes for it again.
    fn give_up_return(&mut self, number: usize) {
        let one = &mut self.returns[number];
        let missing = |line: &ReturnLine| {
            if line.condition == Condition::Kept { 0 } else { line.quantity - line.received }
        };
        let nothing_came = one.lines.iter().all(|line| missing(line) == line.quantity);
        let mut owed = 0;
        for line in &mut one.lines {
            let sold = &mut self.lines[line.line];
            sold.returned -= missing(line);
            owed += sold.unit * missing(line);
            if !nothing_came {
                line.refund -= sold.unit * missing(line);
            }
        }
        if nothing_came {
            (one.state, one.credited) = (State::Closed, false);
        } else {
            one.refund -= owed;
            if one.state == State::Approved {
                one.state = State::Received;
            }
        }
        self.returned -= owed;
        one.due_at = None;
        self.points_change();
    }

    /// Once no money is on its way back, returns whose goods are here are done with.
    pub fn settle_returns(&mut self) {
        if self.payments.iter().any(|payment| payment.amounts.refunding > 0) || self.kept() > self.owed() {
            return;
        }
        for one in &mut self.returns {
            let is_kept = |line: &ReturnLine| line.condition == Condition::Kept;
            let is_here = one.lines.iter().all(|line| line.received == line.quantity || is_kept(line));
            let came = is_here || one.due_at.is_none();
            if one.credited && came && matches!(one.state, State::Received | State::Inspected) {
                one.state = State::Refunded;
            }
        }
    }
}

impl Model {
    pub(super) fn must_take_back(&self, location: usize) -> Result<(), Code> {
        if self.plan.locations[location].can_return { Ok(()) } else { Err(Code::WrongState) }
    }

    pub(super) fn take_back(
        &mut self,
        number: usize,
        location: usize,
        lines: &[Brought],
    ) -> Result<(), Code> {
        let place = self.take_in(number, location, lines)?;
        let order = self.order_mut(number);
        order.pay_out_return(place);
        order.settle_returns();
        Ok(())
    }

    /// Goods come back over the counter, and the order owes less for them: which of its returns that is.
    pub(super) fn take_in(
        &mut self,
        number: usize,
        location: usize,
        lines: &[Brought],
    ) -> Result<usize, Code> {
        self.must_take_back(location)?;
        let mut asked = self.orders[number].asked(lines)?;
        for one in &mut asked {
            (one.received, one.graded) = (one.quantity, one.quantity);
            let takes = self.orders[number].lines[one.line].takes.clone();
            self.put_back(&takes, one.quantity, (location, one.condition));
        }
        let state = State::Received;
        let pays = self.pays_returns(number);
        let order = self.order_mut(number);
        let place = order.returns.len();
        order.returns.push(Return {
            location,
            state,
            refund: 0,
            delivery: 0,
            credited: false,
            due_at: None,
            pays,
            lines: asked,
        });
        order.credit(place, |line| line.quantity);
        Ok(place)
    }

    pub(super) fn take_back_blind(
        &mut self,
        (variant, location): (usize, usize),
        quantity: i64,
        condition: Condition,
    ) -> Result<(), Code> {
        self.must_take_back(location)?;
        let takes = self.plan.variants[variant].takes.clone();
        self.put_back(&takes, quantity, (location, condition));
        Ok(())
    }

    fn put_back(&mut self, takes: &[(usize, i64)], units: i64, (location, condition): (usize, Condition)) {
        let to = match condition {
            Condition::Resellable => at(location, StockState::Available),
            Condition::Inspect => at(location, StockState::Quality),
            Condition::Damaged => at(location, StockState::Damaged),
            Condition::Scrap => world(StockState::Scrap),
            Condition::Kept => return,
        };
        for (variant, each) in takes {
            self.stock.shift(*variant, (world(StockState::Customer), to), each * units);
        }
    }

    /// Somebody asks to send goods back: to the location named, or the first that takes returns.
    pub(super) fn ask_back(
        &mut self,
        number: usize,
        named: Option<usize>,
        lines: &[Brought],
    ) -> Result<(), Code> {
        let asked = self.orders[number].asked(lines)?;
        let location = self.goes_to(number, named)?;
        let by = self.now + DUE_SECONDS;
        let refund = asked.iter().map(|line| line.refund).sum();
        let pays = self.pays_returns(number);
        let order = self.order_mut(number);
        let place = order.returns.len();
        let (state, lines) = (State::Approved, asked);
        let (delivery, credited, due_at) = (0, false, None);
        order.returns.push(Return { location, state, refund, delivery, credited, due_at, pays, lines });
        if pays == When::BeforeReceipt {
            order.credit(place, |line| line.quantity);
            order.returns[place].due_at = Some(by);
            order.pay_out_return(place);
        }
        Ok(())
    }

    /// Where goods of an order go back to: to the location named, or the first that takes returns.
    pub(super) fn goes_to(&self, order: usize, named: Option<usize>) -> Result<usize, Code> {
        let usual = self.orders[order].place.into_iter().chain(0..self.plan.locations.len());
        let takes = |location: &usize| self.plan.locations[*location].can_return;
        match named {
            Some(location) => self.must_take_back(location).map(|()| location),
            None => usual.into_iter().find(takes).ok_or(Code::Invalid),
        }
    }

    /// When the money of returns goes back for goods of an order's channel.
    fn pays_returns(&self, order: usize) -> When {
        self.plan.channels[self.orders[order].channel].pays_returns
    }

    pub(super) fn go_on_with_return(
        &mut self,
        order: usize,
        number: usize,
        step: &ReturnStep,
    ) -> Result<(), Code> {
        match step {
            ReturnStep::Receive { location, lines, others, complete } => {
                self.receive_return((order, number), *location, lines, others)?;
                self.advance(order, number, *complete);
            }
            ReturnStep::Inspect(lines) => {
                self.inspect_return((order, number), lines)?;
                self.advance(order, number, false);
            }
            ReturnStep::Refund => {
                let one = &self.orders[order].returns[number];
                let is_there = matches!(one.state, State::Received | State::Inspected);
                if one.credited || !is_there || !one.is_graded() {
                    return Err(Code::WrongState);
                }
                self.pay_return(order, number);
            }
            ReturnStep::Close => {
                let one = &mut self.order_mut(order).returns[number];
                if one.state.is_announced() && one.credited {
                    return Err(Code::WrongState);
                }
                lead(one, State::Closed)?;
            }
            ReturnStep::Approve => lead(&mut self.order_mut(order).returns[number], State::Approved)?,
            ReturnStep::Decline => lead(&mut self.order_mut(order).returns[number], State::Declined)?,
        }
        Ok(())
    }

    fn receive_return(
        &mut self,
        (order, number): (usize, usize),
        location: usize,
        lines: &[(usize, i64, Option<Condition>)],
        others: &[(usize, i64)],
    ) -> Result<(), Code> {
        self.must_take_back(location)?;
        let one = &mut self.order_mut(order).returns[number];
        if one.credited && one.due_at.is_none() {
            return Err(Code::WrongState);
        }
        if one.state != State::Received {
            lead(one, State::Received)?;
        }
        one.location = location;
        for (line, units, condition) in lines.iter().copied() {
            let back = &mut self.order_mut(order).returns[number].lines[line];
            if units < 1 || units > back.quantity - back.received {
                return Err(Code::WrongState);
            }
            if condition == Some(Condition::Kept) {
                return Err(Code::Invalid);
            }
            back.received += units;
            let seen = condition.unwrap_or(Condition::Inspect);
            if seen != Condition::Inspect {
                back.graded += units;
                back.condition = seen;
            }
            let sold = back.line;
            let takes = self.orders[order].lines[sold].takes.clone();
            self.put_back(&takes, units, (location, seen));
        }
        for (variant, units) in others {
            let takes = self.plan.variants[*variant].takes.clone();
            self.put_back(&takes, *units, (location, Condition::Inspect));
        }
        Ok(())
    }

    fn inspect_return(&mut self, (order, number): (usize, usize), lines: &[Brought]) -> Result<(), Code> {
        if !matches!(self.orders[order].returns[number].state, State::Received | State::Refunded) {
            return Err(Code::WrongState);
        }
        for (line, units, condition) in lines.iter().copied() {
            let one = &mut self.order_mut(order).returns[number];
            let (location, back) = (one.location, &mut one.lines[line]);
            if units < 1 || units > back.received - back.graded {
                return Err(Code::WrongState);
            }
            let to = match condition {
                Condition::Resellable => at(location, StockState::Available),
                Condition::Damaged => at(location, StockState::Damaged),
                Condition::Scrap => world(StockState::Scrap),
                Condition::Inspect | Condition::Kept => return Err(Code::Invalid),
            };
            back.graded += units;
            back.condition = condition;
            let sold = back.line;
            let waits = at(location, StockState::Quality);
            for (variant, each) in self.orders[order].lines[sold].takes.clone() {
                let moved = self.stock.shift_if_there(variant, (waits, to), each * units);
                moved.map_err(|_| Code::WrongState)?;
            }
        }
        Ok(())
    }

    /// Looks what follows from what is here of a return.
    fn advance(&mut self, order: usize, number: usize, complete: bool) {
        let one = &mut self.order_mut(order).returns[number];
        let early = one.pays != When::AfterInspection;
        let (is_here, is_graded) = (complete || one.is_here(), one.is_graded());
        if is_here && is_graded && one.state == State::Received {
            one.state = State::Inspected;
        }
        if one.credited {
            let order = self.order_mut(order);
            if complete && order.returns[number].due_at.is_some() {
                order.give_up_return(number);
            }
            order.settle_returns();
        } else if is_here && (early || is_graded) {
            self.pay_return(order, number);
        }
    }

    fn pay_return(&mut self, order: usize, number: usize) {
        let order = self.order_mut(order);
        order.credit(number, |line| line.received);
        order.pay_out_return(number);
        order.settle_returns();
    }

    /// Money that was given back for goods that never came is owed again.
    pub(super) fn claim_back(&mut self) {
        if self.now < self.claims_at {
            return;
        }
        self.claims_at = self.now + CLAIMED_EVERY_SECONDS;
        for number in 0..self.orders.len() {
            for place in 0..self.orders[number].returns.len() {
                let one = &self.orders[number].returns[place];
                let waits = matches!(one.state, State::Approved | State::Received | State::Inspected);
                if one.credited && waits && one.due_at.is_some_and(|due| due <= self.now) {
                    let order = self.order_mut(number);
                    order.give_up_return(place);
                    order.settle_returns();
                }
            }
        }
    }
}

fn lead(one: &mut Return, next: State) -> Result<(), Code> {
    one.state = one.state.lead_to(next).map_err(|refusal| refusal.code())?;
    Ok(())
}
