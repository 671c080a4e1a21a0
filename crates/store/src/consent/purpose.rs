//! The rows of purposes and topics: what the retailer asks people's consent for.

use domain::catalogue::Wording;
use domain::consent::Basis;

use crate::catalogue::json;
use crate::{Row, StoreError, Tx, params};

/// What data or attention is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub wording: Wording,
    /// On what it rests in law.
    pub basis: Basis,
    /// Must a yes be confirmed from the address it was given for?
    pub double_opt_in: bool,
    /// For how many days a yes holds; for ever when `None`.
    pub days: Option<i64>,
    /// Can it be agreed to?
    pub active: bool,
}

/// What a message may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub wording: Wording,
    /// Can it be chosen?
    pub active: bool,
}

fn purpose(row: &mut Row<'_>) -> Result<Purpose, StoreError> {
    Ok(Purpose {
        code: row.text()?,
        wording: json::wording(&row.text()?)?,
        basis: row.word(Basis::coded)?,
        double_opt_in: row.yes()?,
        days: row.int_or_null()?,
        active: row.yes()?,
    })
}

/// Writes a purpose; the one with the same code is replaced.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, one: &Purpose) -> Result<(), StoreError> {
    tx.execute(
        "insert into purpose (code, wording, basis, double_opt_in, days, active) values ($1, $2, $3, $4, $5, $6)
         on conflict (code) do update set wording = excluded.wording, basis = excluded.basis,
             double_opt_in = excluded.double_opt_in, days = excluded.days, active = excluded.active",
        params![
            &one.code,
            &json::of_wording(&one.wording),
            one.basis.code(),
            one.double_opt_in,
            one.days,
            one.active
        ],
    )?;
    Ok(())
}

/// The purposes, by code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Purpose>, StoreError> {
    tx.rows(
        "select code, wording, basis, double_opt_in, days, active from purpose order by code limit $1",
        params![limit],
        purpose,
    )
}

/// The purpose of this code.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, code: &str) -> Result<Option<Purpose>, StoreError> {
    tx.one(
        "select code, wording, basis, double_opt_in, days, active from purpose where code = $1",
        params![code],
        purpose,
    )
}

/// Writes a topic; the one with the same code is replaced.
///
/// # Errors
/// What the store says.
pub fn set_topic(tx: &mut Tx<'_>, one: &Topic) -> Result<(), StoreError> {
    tx.execute(
        "insert into topic (code, wording, active) values ($1, $2, $3)
         on conflict (code) do update set wording = excluded.wording, active = excluded.active",
        params![&one.code, &json::of_wording(&one.wording), one.active],
    )?;
    Ok(())
}

/// The topics, by code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn topics(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Topic>, StoreError> {
    tx.rows("select code, wording, active from topic order by code limit $1", params![limit], |row| {
        Ok(Topic { code: row.text()?, wording: json::wording(&row.text()?)?, active: row.yes()? })
    })
}
