//! Promotions, told as a shopkeeper would, and what holds of every cart whatever the promotions are.

mod always;
mod ground;
mod money;
mod story;
