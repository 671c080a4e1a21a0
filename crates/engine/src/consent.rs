//! Consents: what a person agreed to, kept with its evidence and never changed; and what of it holds now, in every channel from the same
//! commit on.

pub mod audience;
pub mod choice;
pub mod link;
pub mod purpose;
pub mod refusal;
pub mod subscriber;

use domain::actor::{Actor, Permission, Who};
use domain::consent::{
    AGENT_CHARS_MAX, CONFIRM_DAYS, Cell, Held, Medium, SALE_OR_SHARE, Source, Status, comes_in, follows,
    standing,
};
use domain::value::id::{Consent as ConsentKind, Customer, Subscriber as SubscriberKind, SubscriberLink};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::Tx;
use store::consent as rows;

pub use store::consent::Consent;

use crate::event::emit;
use crate::{Failure, World, contact, customer};
use purpose::Purpose;
use subscriber::Subscriber;

/// The most things said at once.
pub const SAID_MAX: usize = 100;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Something said of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of what.
    pub cell: Cell,
    /// What.
    pub status: Status,
}

/// How we know what was said.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// By what.
    pub source: Source,
    /// The wording that was shown, checked by [`domain::consent::wording`].
    pub wording: Option<String>,
    /// The network address it came from.
    pub address: Option<String>,
    /// The browser or program it came from.
    pub agent: Option<String>,
    /// The link by which it is to be confirmed.
    pub link: Option<Id<SubscriberLink>>,
    /// When it was said, where that was before it came in with a file.
    pub at: Option<Instant>,
}

impl Evidence {
    /// Nothing but by what we know.
    pub const fn of(source: Source) -> Evidence {
        Evidence { source, wording: None, address: None, agent: None, link: None, at: None }
    }
}

/// What somebody agreed to.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Whom it is of; `None` when a customer never said anything.
    pub subscriber: Option<Subscriber>,
    /// What was said last of each cell, with the record of it.
    pub held: Vec<(Held, Id<ConsentKind>)>,
    /// What was said no to by the customers who were merged into this one, and by who was known by an address of theirs only.
    pub refused: Vec<Held>,
    /// When it was looked at.
    pub at: Instant,
}

impl Standing {
    /// How the person stands to a cell: a no of whoever was merged into it, or left its address before, counts as its own; a yes does not.
    pub fn to(&self, cell: &Cell) -> Option<Status> {
        let held: Vec<Held> = self.held.iter().map(|(held, _)| held).chain(&self.refused).cloned().collect();
        standing(&held, cell, self.at)
    }
}

/// What a customer agreed to; a customer sees only its own.
///
/// # Errors
/// [`Code::NotFound`] when there is no such customer.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<Customer>, now: Instant) -> Result<Standing, Failure> {
    may_see(actor, id)?;
    customer::load(tx, id)?;
    of(tx, id.shared_with(), now)
}

/// What a subscriber agreed to, for a caller that has asked for the permission.
///
/// # Errors
/// What the store says.
pub fn of(tx: &mut Tx<'_>, id: Id<SubscriberKind>, now: Instant) -> Result<Standing, Failure> {
    let mut refused = rows::of_merged(tx, id)?;
    refused.retain(|held| held.status.refuses());
    refused.extend(rows::of_addresses(tx, &[id.bytes()])?.into_iter().map(|(_, held)| held));
    Ok(Standing { subscriber: subscriber::find(tx, id)?, held: rows::now(tx, id)?, refused, at: now })
}

/// Everything a customer ever said, from the newest down.
///
/// # Errors
/// As [`read`].
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: Id<Customer>,
    (before, limit): (Id<ConsentKind>, i64),
) -> Result<Vec<Consent>, Failure> {
    may_see(actor, id)?;
    customer::load(tx, id)?;
    Ok(rows::history(tx, id.shared_with(), before, limit)?)
}

fn may_see(actor: &Actor, id: Id<Customer>) -> Result<(), Refusal> {
    if actor.who == Who::Customer(id) || actor.may_somewhere(Permission::EditConsents).is_ok() {
        return Ok(());
    }
    actor.may_somewhere(Permission::ReadContacts)
}

/// The refusal of what somebody has not agreed to.
pub fn lacking(id: Id<SubscriberKind>, cell: &Cell) -> Refusal {
    let topic = if cell.topic.is_empty() { String::new() } else { format!(" on \"{}\"", cell.topic) };
    let why =
        format!("{id} has not agreed to \"{}\" by {}{topic}; ask first", cell.purpose, cell.medium.text());
    Refusal::new(Code::NoConsent, why)
}

