//! Everything that is kept of a person, over all capabilities, in one document; and who has read their contacts.

use domain::actor::{Actor, Permission, Who};
use domain::privacy::{Kind, State};
use domain::value::id::{Customer, Event as EventKind, PrivacyRequest as RequestKind};
use domain::value::{Id, Instant, Reference};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::event::{self as journal, Entry};
use store::privacy::retention::contacts_of;
use store::{Tx, consent as consents, message as messages, order as orders, privacy as rows};

use super::read;
use crate::consent::subscriber::{self, Subscriber};
use crate::event::emit;
use crate::loyalty::{member, points, store_credit};
use crate::{Failure, World, cart, consent, contact, customer};

/// The most of one sort that an archive holds; a person with more is told that there is more.
const MANY_MAX: i64 = 2_000;
/// The most contacts of one person.
const CONTACTS_MAX: i64 = 500;
/// The most readings of one contact that are looked through.
const READINGS_MAX: i64 = 2_000;

/// Who read a contact, and when.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The event that tells of it.
    pub id: Id<EventKind>,
    /// The contact.
    pub contact: String,
    /// Who: kind and id.
    pub actor: String,
    /// When.
    pub at: Instant,
}

/// Everything that is kept of who made a request for access or export. That it was put together is told in the journal.
///
/// # Errors
/// [`Code::WrongState`] when nobody has shown who asked, or something else was asked for.
pub fn of_request(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<RequestKind>,
) -> Result<Value, Failure> {
    let request = read(tx, actor, id)?;
    let is_known = matches!(request.state, State::Verified | State::Done);
    if !is_known || !matches!(request.kind, Kind::Access | Kind::Export) {
        let why = format!(
            "{id} is a request for {} that is {}; an archive is made for access or export once it is verified",
            request.kind.text(),
            request.state.text()
        );
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    let one = subscriber::lock(tx, request.subscriber)?;
    emit(tx, actor, world, id, "person.exported", json!({ "person": one.person.to_string() }));
    everything(tx, actor, world, &one)
}

fn everything(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Subscriber) -> Result<Value, Failure> {
    // Who may answer requests shows everything, whatever else he may see.
    let actor = &actor.trusted();
    let mut archive = json!({
        "made_at": world.now().to_string(),
        "contacts": contacts(tx, actor, world, one)?,
        "consents": said(tx, world, one)?,
        "messages": sent(tx, one)?,
        "requests": asked(tx, one)?,
    });
    if let Some(id) = one.customer {
        let known = customer::load(tx, id)?;
        archive["customer"] = json!({ "id": id.to_string(), "external_id": known.external_id, "groups": known.groups,
            "made_at": known.made_at.to_string(), "changed_at": known.changed_at.to_string() });
        archive["orders"] = bought(tx, id)?;
        archive["carts"] = carts(tx, actor, id)?;
        archive["memberships"] = memberships(tx, actor, world, id)?;
        archive["store_credits"] = credits(tx, actor, id)?;
        archive["what_happened"] = happened(tx, &id.to_string())?;
        let readings = readings_of(tx, one)?;
        archive["read_by"] = readings
            .iter()
            .map(|one| json!({ "contact": one.contact, "by": one.actor, "at": one.at.to_string() }))
            .collect();
    }
    Ok(archive)
}

fn contacts(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: &Subscriber) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in contacts_of(tx, one.person, CONTACTS_MAX)? {
        let card = contact::open(tx, actor, world, id)?;
        let text = card.text();
        all.push(json!({ "id": id.to_string(), "name": text.name, "company": text.company, "street": text.street, "city": text.city,
            "region": text.region, "postal_code": text.postal_code, "country": text.country, "email": text.email, "phone": text.phone,
            "note": text.note }));
    }
    Ok(Value::Array(all))
}

fn said(tx: &mut Tx<'_>, world: &World, one: &Subscriber) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for said in consents::history(tx, one.id, Id::from_bytes([255; 16]), MANY_MAX)? {
        let evidence = consent::evidence_of(tx, world, one, &said)?;
        all.push(json!({ "id": said.id.to_string(), "purpose": said.cell.purpose, "medium": said.cell.medium.text(),
            "topic": said.cell.topic, "status": said.status.text(), "source": said.source.text(), "wording": said.wording,
            "at": said.at.to_string(), "expires_at": said.expires_at.map(|at| at.to_string()), "evidence": evidence }));
    }
    Ok(Value::Array(all))
}

