//! What people did on pages, in apps and stores: taken in once, put onto the right profile in the same transaction, at the time it really
//! happened, and read over all profiles of a person.

pub mod commerce;
pub mod incoming;
mod part;
mod permit;
pub mod quarantine;
pub mod source;

use std::collections::{BTreeMap, BTreeSet};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::behaviour::plan::Plan;
use domain::behaviour::{Call, Fault, SchemaMode, Session, visits};
use domain::identity::Kind;
use domain::value::id::{Event as EventKind, Profile};
use domain::value::{Id, Instant};
use serde_json::{Map, Value};
use store::{Tx, behaviour as rows};

pub use incoming::Incoming;
pub use store::behaviour::Event;
pub use store::behaviour::source::Source;

use crate::consent;
use crate::identity::{self, Resolution, Same};
use crate::merging::review;
use crate::{Failure, World};
use part::Parted;

/// The most profiles of a person whose events are read together.
const PROFILES_MAX: i64 = 500;

/// What became of events that were sent together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Taken in.
    pub accepted: u64,
    /// Heard before.
    pub repeated: u64,
    /// Set aside.
    pub quarantined: u64,
    /// Not kept, because somebody whom they name refuses it.
    pub not_permitted: u64,
}

/// An event on its way in, and what is wrong with it.
struct Judged<'a> {
    event: &'a Incoming,
    wrong: Option<String>,
}

/// Takes in what a source sent: each event once, however often it is sent. Of who refuses it nothing is kept.
///
/// # Errors
/// What the store says.
pub fn collect(
    tx: &mut Tx<'_>,
    world: &mut World,
    source: &Source,
    events: &[Incoming],
) -> Result<Collected, Failure> {
    let mut collected = Collected::default();
    let all: Vec<&Incoming> = events.iter().collect();
    let may = permit::permitted(tx, world, source, &all)?;
    let kept: Vec<&Incoming> = all.into_iter().zip(may).filter(|(_, may)| *may).map(|(one, _)| one).collect();
    collected.not_permitted = (events.len() - kept.len()) as u64;
    rows::source::count_not_permitted(tx, source.id, collected.not_permitted)?;
    let hashes: Vec<[u8; 16]> = kept.iter().map(|event| event.hash()).collect();
    let first_heard = rows::hear(tx, source.id, &hashes, world.now())?;
    collected.repeated = first_heard.iter().filter(|first| !**first).count() as u64;
    let heard: Vec<&Incoming> =
        kept.into_iter().zip(first_heard).filter(|(_, first)| *first).map(|(event, _)| event).collect();
    let (accepted, refused) = take_in(tx, world, source, &heard)?;
    collected.accepted = accepted;
    collected.quarantined = refused.len() as u64;
    quarantine::set_aside(tx, world, source, &refused)?;
    Ok(collected)
}

/// An event that is not taken in, and why.
type Refused<'a> = (&'a Incoming, Fault, String);

