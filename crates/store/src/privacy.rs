//! The rows of requests about data, of deadlines and legal holds.

pub mod retention;
pub mod words;

use domain::privacy::{Deadline, Kind, Proof, State};
use domain::value::id::{Customer, PrivacyRequest as RequestKind, Subscriber};
use domain::value::{Country, Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// What a person asks about what is kept of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its identity.
    pub id: Id<RequestKind>,
    /// Whom it is about.
    pub subscriber: Id<Subscriber>,
    /// What is asked for.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// Whose law gives the time.
    pub country: Option<Country>,
    /// How who asked has shown who they are.
    pub proof: Option<Proof>,
    /// What a colleague noted, sealed under the person's key.
    pub note: Option<Vec<u8>>,
    /// Why it is refused, in words for who asked, sealed under the person's key.
    pub reason: Option<Vec<u8>>,
    /// Why it takes longer, likewise.
    pub extension_reason: Option<Vec<u8>>,
    /// When it came in.
    pub made_at: Instant,
    /// Until when it is to be answered.
    pub due_at: Instant,
    /// Was its time extended?
    pub extended: bool,
    /// How often was it reminded of: once before its time is over, once after.
    pub reminded: i64,
    /// When it was shown who asked.
    pub verified_at: Option<Instant>,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// Counts the changes, from 1.
    pub version: i64,
}

fn request(row: &mut Row<'_>) -> Result<Request, StoreError> {
    Ok(Request {
        id: row.id()?,
        subscriber: row.id()?,
        kind: row.word(Kind::coded)?,
        state: row.word(State::coded)?,
        country: row.value_or_null(Country::parse)?,
        proof: row.word_or_null(Proof::coded)?,
        note: row.bytes_or_null()?,
        reason: row.bytes_or_null()?,
        extension_reason: row.bytes_or_null()?,
        made_at: row.instant()?,
        due_at: row.instant()?,
        extended: row.yes()?,
        reminded: row.int()?,
        verified_at: row.instant_or_null()?,
        closed_at: row.instant_or_null()?,
        version: row.int()?,
    })
}

/// Adds a request.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Request) -> Result<(), StoreError> {
    tx.execute(
        "insert into privacy_request (request_id, subscriber_id, kind, state, country, proof, note, made_at, due_at, extended, reminded,
             verified_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, 1)",
        params![
            one.id,
            one.subscriber,
            one.kind.code(),
            one.state.code(),
            one.country.map(Country::code),
            one.proof.map(Proof::code),
            one.note.as_ref(),
            one.made_at,
            one.due_at,
            one.verified_at
        ],
    )?;
    Ok(())
}

/// Writes where a request stands, if it still has version `was`; false when it has not.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, one: &Request, was: i64) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update privacy_request set state = $3, proof = $4, note = $5, due_at = $6, extended = $7, reminded = $8, verified_at = $9,
             closed_at = $10, version = $11, reason = $12, extension_reason = $13
         where request_id = $1 and version = $2",
        params![
            one.id,
            was,
            one.state.code(),
            one.proof.map(Proof::code),
            one.note.as_ref(),
            one.due_at,
            one.extended,
            one.reminded,
            one.verified_at,
            one.closed_at,
            one.version,
            one.reason.as_ref(),
            one.extension_reason.as_ref()
        ],
    )?;
    Ok(touched == 1)
}

/// The request of this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<RequestKind>) -> Result<Option<Request>, StoreError> {
    tx.one(
        "select request_id, subscriber_id, kind, state, country, proof, note, reason, extension_reason, made_at, due_at, extended, reminded, verified_at, closed_at, version
         from privacy_request where request_id = $1",
        params![id],
        request,
    )
}

/// The requests from the newest down, before one, at most `limit`; only those that wait for us when `open`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    open: bool,
    before: Id<RequestKind>,
    limit: i64,
) -> Result<Vec<Request>, StoreError> {
    tx.rows(
        "select request_id, subscriber_id, kind, state, country, proof, note, reason, extension_reason, made_at, due_at, extended, reminded, verified_at, closed_at, version
         from privacy_request where request_id < $1 and (state in (1, 2) or $2 = 0) order by request_id desc limit $3",
        params![before, open, limit],
        request,
    )
}

/// The requests about somebody, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_subscriber(tx: &mut Tx<'_>, id: Id<Subscriber>, limit: i64) -> Result<Vec<Request>, StoreError> {
    tx.rows(
        "select request_id, subscriber_id, kind, state, country, proof, note, reason, extension_reason, made_at, due_at, extended, reminded, verified_at, closed_at, version
         from privacy_request where subscriber_id = $1 order by request_id desc limit $2",
        params![id, limit],
        request,
    )
}

/// Open requests whose time ends before an instant and which were reminded of less than so often, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, before: Instant, reminded: i64, limit: i64) -> Result<Vec<Request>, StoreError> {
    tx.rows(
        "select request_id, subscriber_id, kind, state, country, proof, note, reason, extension_reason, made_at, due_at, extended, reminded, verified_at, closed_at, version
         from privacy_request where state in (1, 2) and due_at < $1 and reminded < $2 order by due_at limit $3",
        params![before, reminded, limit],
        request,
    )
}

/// Writes how long requests of a country may take.
///
/// # Errors
/// What the store says.
pub fn set_deadline(tx: &mut Tx<'_>, country: Country, one: Deadline) -> Result<(), StoreError> {
    tx.execute(
        "insert into deadline_rule (country, days, extension_days) values ($1, $2, $3)
         on conflict (country) do update set days = excluded.days, extension_days = excluded.extension_days",
        params![country.code(), one.days, one.extension_days],
    )?;
    Ok(())
}

/// How long the retailer says that requests of a country may take.
///
/// # Errors
/// What the store says.
pub fn deadline(tx: &mut Tx<'_>, country: Country) -> Result<Option<Deadline>, StoreError> {
    tx.one(
        "select days, extension_days from deadline_rule where country = $1",
        params![country.code()],
        |row| Ok(Deadline { days: row.int()?, extension_days: row.int()? }),
    )
}

/// Why a customer must not be forgotten, and since when; `None` when nothing forbids it.
///
/// # Errors
/// What the store says.
pub fn hold(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<Option<(String, Instant)>, StoreError> {
    tx.one("select reason, made_at from legal_hold where customer_id = $1 {lock}", params![id], |row| {
        Ok((row.text()?, row.instant()?))
    })
}

/// Forbids that a customer is forgotten.
///
/// # Errors
/// What the store says.
pub fn set_hold(
    tx: &mut Tx<'_>,
    id: Id<Customer>,
    (reason, actor): (&str, &str),
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into legal_hold (customer_id, reason, actor, made_at) values ($1, $2, $3, $4)
         on conflict (customer_id) do update set reason = excluded.reason, actor = excluded.actor",
        params![id, reason, actor, now],
    )?;
    Ok(())
}

/// Lifts it; false when nothing forbade it.
///
/// # Errors
/// What the store says.
pub fn lift_hold(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from legal_hold where customer_id = $1", params![id])? == 1)
}
