//! Events that were set aside: kept with the reason, sealed, for a month, and taken in again when who sends them or the plan was put right.

use domain::actor::{Actor, Permission};
use domain::behaviour::open;
use domain::value::Id;
use domain::value::id::{Event as EventKind, Source as SourceKind};
use store::behaviour::quarantine as rows;
use store::{StoreError, Tx};

pub use store::behaviour::quarantine::Quarantined;

use super::source::{self, Source};
use super::{Collected, Incoming, Refused, permit, take_in};
use crate::event::emit;
use crate::{Failure, World, contact};

/// The most events that are taken in again at once.
pub const REPLAY_MAX: i64 = 500;
/// How long an event that was set aside is kept.
const KEPT_SECONDS: i64 = 30 * 24 * 3600;
/// How long it is known that a message was heard: longer than any library keeps what it could not send.
const HEARD_SECONDS: i64 = 90 * 24 * 3600;
/// The most characters of why.
const WHY_CHARS_MAX: usize = 500;
/// How many sources are looked at in one round of forgetting, and how many events of each.
const FORGET_MAX: i64 = 500;

/// Keeps events with the reason. They are of nobody who is known, so they are sealed under a key of their own, made for all of them.
pub(super) fn set_aside(
    tx: &mut Tx<'_>,
    world: &mut World,
    source: &Source,
    refused: &[Refused<'_>],
) -> Result<(), Failure> {
    if refused.is_empty() {
        return Ok(());
    }
    let (person, key) = contact::new_person(tx, world)?;
    for (event, fault, why) in refused {
        let id: Id<EventKind> = world.id();
        let sealed = key.seal(world.bytes(), event.written().to_string().as_bytes(), &id.bytes());
        rows::add(
            tx,
            &Quarantined {
                id,
                source: source.id,
                received_at: world.now(),
                fault: *fault,
                why: shortened(why),
                name: event.name.as_deref().map(|name| open::name_of(name).into_owned()),
                person,
                sealed,
                replayed_at: None,
            },
        )?;
    }
    Ok(())
}

fn shortened(why: &str) -> String {
    why.chars().take(WHY_CHARS_MAX).collect()
}

/// The events of a source that were set aside before one, the latest first.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no such source.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<SourceKind>,
    before: Id<EventKind>,
    limit: i64,
) -> Result<Vec<Quarantined>, Failure> {
    source::read(tx, actor, id)?;
    Ok(rows::list(tx, id, before, limit)?)
}

/// Takes in again what was set aside after an event, the oldest first, at most [`REPLAY_MAX`]; each is judged as if it came now. What still
/// cannot be taken in stays, with the reason there is now; of who refuses it by now nothing stays. Answers what became of them, and after
/// which to go on.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no such source.
pub fn replay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<SourceKind>,
    after: Id<EventKind>,
) -> Result<(Collected, Option<Id<EventKind>>), Failure> {
    let source = source::read(tx, actor, id)?;
    let waiting = rows::waiting(tx, id, after, REPLAY_MAX)?;
    let mut read: Vec<(Id<EventKind>, Incoming)> = Vec::with_capacity(waiting.len());
    for one in &waiting {
        // Whose key is gone was erased meanwhile.
        if let Some(event) = opened(tx, world, one)? {
            read.push((one.id, event));
        }
    }
    let all: Vec<&Incoming> = read.iter().map(|(_, event)| event).collect();
    let may = permit::permitted(tx, world, &source, &all)?;
    let (kept, gone): (Vec<_>, Vec<_>) = read.iter().zip(may).partition(|(_, may)| *may);
    for ((one, _), _) in &gone {
        rows::remove(tx, id, *one)?;
    }
    let not_permitted = gone.len() as u64;
    store::behaviour::source::count_not_permitted(tx, id, not_permitted)?;
    let heard: Vec<&Incoming> = kept.iter().map(|((_, event), _)| event).collect();
    let (accepted, refused) = take_in(tx, world, &source, &heard)?;
    for ((one, event), _) in &kept {
        match refused.iter().find(|(other, ..)| std::ptr::eq(*other, event)) {
            Some((_, fault, why)) => rows::note_refused(tx, id, *one, (*fault, &shortened(why)))?,
            None => rows::note_replayed(tx, id, *one, world.now())?,
        }
    }
    let body = serde_json::json!({ "accepted": accepted, "refused": refused.len() });
    emit(tx, actor, world, id, "source.replayed", body);
    let full = waiting.len() as i64 == REPLAY_MAX;
    let next = waiting.last().map(|one| one.id).filter(|_| full);
    Ok((Collected { accepted, repeated: 0, quarantined: refused.len() as u64, not_permitted }, next))
}

fn opened(tx: &mut Tx<'_>, world: &World, one: &Quarantined) -> Result<Option<Incoming>, Failure> {
    let Some(key) = contact::key_if_kept(tx, world, one.person)? else { return Ok(None) };
    let text = key.open(&one.sealed, &one.id.bytes());
    let document = text.and_then(|text| serde_json::from_slice(&text).ok());
    let event = document.as_ref().and_then(Incoming::read);
    let corrupt = || StoreError::Corrupt(format!("the quarantined event {} cannot be opened", one.id));
    Ok(Some(event.ok_or_else(corrupt)?))
}

/// Forgets what was set aside a month ago, and that messages were heard which nobody sends again any more.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    actor.may(Permission::EditSources, None)?;
    let before = world.now().plus_seconds(-KEPT_SECONDS);
    let heard = world.now().plus_seconds(-HEARD_SECONDS);
    let mut more = store::behaviour::forget_heard(tx, heard, FORGET_MAX)? >= FORGET_MAX.unsigned_abs();
    for source in store::behaviour::source::list(tx, Id::from_bytes([0; 16]), FORGET_MAX)? {
        more |= rows::forget_before(tx, source.id, before, FORGET_MAX)? >= FORGET_MAX.unsigned_abs();
    }
    Ok(more)
}
