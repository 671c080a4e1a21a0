//! Where the shop's books are kept: transactions over SQLite or PostgreSQL, every SQL text of the program, migrations and the event journal.
//!
//! The store holds no rule. A function here loads or writes rows; what may happen is decided in `domain`.

pub mod actor;
pub mod backup;
pub mod behaviour;
pub mod cart;
pub mod catalogue;
pub mod change;
pub mod check;
pub mod consent;
pub mod contact;
pub mod count;
pub mod customer;
pub mod db;
pub mod delivery;
pub mod dialect;
pub mod error;
pub mod event;
pub mod external;
pub mod fulfilment;
pub mod idempotency;
pub mod identity;
pub mod import;
pub mod insight;
pub mod job;
pub mod keyring;
pub mod ledger;
pub mod location;
pub mod loyalty;
pub mod market;
pub mod merging;
pub mod message;
pub mod migration;
pub mod order;
pub mod payment;
mod postgres;
pub mod price;
pub mod privacy;
pub mod promotion;
pub mod returns;
pub mod routing;
pub mod row;
pub mod seal;
pub mod segment;
pub mod sign_in;
mod sqlite;
pub mod status;
pub mod stock;
pub mod tax;
pub mod transfer;
pub mod tx;
pub mod webhook;

pub use db::{Db, Settings};
pub use error::StoreError;
pub use row::{Param, Row};
pub use tx::Tx;
