//! Building the members of a segment that was made or changed: whom it can reach is found first, beside everything that is written, and then judged
//! part by part. Whoever changes meanwhile is judged by who follows what changes, so both together miss nobody.

use domain::actor::Actor;
use domain::segment::Subject;
use domain::segment::facts::Ground;
use domain::segment::needs::Needs;
use domain::value::id::Segment as SegmentKind;
use domain::value::{Id, Instant};
use serde_json::json;
use store::Tx;
use store::segment::build as rows;
use store::segment::{facts as known, member as members};

use super::changes::Changes;
use super::member::keep;
use super::{Segment, follow, in_use, reach, to_keep};
use crate::event::emit;
use crate::{Failure, Shop, World, job};

pub use store::segment::build::Build;

/// How many people a segment that is being built goes through in one transaction.
const PART: usize = 500;
/// How many people a round of the duty goes through, and with it whoever else writes to a database file waits for.
const ROUND: usize = 1_500;
/// How many people one request may go through.
const REQUEST: usize = 5_000;
/// By so many hands people are judged beforehand.
const HANDS: usize = 2;
/// So many are judged together beforehand.
const LOOKED_UP: usize = 2_000;
/// So many are drawn to see whether judging beforehand pays.
const DRAWN: usize = 500;
/// It pays where fewer than one in so many stay.
const PAYS: usize = 3;
/// Where there are at most so many people, whom a segment can reach is found at once.
const FEW: i64 = 5_000;

