//! Taking in files: an import is begun with a file that was read, goes on batch by batch until every row was looked at, and after a
//! crash goes on where it stopped, because what a batch did and how far it is are kept in one transaction.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::import::source::Precedence;
use domain::import::{ERRORS_KEPT_MAX, Mode, Outcome, ROWS_AT_ONCE, ROWS_IN_ONE_MAX, State};
use domain::value::id::{Customer, Import as ImportKind};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{StoreError, Tx, import as rows};

pub use file::{Entry, File, read, read_from};
pub use row::CellError;
pub use source::Origin;
pub use store::import::{Import, RowError};

use source::{Finding, Source};

use crate::event::emit;
use crate::{Failure, World};

mod area;
mod balance;
mod consent;
mod coupon;
mod customer;
mod earlier;
pub mod export;
pub mod file;
mod list;
mod listed;
mod location;
mod order;
mod person;
mod price;
mod product;
mod promotion;
mod raw;
pub mod row;
pub mod source;
mod stock;

/// What is told of rows that bring an address back of somebody who was erased.
const ERASED: &str = "whoever had this address was erased, and is made anew; what was agreed to before does not come back. Take the lines out \
    unless the person came again by themselves";
/// What is told of an import beside its rows ends at about so many bytes.
const NOTES_BYTES_MAX: usize = 20_000;

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
    let from = match file.origin() {
        Some(origin) => Some((origin, source::named(tx, &origin.source)?)),
        None => None,
    };
    let import = Import {
        id: world.id(),
        kind: file.kind(),
        mode,
        state: State::Running,
        source: from.as_ref().map(|(_, source)| source.code.clone()),
        precedence: from.as_ref().map(|(origin, source)| origin.precedence.unwrap_or(source.precedence)),
        file_hash: file.hash().to_vec(),
        notes: file.notes().join("\n"),
        actor: actor.who.label(),
        rows_total: count(file.rows_total()),
        rows_read: 0,
        made: 0,
        changed: 0,
        same: 0,
        joined: 0,
        review: 0,
        findings: 0,
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
    let mut batch = Batch::of(tx, &import, file)?;
    let tally = match (keep, unreadable) {
        // All or nothing, and already the reading says no: nothing needs to be tried.
        (false, true) => Tally::of_reading(file, entries),
        (true, _) => Tally::of_trying(tx, actor, world, &mut batch, entries)?,
        (false, false) => tried(tx, actor, world, (&mut batch, entries), whole)?,
    };
    note(tx, &mut import, &tally)?;
    import.rows_read = from + tally.rows;
    import.changed_at = world.now();
    if import.rows_read >= import.rows_total {
        import.state = if whole && import.refused > 0 { State::Refused } else { State::Done };
    }
    if import.state == State::Refused {
        (import.made, import.changed, import.same, import.joined, import.review) = (0, 0, 0, 0, 0);
    }
    if !rows::advance(tx, &import, from)? {
        let message =
            format!("somebody else goes on with import {id} at the same time; wait and look at it again");
        return Err(Refusal::new(Code::Stale, message).into());
    }
    if import.state != State::Running {
        let body = json!({ "state": import.state.text(), "made": import.made, "changed": import.changed, "same": import.same,
            "joined": import.joined, "review": import.review, "refused": import.refused });
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

/// What is known around the rows that are taken together.
struct Batch<'f> {
    file: &'f File,
    /// Where the file comes from, and who is right.
    from: Option<From>,
    /// So many rows before these were only tried: nothing of them is in the books.
    tried_before: usize,
    /// Who was made by these rows, with the lines.
    made: BTreeMap<Id<Customer>, u64>,
}

/// Where a file comes from, and whom it is held against.
struct From {
    source: Source,
    precedence: Precedence,
    /// When the import began: what has no instant of its own was said then.
    at: Instant,
    /// How far each source is trusted.
    trusts: BTreeMap<String, i64>,
}

impl<'f> Batch<'f> {
    fn of(tx: &mut Tx<'_>, import: &Import, file: &'f File) -> Result<Batch<'f>, Failure> {
        let from = match (&import.source, import.precedence) {
            (Some(code), Some(precedence)) => {
                let all = rows::source::list(tx)?;
                let trusts = all.iter().map(|one| (one.code.clone(), one.trust)).collect();
                Some(From { source: source::named(tx, code)?, precedence, at: import.made_at, trusts })
            }
            _ => None,
        };
        let tried_before = if import.mode == Mode::DryRun { import.rows_read } else { 0 };
        let tried_before = usize::try_from(tried_before).unwrap_or(usize::MAX);
        Ok(Batch { file, from, tried_before, made: BTreeMap::new() })
    }
}

