//! The rows of counts: what is counted, what colleagues counted of it, and which count of a variant is open at a location.

pub mod find;
pub mod tally;

use domain::count::{LineState, Origin, State, Tolerance};
use domain::value::id::{self, Location, Variant};
use domain::value::{Currency, Id, Instant, Money};

use crate::{Row, StoreError, Tx, params};

/// A count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its identity.
    pub id: Id<id::Count>,
    /// Where.
    pub location: Id<Location>,
    /// Where it stands.
    pub state: State,
    /// Why it is done.
    pub origin: Origin,
    /// Is what the books have kept from who counts?
    pub blind: bool,
    /// The retailer's words.
    pub note: Option<String>,
    /// What caused it: kind and id in text.
    pub cause: Option<(String, String)>,
    /// When it was asked for.
    pub asked_at: Instant,
    /// When the first piece was counted.
    pub begun_at: Option<Instant>,
    /// When all was counted.
    pub counted_at: Option<Instant>,
    /// When it was posted or cancelled.
    pub ended_at: Option<Instant>,
}

/// A variant of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The variant.
    pub variant: Id<Variant>,
    /// Where it stands.
    pub state: LineState,
    /// The round it is in, from 1.
    pub round: i64,
    /// What came of the last round that ended.
    pub counted: Option<Counted>,
    /// What was missing at the end of that round.
    pub missing: i64,
    /// What a piece was worth then.
    pub value: Option<Money>,
}

/// What was counted, and what the books had meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Pieces counted.
    pub finding: domain::count::Finding,
    /// How many more than the books had, or fewer.
    pub difference: i64,
}

impl Line {
    /// A line to be counted.
    pub const fn new(variant: Id<Variant>) -> Line {
        Line { variant, state: LineState::Open, round: 1, counted: None, missing: 0, value: None }
    }
}

/// Adds a count.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &Count) -> Result<(), StoreError> {
    let (kind, cause) = new.cause.as_ref().map_or((None, None), |(kind, id)| (Some(kind), Some(id)));
    tx.execute(
        "insert into count (count_id, location_id, state, origin, blind, note, cause_kind, cause_id, asked_at, begun_at, counted_at, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            new.id, new.location, new.state.code(), new.origin.code(), new.blind, new.note.as_ref(), kind, cause, new.asked_at, new.begun_at,
            new.counted_at, new.ended_at
        ],
    )?;
    Ok(())
}

/// Adds a line, unless the variant is in an open count at the location: then the open one is answered and nothing is added.
///
/// # Errors
/// What the store says.
pub fn add_line(
    tx: &mut Tx<'_>,
    count: &Count,
    variant: Id<Variant>,
) -> Result<Option<Id<id::Count>>, StoreError> {
    let taken = tx.execute(
        "insert into count_spot (variant_id, location_id, count_id) values ($1, $2, $3)
         on conflict (variant_id, location_id) do update set count_id = excluded.count_id where count_spot.count_id is null",
        params![variant, count.location, count.id],
    )?;
    if taken == 0 {
        return open_count(tx, variant, count.location);
    }
    let line = Line::new(variant);
    tx.execute(
        "insert into count_line (count_id, variant_id, state, round) values ($1, $2, $3, $4)",
        params![count.id, variant, line.state.code(), line.round],
    )?;
    Ok(None)
}

/// The open count of a variant at a location; nobody opens or ends another until the commit.
///
/// # Errors
/// What the store says.
pub fn open_count(
    tx: &mut Tx<'_>,
    variant: Id<Variant>,
    location: Id<Location>,
) -> Result<Option<Id<id::Count>>, StoreError> {
    let found = tx.one(
        "select count_id from count_spot where variant_id = $1 and location_id = $2 {lock}",
        params![variant, location],
        |row| row.id_or_null(),
    )?;
    Ok(found.flatten())
}

