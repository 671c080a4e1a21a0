//! Checkout: a cart becomes an order in one transaction, with its stock taken and its payments begun; and what follows from money and from leaving goods.

pub mod cancel;
pub mod place;
pub mod settle;

use domain::actor::Actor;
use domain::fulfilment::{self, Status};
use domain::order::{PaymentStatus, State, Sums};
use domain::value::Id;
use domain::value::id::{self, FulfilmentOrder as FulfilmentOrderKind};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, order as rows};

use crate::event::emit;
use crate::fulfilment::FulfilmentOrder;
use crate::fulfilment::leave::leave;
use crate::fulfilment::visit::{self, Proof};
use crate::order::{self, Line, Order};
use crate::payment::Payment;
use crate::{Failure, World};

pub use cancel::{Cancel, cancel, cancel_unplaced, expire_uncollected, expire_unpaid};
pub use place::{Checkout, Tender, place};
pub use settle::{pay, payment_changed};

/// An order with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The order.
    pub order: Order,
    /// Its lines.
    pub lines: Vec<Line>,
    /// What leaves from where.
    pub fulfilment_orders: Vec<FulfilmentOrder>,
    /// What was paid.
    pub payments: Vec<Payment>,
    /// Its money.
    pub sums: Sums,
}

impl Whole {
    /// How far the money is.
    pub fn payment_status(&self) -> PaymentStatus {
        self.sums.status()
    }

    /// How far the goods are.
    pub fn fulfilment_status(&self) -> Status {
        let states: Vec<_> = self.fulfilment_orders.iter().map(|one| one.state).collect();
        if states.is_empty() && self.order.state == State::Cancelled {
            Status::Cancelled
        } else {
            fulfilment::status(&states)
        }
    }
}

/// An order with everything that belongs to it.
///
/// # Errors
/// [`Code::NotFound`] when there is none, or the asker may not see it.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Whole, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(actor, &order)?;
    whole(tx, order)
}

pub(crate) fn whole(tx: &mut Tx<'_>, order: Order) -> Result<Whole, Failure> {
    let payments = store::payment::of_order(tx, order.id)?;
    Ok(Whole {
        lines: rows::lines(tx, order.id)?,
        fulfilment_orders: store::fulfilment::of_order(tx, order.id)?,
        sums: order::sums_of(&order, &payments),
        payments,
        order,
    })
}

/// How goods leave.
#[derive(Clone, Debug, Default)]
pub struct Leaving {
    /// The carrier's tracking number.
    pub tracking: Option<String>,
    /// For goods that were ready for pickup: how it was made sure that they go into the right hands, and whose, when it is not the
    /// customer's.
    pub proof: (Option<Proof>, Option<Id<id::Contact>>),
}

/// Goods leave a location: shipped with a tracking number, or into the customer's hands. Takes the money for what left.
///
/// # Errors
/// [`Code::WrongState`] unless the order is placed and this part of it open.
pub fn fulfil(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
    part: Id<FulfilmentOrderKind>,
    leaving: Leaving,
) -> Result<Whole, Failure> {
    let order = order::lock(tx, id)?;
    let part = crate::fulfilment::find(tx, actor, &order, part)?;
    // Its money may have come a moment ago, before the job that tells the order of it.
    let order = settle::place_if_paid(tx, actor, world, order)?;
    if order.state != State::Placed {
        return Err(Refusal::new(
            Code::WrongState,
            format!("order {} is {}; only placed orders are fulfilled", order.number, order.state.text()),
        )
        .into());
    }
    visit::verify(tx, actor, world, &part, leaving.proof)?;
    leave(tx, actor, world, part, leaving.tracking)?;
    settle::capture_for_what_left(tx, actor, world, &order)?;
    let order = complete_if_done(tx, actor, world, order)?;
    whole(tx, order)
}

/// Completes a placed order of which nothing is open any more.
fn complete_if_done(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut order: Order,
) -> Result<Order, Failure> {
    if order.state == State::Placed && !store::fulfilment::any_open(tx, order.id)? {
        order::go_to(&mut order, State::Completed)?;
        rows::update(tx, &mut order)?;
        emit(tx, actor, world, order.id, "order.completed", json!({ "number": order.number }));
    }
    Ok(order)
}
