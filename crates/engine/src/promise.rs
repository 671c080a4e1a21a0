//! Promises: what is to arrive, when something can be had where, and what customers were told about when they have their goods.

pub mod answer;
pub mod date;
pub mod expected;
mod nearby;
pub mod waiting;
