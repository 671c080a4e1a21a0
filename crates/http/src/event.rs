//! The journal over the API: what happened, page by page as CloudEvents, and the trail of one thing: who did what, when, through which channel.

mod stream;

use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Refusal;
use engine::event::{self, Cursor, Filter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::event::{Entry, PARTITIONS};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use stream::{GATHER, HEARTBEAT_SECONDS, STREAM_SECONDS_MAX, commits};

use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::LIMIT_MAX;
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// How many events a page has when nothing is said.
const LIMIT: i64 = 100;
/// The most characters of a subject or of the beginning of a kind.
const FILTER_LENGTH_MAX: usize = 100;

/// The most bytes of an event's data that are sent by webhook.
const SENT_DATA_BYTES_MAX: usize = 256 * 1024;

/// The routes of the journal.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_events)).routes(routes!(read_audit)).merge(stream::routes())
}

/// That something happened, as a CloudEvent (version 1.0).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event, example = json!({"id": "evt_01jd0000000000000000000000", "source": "/tandem", "specversion": "1.0", "type": "tax_class.created",
    "subject": "txc_01jd0000000000000000000000", "time": "2026-11-21T09:30:00Z", "datacontenttype": "application/json", "data": {"code": "standard"},
    "actor": "staff:stf_01jd0000000000000000000000", "partition": 7, "sequence": "42"}))]
struct EventShape {
    /// Its id: the same event may come twice, and is known again by it.
    id: String,
    /// Always `/tandem`.
    source: &'static str,
    /// Always `1.0`.
    specversion: &'static str,
    /// What happened, such as `order.placed`.
    #[serde(rename = "type")]
    kind: String,
    /// The id of what it happened to.
    subject: String,
    /// When.
    time: String,
    /// Always `application/json`.
    datacontenttype: &'static str,
    /// What else is worth knowing: ids and numbers, never personal data.
    #[schema(value_type = Object)]
    data: Value,
    /// Where `data` is read, when it was left out of a webhook because it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    dataref: Option<String>,
    /// Who did it: `system`, `guest`, or a kind and an id such as `staff:stf_…`.
    actor: String,
    /// The sales channel it came through.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The ledger's transfer it tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The partition of the journal, 0 to 15; order holds within one only.
    partition: i64,
    /// The place in the partition, a number in text, counted from 1.
    sequence: String,
}

impl From<&Entry> for EventShape {
    fn from(entry: &Entry) -> EventShape {
        EventShape {
            id: entry.id.to_string(),
            source: "/tandem",
            specversion: "1.0",
            kind: entry.kind.clone(),
            subject: entry.subject.clone(),
            time: entry.at.to_string(),
            datacontenttype: "application/json",
            data: serde_json::from_str(&entry.body).unwrap_or_default(),
            dataref: None,
            actor: entry.actor.clone(),
            channel: entry.channel.map(|id| id.to_string()),
            transfer: entry.transfer.map(|(_, id)| id.to_string()),
            partition: entry.partition,
            sequence: entry.sequence.to_string(),
        }
    }
}

/// An event as it is sent by webhook: as everywhere, but of bounded length. Of a longer one `data` is left out and `dataref` says where it
/// is read (the CloudEvents extension of that name).
pub fn as_sent(entry: &Entry) -> String {
    let mut shape = EventShape::from(entry);
    if entry.body.len() > SENT_DATA_BYTES_MAX {
        shape.data = json!({});
        shape.dataref = Some(format!("/v1/events?subject={}", entry.subject));
    }
    serde_json::to_string(&shape).unwrap_or_default()
}

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// How many events, 1 to 200; 100 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Where to begin: `next_cursor` of the page before, or the id of an event of the stream. From the start when not given.
    cursor: Option<String>,
    /// Only events whose type begins like this, such as `order.`.
    #[param(max_length = 100)]
    kind: Option<String>,
    /// Only events of this subject, such as `ord_…`.
    #[param(max_length = 100)]
    subject: Option<String>,
}

impl EventQuery {
    fn limit(&self) -> Result<usize, Refusal> {
        let limit = self.limit.unwrap_or(LIMIT);
        let fits = (1..=LIMIT_MAX).contains(&limit);
        let limit = usize::try_from(limit).ok().filter(|_| fits);
        limit.ok_or_else(|| Refusal::invalid("limit", format!("give 1 to {LIMIT_MAX}")))
    }

