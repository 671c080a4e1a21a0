//! Exchanges: goods come back and others go in their place, in one step with one settlement. What was paid for the old goods pays for
//! the new ones; the rest is paid, or given back.

use domain::actor::{Actor, Permission};
use domain::market::PaymentKind;
use domain::returns::Means;
use domain::value::id::{self, Cart};
use domain::value::{Id, Money};
use domain::{Code, Refusal};
use serde_json::json;
use store::returns::exchange as rows;
use store::{Tx, returns as return_rows};

pub use store::returns::exchange::Exchange;

use super::{Back, Paid, Return, find as find_return, money, settle, take_in};
use crate::checkout::{Checkout, Tender, place};
use crate::event::emit;
use crate::order::{self, Order};
use crate::payment::carry;
use crate::{Failure, World, cart};

/// Goods that come back against other goods.
#[derive(Clone, Debug)]
pub struct Swap {
    /// What comes back, over the counter.
    pub back: Back,
    /// The cart with the new goods, in the channel that sells them.
    pub cart: Id<Cart>,
    /// The total of the new goods the customer was shown; another one refuses.
    pub expected_total: Option<Money>,
    /// How the rest is paid, if the new goods cost more.
    pub tenders: Vec<Tender>,
}

/// Exchanges goods.
///
/// # Errors
/// What taking back and placing an order refuse; [`Code::CurrencyMismatch`] when the new goods are sold in another currency. Nothing of
/// it is kept then.
pub fn exchange(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    input: Swap,
) -> Result<(Exchange, Return), Failure> {
    let location = input.back.location;
    let (order, taken, cash_max) = take_in(tx, actor, world, input.back)?;
    let cart = cart::lock(tx, input.cart)?;
    let priced = cart::priced(tx, world.now(), &cart)?;
    if priced.currency != order.currency {
        let message = format!(
            "order {} was paid in {}, the new goods are sold in {}",
            order.number, order.currency, priced.currency
        );
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("cart").into());
    }
    let worth = order::sums(tx, &order)?.to_refund().min(taken.refund);
    let carried = worth.min(priced.gross);
    let mut tenders = Vec::with_capacity(input.tenders.len() + 1);
    if carried > 0 {
        let amount = Some(carried);
        tenders.push(Tender {
            kind: PaymentKind::Exchange,
            amount,
            provider_token: None,
            card: None,
            gift_card: None,
        });
    }
    tenders.extend(input.tenders);
    let checkout = Checkout {
        cart: input.cart,
        expected_total: input.expected_total,
        tenders,
        serve_from: None,
        placed_at: None,
        external_id: None,
    };
    let placed = place(tx, actor, world, checkout)?;
    carry_over(tx, (&order, &taken), &placed.payments, (worth - carried, carried))?;
    money::pay_out(tx, actor, world, (&order, &taken), cash_max)?;
    settle(tx, actor, world, &order)?;
    let one = Exchange {
        id: world.id(),
        order: order.id,
        taken: taken.id,
        new_order: placed.order.id,
        location,
        carried,
        at: world.now(),
    };
    rows::add(tx, &one)?;
    let body = json!({
        "order": one.order.to_string(), "return": one.taken.to_string(), "new_order": one.new_order.to_string(),
        "location": location.to_string(), "currency": order.currency.code(), "carried": carried, "returned": taken.refund, "gross": placed.order.gross
    });
    emit(tx, actor, world, one.id, "exchange.made", body);
    let taken = find_return(tx, taken.id)?;
    Ok((one, taken))
}

/// What was paid for the old goods becomes the new order's payment. What is paid out leads in the sequence of the old order; what stays
/// with us follows it.
fn carry_over(
    tx: &mut Tx<'_>,
    (order, taken): (&Order, &Return),
    payments: &[crate::payment::Payment],
    (paid_out, carried): (i64, i64),
) -> Result<(), Failure> {
    let Some(to) = payments.iter().find(|one| one.kind == PaymentKind::Exchange) else { return Ok(()) };
    let from = order::to_refund(tx, order)?;
    for (place, (payment, amount)) in (0i64..).zip(carry::over(tx, &from, to.id, (paid_out, carried))?) {
        let paid = Paid { means: Means::Exchange, amount, payment: Some(payment), book: None };
        return_rows::add_paid(tx, taken.id, place, &paid)?;
    }
    Ok(())
}

/// An exchange, for who may see orders where it was done.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Exchange>) -> Result<Exchange, Failure> {
    let found = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("exchange", id))?;
    actor.may(Permission::ReadOrders, Some(found.location))?;
    Ok(found)
}

/// The exchanges an order had a part in.
///
/// # Errors
/// [`Code::NotFound`] for an order the asker may not see.
pub fn of_order(tx: &mut Tx<'_>, actor: &Actor, id: Id<id::Order>) -> Result<Vec<Exchange>, Failure> {
    let order = order::find(tx, id)?;
    order::may_see(tx, actor, &order)?;
    Ok(rows::of_order(tx, id)?)
}
