//! One line of everything that happened between a customer and the shop, over every channel: read from the journal and from what was collected,
//! over all customers and profiles that are this one now. Nothing of it is kept twice, so whoever is merged, parted or takes an order over has
//! the right line at once.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, Permission};
use domain::behaviour::Call;
use domain::identity::Part;
use domain::timeline::{Kind, Parameters, events_of, kind_of, words_of, words_of_behaviour};
use domain::value::id::{Channel, Customer as CustomerKind, Event as EventKind, Order};
use domain::value::{Currency, Id, Instant, Language};
use serde_json::{Value, json};
use store::event::Entry as Told;
use store::timeline::{self as rows, Bounds, Done, Heading, Subject};
use store::{StoreError, Tx};

use crate::behaviour::commerce::OURSELVES;
use crate::identity::reading::{self, Whom};
use crate::{Failure, World, customer, detail};

/// The most things of one sort that are looked through: orders, payments, messages. Of who has more the newest are.
const SUBJECTS_MAX: i64 = 20_000;
/// The most times in households.
const STAYS_MAX: i64 = 50;
/// The most profiles of a person.
const PROFILES_MAX: i64 = 500;
/// How much later than its first event a thing's id may say it was made, in milliseconds.
const SLACK_MILLIS: i64 = 1_000;

/// Where a page begins: before what happened at this instant under this id.
pub type Place = (Instant, Id<EventKind>);

/// Before which nothing has happened yet.
pub const NEWEST: Place = (Instant::from_micros(i64::MAX), Id::from_bytes([255; 16]));

/// Which entries are asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Of these kinds; of all when there is none.
    pub kinds: Vec<Kind>,
    /// Through this channel.
    pub channel: Option<Id<Channel>>,
    /// Not before this.
    pub since: Option<Instant>,
    /// Before this.
    pub until: Option<Instant>,
    /// In which language.
    pub language: Language,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The event that tells of it.
    pub id: Id<EventKind>,
    /// When.
    pub at: Instant,
    /// What it is about.
    pub kind: Kind,
    /// What the journal or the tracker calls it.
    pub code: String,
    /// One plain sentence.
    pub words: String,
    /// Through which channel.
    pub channel: Option<Id<Channel>>,
    /// Where.
    pub location: Option<String>,
    /// Who did it; absent for what was collected.
    pub actor: Option<String>,
    /// The thing it happened to, its id in text; absent for what was collected.
    pub about: Option<String>,
    /// The order the thing belongs to.
    pub order: Option<Id<Order>>,
    /// What the event carries: ids and numbers.
    pub parameters: Value,
}

/// What happened before a place, the newest first, at most `limit`; that it was read is noted in the audit trail.
///
/// # Errors
/// [`Code::Forbidden`](domain::Code::Forbidden), [`Code::NotFound`](domain::Code::NotFound).
pub fn read(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, asked): (Id<CustomerKind>, &Asked),
    (before, limit): (Place, i64),
) -> Result<Vec<Entry>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    let id = customer::load(tx, id)?.id;
    let found = page(tx, (id, &visible(actor, asked)?), (before, limit))?;
    reading::note(tx, actor, world, Whom::Customer(id), Part::Timeline)?;
    Ok(found)
}

/// What of the asked for may be seen: what was done on pages and in apps only with the permission for it.
fn visible(actor: &Actor, asked: &Asked) -> Result<Asked, Failure> {
    let mut asked = asked.clone();
    let sees = actor.may_somewhere(Permission::ReadBehaviour);
    if asked.kinds.contains(&Kind::Behaviour) {
        sees?;
    } else if asked.kinds.is_empty() && sees.is_err() {
        asked.kinds = Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Behaviour).collect();
    }
    Ok(asked)
}