/// Writes down what a customer says, who may do it alone. A yes that must be confirmed waits; a no holds at once for everybody who has the
/// same address.
///
/// # Errors
/// [`Code::Invalid`] names what cannot be said; [`Code::WrongState`] when the person was erased.
pub fn say(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Customer>,
    said: &[Said],
    evidence: &Evidence,
) -> Result<Vec<Consent>, Failure> {
    may_say(actor, id)?;
    let one = subscriber::of_customer(tx, actor, world, id)?;
    write(tx, actor, world, &one, said, evidence)
}

/// Refuses unless it is the customer, or who may write down what customers say.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn may_say(actor: &Actor, id: Id<Customer>) -> Result<(), Refusal> {
    if actor.who == Who::Customer(id) { Ok(()) } else { actor.may_somewhere(Permission::EditConsents) }
}

/// As [`say`], for a subscriber and a caller that has asked for the permission.
///
/// # Errors
/// As [`say`].
pub fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Subscriber,
    said: &[Said],
    evidence: &Evidence,
) -> Result<Vec<Consent>, Failure> {
    let purposes = check(tx, said)?;
    let is_no = said.iter().any(|one| one.status.refuses());
    let twins = if is_no { subscriber::twins(tx, actor, world, one)? } else { Vec::new() };
    let mut all: Vec<Id<SubscriberKind>> = twins.iter().map(|twin| twin.id).chain([one.id]).collect();
    all.sort_unstable();
    for id in &all {
        rows::subscriber::lock(tx, *id)?;
    }
    contact::must_live(tx, one.person)?;
    let mut written = Vec::new();
    for (said, purpose) in said.iter().zip(&purposes) {
        written.push(add(tx, actor, world, one, said, (purpose, evidence))?);
        if said.status.refuses() {
            for twin in twins.iter().filter(|twin| twin.erased_at.is_none()) {
                add(tx, actor, world, twin, said, (purpose, evidence))?;
            }
        }
    }
    Ok(written)
}

/// Every purpose and topic named, or the refusal that names every bad one.
pub(crate) fn check(tx: &mut Tx<'_>, said: &[Said]) -> Result<Vec<Purpose>, Failure> {
    if said.is_empty() || said.len() > SAID_MAX {
        return Err(Refusal::invalid("consents", format!("give 1 to {SAID_MAX}")).into());
    }
    let (known, topics) = (purpose::list(tx)?, purpose::topics(tx)?);
    let (mut purposes, mut refusals) = (Vec::new(), Vec::new());
    for (place, one) in said.iter().enumerate() {
        let cell = &one.cell;
        match known.iter().find(|purpose| purpose.code == cell.purpose) {
            Some(purpose) if purpose.active || one.status.refuses() => purposes.push(purpose.clone()),
            Some(_) => refusals.push(Refusal::invalid(
                format!("consents.{place}.purpose"),
                format!("\"{}\" is not asked for any more", cell.purpose),
            )),
            None => refusals.push(Refusal::invalid(
                format!("consents.{place}.purpose"),
                format!("no purpose \"{}\"; GET /v1/purposes lists them", cell.purpose),
            )),
        }
        let is_known = topics.iter().any(|topic| topic.code == cell.topic);
        if !cell.topic.is_empty() && !is_known {
            let why = format!("no topic \"{}\"; GET /v1/topics lists them", cell.topic);
            refusals.push(Refusal::invalid(format!("consents.{place}.topic"), why));
        }
    }
    Refusal::all(refusals).map_or(Ok(purposes), |refusal| Err(refusal.into()))
}

/// Keeps one thing said and what follows: what holds of the cell, and that messages which rested on it are not sent.
fn add(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Subscriber,
    said: &Said,
    (purpose, evidence): (&Purpose, &Evidence),
) -> Result<Consent, Failure> {
    let (now, id) = (world.now(), world.id::<ConsentKind>());
    let at = evidence.at.unwrap_or(now);
    let days = match said.status {
        Status::Granted => purpose.days,
        Status::Pending => Some(CONFIRM_DAYS),
        Status::Denied | Status::Withdrawn => None,
    };
    let consent = Consent {
        id,
        subscriber: one.id,
        cell: said.cell.clone(),
        status: said.status,
        source: evidence.source,
        wording: evidence.wording.clone(),
        channel: actor.channel,
        actor: actor.who.label(),
        at,
        expires_at: days.map(|days| at.plus_seconds(days * DAY)),
        link: evidence.link.filter(|_| said.status == Status::Pending),
        evidence: sealed(tx, world, one, id, evidence)?,
    };
    rows::add(tx, &consent)?;
    let held = rows::now(tx, one.id)?.into_iter().find(|(held, _)| held.cell == said.cell);
    let live = held.as_ref().filter(|(held, _)| held.expires_at.is_none_or(|until| until > at));
    let was = live.map(|(held, _)| held.status);
    let since = match &held {
        Some((held, by)) if evidence.source == Source::Import => {
            rows::said_at(tx, one.id, *by)?.map(|since| (held.status, since))
        }
        _ => None,
    };
    if follows(was, said.status) && comes_in(since, (said.status, at)) {
        let withdrawn = match said.status {
            Status::Granted => Vec::new(),
            _ => rows::withdraw_messages(tx, one.id, &said.cell, now)?,
        };
        rows::set_now(tx, &consent)?;
        for message in withdrawn {
            emit(tx, actor, world, message, "message.withdrawn", json!({ "consent": id.to_string() }));
        }
    }
    let kind = match said.status {
        Status::Granted => "consent.granted",
        Status::Pending => "consent.asked",
        Status::Denied => "consent.denied",
        Status::Withdrawn => "consent.withdrawn",
    };
    emit(tx, actor, world, subscriber::subject(one), kind, told(&consent));
    Ok(consent)
}

