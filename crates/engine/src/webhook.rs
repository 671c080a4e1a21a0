//! Webhooks: events are sent on to other programs of the retailer, each endpoint at its own pace.
//!
//! An endpoint has a lane for each partition of the journal. A lane sends one event after the other and goes on only when the receiver took
//! it, so what happens to one thing arrives in the order in which it happened, and nothing is left out. Nothing is queued: a lane is a
//! place in the journal.

pub mod message;
pub mod send;

use domain::actor::{Actor, Permission};
use domain::value::id::{Event as EventKind, WebhookEndpoint};
use domain::value::target::Target;
use domain::value::{Id, Instant};
use domain::webhook::{Because, ENDPOINTS_MAX, Kind, OLD_SECRET_SECONDS, State};
use domain::{Code, Refusal};
use serde_json::json;
use store::event::{self as journal, PARTITIONS};
use store::webhook::lane::{self, AGAIN};
use store::{Tx, webhook as rows};

pub use store::webhook::Endpoint;

use crate::edit::{self, set};
use crate::event::{emit, emit_as};
use crate::signature::Secret;
use crate::{Failure, Keyring, World};

/// What happens when an endpoint is tried out.
pub const PINGED: &str = "webhook_endpoint.pinged";
/// Events next to each other in a partition that may be out of the order of their instants: commands begin and commit in different orders.
const OUT_OF_ORDER_MAX: i64 = 100;
/// A lane on which nothing waits is not looked at.
const NEVER: Instant = Instant::from_micros(i64::MAX);

/// An endpoint to be made. It is sent what happens from then on.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// The address.
    pub target: Target,
    /// Which events; all when none is named.
    pub kinds: Vec<Kind>,
    /// What people say it is for.
    pub description: String,
}

/// What of an endpoint is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// The address.
    pub target: Option<Target>,
    /// Which events.
    pub kinds: Option<Vec<Kind>>,
    /// What people say it is for.
    pub description: Option<String>,
    /// Is it sent anything?
    pub state: Option<State>,
}

/// An endpoint, and how it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Since when a receiver does not take an event that comes next; `None` when all was taken.
    pub failing_since: Option<Instant>,
    /// When it is tried again.
    pub again_at: Option<Instant>,
}

/// Makes an endpoint; answers it with the secret, which nobody can read again.
///
/// # Errors
/// [`Code::WrongState`] when there are as many as there may be.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewEndpoint,
) -> Result<(Endpoint, Secret), Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    if rows::count(tx)? >= ENDPOINTS_MAX {
        let message =
            format!("there are {ENDPOINTS_MAX} webhook endpoints, the most there may be; remove one");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let id = world.id();
    let (secret, sealed) = new_secret(world, id);
    let endpoint = Endpoint {
        id,
        target: new.target,
        kinds: new.kinds,
        description: new.description,
        state: State::Enabled,
        because: None,
        secret: sealed,
        old: None,
        made_at: world.now(),
        version: 1,
    };
    rows::add(tx, &endpoint)?;
    for (number, end) in (0i64..).zip(journal::ends(tx)?) {
        lane::add(tx, id, number, end, world.now())?;
    }
    lane::add(tx, id, AGAIN, 0, NEVER)?;
    let kinds: Vec<&str> = endpoint.kinds.iter().map(Kind::as_str).collect();
    emit(tx, actor, world, id, "webhook_endpoint.created", json!({ "kinds": kinds }));
    Ok((endpoint, secret))
}

/// A new secret, and its sealed form.
fn new_secret(world: &mut World, id: Id<WebhookEndpoint>) -> (Secret, Vec<u8>) {
    let secret = Secret::from_bytes(world.bytes());
    let nonce = world.bytes();
    let sealed = world.keyring().seal_secret(nonce, secret.text().as_bytes(), &id.bytes());
    (secret, sealed)
}

/// What signs for an endpoint at an instant: its secret, and for a while the one before. `None` when they were sealed by another master key.
pub fn secrets(keyring: &Keyring, endpoint: &Endpoint, now: Instant) -> Option<Vec<Secret>> {
    let old = endpoint.old.iter().filter(|(_, until)| *until > now).map(|(sealed, _)| sealed);
    let open = |sealed: &Vec<u8>| {
        let text = keyring.open_secret(sealed, &endpoint.id.bytes())?;
        Secret::parse(std::str::from_utf8(&text).ok()?).ok()
    };
    std::iter::once(&endpoint.secret).chain(old).map(open).collect()
}

/// Changes an endpoint that is still at the version that was read.
///
/// # Errors
/// [`Code::Stale`], [`Code::NotFound`].
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<WebhookEndpoint>, Option<i64>),
    change: EndpointChange,
) -> Result<Standing, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    let mut endpoint = locked(tx, id)?;
    edit::unchanged(id, endpoint.version, version)?;
    if change.kinds.as_ref().is_some_and(|kinds| *kinds != endpoint.kinds) {
        send::pass_unwanted(tx, world, &endpoint)?;
    }
    let was = endpoint.state;
    set(&mut endpoint.target, change.target);
    set(&mut endpoint.kinds, change.kinds);
    set(&mut endpoint.description, change.description);
    set(&mut endpoint.state, change.state);
    match (was, endpoint.state) {
        (State::Enabled, State::Disabled) => endpoint.because = Some(Because::Asked),
        (State::Disabled, State::Enabled) => {
            endpoint.because = None;
            begin_anew(tx, world, id)?;
        }
        _ => lane::hurry(tx, id, world.now())?,
    }
    kept(tx, &mut endpoint)?;
    let body = json!({ "version": endpoint.version, "state": endpoint.state.text() });
    emit(tx, actor, world, id, "webhook_endpoint.changed", body);
    standing(tx, endpoint)
}

