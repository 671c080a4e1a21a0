//! The model's claims: goods were lost, came damaged or wrong. We agree or not, and make it good once.

use domain::Code;
use domain::delivery::Kind as DeliveryKind;
use domain::fulfilment::parcel::State as ParcelState;
use domain::order::State as OrderState;
use domain::returns::claim::{CarrierState, Found, Kind, Remedy, State, Whereabouts};
use domain::returns::policy::When;
use domain::returns::{Condition, State as ReturnState};
use domain::stock::State as StockState;

use super::Model;
use super::order::{Order, Pieces, of_variants};
use super::returns::{Return, ReturnLine};
use super::stock::{Spot, world};

/// What a customer says of goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub location: usize,
    pub parcel: Option<usize>,
    pub kind: Kind,
    pub state: State,
    /// What the goods were sold for when it was made.
    pub value: i64,
    pub remedy: Option<Remedy>,
    pub refund: i64,
    /// Which return of the order its money or its goods go back in.
    pub taken: Option<usize>,
    /// What we want of the carrier: where that stands, how much, and how much of it was paid.
    pub carrier: Option<(CarrierState, i64, i64)>,
    pub found: Option<Found>,
    pub whereabouts: Option<Whereabouts>,
    pub lines: Vec<ClaimLine>,
}

/// Units of an order line that are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimLine {
    pub line: usize,
    pub quantity: i64,
    pub value: i64,
    pub refund: i64,
}

/// What a claim asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub kind: Kind,
    pub parcel: Option<usize>,
    /// Lines and how many of each.
    pub lines: Vec<(usize, i64)>,
    pub wished: Option<Remedy>,
    /// The customer asks, not a colleague.
    pub by_customer: bool,
}

/// What can be done with a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimStep {
    Approve,
    Decline,
    Withdraw,
    MakeGood {
        remedy: Remedy,
        /// How much is given back for which lines; for the others what they were sold for.
        amounts: Vec<(usize, i64)>,
        location: Option<usize>,
    },
    CarrierSaid {
        state: CarrierState,
        paid: Option<i64>,
    },
    Settle {
        whereabouts: Whereabouts,
        location: Option<usize>,
    },
}

/// What a channel's policy says of claims: up to which value they are agreed to by rule, and goods are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub approved_up_to: i64,
    pub kept_up_to: Option<i64>,
}

impl Order {
    /// How many units of a line are claimed and not made good.
    pub(super) fn claimed_units(&self, line: usize) -> i64 {
        let live = self.claims.iter().filter(|one| one.state.is_live()).flat_map(|one| &one.lines);
        live.filter(|one| one.line == line).map(|one| one.quantity).sum()
    }

    /// The parts by which goods of a line left, the last first.
    fn left_by(&self, line: usize) -> Vec<usize> {
        let has = |place: &usize| {
            let part = &self.parts[*place];
            part.state.has_left() && part.pieces.iter().any(|piece| piece.line == line)
        };
        let mut left: Vec<usize> = (0..self.parts.len()).filter(has).collect();
        left.sort_by_key(|place| std::cmp::Reverse(self.parts[*place].left_at));
        left
    }

    /// Goods of a parcel are claimed no more than it held; lost goods were sent, in the parcel that is named if we know one.
    fn must_be_in_parcel(&self, asked: &Claimed, (line, quantity): (usize, i64)) -> Result<(), Code> {
        let Some(parcel) = asked.parcel else {
            if asked.kind != Kind::Lost {
                return Ok(());
            }
            let was_sent = |place: &usize| self.parts[*place].kind == DeliveryKind::Ship;
            if !self.left_by(line).iter().any(was_sent) {
                return Err(Code::WrongState);
            }
            let gone = self.parcels.iter().filter(|one| is_gone(one.state));
            let known = gone.flat_map(|one| &one.pieces).any(|piece| piece.0 == line);
            return if known { Err(Code::Invalid) } else { Ok(()) };
        };
        let counts = |one: &&Claim| {
            (one.state.is_live() || one.state == State::Resolved) && one.parcel == Some(parcel)
        };
        let others = self.claims.iter().filter(counts).flat_map(|one| &one.lines);
        let before: i64 = others.filter(|one| one.line == line).map(|one| one.quantity).sum();
        let pieces = &self.parcels[parcel].pieces;
        let held = |variant: usize| -> i64 {
            pieces.iter().filter(|one| (one.0, one.1) == (line, variant)).map(|one| one.2).sum()
        };
        let takes = self.lines[line].takes.iter();
        let units = takes.map(|(variant, each)| held(*variant) / each).min().unwrap_or(0);
        if quantity <= units - before { Ok(()) } else { Err(Code::WrongState) }
    }

