//! The model: the same shop a second time, in plain maps and lists, so simple that it can be seen to be right.
//!
//! It knows the trade's rules and nothing of databases, keys or the crowd. Things go by their number: the third cart, the first
//! line of the second order. [`Model::apply`] either does a command wholly or names the refusal the real shop must give as well.

pub mod cancel;
pub mod cart;
pub mod change;
pub mod claim;
pub mod command;
pub mod count;
pub mod credit;
pub mod exchange;
pub mod found;
pub mod goods;
pub mod keeping;
pub mod later;
pub mod money;
pub mod order;
pub mod parcel;
pub mod points;
pub mod promise;
pub mod returns;
pub mod sending;
pub mod stock;
pub mod substitute;
pub mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use domain::Code;
use domain::change::Rule;
use domain::payment::Kind as PaymentKind;
use domain::returns::policy::When;
use domain::stock::selling::Rule as SellingRule;
use domain::value::Instant;

use crate::shop::OPENING;
pub use command::{Command, Step};

use cart::Cart;
use count::Count;
use credit::Credit;
use later::Expected;
use order::Order;
use points::Member;
use stock::Stock;
use transfer::Transfer;

/// Seconds since the shop opened.
pub fn seconds(at: Instant) -> i64 {
    (at.micros() - OPENING.micros()) / 1_000_000
}

/// What never changes while the shop is played with.
#[derive(Debug)]
pub struct Plan {
    /// What a parcel costs; collecting is free.
    pub parcel: i64,
    pub channels: Vec<Channel>,
    pub variants: Vec<Variant>,
    /// How many customers are known.
    pub customers: usize,
    /// The best first.
    pub locations: Vec<Location>,
}

#[derive(Clone, Debug)]
pub struct Channel {
    /// A till's own location; none sells from all that ship.
    pub location: Option<usize>,
    /// Goods are held as soon as they are in the cart.
    pub holds: bool,
    pub threshold: i64,
    /// Money is taken with the order, not as goods leave.
    pub captures_at_order: bool,
    /// Parcels and collecting are offered.
    pub delivers: bool,
    pub payment_kinds: Vec<PaymentKind>,
    pub hold_seconds: i64,
    pub cart_seconds: i64,
    pub payment_seconds: i64,
    /// How long goods wait for their customer.
    pub collect_seconds: i64,
    /// When the money of announced returns is given back.
    pub pays_returns: When,
    /// What its policy says of claims.
    pub claims: claim::Terms,
    /// What it does when nothing of a variant is left; of others no more is sold.
    pub when_out: Vec<(usize, SellingRule)>,
    /// What it allows of changes of orders.
    pub changes: Rule,
}

/// How a cart is to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Parcel,
    Collected(usize),
    /// Collected there; other locations send what it lacks.
    Sent(usize),
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub price: i64,
    /// What one of it takes from shelves: itself, a kit's components, nothing for a service.
    pub takes: Vec<(usize, i64)>,
    /// It lies on shelves itself.
    pub stocked: bool,
    /// What may take its place, the best first.
    pub substitutes: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct Location {
    pub can_ship: bool,
    pub can_receive: bool,
    pub can_return: bool,
    /// Counted again when more pieces differ.
    pub recounts_beyond: Option<i64>,
}

/// Numbers of things that changed since they were compared.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    pub carts: BTreeSet<usize>,
    pub orders: BTreeSet<usize>,
    pub transfers: BTreeSet<usize>,
    pub counts: BTreeSet<usize>,
    pub expected: BTreeSet<usize>,
    pub credits: BTreeSet<usize>,
    pub members: BTreeSet<usize>,
}

