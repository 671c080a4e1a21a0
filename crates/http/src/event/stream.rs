//! The journal as it grows: a live stream of events, which a screen or program follows and takes up again where it was cut off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use crossbeam_channel::RecvTimeoutError;
use domain::actor::Actor;
use domain::value::Instant;
use engine::event::{self, Cursor, Filter};
use futures_util::stream;
use store::event::Entry;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{EventQuery, EventShape, cursor_text, read_cursor};
use crate::App;
use crate::caller::Caller;
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// How often other nodes' commits are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// How long commits are gathered before they are read, so that a busy shop is not read anew for each.
pub(crate) const GATHER: Duration = Duration::from_millis(20);
/// How often a quiet stream shows that it is alive.
pub(crate) const HEARTBEAT_SECONDS: u64 = 15;
/// How long a stream lives. Who follows connects again, and shows again that his key or session is valid.
pub(crate) const STREAM_SECONDS_MAX: i64 = 3600;
/// The most events read at once.
const READ_MAX: usize = 100;

/// The route of the stream.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stream_events))
}

/// Follow events
///
/// Server-sent events: `data` is an event as in `GET /v1/events`, `id` a cursor. Begins now, or after `cursor` or the header `Last-Event-ID`,
/// which browsers send by themselves when they connect again. The same event may come twice. A stream ends after an hour.
#[utoipa::path(get, path = "/v1/events/stream", operation_id = "stream_events", tag = "events", params(EventQuery,
    ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen.")),
    responses((status = 200, body = String, content_type = "text/event-stream"), Problems))]
async fn stream_events(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<EventQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = query.filter()?;
    let last_seen = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let asker = actor.clone();
    let cursor = match last_seen.or(query.cursor.as_deref()).filter(|text| !text.is_empty()) {
        Some(text) => {
            app.read(move |tx| event::end(tx, &asker)).await?;
            read_cursor(text)?
        }
        None => app.read(move |tx| event::end(tx, &asker)).await?,
    };
    let Ok(permit) = app.edge.streams.clone().try_acquire_owned() else {
        return Err(Problem::busy(
            "as many streams are open as may be; follow GET /v1/events instead, or try again",
        ));
    };
    let follower = Follower {
        commits: commits(&app),
        closing: app.edge.closing.subscribe(),
        ends_at: app.shop.source.now().plus_seconds(STREAM_SECONDS_MAX),
        found: VecDeque::new(),
        _permit: permit,
        app,
        actor,
        filter,
        cursor,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let (entry, cursor) = follower.next().await?;
        let sent = sse::Event::default().id(cursor_text(cursor)).json_data(EventShape::from(&entry));
        Some((Ok::<_, Infallible>(sent.unwrap_or_default()), follower))
    });
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT_SECONDS)).text("alive");
    Ok(Sse::new(events).keep_alive(heartbeat).into_response())
}

/// Somebody who follows the journal.
struct Follower {
    app: App,
    actor: Actor,
    filter: Filter,
    cursor: Cursor,
    found: VecDeque<(Entry, Cursor)>,
    commits: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    ends_at: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The next event, once there is one; `None` when the stream ends.
    async fn next(&mut self) -> Option<(Entry, Cursor)> {
        loop {
            if *self.closing.borrow() || self.app.shop.source.now() >= self.ends_at {
                return None;
            }
            if let Some(event) = self.found.pop_front() {
                return Some(event);
            }
            self.commits.mark_unchanged();
            if !self.look().await && self.found.is_empty() {
                tokio::select! {
                    changed = self.commits.changed() => changed.ok()?,
                    _ = self.closing.changed() => return None,
                }
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    /// Reads on in the journal; true when there is more to read at once.
    async fn look(&mut self) -> bool {
        let (actor, filter, cursor) = (self.actor.clone(), self.filter.clone(), self.cursor);
        // A failure was logged by the reading; the next look tries again from the same place.
        let read = self.app.read(move |tx| event::read(tx, &actor, cursor, &filter, READ_MAX)).await;
        let Ok(found) = read else { return false };
        self.cursor = found.cursor;
        self.found.extend(found.events);
        found.more
    }
}

/// Counts up with every commit of this process and twice a second; one thread of the process does so while there are followers.
pub(crate) fn commits(app: &App) -> watch::Receiver<u64> {
    let begin = || {
        let (teller, commits) = watch::channel(0);
        let listener = app.shop.db.listen();
        let closing = app.edge.closing.subscribe();
        let look = move || {
            while !*closing.borrow() && !teller.is_closed() {
                match listener.recv_timeout(LOOK) {
                    Err(RecvTimeoutError::Disconnected) => return,
                    Ok(()) | Err(RecvTimeoutError::Timeout) => teller.send_modify(|count| *count += 1),
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("tandem-follow".into()).spawn(look) {
            tracing::error!(%error, "no thread to follow the journal; streams will not grow");
        }
        commits
    };
    app.edge.commits.get_or_init(begin).clone()
}
