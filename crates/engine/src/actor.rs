//! Who may ask: programs with keys.

pub mod key;
