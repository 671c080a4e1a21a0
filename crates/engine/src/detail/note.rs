//! What colleagues note about a customer: sealed, with who wrote it where, and when the customer is to be thought of again. Customers do not
//! see them here; whoever asks for everything that is kept of them is given them too.

use domain::actor::{Actor, Permission};
use domain::detail::NOTES_MAX;
use domain::identity::Part;
use domain::value::id::{Customer as CustomerKind, Location, Note as NoteKind};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::json;
use store::detail::note as rows;
use store::{Tx, customer as customers};

use super::{held, opened, whole};
use crate::edit::{stale, unchanged};
use crate::event::emit;
use crate::identity::reading::{self, Whom};
use crate::{Failure, World, contact, customer};

pub use store::detail::note::Note;

/// A note to be written.
#[derive(Clone, Debug)]
pub struct NewNote {
    /// The text, checked by [`domain::detail::note`].
    pub text: String,
    /// The store it is written in.
    pub location: Option<Id<Location>>,
    /// Does it stand before the others?
    pub is_pinned: bool,
    /// When the customer is to be thought of again.
    pub follow_up_at: Option<Instant>,
}

/// What of a note is to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Another text.
    pub text: Option<String>,
    /// Does it stand before the others?
    pub is_pinned: Option<bool>,
    /// When the customer is to be thought of again, if at all.
    pub follow_up_at: Option<Option<Instant>>,
    /// Was that done?
    pub is_done: Option<bool>,
}

/// Writes a note.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::WrongState`] when there are too many, or the customer was erased.
pub fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    new: NewNote,
) -> Result<Note, Failure> {
    may_write(actor, new.location)?;
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    if rows::count(tx, known.id)? >= NOTES_MAX {
        let why = format!("there are {NOTES_MAX} notes about customer {}; remove some of them", known.id);
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let (note, now) = (world.id::<NoteKind>(), world.now());
    let one = Note {
        customer: known.id,
        id: note,
        sealed: contact::seal(tx, world, known.person, new.text.as_bytes(), &note.bytes())?,
        author: actor.who.label(),
        location: new.location,
        is_pinned: new.is_pinned,
        follow_up_at: new.follow_up_at,
        done_at: None,
        made_at: now,
        changed_at: now,
        version: 1,
    };
    rows::add(tx, &one)?;
    tell(tx, actor, world, known.id, (&one, "customer.note_added"));
    Ok(one)
}

/// Changes a note.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`]; [`Code::Stale`] when it was changed since it was read; [`Code::WrongState`] when nothing is to be
/// followed up that could be done.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, note): (Id<CustomerKind>, Id<NoteKind>),
    (change, if_match): (Change, Option<i64>),
) -> Result<Note, Failure> {
    actor.may_somewhere(Permission::EditCustomers)?;
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    let mut one = find(tx, known.id, note)?;
    may_write(actor, one.location)?;
    unchanged(note, one.version, if_match)?;
    let (was, now) = (one.version, world.now());
    if let Some(text) = change.text {
        let person = customer::load(tx, one.customer)?.person;
        one.sealed = contact::seal(tx, world, person, text.as_bytes(), &note.bytes())?;
    }
    one.is_pinned = change.is_pinned.unwrap_or(one.is_pinned);
    if let Some(at) = change.follow_up_at {
        (one.follow_up_at, one.done_at) = (at, None);
    }
    match change.is_done {
        Some(true) if one.follow_up_at.is_none() => {
            let why = format!("nothing is to be followed up of note {note}; give follow_up_at first");
            return Err(Refusal::new(Code::WrongState, why).at("done").into());
        }
        Some(true) => one.done_at = one.done_at.or(Some(now)),
        Some(false) => one.done_at = None,
        None => {}
    }
    one.changed_at = now;
    one.version = was + 1;
    if !rows::change(tx, &one, was)? {
        return Err(stale(note).into());
    }
    tell(tx, actor, world, known.id, (&one, "customer.note_changed"));
    Ok(one)
}

/// Takes a note away.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, note): (Id<CustomerKind>, Id<NoteKind>),
) -> Result<(), Failure> {
    actor.may_somewhere(Permission::EditCustomers)?;
    let known = held(tx, actor, id, Permission::EditCustomers)?;
    let one = find(tx, known.id, note)?;
    may_write(actor, one.location)?;
    if !rows::remove(tx, one.customer, note)? {
        return Err(Refusal::not_found("note", note).into());
    }
    tell(tx, actor, world, known.id, (&one, "customer.note_removed"));
    Ok(())
}

/// The notes about a customer with their texts, before one, the newest first; that they were read is noted in the audit trail.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, pinned): (Id<CustomerKind>, bool),
    (before, limit): (Id<NoteKind>, i64),
) -> Result<Vec<(Note, Option<String>)>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let id = customers::merged_into(tx, id)?.unwrap_or(id);
    customer::load(tx, id)?;
    let whole = whole(tx, id)?;
    let mut read = Vec::new();
    for one in rows::list(tx, (&whole, pinned), before, limit)? {
        let text = opened(tx, world, one.customer, (&one.sealed, &one.id.bytes()))?;
        read.push((one, text));
    }
    reading::note(tx, actor, world, Whom::Customer(id), Part::Notes)?;
    Ok(read)
}

/// The notes that are to be followed up before an instant, without their texts, those that wait longest first, after a place in their list.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn to_follow_up(
    tx: &mut Tx<'_>,
    actor: &Actor,
    until: Instant,
    (after, limit): ((Instant, Id<NoteKind>), i64),
) -> Result<Vec<Note>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    Ok(rows::to_follow_up(tx, until, after, limit)?)
}

fn may_write(actor: &Actor, location: Option<Id<Location>>) -> Result<(), Refusal> {
    match location {
        Some(_) => actor.may(Permission::EditCustomers, location),
        None => actor.may_somewhere(Permission::EditCustomers),
    }
}

fn find(tx: &mut Tx<'_>, of: Id<CustomerKind>, id: Id<NoteKind>) -> Result<Note, Failure> {
    let whole = whole(tx, of)?;
    rows::find(tx, &whole, id)?.ok_or_else(|| Refusal::not_found("note", id).into())
}

fn tell(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CustomerKind>,
    (one, kind): (&Note, &'static str),
) {
    let body = json!({ "note": one.id.to_string(), "location": one.location.map(|id| id.to_string()), "pinned": one.is_pinned,
        "follow_up_at": one.follow_up_at.map(|at| at.to_string()), "done": one.done_at.is_some() });
    emit(tx, actor, world, id, kind, body);
}
