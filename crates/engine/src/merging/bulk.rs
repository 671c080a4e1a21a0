//! All customers at once: compared with each other, and a model learnt of them, in memory.

use std::time::Duration;

use domain::actor::{Actor, Permission};
use domain::customer::matching::bulk::{self, Effort, Threads};
use domain::customer::matching::crowd::Gathering;
use domain::customer::matching::{Band, Crowd, Explanation, Model, compare, train};
use domain::value::id::Customer as CustomerKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::Tx;
use store::customer::matching as rows;

use super::review::{Compared, Learnt, Next, Pair, join_later, note};
use crate::customer::matching::{self, Counted, InForce};
use crate::event::emit;
use crate::{Failure, Shop, World};

/// So many customers are read at once.
const PAGE: i64 = 1_000;
/// So many pairs are noted in one transaction.
const BATCH: usize = 200;
/// The most pairs that are noted at once; the surest come first.
pub const NOTED_MAX: u64 = 20_000;
/// So many pairs are joined in a second, so that other jobs need not wait for thousands of them.
const JOINED_EACH_SECOND: u64 = 20;

/// Who is told how far it is, after each page of customers and each batch of pairs, and may end it.
pub type Progress<'a> = &'a mut dyn FnMut(&Found) -> Result<(), Failure>;

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
    /// How many are joined without a look, one after the other from now on.
    pub joining: u64,
    /// How many are left to a colleague though the model is sure, because somebody wrote the contact himself.
    pub held: u64,
    /// How many lie beyond [`NOTED_MAX`].
    pub beyond: u64,
    /// The number of the model that was learnt.
    pub learnt: Option<i64>,
    /// How long reading took, and then comparing.
    pub took: [Duration; 2],
}

/// All customers, to be compared in memory.
pub(super) struct All {
    pub(super) ids: Vec<Id<CustomerKind>>,
    pub(super) crowd: Crowd,
}

/// Reads all customers; `progress` is told after each page, and may end it.
pub(super) fn gathered(
    shop: &Shop,
    progress: &mut dyn FnMut(u64) -> Result<(), Failure>,
) -> Result<All, Failure> {
    let (mut ids, mut gathering) = (Vec::new(), Gathering::default());
    let mut after = Id::from_bytes([0; 16]);
    loop {
        let page = shop.db.read(move |tx| Ok::<_, Failure>(rows::contacts_after(tx, after, PAGE)?))?;
        let (many, last) = (page.len() as i64, page.last().map(|(id, ..)| *id));
        for (id, person) in matching::opened(&shop.keyring, page) {
            ids.push(id);
            gathering.add(&person);
        }
        progress(ids.len() as u64)?;
        match last {
            Some(last) if many == PAGE => after = last,
            _ => return Ok(All { ids, crowd: gathering.finish() }),
        }
    }
}

/// Reads all customers for somebody who may compare them, and when that began and ended.
fn read_by(
    shop: &Shop,
    actor: &Actor,
    (clock, progress): (&dyn Fn() -> Instant, Progress<'_>),
) -> Result<(All, [Instant; 2]), Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let begun = clock();
    let all = gathered(shop, &mut |customers| progress(&Found { customers, ..Found::default() }))?;
    Ok((all, [begun, clock()]))
}

/// How long reading took, and then everything until now.
fn took([begun, read]: [Instant; 2], now: Instant) -> [Duration; 2] {
    let span =
        |from: Instant, to: Instant| Duration::from_micros((to.micros() - from.micros()).unsigned_abs());
    [span(begun, read), span(read, now)]
}

