//! The demo retailer: a real giftware shop's year of invoices, its stores, its goods and its (invented) customers,
//! sorted by named rules so that every line of the source is accounted for to the last fraction of a penny.
//!
//! Nothing here talks to a server. [`source::Source`] is what a replay client works from; [`report::Report`] is what
//! it must end up with. The rules are told in words in `demo/README.md`.

pub mod amount;
pub mod assignment;
pub mod class;
pub mod columns;
pub mod countries;
pub mod locations;
pub mod matching;
pub mod people;
pub mod report;
pub mod rules;
pub mod source;
pub mod stock;
pub mod supplies;
pub mod tables;
