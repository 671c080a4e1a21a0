//! Pairs of customers who may be one person: found by a job after each change of a customer, or for all at once; kept with how the score came
//! about until a colleague decides. What was decided once is never asked again.

use domain::actor::{Actor, Permission};
use domain::customer::matching::review::{Found as FoundBy, Held, ReviewState};
use domain::customer::matching::{Band, Explanation, Model};
use domain::merging::Cause;
use domain::value::id::{Customer as CustomerKind, MatchReview};
use domain::value::{Id, Instant};
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

/// The job that joins the two of a pair who need no look, where the retailer lets that be enough.
pub const JOIN: &str = "customer.join";
/// The most open pairs of one customer that are scored anew.
const OPEN_MAX: i64 = 200;
/// The most characters kept of why two were not joined.
const WHY_CHARS_MAX: usize = 500;
/// Two customers.
pub(super) type Pair = (Id<CustomerKind>, Id<CustomerKind>);

/// Two customers who were compared.
#[derive(Clone, Copy)]
pub(super) struct Compared<'a> {
    /// The two.
    pub(super) pair: Pair,
    /// What came of it.
    pub(super) explained: &'a Explanation,
    /// When their contacts were as they were compared.
    pub(super) at: Instant,
}

/// What follows for a pair that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A colleague looks.
    Look,
    /// A colleague looks, though the model is sure: one of them wrote the contact himself.
    Held,
    /// They are joined without a look.
    Join,
}

/// Looks whom a customer may be the same person as, now that he is new or changed; who surely is one, and need not be looked at, is joined after.
///
/// # Errors
/// What the store says.
pub fn on_changed(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<CustomerKind>::parse(&job.subject) else { return Ok(()) };
    let rule = matching::in_force(tx)?;
    for (_, review) in look(tx, actor, world, &rule, id)? {
        let at = world.now();
        join_later(tx, actor, world, &rule, (review, at))?;
    }
    Ok(())
}

/// Looks whom a customer may be the same person as, and notes the pairs; those that wait for a colleague are scored anew. Answers the pairs
/// that are open with the other of each.
pub(crate) fn look(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rule: &InForce,
    id: Id<CustomerKind>,
) -> Result<Vec<(Id<CustomerKind>, Review)>, Failure> {
    let (mut noted, at) = (Vec::new(), world.now());
    let waiting = rows::open_with(tx, id, OPEN_MAX)?;
    for (other, explained) in matching::compared(tx, world, rule, (id, &waiting))? {
        if explained.band == Band::None && !waiting.contains(&other) {
            continue;
        }
        let compared = Compared { pair: (id, other), explained: &explained, at };
        let review = note(tx, actor, world, rule.number, compared)?.map(|(review, _)| review);
        noted.extend(review.map(|review| (other, review)));
    }
    Ok(noted)
}

/// Notes what came of comparing a pair, who was there first as the one; one that waits for a colleague is scored anew, and withdrawn if the two
/// are not alike any more. Answers it if it is open by its score, and whether that is news. What was decided stays decided, and what a trusted
/// source said of a key does not hang on the contact.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    model: i64,
    Compared { pair: (one, other), explained, at }: Compared<'_>,
) -> Result<Option<(Review, bool)>, Failure> {
    let scored = |known: Review| Review {
        score: explained.score,
        band: explained.band,
        model,
        steps: matching::steps(explained),
        state: if explained.band == Band::None { ReviewState::Withdrawn } else { ReviewState::Open },
        scored_at: at,
        held: known.held.clone().filter(|_| explained.band == Band::Automatic),
        ..known
    };
    let Some(known) = rows::lock_pair(tx, one.min(other), one.max(other))? else {
        let fresh = scored(found(world, (one, other), FoundBy::Alike));
        return Ok(add(tx, actor, world, fresh)?.map(|review| (review, true)));
    };
    if known.state.is_decided() || known.found_by == FoundBy::Key || known.scored_at > at {
        return Ok(None);
    }
    let (was, now) = (known.state, scored(known.clone()));
    rows::rewrite(tx, &now)?;
    let kind = match (was, now.state) {
        (ReviewState::Open, ReviewState::Withdrawn) => Some("match.withdrawn"),
        (ReviewState::Withdrawn, ReviewState::Open) => Some("match.found"),
        _ => (now.steps != known.steps).then_some("match.changed"),
    };
    if let Some(kind) = kind {
        emit(tx, actor, world, now.id, kind, told(&now));
    }
    Ok((now.state == ReviewState::Open).then_some((now, was == ReviewState::Withdrawn)))
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
        scored_at: world.now(),
        held: None,
        decided_at: None,
        decided_by: None,
        merge: None,
    }
}

