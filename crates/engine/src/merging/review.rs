//! Pairs of customers who may be one person: found by a job after each change of a customer, or for all at once; kept with how the score came
//! about until a colleague decides. What was decided once is never asked again.

use domain::actor::{Actor, Permission};
use domain::customer::matching::review::{Found as FoundBy, ReviewState};
use domain::customer::matching::{Band, Explanation, Model};
use domain::merging::Cause;
use domain::value::Id;
use domain::value::id::{Customer as CustomerKind, MatchReview};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::customer::matching as rows;
use store::{Tx, customer as customers};

pub use store::customer::matching::{Learnt, Review, Rule};

use super::{Merge, Wish, merge};
use crate::customer::matching::{self, InForce};
use crate::event::emit;
use crate::job::{self, Job};
use crate::{Failure, World};

/// The job that merges two customers who share a key, where the retailer lets that be enough.
pub const JOIN: &str = "customer.join";
/// Two customers.
pub(super) type Pair = (Id<CustomerKind>, Id<CustomerKind>);

/// Looks whom a customer may be the same person as, now that he is new or changed.
///
/// # Errors
/// What the store says.
pub fn on_changed(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<CustomerKind>::parse(&job.subject) else { return Ok(()) };
    let rule = matching::in_force(tx)?;
    for (_, review) in look(tx, actor, world, &rule, id)? {
        if rule.automatic && review.band == Band::Automatic {
            settle(tx, actor, world, review, Cause::System)?;
        }
    }
    Ok(())
}

/// Looks whom a customer may be the same person as, and notes the pairs that were not found before; answers them with the other of each.
pub(crate) fn look(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rule: &InForce,
    id: Id<CustomerKind>,
) -> Result<Vec<(Id<CustomerKind>, Review)>, Failure> {
    let mut noted = Vec::new();
    for (other, explained) in matching::alike(tx, world, rule, id)? {
        let review = note(tx, actor, world, rule, ((id, other), &explained))?;
        noted.extend(review.map(|review| (other, review)));
    }
    Ok(noted)
}

/// Notes a pair that was not found before, who was there first as the one.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rule: &InForce,
    ((one, other), explained): (Pair, &Explanation),
) -> Result<Option<Review>, Failure> {
    let review = Review {
        score: explained.score,
        band: explained.band,
        model: rule.number,
        steps: matching::steps(explained),
        ..found(world, (one, other), FoundBy::Alike)
    };
    add(tx, actor, world, review)
}

/// A pair that was just found.
fn found(world: &mut World, (one, other): Pair, found_by: FoundBy) -> Review {
    Review {
        id: world.id(),
        one: one.min(other),
        other: one.max(other),
        found_by,
        score: 0,
        band: Band::Automatic,
        model: 0,
        steps: "[]".to_owned(),
        state: ReviewState::Open,
        at: world.now(),
        decided_at: None,
        decided_by: None,
        merge: None,
    }
}

fn add(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, review: Review) -> Result<Option<Review>, Failure> {
    if rows::is_known(tx, review.one, review.other)? || !rows::add_review(tx, &review)? {
        return Ok(None);
    }
    let body = json!({ "customers": [review.one.to_string(), review.other.to_string()], "found_by": review.found_by.text(),
        "score": review.score, "band": review.band.word() });
    emit(tx, actor, world, review.id, "match.found", body);
    Ok(Some(review))
}

/// Notes that two customers share a key, as a trusted source says, with the reason in words that name nobody. What was decided of them
/// stays decided; where the retailer lets a key be enough, they are merged right after the commit. Answers whether it is news.
///
/// # Errors
/// What the store says.
pub(crate) fn share_a_key(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (one, other): Pair,
    reason: &str,
) -> Result<bool, Failure> {
    let mut pair = [one, other];
    for id in &mut pair {
        let Some(known) = customers::find(tx, *id)? else { return Ok(false) };
        if known.erased_at.is_some() {
            return Ok(false);
        }
        *id = known.merged_into.unwrap_or(*id);
    }
    pair.sort_unstable();
    if pair[0] == pair[1] {
        return Ok(false);
    }
    let steps = json!([[reason, 0]]).to_string();
    let review = match rows::lock_pair(tx, pair[0], pair[1])? {
        Some(known) if known.state != ReviewState::Open || known.found_by == FoundBy::Key => {
            return Ok(false);
        }
        Some(known) => {
            let mut steps: Vec<Value> = serde_json::from_str(&known.steps).unwrap_or_default();
            steps.push(json!([reason, 0]));
            let steps = Value::Array(steps).to_string();
            let known = Review { found_by: FoundBy::Key, band: Band::Automatic, steps, ..known };
            rows::found_by_key(tx, &known)?;
            known
        }
        None => {
            let fresh = Review { steps, ..found(world, (pair[0], pair[1]), FoundBy::Key) };
            let Some(noted) = add(tx, actor, world, fresh)? else { return Ok(false) };
            noted
        }
    };
    if matching::in_force(tx)?.automatic {
        job::enqueue(tx, world, JOIN, review.id, json!({}), world.now())?;
    }
    Ok(true)
}