/// Writes a locked endpoint.
fn kept(tx: &mut Tx<'_>, endpoint: &mut Endpoint) -> Result<(), Failure> {
    if !rows::change(tx, endpoint)? {
        return Err(edit::stale(endpoint.id).into());
    }
    endpoint.version += 1;
    Ok(())
}

/// Every lane is tried now, from where it stands, with all its patience.
fn begin_anew(tx: &mut Tx<'_>, world: &World, id: Id<WebhookEndpoint>) -> Result<(), Failure> {
    for one in lane::of_endpoint(tx, id)? {
        lane::reset(tx, id, one.lane, one.sequence, world.now())?;
    }
    Ok(())
}

/// Gives an endpoint a new secret; answers it with the secret. The one before signs too for a day, or not any more when it is known to
/// others.
///
/// # Errors
/// [`Code::NotFound`].
pub fn rotate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<WebhookEndpoint>,
    at_once: bool,
) -> Result<(Endpoint, Secret), Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    let mut endpoint = locked(tx, id)?;
    let (secret, sealed) = new_secret(world, id);
    let before = std::mem::replace(&mut endpoint.secret, sealed);
    endpoint.old = (!at_once).then(|| (before, world.now().plus_seconds(OLD_SECRET_SECONDS)));
    kept(tx, &mut endpoint)?;
    let body = json!({ "version": endpoint.version, "at_once": at_once });
    emit(tx, actor, world, id, "webhook_endpoint.secret_changed", body);
    Ok((endpoint, secret))
}

/// Removes an endpoint; nothing is sent to it any more.
///
/// # Errors
/// [`Code::NotFound`].
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<WebhookEndpoint>,
) -> Result<(), Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    locked(tx, id)?;
    rows::remove(tx, id)?;
    emit(tx, actor, world, id, "webhook_endpoint.removed", json!({}));
    Ok(())
}

/// Tries an endpoint out: an event of its own is sent to it, and what waits after a failure is tried at once. Answers the event's id.
///
/// # Errors
/// [`Code::WrongState`] when it is disabled.
pub fn ping(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<WebhookEndpoint>,
) -> Result<Id<EventKind>, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    if locked(tx, id)?.state == State::Disabled {
        let message = format!("the webhook endpoint {id} is disabled; enable it first");
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let event = world.id();
    emit_as(tx, actor, world, event, id, PINGED, json!({}));
    lane::hurry(tx, id, world.now())?;
    Ok(event)
}

/// Sends an endpoint everything from an instant on: what it was sent since is sent again, and what waits from before is not sent.
///
/// # Errors
/// [`Code::Invalid`] for an instant that is still to come.
pub fn replay(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<WebhookEndpoint>,
    from: Instant,
) -> Result<Standing, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    if from > world.now() {
        return Err(Refusal::invalid("from", "is still to come; give an instant that has passed").into());
    }
    let endpoint = locked(tx, id)?;
    for (number, end) in (0i64..).zip(journal::ends(tx)?) {
        let before = before(tx, number, end, from)?;
        lane::reset(tx, id, number, before, world.now())?;
    }
    emit(tx, actor, world, id, "webhook_endpoint.replayed", json!({ "from": from.to_string() }));
    standing(tx, endpoint)
}

/// The last sequence of a partition before all that happened from an instant on. Sequences follow commits, and instants nearly do: looked
/// for by halves, then with care in the neighbourhood.
fn before(tx: &mut Tx<'_>, partition: i64, end: i64, from: Instant) -> Result<i64, Failure> {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match journal::at(tx, partition, middle + 1)? {
            Some(at) if at < from => low = middle + 1,
            _ => high = middle,
        }
    }
    let near = (low - OUT_OF_ORDER_MAX).max(0);
    let neighbours = journal::after(tx, partition, near, low - near)?;
    let first = neighbours.iter().find(|entry| entry.at >= from);
    Ok(first.map_or(low, |entry| entry.sequence - 1))
}

/// An endpoint, held until the commit.
fn locked(tx: &mut Tx<'_>, id: Id<WebhookEndpoint>) -> Result<Endpoint, Failure> {
    rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("webhook endpoint", id).into())
}

fn standing(tx: &mut Tx<'_>, endpoint: Endpoint) -> Result<Standing, Failure> {
    let lanes = lane::of_endpoint(tx, endpoint.id)?;
    let failing = || lanes.iter().filter(|lane| lane.failures > 0);
    let again_at = failing().map(|lane| lane.next_at).min().filter(|_| endpoint.state == State::Enabled);
    Ok(Standing { failing_since: failing().filter_map(|lane| lane.failing_since).min(), again_at, endpoint })
}

/// An endpoint, and how it stands.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<WebhookEndpoint>) -> Result<Standing, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    let endpoint = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("webhook endpoint", id))?;
    standing(tx, endpoint)
}

/// The endpoints after one, in the order they were made.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<WebhookEndpoint>,
    limit: i64,
) -> Result<Vec<Standing>, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    rows::list(tx, after, limit)?.into_iter().map(|endpoint| standing(tx, endpoint)).collect()
}

/// The partition of a lane, unless it is the one for what is sent again by itself.
fn partition(lane: i64) -> Option<usize> {
    usize::try_from(lane).ok().filter(|place| *place < PARTITIONS)
}