/// The variant is in no open count any more; when it was counted there if it was.
///
/// # Errors
/// What the store says.
pub fn leave_spot(
    tx: &mut Tx<'_>,
    count: &Count,
    variant: Id<Variant>,
    counted_at: Option<Instant>,
) -> Result<(), StoreError> {
    tx.execute(
        "update count_spot set count_id = null, counted_at = coalesce($4, counted_at)
         where variant_id = $1 and location_id = $2 and count_id = $3",
        params![variant, count.location, count.id, counted_at],
    )?;
    Ok(())
}

fn count_of(row: &mut Row<'_>) -> Result<Count, StoreError> {
    Ok(Count {
        id: row.id()?,
        location: row.id()?,
        state: row.word(State::coded)?,
        origin: row.word(Origin::coded)?,
        blind: row.yes()?,
        note: row.text_or_null()?,
        cause: row.text_or_null()?.zip(row.text_or_null()?),
        asked_at: row.instant()?,
        begun_at: row.instant_or_null()?,
        counted_at: row.instant_or_null()?,
        ended_at: row.instant_or_null()?,
    })
}

/// A count.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, count: Id<id::Count>) -> Result<Option<Count>, StoreError> {
    tx.one(
        "select count_id, location_id, state, origin, blind, note, cause_kind, cause_id, asked_at, begun_at, counted_at, ended_at
         from count where count_id = $1",
        params![count],
        count_of,
    )
}

/// A count, which nobody else takes further until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, count: Id<id::Count>) -> Result<Option<Count>, StoreError> {
    tx.one(
        "select count_id, location_id, state, origin, blind, note, cause_kind, cause_id, asked_at, begun_at, counted_at, ended_at
         from count where count_id = $1 {lock}",
        params![count],
        count_of,
    )
}

/// The counts of a location before one, the newest first, at most `limit`; only the open ones when asked so.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    location: Id<Location>,
    open: bool,
    before: Id<id::Count>,
    limit: i64,
) -> Result<Vec<Count>, StoreError> {
    tx.rows(
        "select count_id, location_id, state, origin, blind, note, cause_kind, cause_id, asked_at, begun_at, counted_at, ended_at
         from count where location_id = $1 and count_id < $2 and ($3 = 0 or ended_at is null) order by count_id desc limit $4",
        params![location, before, open, limit],
        count_of,
    )
}

/// Writes where a count stands.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, count: &Count) -> Result<(), StoreError> {
    tx.execute(
        "update count set state = $2, begun_at = $3, counted_at = $4, ended_at = $5 where count_id = $1",
        params![count.id, count.state.code(), count.begun_at, count.counted_at, count.ended_at],
    )?;
    Ok(())
}

fn line_of(row: &mut Row<'_>) -> Result<Line, StoreError> {
    let (variant, state, round) = (row.id()?, row.word(LineState::coded)?, row.int()?);
    let counted = row.int_or_null()?.zip(row.int_or_null()?.zip(row.int_or_null()?));
    let missing = row.int_or_null()?.unwrap_or(0);
    let difference = row.int_or_null()?;
    let counted = counted.zip(difference).map(|((counted, (booked_least, booked_most)), difference)| {
        let finding = domain::count::Finding { counted, booked_least, booked_most };
        Counted { finding, difference }
    });
    Ok(Line { variant, state, round, counted, missing, value: money(row)? })
}

/// An amount and its currency in the next two columns, or none.
fn money(row: &mut Row<'_>) -> Result<Option<Money>, StoreError> {
    let (minor, currency) = (row.int_or_null()?, row.value_or_null(Currency::parse)?);
    let read = |(minor, currency)| {
        Money::new(minor, currency).map_err(|error| StoreError::Corrupt(format!("a value: {error}")))
    };
    minor.zip(currency).map(read).transpose()
}

