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

    /// The same refusal about a field; what the machinery says stays.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Failure {
        match self {
            Failure::Refused(refusal) => refusal.at(field).into(),
            store => store,
        }
    }

    /// The same refusal about a part, such as `lines.3`, whose fields get its path; what the machinery says stays.
    #[must_use]
    pub fn within(self, path: &str) -> Failure {
        match self {
            Failure::Refused(refusal) => refusal.within(path).into(),
            store => store,
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
