//! Goods of an order move on: shipped, handed over, or back on their shelf.

use std::collections::BTreeMap;

use domain::actor::Actor;
use domain::ledger::AccountKey;
use domain::stock;
use domain::value::Id;
use domain::value::id::Variant;
use store::Tx;

use super::{Movement, post_movement, too_few};
use crate::{Failure, World};

/// What goods of an order do next at one location: shipped, handed over, given back.
pub struct Onward<'a> {
    /// Why, in a word of the trade.
    pub reason: &'static str,
    /// What caused it: kind and id in text.
    pub cause: (&'static str, String),
    /// How many of each variant.
    pub quantities: &'a BTreeMap<Id<Variant>, i64>,
    /// From where to where.
    pub from: AccountKey,
    /// To where.
    pub to: AccountKey,
}

/// Moves an order's goods on.
///
/// # Errors
/// [`domain::Code::OutOfStock`] when fewer are there than the order says: the books would be wrong, so nothing is moved.
pub fn move_on(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    onward: &Onward<'_>,
) -> Result<(), Failure> {
    for (variant, quantity) in onward.quantities {
        let postings = stock::moving(onward.from, onward.to, *quantity, 0).into();
        let movement = Movement {
            variant: *variant,
            reason: onward.reason,
            cause: Some(onward.cause.clone()),
            postings,
        };
        post_movement(tx, actor, world, movement, |short| too_few(*variant, short.amount, *quantity))?;
    }
    Ok(())
}
