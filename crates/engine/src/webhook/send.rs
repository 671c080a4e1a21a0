//! Sending: which lanes have something to send, who sends on them, and what follows from a receiver's answer.
//!
//! Nothing is written to find out what is to be sent. Who sends claims the lane for a short while, sends, and notes each answer; when he
//! is killed in between, the claim runs out and the same event is sent again, under the same id.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use domain::actor::Actor;
use domain::value::id::WebhookEndpoint;
use domain::value::{Id, Instant};
use domain::webhook::{Answer, Because, ENDPOINTS_MAX, Outcome, State, again_at, wanted};
use serde_json::json;
use store::event::{self as journal, PARTITIONS};
use store::webhook::lane::{self, AGAIN, Lane};
use store::webhook::message::{self, Message};
use store::{Tx, webhook as rows};

use super::{Endpoint, NEVER, PINGED, kept, partition};
use crate::event::emit;
use crate::{Failure, World};

/// How many lanes of an endpoint send at once: a slow receiver keeps only its own places.
pub const PLACES: usize = 4;
/// How long a claim holds; longer than a receiver may take.
pub const CLAIM_SECONDS: i64 = 25;
/// The most events sent under one claim.
const BATCH_MAX: usize = 20;
/// The most events looked through for one lane at once.
const LOOK_MAX: i64 = 1_000;
/// How many unwanted events are passed before that is written down.
const PASSED_MAX: i64 = 1_000;
/// How many events are read at once.
const PAGE: i64 = 100;

/// A lane of an endpoint.
pub type Place = (Id<WebhookEndpoint>, i64);

/// What was looked through without being written down: for each lane its claim, the endpoint's version, and up to where nothing is wanted.
/// Lost without harm.
#[derive(Clone, Debug, Default)]
pub struct Seen(HashMap<Place, (i64, i64, i64)>);

/// What is to be sent on one lane, in order.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The lane.
    pub lane: Lane,
    /// The events.
    pub events: Vec<journal::Entry>,
    /// Up to where the partition was looked through.
    passed: i64,
}

impl Turn {
    /// The lane it is about.
    pub fn place(&self) -> Place {
        (self.endpoint.id, self.lane.lane)
    }
}

/// Pages of the journal that were read for another lane a moment ago.
type Pages = HashMap<(i64, i64), Vec<journal::Entry>>;

/// What can be sent now on lanes that are not `busy`, and what was seen meanwhile.
///
/// # Errors
/// What the store says.
pub fn due(
    tx: &mut Tx<'_>,
    now: Instant,
    seen: &Seen,
    busy: &HashSet<Place>,
) -> Result<(Vec<Turn>, Seen), Failure> {
    let (mut turns, mut seen_now) = (Vec::new(), Seen::default());
    let lanes = lane::due(tx, now, 2 * ENDPOINTS_MAX * (AGAIN + 1))?;
    if lanes.is_empty() {
        return Ok((turns, seen_now));
    }
    let ends = journal::ends(tx)?;
    let (mut pages, mut endpoints) = (Pages::new(), HashMap::new());
    let mut places: HashMap<Id<WebhookEndpoint>, usize> = HashMap::new();
    busy.iter().for_each(|(endpoint, _)| *places.entry(*endpoint).or_default() += 1);
    for lane in lanes {
        let place = (lane.endpoint, lane.lane);
        let taken = places.entry(lane.endpoint).or_default();
        if busy.contains(&place) || *taken >= PLACES {
            continue;
        }
        if let Entry::Vacant(unread) = endpoints.entry(lane.endpoint) {
            unread.insert(rows::find(tx, lane.endpoint)?);
        }
        let Some(Some(endpoint)) = endpoints.get(&lane.endpoint) else { continue };
        let known = seen
            .0
            .get(&place)
            .filter(|(claim, version, _)| (*claim, *version) == (lane.claim, endpoint.version));
        let from = known.map_or(lane.sequence, |(.., passed)| *passed);
        let (events, passed) = look(tx, endpoint, (lane.lane, from), &ends, &mut pages)?;
        let is_worth_noting = passed - lane.sequence >= PASSED_MAX || lane.failures > 0 || lane.lane == AGAIN;
        if !events.is_empty() || is_worth_noting {
            *taken += 1;
            turns.push(Turn { endpoint: endpoint.clone(), lane, events, passed });
        } else {
            seen_now.0.insert(place, (lane.claim, endpoint.version, passed));
        }
    }
    Ok((turns, seen_now))
}

/// The events after a place that an endpoint wants, and up to where was looked.
fn look(
    tx: &mut Tx<'_>,
    endpoint: &Endpoint,
    (lane, from): (i64, i64),
    ends: &[i64; PARTITIONS],
    pages: &mut Pages,
) -> Result<(Vec<journal::Entry>, i64), Failure> {
    let Some(place) = partition(lane) else {
        return Ok((message::again(tx, endpoint.id, BATCH_MAX as i64)?, 0));
    };
    let (mut events, mut passed) = (Vec::new(), from);
    while passed < ends[place] && passed - from < LOOK_MAX {
        let page = match pages.entry((lane, passed)) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => unread.insert(journal::after(tx, lane, passed, PAGE)?),
        };
        if page.is_empty() {
            break;
        }
        for entry in page.iter() {
            passed = entry.sequence;
            if wants(endpoint, entry) {
                events.push(entry.clone());
            }
            if events.len() == BATCH_MAX {
                return Ok((events, passed));
            }
        }
    }
    Ok((events, passed))
}

