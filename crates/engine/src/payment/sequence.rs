//! In which sequence several means on one order are taken and given back: a rule of each market, of which every version is kept.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::payment::sequence::Rule;
use domain::value::id::{Channel, Market};
use domain::value::{Id, Instant};
use serde_json::{Value, json};
use store::Tx;
use store::payment::sequence as rows;

pub use domain::payment::sequence::Sequence;
pub use store::payment::sequence::Version;

use crate::edit;
use crate::event::emit;
use crate::{Failure, World};

/// The rule an order follows: the one of its channel's market that was in force when it was placed.
pub(crate) fn followed(tx: &mut Tx<'_>, channel: Id<Channel>, placed_at: Instant) -> Result<Rule, Failure> {
    Ok(rows::in_force(tx, channel, placed_at)?.map_or_else(Rule::usual, |version| version.rule))
}

/// The rule of a market, and its version; none when none was set.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, market: Id<Market>) -> Result<Option<Version>, Failure> {
    Ok(list(tx, actor, market, i64::MAX, 1)?.into_iter().next())
}

/// The versions of a market's rule before one, the newest first.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    market: Id<Market>,
    before: i64,
    limit: i64,
) -> Result<Vec<Version>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    known(tx, market)?;
    Ok(rows::list(tx, market, before, limit)?)
}

/// Sets the rule of a market for orders placed from now on. Setting the same again is no new version.
///
/// # Errors
/// [`domain::Code::NotFound`], [`domain::Code::Stale`] when it is not at the version given.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (market, version): (Id<Market>, Option<i64>),
    rule: Rule,
) -> Result<Version, Failure> {
    actor.may(Permission::EditPolicies, None)?;
    known(tx, market)?;
    let last = rows::list(tx, market, i64::MAX, 1)?.into_iter().next();
    let number = last.as_ref().map_or(0, |last| last.number);
    edit::unchanged(market, number, version)?;
    if let Some(same) = last.filter(|last| last.rule == rule) {
        return Ok(same);
    }
    let new = Version { number: number + 1, rule, since: world.now() };
    if !rows::add(tx, market, &new)? {
        return Err(edit::stale(market).into());
    }
    let shown = |sequence: &Sequence| -> Value {
        let kinds: Vec<_> = sequence.kinds().iter().map(|kind| kind.text()).collect();
        json!({ "kinds": kinds, "rest": sequence.rest().text() })
    };
    let body = json!({ "version": new.number, "capture": shown(&new.rule.capture), "refund": shown(&new.rule.refund) });
    emit(tx, actor, world, market, "payment_sequence.set", body);
    Ok(new)
}

fn known(tx: &mut Tx<'_>, market: Id<Market>) -> Result<(), Failure> {
    match store::market::find_market(tx, market)? {
        Some(_) => Ok(()),
        None => Err(Refusal::not_found("market", market).into()),
    }
}
