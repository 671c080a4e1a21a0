//! Matching: which records tell of the same person. The fields of two persons are compared, each agreement weighs as much as it is rarer
//! among strangers than in one person (Fellegi and Sunter), and the sum decides: one person, a question for a colleague, or two.
//!
//! Pure rules: who reads persons, keeps models and joins customers is elsewhere. A number of the state is never compared.

pub mod block;
pub mod bulk;
pub mod cluster;
pub mod crowd;
mod distance;
pub mod explain;
pub(crate) mod fold;
pub mod level;
pub mod model;
pub mod person;
pub mod review;
pub mod train;

pub use block::{Key, candidates, finer, keys};
pub use crowd::Crowd;
pub use explain::{Explanation, explain};
pub use level::pattern;
pub use model::{Band, Model};
pub use person::{Facts, Field, Person};

/// What the model says of two persons: decision and reasons. It does not matter who is the first.
pub fn compare(model: &Model, one: &Person, other: &Person) -> Explanation {
    explain(model, &pattern(one, other))
}
