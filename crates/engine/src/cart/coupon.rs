//! Coupons in carts: given and taken back by whoever fills the cart; what they lower shows when the cart is priced.

use domain::actor::Actor;
use domain::promotion::coupon::code as read;
use domain::promotion::goods::check_coupons;
use domain::value::Id;
use domain::value::id::Cart as CartKind;
use domain::{Code, Refusal};
use store::Tx;
use store::cart::coupon::{self as rows, Given};

use super::{Cart, begin, finish};
use crate::promotion::coupon;
use crate::{Failure, World};

/// Puts a coupon into a cart. The same again changes nothing.
///
/// # Errors
/// [`Code::Invalid`] for an unknown code or too many coupons, and what other changes of carts refuse.
pub fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CartKind>,
    code: &str,
) -> Result<Cart, Failure> {
    let (cart, channel) = begin(tx, actor, world, id, None)?;
    let coupon = coupon::given(tx, code)?;
    let there = rows::list(tx, id)?;
    if there.iter().any(|given| given.coupon == coupon.id) {
        return Ok(cart);
    }
    check_coupons(there.len() + 1)?;
    let given = Given { code: coupon.code, coupon: coupon.id, promotion: coupon.promotion };
    rows::add(tx, id, &given, there.len() as i64)?;
    finish(tx, actor, world, &channel, cart)
}

/// Takes a coupon out of a cart.
///
/// # Errors
/// [`Code::NotFound`] when it is not in it, and what other changes of carts refuse.
pub fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CartKind>,
    code: &str,
) -> Result<Cart, Failure> {
    let (cart, channel) = begin(tx, actor, world, id, None)?;
    let missing = || Refusal::new(Code::NotFound, format!("no coupon \"{code}\" in the cart"));
    let read = read(code).map_err(|_| missing())?;
    if !rows::remove(tx, id, &read)? {
        return Err(missing().into());
    }
    finish(tx, actor, world, &channel, cart)
}

/// Moves the coupons of a cart that ends into the one that stays, as many as fit.
pub(super) fn pour(tx: &mut Tx<'_>, from: Id<CartKind>, into: Id<CartKind>) -> Result<(), Failure> {
    let there = rows::list(tx, into)?;
    let room = domain::promotion::COUPONS_MAX.saturating_sub(there.len());
    let more = rows::list(tx, from)?.into_iter().filter(|given| !there.contains(given)).take(room);
    for (place, given) in (there.len() as i64..).zip(more) {
        rows::add(tx, into, &given, place)?;
    }
    Ok(())
}
