//! The test bench: a shop to try things on. It starts real servers and real databases, plays
//! customers against them, and is never part of what a retailer runs.

pub mod authenticator;
pub mod certificate;
pub mod chance;
pub mod client;
pub mod mailbox;
mod model;
pub mod postgres;
pub mod retailer;
pub mod scratch;
pub mod server;
pub mod shop;
pub mod sign_on;
pub mod simulation;
pub mod stand;

pub use retailer::Retailer;
pub use shop::{TestShop, on_every_engine};

/// Something of the test bench itself failed: a program is missing, a port is taken, a server
/// did not come up. Never a verdict on what is tested.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {why}")]
pub struct Failure {
    /// What was being done, for example `starting postgresql`.
    pub doing: String,
    /// What went wrong, and what to do about it where that is known.
    pub why: String,
}

impl Failure {
    /// A failure met while `doing` something, with its reason.
    pub fn new(doing: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self { doing: doing.into(), why: why.to_string() }
    }
}
