//! Taking in files: an import is begun with a file that was read, goes on batch by batch until every row was looked at, and after a
//! crash goes on where it stopped, because what a batch did and how far it is are kept in one transaction.

use domain::actor::{Actor, Permission};
use domain::import::{ERRORS_KEPT_MAX, Mode, Outcome, ROWS_AT_ONCE, ROWS_IN_ONE_MAX, State};
use domain::value::Id;
use domain::value::id::Import as ImportKind;
use domain::{Code, Refusal};
use serde_json::json;
use store::{StoreError, Tx, import as rows};

pub use file::{Entry, File, read};
pub use row::CellError;
pub use store::import::{Import, RowError};

use crate::event::emit;
use crate::{Failure, World};

mod area;
mod balance;
mod coupon;
mod customer;
pub mod export;
pub mod file;
mod list;
mod location;
mod order;
mod price;
mod product;
mod promotion;
pub mod row;
mod stock;

/// Begins an import of a file that was read. Nothing of it is taken yet.
///
/// # Errors
/// [`Code::Invalid`] when the file has too many rows to go in as a whole or not at all.
pub fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    file: &File,
    mode: Mode,
) -> Result<Import, Failure> {
    actor.may(Permission::Import, None)?;
    if mode == Mode::AllOrNothing && file.rows_total() > ROWS_IN_ONE_MAX {
        let message = format!(
            "the file has {} rows; at most {ROWS_IN_ONE_MAX} go in as a whole, because nobody else can write meanwhile: \
             split it, or take the rows that pass",
            file.rows_total()
        );
        return Err(Refusal::invalid("mode", message).into());
    }
    let import = Import {
        id: world.id(),
        kind: file.kind(),
        mode,
        state: State::Running,
        file_hash: file.hash().to_vec(),
        notes: file.notes().join("\n"),
        actor: actor.who.label(),
        rows_total: count(file.rows_total()),
        rows_read: 0,
        made: 0,
        changed: 0,
        same: 0,
        refused: 0,
        errors: 0,
        made_at: world.now(),
        changed_at: world.now(),
    };
    rows::add(tx, &import)?;
    let body = json!({ "kind": import.kind.text(), "mode": mode.text(), "rows": import.rows_total });
    emit(tx, actor, world, import.id, "import.begun", body);
    Ok(import)
}

/// Takes the next rows of an import: so many as go into one transaction, or all of them where all or nothing is taken. Answers how far
/// it is now; one that has ended stays as it is.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::Invalid`] when the file is another than it was begun with; [`Code::Stale`] when somebody else goes on
/// with it at the same time.
pub fn go_on(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<ImportKind>,
    file: &File,
) -> Result<Import, Failure> {
    let mut import = find(tx, actor, id)?;
    if import.file_hash != file.hash() {
        let message =
            "the file, its kind or its mapping is another than this import was begun with; give the same";
        return Err(Refusal::invalid("file", message).into());
    }
    if import.state != State::Running {
        return Ok(import);
    }
    let from = import.rows_read;
    let whole = import.mode == Mode::AllOrNothing;
    let entries = file.entries_from(
        usize::try_from(from).unwrap_or(usize::MAX),
        if whole { usize::MAX } else { ROWS_AT_ONCE },
    );
    let keep = import.mode == Mode::RowsThatPass;
    let unreadable = whole && entries.iter().any(|entry| entry.read.is_err());
    let tally = match (keep, unreadable) {
        // All or nothing, and already the reading says no: nothing needs to be tried.
        (false, true) => Tally::of_reading(file, entries),
        (true, _) => Tally::of_trying(tx, actor, world, file, entries)?,
        (false, false) => tried(tx, actor, world, (file, entries), whole)?,
    };
    note(tx, &mut import, &tally)?;
    import.rows_read = from + tally.rows;
    import.changed_at = world.now();
    if import.rows_read >= import.rows_total {
        import.state = if whole && import.refused > 0 { State::Refused } else { State::Done };
    }
    if import.state == State::Refused {
        (import.made, import.changed, import.same) = (0, 0, 0);
    }
    if !rows::advance(tx, &import, from)? {
        let message =
            format!("somebody else goes on with import {id} at the same time; wait and look at it again");
        return Err(Refusal::new(Code::Stale, message).into());
    }
    if import.state != State::Running {
        let body = json!({ "state": import.state.text(), "made": import.made, "changed": import.changed, "same": import.same, "refused": import.refused });
        emit(tx, actor, world, id, "import.ended", body);
    }
    Ok(import)
}