/// What became of an entry.
struct Taken {
    outcome: Outcome,
    /// What was found out: whom the row is of, whom it may be of.
    findings: Vec<Finding>,
    /// Who was made by it.
    made: Option<Id<Customer>>,
    /// Does it bring an address back of somebody who was erased?
    was_erased: bool,
}

impl std::convert::From<Outcome> for Taken {
    fn from(outcome: Outcome) -> Taken {
        Taken { outcome, findings: Vec::new(), made: None, was_erased: false }
    }
}

/// What became of some rows.
#[derive(Default)]
struct Tally {
    rows: i64,
    made: i64,
    changed: i64,
    same: i64,
    joined: i64,
    review: i64,
    refused: i64,
    errors: Vec<CellError>,
    findings: Vec<Finding>,
    /// The lines that bring an address back of somebody who was erased.
    erased: Vec<String>,
}

impl Tally {
    /// Takes entries, each in a part of the transaction of its own.
    fn of_trying(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        batch: &mut Batch<'_>,
        entries: &[Entry],
    ) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for entry in entries {
            match &entry.read {
                Err(errors) => tally.refuse(entry, errors.clone()),
                Ok(input) => match tx.savepoint(|tx| input.take(tx, actor, world, (batch, entry))) {
                    Ok(taken) => {
                        let line = batch.file.line(entry);
                        batch.made.extend(taken.made.map(|id| (id, line)));
                        tally.erased.extend(taken.was_erased.then(|| line.to_string()));
                        tally.count(entry, taken);
                    }
                    Err(Failure::Refused(refusal)) => {
                        tally.refuse(entry, batch.file.explain(entry, &refusal))
                    }
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

    fn count(&mut self, entry: &Entry, taken: Taken) {
        self.rows += entry.rows();
        *match taken.outcome {
            Outcome::Made => &mut self.made,
            Outcome::Changed => &mut self.changed,
            Outcome::Same => &mut self.same,
            Outcome::Joined => &mut self.joined,
        } += entry.rows();
        self.review += i64::from(taken.findings.iter().any(|finding| !finding.is_joined));
        self.findings.extend(taken.findings);
    }

    fn refuse(&mut self, entry: &Entry, mut errors: Vec<CellError>) {
        self.rows += entry.rows();
        self.refused += entry.rows();
        self.errors.append(&mut errors);
    }
}

/// Why a part of a transaction is undone on purpose, with what was found out by it.
enum Undone {
    Tried(Box<Tally>),
    Failed(Failure),
}

impl std::convert::From<StoreError> for Undone {
    fn from(error: StoreError) -> Undone {
        Undone::Failed(error.into())
    }
}

/// Takes entries and undoes them again: always on a dry run, and where all or nothing is taken when one cannot be.
fn tried(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (batch, entries): (&mut Batch<'_>, &[Entry]),
    whole: bool,
) -> Result<Tally, Failure> {
    let outcome = tx.savepoint(|tx| {
        let tally = Tally::of_trying(tx, actor, world, batch, entries).map_err(Undone::Failed)?;
        if whole && tally.refused == 0 { Ok(tally) } else { Err(Undone::Tried(Box::new(tally))) }
    });
    match outcome {
        Ok(tally) => Ok(tally),
        Err(Undone::Tried(tally)) => Ok(*tally),
        Err(Undone::Failed(failure)) => Err(failure),
    }
}

/// Adds what became of some rows to an import, and keeps what was told of them.
fn note(tx: &mut Tx<'_>, import: &mut Import, tally: &Tally) -> Result<(), Failure> {
    import.made += tally.made;
    import.changed += tally.changed;
    import.same += tally.same;
    import.joined += tally.joined;
    import.review += tally.review;
    import.refused += tally.refused;
    if !tally.erased.is_empty() && import.notes.len() < NOTES_BYTES_MAX {
        import.notes += &format!("\nlines {}: {ERASED}", tally.erased.join(", "));
    }
    for finding in &tally.findings {
        import.findings += 1;
        if import.findings <= ERRORS_KEPT_MAX {
            rows::source::add_finding(tx, import.id, import.findings, finding)?;
        }
    }
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
