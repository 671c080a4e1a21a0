//! A cart goes on in another channel: begun in the app, called up at the till, and paid there.

use domain::actor::Actor;
use domain::cart as rules;
use domain::value::id::{Cart as CartKind, Channel};
use domain::value::{Id, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, cart as rows};

use super::{Cart, finish, lock, may_use, price, standing};
use crate::event::emit;
use crate::stock::hold::release_for_cart;
use crate::{Failure, World, external};

/// Brings an open cart into another channel, by whoever may fill carts there and knows its id: lines, coupons and whose it is stay, prices and stock
/// are the new channel's. How it is delivered is chosen anew, because each channel has its own ways; at a till goods are handed over when nothing
/// is chosen. Calling it up where it is already changes nothing.
///
/// # Errors
/// [`Code::NotFound`], also for a customer who asks for another's; [`Code::CartNotOpen`], [`Code::Stale`]; [`Code::WrongState`] for a channel that
/// does not sell; [`Code::CurrencyMismatch`]; [`Code::OutOfStock`] where the channel holds stock for carts.
pub fn call_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<CartKind>, Option<i64>),
    channel: &Reference<Channel>,
) -> Result<Cart, Failure> {
    let channel = external::resolve_at(tx, "channel", channel)?;
    let channel = store::market::find_channel(tx, channel)?
        .ok_or_else(|| Refusal::invalid("channel", format!("no channel \"{channel}\"")))?;
    let mut cart = lock(tx, id)?;
    may_use(actor, &channel, Some(&cart))?;
    cart.state = rules::touched(id, standing(&cart, world.now()))?;
    if version.is_some_and(|version| version != cart.version) {
        return Err(crate::edit::stale(id).into());
    }
    if cart.channel == channel.id {
        return Ok(cart);
    }
    if !channel.active {
        let message = format!("channel \"{}\" does not sell now; choose another", channel.code);
        return Err(Refusal::new(Code::WrongState, message).at("channel").into());
    }
    let currency = price::market_of(tx, &channel)?.currency;
    if currency != cart.currency {
        let message =
            format!("the cart is in {}, channel \"{}\" sells in {currency}", cart.currency, channel.code);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("channel").into());
    }
    release_for_cart(tx, actor, world, id)?;
    let from = std::mem::replace(&mut cart.channel, channel.id);
    (cart.method, cart.pickup_location) = (None, None);
    rows::move_to(tx, id, channel.id)?;
    let cart = finish(tx, actor, world, &channel, cart)?;
    let body = json!({ "from": from.to_string(), "channel": channel.id.to_string() });
    emit(tx, actor, world, id, "cart.called_up", body);
    Ok(cart)
}
