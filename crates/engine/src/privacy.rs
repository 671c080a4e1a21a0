//! What people ask about what is kept of them: noted with its time, answered only to who has shown to be the person, and done by the shop
//! itself where it can.

pub mod hold;
pub mod reading;
pub mod reason;
pub mod register;
pub mod retention;

use domain::actor::{Actor, Permission, Who};
use domain::consent::{Basis, Cell, Medium, Source, Status};
use domain::message::Template;
use domain::privacy::{DAYS_MAX, Deadline, Kind, Proof, REMIND_DAYS, State, days_after, deadline};
use domain::value::id::{Contact, Customer, PrivacyRequest as RequestKind};
use domain::value::{Country, Email, Id};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::Tx;
use store::privacy as rows;

pub use store::privacy::Request;

use crate::consent::link::{self, Deed};
use crate::consent::subscriber::{self, Subscriber};
use crate::consent::{self, Evidence, Said, purpose};
use crate::event::emit;
use crate::job::BATCH_MAX;
use crate::message::NewMessage;
use crate::{Failure, World, contact, edit, erasure, message};

/// Who asks: a customer, or somebody with an address.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A customer.
    Customer(Id<Customer>),
    /// Whoever has this address.
    Email(Email),
}

/// A request to be noted.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Who asks.
    pub asker: Asker,
    /// For what.
    pub kind: Kind,
    /// Whose law gives the time.
    pub country: Option<Country>,
    /// What a colleague notes, or a customer who asks for himself; kept sealed.
    pub note: Option<String>,
}

/// Notes a request. A customer who signed in has shown who asks; everybody else is sent a link to the address we know.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::WrongState`] when the person was erased.
pub fn open(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewRequest) -> Result<Request, Failure> {
    let own = matches!(&new.asker, Asker::Customer(id) if actor.who == Who::Customer(*id));
    if !own {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    let (one, contact) = match &new.asker {
        Asker::Customer(id) => (subscriber::of_customer(tx, actor, world, *id)?, None),
        Asker::Email(email) => subscriber::of_email(tx, actor, world, email, None)?,
    };
    let (id, now) = (world.id::<RequestKind>(), world.now());
    let note =
        new.note.as_deref().map(|note| contact::seal(tx, world, one.person, note.as_bytes(), &id.bytes()));
    let request = Request {
        id,
        subscriber: one.id,
        kind: new.kind,
        state: if own { State::Verified } else { State::Received },
        country: new.country,
        proof: own.then_some(Proof::SignedIn),
        note: note.transpose()?,
        reason: None,
        extension_reason: None,
        made_at: now,
        due_at: days_after(now, time_of(tx, new.country)?.days),
        extended: false,
        reminded: 0,
        verified_at: own.then_some(now),
        closed_at: None,
        version: 1,
    };
    rows::add(tx, &request)?;
    tell(tx, actor, world, &request, "privacy_request.opened");
    if !own {
        let link = link::make(tx, world, one.id, Deed::Verify, Some(id.bytes()))?;
        write_to(tx, actor, world, (&one, contact), (Template::PrivacyCheck, Some(link)), &request)?;
    }
    Ok(request)
}

fn write_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (one, contact): (&Subscriber, Option<Id<Contact>>),
    (template, link): (Template, Option<Id<domain::value::id::SubscriberLink>>),
    request: &Request,
) -> Result<(), Failure> {
    let mut parameters = json!({ "request": request.id.to_string(), "due_at": request.due_at.to_string() });
    let words = match template {
        Template::PrivacyRefused => request.reason.as_deref(),
        Template::PrivacyExtended => request.extension_reason.as_deref(),
        _ => None,
    };
    if let Some(words) = words {
        parameters["sealed"] = json!(message::send::sealed(words));
    }
    message::write(
        tx,
        actor,
        world,
        NewMessage {
            to: one.id,
            contact,
            template,
            parameters,
            cell: None,
            link,
            due_at: None,
            language: None,
        },
    )
    .map(drop)
}

/// How long requests of a country may take: what the retailer says, or the law.
///
/// # Errors
/// What the store says.
pub fn time_of(tx: &mut Tx<'_>, country: Option<Country>) -> Result<Deadline, Failure> {
    let said = country.map(|country| rows::deadline(tx, country)).transpose()?.flatten();
    Ok(said.unwrap_or_else(|| deadline(country)))
}

/// Writes how long requests of a country may take.
///
/// # Errors
/// [`Code::Forbidden`]; [`Code::Invalid`] names what is out of bounds.
pub fn set_time(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (country, one): (Country, Deadline),
) -> Result<Deadline, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    let mut refusals = Vec::new();
    if !(1..=DAYS_MAX).contains(&one.days) {
        refusals.push(Refusal::invalid("days", format!("give 1 to {DAYS_MAX}")));
    }
    if !(0..=DAYS_MAX).contains(&one.extension_days) {
        refusals.push(Refusal::invalid("extension_days", format!("give 0 to {DAYS_MAX}")));
    }
    if let Some(refusal) = Refusal::all(refusals) {
        return Err(refusal.into());
    }
    rows::set_deadline(tx, country, one)?;
    let body = json!({ "days": one.days, "extension_days": one.extension_days });
    emit(tx, actor, world, format!("deadline:{}", country.code()), "deadline.written", body);
    Ok(one)
}

