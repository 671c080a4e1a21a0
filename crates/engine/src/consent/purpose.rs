//! Purposes and topics: the retailer's own list of what people are asked for.

use domain::actor::{Actor, Permission};
use domain::catalogue::Wording;
use domain::consent::{Basis, FIRST_PURPOSES};
use domain::value::Language;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::consent::purpose as rows;

pub use store::consent::purpose::{Purpose, Topic};

use crate::event::emit;
use crate::{Failure, World};

/// The most purposes a retailer has.
pub const PURPOSES_MAX: i64 = 50;
/// The most topics a retailer has.
pub const TOPICS_MAX: i64 = 100;

/// Writes a purpose; the one with the same code is replaced.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::WrongState`] when there are too many.
pub fn set(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Purpose) -> Result<Purpose, Failure> {
    actor.may(Permission::EditConsents, None)?;
    let known = rows::list(tx, PURPOSES_MAX)?;
    let is_new = known.iter().all(|other| other.code != one.code);
    room("purposes", PURPOSES_MAX, known.len(), is_new)?;
    rows::set(tx, &one)?;
    let body = json!({ "basis": one.basis.text(), "double_opt_in": one.double_opt_in, "active": one.active });
    emit(tx, actor, world, format!("purpose:{}", one.code), "purpose.written", body);
    Ok(one)
}

/// Writes a topic; the one with the same code is replaced.
///
/// # Errors
/// As [`set`].
pub fn set_topic(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Topic) -> Result<Topic, Failure> {
    actor.may(Permission::EditConsents, None)?;
    let known = rows::topics(tx, TOPICS_MAX)?;
    let is_new = known.iter().all(|other| other.code != one.code);
    room("topics", TOPICS_MAX, known.len(), is_new)?;
    rows::set_topic(tx, &one)?;
    emit(tx, actor, world, format!("topic:{}", one.code), "topic.written", json!({ "active": one.active }));
    Ok(one)
}

fn room(what: &str, most: i64, known: usize, is_new: bool) -> Result<(), Refusal> {
    if is_new && known as i64 >= most {
        let why = format!("there are {most} {what}, the most there may be; change one of them");
        return Err(Refusal::new(Code::WrongState, why));
    }
    Ok(())
}

/// All purposes, by code.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<Purpose>, Failure> {
    Ok(rows::list(tx, PURPOSES_MAX)?)
}

/// All topics, by code.
///
/// # Errors
/// What the store says.
pub fn topics(tx: &mut Tx<'_>) -> Result<Vec<Topic>, Failure> {
    Ok(rows::topics(tx, TOPICS_MAX)?)
}

/// The purpose of this code, if there is one.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, code: &str) -> Result<Option<Purpose>, Failure> {
    Ok(rows::find(tx, code)?)
}

/// The purpose of this code.
///
/// # Errors
/// [`Code::Invalid`] at `purpose` when there is none.
pub fn load(tx: &mut Tx<'_>, code: &str) -> Result<Purpose, Failure> {
    let why = || Refusal::invalid("purpose", format!("no purpose \"{code}\"; GET /v1/purposes lists them"));
    Ok(rows::find(tx, code)?.ok_or_else(why)?)
}

/// Writes the purposes a new shop begins with.
///
/// # Errors
/// What the store says.
pub fn lay(tx: &mut Tx<'_>) -> Result<(), Failure> {
    let german = Language::parse("de").map_err(|why| Refusal::invalid("language", why))?;
    for (code, english, words, double_opt_in) in FIRST_PURPOSES {
        let wording = Wording::stored((*english).to_owned(), vec![(german, (*words).to_owned())]);
        let (code, double_opt_in) = ((*code).to_owned(), *double_opt_in);
        rows::set(
            tx,
            &Purpose { code, wording, basis: Basis::Consent, double_opt_in, days: None, active: true },
        )?;
    }
    Ok(())
}
