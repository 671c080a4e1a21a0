//! The stages of a customer's life and the fifths of recency, frequency and spend: out of the box, as the retailer's own data has them.

use domain::actor::{Actor, Permission};
use domain::segment::facts::Facts;
use domain::segment::life::{Life, Stage};
use domain::segment::needs::Needs;
use domain::segment::rfm::{Fifths, LOOKS_BACK_DAYS, Score};
use domain::segment::window::DAY;
use domain::value::Instant;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::segment::{self as rows, facts as known};

use super::ground::{self, FIFTHS, LIFE};
use super::{Named, facts, subject};
use crate::event::emit;
use crate::{Failure, World};

/// The stages in force and their version, 0 for those of a shop that wrote none.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor) -> Result<(Life, i64), Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    ground::life(tx)
}

/// Writes the stages. They hold at once, for the past too.
///
/// # Errors
/// [`Code::Stale`] when they do not stand at the version that was read.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (life, read): (Life, i64),
) -> Result<(Life, i64), Failure> {
    actor.may(Permission::EditSegments, None)?;
    let text = ground::of_life(life).to_string();
    let stands = ground::life(tx)?.1 == read;
    if !stands || !rows::set(tx, LIFE, &text, (read + 1, world.now()))? {
        let why = "the stages of life were changed meanwhile; read them again and repeat the change";
        return Err(Refusal::new(Code::Stale, why).into());
    }
    emit(tx, actor, world, "life_cycle", "life_cycle.set", json!({ "version": read + 1 }));
    Ok((life, read + 1))
}

/// Draws the fifths of everybody who bought within a year anew, in the currency of most orders.
///
/// # Errors
/// What the store says.
pub fn draw(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let now = world.now();
    let since = Instant::from_micros(now.micros() - LOOKS_BACK_DAYS * DAY);
    let Some(currency) = known::most_used_currency(tx, since)? else { return Ok(false) };
    let measured: Vec<_> = known::bought_since(tx, since, currency)?
        .into_iter()
        .map(|(last, orders, spend)| (now.micros() - last.micros(), orders, spend))
        .collect();
    let Some(fifths) = Fifths::draw(currency, &measured) else { return Ok(false) };
    if ground::fifths(tx)?.as_ref() == Some(&fifths) {
        return Ok(false);
    }
    let version = rows::setting(tx, FIFTHS)?.map_or(0, |(_, version, _)| version);
    if !rows::set(tx, FIFTHS, &ground::of_fifths(&fifths).to_string(), (version + 1, now))? {
        return Err(tx.begin_anew().into());
    }
    let body = json!({ "version": version + 1, "customers": measured.len() });
    emit(tx, actor, world, "rfm", "rfm.drawn", body);
    Ok(false)
}

/// Where a customer stands: the stage, and the scores if the customer bought within a year and fifths were drawn.
pub type Standing = (Stage, Option<Score>);

/// Where somebody stands at this instant; `None` for who is no customer.
///
/// # Errors
/// [`Code::NotFound`].
pub fn standing(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (named, now): (Named, Instant),
) -> Result<Option<Standing>, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    let subject = subject::of(tx, named)?;
    let needs = Needs { orders: true, ..Needs::default() };
    let known: Facts = facts::gather(tx, &[subject], &needs, now)?.pop().unwrap_or_default();
    if known.customer_since.is_none() {
        return Ok(None);
    }
    let stage = ground::life(tx)?.0.stage(&known.orders, now);
    let score = ground::fifths(tx)?.and_then(|fifths| fifths.score(&known.orders, now));
    Ok(Some((stage, score)))
}
