//! What a shop knows and decides: values that cannot be wrong, and rules that are pure functions.
//!
//! Nothing here reads a clock, rolls dice, opens a file or a connection, or knows JSON. Time, ids and chance are handed in.

pub mod actor;
pub mod behaviour;
pub mod cart;
pub mod catalogue;
pub mod change;
pub mod company;
pub mod consent;
pub mod contact;
pub mod count;
pub mod customer;
pub mod delivery;
pub mod detail;
pub mod fulfilment;
pub mod identity;
pub mod import;
pub mod ledger;
pub mod location;
pub mod loyalty;
pub mod market;
pub mod merging;
pub mod message;
pub mod order;
pub mod payment;
pub mod price;
pub mod privacy;
pub mod promise;
pub mod promotion;
pub mod refusal;
pub mod returns;
pub mod routing;
pub mod segment;
pub mod sign_in;
pub mod status;
pub mod stock;
pub mod tax;
pub mod timeline;
pub mod transfer;
pub mod value;
pub mod webhook;

pub use refusal::{Code, Refusal};