/// Puts events onto their profiles; answers how many, and which were not taken in.
fn take_in<'a>(
    tx: &mut Tx<'_>,
    world: &mut World,
    source: &Source,
    heard: &[&'a Incoming],
) -> Result<(u64, Vec<Refused<'a>>), Failure> {
    let plan = source::plan_of(source)?;
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for event in heard {
        match judge(source.mode, &plan, event) {
            Ok(wrong) => taken.push(Judged { event, wrong }),
            Err((fault, why)) => refused.push((*event, fault, why)),
        }
    }
    let actor = Actor { channel: source.channel, ..Actor::system() };
    let seen: Vec<identity::Seen> = taken.iter().map(|one| one.event.seen(source.kind.trust())).collect();
    let resolved = identity::resolve(tx, &actor, world, &seen)?;
    note_same(tx, &actor, world, resolved.iter().flatten())?;
    let mut placed: Vec<(Judged<'a>, Resolution)> = Vec::with_capacity(taken.len());
    for (judged, resolution) in taken.into_iter().zip(resolved) {
        match resolution {
            Some(resolution) => placed.push((judged, resolution)),
            None => {
                let why = "nothing that this source may say tells whom it is about".to_owned();
                refused.push((judged.event, Fault::Nobody, why));
            }
        }
    }
    write(tx, world, source, &placed)?;
    heed_signals(tx, &actor, world, &placed)?;
    count_visits(tx, &placed)?;
    let stirred: BTreeSet<Id<Profile>> = placed.iter().map(|(_, resolution)| resolution.profile).collect();
    rows::stir(tx, &stirred, world.now())?;
    Ok((placed.len() as u64, refused))
}

/// Puts customers who are one person, as a source says that is trusted, before a colleague; each pair once, in one order.
fn note_same<'r>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    resolved: impl Iterator<Item = &'r Resolution>,
) -> Result<(), Failure> {
    let pair = |same: &'r Same| {
        let (one, other) = same.customers;
        ((one.min(other), one.max(other)), same)
    };
    let pairs: BTreeMap<_, &Same> = resolved.flat_map(|one| &one.same).map(pair).collect();
    for (pair, same) in pairs {
        let is_told = [same.kinds.0, same.kinds.1].contains(&Kind::Phone);
        review::share_a_key(tx, actor, world, pair, (&same.reason(), is_told))?;
    }
    Ok(())
}

/// What is not as planned of an event that is taken in, or why it is not.
fn judge(mode: SchemaMode, plan: &Plan, event: &Incoming) -> Result<Option<String>, (Fault, String)> {
    if let Some((fault, why)) = &event.fault {
        return Err((*fault, why.clone()));
    }
    if event.call == Call::Track && event.name.is_none() {
        return Err((Fault::Nameless, "a track call has an event".into()));
    }
    if event.identifiers.is_empty() {
        return Err((Fault::Nobody, "give a user id or an anonymous id".into()));
    }
    if mode == SchemaMode::Accept || event.call != Call::Track {
        return Ok(None);
    }
    let name = event.name.as_deref().unwrap_or_default();
    let fault = plan.fault(name, |property| incoming::sort_of(event.body["properties"].get(property)));
    match fault {
        Some(why) if mode == SchemaMode::Quarantine => Err((Fault::OffPlan, why)),
        other => Ok(other),
    }
}

