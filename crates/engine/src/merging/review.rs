//! Pairs of customers who may be one person: found by a job after each change of a customer, or for all at once; kept with how the score came
//! about until a colleague decides. What was decided once is never asked again.

use std::time::Duration;

use domain::actor::{Actor, Permission};
use domain::customer::matching::bulk::{self, Effort, Threads};
use domain::customer::matching::crowd::Gathering;
use domain::customer::matching::review::{Found as FoundBy, ReviewState};
use domain::customer::matching::{Band, Crowd, Explanation, Model, compare, train};
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
use crate::{Failure, Shop, World};

/// The job that merges two customers who share a key, where the retailer lets that be enough.
pub const JOIN: &str = "customer.join";
/// Two customers.
type Pair = (Id<CustomerKind>, Id<CustomerKind>);

/// So many customers are read at once.
const PAGE: i64 = 1_000;
/// So many pairs are noted in one transaction.
const BATCH: usize = 200;
/// The most pairs that are noted at once; the surest come first.
pub const NOTED_MAX: usize = 20_000;

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
    for (other, explained) in matching::alike(tx, world, &rule.model, id)? {
        let review = note(tx, actor, world, rule, ((id, other), &explained))?;
        noted.extend(review.map(|review| (other, review)));
    }
    Ok(noted)
}

/// Notes a pair that was not found before, who was there first as the one.
fn note(
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
    Ok(rows::rule(tx)?.unwrap_or(Rule { model: None, automatic: false, version: 0 }))
}

/// Says which model is in force, and whether what it is sure of is merged without a look.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::Invalid`] at `model` for one that is not there, [`Code::Stale`].
pub fn set_rule(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (model, automatic): (Option<i64>, bool),
) -> Result<Rule, Failure> {
    let was = rule(tx, actor)?;
    if let Some(number) = model
        && !rows::models(tx, number.saturating_add(1), 1)?.iter().any(|one| one.number == number)
    {
        return Err(Refusal::invalid(
            "model",
            format!("no model {number}; learn one by `tandem match --train`"),
        )
        .into());
    }
    let now = Rule { model, automatic, version: was.version + 1 };
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

/// What came of comparing all customers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many customers were compared.
    pub customers: u64,
    /// How many pairs of them.
    pub compared: u64,
    /// How many pairs the model is sure of, and how many a colleague should look at.
    pub automatic: u64,
    /// How many a colleague should look at.
    pub review: u64,
    /// How many of them were noted that were not before.
    pub noted: u64,
    /// How many lie beyond [`NOTED_MAX`].
    pub beyond: u64,
    /// The number of the model that was learnt.
    pub learnt: Option<i64>,
    /// How long reading took, and then comparing.
    pub took: [Duration; 2],
}

/// All customers, to be compared in memory.
struct All {
    ids: Vec<Id<CustomerKind>>,
    crowd: Crowd,
}

fn gathered(shop: &Shop, progress: &mut dyn FnMut(u64)) -> Result<All, Failure> {
    let (mut ids, mut gathering) = (Vec::new(), Gathering::default());
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = shop.db.read(move |tx| Ok::<_, Failure>(rows::contacts_after(tx, after, PAGE)?))?;
        let (many, last) = (page.len() as i64, page.last().map(|(id, ..)| *id));
        for (id, person) in matching::opened(&shop.keyring, page) {
            ids.push(id);
            gathering.add(&person);
        }
        progress(ids.len() as u64);
        match last {
            Some(last) if many == PAGE => after = last,
            _ => return Ok(All { ids, crowd: gathering.finish() }),
        }
    }
}

