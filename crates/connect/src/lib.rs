//! The outside world: payment providers today; mail, carriers and shop platforms later. Everything here is async and calls nobody inside a transaction.

pub mod call;
pub mod carrier;
pub mod job;
pub mod payment;
pub mod stripe;
pub mod test_carrier;
pub mod test_provider;

pub use job::{Handlers, run};
