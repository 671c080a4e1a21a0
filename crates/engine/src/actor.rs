//! Who may ask: programs with keys, and staff who sign in and hold roles.

pub mod key;
pub mod link;
pub mod password;
pub mod role;
pub mod session;
pub mod staff;

pub use link::setup_token;
