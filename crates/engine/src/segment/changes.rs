//! What changes of what is kept of segments, gathered for many people and written together.

use domain::actor::Actor;
use domain::segment::Subject;
use domain::segment::judge::Verdict;
use domain::value::Id;
use domain::value::id::Segment as SegmentKind;
use serde_json::json;
use store::Tx;
use store::customer::Told;
use store::segment::facts::Key;
use store::segment::member::{self as rows, Member, Step};

use super::Segment;
use crate::event::emit;
use crate::{Failure, World};

/// What is to be written.
#[derive(Default)]
pub(super) struct Changes<'s> {
    put: Vec<Member>,
    removed: Vec<(Id<SegmentKind>, Key)>,
    told: Vec<Told<'s>>,
    untold: Vec<Told<'s>>,
    steps: Vec<(Step, &'s str)>,
}

impl<'s> Changes<'s> {
    /// Keeps one verdict. What is open because of shelves is kept as if it held: the shelves are looked at whenever it is shown.
    pub fn keep(
        &mut self,
        world: &mut World,
        (segment, subject, quiet): (&'s Segment, Subject, bool),
        was: Option<&Member>,
        verdict: Verdict,
    ) {
        let entered_before = was.and_then(|was| was.entered_at);
        let is_in = verdict.is_in != Some(false);
        let now = Member {
            segment: segment.id,
            subject,
            entered_at: is_in.then(|| entered_before.unwrap_or(world.now())),
            next_change: verdict.next_change,
        };
        if verdict.is_in == Some(true) || was.is_some() {
            self.tell((segment, subject), verdict);
        }
        match was {
            Some(was) if *was == now => return,
            None if !is_in && verdict.next_change.is_none() => return,
            Some(_) if !is_in && verdict.next_change.is_none() => self.remove(segment.id, subject),
            _ => self.put.push(now),
        }
        if entered_before.is_some() != is_in && !quiet {
            self.step(world, (segment, subject, is_in));
        }
    }

    /// Keeps somebody of a segment no longer.
    pub fn remove(&mut self, segment: Id<SegmentKind>, subject: Subject) {
        self.removed.push((segment, subject.bytes()));
    }

    /// Somebody falls out of a segment and is kept no longer.
    pub fn let_out(&mut self, world: &mut World, (segment, subject): (&'s Segment, Subject)) {
        self.remove(segment.id, subject);
        self.tell((segment, subject), Verdict { is_in: Some(false), next_change: None });
        self.step(world, (segment, subject, false));
    }

    /// Tells who makes prices whether a customer belongs to a segment. What depends on shelves is not told: it would be old at once.
    fn tell(&mut self, (segment, subject): (&'s Segment, Subject), verdict: Verdict) {
        let Subject::Customer(customer) = subject else { return };
        let told = Told { customer, code: &segment.code, until: verdict.next_change };
        if verdict.is_in == Some(true) { &mut self.told } else { &mut self.untold }.push(told);
    }

    fn step(&mut self, world: &mut World, (segment, subject, entered): (&'s Segment, Subject, bool)) {
        let (id, at) = (world.id(), world.now());
        let one = Step { id, segment: segment.id, subject, entered, at, version: segment.version };
        self.steps.push((one, &segment.code));
    }

    /// Writes all of it. Nobody is in it twice for the same segment.
    ///
    /// # Errors
    /// What the store says.
    pub fn write(self, tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<(), Failure> {
        rows::remove(tx, &self.removed)?;
        rows::put(tx, &self.put)?;
        store::customer::tell_segments(tx, &self.told)?;
        store::customer::untell_segments(tx, &self.untold)?;
        let steps: Vec<Step> = self.steps.iter().map(|(step, _)| *step).collect();
        rows::add_steps(tx, &steps)?;
        for (step, code) in &self.steps {
            let kind = if step.entered { "segment.entered" } else { "segment.left" };
            let body = json!({ "segment": step.segment.to_string(), "code": code, "version": step.version });
            emit(tx, actor, world, step.subject, kind, body);
        }
        Ok(())
    }
}
