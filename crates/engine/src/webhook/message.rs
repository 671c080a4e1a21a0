//! Messages: what became of each event at an endpoint, and sending one again or going on without it.

use domain::actor::{Actor, Permission};
use domain::value::Id;
use domain::value::id::{Event as EventKind, WebhookEndpoint};
use domain::webhook::Outcome;
use domain::{Code, Refusal};
use serde_json::json;
use store::webhook::lane::{self, AGAIN};
use store::webhook::message as rows;
use store::{Tx, webhook};

pub use store::webhook::message::Message;

use super::locked;
use crate::event::emit;
use crate::job::BATCH_MAX;
use crate::{Failure, World};

/// How long messages are kept; events are kept for ever.
const KEPT_SECONDS: i64 = 14 * 24 * 3600;

/// An endpoint and an event.
pub type Which = (Id<WebhookEndpoint>, Id<EventKind>);

/// What became of an event at an endpoint.
///
/// # Errors
/// [`Code::NotFound`] when it was not sent yet, or long ago.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, which: Which) -> Result<Message, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    known(tx, which)
}

fn known(tx: &mut Tx<'_>, (endpoint, event): Which) -> Result<Message, Failure> {
    rows::find(tx, endpoint, event)?.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("\"{event}\" was not sent to {endpoint}, or is long forgotten"))
            .into()
    })
}

/// What was sent to an endpoint before an event, the newest first; all, or what the receiver did not take.
///
/// # Errors
/// [`Code::NotFound`].
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    endpoint: Id<WebhookEndpoint>,
    (before, untaken): (Id<EventKind>, bool),
    limit: i64,
) -> Result<Vec<Message>, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    if webhook::find(tx, endpoint)?.is_none() {
        return Err(Refusal::not_found("webhook endpoint", endpoint).into());
    }
    let messages = if untaken { rows::untaken } else { rows::list };
    Ok(messages(tx, endpoint, before, limit)?)
}

/// Has an event be sent once more by itself, whatever else waits. An endpoint that is disabled is sent it when it is enabled.
///
/// # Errors
/// [`Code::WrongState`] when it is tried again anyway.
pub fn send_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
) -> Result<Message, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    locked(tx, which.0)?;
    let message = known(tx, which)?;
    match message.outcome {
        Outcome::Again => return Ok(message),
        Outcome::Failing => {
            let why = "it is tried again by itself; ping the endpoint to have it tried at once";
            return Err(Refusal::new(Code::WrongState, why).into());
        }
        Outcome::Taken | Outcome::PassedOver | Outcome::Failed => {}
    }
    lane::reset(tx, which.0, AGAIN, 0, world.now())?;
    if !rows::turn(tx, which, message.outcome, Outcome::Again)? {
        return Err(tx.begin_anew().into());
    }
    tell(tx, actor, world, which, "webhook_endpoint.event_sent_again");
    known(tx, which)
}

/// Lets an endpoint go on without an event it does not take.
///
/// # Errors
/// [`Code::WrongState`] when it is not the one that fails, or is being sent just now.
pub fn pass_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
) -> Result<Message, Failure> {
    actor.may(Permission::EditWebhooks, None)?;
    locked(tx, which.0)?;
    let message = known(tx, which)?;
    let lanes = lane::of_endpoint(tx, which.0)?;
    let lane = lanes.iter().find(|lane| lane.lane == message.partition);
    let waits = lane.filter(|lane| message.outcome == Outcome::Failing && lane.sequence < message.sequence);
    let Some(lane) = waits else {
        let why = "only an event the receiver does not take can be passed over";
        return Err(Refusal::new(Code::WrongState, why).into());
    };
    if lane.claimed_until > world.now() {
        let why = "it is being sent just now; look again in a moment";
        return Err(Refusal::new(Code::WrongState, why).into());
    }
    lane::reset(tx, which.0, lane.lane, message.sequence, world.now())?;
    if !rows::turn(tx, which, Outcome::Failing, Outcome::PassedOver)? {
        return Err(tx.begin_anew().into());
    }
    tell(tx, actor, world, which, "webhook_endpoint.event_passed_over");
    known(tx, which)
}

fn tell(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, (endpoint, event): Which, kind: &'static str) {
    emit(tx, actor, world, endpoint, kind, json!({ "event": event.to_string() }));
}

/// Forgets messages that were sent long ago; the duty comes again while there are more.
pub(crate) fn forget(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let before = world.now().plus_seconds(-KEPT_SECONDS);
    Ok(rows::forget(tx, before, BATCH_MAX)? >= BATCH_MAX.unsigned_abs())
}
