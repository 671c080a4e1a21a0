//! The rows of the sequences in which means are taken and given back: one for each version of each market.

use domain::market::PaymentKind;
use domain::payment::sequence::{Rest, Rule, Sequence};
use domain::value::id::{Channel, Market};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A version of a market's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Counts the versions, from 1.
    pub number: i64,
    /// The rule.
    pub rule: Rule,
    /// Since when orders follow it.
    pub since: Instant,
}

fn kinds(text: &str) -> Result<Vec<PaymentKind>, String> {
    text.split_whitespace().map(PaymentKind::parse).collect()
}

fn text(sequence: &Sequence) -> String {
    sequence.kinds().iter().map(|kind| kind.text()).collect::<Vec<_>>().join(" ")
}

fn sequence(row: &mut Row<'_>) -> Result<Sequence, StoreError> {
    let (kinds, rest) = (row.value(kinds)?, row.word(Rest::coded)?);
    Sequence::new("kinds", kinds, rest).map_err(|refusal| StoreError::Corrupt(refusal.to_string()))
}

fn version(row: &mut Row<'_>) -> Result<Version, StoreError> {
    Ok(Version {
        number: row.int()?,
        rule: Rule { capture: sequence(row)?, refund: sequence(row)? },
        since: row.instant()?,
    })
}

/// Adds a version; false when there is one of this number.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, market: Id<Market>, new: &Version) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into payment_sequence (market_id, version, capture, capture_rest, refund, refund_rest, since)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (market_id, version) do nothing",
        params![
            market,
            new.number,
            &text(&new.rule.capture),
            new.rule.capture.rest().code(),
            &text(&new.rule.refund),
            new.rule.refund.rest().code(),
            new.since
        ],
    )?;
    Ok(made == 1)
}

/// The versions of a market before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    market: Id<Market>,
    before: i64,
    limit: i64,
) -> Result<Vec<Version>, StoreError> {
    tx.rows(
        "select version, capture, capture_rest, refund, refund_rest, since from payment_sequence
         where market_id = $1 and version < $2 order by version desc limit $3",
        params![market, before, limit],
        version,
    )
}

/// The rule of a channel's market that was in force at an instant.
///
/// # Errors
/// What the store says.
pub fn in_force(tx: &mut Tx<'_>, channel: Id<Channel>, at: Instant) -> Result<Option<Version>, StoreError> {
    tx.one(
        "select s.version, s.capture, s.capture_rest, s.refund, s.refund_rest, s.since from channel c
         join payment_sequence s on s.market_id = c.market_id
         where c.channel_id = $1 and s.since <= $2 order by s.version desc limit 1",
        params![channel, at],
        version,
    )
}