fn told(consent: &Consent) -> Value {
    json!({ "consent": consent.id.to_string(), "purpose": consent.cell.purpose, "medium": consent.cell.medium.text(),
        "topic": Some(&consent.cell.topic).filter(|topic| !topic.is_empty()), "source": consent.source.text() })
}

/// Where a yes or no came from, sealed; nothing when nothing is known.
fn sealed(
    tx: &mut Tx<'_>,
    world: &mut World,
    one: &Subscriber,
    id: Id<ConsentKind>,
    evidence: &Evidence,
) -> Result<Option<Vec<u8>>, Failure> {
    if evidence.address.is_none() && evidence.agent.is_none() {
        return Ok(None);
    }
    let agent: Option<String> =
        evidence.agent.as_ref().map(|agent| agent.chars().take(AGENT_CHARS_MAX).collect());
    let text = json!({ "address": evidence.address, "agent": agent }).to_string();
    contact::seal(tx, world, one.person, text.as_bytes(), &id.bytes()).map(Some)
}

/// Where a yes or no came from, opened: address and browser. `None` when nothing is known or the person was erased.
///
/// # Errors
/// What the store says.
pub fn evidence_of(
    tx: &mut Tx<'_>,
    world: &World,
    one: &Subscriber,
    consent: &Consent,
) -> Result<Option<Value>, Failure> {
    let Some(sealed) = &consent.evidence else { return Ok(None) };
    let text = contact::unseal(tx, world, one.person, sealed, &consent.id.bytes())?;
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// The person's browser says that data is not to be sold or shared: that is a no from then on. Answers whether it is news.
///
/// # Errors
/// As [`say`].
pub fn heed_signal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &Subscriber,
    agent: Option<String>,
) -> Result<bool, Failure> {
    let cell = Cell { purpose: SALE_OR_SHARE.to_owned(), medium: Medium::Every, topic: String::new() };
    if purpose::find(tx, SALE_OR_SHARE)?.is_none()
        || of(tx, one.id, world.now())?.to(&cell).is_some_and(Status::refuses)
    {
        return Ok(false);
    }
    let evidence = Evidence { agent, ..Evidence::of(Source::Signal) };
    write(tx, actor, world, one, &[Said { cell, status: Status::Denied }], &evidence)?;
    Ok(true)
}

/// Does a customer's no to selling or sharing stand already? Then the signal tells nothing new.
///
/// # Errors
/// What the store says.
pub fn heeded_signal(tx: &mut Tx<'_>, id: Id<Customer>, now: Instant) -> Result<bool, Failure> {
    let cell = Cell { purpose: SALE_OR_SHARE.to_owned(), medium: Medium::Every, topic: String::new() };
    Ok(of(tx, id.shared_with(), now)?.to(&cell).is_some_and(Status::refuses))
}

/// What follows from everything somebody said: the last yes or no of each cell, or what waits where there is neither.
pub fn folded(history: &[Consent]) -> Vec<(Cell, Id<ConsentKind>, Status)> {
    let mut held: Vec<&Consent> = Vec::new();
    for said in history.iter().rev() {
        let place = held.iter().position(|held| held.cell == said.cell);
        let was = place.map(|place| held[place]);
        let live = was.filter(|was| was.expires_at.is_none_or(|until| until > said.at)).map(|was| was.status);
        let since = was.filter(|_| said.source == Source::Import).map(|was| (was.status, was.at));
        if !follows(live, said.status) || !comes_in(since, (said.status, said.at)) {
            continue;
        }
        match place {
            Some(place) => held[place] = said,
            None => held.push(said),
        }
    }
    held.into_iter().map(|held| (held.cell.clone(), held.id, held.status)).collect()
}
