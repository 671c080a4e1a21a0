//! Checkout: a cart becomes an order in one transaction, with its stock taken and its payments begun; and what follows from money and from leaving goods.

pub mod cancel;
pub mod gift;
pub mod leave;
pub mod place;
pub mod points;
pub mod referral;
pub mod settle;
pub mod substitute;

use domain::actor::Actor;
use domain::fulfilment::{self, Status};
use domain::order::{PaymentStatus, State, Sums};
use domain::value::Id;
use domain::value::id;
use serde_json::json;
use store::{Tx, order as rows};

use crate::event::emit;
use crate::fulfilment::FulfilmentOrder;
use crate::order::{self, Line, Order};
use crate::payment::Payment;
use crate::{Failure, World};

pub use cancel::{Cancel, cancel, cancel_unplaced, expire_uncollected, expire_unpaid};
pub use leave::{Leaving, fulfil, ship_parcel};
pub use place::{Checkout, Tender, place};
pub use settle::{pay, payment_changed};
pub use substitute::substitute;

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
/// [`domain::Code::NotFound`] when there is none, or the asker may not see it.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Whole, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
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
        points::recount(tx, actor, world, &order)?;
    }
    Ok(order)
}
