//! The rows of reasons: the retailer's own codes for why goods come back and the like.

use domain::catalogue::Wording;
use domain::returns::Purpose;

use crate::catalogue::json;
use crate::{Row, StoreError, Tx, params};

/// A reason with a code of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The short word it goes by.
    pub code: String,
    /// What people read, in each language.
    pub wording: Wording,
    /// What it is for.
    pub purposes: Vec<Purpose>,
    /// Can it be chosen?
    pub active: bool,
}

fn reason(row: &mut Row<'_>) -> Result<Reason, StoreError> {
    Ok(Reason {
        code: row.text()?,
        wording: json::wording(&row.text()?)?,
        purposes: Purpose::of_bits(row.int()?),
        active: row.yes()?,
    })
}

/// Writes a reason; the one with the same code is replaced.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, one: &Reason) -> Result<(), StoreError> {
    tx.execute(
        "insert into reason (code, wording, purposes, active) values ($1, $2, $3, $4)
         on conflict (code) do update set wording = excluded.wording, purposes = excluded.purposes, active = excluded.active",
        params![&one.code, &json::of_wording(&one.wording), Purpose::bits(&one.purposes), one.active],
    )?;
    Ok(())
}

/// The reasons, by code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Reason>, StoreError> {
    tx.rows(
        "select code, wording, purposes, active from reason order by code limit $1",
        params![limit],
        reason,
    )
}