/// The lines of a count, in the order of variants; nobody else changes them until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_lines(tx: &mut Tx<'_>, count: Id<id::Count>) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select variant_id, state, round, counted, booked_least, booked_most, missing, difference, value_minor, currency
         from count_line where count_id = $1 order by variant_id {lock}",
        params![count],
        line_of,
    )
}

/// The lines of a count, in the order of variants.
///
/// # Errors
/// What the store says.
pub fn lines(tx: &mut Tx<'_>, count: Id<id::Count>) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select variant_id, state, round, counted, booked_least, booked_most, missing, difference, value_minor, currency
         from count_line where count_id = $1 order by variant_id",
        params![count],
        line_of,
    )
}

/// Writes where a line stands. The count is locked.
///
/// # Errors
/// What the store says.
pub fn update_line(tx: &mut Tx<'_>, count: Id<id::Count>, line: &Line) -> Result<(), StoreError> {
    let finding = line.counted.map(|counted| counted.finding);
    tx.execute(
        "update count_line set state = $3, round = $4, counted = $5, booked_least = $6, booked_most = $7, missing = $8, difference = $9,
             value_minor = $10, currency = $11
         where count_id = $1 and variant_id = $2",
        params![
            count, line.variant, line.state.code(), line.round, finding.map(|one| one.counted), finding.map(|one| one.booked_least),
            finding.map(|one| one.booked_most), line.missing, line.counted.map(|one| one.difference), line.value.map(Money::minor),
            line.value.map(|value| value.currency().code())
        ],
    )?;
    Ok(())
}

/// How a location counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The location.
    pub location: Id<Location>,
    /// Beyond which difference a line is counted again.
    pub tolerance: Tolerance,
    /// Must another colleague count again?
    pub other_colleague: bool,
    /// How many variants are counted each day, by their turn.
    pub each_day: i64,
    /// When the next are proposed.
    pub next_at: Instant,
}

/// The rule of a location, if one was set.
///
/// # Errors
/// What the store says.
pub fn rule(tx: &mut Tx<'_>, location: Id<Location>) -> Result<Option<Rule>, StoreError> {
    tx.one(
        "select location_id, pieces, percent, value_minor, currency, other_colleague, each_day, next_at from count_rule where location_id = $1",
        params![location],
        rule_of,
    )
}

fn rule_of(row: &mut Row<'_>) -> Result<Rule, StoreError> {
    Ok(Rule {
        location: row.id()?,
        tolerance: Tolerance { pieces: row.int_or_null()?, percent: row.int_or_null()?, value: money(row)? },
        other_colleague: row.yes()?,
        each_day: row.int()?,
        next_at: row.instant()?,
    })
}

/// Sets the rule of a location.
///
/// # Errors
/// What the store says.
pub fn set_rule(tx: &mut Tx<'_>, rule: &Rule) -> Result<(), StoreError> {
    let Tolerance { pieces, percent, value } = rule.tolerance;
    tx.execute(
        "insert into count_rule (location_id, pieces, percent, value_minor, currency, other_colleague, each_day, next_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (location_id) do update set pieces = excluded.pieces, percent = excluded.percent, value_minor = excluded.value_minor,
             currency = excluded.currency, other_colleague = excluded.other_colleague, each_day = excluded.each_day, next_at = excluded.next_at",
        params![
            rule.location, pieces, percent, value.map(Money::minor), value.map(|value| value.currency().code()), rule.other_colleague,
            rule.each_day, rule.next_at
        ],
    )?;
    Ok(())
}

/// The first rule of a location whose turn to propose has come.
///
/// # Errors
/// What the store says.
pub fn rule_due(tx: &mut Tx<'_>, now: Instant) -> Result<Option<Rule>, StoreError> {
    let found = tx.rows(
        "select location_id, pieces, percent, value_minor, currency, other_colleague, each_day, next_at from count_rule
         where each_day > 0 and next_at <= $1 order by next_at, location_id limit 1",
        params![now],
        rule_of,
    )?;
    Ok(found.into_iter().next())
}
