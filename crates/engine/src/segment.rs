//! Segments: people who belong together by what is known of them. Membership is judged from the facts whenever it is read, so it is exact at
//! that instant; nothing has to be worked out beforehand.

pub mod build;
mod changes;
pub mod document;
pub mod facts;
pub mod follow;
mod ground;
pub mod life;
pub mod list;
pub mod member;
mod reach;
pub mod subject;
pub mod traits;

use std::collections::BTreeSet;

use domain::actor::{Actor, Permission};
use domain::segment::facts::{Facts, Ground};
use domain::segment::judge::{Verdict, Why, explain, judge};
use domain::segment::needs::Needs;
use domain::segment::{Expression, Leaf, NESTED_MAX, PARTS_WITHIN_MAX, Subject};
use domain::value::id::Segment as SegmentKind;
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::{StoreError, Tx, segment as rows};

pub use store::segment::Version;
pub use subject::Named;

use crate::edit::{code_taken, stale, unchanged};
use crate::event::emit;
use crate::{Failure, World};

/// The most segments in use at once.
pub const SEGMENTS_MAX: i64 = 500;

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its identity.
    pub id: Id<SegmentKind>,
    /// The short word it goes by.
    pub code: String,
    /// What people read.
    pub name: String,
    /// Is it in use?
    pub active: bool,
    /// Who belongs to it.
    pub expression: Expression,
    /// Its version.
    pub version: i64,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// A segment to be made.
#[derive(Clone, Debug)]
pub struct NewSegment {
    /// The short word it goes by, checked by [`domain::catalogue::short_code`].
    pub code: String,
    /// What people read.
    pub name: String,
    /// Who belongs to it.
    pub expression: Expression,
}

/// A change of a segment: what is `None` stays.
#[derive(Clone, Debug)]
pub struct Change {
    /// What people read.
    pub name: Option<String>,
    /// Is it in use?
    pub active: Option<bool>,
    /// Who belongs to it.
    pub expression: Option<Expression>,
    /// The version that was read.
    pub if_match: Option<i64>,
}

/// Makes a segment.
///
/// # Errors
/// [`Code::AlreadyExists`] at `code`; [`Code::Invalid`] at each part that names something that is not there.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewSegment,
) -> Result<Segment, Failure> {
    actor.may(Permission::EditSegments, None)?;
    room(tx)?;
    let id: Id<SegmentKind> = world.id();
    must_stand(tx, Some(id), &new.expression)?;
    let one = Segment {
        id,
        code: new.code,
        name: new.name,
        active: true,
        expression: new.expression,
        version: 1,
        made_at: world.now(),
        changed_at: world.now(),
    };
    if !rows::add(tx, &row_of(&one), &actor.who.label())? {
        return Err(code_taken::<SegmentKind>(&one.code).into());
    }
    build::rebuild_now(tx, id)?;
    emit(tx, actor, world, id, "segment.created", json!({ "code": one.code, "version": 1 }));
    Ok(one)
}

/// Changes a segment; every version of it is kept.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Stale`]; [`Code::Invalid`] as [`create`]; [`Code::Referenced`] when it is to be put out of use and another
/// segment names it.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<SegmentKind>,
    change: Change,
) -> Result<Segment, Failure> {
    actor.may(Permission::EditSegments, None)?;
    let mut one = load(tx, id)?;
    unchanged(id, one.version, change.if_match)?;
    if let Some(expression) = change.expression {
        must_stand(tx, Some(id), &expression)?;
        one.expression = expression;
    }
    one.name = change.name.unwrap_or(one.name);
    match (one.active, change.active.unwrap_or(one.active)) {
        (true, false) => unnamed(tx, id)?,
        (false, true) => room(tx)?,
        _ => {}
    }
    one.active = change.active.unwrap_or(one.active);
    one.version += 1;
    one.changed_at = world.now();
    if !rows::update(tx, &row_of(&one), &actor.who.label())? {
        return Err(stale(id).into());
    }
    build::rebuild_now(tx, id)?;
    build::rebuild_where(tx, |_, ground| ground.segments.contains_key(&id))?;
    emit(tx, actor, world, id, "segment.changed", json!({ "version": one.version, "active": one.active }));
    Ok(one)
}

/// The segment with this id.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<SegmentKind>) -> Result<Segment, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    load(tx, id)
}

/// The segments after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<SegmentKind>,
    limit: i64,
) -> Result<Vec<Segment>, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    rows::list(tx, after, limit)?.into_iter().map(|row| Ok(of_row(row)?)).collect()
}

/// The versions of a segment, the newest first.
///
/// # Errors
/// [`Code::NotFound`].
pub fn versions(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<SegmentKind>,
    (before, limit): (i64, i64),
) -> Result<Vec<Version>, Failure> {
    read(tx, actor, id)?;
    Ok(rows::versions(tx, id, before, limit)?)
}

