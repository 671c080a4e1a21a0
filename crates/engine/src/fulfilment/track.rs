//! What carriers are asked and what they tell. They are asked between two transactions, by a job, under a key of ours, so that asking twice
//! makes one label; what they tell may come twice, late and in any order, and is kept once.

use domain::actor::{Actor, Permission};
use domain::fulfilment::State as Part;
use domain::fulfilment::parcel::{self as rules, CarrierKind, Label, Size, State, Tracked};
use domain::value::id::{self, Location};
use domain::value::{Id, Instant, LocalDay};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::contact::Sealed;
use store::fulfilment::{self as parts, carrier as carriers, parcel as rows};
use store::{StoreError, Tx};

use super::carrier::{self, Carrier};
use super::parcel::{Parcel, Told, Which, find_one, must_be};
use super::{go_to, tell};
use crate::event::emit;
use crate::job::{self, Job};
use crate::{Failure, World, order};

/// How often a carrier is asked where a parcel is, when it does not tell by itself, in seconds.
const POLL_SECONDS: i64 = 6 * 3600;
/// How long a parcel is followed, in seconds.
const FOLLOWED_SECONDS: i64 = 60 * 86_400;
/// The most characters of what a carrier says that are kept.
const WORDS_MAX: usize = 200;

/// What a carrier is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Take a parcel: give its tracking number.
    Label,
    /// Forget a parcel that does not come.
    Void,
    /// Tell where a parcel is.
    Track,
}

impl Operation {
    /// The kinds of the jobs that ask a carrier.
    pub const JOBS: [&'static str; 3] = ["carrier.label", "carrier.void", "carrier.track"];

    const fn job(self) -> &'static str {
        match self {
            Operation::Label => Operation::JOBS[0],
            Operation::Void => Operation::JOBS[1],
            Operation::Track => Operation::JOBS[2],
        }
    }
}

/// A question to a carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is to be done.
    pub operation: Operation,
    /// The carrier.
    pub carrier: Carrier,
    /// The order and its parcel; the parcel's id is our key for it.
    pub parcel: Which,
    /// How heavy and large it is.
    pub size: Size,
    /// The service; the cheapest when `None`.
    pub service: Option<String>,
    /// Where it comes from.
    pub from: Id<Location>,
    /// Who receives it, still sealed; the carrier's side opens it, and the reading is noted with the answer.
    pub to: Option<(Id<id::Contact>, Sealed)>,
    /// By which number the carrier knows it.
    pub tracking: Option<String>,
}

/// What a carrier tells of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The carrier's own id of it.
    pub id: String,
    /// What.
    pub tracked: Tracked,
    /// When it happened.
    pub at: Instant,
    /// In its words.
    pub note: Option<String>,
}

/// What a carrier answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes the parcel.
    Labelled {
        /// By which number it knows it.
        tracking: String,
        /// Its own id of it.
        reference: String,
        /// By which service.
        service: String,
    },
    /// It forgot the parcel.
    Voided,
    /// Where the parcel was and is.
    Tracked(Vec<Heard>),
    /// It will not do it.
    Refused {
        /// Why, in its words.
        reason: String,
    },
}

/// Notes that a carrier is to be asked after the commit.
pub(super) fn ask_soon(
    tx: &mut Tx<'_>,
    world: &mut World,
    operation: Operation,
    parcel: Which,
) -> Result<(), Failure> {
    let now = world.now();
    ask_at(tx, world, operation, parcel, now)
}

fn ask_at(
    tx: &mut Tx<'_>,
    world: &mut World,
    operation: Operation,
    (order, parcel): Which,
    at: Instant,
) -> Result<(), Failure> {
    let body = json!({ "parcel": parcel.to_string() });
    job::enqueue(tx, world, operation.job(), order, body, at)
}

