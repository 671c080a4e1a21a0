//! What can go wrong with the machinery under the books. None of these is a refusal: the shop did not say no, it could not answer.

use std::fmt;

/// A failure of the machinery. Nothing of the command was kept, except where [`StoreError::OutcomeUnknown`] says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Two commands met on the same rows; the store tries again by itself, this is seen only when it gave up.
    Conflict,
    /// Too many commands wait already; try again in a moment.
    Busy,
    /// The database cannot be reached or written: disk full, file locked, connection lost. The text says which and what to do.
    Unavailable(String),
    /// The connection was lost while the commit was under way: it may have been kept. Repeating with the same idempotency key is safe.
    OutcomeUnknown,
    /// A row does not hold what the code expects.
    Corrupt(String),
    /// Another build of the program made the database, and its tables are not ours. The text says what to do.
    OtherBuild(String),
    /// The database refused a statement.
    Statement(String),
    /// The command broke an assertion of its own.
    Panicked(String),
    /// The store is shutting down.
    Closed,
}

impl StoreError {
    /// May the same command succeed if it is simply repeated later?
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            StoreError::Conflict
                | StoreError::Busy
                | StoreError::Unavailable(_)
                | StoreError::OutcomeUnknown
                | StoreError::Closed
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Conflict => out.write_str("two commands met on the same rows too often; try again"),
            StoreError::Busy => out.write_str("too many commands wait; try again in a moment"),
            StoreError::Unavailable(why) => write!(out, "the database cannot be used now: {why}"),
            StoreError::OutcomeUnknown => out
                .write_str("the connection was lost during the commit; repeat with the same idempotency key"),
            StoreError::Corrupt(what) => write!(out, "a stored row is not as expected: {what}"),
            StoreError::OtherBuild(what) => write!(out, "another build of tandem made this database: {what}"),
            StoreError::Statement(what) => write!(out, "the database refused a statement: {what}"),
            StoreError::Panicked(what) => write!(out, "the command failed an assertion: {what}"),
            StoreError::Closed => out.write_str("the store is closed"),
        }
    }
}
impl std::error::Error for StoreError {}
