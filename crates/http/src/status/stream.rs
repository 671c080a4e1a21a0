//! The status of an order as it changes. One reader of the journal for the whole process tells whose order something happened to; each
//! follower then reads its own order anew and sends it if it looks different.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::actor::Actor;
use domain::actor::key::hexadecimal;
use domain::value::{Id, Instant, Language, id};
use engine::event::{self, Cursor};
use engine::status::order_told_of;
use futures_util::stream;
use sha2::{Digest, Sha256};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Seen, StatusQuery};
use crate::App;
use crate::app::Reply;
use crate::caller::Caller;
use crate::event::{GATHER, HEARTBEAT_SECONDS, STREAM_SECONDS_MAX, commits};
use crate::order::named;
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The most streams of one order that are open at once.
const STREAMS_PER_ORDER_MAX: usize = 16;
/// The most changes of orders a follower may be behind before it looks without being told.
const TOLD_MAX: usize = 1024;
/// How long until an order that could not be read is read again.
const AGAIN: Duration = Duration::from_millis(500);
/// The most events read at once.
const READ_MAX: usize = 200;

/// The routes of the streams.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stream_order_status)).routes(routes!(stream_order_status_by_link))
}

/// Follow the status of an order
///
/// Server-sent events: `data` is the whole status as in `GET /v1/orders/{order}/status`, now and whenever it has changed, within a second;
/// `id` names what it looked like. With the header `Last-Event-ID`, which browsers send by themselves when they connect again, what was
/// seen already is not sent again. A stream ends after an hour.
#[utoipa::path(get, path = "/v1/orders/{order}/status/stream", operation_id = "stream_order_status", tag = "status",
    params(("order" = String, Path, description = "The order's id or external id"), StatusQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last status seen.")),
    responses((status = 200, body = String, content_type = "text/event-stream"), Problems))]
async fn stream_order_status(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(order): Path<String>,
    Asked(query): Asked<StatusQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    follow(app, Seen::By(actor, named(&order)), query.read()?, &headers).await
}

/// Follow the status of an order by a link
///
/// As for who knows the order, without a key. It ends when the link expires or is withdrawn.
#[utoipa::path(get, path = "/v1/order-status/{token}/stream", operation_id = "stream_order_status_by_link", tag = "status",
    params(("token" = String, Path, description = "The link's token", max_length = 64), StatusQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last status seen.")),
    responses((status = 200, body = String, content_type = "text/event-stream"), Problems))]
async fn stream_order_status_by_link(
    State(app): State<App>,
    Path(token): Path<String>,
    Asked(query): Asked<StatusQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    follow(app, Seen::Link(token), query.read()?, &headers).await
}

async fn follow(
    app: App,
    seen: Seen,
    language: Option<Language>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (asked, now) = (seen.clone(), app.shop.source.now());
    let (order, _) = app.read(move |tx| asked.look(tx, now, language)).await?;
    let busy =
        || Problem::busy("as many customers follow their orders as may be; read the status again instead");
    let permit = app.edge.status_streams.clone().try_acquire_owned().map_err(|_| busy())?;
    let follower = Follower {
        told: app.edge.orders_told.listen(&app),
        seat: app.edge.orders_told.take_seat(order).ok_or_else(busy)?,
        closing: app.edge.closing.subscribe(),
        ends_at: now.plus_seconds(STREAM_SECONDS_MAX),
        shown: headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned(),
        fresh: true,
        _permit: permit,
        app,
        seen,
        language,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let status = follower.next().await?;
        let sent = sse::Event::default().id(&follower.shown).data(status);
        Some((Ok::<_, Infallible>(sent), follower))
    });
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT_SECONDS)).text("alive");
    Ok(Sse::new(events).keep_alive(heartbeat).into_response())
}

/// Somebody who follows an order.
struct Follower {
    app: App,
    seen: Seen,
    language: Option<Language>,
    told: broadcast::Receiver<Told>,
    closing: watch::Receiver<bool>,
    ends_at: Instant,
    /// What the order looked like when it was last sent.
    shown: String,
    /// Has nothing been read yet?
    fresh: bool,
    seat: Seat,
    _permit: OwnedSemaphorePermit,
}