/// The shop in plain maps and lists.
#[derive(Clone, Debug)]
pub struct Model {
    pub plan: Rc<Plan>,
    /// Seconds since the shop opened.
    pub now: i64,
    pub stock: Stock,
    pub carts: Vec<Rc<Cart>>,
    pub orders: Vec<Rc<Order>>,
    /// How many parts were made, over all orders.
    pub made_parts: u64,
    pub transfers: Vec<Rc<Transfer>>,
    pub counts: Vec<Rc<Count>>,
    /// Goods that are to arrive, or were.
    pub expected: Vec<Expected>,
    /// How often goods came for those who wait: they are served as soon as time passes.
    pub serve_soon: usize,
    /// Which open count a variant is in at a location.
    pub counting: BTreeMap<(usize, usize), usize>,
    /// Parcels that were given up and turned up: of which order, and which of its parcels.
    pub found: Vec<(usize, usize)>,
    /// Parcels that their carrier brought home.
    pub brought_home: Vec<(usize, usize)>,
    /// Store credit of customers, then gift cards, the oldest first.
    pub credits: Vec<Rc<Credit>>,
    /// The first customers, who take part in the loyalty programme.
    pub members: Vec<Rc<Member>>,
    /// When what is left on expired gift cards lapses next.
    pub lapses_at: i64,
    /// When money is next claimed back for goods that never came.
    pub claims_at: i64,
    pub touched: Touched,
}

impl Model {
    /// An empty shop.
    pub fn new(plan: Plan) -> Model {
        Model {
            plan: Rc::new(plan),
            now: 0,
            stock: Stock::default(),
            carts: Vec::new(),
            orders: Vec::new(),
            made_parts: 0,
            transfers: Vec::new(),
            counts: Vec::new(),
            expected: Vec::new(),
            serve_soon: 0,
            counting: BTreeMap::new(),
            found: Vec::new(),
            brought_home: Vec::new(),
            credits: Vec::new(),
            members: Vec::new(),
            lapses_at: 0,
            claims_at: 0,
            touched: Touched::default(),
        }
    }

    /// Does a command wholly, or changes nothing and says why not.
    pub fn apply(&mut self, command: &Command) -> Result<(), Code> {
        let mut next = self.clone();
        next.stock.now = next.now;
        next.obey(command)?;
        next.carry_back();
        next.move_money();
        *self = next;
        Ok(())
    }

    fn obey(&mut self, command: &Command) -> Result<(), Code> {
        match command.clone() {
            Command::Receive { variant, location, quantity, state } => {
                self.receive((variant, location), quantity, state)
            }
            Command::Adjust { variant, location, change, reason } => {
                self.adjust((variant, location), change, reason)
            }
            Command::Set { variant, location, quantity, expected } => {
                self.set((variant, location), quantity, expected)
            }
            Command::Move { variant, location, from, to, quantity } => {
                self.move_state((variant, location), (from, to), quantity)
            }
            Command::SetSafety { variant, location, safety } => self.set_safety((variant, location), safety),
            Command::SetAside { variant, location, quantity, seconds } => {
                self.set_aside((variant, location), quantity, seconds)
            }
            Command::Release { aside } => self.release(aside),
            Command::IssueCard { amount, days } => self.issue_card(amount, days),
            Command::AdjustCredit { credit, change } => self.adjust_credit(credit, change),
            Command::AdjustPoints { member, change } => self.adjust_points(member, change),
            Command::BlockCard { card, blocked } => self.block_card(card, blocked),
            Command::CreateCart { channel, lines, known, customer, choice } => {
                self.create_cart(channel, &lines, (known, customer), choice)
            }
            Command::AddLine { cart, variant, quantity } => self.add_line(cart, variant, quantity),
            Command::SetQuantity { cart, variant, version, quantity } => {
                self.set_quantity((cart, version), variant, quantity)
            }
            Command::RemoveLine { cart, variant, version } => self.remove_line((cart, version), variant),
            Command::Choose { cart, version, choice } => self.choose((cart, version), choice),
            Command::Merge { from, into } => self.merge(from, into),
            Command::Checkout { cart, expected, tenders } => self.check_out(cart, expected, &tenders),
            Command::TakeBackBlind { variant, location, quantity, condition } => {
                self.take_back_blind((variant, location), quantity, condition)
            }
            Command::Pass { seconds } => {
                self.pass(seconds);
                Ok(())
            }
            Command::DraftTransfer { source, destination, lines } => {
                self.draft_transfer((source, destination), &lines)
            }
            Command::GoOnWithTransfer { number, step } => self.go_on_with_transfer(number, &step),
            Command::Announce { variant, location, quantity, due_at } => {
                self.announce((variant, location), quantity, due_at)
            }
            Command::GoOnWithExpected { number, step } => self.go_on_with_expected(number, &step),
            Command::AskForCount { location, variants } => self.ask_for_count(location, &variants),
            Command::GoOnWithCount { number, step } => self.go_on_with_count(number, &step),
            other => self.obey_for_order(other),
        }
    }