/// Who is known to be a customer and whose browser says that data is not to be sold or shared has said no to it.
fn heed_signals(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    placed: &[(Judged<'_>, Resolution)],
) -> Result<(), Failure> {
    let signalled = placed.iter().filter(|(judged, _)| judged.event.is_signalled());
    let customers: BTreeSet<_> = signalled.filter_map(|(_, resolution)| resolution.customer).collect();
    for customer in customers {
        if !consent::heeded_signal(tx, customer, world.now())? {
            let one = consent::subscriber::of_customer(tx, actor, world, customer)?;
            consent::heed_signal(tx, actor, world, &one, None)?;
        }
    }
    Ok(())
}

/// Writes the events, what may name somebody sealed under each profile's key.
fn write(
    tx: &mut Tx<'_>,
    world: &mut World,
    source: &Source,
    placed: &[(Judged<'_>, Resolution)],
) -> Result<(), Failure> {
    let named = source::opened_by(source)?;
    let parted: Vec<Parted> = placed.iter().map(|(judged, _)| part::part(judged.event, &named)).collect();
    let with_persons = placed.iter().zip(&parted).filter(|(_, parted)| parted.sealed.is_some());
    let profiles: Vec<Id<Profile>> = with_persons.map(|((_, resolution), _)| resolution.profile).collect();
    let keys = identity::person::keys_of(tx, world, &profiles)?;
    let mut all = Vec::with_capacity(placed.len());
    for ((judged, resolution), Parted { name, open, sealed }) in placed.iter().zip(parted) {
        let id: Id<EventKind> = world.id();
        let key = keys.get(&resolution.profile);
        let sealed = sealed
            .zip(key)
            .map(|(sealed, key)| key.seal(world.bytes(), sealed.to_string().as_bytes(), &id.bytes()));
        let dropped: Vec<&str> = resolution.dropped.iter().map(|kind| kind.text()).collect();
        all.push(Event {
            id,
            profile: resolution.profile,
            source: source.id,
            call: judged.event.call,
            name,
            at: judged.event.at,
            received_at: world.now(),
            dropped: (!dropped.is_empty()).then(|| dropped.join(" ")),
            wrong: judged.wrong.clone(),
            body: open.to_string(),
            sealed,
        });
    }
    Ok(rows::add(tx, &all)?)
}

/// Counts the events into the visits of their profiles.
fn count_visits(tx: &mut Tx<'_>, placed: &[(Judged<'_>, Resolution)]) -> Result<(), Failure> {
    let mut by_profile: BTreeMap<Id<Profile>, Vec<Instant>> = BTreeMap::new();
    for (judged, resolution) in placed {
        by_profile.entry(resolution.profile).or_default().push(judged.event.at);
    }
    by_profile.values_mut().for_each(|times| times.sort_unstable());
    let span =
        |(profile, times): (&Id<Profile>, &Vec<Instant>)| Some((*profile, (*times.first()?, *times.last()?)));
    let spans: Vec<rows::Span> = by_profile.iter().filter_map(span).collect();
    rows::hold_profiles(tx, &by_profile.keys().map(|profile| profile.bytes()).collect::<Vec<_>>())?;
    let mut visited: BTreeMap<Id<Profile>, Vec<Session>> = BTreeMap::new();
    for (profile, visit) in rows::visits_around(tx, &spans)? {
        visited.entry(profile).or_default().push(visit);
    }
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (profile, times) in &by_profile {
        let known = visited.remove(profile).unwrap_or_default();
        let after = visits(known.clone(), times);
        let is_gone = |one: &&Session| after.iter().all(|kept| kept.began_at != one.began_at);
        gone.extend(known.iter().filter(is_gone).map(|one| (*profile, one.began_at)));
        new.extend(after.into_iter().filter(|visit| !known.contains(visit)).map(|visit| (*profile, visit)));
    }
    rows::remove_visits(tx, &gone)?;
    Ok(rows::write_visits(tx, &new)?)
}

/// Where a list of events goes on: right before an event.
pub type Before = (Instant, Id<EventKind>);

/// What a person did, the latest first, over all profiles of the person. What is personal is left sealed.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no such profile.
pub fn of_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    profile: Id<Profile>,
    before: Before,
    limit: i64,
) -> Result<Vec<Event>, Failure> {
    let profiles = profiles_of(tx, actor, profile)?;
    Ok(rows::of_profiles(tx, &profiles, before, limit)?)
}

/// The visits of a person over all profiles, the latest first; those of several browsers at the same time are one.
///
/// # Errors
/// As [`of_person`].
pub fn visits_of_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    profile: Id<Profile>,
    before: Instant,
    limit: i64,
) -> Result<Vec<Session>, Failure> {
    let profiles = profiles_of(tx, actor, profile)?;
    let mut found = visits(rows::visits(tx, &profiles, before, limit)?, &[]);
    found.reverse();
    Ok(found)
}

fn profiles_of(tx: &mut Tx<'_>, actor: &Actor, profile: Id<Profile>) -> Result<Vec<[u8; 16]>, Failure> {
    actor.may_somewhere(Permission::ReadBehaviour)?;
    let root = store::identity::root_of(tx, profile)?;
    let root = root.ok_or_else(|| Refusal::not_found("profile", profile))?;
    let profiles = store::identity::profiles_of(tx, root, PROFILES_MAX)?;
    Ok(profiles.iter().map(|id| id.bytes()).collect())
}

/// Adds what is given to an object.
fn object(pairs: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let given = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<String, Value>>())
}