/// Whether somebody belongs to a segment at this instant, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The segment.
    pub segment: Segment,
    /// Who, as known now.
    pub subject: Subject,
    /// What is to be said.
    pub verdict: Verdict,
    /// Why.
    pub why: Why,
    /// When it was judged.
    pub at: Instant,
}

/// Whether somebody belongs to a segment at this instant, and why: judged from the facts, shelves among them.
///
/// # Errors
/// [`Code::NotFound`] when there is no such segment or person.
pub fn membership(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<SegmentKind>,
    (named, now): (Named, Instant),
) -> Result<Membership, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    let (subject, atoms, found) = subject::whole(tx, named, &[id.bytes()])?;
    let segment = only(found, id)?;
    let judged = judged_one(tx, &[&segment.expression], (subject, &atoms), now)?;
    let (verdict, why) = judged.of(0, 0);
    Ok(Membership { segment, subject, verdict, why, at: now })
}

/// The segments in use that somebody belongs to at this instant, each with its verdict.
///
/// # Errors
/// [`Code::NotFound`] when there is no such person.
pub fn of_subject(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (named, now): (Named, Instant),
) -> Result<(Subject, Vec<(Segment, Verdict)>), Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    let all = in_use(tx)?;
    let expressions: Vec<&Expression> = all.iter().map(|one| &one.expression).collect();
    let (subject, atoms, _) = subject::whole(tx, named, &[])?;
    let judged = judged_one(tx, &expressions, (subject, &atoms), now)?;
    let verdicts: Vec<Verdict> = (0..all.len()).map(|which| judged.verdict(which, 0)).collect();
    let held = all.into_iter().zip(verdicts).filter(|(_, verdict)| verdict.is_in == Some(true));
    Ok((subject, held.collect()))
}

/// All segments in use.
pub(crate) fn in_use(tx: &mut Tx<'_>) -> Result<Vec<Segment>, Failure> {
    rows::active(tx, SEGMENTS_MAX)?.into_iter().map(|row| Ok(of_row(row)?)).collect()
}

/// People and expressions with everything known that one is judged by for the other.
struct Judged<'e> {
    expressions: Vec<&'e Expression>,
    facts: Vec<Facts>,
    ground: Ground,
    now: Instant,
}

impl Judged<'_> {
    fn verdict(&self, which: usize, whom: usize) -> Verdict {
        judge(self.expressions[which], &self.facts[whom], &self.ground, self.now)
    }

    fn of(&self, which: usize, whom: usize) -> (Verdict, Why) {
        let why = explain(self.expressions[which], &self.facts[whom], &self.ground, self.now);
        (self.verdict(which, whom), why)
    }
}

fn judged<'e>(
    tx: &mut Tx<'_>,
    expressions: &[&'e Expression],
    subjects: &[Subject],
    now: Instant,
) -> Result<Judged<'e>, Failure> {
    let (ground, needs): (Ground, Needs) = ground::of(tx, expressions)?;
    let facts = facts::gather(tx, subjects, &needs, now)?;
    with_shelves(tx, Judged { expressions: expressions.to_vec(), facts, ground, now }, &needs)
}

/// As [`judged`], for one person of whom is known already what he is made of.
fn judged_one<'e>(
    tx: &mut Tx<'_>,
    expressions: &[&'e Expression],
    (subject, atoms): (Subject, &subject::Atoms),
    now: Instant,
) -> Result<Judged<'e>, Failure> {
    let (ground, needs) = ground::of(tx, expressions)?;
    let facts = facts::gather_of(tx, (&[subject], atoms), &needs, now)?;
    with_shelves(tx, Judged { expressions: expressions.to_vec(), facts, ground, now }, &needs)
}

/// With the shelves that are asked for.
fn with_shelves<'e>(tx: &mut Tx<'_>, mut judged: Judged<'e>, needs: &Needs) -> Result<Judged<'e>, Failure> {
    judged.ground.shelves = ground::shelves(tx, needs, &judged.facts, judged.now)?;
    Ok(judged)
}

/// As [`judged`], without looking at shelves: what depends on them stays open.
fn to_keep<'e>(
    tx: &mut Tx<'_>,
    expressions: &[&'e Expression],
    subjects: &[Subject],
    now: Instant,
) -> Result<Judged<'e>, Failure> {
    let (ground, needs) = ground::of(tx, expressions)?;
    let facts = facts::gather(tx, subjects, &needs, now)?;
    Ok(Judged { expressions: expressions.to_vec(), facts, ground, now })
}

/// The segment with this id, for a caller that has asked for the permission.
pub(super) fn load(tx: &mut Tx<'_>, id: Id<SegmentKind>) -> Result<Segment, Failure> {
    let found = rows::find(tx, &[id.bytes()])?;
    only(found, id)
}

/// The segment that was looked for by its id.
fn only(mut found: Vec<rows::Segment>, id: Id<SegmentKind>) -> Result<Segment, Failure> {
    Ok(of_row(found.pop().ok_or_else(|| Refusal::not_found("segment", id))?)?)
}

