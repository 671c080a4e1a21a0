//! The rows of captures and refunds: each ends once.

use domain::payment::PartState;
use domain::value::id::{Capture, Payment as PaymentKind, Refund};
use domain::value::{Id, Instant, Kind as IdKind};

use super::word;
use crate::{Row, StoreError, Tx, params};

/// One capture or one refund of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<K: IdKind> {
    /// Its identity.
    pub id: Id<K>,
    /// Where it stands.
    pub state: PartState,
    /// Minor units.
    pub amount: i64,
    /// When it was asked for.
    pub at: Instant,
    /// The provider's own id of it.
    pub provider_reference: Option<String>,
    /// Why the provider said no.
    pub failure: Option<String>,
}

impl<K: IdKind> Part<K> {
    /// A part the provider has not been asked about, or need not be.
    pub const fn new(id: Id<K>, state: PartState, amount: i64, at: Instant) -> Part<K> {
        Part { id, state, amount, at, provider_reference: None, failure: None }
    }
}

fn part<K: IdKind>(row: &mut Row<'_>) -> Result<Part<K>, StoreError> {
    Ok(Part {
        id: row.id()?,
        state: word(PartState::coded(row.int()?), "part")?,
        amount: row.int()?,
        at: row.instant()?,
        provider_reference: row.text_or_null()?,
        failure: row.text_or_null()?,
    })
}

/// Adds a capture.
///
/// # Errors
/// What the store says.
pub fn add_capture(
    tx: &mut Tx<'_>,
    payment: Id<PaymentKind>,
    capture: &Part<Capture>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into payment_capture (payment_id, capture_id, state, amount, at) values ($1, $2, $3, $4, $5)",
        params![payment, capture.id, capture.state.code(), capture.amount, capture.at],
    )?;
    Ok(())
}

/// The captures of a payment, in the order they were asked for.
///
/// # Errors
/// What the store says.
pub fn captures(tx: &mut Tx<'_>, payment: Id<PaymentKind>) -> Result<Vec<Part<Capture>>, StoreError> {
    tx.rows(
        "select capture_id, state, amount, at, provider_reference, failure from payment_capture where payment_id = $1 order by capture_id",
        params![payment],
        part,
    )
}

/// Ends a pending capture; answers its amount, or nothing when it was ended before.
///
/// # Errors
/// What the store says.
pub fn end_capture(
    tx: &mut Tx<'_>,
    payment: Id<PaymentKind>,
    id: Id<Capture>,
    end: &PartEnd<'_>,
) -> Result<Option<i64>, StoreError> {
    tx.one(
        "update payment_capture set state = $4, provider_reference = $5, failure = $6
         where payment_id = $1 and capture_id = $2 and state = $3 returning amount",
        params![
            payment,
            id,
            PartState::Pending.code(),
            end.state.code(),
            end.provider_reference,
            end.failure
        ],
        |row| row.int(),
    )
}

/// Adds a refund.
///
/// # Errors
/// What the store says.
pub fn add_refund(
    tx: &mut Tx<'_>,
    payment: Id<PaymentKind>,
    refund: &Part<Refund>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into payment_refund (payment_id, refund_id, state, amount, at) values ($1, $2, $3, $4, $5)",
        params![payment, refund.id, refund.state.code(), refund.amount, refund.at],
    )?;
    Ok(())
}

/// The refunds of a payment, in the order they were asked for.
///
/// # Errors
/// What the store says.
pub fn refunds(tx: &mut Tx<'_>, payment: Id<PaymentKind>) -> Result<Vec<Part<Refund>>, StoreError> {
    tx.rows(
        "select refund_id, state, amount, at, provider_reference, failure from payment_refund where payment_id = $1 order by refund_id",
        params![payment],
        part,
    )
}

/// Ends a pending refund; answers its amount, or nothing when it was ended before.
///
/// # Errors
/// What the store says.
pub fn end_refund(
    tx: &mut Tx<'_>,
    payment: Id<PaymentKind>,
    id: Id<Refund>,
    end: &PartEnd<'_>,
) -> Result<Option<i64>, StoreError> {
    tx.one(
        "update payment_refund set state = $4, provider_reference = $5, failure = $6, elsewhere = $7
         where payment_id = $1 and refund_id = $2 and state = $3 returning amount",
        params![
            payment,
            id,
            PartState::Pending.code(),
            end.state.code(),
            end.provider_reference,
            end.failure,
            end.elsewhere
        ],
        |row| row.int(),
    )
}

/// How a capture or refund ends.
#[derive(Clone, Copy, Debug)]
pub struct PartEnd<'a> {
    /// Done or failed.
    pub state: PartState,
    /// The provider's own id of it.
    pub provider_reference: Option<&'a str>,
    /// Why the provider said no.
    pub failure: Option<&'a str>,
    /// The money goes back by another way than it came: the provider was not asked.
    pub elsewhere: bool,
}
