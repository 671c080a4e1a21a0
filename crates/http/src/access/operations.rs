//! Every operation and what it needs, by area.

use domain::actor::Permission::*;

use super::Needs::{self, Nothing, OneOf};

mod goods;
mod people;
mod places;
mod program;
mod trade;

/// Method, path, and what the operation needs.
pub type Operation = (&'static str, &'static str, Needs);

/// What carriers and providers send.
const SIGNED: Needs = Nothing("whoever sends it signs it, and the signature is checked");
/// What whoever holds an order does with it.
const HOLDER: Needs = OneOf(&[ReadOrders, Shop]);
/// What whoever holds an order sees of it, or hands it over.
const SEES: Needs = OneOf(&[EditOrders, ReadOrders, Shop]);

/// Every operation.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [goods::OPERATIONS, people::OPERATIONS, places::OPERATIONS, program::OPERATIONS, trade::OPERATIONS]
        .into_iter()
        .flatten()
}
