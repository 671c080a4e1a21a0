//! What the API promises, told as stories: one test program for all of them, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails the test")]

mod actor;
mod authorisation;
mod bad_input;
mod behaviour;
mod body;
mod bulk;
mod cart;
mod catalogue;
mod change;
mod connection;
mod cross_origin;
mod delivery;
mod desk;
mod event;
mod every_field;
mod import;
mod join;
mod location;
mod openapi;
mod order_page;
mod own_email;
mod passkey;
mod payment;
mod print;
mod privacy;
mod promise;
mod promotion;
mod segment;
mod server;
mod session;
mod sign_on;
mod start;
mod status;
mod webhook;
