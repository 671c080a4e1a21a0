//! The rows of those who may ask: programs' keys, staff with roles and sessions, and one-time links.

pub mod key;
pub mod link;
pub mod role;
pub mod session;
pub mod staff;
