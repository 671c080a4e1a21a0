//! Kept membership: for lists, sizes, history, and for those who wait for changes. It follows from what is judged; what is shown is judged again.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, Permission};
use domain::segment::Subject;
use domain::value::id::{Event as StepKind, Segment as SegmentKind};
use domain::value::{Id, Instant};
use store::Tx;
use store::segment::facts as known;
use store::segment::member as rows;

pub use store::segment::member::{Member, Step};

use super::changes::Changes;
use super::{Named, Segment, build, follow, in_use, judged, reach, read, subject, to_keep};
use crate::{Failure, World};

/// The most rounds of following what changed before a list or size is shown.
const ROUNDS_MAX: usize = 50;
/// How many people who are asked about at once are judged together.
const TOGETHER_MAX: usize = 500;
/// The most people who are looked at for a preview.
pub const PREVIEW_MAX: usize = 20_000;

/// Judges people for these segments and keeps what changed. Of what a first build finds nobody is told, unless a step was told before.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    segments: &[Segment],
    subjects: &[Subject],
    quiet: bool,
) -> Result<(), Failure> {
    if subjects.is_empty() || segments.is_empty() {
        return Ok(());
    }
    let expressions: Vec<_> = segments.iter().map(|one| &one.expression).collect();
    let judged = to_keep(tx, &expressions, subjects, world.now())?;
    let keys: Vec<known::Key> = subjects.iter().map(|one| one.bytes()).collect();
    let kept = rows::of_subjects(tx, &keys)?;
    let kept: BTreeMap<_, _> =
        kept.into_iter().map(|one| ((one.segment, one.subject.bytes()), one)).collect();
    let mut changes = Changes::default();
    for (which, segment) in segments.iter().enumerate() {
        let belongs = |whom: &usize| judged.verdict(which, *whom).is_in != Some(false);
        let entering: Vec<known::Key> = (0..keys.len()).filter(belongs).map(|whom| keys[whom]).collect();
        let stepped = if quiet { rows::stepped(tx, segment.id, &entering)? } else { Vec::new() };
        for (whom, subject) in subjects.iter().enumerate() {
            let was = kept.get(&(segment.id, subject.bytes()));
            let quiet = quiet && was.is_none() && !stepped.contains(&subject.bytes());
            changes.keep(world, (segment, *subject, quiet), was, judged.verdict(which, whom));
        }
    }
    changes.write(tx, actor, world)
}

/// Judges everybody these ids are of for all segments in use, and keeps what changed; what was kept under an id that is somebody else's
/// now is kept no longer.
pub(super) fn look_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    named: &BTreeSet<Subject>,
) -> Result<(), Failure> {
    let segments = in_use(tx)?;
    if segments.is_empty() || named.is_empty() {
        return Ok(());
    }
    let (mut whole, mut gone) = (BTreeSet::new(), Vec::new());
    for one in named {
        let found = subject::find(tx, Named::from(*one))?;
        whole.extend(found);
        if found != Some(*one) {
            gone.push(one.bytes());
        }
    }
    let by_id: BTreeMap<Id<SegmentKind>, &Segment> = segments.iter().map(|one| (one.id, one)).collect();
    let mut changes = Changes::default();
    for was in rows::of_subjects(tx, &gone)? {
        match (was.entered_at, by_id.get(&was.segment)) {
            (Some(_), Some(segment)) => changes.let_out(world, (segment, was.subject)),
            _ => changes.remove(was.segment, was.subject),
        }
    }
    changes.write(tx, actor, world)?;
    let whole: Vec<Subject> = whole.into_iter().collect();
    keep(tx, actor, world, &segments, &whole, false)
}

/// How many belong to a segment, and what is shown of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many.
    pub members: i64,
    /// Were all of them judged, or is that worked out from the first [`PREVIEW_MAX`]? Only of a segment that looks at shelves.
    pub exact: bool,
    /// Does it look at shelves?
    pub live: bool,
    /// Was everybody gone through since the segment was made or changed?
    pub built: bool,
    /// Was everything that changed until now looked at?
    pub whole: bool,
}

/// How many belong to a segment at this instant: what changed is looked at first.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn size(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<SegmentKind>) -> Result<Size, Failure> {
    let segment = read(tx, actor, id)?;
    let whole = catch_up(tx, world)?;
    let (_, needs) = super::ground::of(tx, &[&segment.expression])?;
    let (built, kept) = (build::is_built(tx, id)?, rows::count(tx, id)?);
    if !needs.is_live() {
        return Ok(Size { members: kept, exact: true, live: false, built, whole });
    }
    let (found, looked_at) = on_shelves(tx, &segment, world.now())?;
    let exact = looked_at >= kept;
    let members = if exact { found } else { found * kept / looked_at };
    Ok(Size { members, exact, live: true, built, whole })
}

