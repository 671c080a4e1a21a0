//! Sources of behaviour events: made, changed, watched, and what was set aside taken in again.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::behaviour::plan::{Plan, Planned, Property, ValueType};
use domain::behaviour::{SchemaMode, SourceKind};
use domain::value::text::bounded;
use domain::value::{Id, Reference, id};
use engine::behaviour::quarantine::{self, Quarantined};
use engine::behaviour::source::{self, Change, NewSource};
use engine::behaviour::{Collected, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::person::EventShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a source's name.
const NAME_CHARS_MAX: usize = 200;

/// The routes of sources.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_source, list_sources))
        .routes(routes!(read_source, update_source))
        .routes(routes!(list_source_events))
        .routes(routes!(list_quarantined_events))
        .routes(routes!(replay_quarantined_events))
}

/// An event that is planned.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlannedEvent, example = json!({"name": "Product Viewed", "properties": [{"name": "sku", "type": "text", "required": true}]}))]
struct PlannedShape {
    /// The event's name: 1 to 200 characters.
    name: String,
    /// What it carries, at most 50; there may be more.
    #[serde(default)]
    #[schema(max_items = 50)]
    properties: Vec<PropertyShape>,
}

/// A property of a planned event.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlannedProperty)]
struct PropertyShape {
    /// Its name: 1 to 200 characters.
    name: String,
    /// What sort of value it has: `text`, `number`, `yes_no`, `list`, `object` or `any`.
    r#type: String,
    /// Must it be there?
    #[serde(default)]
    required: bool,
}

/// A source of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source, example = json!({"id": "src_01jd0000000000000000000000", "name": "Web shop", "kind": "web", "trust": "public", "enabled": true,
    "mode": "warn", "plan": [], "countable": ["heel_height"], "purpose": "analytics", "not_permitted": 0, "write_key": "src_01jd0000000000000000000000_00112233445566778899aabbccddeeff",
    "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct SourceShape {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// `web`, `app` or `server`.
    kind: String,
    /// How far what it says of people is believed: `public` or `authenticated`.
    trust: String,
    /// Are its events taken?
    enabled: bool,
    /// What becomes of events that are not as planned: `accept`, `warn` or `quarantine`.
    mode: String,
    /// The events that are planned; none means that all are.
    plan: Vec<PlannedShape>,
    /// The channel in which it meets people.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Own names of properties that name nobody: texts under them are kept open, so that segments can ask for them.
    countable: Vec<String>,
    /// The purpose that people are watched for. Of a person who refuses it nothing is kept.
    purpose: String,
    /// How many events were not kept for that.
    not_permitted: i64,
    /// What its libraries are given. A server's is shown only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    write_key: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Source> for SourceShape {
    fn from(source: &Source) -> SourceShape {
        let plan = source::plan_of(source).unwrap_or_default();
        let property = |one: &Property| PropertyShape {
            name: one.name.clone(),
            r#type: one.value.text().into(),
            required: one.required,
        };
        let planned = |one: &Planned| PlannedShape {
            name: one.name.clone(),
            properties: one.properties.iter().map(property).collect(),
        };
        SourceShape {
            id: source.id.to_string(),
            name: source.name.clone(),
            kind: source.kind.text().into(),
            trust: source.kind.trust().text().into(),
            enabled: source.enabled,
            mode: source.mode.text().into(),
            plan: plan.events().iter().map(planned).collect(),
            channel: source.channel.map(|id| id.to_string()),
            countable: source::countable_of(source).unwrap_or_default(),
            purpose: source.purpose.clone(),
            not_permitted: source.not_permitted,
            write_key: source.key.clone(),
            made_at: source.made_at.to_string(),
            changed_at: source.changed_at.to_string(),
            version: source.version,
        }
    }
}

fn read_plan(fields: &mut Fields, events: &[PlannedShape]) -> Option<Plan> {
    let mut planned = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let mut properties = Vec::new();
        for (number, property) in event.properties.iter().enumerate() {
            let field = format!("plan.{place}.properties.{number}.type");
            let value = fields.take(&field, ValueType::parse(&property.r#type))?;
            properties.push(Property { name: property.name.clone(), value, required: property.required });
        }
        planned.push(Planned { name: event.name.clone(), properties });
    }
    Plan::new(planned)
        .map_err(|refusal| {
            refusal.each().for_each(|one| fields.refuse(one.field().unwrap_or("plan"), one.message()));
        })
        .ok()
}

/// A source to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSource, example = json!({"name": "Web shop", "kind": "web", "mode": "warn", "plan": [{"name": "Product Viewed",
    "properties": [{"name": "sku", "type": "text", "required": true}]}]}))]
