//! The rows of those who may ask.

pub mod key;