/// Is an endpoint sent this event? A try-out is sent to the endpoint it is of, and to no other.
fn wants(endpoint: &Endpoint, entry: &journal::Entry) -> bool {
    if entry.kind == PINGED {
        return entry.subject == endpoint.id.to_string();
    }
    wanted(&endpoint.kinds, &entry.kind)
}

/// Notes for every lane up to where nothing is wanted, because other kinds are wanted from now on.
pub(super) fn pass_unwanted(tx: &mut Tx<'_>, world: &World, endpoint: &Endpoint) -> Result<(), Failure> {
    let (ends, mut pages) = (journal::ends(tx)?, Pages::new());
    for one in lane::of_endpoint(tx, endpoint.id)? {
        if partition(one.lane).is_none() || one.failures > 0 {
            continue;
        }
        let (events, passed) = look(tx, endpoint, (one.lane, one.sequence), &ends, &mut pages)?;
        let passed = events.first().map_or(passed, |first| first.sequence - 1);
        if passed > one.sequence {
            lane::reset(tx, endpoint.id, one.lane, passed, world.now())?;
        }
    }
    Ok(())
}

/// Claims the lane of a turn; `None` when somebody else did, or the endpoint was changed, or there is nothing to be sent: that much is then
/// noted.
///
/// # Errors
/// What the store says.
pub fn claim(tx: &mut Tx<'_>, world: &World, turn: &Turn) -> Result<Option<Lane>, Failure> {
    let now = world.now();
    let same = |found: &Endpoint| found.version == turn.endpoint.version && found.state == State::Enabled;
    let mut lane = turn.lane.clone();
    lane.claim += 1;
    lane.claimed_until = now.plus_seconds(CLAIM_SECONDS);
    if !rows::find(tx, turn.endpoint.id)?.as_ref().is_some_and(same)
        || !lane::claim(tx, &turn.lane, now, lane.claimed_until)?
    {
        return Ok(None);
    }
    if !turn.events.is_empty() {
        return Ok(Some(lane));
    }
    lane.claimed_until = now;
    lane.next_at = if lane.lane == AGAIN { NEVER } else { now };
    lane.sequence = turn.passed;
    (lane.failures, lane.failing_since) = (0, None);
    lane::go_on(tx, &lane)?;
    Ok(None)
}

/// Notes what became of the event at `place` of a turn whose lane is claimed; answers the lane when the next one is to be sent under the
/// same claim.
///
/// # Errors
/// What the store says.
pub fn record(
    tx: &mut Tx<'_>,
    world: &mut World,
    turn: &Turn,
    place: usize,
    answer: &Answer,
) -> Result<Option<Lane>, Failure> {
    let now = world.now();
    let (mut lane, entry) = (turn.lane.clone(), &turn.events[place]);
    let is_last = place + 1 == turn.events.len();
    let (mut goes_on, mut because) = (!is_last, None);
    let outcome = match (answer.is_taken(), lane.lane == AGAIN) {
        (true, _) => Outcome::Taken,
        (false, true) => Outcome::Failed,
        (false, false) => Outcome::Failing,
    };
    if outcome == Outcome::Failing {
        goes_on = false;
        lane.failures += 1;
        lane.failing_since = lane.failing_since.or(Some(now));
        let chance = u64::from_be_bytes(world.bytes());
        let next_at = again_at(now, lane.failures, answer.wait_seconds, chance);
        lane.next_at = next_at.unwrap_or(now);
        because = next_at.is_none().then_some(Because::Failing);
    } else {
        lane.sequence = if is_last { turn.passed } else { entry.sequence };
        (lane.failures, lane.failing_since, lane.next_at) = (0, None, now);
    }
    if answer.is_gone() {
        because = Some(Because::Gone);
    }
    let found =
        if because.is_some() { rows::lock(tx, lane.endpoint)? } else { rows::find(tx, lane.endpoint)? };
    let Some(endpoint) = found else { return Ok(None) };
    goes_on &= endpoint.version == turn.endpoint.version && because.is_none();
    lane.claimed_until = if goes_on { now.plus_seconds(CLAIM_SECONDS) } else { now };
    if !lane::go_on(tx, &lane)? {
        return Ok(None);
    }
    message::note(tx, &noted(turn, entry, outcome, answer, now))?;
    if let Some(because) = because.filter(|_| endpoint.state == State::Enabled) {
        disable(tx, world, endpoint, because)?;
    }
    Ok(goes_on.then_some(lane))
}

fn noted(turn: &Turn, entry: &journal::Entry, outcome: Outcome, answer: &Answer, now: Instant) -> Message {
    Message {
        endpoint: turn.endpoint.id,
        event: entry.id,
        partition: entry.partition,
        sequence: entry.sequence,
        kind: entry.kind.clone(),
        outcome,
        attempts: 1,
        first_at: now,
        last_at: now,
        status: answer.status,
        said: answer.excerpt(),
    }
}

/// Disables an endpoint that does not answer any more; what happens meanwhile waits in the journal.
fn disable(
    tx: &mut Tx<'_>,
    world: &mut World,
    mut endpoint: Endpoint,
    because: Because,
) -> Result<(), Failure> {
    endpoint.state = State::Disabled;
    endpoint.because = Some(because);
    kept(tx, &mut endpoint)?;
    tracing::error!(endpoint = %endpoint.id, because = because.text(), "a webhook endpoint is disabled; a person must look at it");
    let body = json!({ "version": endpoint.version, "because": because.text() });
    emit(tx, &Actor::system(), world, endpoint.id, "webhook_endpoint.disabled", body);
    Ok(())
}
