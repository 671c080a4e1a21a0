//! What the program `tandem` is made of, beyond its command line: today the demo retailer it shows itself with.

pub mod demo;