/// How many of the first [`PREVIEW_MAX`] who are kept belong to a segment by what lies on shelves now, and how many were looked at.
fn on_shelves(tx: &mut Tx<'_>, segment: &Segment, now: Instant) -> Result<(i64, i64), Failure> {
    let (mut found, mut looked_at, mut after) = (0, 0, [0; 16]);
    while looked_at < PREVIEW_MAX {
        let page = rows::list(tx, segment.id, after, TOGETHER_MAX as i64)?;
        let subjects: Vec<Subject> = page.iter().map(|one| one.subject).collect();
        let Some(last) = subjects.last() else { break };
        after = last.bytes();
        let judged = judged(tx, &[&segment.expression], &subjects, now)?;
        found += (0..subjects.len()).filter(|whom| judged.verdict(0, *whom).is_in == Some(true)).count();
        looked_at += subjects.len();
    }
    Ok((number(found), number(looked_at)))
}

fn number(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

/// The members of a segment after one, each judged at this instant, shelves among what is looked at. A page may have fewer than asked for;
/// the key after which the next begins is answered with it, `None` on the last.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<SegmentKind>,
    (after, limit): (known::Key, i64),
) -> Result<(Vec<Member>, Option<known::Key>), Failure> {
    let segment = read(tx, actor, id)?;
    catch_up(tx, world)?;
    let page = rows::list(tx, id, after, limit)?;
    let next = page.last().filter(|_| page.len() as i64 >= limit).map(|last| last.subject.bytes());
    let subjects: Vec<Subject> = page.iter().map(|one| one.subject).collect();
    if subjects.is_empty() {
        return Ok((Vec::new(), None));
    }
    let judged = judged(tx, &[&segment.expression], &subjects, world.now())?;
    let mut shown = Vec::new();
    for (whom, kept) in page.into_iter().enumerate() {
        let verdict = judged.verdict(0, whom);
        if verdict.is_in == Some(true) {
            shown.push(Member { next_change: verdict.next_change, ..kept });
        }
    }
    Ok((shown, next))
}

/// Who came into a segment and fell out, the newest first; of one person only, if one is named.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, of): (Id<SegmentKind>, Option<Named>),
    page: (Id<StepKind>, i64),
) -> Result<Vec<Step>, Failure> {
    read(tx, actor, id)?;
    catch_up(tx, world)?;
    let of = match of {
        Some(named) => Some(subject::of(tx, named)?.bytes()),
        None => None,
    };
    Ok(rows::steps(tx, id, of, page)?)
}

/// Looks at what changed until now, for as long as one request may; true when nothing is left.
fn catch_up(tx: &mut Tx<'_>, world: &mut World) -> Result<bool, Failure> {
    let actor = Actor::system();
    for _ in 0..ROUNDS_MAX {
        if !follow::changes(tx, &actor, world)? {
            return build::some(tx, &actor, world);
        }
    }
    Ok(false)
}

/// How many would belong to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// How many; reckoned from those who were looked at unless it is exact.
    pub members: i64,
    /// How many of those who were looked at.
    pub found: i64,
    /// How many were looked at.
    pub looked_at: i64,
    /// Was everybody looked at who can belong to it?
    pub exact: bool,
    /// How many people there are.
    pub people: i64,
}

/// How many would belong to a segment at this instant: all whom it can reach are looked at, or so many spread over all of them.
///
/// # Errors
/// [`domain::Code::Invalid`] as [`super::create`].
pub fn preview(
    tx: &mut Tx<'_>,
    actor: &Actor,
    expression: &domain::segment::Expression,
    now: Instant,
) -> Result<Preview, Failure> {
    actor.may_somewhere(Permission::ReadSegments)?;
    super::must_stand(tx, None, expression)?;
    let can = match reach::of(tx, expression, now)? {
        Some(can) => can,
        None => reach::everybody(tx)?,
    };
    let every = can.len().div_ceil(PREVIEW_MAX).max(1);
    let drawn: Vec<Subject> = can.iter().copied().step_by(every).collect();
    let (mut found, mut looked_at) = (0, 0);
    for part in drawn.chunks(TOGETHER_MAX) {
        let part = reach::standing(tx, part)?;
        let judged = judged(tx, &[expression], &part, now)?;
        found += (0..part.len()).filter(|whom| judged.verdict(0, *whom).is_in == Some(true)).count();
        looked_at += part.len();
    }
    let members = if every == 1 { found } else { found * can.len() / drawn.len() };
    Ok(Preview {
        members: number(members),
        found: number(found),
        looked_at: number(looked_at),
        exact: every == 1,
        people: store::segment::reach::people(tx)?,
    })
}
