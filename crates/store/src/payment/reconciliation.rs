//! The rows of what comparing a provider's record with the books found: one for each account and day, its sums, and its differences.

use domain::payment::receivable::State as Owing;
use domain::payment::reconcile::{Line, Outcome, Side, Total};
use domain::value::id::{PaymentAccount, Reconciliation as ReconciliationKind, ReconciliationLine};
use domain::value::{Currency, Id, Instant, LocalDay};

use crate::{Row, StoreError, Tx, params};

domain::words! {
    /// Where a comparison stands.
    State {
        /// The provider was asked, or will be.
        Asked 1 "asked";
        /// Both sides are equal, or what differed was cleared.
        Equal 2 "equal";
        /// Something differs.
        Differs 3 "differs";
    }
}

/// A comparison of a day of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Its identity.
    pub id: Id<ReconciliationKind>,
    /// The account.
    pub account: Id<PaymentAccount>,
    /// The day, by universal time.
    pub day: LocalDay,
    /// Where it stands.
    pub state: State,
    /// When the provider was asked last.
    pub asked_at: Instant,
    /// When it was compared last.
    pub at: Option<Instant>,
    /// Differences that were found and not kept, for there were too many.
    pub more: i64,
}

/// A difference, and whether it was cleared: when, by whom, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its identity.
    pub id: Id<ReconciliationLine>,
    /// What differs.
    pub line: Line,
    /// When it was cleared, by whom, and why.
    pub cleared: Option<(Instant, String, String)>,
}

/// A day of an account.
pub type Day = (Id<PaymentAccount>, LocalDay);

fn reconciliation(row: &mut Row<'_>) -> Result<Reconciliation, StoreError> {
    Ok(Reconciliation {
        account: row.id()?,
        day: row.value(LocalDay::parse)?,
        id: row.id()?,
        state: row.word(State::coded)?,
        asked_at: row.instant()?,
        at: row.instant_or_null()?,
        more: row.int()?,
    })
}

/// Notes that a day is to be compared; false when it was noted before.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Reconciliation) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into reconciliation (account_id, day, reconciliation_id, state, asked_at, more) values ($1, $2, $3, $4, $5, 0)
         on conflict (account_id, day) do nothing",
        params![one.account, &one.day.to_string(), one.id, one.state.code(), one.asked_at],
    )?;
    Ok(made == 1)
}

/// Notes that the provider is asked about a day again.
///
/// # Errors
/// What the store says.
pub fn ask_again(tx: &mut Tx<'_>, (account, day): Day, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "update reconciliation set state = $3, asked_at = $4 where account_id = $1 and day = $2",
        params![account, &day.to_string(), State::Asked.code(), now],
    )?;
    Ok(())
}

/// Notes how a comparison ended, and how many differences were not kept.
///
/// # Errors
/// What the store says.
pub fn end(
    tx: &mut Tx<'_>,
    (account, day): Day,
    (state, more): (State, i64),
    now: Instant,
) -> Result<(), StoreError> {
    tx.execute(
        "update reconciliation set state = $3, at = $4, more = $5 where account_id = $1 and day = $2",
        params![account, &day.to_string(), state.code(), now, more],
    )?;
    Ok(())
}

/// A comparison.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, (account, day): Day) -> Result<Option<Reconciliation>, StoreError> {
    tx.one(
        "select account_id, day, reconciliation_id, state, asked_at, at, more from reconciliation where account_id = $1 and day = $2",
        params![account, &day.to_string()],
        reconciliation,
    )
}

/// A comparison, whose row is ours until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, (account, day): Day) -> Result<Option<Reconciliation>, StoreError> {
    tx.one(
        "select account_id, day, reconciliation_id, state, asked_at, at, more from reconciliation where account_id = $1 and day = $2 {lock}",
        params![account, &day.to_string()],
        reconciliation,
    )
}

/// The comparisons of an account before a day, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    account: Id<PaymentAccount>,
    before: &str,
    limit: i64,
) -> Result<Vec<Reconciliation>, StoreError> {
    tx.rows(
        "select account_id, day, reconciliation_id, state, asked_at, at, more from reconciliation
         where account_id = $1 and day < $2 order by day desc limit $3",
        params![account, before, limit],
        reconciliation,
    )
}

/// Puts the sums of a day in the place of those that were there.
///
/// # Errors
/// What the store says.
pub fn set_totals<'a>(
    tx: &mut Tx<'_>,
    (account, day): Day,
    totals: impl IntoIterator<Item = (&'a &'static str, &'a Total)>,
) -> Result<(), StoreError> {
    let day = day.to_string();
    tx.execute(
        "delete from reconciliation_total where account_id = $1 and day = $2",
        params![account, &day],
    )?;
    for (currency, total) in totals {
        tx.execute(
            "insert into reconciliation_total (account_id, day, currency, equal, captured_there, captured_here, refunded_there, refunded_here,
                 other_there, fees, paid_out, left_there, left_here, shifted)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            params![
                account,
                &day,
                *currency,
                total.equal,
                total.captured_there,
                total.captured_here,
                total.refunded_there,
                total.refunded_here,
                total.other_there,
                total.fees,
                total.paid_out,
                total.left_there,
                total.left_here,
                total.shifted
            ],
        )?;
    }
    Ok(())
}