/// Begins to build a segment anew, after it was made or changed.
pub(super) fn rebuild(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<(), Failure> {
    Ok(rows::begin(tx, segment)?)
}

/// As [`rebuild`], for who waits for it: at once. Whoever follows must not hold the turn.
pub(super) fn rebuild_now(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<(), Failure> {
    job::hasten(tx, follow::DUTY)?;
    rebuild(tx, segment)
}

/// Begins to build every segment in use anew that needs this.
pub(super) fn rebuild_where(
    tx: &mut Tx<'_>,
    wanted: impl Fn(&Needs, &Ground) -> bool,
) -> Result<(), Failure> {
    for one in in_use(tx)? {
        let (ground, needs) = super::ground::of(tx, &[&one.expression])?;
        if wanted(&needs, &ground) {
            rebuild(tx, one.id)?;
        }
    }
    Ok(())
}

/// Was everybody gone through since a segment was made or changed?
pub(super) fn is_built(tx: &mut Tx<'_>, segment: Id<SegmentKind>) -> Result<bool, Failure> {
    Ok(rows::find(tx, segment)?.is_some_and(|build| build.built_at.is_some()))
}

/// Finds whom the segment whose turn it is can reach, without holding up anybody who writes.
///
/// # Errors
/// What the store says.
pub fn prepare(shop: &Shop) -> Result<(), Failure> {
    prepare_beyond(shop, REQUEST)
}

/// As [`prepare`]; when there are more than so `few`, they are judged beforehand.
///
/// # Errors
/// What the store says.
pub fn prepare_beyond(shop: &Shop, few: usize) -> Result<(), Failure> {
    let now = shop.source.now();
    let found = shop.db.read(move |tx| {
        let begun = rows::waiting(tx)?.into_iter().find(|build| build.in_parts.is_none());
        begun.map(|build| Ok::<_, Failure>((build, look(tx, &build, now)?))).transpose()
    });
    let Some((build, found)) = found? else { return Ok(()) };
    let narrowed = |one: Within| {
        let Within { segment, can, kept } = one;
        let can = if can.len() > few { judged_before(shop, &segment, can, now)? } else { can };
        Ok::<_, Failure>(Within { segment, can, kept }.all())
    };
    let can = found.map(narrowed).transpose()?;
    shop.db.write(move |tx| note(tx, &build, can.as_deref()))
}

/// Of those whom a segment can reach, whoever belongs to it or will by time alone: judged beside everything that is written, by
/// [`HANDS`] at once. Who changes afterwards is judged by who follows what changes. Where most would stay anyway nobody is judged twice.
fn judged_before(
    shop: &Shop,
    segment: &Segment,
    can: Vec<Subject>,
    now: Instant,
) -> Result<Vec<Subject>, Failure> {
    let drawn: Vec<Subject> = can.iter().copied().step_by(can.len().div_ceil(DRAWN)).collect();
    let (one, many) = (segment.clone(), drawn.len());
    if shop.db.read(move |tx| staying(tx, &one, &drawn, now))?.len() * PAYS > many {
        return Ok(can);
    }
    let (teller, told) = std::sync::mpsc::channel();
    for part in can.chunks(can.len().div_ceil(HANDS)) {
        let (one, part, teller) = (segment.clone(), part.to_vec(), teller.clone());
        shop.db.read_then(move |tx| staying(tx, &one, &part, now), move |found| drop(teller.send(found)));
    }
    drop(teller);
    let mut left = Vec::new();
    for found in told {
        left.extend(found?);
    }
    Ok(left)
}

/// Those of these people who belong to a segment or will by time alone, in order; shelves do not count, as everywhere where members are kept.
fn staying(
    tx: &mut Tx<'_>,
    segment: &Segment,
    people: &[Subject],
    now: Instant,
) -> Result<Vec<Subject>, Failure> {
    let mut left = Vec::new();
    for part in people.chunks(LOOKED_UP) {
        let judged = to_keep(tx, &[&segment.expression], part, now)?;
        let stays = |whom: usize| {
            let verdict = judged.verdict(0, whom);
            verdict.is_in != Some(false) || verdict.next_change.is_some()
        };
        left.extend((0..part.len()).filter(|whom| stays(*whom)).map(|whom| part[whom]));
    }
    Ok(left)
}

/// Whom a segment can reach, and whoever is kept of it.
struct Within {
    segment: Segment,
    can: Vec<Subject>,
    kept: Vec<Subject>,
}

impl Within {
    /// All of them, in order.
    fn all(self) -> Vec<Subject> {
        let mut all = self.can;
        all.extend(self.kept);
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Looks whom a segment can reach; `None` when it is anybody.
fn look(tx: &mut Tx<'_>, build: &Build, now: Instant) -> Result<Option<Within>, Failure> {
    let segment = super::load(tx, build.segment)?;
    if !segment.active {
        return Ok(None);
    }
    let Some(can) = reach::of(tx, &segment.expression, now)? else { return Ok(None) };
    let kept = members::kept(tx, build.segment)?;
    Ok(Some(Within { segment, can, kept }))
}

/// Notes whom a segment can reach, in parts.
fn note(tx: &mut Tx<'_>, build: &Build, can: Option<&[Subject]>) -> Result<(), Failure> {
    if !rows::looked(tx, build, can.is_some())? {
        return Ok(());
    }
    let (customers, profiles) =
        can.unwrap_or_default().split_at(can.unwrap_or_default().partition_point(|one| one.is_customer()));
    let parts: Vec<&[Subject]> = customers.chunks(PART).chain(profiles.chunks(PART)).collect();
    Ok(rows::add_parts(tx, build.segment, &parts)?)
}

/// Goes on building as far as one round of the duty may; true when more waits.
pub(super) fn round(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    Ok(go_on(tx, actor, world, ROUND)?.is_none())
}

/// Goes on building as far as one request may; true when nothing is left.
pub(super) fn some(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    Ok(go_on(tx, actor, world, REQUEST)? == Some(true))
}

/// Goes on building until so many were gone through: `None` when more waits, else whether nothing does; what waits for the look that is not made
/// here is left.
fn go_on(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, most: usize) -> Result<Option<bool>, Failure> {
    let mut gone_through = 0;
    while gone_through < most {
        let Some(many) = part(tx, actor, world)? else { return Ok(Some(rows::waiting(tx)?.is_empty())) };
        gone_through += many;
    }
    Ok(None)
}

/// Goes on building the segment whose turn it is, by one part; answers how many people that took, of the patience of who waits; `None` when
/// there is nothing to do yet.
fn part(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<Option<usize>, Failure> {
    let waiting = rows::waiting(tx)?;
    let begun = waiting.iter().find(|build| build.in_parts.is_some());
    let Some(build) = begun.or(waiting.first()).copied() else { return Ok(None) };
    if build.in_parts.is_none() {
        if !store::segment::reach::few(tx, FEW)? {
            return Ok(None);
        }
        let can = look(tx, &build, world.now())?.map(Within::all);
        note(tx, &build, can.as_deref())?;
        return Ok(Some(can.map_or(1, |can| can.len() / 10 + 1)));
    }
    let segment = super::load(tx, build.segment)?;
    if !segment.active {
        return put_out(tx, actor, world, &segment, build).map(Some);
    }
    let (subjects, next) = next_of(tx, &build)?;
    let subjects = reach::standing(tx, &subjects)?;
    keep(tx, actor, world, std::slice::from_ref(&segment), &subjects, segment.version == 1)?;
    let Some(next) = next else {
        done(tx, actor, world, &segment, build)?;
        return Ok(Some(1));
    };
    if next != build {
        rows::set(tx, &next)?;
    }
    Ok(Some(subjects.len().max(1)))
}

/// The people whose turn it is, and where it goes on after them; `None` when there are no more.
fn next_of(tx: &mut Tx<'_>, build: &Build) -> Result<(Vec<Subject>, Option<Build>), Failure> {
    if build.in_parts == Some(true) {
        let part = rows::take_part(tx, build.segment)?;
        let next = part.as_ref().map(|_| *build);
        return Ok((part.unwrap_or_default(), next));
    }
    let keys = known::everybody(tx, build.customers, build.after, PART as i64)?;
    let next = match keys.last() {
        Some(last) if keys.len() == PART => Some(Build { after: *last, ..*build }),
        _ if build.customers => Some(Build { customers: false, after: [0; 16], ..*build }),
        _ => None,
    };
    Ok((keys.into_iter().map(|key| Subject::of(key, build.customers)).collect(), next))
}

fn done(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    segment: &Segment,
    build: Build,
) -> Result<(), Failure> {
    rows::set(tx, &Build { built_at: Some(world.now()), ..build })?;
    let size = members::count(tx, segment.id)?;
    let body = json!({ "version": segment.version, "members": size });
    emit(tx, actor, world, segment.id, "segment.built", body);
    Ok(())
}

/// Lets everybody fall out of a segment that is not in use any more, and keeps nobody of it.
fn put_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    segment: &Segment,
    build: Build,
) -> Result<usize, Failure> {
    let leaving = members::list(tx, segment.id, [0; 16], PART as i64)?;
    let mut changes = Changes::default();
    for member in &leaving {
        changes.let_out(world, (segment, member.subject));
    }
    changes.write(tx, actor, world)?;
    if leaving.is_empty() && members::forget(tx, segment.id, PART as i64)? < PART as u64 {
        store::customer::untell_everybody(tx, &segment.code)?;
        rows::set(tx, &Build { built_at: Some(world.now()), ..build })?;
    }
    Ok(leaving.len().max(1))
}