/// As [`read`], for who has asked for the permission and tells of the reading.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    (id, asked): (Id<CustomerKind>, &Asked),
    (before, limit): (Place, i64),
) -> Result<Vec<Entry>, Failure> {
    let id = store::customer::merged_into(tx, id)?.unwrap_or(id);
    let whole = detail::whole(tx, id)?;
    let end = asked.until.map_or(NEWEST, |until| (until, Id::from_bytes([0; 16])));
    let within = Bounds {
        since: asked.since.unwrap_or(Instant::from_micros(0)),
        before: before.min(end),
        channel: asked.channel,
        limit,
    };
    let mut found = journal(tx, &whole, asked, within)?;
    if asked.kinds.is_empty() || asked.kinds.contains(&Kind::Behaviour) {
        let profiles: Vec<[u8; 16]> = store::identity::of_customers(tx, &whole, PROFILES_MAX)?
            .iter()
            .map(|profile| profile.bytes())
            .collect();
        for done in rows::done(tx, &profiles, OURSELVES, within)? {
            found.push(of_behaviour(done, asked.language)?);
        }
    }
    found.sort_unstable_by_key(|one| std::cmp::Reverse((one.at, one.id)));
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

/// What the journal tells of everything that belongs to the customers who are one.
fn journal(
    tx: &mut Tx<'_>,
    whole: &[[u8; 16]],
    asked: &Asked,
    within: Bounds,
) -> Result<Vec<Entry>, Failure> {
    let kinds: Vec<String> = events_of(&asked.kinds).map(str::to_owned).collect();
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let subjects: BTreeMap<String, Option<Id<Order>>> = rows::subjects(tx, whole, SUBJECTS_MAX)?
        .into_iter()
        .filter(|one| is_there(one, within.before.0))
        .map(|one| (one.name, one.order))
        .collect();
    let own = whole.iter().map(|id| Id::<CustomerKind>::from_bytes(*id).to_string());
    let names: Vec<String> = own.chain(subjects.keys().cloned()).collect();
    let in_channel: BTreeSet<Id<Order>> = match within.channel {
        Some(channel) => rows::orders_in(tx, whole, channel, SUBJECTS_MAX)?.into_iter().collect(),
        None => BTreeSet::new(),
    };
    let is_in = |order: &Option<Id<Order>>| order.is_some_and(|order| in_channel.contains(&order));
    let through: Vec<String> =
        subjects.iter().filter(|(_, order)| is_in(order)).map(|(name, _)| name.clone()).collect();
    let mut told = rows::told(tx, (&names, &through), &kinds, within)?;
    for stay in rows::stays(tx, whole, STAYS_MAX)? {
        let end = stay.until.map_or(NEWEST, |until| (until, NEWEST.1));
        let within = Bounds { since: within.since.max(stay.since), before: within.before.min(end), ..within };
        told.extend(rows::told(tx, (&[stay.household], &through), &kinds, within)?);
    }
    let orders: BTreeSet<[u8; 16]> = told
        .iter()
        .filter_map(|one| subjects.get(&one.subject).copied().flatten())
        .map(|id| id.bytes())
        .collect();
    let orders: Vec<[u8; 16]> = orders.into_iter().collect();
    let headings: BTreeMap<Id<Order>, Heading> =
        rows::headings(tx, &orders)?.into_iter().map(|one| (one.order, one)).collect();
    let entry = |one: Told| {
        let order = subjects.get(&one.subject).copied().flatten();
        let heading = order.and_then(|order| headings.get(&order));
        of_event(one, order, heading, asked.language)
    };
    told.into_iter().map(entry).collect()
}

/// Was the thing there at an instant? Ids begin with the milliseconds at which they were made.
fn is_there(one: &Subject, at: Instant) -> bool {
    let made = one.id[..6].iter().fold(0i64, |millis, byte| millis << 8 | i64::from(*byte));
    made.saturating_sub(SLACK_MILLIS) <= at.micros() / 1_000
}

fn of_event(
    one: Told,
    order: Option<Id<Order>>,
    heading: Option<&Heading>,
    language: Language,
) -> Result<Entry, Failure> {
    let lost = || StoreError::Corrupt(format!("event {} cannot be read", one.id));
    let body: Value = serde_json::from_str(&one.body).map_err(|_| lost())?;
    let named = body["currency"].as_str().and_then(|code| Currency::parse(code).ok());
    let currency = named.or(heading.map(|heading| heading.currency));
    let minor = body["amount"].as_i64().or(body["gross"].as_i64());
    let parameters = Parameters {
        number: heading.map(|heading| heading.number.clone()),
        amount: minor
            .zip(currency)
            .map(|(minor, currency)| domain::status::writing::money(minor, currency, language)),
        points: body["points"].as_i64(),
    };
    let told_at = body["location"].as_str().map(str::to_owned);
    let location =
        told_at.or_else(|| heading.and_then(|heading| heading.location).map(|location| location.to_string()));
    Ok(Entry {
        id: one.id,
        at: one.at,
        kind: kind_of(&one.kind).ok_or_else(lost)?,
        words: words_of(&one.kind, &parameters, language),
        code: one.kind,
        channel: one.channel.or(heading.map(|heading| heading.channel)),
        location,
        actor: Some(one.actor),
        about: Some(one.subject),
        order,
        parameters: body,
    })
}

fn of_behaviour(done: Done, language: Language) -> Result<Entry, Failure> {
    let lost = || StoreError::Corrupt(format!("the behaviour event {} cannot be read", done.id));
    let call = Call::coded(done.call).ok_or_else(lost)?.text();
    Ok(Entry {
        id: done.id,
        at: done.at,
        kind: Kind::Behaviour,
        words: words_of_behaviour(call, done.name.as_deref(), language),
        code: done.name.unwrap_or_else(|| call.to_owned()),
        channel: done.channel,
        location: None,
        actor: None,
        about: None,
        order: None,
        parameters: json!({ "call": call, "source": done.source.to_string() }),
    })
}
