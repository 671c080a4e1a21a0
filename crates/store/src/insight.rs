//! The rows of what figures say about what was, and what would have been.

pub mod promotion;
pub mod trial;