fn add(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, review: Review) -> Result<Option<Review>, Failure> {
    if !rows::add_review(tx, &review)? {
        return Ok(None);
    }
    emit(tx, actor, world, review.id, "match.found", told(&review));
    Ok(Some(review))
}

fn told(review: &Review) -> Value {
    json!({ "customers": [review.one.to_string(), review.other.to_string()], "found_by": review.found_by.text(), "score": review.score,
        "band": review.band.word() })
}

/// Lets an open pair be joined from an instant on, if the model is sure and the retailer lets that be enough. What a customer wrote of himself joins
/// nobody: whoever writes another's name and street into his own contact would become the other.
pub(super) fn join_later(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    rule: &InForce,
    (review, at): (Review, Instant),
) -> Result<Next, Failure> {
    if !rule.automatic || review.band != Band::Automatic {
        return Ok(Next::Look);
    }
    if hold_own_word(tx, actor, world, &review)? {
        return Ok(Next::Held);
    }
    job::enqueue(tx, world, JOIN, review.id, json!({}), at)?;
    Ok(Next::Join)
}

/// Holds a pair for a colleague if the contact of one of them is what the customer wrote of himself.
fn hold_own_word(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    review: &Review,
) -> Result<bool, Failure> {
    let mut who = vec![review.one, review.other];
    for id in [review.one, review.other] {
        who.extend(customers::merged_into(tx, id)?);
    }
    let own = rows::own_words(tx, &who)?;
    let Some(id) = own.first() else { return Ok(false) };
    let why = format!("the contact of customer {id} is what the customer wrote; nobody checked it");
    hold(tx, actor, world, review.clone(), (Held::OwnWord, &why))?;
    Ok(true)
}

/// Leaves a pair that needs no look to a colleague, and says why.
fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    review: Review,
    (by, why): (Held, &str),
) -> Result<(), Failure> {
    let held = Some((by, why.chars().take(WHY_CHARS_MAX).collect()));
    if review.held == held {
        return Ok(());
    }
    emit(tx, actor, world, review.id, "match.held", json!({ "by": by.text() }));
    Ok(rows::rewrite(tx, &Review { held, ..review })?)
}

/// Notes that two customers share a key, as a trusted source says, with the reason in words that name nobody. What was decided of them
/// stays decided; where the retailer lets a key be enough, they are merged right after the commit, unless the key is one that customers only
/// tell (`is_told`), and one of them wrote the contact himself. Answers whether it is news.
///
/// # Errors
/// What the store says.
pub(crate) fn share_a_key(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (one, other): Pair,
    (reason, is_told): (&str, bool),
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
    let step = json!([reason, 0]);
    let review = match rows::lock_pair(tx, pair[0], pair[1])? {
        Some(known) if known.state.is_decided() || known.found_by == FoundBy::Key => return Ok(false),
        Some(known) => {
            let mut steps: Vec<Value> = serde_json::from_str(&known.steps).unwrap_or_default();
            steps.push(step);
            let steps = Value::Array(steps).to_string();
            let (found_by, band, state) = (FoundBy::Key, Band::Automatic, ReviewState::Open);
            let known = Review { found_by, band, state, steps, ..known };
            rows::rewrite(tx, &known)?;
            known
        }
        None => {
            let fresh = found(world, (pair[0], pair[1]), FoundBy::Key);
            let fresh = Review { steps: json!([step]).to_string(), ..fresh };
            let Some(noted) = add(tx, actor, world, fresh)? else { return Ok(false) };
            noted
        }
    };
    if matching::in_force(tx)?.automatic && !(is_told && hold_own_word(tx, actor, world, &review)?) {
        job::enqueue(tx, world, JOIN, review.id, json!({}), world.now())?;
    }
    Ok(true)
}

/// Merges the two of a pair, unless somebody decided meanwhile, a contact changed since it was compared (the job of that change looks anew), or the
/// retailer does not let it be enough any more. What cannot go along is left to a colleague, with the reason.
///
/// # Errors
/// What the store says.
pub fn on_sure(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let Ok(id) = Id::<MatchReview>::parse(&job.subject) else { return Ok(()) };
    let Some(review) = rows::lock_review(tx, id)?.filter(|one| one.state == ReviewState::Open) else {
        return Ok(());
    };
    if review.band != Band::Automatic || !matching::in_force(tx)?.automatic {
        return Ok(());
    }
    if review.found_by == FoundBy::Alike
        && (rows::changed_since(tx, &[review.one, review.other], review.scored_at)?
            || hold_own_word(tx, actor, world, &review)?)
    {
        return Ok(());
    }
    let cause = if review.found_by == FoundBy::Key { Cause::Rule } else { Cause::System };
    match tx.savepoint(|tx| settle(tx, actor, world, review.clone(), cause)) {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) => hold(tx, actor, world, review, (Held::Refused, refusal.message())),
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