    /// Does a claim count that says that a parcel was lost?
    pub(super) fn says_lost(&self, parcel: usize) -> bool {
        self.claims.iter().any(|one| one.says_lost(parcel))
    }

    /// Pieces of the units of a claim.
    fn pieces_of_claim(&self, number: usize) -> Pieces {
        let mut pieces = Pieces::new();
        for claimed in &self.claims[number].lines {
            for (variant, each) in &self.lines[claimed.line].takes {
                pieces.insert((claimed.line, *variant), each * claimed.quantity);
            }
        }
        pieces
    }

    /// The delivery charge goes back with the last goods of an order, once.
    fn delivery_due(&self, number: usize) -> i64 {
        let claimed = |line: usize| -> i64 {
            let lines = self.claims[number].lines.iter();
            lines.filter(|one| one.line == line).map(|one| one.quantity).sum()
        };
        let before = self.returns.iter().any(|one| one.credited && one.delivery > 0);
        let mut all = self.lines.iter().enumerate();
        let last = all.all(|(line, sold)| sold.cancelled + sold.returned + claimed(line) == sold.quantity);
        if last && !before { self.delivery } else { 0 }
    }
}

impl Claim {
    pub(super) fn says_lost(&self, parcel: usize) -> bool {
        let counts = matches!(self.state, State::Approved | State::Resolved);
        counts && self.kind == Kind::Lost && self.parcel == Some(parcel)
    }
}

const fn is_gone(state: ParcelState) -> bool {
    matches!(state, ParcelState::Shipped | ParcelState::Delivered)
}

impl Model {
    pub(super) fn claim_goods(&mut self, order: usize, asked: &Claimed) -> Result<(), Code> {
        let sold = &self.orders[order];
        if !matches!(sold.state, OrderState::Placed | OrderState::Completed) {
            return Err(Code::WrongState);
        }
        if let Some(parcel) = asked.parcel {
            if !asked.kind.is_carriers() {
                return Err(Code::Invalid);
            }
            if !is_gone(sold.parcels[parcel].state) {
                return Err(Code::WrongState);
            }
        }
        let mut lines: Vec<ClaimLine> = Vec::new();
        for (line, quantity) in asked.lines.iter().copied() {
            if lines.iter().any(|one| one.line == line) {
                return Err(Code::Invalid);
            }
            if quantity < 1 || quantity > sold.returnable_units(line) {
                return Err(Code::WrongState);
            }
            lines.push(ClaimLine { line, quantity, value: sold.lines[line].unit * quantity, refund: 0 });
        }
        for one in &lines {
            sold.must_be_in_parcel(asked, (one.line, one.quantity))?;
        }
        let from = lines.iter().find_map(|one| sold.parts[*sold.left_by(one.line).first()?].location);
        let location = asked.parcel.map(|parcel| sold.parcels[parcel].location).or(from).or(sold.place);
        let location = location.map_or_else(|| self.goes_to(order, None), Ok)?;
        lines.sort_unstable();
        let value = lines.iter().map(|one| one.value).sum();
        let is_there =
            asked.parcel.is_some_and(|parcel| sold.parcels[parcel].state == ParcelState::Delivered);
        let number = sold.claims.len();
        self.order_mut(order).claims.push(Claim {
            location,
            parcel: asked.parcel,
            kind: asked.kind,
            state: State::Requested,
            value,
            remedy: None,
            refund: 0,
            taken: None,
            carrier: None,
            found: None,
            whereabouts: None,
            lines,
        });
        let most = self.claim_terms(order).approved_up_to;
        let by_rule = most > 0 && value <= most && !(asked.kind == Kind::Lost && is_there);
        if asked.by_customer && !by_rule {
            return Ok(());
        }
        self.approve_claim(order, number)?;
        let wished = asked.wished.filter(|_| asked.by_customer);
        let mut tried = self.clone();
        if wished.is_some_and(|remedy| tried.make_good((order, number), remedy, &[], None).is_ok()) {
            *self = tried;
        }
        Ok(())
    }

