//! Everything that is kept of a person, over all capabilities and over all customers who are one, in one document.

mod bought;
mod done;
mod taking_part;
mod told;

use domain::actor::Actor;
use domain::identity::Part;
use domain::privacy::register::Section;
use domain::privacy::{Kind, State};
use domain::value::Id;
use domain::value::id::{Customer, Order, Person, PrivacyRequest as RequestKind};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::event as journal;
use store::privacy::retention::{contacts_of, orders_of};
use store::{Tx, customer as customers};

use crate::consent::subscriber::{self, Subscriber};
use crate::event::emit;
use crate::identity::reading::{Whom, note};
use crate::privacy::{reading, register};
use crate::{Failure, World, contact, customer, detail, privacy};

/// The most of one sort that an archive holds; a person with more is told that there is more.
const MANY_MAX: i64 = 2_000;
/// Comes after every id.
const LAST: [u8; 16] = [255; 16];
/// The most contacts of one person.
const CONTACTS_MAX: i64 = 500;

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
    let request = privacy::read(tx, actor, id)?;
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
    let whom = one.customer.map_or(Whom::Address(one.id), Whom::Customer);
    note(tx, actor, world, whom, Part::Archive)?;
    everything(tx, actor, world, one)
}

/// A person: all customers and subscribers who are one.
struct Whole {
    customers: Vec<Id<Customer>>,
    subscribers: Vec<Subscriber>,
    persons: Vec<Id<Person>>,
}

impl Whole {
    /// Everybody who is the same as a subscriber.
    fn of(tx: &mut Tx<'_>, one: Subscriber) -> Result<Whole, Failure> {
        let Some(id) = one.customer else {
            return Ok(Whole { customers: Vec::new(), persons: vec![one.person], subscribers: vec![one] });
        };
        let id = customers::merged_into(tx, id)?.unwrap_or(id);
        let customers: Vec<Id<Customer>> =
            detail::whole(tx, id)?.into_iter().rev().map(Id::from_bytes).collect();
        let (mut subscribers, mut persons) = (Vec::new(), Vec::new());
        for id in &customers {
            subscribers.extend(subscriber::find(tx, id.shared_with())?);
            persons.push(customer::load(tx, *id)?.person);
        }
        Ok(Whole { customers, subscribers, persons })
    }

    fn ids(&self) -> Vec<[u8; 16]> {
        self.customers.iter().map(|id| id.bytes()).collect()
    }

    /// The orders of the customers; of whoever is none, those that went to the contacts.
    fn orders(&self, tx: &mut Tx<'_>) -> Result<Vec<Id<Order>>, Failure> {
        let mut all = Vec::new();
        for customer in &self.customers {
            all.extend(orders_of(tx, *customer, MANY_MAX)?);
        }
        if self.customers.is_empty() {
            for person in &self.persons {
                for contact in contacts_of(tx, *person, CONTACTS_MAX)? {
                    all.extend(store::order::owner::of_contact(tx, contact, MANY_MAX)?);
                }
            }
        }
        Ok(all)
    }
}

/// The archive, a section after the other as the register names them, and what holds of each of them.
fn everything(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Subscriber) -> Result<Value, Failure> {
    // Who may answer requests shows everything, whatever else he may see.
    let actor = &actor.trusted();
    let whole = Whole::of(tx, one)?;
    let mut archive = json!({ "made_at": world.now().to_string(), "how_it_is_kept": register::shown(tx)? });
    for section in Section::ALL.iter().filter(|one| !one.is_of_customers() || !whole.customers.is_empty()) {
        archive[section.text()] = told(tx, actor, world, (&whole, *section))?;
    }
    Ok(archive)
}

fn told(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (whole, section): (&Whole, Section),
) -> Result<Value, Failure> {
    match section {
        Section::Contacts => contacts(tx, actor, world, &whole.persons),
        Section::Customer => itself(tx, whole),
        Section::Addresses => told::addresses(tx, actor, world, whole),
        Section::Preferences => told::preferences(tx, actor, whole),
        Section::Notes => told::notes(tx, actor, world, whole),
        Section::Companies => told::companies(tx, actor, whole),
        Section::Records => told::records(tx, actor, world, whole),
        Section::Consents => told::said(tx, world, &whole.subscribers),
        Section::Links => told::links(tx, &whole.subscribers),
        Section::Messages => told::sent(tx, &whole.subscribers),
        Section::Requests => told::asked(tx, world, &whole.subscribers),
        Section::Holds => told::holds(tx, whole),
        Section::Orders => bought::orders(tx, whole),
        Section::Carts => bought::carts(tx, actor, whole),
        Section::Returns => bought::returns(tx, whole),
        Section::Claims => bought::claims(tx, whole),
        Section::GiftCards => bought::gift_cards(tx, whole),
        Section::Memberships => taking_part::memberships(tx, actor, world, whole),
        Section::StoreCredits => bought::credits(tx, actor, whole),
        Section::SignIns => done::sign_ins(tx, whole),
        Section::Passkeys => done::passkeys(tx, actor, world, whole),
        Section::SignOns => done::sign_ons(tx, whole),
        Section::KnownBy => done::known_by(tx, actor, world, whole),
        Section::Behaviour => done::behaviour(tx, world, whole),
        Section::Visits => done::visits(tx, whole),
        Section::Segments => taking_part::segments(tx, whole),
        Section::Merges => taking_part::merges(tx, whole),
        Section::WhatHappened => done::timeline(tx, whole),
        Section::ReadBy => read_by(tx, whole),
    }
}

/// Who was shown what, and when.
fn read_by(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let subscribers: Vec<String> = whole.subscribers.iter().map(|one| one.id.to_string()).collect();
    let page = (Id::from_bytes(LAST), MANY_MAX);
    let readings = reading::of_person(tx, (&whole.ids(), &whole.persons, subscribers), page)?;
    let shape = |one: &reading::Reading| json!({ "what": one.part.text(), "contact": one.contact, "by": one.actor, "at": one.at.to_string() });
    Ok(readings.iter().map(shape).collect())
}

fn contacts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    persons: &[Id<Person>],
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for person in persons {
        for id in contacts_of(tx, *person, CONTACTS_MAX)? {
            let mut card = written(&contact::open(tx, actor, world, id)?);
            card["id"] = json!(id.to_string());
            all.push(card);
        }
    }
    Ok(Value::Array(all))
}

fn written(card: &domain::contact::Card) -> Value {
    let text = card.text();
    json!({ "name": text.name, "company": text.company, "street": text.street, "city": text.city, "region": text.region,
        "postal_code": text.postal_code, "country": text.country, "email": text.email, "phone": text.phone, "note": text.note })
}

/// The customer, and who was merged into them.
fn itself(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        let known = customer::load(tx, *id)?;
        all.push(json!({ "id": id.to_string(), "external_id": known.external_id, "groups": known.groups,
            "made_at": known.made_at.to_string(), "changed_at": known.changed_at.to_string() }));
    }
    let mut itself = all.remove(0);
    if !all.is_empty() {
        itself["merged"] = Value::Array(all);
    }
    Ok(itself)
}

/// What the journal tells of a thing: the kinds and instants.
fn happened(tx: &mut Tx<'_>, subject: &str) -> Result<Value, Failure> {
    let all = journal::of_subject(tx, subject, 0, MANY_MAX)?;
    Ok(all.iter().map(|entry| json!({ "what": entry.kind, "at": entry.at.to_string() })).collect())
}
