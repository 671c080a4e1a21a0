//! Messages to one person. One that advertises is written only with a consent that holds, is looked at again at the instant it leaves, and is
//! taken back in the commit in which the consent is. They are handed over between transactions, and never twice.

pub mod send;
pub mod sign_up;
pub mod suppression;

use domain::actor::{Actor, Permission, Who};
use domain::consent::{Cell, Medium, Source, Status};
use domain::message::{Kind, State, Template};
use domain::value::id::{
    Contact, Customer, Message as MessageKind, Subscriber as SubscriberKind, SubscriberLink,
};
use domain::value::{Id, Instant, Language};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::Tx;
use store::message as rows;

pub use store::message::Message;

use crate::consent::link::{self, Deed};
use crate::consent::{self, Evidence, Said, subscriber};
use crate::detail::preference;
use crate::event::emit;
use crate::{Failure, World, customer, job};

/// The job that hands a message over when it is due.
pub const SEND: &str = "message.send";

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// To whom.
    pub to: Id<SubscriberKind>,
    /// The contact whose address it goes to, when it must be that one; else the subscriber's own at the instant it leaves.
    pub contact: Option<Id<Contact>>,
    /// What it says.
    pub template: Template,
    /// Ids and numbers of what it tells.
    pub parameters: Value,
    /// For which purpose and on which topic, when it advertises.
    pub cell: Option<Cell>,
    /// The link in it; one that advertises gets one to the preferences.
    pub link: Option<Id<SubscriberLink>>,
    /// Not before this instant; at once when `None`.
    pub due_at: Option<Instant>,
    /// The language it is asked for in. The one a customer said to prefer goes before; without both it is the one they were written to in first.
    pub language: Option<Language>,
}

/// Writes a message to a customer that advertises.
///
/// # Errors
/// [`Code::NoConsent`] when the customer has not agreed to it; as [`write`].
pub fn to_customer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    new: NewMessage,
) -> Result<Message, Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    customer::load(tx, id)?;
    if let (Some(cell), None) = (&new.cell, subscriber::find(tx, id.shared_with())?) {
        return Err(consent::lacking(id.shared_with(), cell).into());
    }
    write(tx, actor, world, NewMessage { to: id.shared_with(), ..new })
}

/// Writes a message, for a caller that has asked for the permission. One that advertises is made out of the consent it rests on.
///
/// # Errors
/// [`Code::NoConsent`]; [`Code::Invalid`] at `medium` when nothing carries it; [`Code::WrongState`] when the person was erased.
pub fn write(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewMessage) -> Result<Message, Failure> {
    let medium = new.cell.as_ref().map_or(Medium::Mail, |cell| cell.medium);
    if medium != Medium::Mail {
        let why = format!("nothing carries messages by {} yet; give mail", medium.text());
        return Err(Refusal::invalid("medium", why).into());
    }
    let to = subscriber::lock(tx, new.to)?;
    let (now, id) = (world.now(), world.id::<MessageKind>());
    let kind = if new.cell.is_some() { Kind::Marketing } else { Kind::Transactional };
    let due_at = new.due_at.unwrap_or(now).max(now);
    let due_at = if kind == Kind::Marketing { due_at.max(to.paused_until.unwrap_or(now)) } else { due_at };
    let said = to.customer.map(|customer| preference::language(tx, customer)).transpose()?.flatten();
    let language = said.or(new.language).unwrap_or(to.language);
    let mut message = Message {
        id,
        subscriber: to.id,
        contact: new.contact,
        medium,
        kind,
        cell: new.cell,
        consent: None,
        template: new.template,
        parameters: new.parameters.to_string(),
        language,
        link: new.link,
        state: State::Queued,
        due_at,
        tries: 0,
        made_at: now,
        changed_at: now,
        failed: None,
    };
    match message.cell.clone() {
        None => rows::add_transactional(tx, &message)?,
        Some(cell) => {
            let is_asked_for = consent::purpose::load(tx, &cell.purpose)?.active;
            message.link = Some(link::make(tx, world, to.id, Deed::Choose, Some(id.bytes()))?);
            let agreed = consent::of(tx, to.id, now)?.to(&cell) == Some(Status::Granted);
            message.consent = rows::add_marketing(tx, &message, &cell)?.filter(|_| is_asked_for && agreed);
            if message.consent.is_none() {
                return Err(consent::lacking(to.id, &cell).into());
            }
        }
    }
    queue(tx, world, &message)?;
    let body = json!({ "to": subscriber::subject(&to), "kind": kind.text(), "template": message.template.text(),
        "consent": message.consent.map(|consent| consent.to_string()) });
    emit(tx, actor, world, id, "message.queued", body);
    Ok(message)
}