    fn claim_terms(&self, order: usize) -> Terms {
        self.plan.channels[self.orders[order].channel].claims
    }

    pub(super) fn claim_mut(&mut self, order: usize, number: usize) -> &mut Claim {
        &mut self.order_mut(order).claims[number]
    }

    fn lead_claim(&mut self, order: usize, number: usize, next: State) -> Result<(), Code> {
        let one = self.claim_mut(order, number);
        one.state = one.state.lead_to(next).map_err(|refusal| refusal.code())?;
        Ok(())
    }

    fn approve_claim(&mut self, order: usize, number: usize) -> Result<(), Code> {
        self.lead_claim(order, number, State::Approved)?;
        let sold = self.order_mut(order);
        let one = &mut sold.claims[number];
        if let Some(parcel) = one.parcel {
            one.carrier = Some((CarrierState::Open, one.value, 0));
            let gone = &mut sold.parcels[parcel];
            gone.lost |= one.kind == Kind::Lost && gone.state == ParcelState::Shipped;
        }
        Ok(())
    }

    pub(super) fn go_on_with_claim(
        &mut self,
        order: usize,
        number: usize,
        step: &ClaimStep,
    ) -> Result<(), Code> {
        match step {
            ClaimStep::Approve => self.approve_claim(order, number),
            ClaimStep::Decline => self.end_claim(order, number, State::Declined),
            ClaimStep::Withdraw => self.end_claim(order, number, State::Withdrawn),
            ClaimStep::MakeGood { remedy, amounts, location } => {
                self.make_good((order, number), *remedy, amounts, *location)
            }
            ClaimStep::CarrierSaid { state, paid } => self.carrier_said(order, number, (*state, *paid)),
            ClaimStep::Settle { whereabouts, location } => {
                self.settle_claim(order, number, (*whereabouts, *location))
            }
        }
    }

    /// Nothing is made good; its parcel is an ordinary one again, unless another claim says that it is lost.
    fn end_claim(&mut self, order: usize, number: usize, next: State) -> Result<(), Code> {
        self.lead_claim(order, number, next)?;
        let sold = self.order_mut(order);
        let one = &mut sold.claims[number];
        if let Some(carrier) = one.carrier.as_mut().filter(|carrier| carrier.0.is_pending()) {
            carrier.0 = CarrierState::Withdrawn;
        }
        let found = one.found.take();
        let Some(parcel) = one.parcel.filter(|_| one.kind == Kind::Lost) else { return Ok(()) };
        if !sold.says_lost(parcel) {
            sold.parcels[parcel].lost = false;
        }
        if found == Some(Found::Returned) {
            self.brought_home.push((order, parcel));
        }
        Ok(())
    }

    fn make_good(
        &mut self,
        (order, number): (usize, usize),
        remedy: Remedy,
        amounts: &[(usize, i64)],
        location: Option<usize>,
    ) -> Result<(), Code> {
        self.lead_claim(order, number, State::Resolved)?;
        let sold = &self.orders[order];
        let one = sold.claims[number].clone();
        // A service that was cancelled meanwhile was paid back with that.
        let is_left = |claimed: &ClaimLine| {
            let line = &sold.lines[claimed.line];
            claimed.quantity <= line.quantity - line.cancelled - line.returned
        };
        if !one.lines.iter().all(is_left) {
            return Err(Code::WrongState);
        }
        if remedy != Remedy::Refund && !amounts.is_empty() {
            return Err(Code::Invalid);
        }
        if remedy == Remedy::SendBack && one.kind.is_gone() {
            return Err(Code::WrongState);
        }
        let most = self.claim_terms(order).kept_up_to;
        if remedy != Remedy::SendBack && !one.kind.is_gone() && most.is_some_and(|most| one.value > most) {
            return Err(Code::PolicyRefuses);
        }
        self.claim_mut(order, number).remedy = Some(remedy);
        match remedy {
            Remedy::Refund => self.refund_claim((order, number), amounts)?,
            Remedy::Replacement => self.replace((order, number))?,
            Remedy::SendBack => self.send_back((order, number), location)?,
        }
        if remedy != Remedy::SendBack && one.kind.is_gone() {
            self.move_claimed((order, number), (world(StockState::Customer), world(StockState::Shrinkage)));
        }
        Ok(())
    }