/// The label of a parcel that does not leave is given back to its carrier.
pub(super) fn give_label_back(
    tx: &mut Tx<'_>,
    world: &mut World,
    parcel: &mut Parcel,
) -> Result<(), Failure> {
    parcel.label = Label::Void;
    let Some(carrier) = parcel.carrier else { return Ok(()) };
    if carrier::load(tx, carrier)?.kind == CarrierKind::OwnVan {
        return Ok(());
    }
    ask_soon(tx, world, Operation::Void, (parcel.order, parcel.id))
}

/// The question a job stands for; `None` when it needs no answer any more.
///
/// # Errors
/// What the store says, or when the job is not one of a carrier.
pub fn question(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Ask>, Failure> {
    let unreadable = || StoreError::Corrupt(format!("job {} does not name a parcel", job.id));
    let order: Id<id::Order> = Id::parse(&job.subject).map_err(|_| unreadable())?;
    let body: Value = serde_json::from_str(&job.body).map_err(|_| unreadable())?;
    let named = body["parcel"].as_str().and_then(|text| Id::parse(text).ok()).ok_or_else(unreadable)?;
    let all = [Operation::Label, Operation::Void, Operation::Track];
    let operation = all.into_iter().find(|one| one.job() == job.kind).ok_or_else(unreadable)?;
    let order = order::find(tx, order)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one: &Parcel| one.id == named);
    let parcel = found.ok_or_else(unreadable)?;
    let wanted = match operation {
        // A parcel that was unpacked meanwhile may have been taken: the carrier is asked all the same, and the label given back.
        Operation::Label => parcel.label == Label::Asked,
        Operation::Void => parcel.label == Label::Void,
        Operation::Track => parcel.state == State::Shipped,
    };
    let Some(carrier) = parcel.carrier.filter(|_| wanted) else { return Ok(None) };
    let sealed = match order.contact {
        Some(contact) => store::contact::find(tx, contact)?.map(|sealed| (contact, sealed)),
        None => None,
    };
    Ok(Some(Ask {
        operation,
        carrier: carrier::load(tx, carrier)?,
        parcel: (order.id, parcel.id),
        size: parcel.size,
        service: parcel.service,
        from: parcel.location,
        to: sealed.filter(|_| operation == Operation::Label),
        tracking: parcel.tracking,
    }))
}

/// Records what a carrier answered to a job's question.
///
/// # Errors
/// What the store says.
pub fn answered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ask: &Ask,
    verdict: &Verdict,
) -> Result<(), Failure> {
    let order = order::lock(tx, ask.parcel.0)?;
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == ask.parcel.1);
    let Some(mut parcel) = found else { return Ok(()) };
    if let Some((contact, sealed)) = &ask.to {
        // The recipient was shown to the carrier.
        let body = json!({ "person": sealed.person.to_string(), "carrier": ask.carrier.id.to_string() });
        emit(tx, actor, world, *contact, "contact.read", body);
    }
    match (ask.operation, verdict) {
        (Operation::Label, Verdict::Labelled { tracking, reference, service }) => {
            labelled(tx, actor, world, &mut parcel, (ask, cut(tracking), cut(reference), cut(service)))
        }
        (Operation::Label, Verdict::Refused { reason }) if parcel.label == Label::Asked => {
            parcel.label = Label::Failed;
            parcel.failure = Some(cut(reason));
            rows::update(tx, &parcel)?;
            let body = json!({ "parcel": parcel.id.to_string(), "reason": parcel.failure });
            emit(tx, actor, world, parcel.order, "parcel.label_failed", body);
            Ok(())
        }
        (Operation::Track, Verdict::Tracked(heard)) => {
            listen(tx, actor, world, &mut parcel, heard)?;
            follow_on(tx, world, &parcel)
        }
        _ => Ok(()),
    }
}

