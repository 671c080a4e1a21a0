//! Everything that is kept of a person, over all capabilities and over all customers who are one, in one document.

mod bought;
mod done;
mod taking_part;
mod told;

use std::cell::Cell;
use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::identity::Part;
use domain::privacy::register::Section;
use domain::privacy::{Kind, State};
use domain::value::Id;
use domain::value::id::{Customer, Order, Person, PrivacyRequest as RequestKind};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::event as journal;
use store::identity::Known;
use store::privacy::retention::{contacts_of, orders_of};
use store::{Tx, customer as customers};

use crate::consent::subscriber::{self, Subscriber};
use crate::event::emit;
use crate::identity::reading::{Whom, note};
use crate::identity::trace;
use crate::privacy::{reading, register};
use crate::{Failure, World, contact, customer, detail, privacy};

/// The most of one sort that an archive holds; a person with more is told of what there is more.
const MANY_MAX: i64 = 100_000;
/// Comes after every id.
const LAST: [u8; 16] = [255; 16];

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
    /// What they are known by, with the profiles.
    known: Vec<Known>,
    /// Is there more of something than is told?
    is_short: Cell<bool>,
}

impl Whole {
    /// Everybody who is the same as a subscriber, also who is known only by an address of theirs.
    fn of(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Subscriber) -> Result<Whole, Failure> {
        let customers: Vec<Id<Customer>> = match one.customer {
            None => Vec::new(),
            Some(id) => {
                let id = customers::merged_into(tx, id)?.unwrap_or(id);
                detail::whole(tx, id)?.into_iter().rev().map(Id::from_bytes).collect()
            }
        };
        let (mut subscribers, mut persons) = (Vec::new(), Vec::new());
        for id in &customers {
            subscribers.extend(subscriber::find(tx, id.shared_with())?);
            persons.push(customer::load(tx, *id)?.person);
        }
        if customers.is_empty() {
            persons.push(one.person);
            subscribers.push(one);
        }
        for person in persons.clone() {
            for other in subscriber::by_addresses_of(tx, person, &customers)? {
                if !persons.contains(&other.person) {
                    persons.push(other.person);
                    subscribers.push(other);
                }
            }
        }
        let mut addresses = Vec::new();
        for person in &persons {
            addresses.extend(store::contact::lookups_of(tx, *person)?);
        }
        let known = trace::of(tx, actor, world, (&customers, &addresses))?;
        Ok(Whole { customers, subscribers, persons, known, is_short: Cell::new(false) })
    }

    fn ids(&self) -> Vec<[u8; 16]> {
        self.customers.iter().map(|id| id.bytes()).collect()
    }

    /// What was found of one sort, asked for up to [`MANY_MAX`].
    fn all<T>(&self, found: Vec<T>) -> Vec<T> {
        if found.len() >= MANY_MAX as usize {
            self.is_short.set(true);
        }
        found
    }

    /// The orders of the customers, and those that went to the contacts.
    fn orders(&self, tx: &mut Tx<'_>) -> Result<BTreeSet<Id<Order>>, Failure> {
        let mut all = BTreeSet::new();
        for customer in &self.customers {
            all.extend(self.all(orders_of(tx, *customer, MANY_MAX)?));
        }
        for person in &self.persons {
            for contact in self.all(contacts_of(tx, *person, MANY_MAX)?) {
                all.extend(self.all(store::order::owner::of_contact(tx, contact, MANY_MAX)?));
            }
        }
        Ok(all)
    }
}

/// The archive, a section after the other as the register names them, and what holds of each of them.
fn everything(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, one: Subscriber) -> Result<Value, Failure> {
    // Who may answer requests shows everything, whatever else he may see.
    let actor = &actor.trusted();
    let whole = Whole::of(tx, actor, world, one)?;
    let mut archive = json!({ "made_at": world.now().to_string(), "how_it_is_kept": register::shown(tx)? });
    let mut short = Vec::new();
    for section in Section::ALL.iter().filter(|one| !one.is_of_customers() || !whole.customers.is_empty()) {
        archive[section.text()] = told(tx, actor, world, (&whole, *section))?;
        if whole.is_short.take() {
            short.push(section.text());
        }
    }
    if !short.is_empty() {
        let words = format!(
            "of each sort in these sections {MANY_MAX} are told, and there is more; ask for the rest"
        );
        archive["there_is_more"] = json!({ "sections": short, "what_to_do": words });
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
        Section::Contacts => contacts(tx, actor, world, whole),
        Section::Customer => itself(tx, whole),
        Section::Addresses => told::addresses(tx, actor, world, whole),
        Section::Preferences => told::preferences(tx, actor, whole),
        Section::Notes => told::notes(tx, actor, world, whole),
        Section::Companies => told::companies(tx, actor, whole),
        Section::Records => told::records(tx, actor, world, whole),
        Section::Consents => told::said(tx, world, whole),
        Section::Links => told::links(tx, whole),
        Section::Messages => told::sent(tx, whole),
        Section::Requests => told::asked(tx, world, whole),
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
        Section::KnownBy => Ok(done::known_by(whole)),
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

fn contacts(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for person in &whole.persons {
        for id in whole.all(contacts_of(tx, *person, MANY_MAX)?) {
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
fn happened(tx: &mut Tx<'_>, whole: &Whole, subject: &str) -> Result<Value, Failure> {
    let all = whole.all(journal::of_subject(tx, subject, 0, MANY_MAX)?);
    Ok(all.iter().map(|entry| json!({ "what": entry.kind, "at": entry.at.to_string() })).collect())
}