/// The import with this id.
///
/// # Errors
/// [`Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, id: Id<ImportKind>) -> Result<Import, Failure> {
    actor.may(Permission::Import, None)?;
    rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("import", id).into())
}

/// The imports before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<ImportKind>,
    limit: i64,
) -> Result<Vec<Import>, Failure> {
    actor.may(Permission::Import, None)?;
    Ok(rows::list(tx, before, limit)?)
}

/// What was told of rows that could not be taken, after a place, in the order of the file.
///
/// # Errors
/// [`Code::NotFound`].
pub fn errors(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<ImportKind>,
    after: i64,
    limit: i64,
) -> Result<Vec<RowError>, Failure> {
    find(tx, actor, id)?;
    Ok(rows::errors(tx, id, after, limit)?)
}

/// What became of some rows.
#[derive(Default)]
struct Tally {
    rows: i64,
    made: i64,
    changed: i64,
    same: i64,
    refused: i64,
    errors: Vec<CellError>,
}

impl Tally {
    /// Takes entries, each in a part of the transaction of its own.
    fn of_trying(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        file: &File,
        entries: &[Entry],
    ) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for entry in entries {
            match &entry.read {
                Err(errors) => tally.refuse(entry, errors.clone()),
                Ok(input) => match tx.savepoint(|tx| input.take(tx, actor, world)) {
                    Ok(outcome) => tally.count(entry, outcome),
                    Err(Failure::Refused(refusal)) => tally.refuse(entry, file.explain(entry, &refusal)),
                    Err(store) => return Err(store),
                },
            }
        }
        Ok(tally)
    }

    /// What reading alone says of entries.
    fn of_reading(_file: &File, entries: &[Entry]) -> Tally {
        let mut tally = Tally::default();
        for entry in entries {
            match &entry.read {
                Err(errors) => tally.refuse(entry, errors.clone()),
                Ok(_) => tally.rows += entry.rows(),
            }
        }
        tally
    }

    fn count(&mut self, entry: &Entry, outcome: Outcome) {
        self.rows += entry.rows();
        *match outcome {
            Outcome::Made => &mut self.made,
            Outcome::Changed => &mut self.changed,
            Outcome::Same => &mut self.same,
        } += entry.rows();
    }

    fn refuse(&mut self, entry: &Entry, mut errors: Vec<CellError>) {
        self.rows += entry.rows();
        self.refused += entry.rows();
        self.errors.append(&mut errors);
    }
}

/// Why a part of a transaction is undone on purpose, with what was found out by it.
enum Undone {
    Tried(Tally),
    Failed(Failure),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Undone {
        Undone::Failed(error.into())
    }
}

/// Takes entries and undoes them again: always on a dry run, and where all or nothing is taken when one cannot be.
fn tried(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (file, entries): (&File, &[Entry]),
    whole: bool,
) -> Result<Tally, Failure> {
    let outcome = tx.savepoint(|tx| {
        let tally = Tally::of_trying(tx, actor, world, file, entries).map_err(Undone::Failed)?;
        if whole && tally.refused == 0 { Ok(tally) } else { Err(Undone::Tried(tally)) }
    });
    match outcome {
        Ok(tally) | Err(Undone::Tried(tally)) => Ok(tally),
        Err(Undone::Failed(failure)) => Err(failure),
    }
}

/// Adds what became of some rows to an import, and keeps what was told of them.
fn note(tx: &mut Tx<'_>, import: &mut Import, tally: &Tally) -> Result<(), Failure> {
    import.made += tally.made;
    import.changed += tally.changed;
    import.same += tally.same;
    import.refused += tally.refused;
    for error in &tally.errors {
        import.errors += 1;
        if import.errors <= ERRORS_KEPT_MAX {
            rows::add_error(tx, import.id, &error.kept(import.errors))?;
        }
    }
    Ok(())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
