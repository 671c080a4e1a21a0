//! Values: amounts, identities, times and addresses that are checked once, when made, and right ever after.

pub mod address;
pub mod country;
pub mod email;
pub mod gtin;
pub mod hours;
pub mod id;
pub mod instant;
pub mod language;
pub mod money;
pub mod phone;
pub mod place;
pub mod quantity;
pub mod rate;
pub mod reference;
pub mod target;
pub mod text;
pub mod zone;

pub use address::{Address, AddressDraft};
pub use country::Country;
pub use email::Email;
pub use gtin::Gtin;
pub use hours::OpeningHours;
pub use id::{Id, Kind};
pub use instant::Instant;
pub use language::Language;
pub use money::{Currency, Money};
pub use phone::Phone;
pub use place::Coordinates;
pub use quantity::{Quantity, Unit};
pub use rate::{Rate, Rounding};
pub use reference::Reference;
pub use text::{Line, Name};
pub use zone::{LocalDay, Zone};