struct NewSourceShape {
    /// What people call it: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// `web` or `app`, whose write key anybody can read, or `server`, which keeps it secret.
    kind: String,
    /// What becomes of events that are not as planned: `accept`, `warn` or `quarantine`; `accept` when left out.
    mode: Option<String>,
    /// The events that are planned, at most 200; none means that all are.
    #[serde(default)]
    #[schema(max_items = 200)]
    plan: Vec<PlannedShape>,
    /// The channel in which it meets people: its id or external id.
    channel: Option<String>,
    /// Own names of properties that name nobody, such as `heel_height`, at most 200: texts under names that are neither the trade's nor these are
    /// sealed, and segments cannot ask for them.
    #[serde(default)]
    #[schema(max_items = 200)]
    countable: Vec<String>,
    /// The code of the purpose that people are watched for; `analytics` when left out. What comes of somebody who refuses it is not kept. A
    /// purpose on the basis of a contract is refused by nobody.
    purpose: Option<String>,
}

impl NewSourceShape {
    fn read(&self) -> Result<NewSource, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take("name", bounded("name", &self.name, 1, NAME_CHARS_MAX));
        let kind = fields.take("kind", SourceKind::parse(&self.kind));
        let mode =
            fields.take("mode", self.mode.as_deref().map_or(Ok(SchemaMode::Accept), SchemaMode::parse));
        let plan = read_plan(&mut fields, &self.plan);
        let channel = self.channel.as_deref().map(Reference::read);
        let (countable, purpose) = (self.countable.clone(), self.purpose.clone());
        let read = || {
            Some(NewSource {
                name: name?,
                kind: kind?,
                mode: mode?,
                plan: plan?,
                channel,
                countable,
                purpose,
            })
        };
        fields.done(read())
    }
}

/// What of a source is to change. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SourceChange, example = json!({"enabled": false}))]
struct SourceChangeShape {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Are its events taken?
    enabled: Option<bool>,
    /// What becomes of events that are not as planned.
    mode: Option<String>,
    /// The whole new plan.
    #[schema(max_items = 200)]
    plan: Option<Vec<PlannedShape>>,
    /// All own names of properties that name nobody; counts for what comes from then on.
    #[schema(max_items = 200)]
    countable: Option<Vec<String>>,
    /// The code of the purpose that people are watched for.
    purpose: Option<String>,
}

impl SourceChangeShape {
    fn read(self, if_match: Option<i64>) -> Result<Change, Refusal> {
        let mut fields = Fields::new();
        let name = self.name.map(|name| fields.take("name", bounded("name", &name, 1, NAME_CHARS_MAX)));
        let mode = self.mode.map(|mode| fields.take("mode", SchemaMode::parse(&mode)));
        let plan = self.plan.map(|plan| read_plan(&mut fields, &plan));
        fields.done(Some(Change {
            name: name.flatten(),
            enabled: self.enabled,
            mode: mode.flatten(),
            plan: plan.flatten(),
            countable: self.countable,
            purpose: self.purpose,
            if_match,
        }))
    }
}

/// An event that was set aside.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuarantinedEvent, example = json!({"id": "evt_01jd0000000000000000000000", "received_at": "2026-06-01T10:00:00Z", "fault": "off_plan",
    "why": "\"sku\" is missing", "replayable": true, "name": "Product Viewed"}))]
struct QuarantinedShape {
    /// Its id.
    id: String,
    /// When we heard of it.
    #[schema(format = DateTime)]
    received_at: String,
    /// `unreadable`, `nobody`, `nameless`, `too_large` or `off_plan`.
    fault: String,
    /// What is wrong.
    why: String,
    /// Can it be taken in once the plan or the sender is put right? What was unreadable or too large cannot.
    replayable: bool,
    /// The event's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// When it was taken in after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    replayed_at: Option<String>,
}

impl From<&Quarantined> for QuarantinedShape {
    fn from(one: &Quarantined) -> QuarantinedShape {
        QuarantinedShape {
            id: one.id.to_string(),
            received_at: one.received_at.to_string(),
            fault: one.fault.text().into(),
            why: one.why.clone(),
            replayable: one.fault.is_mendable(),
            name: one.name.clone(),
            replayed_at: one.replayed_at.map(|at| at.to_string()),
        }
    }
}

/// After which event to go on taking in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Replay, example = json!({}))]
struct ReplayShape {
    /// `next` of the answer before; from the oldest when left out.
    after: Option<String>,
}

/// What became of events that were taken in again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replayed, example = json!({"accepted": 7, "quarantined": 1, "not_permitted": 0}))]
struct ReplayedShape {
    /// Taken in.
    accepted: u64,
    /// Still set aside.
    quarantined: u64,
    /// Of somebody who refuses it by now, and therefore gone.
    not_permitted: u64,
    /// Give this as `after` for the rest; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn source_id(text: &str) -> Result<Id<id::Source>, Problem> {
    Ok(Id::parse(text).map_err(|_| Refusal::not_found("source", text))?)
}

