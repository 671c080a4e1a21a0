//! The timeline of a customer over the API: everything that happened, in one line, in words.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::timeline::Kind;
use domain::value::id::{Channel, Customer};
use domain::value::{Id, Instant, Language, Reference};
use engine::external;
use engine::timeline::{self, Asked as Wanted, Entry, NEWEST, Place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of timelines.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_timeline))
}

/// Something that happened between a customer and the shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimelineEntry, example = json!({"id": "evt_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z", "kind": "order",
    "code": "order.placed", "words": "Order 1001 placed, £24.99", "channel": "chn_01jd0000000000000000000000",
    "actor": "customer:cus_01jd0000000000000000000000", "about": "ord_01jd0000000000000000000000",
    "order": "ord_01jd0000000000000000000000", "parameters": {"number": "1001", "currency": "GBP", "gross": 2499}}))]
struct EntryShape {
    /// The event that tells of it.
    id: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// `order`, `fulfilment`, `payment`, `return`, `claim`, `loyalty`, `credit`, `consent`, `message`, `profile`, `note`, `privacy`, `sign_in`
    /// or `behaviour`.
    kind: &'static str,
    /// What the journal or the tracker calls it.
    code: String,
    /// One plain sentence.
    words: String,
    /// Through which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// Who did it; absent for what was collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// The id of what it happened to; absent for what was collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// The order it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// What the event carries: ids and numbers, never what names somebody.
    #[schema(value_type = Object)]
    parameters: Value,
}

impl From<&Entry> for EntryShape {
    fn from(one: &Entry) -> EntryShape {
        EntryShape {
            id: one.id.to_string(),
            at: one.at.to_string(),
            kind: one.kind.text(),
            code: one.code.clone(),
            words: one.words.clone(),
            channel: one.channel.map(|channel| channel.to_string()),
            location: one.location.clone(),
            actor: one.actor.clone(),
            about: one.about.clone(),
            order: one.order.map(|order| order.to_string()),
            parameters: one.parameters.clone(),
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TimelineQuery {
    /// Only of these kinds, with commas between them.
    kind: Option<String>,
    /// Only through this channel: its id or external id.
    channel: Option<String>,
    /// Only from this instant on.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only before this instant.
    #[param(format = DateTime)]
    until: Option<String>,
    /// The language of the words, `en` or `de`; English when not given.
    language: Option<String>,
}

impl TimelineQuery {
    fn read(&self) -> Result<Wanted, Refusal> {
        let mut fields = Fields::new();
        let named: Vec<&str> = self.kind.iter().flat_map(|kinds| kinds.split(',')).collect();
        let kinds = named.iter().map(|name| Kind::parse(name)).collect::<Result<Vec<_>, _>>();
        let kinds = fields.take("kind", kinds);
        let since = fields.take_if("since", self.since.as_deref(), Instant::parse);
        let until = fields.take_if("until", self.until.as_deref(), Instant::parse);
        let language = fields.take("language", Language::parse(self.language.as_deref().unwrap_or("en")));
        let read = (|| {
            Some(Wanted { kinds: kinds?, channel: None, since: since?, until: until?, language: language? })
        })();
        fields.done(read)
    }
}

/// Everything that happened with a customer, the newest first
///
/// Over every channel, and over all customers and profiles that are this one now. While something new happens, no page tells anything twice and
/// none leaves anything out. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/timeline", operation_id = "read_timeline", tag = "customer",
    params(("id" = String, Path, description = "its id or external id"), TimelineQuery, PageQuery),
    responses((status = 200, body = Page<EntryShape>), Problems))]
async fn read_timeline(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(query): Asked<TimelineQuery>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let wanted = query.read()?;
    let channel = query.channel.as_deref().map(Reference::<Channel>::read);
    let (limit, before) = (page.limit()?, place(&page.after()?)?);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let named = |one| external::resolve_at(tx, "channel", one);
        let channel = channel.as_ref().map(named).transpose()?;
        let wanted = Wanted { channel, ..wanted.clone() };
        let found = timeline::read(tx, actor, world, (id, &wanted), (before, limit))?;
        let shapes = found.iter().map(EntryShape::from).collect();
        Reply::json(&Page::new(shapes, limit, |one: &EntryShape| format!("{} {}", one.at, one.id)))
    })
    .await
}

/// The place before which a page begins.
fn place(text: &str) -> Result<Place, Problem> {
    if text.is_empty() {
        return Ok(NEWEST);
    }
    let read =
        text.split_once(' ').and_then(|(at, id)| Some((Instant::parse(at).ok()?, Id::parse(id).ok()?)));
    read.ok_or_else(|| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
}