fn of_row(row: rows::Segment) -> Result<Segment, StoreError> {
    Ok(Segment {
        expression: ground::expression_of(&row)?,
        id: row.id,
        code: row.code,
        name: row.name,
        active: row.active,
        version: row.version,
        made_at: row.made_at,
        changed_at: row.changed_at,
    })
}

fn row_of(one: &Segment) -> rows::Segment {
    rows::Segment {
        id: one.id,
        code: one.code.clone(),
        name: one.name.clone(),
        active: one.active,
        expression: document::of_expression(&one.expression).to_string(),
        version: one.version,
        made_at: one.made_at,
        changed_at: one.changed_at,
    }
}

/// Does a segment name another one?
fn names(one: &Segment, other: Id<SegmentKind>) -> bool {
    one.expression.segments().contains(&other)
}

fn room(tx: &mut Tx<'_>) -> Result<(), Failure> {
    if (rows::active(tx, SEGMENTS_MAX)?.len() as i64) < SEGMENTS_MAX {
        return Ok(());
    }
    let why = format!("there are {SEGMENTS_MAX} segments in use; put one out of use first");
    Err(Refusal::new(Code::WrongState, why).into())
}

/// No segment in use names this one.
fn unnamed(tx: &mut Tx<'_>, id: Id<SegmentKind>) -> Result<(), Failure> {
    let Some(other) = in_use(tx)?.into_iter().find(|one| names(one, id)) else { return Ok(()) };
    let why = format!("segment \"{}\" names it; change that one first", other.code);
    Err(Refusal::new(Code::Referenced, why).at("active").into())
}

/// Everything an expression names is there, and the segments it names do not name it again.
fn must_stand(tx: &mut Tx<'_>, own: Option<Id<SegmentKind>>, expression: &Expression) -> Result<(), Failure> {
    let (ground, _) = ground::of(tx, &[expression])?;
    let mut wrong = Vec::new();
    for leaf in expression.leaves() {
        wrong.extend(missing(tx, &ground, leaf)?.map(|why| Refusal::invalid("expression", why)));
    }
    if let Some(refusal) = Refusal::all(wrong) {
        return Err(refusal.into());
    }
    let mut parts = expression.parts();
    let mut next: BTreeSet<Id<SegmentKind>> = expression.segments().into_iter().collect();
    for nested in 0.. {
        if next.is_empty() {
            break;
        }
        if own.is_some_and(|own| next.contains(&own)) {
            return Err(Refusal::invalid("expression", "the segment names itself by way of others").into());
        }
        if nested >= NESTED_MAX {
            let why = format!("segments are named within segments more than {NESTED_MAX} deep");
            return Err(Refusal::invalid("expression", why).into());
        }
        let inner: Vec<&Expression> = next.iter().filter_map(|id| ground.segments.get(id)).collect();
        parts += inner.iter().map(|one| one.parts()).sum::<usize>();
        next = inner.iter().flat_map(|one| one.segments()).collect();
    }
    if parts > PARTS_WITHIN_MAX {
        let why = format!(
            "with the segments it names it has {parts} parts; at most {PARTS_WITHIN_MAX} are possible"
        );
        return Err(Refusal::invalid("expression", why).into());
    }
    Ok(())
}

/// What a part names that is not there.
fn missing(tx: &mut Tx<'_>, ground: &Ground, leaf: &Leaf) -> Result<Option<String>, Failure> {
    let none = |what: &str, name: &dyn std::fmt::Display| Some(format!("there is no {what} \"{name}\""));
    Ok(match leaf {
        Leaf::Trait { code, .. } if !ground.traits.contains_key(code) => none("trait", code),
        Leaf::Segment(id) if !ground.segments.contains_key(id) => none("segment", id),
        Leaf::Consent(cell) if !ground.purposes.contains_key(&cell.purpose) => {
            none("purpose in use", &cell.purpose)
        }
        Leaf::List(id) if rows::list::find(tx, &[id.bytes()])?.is_empty() => none("list", id),
        Leaf::Near { location, .. } if !ground.locations.contains_key(location) => {
            none("location in use that is on the map", location)
        }
        Leaf::Stock(shelf) => {
            let place = match shelf.location {
                Some(location) => store::location::find(tx, location)?.is_none().then_some(location),
                None => None,
            };
            let goods = match shelf.variant {
                Some(variant) => store::catalogue::variants(tx, &[variant])?.is_empty().then_some(variant),
                None => None,
            };
            place.map_or_else(|| goods.and_then(|id| none("variant", &id)), |id| none("location", &id))
        }
        Leaf::Loyalty { programme, .. } => {
            let known = store::loyalty::programme::lock(tx, *programme)?;
            if known.is_none() { none("loyalty programme", programme) } else { None }
        }
        _ => None,
    })
}
