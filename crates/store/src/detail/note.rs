//! The rows of what colleagues note about customers.

use domain::value::id::{Customer, Location, Note as NoteKind};
use domain::value::{Id, Instant};

use super::Whole;
use crate::{Param, Row, StoreError, Tx, params};

/// What a colleague noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// About whom.
    pub customer: Id<Customer>,
    /// Its identity.
    pub id: Id<NoteKind>,
    /// The text, sealed under the person's key.
    pub sealed: Vec<u8>,
    /// Who wrote it: kind and id.
    pub author: String,
    /// In which store.
    pub location: Option<Id<Location>>,
    /// Does it stand before the others?
    pub is_pinned: bool,
    /// When the customer is to be thought of again.
    pub follow_up_at: Option<Instant>,
    /// When that was done.
    pub done_at: Option<Instant>,
    /// When it was written.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn note(row: &mut Row<'_>) -> Result<Note, StoreError> {
    Ok(Note {
        customer: row.id()?,
        id: row.id()?,
        sealed: row.bytes()?,
        author: row.text()?,
        location: row.id_or_null()?,
        is_pinned: row.yes()?,
        follow_up_at: row.instant_or_null()?,
        done_at: row.instant_or_null()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds a note.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Note) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_note (customer_id, note_id, sealed, author, location_id, is_pinned, follow_up_at, done_at, made_at, changed_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            one.customer,
            one.id,
            &one.sealed,
            &one.author,
            one.location,
            one.is_pinned,
            one.follow_up_at,
            one.done_at,
            one.made_at,
            one.changed_at,
            one.version
        ],
    )?;
    Ok(())
}

/// Writes a note, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Note, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update customer_note set sealed = $4, is_pinned = $5, follow_up_at = $6, done_at = $7, changed_at = $8, version = $9
         where customer_id = $1 and note_id = $2 and version = $3",
        params![
            one.customer,
            one.id,
            was,
            &one.sealed,
            one.is_pinned,
            one.follow_up_at,
            one.done_at,
            one.changed_at,
            one.version
        ],
    )?;
    Ok(touched == 1)
}

/// Takes a note away; false when it is gone.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, of: Id<Customer>, id: Id<NoteKind>) -> Result<bool, StoreError> {
    let sql = "delete from customer_note where customer_id = $1 and note_id = $2";
    Ok(tx.execute(sql, params![of, id])? == 1)
}

/// A note about one of customers who are one.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, of: &Whole, id: Id<NoteKind>) -> Result<Option<Note>, StoreError> {
    tx.one(
        "select customer_id, note_id, sealed, author, location_id, is_pinned, follow_up_at, done_at, made_at, changed_at, version
         from customer_note where customer_id {in ids $1} and note_id = $2",
        &[Param::Ids(of), Param::Id(id.bytes())],
        note,
    )
}

/// How many notes there are about a customer.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>, of: Id<Customer>) -> Result<i64, StoreError> {
    let sql = "select count(*) from customer_note where customer_id = $1";
    Ok(tx.one(sql, params![of], |row| row.int())?.unwrap_or(0))
}

/// The notes about customers who are one, before one, the newest first, at most `limit`; only pinned ones when so asked.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    (of, pinned): (&Whole, bool),
    before: Id<NoteKind>,
    limit: i64,
) -> Result<Vec<Note>, StoreError> {
    tx.rows(
        "select customer_id, note_id, sealed, author, location_id, is_pinned, follow_up_at, done_at, made_at, changed_at, version
         from customer_note where customer_id {in ids $1} and note_id < $2 and (is_pinned = 1 or $3 = 0) order by note_id desc limit $4",
        &[Param::Ids(of), Param::Id(before.bytes()), Param::from(pinned), Param::Int(limit)],
        note,
    )
}

/// The notes to be followed up before an instant, after a place in their list, those that wait longest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn to_follow_up(
    tx: &mut Tx<'_>,
    until: Instant,
    (after, last): (Instant, Id<NoteKind>),
    limit: i64,
) -> Result<Vec<Note>, StoreError> {
    tx.rows(
        "select customer_id, note_id, sealed, author, location_id, is_pinned, follow_up_at, done_at, made_at, changed_at, version
         from customer_note where done_at is null and follow_up_at < $1 and (follow_up_at > $2 or (follow_up_at = $2 and note_id > $3))
         order by follow_up_at, note_id limit $4",
        params![until, after, last, limit],
        note,
    )
}
