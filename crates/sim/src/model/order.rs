//! The model's orders: placed, paid, fulfilled.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::Code;
use domain::delivery::Kind;
use domain::fulfilment::State as PartState;
use domain::fulfilment::substitute::Allowed;
use domain::order::State;
use domain::payment::State as PaymentState;
use domain::stock::State as StockState;
use domain::stock::selling::Later;

use super::change::Change;
use super::claim::Claim;
use super::credit::{Moved, Paid};
use super::money::{Payment, Tender};
use super::parcel::Parcel;
use super::points::{self, Earning};
use super::promise::Promised;
use super::returns::Return;
use super::stock::{Reach, Taken, at, world};
use super::{Choice, Model, cart};

/// Pieces of variants for order lines.
pub type Pieces = BTreeMap<(usize, usize), i64>;

/// What a customer bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub channel: usize,
    /// Who buys, if that is known.
    pub customer: Option<usize>,
    pub state: State,
    pub kind: Kind,
    /// How the customer has it delivered.
    pub choice: Option<Choice>,
    /// A contact was given.
    pub known: bool,
    pub lines: Vec<Line>,
    pub delivery: i64,
    /// Minor units cancelled.
    pub cancelled: i64,
    /// Minor units that came back.
    pub returned: i64,
    /// When it is cancelled unless it is paid before.
    pub due_at: Option<i64>,
    /// The one location that must serve it: its till's, or where it is collected.
    pub place: Option<usize>,
    /// What leaves, in the order it was found.
    pub parts: Vec<Part>,
    pub payments: Vec<Payment>,
    /// What was packed to leave in one piece.
    pub parcels: Vec<Parcel>,
    /// What the customer says was lost, damaged or wrong.
    pub claims: Vec<Claim>,
    /// What came back, or is to.
    pub returns: Vec<Return>,
    /// What the customer allows in the place of what is not there.
    pub allowed: (Allowed, Vec<usize>),
    /// Changes that were shown, the oldest first.
    pub changes: Vec<Change>,
    /// Money that goes back to the payments of other orders it was carried over from.
    pub carried_back: Vec<(usize, usize, i64)>,
    /// What its payments moved on gift cards and store credit.
    pub moved: Vec<Moved>,
    /// What it earns its customer, once it was placed.
    pub earning: Option<Earning>,
    /// What it told of its customer's points.
    pub points_told: Vec<points::Told>,
    /// A payment changed and the order was not told yet.
    pub told: bool,
}

/// A variant sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub variant: usize,
    pub quantity: i64,
    pub unit: i64,
    pub cancelled: i64,
    pub returned: i64,
    pub takes: Vec<(usize, i64)>,
}

/// Why nobody goes on with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    ByHand,
    /// Nobody came for it, and the rest of a set is elsewhere.
    NotCollected,
    /// The money of this change of its order is waited for.
    Unpaid(usize),
}

/// What leaves one location together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Rises with every part made, over all orders; the shop's ids do too.
    pub number: u64,
    /// None while it is at no location.
    pub location: Option<usize>,
    /// How it leaves: as the order was to be delivered when it was made.
    pub kind: Kind,
    pub state: PartState,
    /// Nobody may go on with it, and why.
    pub held: Option<Held>,
    /// It was sold though it was not there.
    pub later: Option<Later>,
    /// It is not served before.
    pub not_before: Option<i64>,
    /// When it was made.
    pub made_at: i64,
    /// What its customer was told, while it waits for goods that were not there.
    pub promised: Promised,
    pub collect_by: Option<i64>,
    /// When its goods left.
    pub left_at: Option<i64>,
    /// The customer did not come.
    pub no_show: bool,
    /// Which locations may claim it, until when.
    pub offers: BTreeMap<usize, i64>,
    /// Those given back are gone from here.
    pub pieces: Vec<Piece>,
}

/// Pieces of one variant for one order line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    pub line: usize,
    pub variant: usize,
    pub quantity: i64,
    pub picked: i64,
}

impl Line {
    pub const fn sold(variant: usize, quantity: i64, unit: i64, takes: Vec<(usize, i64)>) -> Line {
        Line { variant, quantity, unit, cancelled: 0, returned: 0, takes }
    }
}

