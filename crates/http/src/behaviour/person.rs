//! What a person did, over all profiles of the person.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::Refusal;
use domain::behaviour::Session;
use domain::identity::Part;
use domain::value::{Id, Instant, id};
use engine::behaviour::{self, Event};
use engine::identity::reading::Whom;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of what a person did.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_profile_events)).routes(routes!(list_profile_visits))
}

/// Something somebody did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BehaviourEvent, example = json!({"id": "evt_01jd0000000000000000000000", "profile": "prf_01jd0000000000000000000000",
    "source": "src_01jd0000000000000000000000", "type": "track", "name": "Product Viewed", "at": "2026-06-01T10:00:00Z",
    "received_at": "2026-06-01T10:00:01Z", "dropped": [], "body": {"properties": {"sku": "TEAPOT"}}, "personal": false}))]
pub(super) struct EventShape {
    /// Its id.
    pub(super) id: String,
    /// The profile it stays with.
    profile: String,
    /// Who sent it.
    source: String,
    /// `identify`, `track`, `page`, `screen`, `group` or `alias`.
    r#type: String,
    /// What was done, or which page.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// When it happened, with the sender's clock put right.
    #[schema(format = DateTime)]
    at: String,
    /// When we heard of it.
    #[schema(format = DateTime)]
    received_at: String,
    /// Of which kinds an identifier was not believed to be this person's.
    dropped: Vec<String>,
    /// What is not as planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<String>,
    /// Properties, traits and context, without what names somebody.
    #[schema(value_type = Object)]
    body: Value,
    /// Is there more, sealed, that names somebody?
    personal: bool,
}

impl From<&Event> for EventShape {
    fn from(event: &Event) -> EventShape {
        let dropped = event.dropped.iter().flat_map(|kinds| kinds.split(' '));
        EventShape {
            id: event.id.to_string(),
            profile: event.profile.to_string(),
            source: event.source.to_string(),
            r#type: event.call.text().into(),
            name: event.name.clone(),
            at: event.at.to_string(),
            received_at: event.received_at.to_string(),
            dropped: dropped.map(str::to_owned).collect(),
            wrong: event.wrong.clone(),
            body: serde_json::from_str(&event.body).unwrap_or_default(),
            personal: event.sealed.is_some(),
        }
    }
}

/// A visit: events with less than half an hour between them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Visit, example = json!({"began_at": "2026-06-01T10:00:00Z", "last_at": "2026-06-01T10:12:00Z", "events": 7}))]
struct VisitShape {
    /// Its first event.
    #[schema(format = DateTime)]
    began_at: String,
    /// Its last event.
    #[schema(format = DateTime)]
    last_at: String,
    /// How many events it has.
    events: i64,
}

impl From<&Session> for VisitShape {
    fn from(visit: &Session) -> VisitShape {
        VisitShape {
            began_at: visit.began_at.to_string(),
            last_at: visit.last_at.to_string(),
            events: visit.events,
        }
    }
}

fn profile_of(text: &str) -> Result<Id<id::Profile>, Problem> {
    Ok(Id::parse(text).map_err(|_| Refusal::not_found("profile", text))?)
}

fn misplaced() -> Problem {
    Problem::unreadable("the cursor belongs to another list; begin without a cursor")
}

/// The largest instant, before which a list from the latest down begins.
const LATEST: Instant = Instant::from_micros(i64::MAX);

/// List what a person did
///
/// The latest first, over all profiles of the person. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/profiles/{profile}/events", operation_id = "list_profile_events", tag = "behaviour",
    params(("profile" = String, Path, description = "the id of any of the person's profiles"), PageQuery),
    responses((status = 200, body = Page<EventShape>), Problems))]
async fn list_profile_events(
    State(app): State<App>,
    Path(profile): Path<String>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (profile, limit, cursor) = (profile_of(&profile)?, page.limit()?, page.after()?);
    let before = match cursor.split_once(' ') {
        None if cursor.is_empty() => (LATEST, Id::from_bytes([255; 16])),
        None => return Err(misplaced()),
        Some((at, id)) => {
            let at = Instant::parse(at).map_err(|_| misplaced())?;
            (at, Id::parse(id).map_err(|_| misplaced())?)
        }
    };
    app.show(command.unkeyed().request, Part::Behaviour, move |tx, actor, _| {
        let events = behaviour::of_person(tx, actor, profile, before, limit)?;
        let shapes = events.iter().map(EventShape::from).collect();
        let page = Page::new(shapes, limit, |event: &EventShape| format!("{} {}", event.at, event.id));
        Ok((Whom::Profile(profile), Reply::json(&page)?))
    })
    .await
}

/// List a person's visits
///
/// The latest first. Visits with several browsers at the same time are one; a page may therefore have fewer than asked for. Each
/// reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/profiles/{profile}/visits", operation_id = "list_profile_visits", tag = "behaviour",
    params(("profile" = String, Path, description = "the id of any of the person's profiles"), PageQuery),
    responses((status = 200, body = Page<VisitShape>), Problems))]
async fn list_profile_visits(
    State(app): State<App>,
    Path(profile): Path<String>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (profile, limit, cursor) = (profile_of(&profile)?, page.limit()?, page.after()?);
    let before = if cursor.is_empty() { LATEST } else { Instant::parse(&cursor).map_err(|_| misplaced())? };
    app.show(command.unkeyed().request, Part::Visits, move |tx, actor, _| {
        let visits = behaviour::visits_of_person(tx, actor, profile, before, limit)?;
        let shapes = visits.iter().map(VisitShape::from).collect();
        let page = Page::new(shapes, limit, |visit: &VisitShape| visit.began_at.clone());
        Ok((Whom::Profile(profile), Reply::json(&page)?))
    })
    .await
}
