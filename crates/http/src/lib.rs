//! The shop's API: routes, sessions and keys, JSON shapes, problems and the OpenAPI description. It holds no rule and no SQL.

pub mod actor;
pub mod app;
pub mod caller;
pub mod command;
pub mod page;
pub mod problem;
pub mod router;
pub mod shape;
pub mod tax;

pub use app::App;