/// A carrier takes a parcel. One that was unpacked meanwhile is taken back.
fn labelled(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    parcel: &mut Parcel,
    (ask, tracking, reference, service): (&Ask, String, String, String),
) -> Result<(), Failure> {
    if parcel.label != Label::Asked {
        return Ok(());
    }
    if !carriers::add_tracking(tx, ask.carrier.id, &tracking, ask.parcel)? {
        parcel.label = Label::Failed;
        parcel.failure = Some(format!("the carrier gave the number {tracking} to another parcel"));
        return Ok(rows::update(tx, parcel)?);
    }
    parcel.label = Label::Ready;
    (parcel.tracking, parcel.reference, parcel.service) = (Some(tracking), Some(reference), Some(service));
    if parcel.state == State::Void {
        give_label_back(tx, world, parcel)?;
        return Ok(rows::update(tx, parcel)?);
    }
    rows::update(tx, parcel)?;
    let body =
        json!({ "parcel": parcel.id.to_string(), "tracking": parcel.tracking, "service": parcel.service });
    emit(tx, actor, world, parcel.order, "parcel.labelled", body);
    Ok(())
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(WORDS_MAX).collect()
}

/// A parcel has left: what was told of it early counts now, and its carrier is asked from time to time.
pub(super) fn follow(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    parcel: &mut Parcel,
) -> Result<(), Failure> {
    settle(tx, actor, world, parcel)?;
    follow_on(tx, world, parcel)
}

fn follow_on(tx: &mut Tx<'_>, world: &mut World, parcel: &Parcel) -> Result<(), Failure> {
    let Some(carrier) = parcel.carrier.filter(|_| parcel.state == State::Shipped) else { return Ok(()) };
    let until = parcel.left_at.map(|at| at.plus_seconds(FOLLOWED_SECONDS));
    if carrier::load(tx, carrier)?.kind == CarrierKind::OwnVan
        || until.is_none_or(|until| until < world.now())
    {
        return Ok(());
    }
    let at = world.now().plus_seconds(POLL_SECONDS);
    ask_at(tx, world, Operation::Track, (parcel.order, parcel.id), at)
}

/// A carrier tells by itself where a parcel is.
///
/// # Errors
/// [`Code::NotFound`] for a number that is not ours.
pub fn hear(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (carrier, tracking): (Id<id::Carrier>, &str),
    heard: &[Heard],
) -> Result<(), Failure> {
    let which = carriers::tracked(tx, carrier, tracking)?
        .ok_or_else(|| Refusal::not_found("parcel with the tracking number", tracking))?;
    order::lock(tx, which.0)?;
    let found = rows::of_order(tx, which.0)?.into_iter().find(|one| one.id == which.1);
    let mut parcel = found.ok_or_else(|| Refusal::not_found("parcel", which.1))?;
    listen(tx, actor, world, &mut parcel, heard)
}

/// Keeps what was told of a parcel, each once, and draws what follows.
fn listen(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    parcel: &mut Parcel,
    heard: &[Heard],
) -> Result<(), Failure> {
    let which = (parcel.order, parcel.id);
    for one in heard {
        let told = Told {
            id: cut(&one.id),
            tracked: one.tracked,
            at: one.at,
            heard_at: world.now(),
            note: one.note.as_deref().map(cut),
        };
        if rows::add_told(tx, which, &told)? {
            let body = json!({ "parcel": parcel.id.to_string(), "tracked": told.tracked.text(), "at": told.at.to_string() });
            emit(tx, actor, world, parcel.order, "parcel.tracked", body);
        }
    }
    settle(tx, actor, world, parcel)
}

/// Where a parcel is follows from all that was told of it; one that has left ends when it is delivered or came back.
fn settle(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, parcel: &mut Parcel) -> Result<(), Failure> {
    let told = rows::told(tx, (parcel.order, parcel.id))?;
    let told: Vec<_> = told.iter().map(|one| (one.at, one.tracked)).collect();
    let Some((at, tracked)) = rules::whereabouts(&told) else { return Ok(()) };
    parcel.tracked = Some(tracked);
    parcel.attempts = rules::attempts(&told);
    let ends = parcel.state == State::Shipped && tracked.is_end();
    if ends {
        parcel.state = if tracked == Tracked::Delivered { State::Delivered } else { State::Returned };
        parcel.ended_at = Some(at);
    }
    rows::update(tx, parcel)?;
    if !ends {
        return Ok(());
    }
    let kind = if parcel.state == State::Delivered { "parcel.delivered" } else { "parcel.returned" };
    let body = json!({ "parcel": parcel.id.to_string(), "fulfilment_order": parcel.fulfilment_order.to_string(), "attempts": parcel.attempts });
    emit(tx, actor, world, parcel.order, kind, body);
    // Goods that come back, parcels that were given up, and their money are for a word further right.
    let (now, body) = (world.now(), json!({ "parcel": parcel.id.to_string() }));
    if parcel.lost_at.is_some() {
        job::enqueue(tx, world, "parcel.found", parcel.order, body.clone(), now)?;
    }
    if parcel.state == State::Delivered {
        return delivered_with(tx, actor, world, parcel);
    }
    if parcel.lost_at.is_some() {
        return Ok(());
    }
    job::enqueue(tx, world, "parcel.returned", parcel.order, body, now)
}

