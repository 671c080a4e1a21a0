//! What is done with all customers while the shop is open: asked for over the API, done beside everything else, one at a time. A model of who is one
//! person is learnt, and held against the model in force on the same customers; it is in force once somebody says so. Or all are compared.

use std::cmp::Ordering;

use domain::actor::{Actor, Permission};
use domain::customer::matching::bulk::Pair;
use domain::customer::matching::{Band, Model, train};
use domain::merging::{Task, TrainingState};
use domain::value::Id;
use domain::value::id::MatchTraining;
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::merging::training as rows;

pub use store::merging::training::Training;

use super::bulk::{All, Found, compare_all, gathered, keep_model, scored};
use crate::customer::matching::{self, Counted, InForce};
use crate::event::emit;
use crate::{Failure, Shop, World};

/// How long a training is its node's after it was last heard of: longer than learning of the most customers takes.
const LEASE_SECONDS: i64 = 1_800;
/// How often a training that was cut off is begun anew.
pub const TRIES_MAX: i64 = 3;
/// After so many customers it is noted how many were read.
const NOTED_EACH: u64 = 20_000;
/// The most characters kept of why it could not be done.
const WHY_LENGTH_MAX: usize = 500;

/// Asks for a model to be learnt of the shop's own customers: the same seed learns the same again; or for all of them to be compared.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::Invalid`] at `seed`; [`Code::WrongState`] while another is under way.
pub fn start(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (task, seed): (Task, i64),
) -> Result<Training, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    if seed < 0 {
        return Err(Refusal::invalid("seed", "give a whole number from 0").into());
    }
    let now = world.now();
    let one = Training {
        id: world.id(),
        task,
        seed,
        state: TrainingState::Waiting,
        customers: 0,
        number: None,
        figures: None,
        why: None,
        asked_by: actor.who.label(),
        tries: 0,
        claimed_until: now,
        made_at: now,
        began_at: None,
        ended_at: None,
    };
    if !rows::add(tx, &one)? {
        let why =
            "a model is being learnt, or all customers are compared, already; wait until it ends, or stop it";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let kind = match task {
        Task::Learn => "matching.training_started",
        Task::Compare => "matching.comparison_started",
    };
    emit(tx, actor, world, one.id, kind, json!({ "seed": seed }));
    Ok(one)
}

/// Stops a training: what it learnt until then is forgotten, pairs that were noted stay.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`], [`Code::WrongState`] when it has ended.
pub fn stop(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (task, id): (Task, Id<MatchTraining>),
) -> Result<Training, Failure> {
    let mut one = read(tx, actor, (task, id))?;
    if one.state.is_over() {
        let why = format!("{id} is {} and cannot be stopped", one.state.text());
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    (one.state, one.ended_at) = (TrainingState::Stopped, Some(world.now()));
    if !rows::end(tx, &one)? {
        return Err(tx.begin_anew().into());
    }
    let kind = match task {
        Task::Learn => "matching.training_stopped",
        Task::Compare => "matching.comparison_stopped",
    };
    emit(tx, actor, world, id, kind, json!({}));
    Ok(one)
}

/// A training of a task, with how far it is and what came of it.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (task, id): (Task, Id<MatchTraining>),
) -> Result<Training, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let found = rows::find(tx, id)?.filter(|one| one.task == task);
    let what = if task == Task::Learn { "training" } else { "comparison" };
    found.ok_or_else(|| Refusal::not_found(what, id).into())
}

/// The trainings of a task before one, the newest first.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    task: Task,
    (before, limit): (Id<MatchTraining>, i64),
) -> Result<Vec<Training>, Failure> {
    actor.may(Permission::EditIdentity, None)?;
    Ok(rows::list(tx, task, before, limit)?)
}