/// The sums of a day, by currency.
///
/// # Errors
/// What the store says.
pub fn totals(tx: &mut Tx<'_>, (account, day): Day) -> Result<Vec<(Currency, Total)>, StoreError> {
    tx.rows(
        "select currency, equal, captured_there, captured_here, refunded_there, refunded_here, other_there, fees, paid_out, left_there,
             left_here, shifted
         from reconciliation_total where account_id = $1 and day = $2 order by currency",
        params![account, &day.to_string()],
        |row| {
            let currency = row.value(Currency::parse)?;
            Ok((
                currency,
                Total {
                    equal: row.int()?,
                    captured_there: row.int()?,
                    captured_here: row.int()?,
                    refunded_there: row.int()?,
                    refunded_here: row.int()?,
                    other_there: row.int()?,
                    fees: row.int()?,
                    paid_out: row.int()?,
                    left_there: row.int()?,
                    left_here: row.int()?,
                    shifted: row.int()?,
                },
            ))
        },
    )
}

/// Puts differences in the place of those of the day that were not cleared.
///
/// # Errors
/// What the store says.
pub fn set_open(tx: &mut Tx<'_>, (account, day): Day, found: &[Found]) -> Result<(), StoreError> {
    let day = day.to_string();
    tx.execute(
        "delete from reconciliation_line where account_id = $1 and day = $2 and cleared_at is null",
        params![account, &day],
    )?;
    for one in found {
        let line = &one.line;
        tx.execute(
            "insert into reconciliation_line (account_id, day, line_id, outcome, side, reference, key, payment_id, currency, theirs, ours)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            params![
                account,
                &day,
                one.id,
                line.outcome.code(),
                line.side.code(),
                line.reference.as_ref(),
                line.key.as_ref(),
                line.payment,
                line.currency.code(),
                line.theirs,
                line.ours
            ],
        )?;
    }
    Ok(())
}

fn found(row: &mut Row<'_>) -> Result<Found, StoreError> {
    Ok(Found {
        id: row.id()?,
        line: Line {
            outcome: row.word(Outcome::coded)?,
            side: row.word(Side::coded)?,
            reference: row.text_or_null()?,
            key: row.text_or_null()?,
            payment: row.id_or_null()?,
            currency: row.value(Currency::parse)?,
            theirs: row.int()?,
            ours: row.int()?,
        },
        cleared: match (row.instant_or_null()?, row.text_or_null()?, row.text_or_null()?) {
            (Some(at), Some(by), Some(why)) => Some((at, by, why)),
            _ => None,
        },
    })
}

/// The differences of a day after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn lines(
    tx: &mut Tx<'_>,
    (account, day): Day,
    after: Id<ReconciliationLine>,
    limit: i64,
) -> Result<Vec<Found>, StoreError> {
    tx.rows(
        "select line_id, outcome, side, reference, key, payment_id, currency, theirs, ours, cleared_at, cleared_by, reason
         from reconciliation_line where account_id = $1 and day = $2 and line_id > $3 order by line_id limit $4",
        params![account, &day.to_string(), after, limit],
        found,
    )
}

/// A difference.
///
/// # Errors
/// What the store says.
pub fn line(
    tx: &mut Tx<'_>,
    (account, day): Day,
    id: Id<ReconciliationLine>,
) -> Result<Option<Found>, StoreError> {
    tx.one(
        "select line_id, outcome, side, reference, key, payment_id, currency, theirs, ours, cleared_at, cleared_by, reason
         from reconciliation_line where account_id = $1 and day = $2 and line_id = $3",
        params![account, &day.to_string(), id],
        found,
    )
}

/// The differences of a day that were cleared, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn cleared(tx: &mut Tx<'_>, (account, day): Day, limit: i64) -> Result<Vec<Found>, StoreError> {
    tx.rows(
        "select line_id, outcome, side, reference, key, payment_id, currency, theirs, ours, cleared_at, cleared_by, reason
         from reconciliation_line where account_id = $1 and day = $2 and cleared_at is not null order by line_id limit $3",
        params![account, &day.to_string(), limit],
        found,
    )
}

/// How many differences of a day are not cleared.
///
/// # Errors
/// What the store says.
pub fn open_count(tx: &mut Tx<'_>, (account, day): Day) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from reconciliation_line where account_id = $1 and day = $2 and cleared_at is null",
        params![account, &day.to_string()],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or_default())
}

/// Notes that a difference was cleared; false when it was before.
///
/// # Errors
/// What the store says.
pub fn clear(
    tx: &mut Tx<'_>,
    (account, day): Day,
    line: Id<ReconciliationLine>,
    (now, by, why): (Instant, &str, &str),
) -> Result<bool, StoreError> {
    let cleared = tx.execute(
        "update reconciliation_line set cleared_at = $4, cleared_by = $5, reason = $6
         where account_id = $1 and day = $2 and line_id = $3 and cleared_at is null",
        params![account, &day.to_string(), line, now, by, why],
    )?;
    Ok(cleared == 1)
}

/// Differences that were cleared with another amount than the ledger has: the difference, what it lacked, and what was booked.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<(Id<ReconciliationLine>, i64, i64)>, StoreError> {
    tx.rows(
        "select l.line_id, l.theirs - l.ours, coalesce(a.amount, 0) from reconciliation_line l
         left join account a on a.book_id = l.line_id and a.state = $1
         where l.cleared_at is not null and l.theirs - l.ours <> coalesce(a.amount, 0) order by l.line_id limit $2",
        params![Owing::Owed.code(), crate::check::FINDINGS_MAX],
        |row| Ok((row.id()?, row.int()?, row.int()?)),
    )
}
