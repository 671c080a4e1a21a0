//! Why a command did not happen: the shop said no, or the machinery could not answer.

use std::fmt;

use domain::{Code, Refusal};
use store::StoreError;

/// A command that did not happen. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The shop said no, for a reason a person can act on.
    Refused(Refusal),
    /// The machinery failed; logged at the edge and never shown in detail.
    Store(StoreError),
}

impl Failure {
    /// The refusal's code, if it is one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Failure::Refused(refusal) => Some(refusal.code()),
            Failure::Store(_) => None,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused(refusal) => refusal.fmt(out),
            Failure::Store(error) => error.fmt(out),
        }
    }
}
impl std::error::Error for Failure {}
