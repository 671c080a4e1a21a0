//! The rows of trainings: what is done with all customers while the shop is open, one at a time. A model of who is one person is learnt, or all are compared.

use domain::merging::{Task, TrainingState};
use domain::value::id::MatchTraining;
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A model that is, was or shall be learnt; or a comparison of all customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Training {
    /// Its identity.
    pub id: Id<MatchTraining>,
    /// What is done.
    pub task: Task,
    /// Where learning begins to take pairs at random.
    pub seed: i64,
    /// Where it stands.
    pub state: TrainingState,
    /// How many customers were read so far.
    pub customers: i64,
    /// The number of the model that was learnt.
    pub number: Option<i64>,
    /// What both models say of the same customers, or what came of comparing them so far: a document.
    pub figures: Option<String>,
    /// Why it could not be done.
    pub why: Option<String>,
    /// Who asked for it.
    pub asked_by: String,
    /// How often it was begun.
    pub tries: i64,
    /// Until when it is somebody's.
    pub claimed_until: Instant,
    /// When it was asked for.
    pub made_at: Instant,
    /// When it began.
    pub began_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

fn training(row: &mut Row<'_>) -> Result<Training, StoreError> {
    Ok(Training {
        id: row.id()?,
        task: row.word(Task::coded)?,
        seed: row.int()?,
        state: row.word(TrainingState::coded)?,
        customers: row.int()?,
        number: row.int_or_null()?,
        figures: row.text_or_null()?,
        why: row.text_or_null()?,
        asked_by: row.text()?,
        tries: row.int()?,
        claimed_until: row.instant()?,
        made_at: row.instant()?,
        began_at: row.instant_or_null()?,
        ended_at: row.instant_or_null()?,
    })
}

/// Notes what shall be done; false when another training is under way.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Training) -> Result<bool, StoreError> {
    let first = tx.execute(
        "insert into match_training_now (place, training_id) values (1, $1) on conflict (place) do nothing",
        params![one.id],
    )?;
    if first == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into match_training (training_id, task, seed, state, customers, asked_by, tries, claimed_until, made_at)
         values ($1, $7, $2, $3, 0, $4, 0, $5, $6)",
        params![one.id, one.seed, one.state.code(), &one.asked_by, one.claimed_until, one.made_at, one.task.code()],
    )?;
    Ok(true)
}

/// The training that is under way, if it is nobody's at an instant.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Training>, StoreError> {
    tx.one(
        "select t.training_id, t.task, t.seed, t.state, t.customers, t.number, t.figures, t.why, t.asked_by, t.tries, t.claimed_until, t.made_at,
             t.began_at, t.ended_at
         from match_training_now n join match_training t on t.training_id = n.training_id where n.place = 1 and t.claimed_until <= $1",
        params![now],
        training,
    )
}

/// Makes a training somebody's until an instant, begun once more; false when it is somebody else's already.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, one: &Training, now: Instant, until: Instant) -> Result<bool, StoreError> {
    let claimed = tx.execute(
        "update match_training set state = 2, customers = 0, tries = tries + 1, claimed_until = $4, began_at = $3
         where training_id = $1 and tries = $2 and state in (1, 2)",
        params![one.id, one.tries, now, until],
    )?;
    Ok(claimed == 1)
}

/// Notes how far it is as it stands in `one`: how many customers were read, and figures; false when it is somebody else's by now, or was
/// stopped.
///
/// # Errors
/// What the store says.
pub fn note(tx: &mut Tx<'_>, one: &Training, until: Instant) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update match_training set customers = $3, figures = $4, claimed_until = $5 where training_id = $1 and tries = $2 and state = 2",
        params![one.id, one.tries, one.customers, one.figures.as_ref(), until],
    )?;
    Ok(noted == 1)
}

/// Ends a training as it stands in `one`; false when it is somebody else's by now, or ended before.
///
/// # Errors
/// What the store says.
pub fn end(tx: &mut Tx<'_>, one: &Training) -> Result<bool, StoreError> {
    let ended = tx.execute(
        "update match_training set state = $3, customers = $4, number = $5, figures = $6, why = $7, ended_at = $8
         where training_id = $1 and tries = $2 and state in (1, 2)",
        params![
            one.id,
            one.tries,
            one.state.code(),
            one.customers,
            one.number,
            one.figures.as_ref(),
            one.why.as_ref(),
            one.ended_at
        ],
    )?;
    if ended == 1 {
        tx.execute("delete from match_training_now where place = 1 and training_id = $1", params![one.id])?;
    }
    Ok(ended == 1)
}

/// A training.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<MatchTraining>) -> Result<Option<Training>, StoreError> {
    tx.one(
        "select training_id, task, seed, state, customers, number, figures, why, asked_by, tries, claimed_until, made_at, began_at, ended_at
         from match_training where training_id = $1",
        params![id],
        training,
    )
}

/// The trainings of a task before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    task: Task,
    before: Id<MatchTraining>,
    limit: i64,
) -> Result<Vec<Training>, StoreError> {
    tx.rows(
        "select training_id, task, seed, state, customers, number, figures, why, asked_by, tries, claimed_until, made_at, began_at, ended_at
         from match_training where training_id < $1 and task = $3 order by training_id desc limit $2",
        params![before, limit, task.code()],
        training,
    )
}
