//! Values: amounts, identities, times and addresses that are checked once, when made, and right ever after.

pub mod id;
pub mod instant;
pub mod money;
pub mod quantity;
pub mod rate;
pub mod reference;

pub use id::{Id, Kind};
pub use instant::Instant;
pub use money::{Currency, Money};
pub use quantity::{Quantity, Unit};
pub use rate::{Rate, Rounding};
pub use reference::Reference;