impl Follower {
    /// The status, once it looks other than before; `None` when the stream ends.
    async fn next(&mut self) -> Option<String> {
        loop {
            if !std::mem::take(&mut self.fresh) {
                self.told_of_mine().await?;
            }
            let now = self.app.shop.source.now();
            if *self.closing.borrow() || now >= self.ends_at {
                return None;
            }
            let (seen, language) = (self.seen.clone(), self.language);
            let read = self.app.read(move |tx| Reply::json(&seen.look(tx, now, language)?.1)).await;
            let status = match read {
                Ok(reply) => reply.into_text(),
                // A link that was withdrawn, or an order that may not be seen any more.
                Err(problem) if problem.status().is_client_error() => return None,
                // A failure was logged by the reading; the next look tries again.
                Err(_) => {
                    tokio::time::sleep(AGAIN).await;
                    self.fresh = true;
                    continue;
                }
            };
            let look = look_of(&status);
            if look != self.shown {
                self.shown = look;
                return Some(status);
            }
        }
    }

    /// Waits until something happened to the order; `None` when the shop closes or the stream has lasted long enough.
    async fn told_of_mine(&mut self) -> Option<()> {
        let left = self.ends_at.micros().saturating_sub(self.app.shop.source.now().micros());
        let rest = tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0)));
        tokio::pin!(rest);
        loop {
            tokio::select! {
                told = self.told.recv() => match told {
                    Ok(Some(order)) if order != self.seat.order => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return Some(()),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.closing.changed() => return None,
                () = &mut rest => return None,
            }
        }
    }
}

/// What names how a status looks: another one is another status.
pub(super) fn look_of(status: &str) -> String {
    hexadecimal(&Sha256::digest(status).into())[..16].to_owned()
}

/// An order that something happened to; `None` when it may have been any.
type Told = Option<Id<id::Order>>;

/// Tells those who follow orders whose order something happened to.
#[derive(Default)]
pub(crate) struct Teller {
    told: OnceLock<broadcast::Sender<Told>>,
    seats: Arc<Mutex<HashMap<Id<id::Order>, usize>>>,
}

/// A place among those who follow one order.
struct Seat {
    order: Id<id::Order>,
    seats: Arc<Mutex<HashMap<Id<id::Order>, usize>>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&self.order) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.order);
            }
        }
    }
}

impl Teller {
    /// A place among those who follow this order, if there is one left.
    fn take_seat(&self, order: Id<id::Order>) -> Option<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = seats.entry(order).or_insert(0);
        if *taken >= STREAMS_PER_ORDER_MAX {
            return None;
        }
        *taken += 1;
        Some(Seat { order, seats: self.seats.clone() })
    }

    /// Hears of every order that something happens to from now on. The first who listens sets the reader to work.
    fn listen(&self, app: &App) -> broadcast::Receiver<Told> {
        let begin = || {
            let (teller, _) = broadcast::channel(TOLD_MAX);
            tokio::spawn(tell(app.clone(), teller.clone()));
            teller
        };
        self.told.get_or_init(begin).subscribe()
    }
}

/// Reads the journal as it grows, as long as the shop is open, and tells of every order in it; rests while nobody listens.
async fn tell(app: App, teller: broadcast::Sender<Told>) {
    let (mut commits, mut closing) = (commits(&app), app.edge.closing.subscribe());
    let mut cursor: Option<Cursor> = None;
    loop {
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return },
            _ = closing.changed() => return,
        }
        if teller.receiver_count() == 0 {
            cursor = None;
            continue;
        }
        tokio::time::sleep(GATHER).await;
        commits.mark_unchanged();
        cursor = read_on(&app, &teller, cursor).await;
    }
}

/// Tells of what stands after the cursor, and answers where the journal ends now. Whoever begins without a cursor, or cannot read, does not
/// know what happened before: all are told to look.
async fn read_on(app: &App, teller: &broadcast::Sender<Told>, from: Option<Cursor>) -> Option<Cursor> {
    let Some(mut cursor) = from else {
        let end = app.read(|tx| event::end(tx, &Actor::system())).await.ok();
        let _ = teller.send(None);
        return end;
    };
    loop {
        let Ok(page) = app.read(move |tx| event::page(tx, cursor, READ_MAX)).await else { return None };
        let full = page.len() == READ_MAX;
        for (entry, after) in page {
            cursor = after;
            if let Some(order) = order_told_of(&entry) {
                // Nobody may be listening any more, which is no harm.
                let _ = teller.send(Some(order));
            }
        }
        if !full {
            return Some(cursor);
        }
    }
}