/// Compares all customers with each other and notes the pairs that may be one person, the surest first, a few in each transaction. What the
/// model is sure of is joined by jobs after, where the retailer lets that be enough. A dry run notes nothing. `clock` tells how long it takes.
///
/// # Errors
/// What the store says, and what `progress` does; [`Code::WrongState`] when more pairs are alike than can be kept.
pub fn compare_all(
    shop: &Shop,
    actor: &Actor,
    is_dry_run: bool,
    (clock, progress): (&dyn Fn() -> Instant, Progress<'_>),
) -> Result<Found, Failure> {
    let (all, read) = read_by(shop, actor, (clock, &mut *progress))?;
    let rule = shop.db.read(matching::in_force)?;
    let model = rule.among(all.crowd.len());
    let (mut pairs, compared) = scored(&all, &model)?;
    pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.score), *pair));
    let sure = pairs.iter().filter(|pair| model.band(pair.score) == Band::Automatic).count() as u64;
    let mut told = Found {
        customers: all.ids.len() as u64,
        compared,
        automatic: sure,
        review: pairs.len() as u64 - sure,
        took: took(read, clock()),
        ..Found::default()
    };
    let mut left = pairs.as_slice();
    while !is_dry_run && !left.is_empty() && told.noted < NOTED_MAX {
        progress(&told)?;
        let (some, rest) = left.split_at(left.len().min(BATCH));
        let explained: Vec<_> = some.iter().map(|pair| explained(&all, &model, pair)).collect();
        note_some(shop, actor, &rule, (&explained, read[0]), &mut told)?;
        left = rest;
    }
    told.beyond = if is_dry_run { (pairs.len() as u64).saturating_sub(NOTED_MAX) } else { left.len() as u64 };
    Ok(told)
}

/// Notes some pairs in one transaction, as the contacts were at an instant.
fn note_some(
    shop: &Shop,
    actor: &Actor,
    rule: &InForce,
    (explained, at): (&[(Pair, Explanation)], Instant),
    told: &mut Found,
) -> Result<(), Failure> {
    let (shop_of, actor, rule, explained, before) =
        (shop.clone(), actor.clone(), rule.clone(), explained.to_vec(), told.clone());
    *told = shop.db.write(move |tx| {
        let (mut world, mut told) = (shop_of.world(), before.clone());
        for (pair, explained) in &explained {
            let compared = Compared { pair: *pair, explained, at };
            let Some((review, is_news)) = note(tx, &actor, &mut world, rule.number, compared)? else {
                continue;
            };
            told.noted += u64::from(is_news);
            let join_at = world.now().plus_seconds((told.joining / JOINED_EACH_SECOND).cast_signed());
            match join_later(tx, &actor, &mut world, &rule, (review, join_at))? {
                Next::Look => {}
                Next::Held => told.held += 1,
                Next::Join => told.joining += 1,
            }
        }
        Ok::<_, Failure>(told)
    })?;
    Ok(())
}

/// The pairs that a model would show or is sure of, in the order of their places, and how many were compared.
pub(super) fn scored(all: &All, model: &Model) -> Result<(Vec<bulk::Pair>, u64), Failure> {
    let effort = Effort { threads: Threads::Two, floor: model.parts().bands.review };
    let too_many =
        |_| Refusal::new(Code::WrongState, "more pairs are alike than can be kept; learn a model first");
    let found = bulk::pairs(&all.crowd, model, effort).map_err(too_many)?;
    Ok((found.pairs, found.compared))
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
    (clock, progress): (&dyn Fn() -> Instant, Progress<'_>),
) -> Result<Found, Failure> {
    let (all, read) = read_by(shop, actor, (clock, progress))?;
    let begin = Model::built_in().among(all.crowd.len());
    let too_many = |_| Refusal::new(Code::WrongState, "more pairs are alike than can be kept");
    let learnt = train::train(&all.crowd, &begin, seed).map_err(too_many)?;
    let (shop_of, actor, customers) = (shop.clone(), actor.clone(), all.ids.len() as i64);
    let counted = Counted::of(&shop.keyring, &all.crowd);
    let number = shop.db.write(move |tx| {
        let mut world = shop_of.world();
        keep_model(tx, &actor, &mut world, (&learnt, &counted, customers))
    })?;
    Ok(Found {
        customers: all.ids.len() as u64,
        learnt: Some(number),
        took: took(read, clock()),
        ..Found::default()
    })
}

/// Keeps a model that was learnt of so many customers, with what is frequent among them: its number.
pub(super) fn keep_model(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (model, counted, customers): (&Model, &Counted, i64),
) -> Result<i64, Failure> {
    let number = rows::models(tx, i64::MAX, 1)?.first().map_or(0, |one| one.number) + 1;
    let one =
        Learnt { number, parts: matching::written(model, &counted.common), customers, made_at: world.now() };
    rows::add_model(tx, &one)?;
    counted.values.iter().try_for_each(|(key, times)| rows::add_value(tx, number, *key, *times))?;
    emit(tx, actor, world, "matching", "matching.learnt", json!({ "model": number, "customers": customers }));
    Ok(number)
}