/// A request.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<RequestKind>) -> Result<Request, Failure> {
    let found = rows::find(tx, id)?;
    let own = found.as_ref().is_some_and(|one| actor.who == Who::Customer(one.subscriber.shared_with()));
    if !own {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    Ok(found.ok_or_else(|| Refusal::not_found("privacy request", id))?)
}

/// The requests from the newest down; only those that wait for us when `open`.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    open: bool,
    (before, limit): (Id<RequestKind>, i64),
) -> Result<Vec<Request>, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    Ok(rows::list(tx, open, before, limit)?)
}

/// Notes that a colleague has seen who asked.
///
/// # Errors
/// [`Code::WrongState`] when that is known or the request is closed.
pub fn verify(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<RequestKind>,
    proof: Proof,
) -> Result<Request, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    let request = read(tx, actor, id)?;
    verified(tx, actor, world, request, proof)
}

/// Who asked follows the link that was sent to the address we know. Doing it twice is the same as once.
///
/// # Errors
/// [`Code::NotFound`] when the link expired.
pub fn verify_by_link(tx: &mut Tx<'_>, world: &mut World, token: &str) -> Result<(), Failure> {
    let (link, deed, one) = link::read(tx, token, world.now())?;
    let id = link.about.filter(|_| deed == Deed::Verify).map(Id::<RequestKind>::from_bytes);
    let id = id.ok_or_else(link::gone)?;
    let request = rows::find(tx, id)?.ok_or_else(link::gone)?;
    if request.state != State::Received {
        return Ok(());
    }
    verified(tx, &link::holder(&one), world, request, Proof::Link).map(drop)
}

fn verified(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    mut request: Request,
    proof: Proof,
) -> Result<Request, Failure> {
    request.state.may_become(State::Verified)?;
    request.state = State::Verified;
    request.proof = Some(proof);
    request.verified_at = Some(world.now());
    keep(tx, &mut request)?;
    tell(tx, actor, world, &request, "privacy_request.verified");
    Ok(request)
}

/// Extends the time of a request, once, by what the rule of its country allows, and writes to who asked why, in words for them.
///
/// # Errors
/// [`Code::WrongState`] when it was extended before, is closed, or may not be, and when the person was erased.
pub fn extend(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, reason): (Id<RequestKind>, &str),
) -> Result<Request, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    let mut request = read(tx, actor, id)?;
    let days = time_of(tx, request.country)?.extension_days;
    if request.extended || !request.state.is_open() || days == 0 {
        let why = format!(
            "the time of {id} cannot be extended: it is closed, was extended before, or its rule allows none"
        );
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let one = subscriber::lock(tx, request.subscriber)?;
    let template = Template::PrivacyExtended;
    request.extension_reason = Some(reason::seal(tx, world, (&one, reason), (template, id))?);
    request.extended = true;
    request.reminded = 0;
    request.due_at = days_after(request.due_at, days);
    keep(tx, &mut request)?;
    tell(tx, actor, world, &request, "privacy_request.extended");
    write_to(tx, actor, world, (&one, None), (template, None), &request)?;
    Ok(request)
}

/// Closes a request as done. What the shop can do itself is done with it: erasing forgets the person, an objection and a restriction take
/// back every purpose that is no part of what was bought.
///
/// # Errors
/// [`Code::WrongState`] when nobody has shown who asked, or the request is closed; [`Code::PolicyRefuses`] when a legal hold forbids erasing.
pub fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<RequestKind>,
) -> Result<Request, Failure> {
    actor.may(Permission::AnswerPrivacy, None)?;
    let mut request = read(tx, actor, id)?;
    request.state.may_become(State::Done)?;
    request.state = State::Done;
    request.closed_at = Some(world.now());
    keep(tx, &mut request)?;
    let one = subscriber::lock(tx, request.subscriber)?;
    match request.kind {
        Kind::Access | Kind::Export | Kind::Correction => {}
        Kind::Objection | Kind::Restriction => object(tx, actor, world, &one)?,
        Kind::Erasure => {
            tell(tx, actor, world, &request, "privacy_request.done");
            erase(tx, actor, world, &one)?;
            return Ok(request);
        }
    }
    tell(tx, actor, world, &request, "privacy_request.done");
    write_to(tx, actor, world, (&one, None), (Template::PrivacyDone, None), &request)?;
    Ok(request)
}

fn erase(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Subscriber) -> Result<(), Failure> {
    match (one.customer, one.contact) {
        (Some(customer), _) => erasure::erase(tx, actor, world, customer).map(drop),
        (None, Some(contact)) => erasure::erase_contact(tx, actor, world, contact),
        (None, None) => Ok(()),
    }
}