fn sent(tx: &mut Tx<'_>, one: &Subscriber) -> Result<Value, Failure> {
    let all = messages::list(tx, one.id, Id::from_bytes([255; 16]), MANY_MAX)?;
    let shape = |message: &messages::Message| {
        json!({ "id": message.id.to_string(), "medium": message.medium.text(), "kind": message.kind.text(),
            "template": message.template.text(), "state": message.state.text(), "made_at": message.made_at.to_string() })
    };
    Ok(all.iter().map(shape).collect())
}

fn asked(tx: &mut Tx<'_>, one: &Subscriber) -> Result<Value, Failure> {
    let all = rows::of_subscriber(tx, one.id, MANY_MAX)?;
    let shape = |request: &rows::Request| {
        json!({ "id": request.id.to_string(), "kind": request.kind.text(), "state": request.state.text(),
            "made_at": request.made_at.to_string(), "due_at": request.due_at.to_string() })
    };
    Ok(all.iter().map(shape).collect())
}

fn bought(tx: &mut Tx<'_>, id: Id<Customer>) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for order in rows::retention::orders_of(tx, id, MANY_MAX)? {
        let Some(head) = orders::find(tx, order)? else { continue };
        let lines: Vec<Value> = orders::lines(tx, order)?
            .iter()
            .map(|line| json!({ "sku": line.sku, "title": line.title, "quantity": line.quantity, "gross": line.gross }))
            .collect();
        all.push(json!({ "id": order.to_string(), "number": head.number, "state": head.state.text(),
            "currency": head.currency.code(), "gross": head.gross, "placed_at": head.placed_at.to_string(), "note": head.note,
            "lines": lines, "what_happened": happened(tx, &order.to_string())? }));
    }
    Ok(Value::Array(all))
}

fn carts(tx: &mut Tx<'_>, actor: &Actor, id: Id<Customer>) -> Result<Value, Failure> {
    let all = cart::list_of_customer(tx, actor, &Reference::Id(id), Id::from_bytes([0; 16]), MANY_MAX)?;
    let shape = |cart: &cart::Cart| json!({ "id": cart.id.to_string(), "state": cart.state.text(), "made_at": cart.made_at.to_string() });
    Ok(all.iter().map(shape).collect())
}

fn memberships(tx: &mut Tx<'_>, actor: &Actor, world: &World, id: Id<Customer>) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in member::of_customer(tx, actor, id)? {
        let balance = points::balance(tx, &one, world.now())?;
        all.push(json!({ "id": one.id.to_string(), "programme": one.programme.to_string(),
            "enrolled_at": one.enrolled_at.to_string(), "left_at": one.left_at.map(|at| at.to_string()), "points": balance.free,
            "pending": balance.pending }));
    }
    Ok(Value::Array(all))
}

fn credits(tx: &mut Tx<'_>, actor: &Actor, id: Id<Customer>) -> Result<Value, Failure> {
    let all = store_credit::of_customer(tx, actor, id)?;
    Ok(all.iter().map(|one| json!({ "id": one.id.to_string(), "currency": one.currency.code() })).collect())
}

/// What the journal tells of a thing: the kinds and instants.
fn happened(tx: &mut Tx<'_>, subject: &str) -> Result<Value, Failure> {
    let all = journal::of_subject(tx, subject, 0, MANY_MAX)?;
    Ok(all.iter().map(|entry| json!({ "what": entry.kind, "at": entry.at.to_string() })).collect())
}

/// Who read the contacts of a customer, the newest first, before an event.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer.
pub fn readings(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<Customer>,
    (before, limit): (Id<EventKind>, i64),
) -> Result<Vec<Reading>, Failure> {
    if actor.who != Who::Customer(id) {
        actor.may(Permission::AnswerPrivacy, None)?;
    }
    let person = customer::load(tx, id)?.person;
    let mut found = read_contacts(tx, person)?;
    found.retain(|one| one.id < before);
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

fn readings_of(tx: &mut Tx<'_>, one: &Subscriber) -> Result<Vec<Reading>, Failure> {
    read_contacts(tx, one.person)
}

fn read_contacts(tx: &mut Tx<'_>, person: Id<domain::value::id::Person>) -> Result<Vec<Reading>, Failure> {
    let mut found = Vec::new();
    for contact in contacts_of(tx, person, CONTACTS_MAX)? {
        let name = contact.to_string();
        let entries = journal::of_subject(tx, &name, 0, READINGS_MAX)?.into_iter();
        let reading =
            |entry: Entry| Reading { id: entry.id, contact: name.clone(), actor: entry.actor, at: entry.at };
        found.extend(entries.filter(|entry| entry.kind == "contact.read").map(reading));
    }
    found.sort_by_key(|one| std::cmp::Reverse(one.id));
    Ok(found)
}
