//! Doing many things at once: either all of them or none, or those that can be done, with an answer for each.

use domain::Refusal;
use domain::actor::Actor;
use engine::{Failure, World};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;

use crate::app::Reply;
use crate::problem::{Problem, ProblemShape};

/// The most things done at once.
pub const ITEMS_MAX: usize = 500;

/// What becomes of the rest when one cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Nothing is done; the problem names every one that cannot be done.
    AllOrNothing,
    /// Those that can be done are done; the others are answered with their problem.
    RowsThatPass,
}

/// Many things to be done at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk<T> {
    /// What becomes of the rest when one cannot be done.
    on_error: OnError,
    /// The things, 1 to 500.
    #[schema(min_items = 1, max_items = 500)]
    items: Vec<T>,
}

/// What became of each thing, in the order in which they were given.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswer<T> {
    /// How many were done.
    done: usize,
    /// How many were refused.
    refused: usize,
    /// One answer for each.
    results: Vec<BulkResult<T>>,
}

/// What became of one thing.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkResult<T> {
    /// Its place in the list given, from 0.
    index: usize,
    /// Whether it was done.
    status: BulkStatus,
    /// The thing, when it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<T>,
    /// Why it was refused, when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemShape>,
}

/// Whether one thing was done.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    /// It was.
    Done,
    /// It was not.
    Refused,
}

/// Many things that were read: each is a value, or what is wrong with it.
#[derive(Clone, Debug)]
pub struct Rows<I> {
    on_error: OnError,
    rows: Vec<Result<I, Refusal>>,
}

impl<T> Bulk<T> {
    /// Reads each thing by itself, so that one that cannot be read does not hide the others.
    ///
    /// # Errors
    /// When there are none or too many.
    pub fn read<I>(&self, read: impl Fn(&T) -> Result<I, Refusal>) -> Result<Rows<I>, Problem> {
        if self.items.is_empty() || self.items.len() > ITEMS_MAX {
            return Err(Refusal::invalid("items", format!("give 1 to {ITEMS_MAX} items at once")).into());
        }
        Ok(Rows { on_error: self.on_error, rows: self.items.iter().map(read).collect() })
    }
}

impl<I: Clone> Rows<I> {
    /// Does each thing in a part of the transaction of its own, and answers for all of them.
    ///
    /// # Errors
    /// With [`OnError::AllOrNothing`] the refusals of all that cannot be done, as `items.3.sku`; the machinery's failures.
    pub fn perform<T, S: Serialize>(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        mut each: impl FnMut(&mut Tx<'_>, &Actor, &mut World, I) -> Result<T, Failure>,
        shape: impl Fn(&T) -> S,
    ) -> Result<Reply, Failure> {
        let (mut results, mut refusals) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for (index, row) in self.rows.iter().enumerate() {
            let outcome = match row {
                Ok(input) => tx.savepoint(|tx| each(tx, actor, world, input.clone())),
                Err(refusal) => Err(refusal.clone().into()),
            };
            match outcome {
                Ok(thing) => {
                    let item = Some(shape(&thing));
                    results.push(BulkResult { index, status: BulkStatus::Done, item, problem: None });
                }
                Err(Failure::Store(error)) => return Err(error.into()),
                Err(Failure::Refused(refusal)) => {
                    refusals.push(refusal.clone().within(&format!("items.{index}")));
                    let problem = Some(Problem::from(refusal).into_shape());
                    results.push(BulkResult { index, status: BulkStatus::Refused, item: None, problem });
                }
            }
        }
        let refused = refusals.len();
        match Refusal::all(refusals) {
            Some(refusal) if self.on_error == OnError::AllOrNothing => Err(refusal.into()),
            _ => Reply::json(&BulkAnswer { done: results.len() - refused, refused, results }),
        }
    }
}