impl Part {
    pub fn new(
        location: Option<usize>,
        (kind, state): (Kind, PartState),
        pieces: BTreeMap<(usize, usize), i64>,
    ) -> Part {
        let piece = |((line, variant), quantity)| Piece { line, variant, quantity, picked: 0 };
        Part {
            number: 0,
            location,
            kind,
            state,
            held: None,
            later: None,
            not_before: None,
            made_at: 0,
            promised: None,
            collect_by: None,
            left_at: None,
            no_show: false,
            offers: BTreeMap::new(),
            pieces: pieces.into_iter().map(piece).collect(),
        }
    }

    /// The state in which it has left.
    const fn left(kind: Kind) -> PartState {
        if matches!(kind, Kind::Ship) { PartState::Shipped } else { PartState::Collected }
    }

    pub const fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// How many pieces of a variant for a line it has.
    pub fn pieces_of(&self, line: usize, variant: usize) -> i64 {
        let mine = self.pieces.iter().filter(|piece| (piece.line, piece.variant) == (line, variant));
        mine.map(|piece| piece.quantity).sum()
    }
}

impl Order {
    pub fn gross(&self) -> i64 {
        self.delivery + self.lines.iter().map(|line| line.unit * line.quantity).sum::<i64>()
    }

    /// What its lines take from shelves.
    fn pieces(&self) -> Pieces {
        let lines = self.lines.iter().enumerate();
        let of = |(number, line): (usize, &Line)| {
            let quantity = line.quantity;
            line.takes
                .iter()
                .map(move |(variant, each)| ((number, *variant), each * quantity))
                .collect::<Vec<_>>()
        };
        lines.flat_map(of).collect()
    }

    fn open_pieces(&self, line: usize, variant: usize) -> i64 {
        self.parts.iter().filter(|part| part.is_open()).map(|part| part.pieces_of(line, variant)).sum()
    }

    /// How many units of a line the customer does not wholly have yet.
    pub fn open_units(&self, line: usize) -> i64 {
        let takes = self.lines[line].takes.iter();
        takes.map(|(variant, each)| (self.open_pieces(line, *variant) + each - 1) / each).max().unwrap_or(0)
    }

    /// How many units of a line the customer wholly has.
    pub fn had_units(&self, line: usize) -> i64 {
        let sold = &self.lines[line];
        sold.quantity - sold.cancelled - sold.returned - self.open_units(line)
    }

    /// How many units of a line have not left, not even in part; of a service, those not given back.
    pub fn untouched_units(&self, line: usize) -> i64 {
        let sold = &self.lines[line];
        let whole = |(variant, each): &(usize, i64)| self.open_pieces(line, *variant) / each;
        sold.takes.iter().map(whole).min().unwrap_or(sold.quantity - sold.cancelled - sold.returned)
    }
}

/// How many of each variant.
pub fn of_variants(pieces: &Pieces) -> BTreeMap<usize, i64> {
    let mut sum = BTreeMap::new();
    for ((_, variant), quantity) in pieces {
        *sum.entry(*variant).or_insert(0) += quantity;
    }
    sum
}

/// Gives what was taken to the lines, line by line, and puts what leaves one location together.
fn parts(pieces: Pieces, taken: &[Taken], as_made: (Kind, PartState)) -> Vec<Part> {
    let mut taken = taken.to_vec();
    let mut places: BTreeMap<usize, Pieces> = BTreeMap::new();
    for (piece, mut wanted) in pieces {
        for one in taken.iter_mut().filter(|one| one.variant == piece.1) {
            let quantity = one.quantity.min(wanted);
            if quantity > 0 {
                one.quantity -= quantity;
                wanted -= quantity;
                *places.entry(one.location).or_default().entry(piece).or_insert(0) += quantity;
            }
        }
    }
    places.into_iter().map(|(location, pieces)| Part::new(Some(location), as_made, pieces)).collect()
}

impl Model {
    /// What a cart costs.
    pub fn total(&self, cart: usize) -> i64 {
        let cart = &self.carts[cart];
        let goods: i64 =
            cart.lines.iter().map(|(variant, quantity)| self.plan.variants[*variant].price * quantity).sum();
        goods + self.charge(cart.choice)
    }