/// One click in a mail program: what the message with this link advertises for is taken back over its medium; everything, when the link is of
/// no message.
///
/// # Errors
/// As [`link::read`].
pub fn unsubscribe(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    evidence: &Evidence,
) -> Result<(), Failure> {
    let (link, _, one) = link::read(tx, token, world.now())?;
    let about = link.about.map(Id::from_bytes);
    let message = about.map(|id| rows::find(tx, one.id, id)).transpose()?.flatten();
    let Some(cell) = message.and_then(|message| message.cell) else {
        return consent::choice::unsubscribe(tx, world, token, evidence);
    };
    let whole = Cell { topic: String::new(), ..cell };
    if consent::of(tx, one.id, world.now())?.to(&whole).is_some_and(Status::refuses) {
        return Ok(());
    }
    let one = subscriber::lock(tx, one.id)?;
    let said = [Said { cell: whole, status: Status::Withdrawn }];
    let evidence = Evidence { source: Source::Link, ..evidence.clone() };
    consent::write(tx, &link::holder(&one), world, &one, &said, &evidence).map(drop)
}

/// Takes back everything that waits to be sent to somebody.
///
/// # Errors
/// What the store says.
pub(crate) fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    to: Id<SubscriberKind>,
) -> Result<(), Failure> {
    for one in rows::take_back(tx, to, world.now())? {
        emit(tx, actor, world, one, "message.withdrawn", json!({ "subscriber": to.to_string() }));
    }
    Ok(())
}

/// Notes the job that hands a message over.
fn queue(tx: &mut Tx<'_>, world: &mut World, one: &Message) -> Result<(), Failure> {
    let body = json!({ "subscriber": one.subscriber.to_string() });
    job::enqueue(tx, world, SEND, one.id, body, one.due_at)
}

/// The messages to a customer, from the newest down; a customer sees only its own.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<Customer>,
    (before, limit): (Id<MessageKind>, i64),
) -> Result<Vec<Message>, Failure> {
    if actor.who != Who::Customer(id) {
        actor.may_somewhere(Permission::ReadContacts)?;
    }
    customer::load(tx, id)?;
    Ok(rows::list(tx, id.shared_with(), before, limit)?)
}

/// Lets a message that failed be tried again, if what it rested on still holds.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::WrongState`] when it did not fail; [`Code::NoConsent`].
pub fn send_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (customer, id): (Id<Customer>, Id<MessageKind>),
) -> Result<Message, Failure> {
    actor.may_somewhere(Permission::EditConsents)?;
    let to = subscriber::lock(tx, customer.shared_with())?;
    let missing = || Refusal::not_found("message", id);
    let mut one = rows::find(tx, to.id, id)?.ok_or_else(missing)?;
    if one.state != State::Failed {
        let why = format!("{id} is {}; only one that failed is sent again", one.state.text());
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    one.due_at = world.now();
    if !rows::queue_again(tx, &one, world.now())? {
        return Err(one.cell.as_ref().map_or_else(missing, |cell| consent::lacking(to.id, cell)).into());
    }
    queue(tx, world, &one)?;
    emit(
        tx,
        actor,
        world,
        id,
        "message.queued",
        json!({ "to": customer.to_string(), "kind": one.kind.text() }),
    );
    Ok(rows::find(tx, to.id, id)?.ok_or_else(missing)?)
}
