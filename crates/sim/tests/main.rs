//! What the simulated world is good for, told as stories: one test program for all of them, so that it is linked once.

mod backup;
mod check;
mod consent;
mod merged;
mod persons;
mod postgres;
mod receivable;
mod server;
mod simulation;
