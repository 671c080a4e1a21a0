//! Orders that were nobody's and become a customer's: a guest's order, or a sale at a till without a name, by the link or the receipt.

use domain::actor::{Actor, Permission, Who};
use domain::order::State;
use domain::value::Id;
use domain::value::id::{self, Customer};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::order::owner;

use super::order_of_link;
use crate::checkout::points;
use crate::event::emit;
use crate::identity::customer::paid_by;
use crate::order::{self, Order};
use crate::{Failure, World, customer};

/// By what an order is known to be the customer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The token of its status link, as in the code on its receipt.
    Link(String),
    /// A colleague who looked at the receipt.
    Seen(Id<id::Order>),
}

/// Puts an order into a customer's file: he sees it, returns it without a receipt, and earns its points where the programme lets receipts be
/// brought so late. Doing it again is the same as once. A customer needs the link; who may change customers and orders needs only the order.
///
/// # Errors
/// [`Code::NotFound`] when the link does not work, [`Code::WrongState`] when the order is another customer's, was cancelled, or the customer was
/// erased, [`Code::Forbidden`].
pub fn take_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customer, proof): (Id<Customer>, &Proof),
) -> Result<Order, Failure> {
    let own = actor.who == Who::Customer(customer);
    if !own {
        actor.may_somewhere(Permission::EditCustomers)?;
    }
    let found = match proof {
        Proof::Link(token) => order_of_link(tx, token, world.now())?.id,
        Proof::Seen(order) => *order,
    };
    let order = order::lock(tx, found)?;
    if matches!(proof, Proof::Seen(_)) {
        actor.may(Permission::EditOrders, order.location)?;
    }
    let known = customer::stay(tx, customer)?;
    let customer = known.id;
    if order.customer == Some(customer) {
        return Ok(order);
    }
    if known.erased_at.is_some() {
        return Err(wrong(format!("customer {customer} was erased")).into());
    }
    if order.state == State::Cancelled {
        return Err(wrong(format!("order {} was cancelled", order.number)).into());
    }
    if !owner::give_to(tx, order.id, customer)? {
        return Err(wrong(format!("order {} is another customer's already", order.number)).into());
    }
    let order = Order { customer: Some(customer), ..order };
    for card in store::payment::of_order(tx, order.id)?.into_iter().filter_map(|one| one.profile) {
        paid_by(tx, actor, world, (customer, card))?;
    }
    emit(tx, actor, world, order.id, "order.taken_over", json!({ "customer": customer.to_string() }));
    if matches!(order.state, State::Placed | State::Completed) {
        points::brought(tx, actor, world, &order)?;
    }
    Ok(order)
}

fn wrong(why: String) -> Refusal {
    Refusal::new(Code::WrongState, why)
}