/// Make a source
///
/// The write key of a server is shown here only.
#[utoipa::path(post, path = "/v1/sources", operation_id = "create_source", tag = "behaviour", request_body = NewSourceShape,
    responses((status = 201, body = SourceShape), Problems))]
async fn create_source(
    State(app): State<App>,
    command: Command<NewSourceShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let (source, key) = source::create(tx, actor, world, input.clone())?;
        let shape = SourceShape { write_key: Some(key), ..SourceShape::from(&source) };
        Reply::versioned(&shape, source.version)
    })
    .await
}

/// List sources
#[utoipa::path(get, path = "/v1/sources", operation_id = "list_sources", tag = "behaviour", params(PageQuery),
    responses((status = 200, body = Page<SourceShape>), Problems))]
async fn list_sources(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| source::list(tx, &actor, after, limit)).await?;
    let shapes = found.iter().map(SourceShape::from).collect();
    document(&Page::new(shapes, limit, |source: &SourceShape| source.id.clone()), None)
}

/// Read a source
#[utoipa::path(get, path = "/v1/sources/{source}", operation_id = "read_source", tag = "behaviour",
    params(("source" = String, Path, description = "its id")),
    responses((status = 200, body = SourceShape), Problems))]
async fn read_source(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(source): Path<String>,
) -> Result<Response, Problem> {
    let id = source_id(&source)?;
    let source = app.read(move |tx| source::read(tx, &actor, id)).await?;
    document(&SourceShape::from(&source), Some(source.version))
}

/// Change a source
#[utoipa::path(patch, path = "/v1/sources/{source}", operation_id = "update_source", tag = "behaviour", request_body = SourceChangeShape,
    params(("source" = String, Path, description = "its id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = SourceShape), Problems))]
async fn update_source(
    State(app): State<App>,
    Path(source): Path<String>,
    command: Command<SourceChangeShape>,
) -> Result<Response, Problem> {
    let (id, change) = (source_id(&source)?, command.body.read(command.if_match)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let source = source::update(tx, actor, world, id, change.clone())?;
        Reply::versioned(&SourceShape::from(&source), source.version)
    })
    .await
}

/// List what a source sent
///
/// The latest first: what was taken in, as it comes. What was set aside has a list of its own.
#[utoipa::path(get, path = "/v1/sources/{source}/events", operation_id = "list_source_events", tag = "behaviour",
    params(("source" = String, Path, description = "its id"), PageQuery),
    responses((status = 200, body = Page<EventShape>), Problems))]
async fn list_source_events(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(source): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let id = source_id(&source)?;
    page.newest(
        &app,
        move |tx, before, limit| source::events(tx, &actor, id, before, limit),
        |event: &EventShape| event.id.clone(),
    )
    .await
}

/// List what was set aside
///
/// The latest first, with the reason; kept for 30 days.
#[utoipa::path(get, path = "/v1/sources/{source}/quarantined-events", operation_id = "list_quarantined_events", tag = "behaviour",
    params(("source" = String, Path, description = "its id"), PageQuery),
    responses((status = 200, body = Page<QuarantinedShape>), Problems))]
async fn list_quarantined_events(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(source): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let id = source_id(&source)?;
    page.newest(
        &app,
        move |tx, before, limit| quarantine::list(tx, &actor, id, before, limit),
        |event: &QuarantinedShape| event.id.clone(),
    )
    .await
}

/// Take in what was set aside
///
/// The oldest first, at most 500 at once. Each is judged anew; what is still not as it must be stays, with the reason.
#[utoipa::path(post, path = "/v1/sources/{source}/replay", operation_id = "replay_quarantined_events", tag = "behaviour",
    request_body = ReplayShape, params(("source" = String, Path, description = "its id")),
    responses((status = 200, body = ReplayedShape), Problems))]
async fn replay_quarantined_events(
    State(app): State<App>,
    Path(source): Path<String>,
    command: Command<ReplayShape>,
) -> Result<Response, Problem> {
    let id = source_id(&source)?;
    let mut fields = Fields::new();
    let after = command.body.after.as_deref().map(|text| fields.id("after", text));
    let after = fields.done(Some(after.flatten()))?.unwrap_or(Id::from_bytes([0; 16]));
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (done, next) = quarantine::replay(tx, actor, world, id, after)?;
        let next = next.map(|id| id.to_string());
        let Collected { accepted, quarantined, not_permitted, .. } = done;
        Reply::json(&ReplayedShape { accepted, quarantined, not_permitted, next })
    })
    .await
}
