//! The shop's API: routes, sessions and keys, JSON shapes, problems and the OpenAPI description. It holds no rule and no SQL.

pub mod access;
pub mod actor;
pub mod app;
pub mod bulk;
pub mod caller;
pub mod cart;
pub mod catalogue;
pub mod checkout;
pub mod command;
pub mod contact;
pub mod customer;
pub mod delivery;
pub mod edge;
pub mod event;
pub mod fulfilment;
pub mod health;
pub mod job;
pub mod limit;
pub mod location;
pub mod market;
pub mod observe;
pub mod order;
pub mod page;
pub mod payment;
pub mod price;
pub mod problem;
pub mod query;
pub mod returns;
pub mod router;
pub mod server;
pub mod shape;
pub mod stock;
pub mod storefront;
pub mod tax;

pub use app::App;