/// Says no to every purpose that is no part of what was bought.
fn object(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Subscriber) -> Result<(), Failure> {
    let standing = consent::of(tx, one.id, world.now())?;
    let purposes = purpose::list(tx)?.into_iter().filter(|purpose| purpose.basis != Basis::Contract);
    let said: Vec<Said> = purposes
        .map(|purpose| Cell { purpose: purpose.code, medium: Medium::Every, topic: String::new() })
        .filter(|cell| !standing.to(cell).is_some_and(Status::refuses))
        .map(|cell| Said { cell, status: Status::Denied })
        .collect();
    if said.is_empty() {
        return Ok(());
    }
    consent::write(tx, actor, world, one, &said, &Evidence::of(Source::Request)).map(drop)
}

/// How a request is closed without being done.
#[derive(Clone, Debug)]
pub struct Closing {
    /// Refused, or taken back.
    pub state: State,
    /// What a colleague notes for colleagues.
    pub note: Option<String>,
    /// Why it is refused, in words for who asked.
    pub reason: Option<String>,
}

/// Closes a request that is refused or was taken back. Who is refused is written to with the reason, unless the person was erased.
///
/// # Errors
/// [`Code::WrongState`] when it is closed; [`Code::Invalid`] at `reason` when it is refused without one, or taken back with one.
pub fn close(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<RequestKind>,
    Closing { state, note, reason }: Closing,
) -> Result<Request, Failure> {
    let mut request = read(tx, actor, id)?;
    let is_refused = state == State::Refused;
    if state != State::TakenBack {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    request.state.may_become(state)?;
    reason::must_fit(is_refused, reason.as_deref())?;
    let one = subscriber::find(tx, request.subscriber)?;
    if let (Some(note), Some(one)) = (note, &one) {
        request.note = Some(contact::seal(tx, world, one.person, note.as_bytes(), &id.bytes())?);
    }
    let told = one.filter(|one| one.erased_at.is_none()).zip(reason);
    if let Some((one, reason)) = &told {
        request.reason = Some(reason::seal(tx, world, (one, reason), (Template::PrivacyRefused, id))?);
    }
    request.state = state;
    request.closed_at = Some(world.now());
    keep(tx, &mut request)?;
    let kind = if is_refused { "privacy_request.refused" } else { "privacy_request.taken_back" };
    tell(tx, actor, world, &request, kind);
    if let Some((one, _)) = told {
        write_to(tx, actor, world, (&one, None), (Template::PrivacyRefused, None), &request)?;
    }
    Ok(request)
}

/// What was noted with a request, as far as who reads it may know: what colleagues noted is for colleagues, but who asked while signed in wrote
/// the note himself, until it is closed with another.
///
/// # Errors
/// What the store says.
pub fn note_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    request: &Request,
) -> Result<Option<String>, Failure> {
    let is_own_note =
        request.proof == Some(Proof::SignedIn) && matches!(request.state, State::Verified | State::Done);
    if matches!(actor.who, Who::Customer(_)) && !is_own_note {
        return Ok(None);
    }
    note_of(tx, world, request)
}

/// What was noted with a request, by whomever; `None` when nothing was, or the person was erased.
///
/// # Errors
/// What the store says.
pub fn note_of(tx: &mut Tx<'_>, world: &World, request: &Request) -> Result<Option<String>, Failure> {
    let Some(sealed) = &request.note else { return Ok(None) };
    let Some(one) = subscriber::find(tx, request.subscriber)? else { return Ok(None) };
    let text = contact::unseal(tx, world, one.person, sealed, &request.id.bytes())?;
    Ok(text.and_then(|text| String::from_utf8(text).ok()))
}

fn keep(tx: &mut Tx<'_>, request: &mut Request) -> Result<(), Failure> {
    let was = request.version;
    request.version += 1;
    if !rows::change(tx, request, was)? {
        return Err(edit::stale(request.id).into());
    }
    Ok(())
}

/// Tells of requests whose time is over within a week, and of those whose time is over. A round of a duty.
///
/// # Errors
/// What the store says.
pub fn remind(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<bool, Failure> {
    let now = world.now();
    let soon = rows::due(tx, days_after(now, REMIND_DAYS), 1, BATCH_MAX)?;
    let over = rows::due(tx, now, 2, BATCH_MAX)?;
    let more = soon.len().max(over.len()) as i64 >= BATCH_MAX;
    for (mut request, reminded) in
        soon.into_iter().map(|one| (one, 1)).chain(over.into_iter().map(|one| (one, 2)))
    {
        if let Some(now_so) = rows::find(tx, request.id)? {
            request = now_so;
        }
        request.reminded = reminded;
        keep(tx, &mut request)?;
        let kind = if reminded == 1 { "privacy_request.due_soon" } else { "privacy_request.overdue" };
        tell(tx, actor, world, &request, kind);
    }
    Ok(more)
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, request: &Request, kind: &'static str) {
    emit(tx, actor, world, request.id, kind, told(request));
}

fn told(request: &Request) -> Value {
    json!({ "about": request.subscriber.to_string(), "kind": request.kind.text(), "state": request.state.text(),
        "due_at": request.due_at.to_string() })
}