/// Does the training that waits, if one does; true when there was one. It takes minutes and two threads, so whoever calls does nothing else.
///
/// # Errors
/// When the books cannot be used. A training that fails is noted and is no error.
pub fn work(shop: &Shop) -> Result<bool, Failure> {
    let Some(one) = claimed(shop)? else { return Ok(false) };
    let outcome = match one.task {
        Task::Learn => learn(shop, &one),
        Task::Compare => compare(shop, &one),
    };
    match outcome {
        Err(Failure::Refused(refusal)) => give_up(shop, one, refusal.to_string())?,
        done => done?,
    }
    Ok(true)
}

/// The training that waits, or was cut off, made ours. One that was cut off too often ends.
fn claimed(shop: &Shop) -> Result<Option<Training>, Failure> {
    let now = shop.source.now();
    let Some(one) = shop.db.read(move |tx| Ok::<_, Failure>(rows::due(tx, now)?))? else { return Ok(None) };
    if one.tries >= TRIES_MAX {
        give_up(shop, one, format!("it was cut off {TRIES_MAX} times"))?;
        return Ok(None);
    }
    shop.db.write(move |tx| {
        let is_ours = rows::claim(tx, &one, now, now.plus_seconds(LEASE_SECONDS))?;
        let ours = Training { tries: one.tries + 1, began_at: Some(now), ..one.clone() };
        Ok(is_ours.then_some(ours))
    })
}

fn give_up(shop: &Shop, one: Training, why: String) -> Result<(), Failure> {
    let world_of = shop.clone();
    let why: String = why.chars().take(WHY_LENGTH_MAX).collect();
    shop.db.write(move |tx| {
        let mut world = world_of.world();
        let (state, ended_at) = (TrainingState::Failed, Some(world.now()));
        let ended = Training { state, ended_at, why: Some(why.clone()), ..one.clone() };
        if rows::end(tx, &ended)? {
            let kind = match one.task {
                Task::Learn => "matching.training_failed",
                Task::Compare => "matching.comparison_failed",
            };
            emit(tx, &Actor::system(), &mut world, one.id, kind, json!({}));
        }
        Ok::<_, Failure>(())
    })
}

fn learn(shop: &Shop, one: &Training) -> Result<(), Failure> {
    let all = gathered(shop, &mut |customers| heard_of(shop, one, (customers, None)))?;
    let now = shop.db.read(matching::in_force)?;
    let too_many = |_| Refusal::new(Code::WrongState, "more pairs are alike than can be kept");
    let begin = Model::built_in().among(all.crowd.len());
    let learnt = train::train(&all.crowd, &begin, one.seed.unsigned_abs()).map_err(too_many)?;
    let figures = figures(&all, &learnt, &now)?.to_string();
    let counted = Counted::of(&shop.keyring, &all.crowd);
    let (world_of, one, customers) = (shop.clone(), one.clone(), all.ids.len() as i64);
    shop.db.write(move |tx| {
        let mut world = world_of.world();
        let number = keep_model(tx, &Actor::system(), &mut world, (&learnt, &counted, customers))?;
        let ended = Training {
            state: TrainingState::Done,
            customers,
            number: Some(number),
            figures: Some(figures.clone()),
            ended_at: Some(world.now()),
            ..one.clone()
        };
        if !rows::end(tx, &ended)? {
            return Err(stopped(&one).into());
        }
        Ok::<_, Failure>(())
    })
}