    fn obey_for_order(&mut self, command: Command) -> Result<(), Code> {
        match command {
            Command::Pay { order, tender } => self.pay(order, &tender),
            Command::RecordReceipt { order, payment, amount } => {
                self.order_mut(order).record_receipt(payment, amount)
            }
            Command::Answer { order, payment, operation, verdict } => {
                self.order_mut(order).answer(payment, operation, verdict)
            }
            Command::Capture { order, payment, amount } => self.order_mut(order).capture(payment, amount),
            Command::Refund { order, payment, amount } => self.order_mut(order).refund(payment, amount),
            Command::Void { order, payment } => self.order_mut(order).void(payment),
            Command::Fulfil { order, part } => self.fulfil(order, part),
            Command::GoOn { order, part, step } => self.go_on_with(order, part, &step),
            Command::Cancel { order, lines } => self.cancel(order, lines),
            Command::Allow { order, allowed, named } => self.allow(order, allowed, &named),
            Command::Substitute { order, part, replaced } => self.substitute(order, part, &replaced),
            Command::Exchange { order, location, lines, cart, expected, tenders } => {
                self.exchange((order, location), &lines, (cart, expected), &tenders)
            }
            Command::Preview { order, actions } => self.preview(order, &actions),
            Command::Confirm { order, change, expected, tenders } => {
                self.confirm(order, change, expected, &tenders)
            }
            Command::Decline { order, change } => self.decline(order, change),
            Command::TakeBack { order, location, lines } => self.take_back(order, location, &lines),
            Command::AskBack { order, location, lines } => self.ask_back(order, location, &lines),
            Command::GoOnWithReturn { order, number, step } => self.go_on_with_return(order, number, &step),
            Command::Parcel { order, step } => self.go_on_with_parcels(order, &step),
            Command::ClaimGoods { order, asked } => self.claim_goods(order, &asked),
            Command::GoOnWithClaim { order, number, step } => self.go_on_with_claim(order, number, &step),
            other => unreachable!("{other:?} is not about an order"),
        }
    }

    /// Time passes; then jobs and duties are done until none is due.
    fn pass(&mut self, seconds: i64) {
        self.now += seconds;
        self.stock.now = self.now;
        self.tell_claims();
        self.take_back_parcels();
        self.tell_orders();
        let times = std::mem::take(&mut self.serve_soon);
        let mut times = self.serve_who_waits(times);
        self.expire_carts();
        self.expire_changes();
        self.give_up_unpaid();
        self.move_money();
        self.lapse_cards();
        let mut more = self.route_waiting();
        self.expire_unpaid();
        self.move_money();
        self.age_points();
        self.expire_uncollected();
        self.expire_payments();
        self.claim_back();
        self.end_exclusions();
        self.expire_holds();
        while more || times > 0 {
            times = self.serve_who_waits(times);
            more = more && self.route_waiting();
            self.move_money();
        }
        self.tell_orders();
    }

    /// The cart, to be changed.
    fn cart_mut(&mut self, cart: usize) -> &mut Cart {
        self.touched.carts.insert(cart);
        Rc::make_mut(&mut self.carts[cart])
    }

    /// The order, to be changed.
    fn order_mut(&mut self, order: usize) -> &mut Order {
        self.touched.orders.insert(order);
        Rc::make_mut(&mut self.orders[order])
    }
}