    pub(super) fn move_claimed(&mut self, (order, number): (usize, usize), way: (Spot, Spot)) {
        for (variant, pieces) in of_variants(&self.orders[order].pieces_of_claim(number)) {
            self.stock.shift(variant, way, pieces);
        }
    }

    /// Money goes back and the customer keeps what came: a return of which nothing comes.
    fn refund_claim(
        &mut self,
        (order, number): (usize, usize),
        amounts: &[(usize, i64)],
    ) -> Result<(), Code> {
        let sold = self.order_mut(order);
        for one in &mut sold.claims[number].lines {
            one.value = sold.lines[one.line].unit * one.quantity;
            one.refund = one.value;
        }
        for (line, amount) in amounts {
            let lines = &mut sold.claims[number].lines;
            let one = lines.iter_mut().find(|one| one.line == *line).ok_or(Code::NotFound)?;
            if *amount < 1 || *amount > one.value {
                return Err(Code::AmountExceeded);
            }
            one.refund = *amount;
        }
        let one = sold.claims[number].clone();
        let whole = one.lines.iter().all(|line| line.refund == line.value);
        let delivery = if whole && one.kind.is_gone() { sold.delivery_due(number) } else { 0 };
        let refund = one.lines.iter().map(|line| line.refund).sum::<i64>() + delivery;
        let back = |line: &ClaimLine| ReturnLine {
            line: line.line,
            quantity: line.quantity,
            received: line.quantity,
            graded: line.quantity,
            condition: Condition::Kept,
            refund: line.value,
        };
        let taken = sold.returns.len();
        sold.returns.push(Return {
            location: one.location,
            state: ReturnState::Received,
            refund,
            delivery,
            credited: true,
            due_at: None,
            pays: When::AfterInspection,
            lines: one.lines.iter().map(back).collect(),
        });
        for line in &one.lines {
            sold.lines[line.line].returned += line.quantity;
        }
        sold.returned += refund;
        let claim = &mut sold.claims[number];
        (claim.refund, claim.taken) = (refund, Some(taken));
        sold.pay_out_return(taken);
        sold.settle_returns();
        Ok(())
    }

    /// The same goods are open in the order once more.
    fn replace(&mut self, (order, number): (usize, usize)) -> Result<(), Code> {
        let sold = &self.orders[order];
        if sold.claims[number].lines.iter().any(|one| sold.lines[one.line].takes.is_empty()) {
            return Err(Code::WrongState);
        }
        let pieces = sold.pieces_of_claim(number);
        self.order_mut(order).state = OrderState::Placed;
        self.go_elsewhere(order, pieces);
        Ok(())
    }

    /// The goods come back by post, whatever return policies say, and then their money goes back.
    fn send_back(&mut self, (order, number): (usize, usize), location: Option<usize>) -> Result<(), Code> {
        let location = self.goes_to(order, location)?;
        let sold = self.order_mut(order);
        let back = |line: &ClaimLine| ReturnLine {
            line: line.line,
            quantity: line.quantity,
            received: 0,
            graded: 0,
            condition: Condition::Inspect,
            refund: sold.lines[line.line].unit * line.quantity,
        };
        let lines: Vec<_> = sold.claims[number].lines.iter().map(back).collect();
        sold.claims[number].taken = Some(sold.returns.len());
        sold.returns.push(Return {
            location,
            state: ReturnState::Approved,
            refund: lines.iter().map(|line| line.refund).sum(),
            delivery: 0,
            credited: false,
            due_at: None,
            pays: When::AfterInspection,
            lines,
        });
        Ok(())
    }
}