/// Merges two customers who share a key, unless somebody decided meanwhile, or what they have cannot go along: then a colleague looks.
///
/// # Errors
/// What the store says.
pub fn on_shared_key(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<MatchReview>::parse(&job.subject) else { return Ok(()) };
    let Some(review) = rows::lock_review(tx, id)?.filter(|one| one.state == ReviewState::Open) else {
        return Ok(());
    };
    match tx.savepoint(|tx| settle(tx, actor, world, review, Cause::Rule)) {
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Merges the two of a pair: who was there first stays. Where they are one already, only that is noted.
fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut review: Review,
    cause: Cause,
) -> Result<(Review, Option<Merge>), Failure> {
    let now = |tx: &mut Tx<'_>, id| Ok::<_, Failure>(customers::merged_into(tx, id)?.unwrap_or(id));
    let (winner, loser) = (now(tx, review.one)?, now(tx, review.other)?);
    let merged = if winner == loser {
        None
    } else {
        let why = match review.found_by {
            FoundBy::Alike => format!("match {} scored {}", review.id, review.score),
            FoundBy::Key => format!("match {}: they share a key", review.id),
        };
        Some(merge(tx, actor, world, Wish { winner, loser, cause, why })?)
    };
    (review.state, review.merge) = (ReviewState::Accepted, merged.as_ref().map(|merged| merged.id));
    decided(tx, actor, world, &mut review)?;
    Ok((review, merged))
}

fn decided(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, review: &mut Review) -> Result<(), Failure> {
    (review.decided_at, review.decided_by) = (Some(world.now()), Some(actor.who.label()));
    rows::decide(tx, review)?;
    let body = json!({ "merge": review.merge.map(|id| id.to_string()) });
    let kind = if review.state == ReviewState::Accepted { "match.accepted" } else { "match.rejected" };
    emit(tx, actor, world, review.id, kind, body);
    Ok(())
}

fn open(tx: &mut Tx<'_>, actor: &Actor, id: Id<MatchReview>) -> Result<Review, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let found = rows::lock_review(tx, id)?.ok_or_else(|| Refusal::not_found("match", id))?;
    if found.state == ReviewState::Open {
        return Ok(found);
    }
    let why = format!("match {id} was {} before", found.state.text());
    Err(Refusal::new(Code::WrongState, why).into())
}

/// The two are one person: they are merged, who was there first stays.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::WrongState`] when it was decided before, and what [`merge`] refuses.
pub fn accept(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<MatchReview>,
) -> Result<Review, Failure> {
    let review = open(tx, actor, id)?;
    Ok(settle(tx, actor, world, review, Cause::Review)?.0)
}

/// The two are two persons; nobody is asked again.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::WrongState`] when it was decided before.
pub fn reject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<MatchReview>,
) -> Result<Review, Failure> {
    let mut review = open(tx, actor, id)?;
    review.state = ReviewState::Rejected;
    decided(tx, actor, world, &mut review)?;
    Ok(review)
}

/// A pair.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<MatchReview>) -> Result<Review, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    rows::find_review(tx, id)?.ok_or_else(|| Refusal::not_found("match", id).into())
}

/// The pairs in a state before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    state: ReviewState,
    (before, limit): (Id<MatchReview>, i64),
) -> Result<Vec<Review>, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok(rows::reviews(tx, state, before, limit)?)
}

/// What the retailer says of matching; until something was said, the built-in model, and nothing is merged without a look.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn rule(tx: &mut Tx<'_>, actor: &Actor) -> Result<Rule, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok(rows::rule(tx)?.unwrap_or(Rule { model: None, before: 0, automatic: false, version: 0 }))
}

/// Says which model is in force, 0 being the built-in one, and whether what it is sure of is merged without a look. Which was in force before
/// stays known, to go back to.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] at `model` for one that is not there, [`Code::Stale`].
pub fn set_rule(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (model, automatic): (Option<i64>, bool),
) -> Result<Rule, Failure> {
    let (was, model) = (rule(tx, actor)?, model.filter(|number| *number != 0));
    if let Some(number) = model
        && !rows::models(tx, number.saturating_add(1), 1)?.iter().any(|one| one.number == number)
    {
        return Err(Refusal::invalid("model", format!("no model {number}; learn one first")).into());
    }
    let before = if model == was.model { was.before } else { was.model.unwrap_or(0) };
    let now = Rule { model, before, automatic, version: was.version + 1 };
    if !rows::put_rule(tx, &now, world.now())? {
        return Err(tx.begin_anew().into());
    }
    let body = json!({ "model": model, "automatic": automatic });
    emit(tx, actor, world, "matching", "matching.changed", body);
    Ok(now)
}

/// The models before a number, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn models(tx: &mut Tx<'_>, actor: &Actor, before: i64, limit: i64) -> Result<Vec<Learnt>, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok(rows::models(tx, before, limit)?)
}

/// A model beside the one in force.
#[derive(Clone, Debug)]
pub struct Known {
    /// When and of how many it was learnt; nothing for the built-in one.
    pub learnt: Option<Learnt>,
    /// The model.
    pub model: Model,
    /// The one in force.
    pub in_force: InForce,
}

/// A model by its number, 0 for the built-in one, beside the one in force.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn model(tx: &mut Tx<'_>, actor: &Actor, number: i64) -> Result<Known, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let in_force = matching::in_force(tx)?;
    if number == 0 {
        return Ok(Known { learnt: None, model: Model::built_in(), in_force });
    }
    let found = rows::models(tx, number.saturating_add(1), 1)?.into_iter().find(|one| one.number == number);
    let learnt = found.ok_or_else(|| Refusal::not_found("matching model", number))?;
    let lost = || store::StoreError::Corrupt(format!("matching model {number} cannot be read"));
    let (model, _) = matching::read(&learnt.parts).ok_or_else(lost)?;
    Ok(Known { model, learnt: Some(learnt), in_force })
}