    pub(super) fn charge(&self, choice: Option<Choice>) -> i64 {
        if choice == Some(Choice::Parcel) { self.plan.parcel } else { 0 }
    }

    /// How the goods of a cart reach the customer, and from where they are taken.
    fn way(&self, cart: &cart::Cart) -> Result<(Kind, Reach), Code> {
        let nothing_moves =
            cart.lines.iter().all(|(variant, _)| self.plan.variants[*variant].takes.is_empty());
        let at_the_counter = self.plan.channels[cart.channel].location.is_some() || nothing_moves;
        match cart.choice {
            Some(Choice::Parcel) => Ok((Kind::Ship, self.reach(cart.channel))),
            Some(Choice::Collected(location) | Choice::Sent(location)) => {
                Ok((Kind::Pickup, Reach::counter(location)))
            }
            None if at_the_counter => Ok((Kind::HandOver, self.reach(cart.channel))),
            None => Err(Code::NotDeliverable),
        }
    }

    pub(super) fn check_out(
        &mut self,
        number: usize,
        expected: Option<i64>,
        tenders: &[Tender],
    ) -> Result<(), Code> {
        let cart = self.carts[number].clone();
        let channel = self.plan.channels[cart.channel].clone();
        if !matches!(cart.standing(self.now), domain::cart::State::Active | domain::cart::State::Recovered) {
            return Err(Code::CartNotOpen);
        }
        if cart.choice.is_some() && !channel.delivers {
            return Err(Code::NotDeliverable);
        }
        if cart.lines.is_empty() {
            return Err(Code::CartNotOpen);
        }
        if expected.is_some_and(|shown| shown != self.total(number)) {
            return Err(Code::TotalChanged);
        }
        let (kind, reach) = self.way(&cart)?;
        let mut order = self.begun(&cart, kind);
        order.place = reach.pinned.then(|| reach.locations[0]);
        let means = self.means(&order, tenders, order.gross())?;
        let gone = kind == Kind::HandOver && in_hand(&means, order.gross());
        self.end_cart(number, domain::cart::State::Ordered);
        let number = self.orders.len();
        self.orders.push(Rc::new(order));
        self.serve(number, &reach, gone)?;
        for one in means {
            self.begin_paying(number, one, gone || channel.captures_at_order)?;
        }
        self.order_mut(number).go_on();
        Ok(())
    }

    /// Takes the goods of a new order: the customer has them at once, or they are promised, or sent to where they are collected.
    fn serve(&mut self, number: usize, reach: &Reach, gone: bool) -> Result<(), Code> {
        let order = self.orders[number].clone();
        if matches!(order.choice, Some(Choice::Sent(_))) {
            let rest = self.take_what_there_is(number, reach, order.pieces());
            return if rest.is_empty() { Ok(()) } else { Err(Code::OutOfStock) };
        }
        let to = if gone { StockState::Customer } else { StockState::Committed };
        let mut pieces = order.pieces();
        let may_wait = order.kind != Kind::HandOver;
        let later = if may_wait { self.set_apart(number, reach, &mut pieces) } else { Vec::new() };
        let taken = self.take(reach, &of_variants(&pieces), to)?;
        let state = if gone { Part::left(order.kind) } else { PartState::Open };
        let mut made = parts(pieces, &taken, (order.kind, state));
        made.iter_mut().for_each(|part| part.left_at = gone.then_some(self.now));
        self.add_parts(number, made);
        self.promise_later(&later);
        self.add_parts(number, later);
        self.promise_dates(number);
        Ok(())
    }

    fn begun(&self, cart: &cart::Cart, kind: Kind) -> Order {
        let channel = &self.plan.channels[cart.channel];
        let line = |(variant, quantity): &(usize, i64)| {
            let sold = &self.plan.variants[*variant];
            Line::sold(*variant, *quantity, sold.price, sold.takes.clone())
        };
        Order {
            channel: cart.channel,
            customer: cart.customer,
            state: State::PendingPayment,
            kind,
            choice: cart.choice,
            known: cart.known,
            lines: cart.lines.iter().map(line).collect(),
            delivery: self.charge(cart.choice),
            cancelled: 0,
            returned: 0,
            due_at: Some(self.now + channel.payment_seconds),
            place: None,
            parts: Vec::new(),
            payments: Vec::new(),
            parcels: Vec::new(),
            claims: Vec::new(),
            returns: Vec::new(),
            allowed: (Allowed::None, Vec::new()),
            changes: Vec::new(),
            carried_back: Vec::new(),
            moved: Vec::new(),
            earning: None,
            points_told: Vec::new(),
            told: false,
        }
    }

