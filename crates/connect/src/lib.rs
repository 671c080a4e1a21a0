//! The outside world: payment providers, carriers, the receivers of events and who carries mail today; shop platforms later. Everything here is async and calls nobody inside a transaction.

mod books;
pub mod call;
pub mod carrier;
pub mod job;
pub mod message;
pub mod payment;
pub mod stripe;
pub mod test_carrier;
pub mod test_provider;
pub mod training;
pub mod webhook;

pub use job::{Handlers, run};
