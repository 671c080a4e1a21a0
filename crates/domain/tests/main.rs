//! What the rules promise, told as stories: one test program for all of them, so that it is linked once.

mod identity;
mod matching;
mod promotion;
mod routing;
mod segment;