    pub(super) fn pay(&mut self, number: usize, tender: &Tender) -> Result<(), Code> {
        let order = &self.orders[number];
        let open = order.open_to_pay();
        if open == 0 || order.state == State::Cancelled {
            return Err(Code::WrongState);
        }
        let at_once = self.plan.channels[order.channel].captures_at_order;
        for one in self.means(order, std::slice::from_ref(tender), open)? {
            self.begin_paying(number, one, at_once)?;
        }
        let order = self.order_mut(number);
        // Goods that a change put in may wait for this money.
        order.told |= order.state == State::Placed;
        order.go_on();
        Ok(())
    }

    pub(super) fn fulfil(&mut self, number: usize, part: usize) -> Result<(), Code> {
        self.place_if_paid(number)?;
        let one = &self.orders[number].parts[part];
        if one.location.is_none() || (one.state == PartState::Ready && one.no_show) {
            return Err(Code::WrongState);
        }
        let parcels = self.orders[number].parcels_of_whole(part)?;
        self.leave(number, part)?;
        self.order_mut(number).send(&parcels, part);
        Ok(())
    }

    /// Goods may leave as soon as the money is there, before the order was told of it.
    pub(super) fn place_if_paid(&mut self, number: usize) -> Result<(), Code> {
        let mut paid = (*self.orders[number]).clone();
        paid.go_on();
        if paid.state == State::Placed {
            self.order_mut(number).go_on();
        }
        self.must_be_placed(number)
    }

    /// The goods of a part leave its location, and their money is taken.
    pub(super) fn leave(&mut self, number: usize, part: usize) -> Result<(), Code> {
        let now = self.now;
        let order = self.order_mut(number);
        let part = &mut order.parts[part];
        let location = part.location.ok_or(Code::WrongState)?;
        part.go_to(Part::left(part.kind))?;
        part.left_at = Some(now);
        let (promised, picked) =
            (part.by_variant(|piece| piece.quantity - piece.picked), part.by_variant(|piece| piece.picked));
        order.capture_for_what_left();
        order.go_on();
        for (state, quantities) in [(StockState::Committed, promised), (StockState::Picked, picked)] {
            for (variant, quantity) in quantities {
                self.stock.shift(variant, (at(location, state), world(StockState::Customer)), quantity);
            }
        }
        Ok(())
    }

    /// Orders are told that their payments changed, until none has anything more to say.
    pub(super) fn tell_orders(&mut self) {
        while self.orders.iter().any(|order| order.told) {
            for number in 0..self.orders.len() {
                if !self.orders[number].told {
                    continue;
                }
                let order = self.order_mut(number);
                order.told = false;
                order.go_on();
                order.give_back_too_much();
                order.settle_returns();
                order.pay_changes();
                self.carry_back();
                self.move_money();
            }
        }
    }

    pub(super) fn expire_unpaid(&mut self) {
        for number in 0..self.orders.len() {
            let order = &self.orders[number];
            if order.state == State::PendingPayment && order.due_at.is_some_and(|due| due <= self.now) {
                self.cancel(number, None).expect("an unpaid order can be cancelled");
            }
        }
    }

    pub(super) fn expire_payments(&mut self) {
        for number in 0..self.orders.len() {
            for payment in 0..self.orders[number].payments.len() {
                let one = &self.orders[number].payments[payment];
                if one.state == PaymentState::Created && one.expires_at.is_some_and(|at| at <= self.now) {
                    let order = self.order_mut(number);
                    order.payments[payment].state = PaymentState::Expired;
                    order.told = true;
                }
            }
        }
    }
}

/// Is the money for the whole amount in hand?
fn in_hand(means: &[Paid], gross: i64) -> bool {
    let at_once = means.iter().all(|one| one.kind.is_taken_at_once() || one.kind.has_book());
    at_once && means.iter().map(|one| one.amount).sum::<i64>() == gross
}