    fn filter(&self) -> Result<Filter, Refusal> {
        for (name, text) in [("kind", &self.kind), ("subject", &self.subject)] {
            if text.as_ref().is_some_and(|text| text.len() > FILTER_LENGTH_MAX || text.contains('\0')) {
                return Err(Refusal::invalid(name, format!("give at most {FILTER_LENGTH_MAX} characters")));
            }
        }
        Ok(Filter { kind: self.kind.clone(), subject: self.subject.clone() })
    }

    fn cursor(&self) -> Result<Cursor, Problem> {
        self.cursor.as_deref().map_or(Ok([0; PARTITIONS]), read_cursor)
    }
}

/// A place in the journal as text.
fn cursor_text(cursor: Cursor) -> String {
    let numbers: Vec<String> = cursor.iter().map(i64::to_string).collect();
    URL_SAFE_NO_PAD.encode(numbers.join("."))
}

fn read_cursor(text: &str) -> Result<Cursor, Problem> {
    let numbers = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let numbers = std::str::from_utf8(&bytes).ok()?.split('.').map(|number| number.parse().ok());
        numbers.collect::<Option<Vec<i64>>>()?.try_into().ok()
    };
    numbers()
        .ok_or_else(|| Problem::unreadable("the cursor is not one of the journal; begin without a cursor"))
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    /// The events, the oldest first; order holds within one partition only.
    items: Vec<EventShape>,
    /// Give this as `cursor` for what comes after. It is there on the last page too: keep it, and ask again later.
    next_cursor: String,
    /// Is there more to read at once? A page may be empty and there may be more, when few events are of the kind asked for.
    more: bool,
}

/// List events
///
/// Everything that happened, from the first day. A consumer keeps `next_cursor` and misses nothing.
#[utoipa::path(get, path = "/v1/events", operation_id = "list_events", tag = "events", params(EventQuery),
    responses((status = 200, body = EventPage), Problems))]
async fn list_events(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<EventQuery>,
) -> Result<Response, Problem> {
    let (limit, filter, cursor) = (query.limit()?, query.filter()?, query.cursor()?);
    let found = app.read(move |tx| event::read(tx, &actor, cursor, &filter, limit)).await?;
    let items = found.events.iter().map(|(entry, _)| EventShape::from(entry)).collect();
    document(&EventPage { items, next_cursor: cursor_text(found.cursor), more: found.more }, None)
}

/// A line of a trail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLine, example = json!({"event": "evt_01jd0000000000000000000000", "at": "2026-11-21T09:30:00Z", "actor": "staff:stf_01jd0000000000000000000000",
    "what": "order.cancelled", "details": {"lines": 2}}))]
struct AuditLineShape {
    /// The event's id.
    event: String,
    /// When.
    at: String,
    /// Who: `system`, `guest`, or a kind and an id such as `staff:stf_…`.
    actor: String,
    /// Through which sales channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// What was done.
    what: String,
    /// What else is worth knowing.
    #[schema(value_type = Object)]
    details: Value,
}

impl From<&Entry> for AuditLineShape {
    fn from(entry: &Entry) -> AuditLineShape {
        AuditLineShape {
            event: entry.id.to_string(),
            at: entry.at.to_string(),
            actor: entry.actor.clone(),
            channel: entry.channel.map(|id| id.to_string()),
            what: entry.kind.clone(),
            details: serde_json::from_str(&entry.body).unwrap_or_default(),
        }
    }
}

/// Whose trail.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// The id of the thing, such as `ord_…`.
    #[param(max_length = 100, example = "ord_01jd0000000000000000000000")]
    subject: String,
    /// How many lines, 1 to 200; 100 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// Where the page begins: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of a trail.
#[derive(Debug, Serialize, ToSchema)]
struct AuditPage {
    /// The lines, the oldest first.
    items: Vec<AuditLineShape>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Read the trail of a thing
///
/// Who did what to it, when and through which channel: its events, in order.
#[utoipa::path(get, path = "/v1/audit", operation_id = "read_audit", tag = "events", params(AuditQuery),
    responses((status = 200, body = AuditPage), Problems))]
async fn read_audit(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response, Problem> {
    let query =
        EventQuery { limit: query.limit, cursor: query.cursor, kind: None, subject: Some(query.subject) };
    let (limit, filter, cursor) = (query.limit()?, query.filter()?, query.cursor()?);
    let found = app.read(move |tx| event::read(tx, &actor, cursor, &filter, limit)).await?;
    let items = found.events.iter().map(|(entry, _)| AuditLineShape::from(entry)).collect();
    document(&AuditPage { items, next_cursor: found.more.then(|| cursor_text(found.cursor)) }, None)
}