/// A fulfilment order is delivered with the last of its parcels.
fn delivered_with(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, parcel: &Parcel) -> Result<(), Failure> {
    let all = rows::of_order(tx, parcel.order)?;
    let own = all.iter().filter(|one| one.fulfilment_order == parcel.fulfilment_order);
    if own.clone().any(|one| !matches!(one.state, State::Delivered | State::Void)) {
        return Ok(());
    }
    let found = parts::of_order(tx, parcel.order)?;
    let found = found.into_iter().find(|one| one.id == parcel.fulfilment_order && one.state == Part::Shipped);
    let Some(mut one) = found else { return Ok(()) };
    go_to(&mut one, Part::Delivered)?;
    parts::update(tx, &one)?;
    tell(tx, actor, world, &one, "fulfilment.delivered");
    Ok(())
}

/// How a driver of our own van fared with a parcel. After the last attempt it goes back to the location it came from.
///
/// # Errors
/// [`Code::WrongState`] unless our own van has it.
pub fn attempt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): Which,
    (delivered, note): (bool, Option<String>),
) -> Result<Parcel, Failure> {
    let order = order::lock(tx, order)?;
    let (mut parcel, _) = find_one(tx, actor, &order, id)?;
    must_be(&parcel, State::Shipped)?;
    let carrier = match parcel.carrier {
        Some(carrier) => Some(carrier::load(tx, carrier)?),
        None => None,
    };
    let Some(carrier) = carrier.filter(|carrier| carrier.kind == CarrierKind::OwnVan) else {
        let message = "only parcels of our own van are delivered by us; other carriers tell by themselves";
        return Err(Refusal::new(Code::WrongState, message).into());
    };
    let at = world.now();
    let tracked = if delivered { Tracked::Delivered } else { Tracked::AttemptFailed };
    let mut heard =
        vec![Heard { id: format!("{}-{}", tracked.text(), parcel.attempts + 1), tracked, at, note }];
    if !delivered && parcel.attempts + 1 >= carrier.attempts_max {
        heard.push(Heard { id: Tracked::Returned.text().into(), tracked: Tracked::Returned, at, note: None });
    }
    listen(tx, actor, world, &mut parcel, &heard)?;
    if parcel.state == State::Shipped {
        let place = store::location::find(tx, parcel.location)?;
        let place = place.ok_or_else(|| Refusal::not_found("location", parcel.location))?;
        // Tried again on the next tour.
        let tomorrow = LocalDay::of(at, &place.zone).next().map(|day| day.first_instant(&place.zone));
        parcel.collected_on = rules::collected_on(&carrier.collections, tomorrow.unwrap_or(at), &place.zone);
        rows::update(tx, &parcel)?;
    }
    Ok(parcel)
}

/// The parcels of a carrier's tour from a location on a day, after one.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn tour(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (carrier, location, day): (Id<id::Carrier>, Id<Location>, LocalDay),
    after: Id<id::Parcel>,
    limit: i64,
) -> Result<Vec<Parcel>, Failure> {
    actor.may(Permission::ReadOrders, Some(location))?;
    Ok(rows::of_day(tx, (carrier, location, day), after, limit)?)
}
