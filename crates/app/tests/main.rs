//! What the program promises, told as stories: one test program for all of them, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]

mod at_once;
mod between;
mod carrier;
mod company;
mod crash;
mod crowd;
mod demo;
mod floor;
mod import;
mod localstripe;
mod merging;
mod payment;
mod personal_data;
mod program;
mod reconcile;
mod replay;
mod running;
mod same_order;
mod serve;
mod spend;
mod stripe;
mod trace;
mod webhook;