/// Compares all customers with each other and notes the pairs that may be one person, the surest first; nothing is merged. A dry run notes nothing.
/// `clock` tells how long it takes.
///
/// # Errors
/// What the store says; [`Code::WrongState`] when more pairs are alike than can be kept.
pub fn compare_all(
    shop: &Shop,
    actor: &Actor,
    is_dry_run: bool,
    (clock, progress): (&dyn Fn() -> Instant, &mut dyn FnMut(u64)),
) -> Result<Found, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let begun = clock();
    let all = gathered(shop, progress)?;
    let read = clock();
    let rule = shop.db.read(matching::in_force)?;
    let model = rule.model.among(all.crowd.len());
    let effort = Effort { threads: Threads::Two, floor: model.parts().bands.review };
    let too_many =
        |_| Refusal::new(Code::WrongState, "more pairs are alike than can be kept; learn a model first");
    let mut found = bulk::pairs(&all.crowd, &model, effort).map_err(too_many)?;
    found.pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.score), *pair));
    let sure = found.pairs.iter().filter(|pair| model.band(pair.score) == Band::Automatic).count() as u64;
    let span =
        |from: Instant, to: Instant| Duration::from_micros((to.micros() - from.micros()).unsigned_abs());
    let mut told = Found {
        customers: all.ids.len() as u64,
        compared: found.compared,
        automatic: sure,
        review: found.pairs.len() as u64 - sure,
        beyond: found.pairs.len().saturating_sub(NOTED_MAX) as u64,
        took: [span(begun, read), span(read, clock())],
        ..Found::default()
    };
    if is_dry_run {
        return Ok(told);
    }
    for pairs in found.pairs[..found.pairs.len().min(NOTED_MAX)].chunks(BATCH) {
        let explained: Vec<_> = pairs.iter().map(|pair| explained(&all, &model, pair)).collect();
        let (shop_of, actor, rule) = (shop.clone(), actor.clone(), rule.clone());
        told.noted += shop.db.write(move |tx| {
            let mut world = shop_of.world();
            let mut noted = 0;
            for (pair, explanation) in &explained {
                noted += u64::from(note(tx, &actor, &mut world, &rule, (*pair, explanation))?.is_some());
            }
            Ok::<_, Failure>(noted)
        })?;
    }
    Ok(told)
}

fn explained(all: &All, model: &Model, pair: &bulk::Pair) -> (Pair, Explanation) {
    let (one, other) = (all.crowd.person(pair.one), all.crowd.person(pair.other));
    ((all.ids[pair.one as usize], all.ids[pair.other as usize]), compare(model, &one, &other))
}

/// Learns a model of the shop's own customers, without being told who is who. It is kept, and in force once somebody says so.
///
/// # Errors
/// What the store says; [`Code::WrongState`] when more pairs are alike than can be kept.
pub fn learn(
    shop: &Shop,
    actor: &Actor,
    seed: u64,
    (clock, progress): (&dyn Fn() -> Instant, &mut dyn FnMut(u64)),
) -> Result<Found, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let begun = clock();
    let all = gathered(shop, progress)?;
    let read = clock();
    let begin = Model::built_in().among(all.crowd.len());
    let too_many = |_| Refusal::new(Code::WrongState, "more pairs are alike than can be kept");
    let learnt = train::train(&all.crowd, &begin, seed).map_err(too_many)?;
    let (parts, customers) = (matching::written(&learnt), all.ids.len() as i64);
    let (shop_of, actor) = (shop.clone(), actor.clone());
    let number = shop.db.write(move |tx| {
        let mut world = shop_of.world();
        let number = rows::models(tx, i64::MAX, 1)?.first().map_or(0, |one| one.number) + 1;
        let one = Learnt { number, parts: parts.clone(), customers, made_at: world.now() };
        rows::add_model(tx, &one)?;
        emit(
            tx,
            &actor,
            &mut world,
            "matching",
            "matching.learnt",
            json!({ "model": number, "customers": customers }),
        );
        Ok::<_, Failure>(number)
    })?;
    let span =
        |from: Instant, to: Instant| Duration::from_micros((to.micros() - from.micros()).unsigned_abs());
    let took = [span(begun, read), span(read, clock())];
    Ok(Found { customers: all.ids.len() as u64, learnt: Some(number), took, ..Found::default() })
}
