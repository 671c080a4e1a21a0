//! The rows of what a second person must agree to: the bounds of a location, and write-offs that wait.

use domain::stock::{State, WriteOffReason, WriteOffState};
use domain::value::id::{Location, Variant, WriteOff as Kind};
use domain::value::{Currency, Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// Above which value a second person must agree at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The location.
    pub location: Id<Location>,
    /// The currency of the bounds.
    pub currency: Currency,
    /// To write goods off.
    pub write_off_minor: Option<i64>,
    /// To send goods to another location.
    pub transfer_minor: Option<i64>,
}

/// The rule of a location, if one was set.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, location: Id<Location>) -> Result<Option<Rule>, StoreError> {
    tx.one(
        "select location_id, currency, write_off_minor, transfer_minor from stock_rule where location_id = $1",
        params![location],
        |row| {
            Ok(Rule {
                location: row.id()?,
                currency: row.value(Currency::parse)?,
                write_off_minor: row.int_or_null()?,
                transfer_minor: row.int_or_null()?,
            })
        },
    )
}

/// Sets the rule of a location.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, rule: &Rule) -> Result<(), StoreError> {
    tx.execute(
        "insert into stock_rule (location_id, write_off_minor, transfer_minor, currency) values ($1, $2, $3, $4)
         on conflict (location_id) do update set write_off_minor = excluded.write_off_minor, transfer_minor = excluded.transfer_minor,
             currency = excluded.currency",
        params![rule.location, rule.write_off_minor, rule.transfer_minor, rule.currency.code()],
    )?;
    Ok(())
}

/// Goods to be written off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteOff {
    /// Its identity.
    pub id: Id<Kind>,
    /// Where.
    pub location: Id<Location>,
    /// The variant.
    pub variant: Id<Variant>,
    /// In which state the goods are.
    pub from: State,
    /// How many.
    pub quantity: i64,
    /// Why.
    pub reason: WriteOffReason,
    /// The retailer's paper.
    pub reference: Option<String>,
    /// Where it stands.
    pub state: WriteOffState,
    /// Who asked for it, as text.
    pub asked_by: String,
    /// When.
    pub asked_at: Instant,
    /// Who agreed or did not.
    pub ended_by: Option<String>,
    /// When.
    pub ended_at: Option<Instant>,
}

/// Adds a write-off.
///
/// # Errors
/// What the store says.
pub fn add_write_off(tx: &mut Tx<'_>, new: &WriteOff) -> Result<(), StoreError> {
    tx.execute(
        "insert into write_off (write_off_id, location_id, variant_id, from_state, quantity, reason, reference, state, asked_by, asked_at,
             ended_by, ended_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            new.id, new.location, new.variant, new.from.code(), new.quantity, new.reason.code(), new.reference.as_ref(), new.state.code(),
            &new.asked_by, new.asked_at, new.ended_by.as_ref(), new.ended_at
        ],
    )?;
    Ok(())
}

/// Writes where a write-off stands. It is locked.
///
/// # Errors
/// What the store says.
pub fn end_write_off(tx: &mut Tx<'_>, one: &WriteOff) -> Result<(), StoreError> {
    tx.execute(
        "update write_off set state = $2, ended_by = $3, ended_at = $4 where write_off_id = $1",
        params![one.id, one.state.code(), one.ended_by.as_ref(), one.ended_at],
    )?;
    Ok(())
}

fn write_off(row: &mut Row<'_>) -> Result<WriteOff, StoreError> {
    Ok(WriteOff {
        id: row.id()?,
        location: row.id()?,
        variant: row.id()?,
        from: row.word(State::coded)?,
        quantity: row.int()?,
        reason: row.word(WriteOffReason::coded)?,
        reference: row.text_or_null()?,
        state: row.word(WriteOffState::coded)?,
        asked_by: row.text()?,
        asked_at: row.instant()?,
        ended_by: row.text_or_null()?,
        ended_at: row.instant_or_null()?,
    })
}

/// A write-off, which nobody else takes further until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_write_off(tx: &mut Tx<'_>, id: Id<Kind>) -> Result<Option<WriteOff>, StoreError> {
    tx.one(
        "select write_off_id, location_id, variant_id, from_state, quantity, reason, reference, state, asked_by, asked_at, ended_by, ended_at
         from write_off where write_off_id = $1 {lock}",
        params![id],
        write_off,
    )
}

/// The write-offs of a location before one, the newest first, at most `limit`; only those that wait when asked so.
///
/// # Errors
/// What the store says.
pub fn write_offs(
    tx: &mut Tx<'_>,
    (location, waiting): (Id<Location>, bool),
    before: Id<Kind>,
    limit: i64,
) -> Result<Vec<WriteOff>, StoreError> {
    tx.rows(
        "select write_off_id, location_id, variant_id, from_state, quantity, reason, reference, state, asked_by, asked_at, ended_by, ended_at
         from write_off where location_id = $1 and write_off_id < $2 and ($3 = 0 or state = 1) order by write_off_id desc limit $4",
        params![location, before, waiting, limit],
        write_off,
    )
}
