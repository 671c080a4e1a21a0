//! What the shop can do: commands, queries and jobs. Everything here is synchronous; the outside world is told by jobs, after the commit.
//!
//! A command is a function of transaction, actor, world and input. It is run through [`perform`], the one door, which gives it a single
//! idempotency key and one transaction. Commands take the transaction, so they compose inside one.

pub mod actor;
pub mod address;
pub mod archive;
pub mod behaviour;
pub mod cart;
pub mod catalogue;
pub mod change;
pub mod check;
pub mod checkout;
pub mod company;
pub mod consent;
pub mod contact;
pub mod count;
pub mod customer;
pub mod delivery;
pub mod detail;
pub mod edit;
pub mod erasure;
pub mod event;
pub mod external;
pub mod failure;
pub mod fulfilment;
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
pub mod order;
pub mod payment;
pub mod perform;
pub mod price;
pub mod privacy;
pub mod promise;
pub mod promotion;
pub mod readdress;
pub mod returns;
pub mod routing;
pub mod seal;
pub mod segment;
pub mod sign_in;
pub mod signature;
pub mod status;
pub mod stock;
pub mod storefront;
pub mod tax;
pub mod timeline;
pub mod transfer;
pub mod webhook;
pub mod world;

pub use failure::Failure;
pub use keyring::Keyring;
pub use perform::{Answer, Key, Request, Shop, perform};
pub use world::{Source, Turns, World};
