//! What the store promises, told as stories: one test program for all of them, so that it is linked once.

mod each;
mod faults;
mod migration;
mod statements;
mod tls;