/// Compares all customers, and joins or shows the pairs as the retailer says.
fn compare(shop: &Shop, one: &Training) -> Result<(), Failure> {
    let clock = || shop.source.now();
    let figures = |told: &Found| {
        json!({ "compared": told.compared, "automatic": told.automatic, "review": told.review, "noted": told.noted, "joining": told.joining,
            "held": told.held, "beyond": told.beyond })
        .to_string()
    };
    let mut heard =
        |told: &Found| heard_of(shop, one, (told.customers, (told.compared > 0).then(|| figures(told))));
    let told = compare_all(shop, &Actor::system(), false, (&clock, &mut heard))?;
    let (world_of, one) = (shop.clone(), one.clone());
    shop.db.write(move |tx| {
        let mut world = world_of.world();
        let (state, ended_at) = (TrainingState::Done, Some(world.now()));
        let (customers, figures) = (told.customers.cast_signed(), Some(figures(&told)));
        let ended = Training { state, customers, figures, ended_at, ..one.clone() };
        if !rows::end(tx, &ended)? {
            return Err(stopped(&one).into());
        }
        let body = json!({ "customers": customers, "noted": told.noted, "joining": told.joining });
        emit(tx, &Actor::system(), &mut world, one.id, "matching.compared", body);
        Ok::<_, Failure>(())
    })
}

/// Notes how many customers were read, now and then, and what came of comparing them so far.
fn heard_of(shop: &Shop, one: &Training, (customers, figures): (u64, Option<String>)) -> Result<(), Failure> {
    if figures.is_none() && !customers.is_multiple_of(NOTED_EACH) {
        return Ok(());
    }
    let one = Training { customers: customers.cast_signed(), figures, ..one.clone() };
    let until = shop.source.now().plus_seconds(LEASE_SECONDS);
    shop.db.write(move |tx| {
        let goes_on = rows::note(tx, &one, until)?;
        if goes_on { Ok::<_, Failure>(()) } else { Err(stopped(&one).into()) }
    })
}

fn stopped(one: &Training) -> Refusal {
    Refusal::new(Code::WrongState, format!("{} was stopped, or taken over", one.id))
}

/// What the new model says of the same customers as the one in force: how many pairs each is sure of, how many it would show, and how many
/// pairs the new one judges higher and lower.
fn figures(all: &All, learnt: &Model, now: &InForce) -> Result<serde_json::Value, Failure> {
    let before = now.among(all.crowd.len());
    let ((new, compared), (old, _)) = (scored(all, learnt)?, scored(all, &before)?);
    let count = |pairs: &[Pair], model: &Model, band| {
        pairs.iter().filter(|pair| model.band(pair.score) == band).count()
    };
    let of = |pairs: &[Pair], model: &Model| json!({ "automatic": count(pairs, model, Band::Automatic), "review": count(pairs, model, Band::Review) });
    let (higher, lower) = moved((&new, learnt), (&old, &before));
    Ok(
        json!({ "compared": compared, "learnt": of(&new, learnt), "in_force": of(&old, &before), "model": now.number,
        "higher": higher, "lower": lower }),
    )
}

/// How many pairs one model judges higher than another, and how many lower. Both lists are in the order of their pairs.
fn moved((new, learnt): (&[Pair], &Model), (old, before): (&[Pair], &Model)) -> (u64, u64) {
    let (mut higher, mut lower) = (0, 0);
    let (mut new, mut old) = (new.iter().peekable(), old.iter().peekable());
    loop {
        let order = match (new.peek(), old.peek()) {
            (None, None) => return (higher, lower),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => (one.one, one.other).cmp(&(other.one, other.other)),
        };
        let band =
            |pair: Option<&Pair>, model: &Model| pair.map_or(Band::None, |pair| model.band(pair.score));
        let is = if order == Ordering::Greater { Band::None } else { band(new.next(), learnt) };
        let was = if order == Ordering::Less { Band::None } else { band(old.next(), before) };
        higher += u64::from(is > was);
        lower += u64::from(is < was);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_move_up_and_down_whichever_model_found_them() {
        let model = Model::built_in();
        let (review, automatic) = (model.parts().bands.review, model.parts().bands.automatic);
        let pair = |one, score| Pair { one, other: one + 1, score };
        let new = [pair(1, automatic), pair(3, review), pair(5, review)];
        let old = [pair(1, review), pair(2, review), pair(5, review), pair(7, automatic)];
        assert_eq!(moved((&new, &model), (&old, &model)), (2, 2));
    }
}
