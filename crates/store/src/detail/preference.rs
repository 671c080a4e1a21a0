//! The rows of what customers prefer and what fits them, and of the questions and kinds of sizes a retailer asks for.

use domain::detail::{Kind, Question, Scale, SizeKind};
use domain::value::id::Customer;
use domain::value::{Id, Instant};
use serde_json::{Value, json};

use super::Whole;
use crate::catalogue::json as wordings;
use crate::{Param, StoreError, Tx, params};

/// What a customer said of one thing. Without a value it is said no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// What it is about.
    pub kind: Kind,
    /// The code of the question or of the kind of size; empty for the others.
    pub key: String,
    /// The brand the size is of; empty for every brand and for the others.
    pub brand: String,
    /// The scale the size is told in.
    pub scale: Option<String>,
    /// What was said.
    pub value: Option<String>,
    /// When.
    pub at: Instant,
}

/// A language a customer said: who, which, and when.
pub type SaidLanguage = ([u8; 16], Option<String>, Instant);

/// Writes what a customer says; what was said of the same before is replaced.
///
/// # Errors
/// What the store says.
pub fn set(tx: &mut Tx<'_>, of: Id<Customer>, one: &Preference) -> Result<(), StoreError> {
    tx.execute(
        "insert into customer_preference (customer_id, kind, key, brand, scale, value, at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (customer_id, kind, key, brand) do update set scale = excluded.scale, value = excluded.value, at = excluded.at",
        params![of, one.kind.code(), &one.key, &one.brand, one.scale.as_deref(), one.value.as_deref(), one.at],
    )?;
    Ok(())
}

/// Everything that customers who are one said, the newest of the same thing first.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, of: &Whole) -> Result<Vec<Preference>, StoreError> {
    tx.rows(
        "select kind, key, brand, scale, value, at from customer_preference where customer_id {in ids $1}
         order by kind, key, brand, at desc, customer_id desc",
        &[Param::Ids(of)],
        |row| {
            Ok(Preference {
                kind: row.word(Kind::coded)?,
                key: row.text()?,
                brand: row.text()?,
                scale: row.text_or_null()?,
                value: row.text_or_null()?,
                at: row.instant()?,
            })
        },
    )
}

/// Which languages these customers said they wish: who, the language, `None` when it is said no longer, and when.
///
/// # Errors
/// What the store says.
pub fn languages(tx: &mut Tx<'_>, of: &Whole) -> Result<Vec<SaidLanguage>, StoreError> {
    tx.rows(
        "select customer_id, value, at from customer_preference where customer_id {in ids $1} and kind = $2",
        &[Param::Ids(of), Kind::Language.code().into()],
        |row| Ok((row.key()?, row.text_or_null()?, row.instant()?)),
    )
}

/// How many things one customer said.
///
/// # Errors
/// What the store says.
pub fn count(tx: &mut Tx<'_>, of: Id<Customer>) -> Result<i64, StoreError> {
    let sql = "select count(*) from customer_preference where customer_id = $1";
    Ok(tx.one(sql, params![of], |row| row.int())?.unwrap_or(0))
}

/// Writes a question; the one with the same code is replaced.
///
/// # Errors
/// What the store says.
pub fn set_question(tx: &mut Tx<'_>, one: &Question) -> Result<(), StoreError> {
    let answers: Vec<Value> =
        one.answers.iter().map(|(code, wording)| json!([code, wordings::of_wording(wording)])).collect();
    tx.execute(
        "insert into preference_question (code, wording, answers) values ($1, $2, $3)
         on conflict (code) do update set wording = excluded.wording, answers = excluded.answers",
        params![&one.code, &wordings::of_wording(&one.wording), &Value::Array(answers).to_string()],
    )?;
    Ok(())
}

/// The questions, by code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn questions(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Question>, StoreError> {
    let sql = "select code, wording, answers from preference_question order by code limit $1";
    tx.rows(sql, params![limit], |row| {
        let (code, wording) = (row.text()?, wordings::wording(&row.text()?)?);
        let answers: Vec<(String, String)> = serde_json::from_str(&row.text()?).map_err(corrupt)?;
        let answer = |(code, wording): (String, String)| Ok((code, wordings::wording(&wording)?));
        let answers = answers.into_iter().map(answer).collect::<Result<_, StoreError>>()?;
        Ok(Question { code, wording, answers })
    })
}

/// Writes a kind of size; the one with the same code is replaced.
///
/// # Errors
/// What the store says.
pub fn set_size_kind(tx: &mut Tx<'_>, one: &SizeKind) -> Result<(), StoreError> {
    let scales: Vec<Value> = one.scales.iter().map(|scale| json!([scale.name, scale.sizes])).collect();
    tx.execute(
        "insert into size_kind (code, wording, scales) values ($1, $2, $3)
         on conflict (code) do update set wording = excluded.wording, scales = excluded.scales",
        params![&one.code, &wordings::of_wording(&one.wording), &Value::Array(scales).to_string()],
    )?;
    Ok(())
}

/// The kinds of sizes, by code, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn size_kinds(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<SizeKind>, StoreError> {
    let sql = "select code, wording, scales from size_kind order by code limit $1";
    tx.rows(sql, params![limit], |row| {
        let (code, wording) = (row.text()?, wordings::wording(&row.text()?)?);
        let scales: Vec<(String, Vec<String>)> = serde_json::from_str(&row.text()?).map_err(corrupt)?;
        let scales = scales.into_iter().map(|(name, sizes)| Scale { name, sizes }).collect();
        Ok(SizeKind { code, wording, scales })
    })
}

fn corrupt(_: serde_json::Error) -> StoreError {
    StoreError::Corrupt("what a retailer asks for cannot be read".into())
}
