//! What colleagues note about customers over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::id::{Customer, Location};
use domain::value::{Id, Instant, Reference, id};
use domain::{Refusal, detail as rules};
use engine::detail::note::{self, Change, NewNote, Note};
use engine::external;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, changed};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_notes, add_note))
        .routes(routes!(update_note, remove_note))
        .routes(routes!(list_follow_ups))
}

/// What a colleague noted, without the text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note, example = json!({"id": "not_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "author": "staff:stf_01jd0000000000000000000000", "location": "loc_01jd0000000000000000000000", "pinned": false,
    "follow_up_at": "2026-06-08T10:00:00Z", "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "version": 1}))]
struct NoteShape {
    /// Its id.
    id: String,
    /// The customer it was written about; who was merged since is another one.
    customer: String,
    /// Who wrote it.
    author: String,
    /// The store it was written in.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// Does it stand before the others?
    pinned: bool,
    /// When the customer is to be thought of again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    follow_up_at: Option<String>,
    /// When that was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    done_at: Option<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Note> for NoteShape {
    fn from(one: &Note) -> NoteShape {
        NoteShape {
            id: one.id.to_string(),
            customer: one.customer.to_string(),
            author: one.author.clone(),
            location: one.location.map(|id| id.to_string()),
            pinned: one.is_pinned,
            follow_up_at: one.follow_up_at.map(|at| at.to_string()),
            done_at: one.done_at.map(|at| at.to_string()),
            made_at: one.made_at.to_string(),
            changed_at: one.changed_at.to_string(),
            version: one.version,
        }
    }
}

/// A note with its text.
#[derive(Serialize, ToSchema)]
#[schema(as = ReadNote, example = json!({"id": "not_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "author": "staff:stf_01jd0000000000000000000000", "pinned": false, "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z",
    "version": 1, "text": "looks for a wedding present"}))]
struct ReadShape {
    /// The note.
    #[serde(flatten)]
    note: NoteShape,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A note to be written.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNote, example = json!({"text": "looks for a wedding present", "follow_up_at": "2026-06-08T10:00:00Z"}))]
struct NewShape {
    /// 1 to 4,000 characters, of any number of lines. Kept sealed.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// The store it is written in: its id or external id.
    location: Option<String>,
    /// Does it stand before the others? No when not given.
    #[serde(default)]
    pinned: bool,
    /// When the customer is to be thought of again.
    #[schema(format = DateTime)]
    follow_up_at: Option<String>,
}

/// What of a note is to change. What is left out stays.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoteChange, example = json!({"done": true}))]
struct ChangeShape {
    /// Another text.
    #[schema(min_length = 1, max_length = 4000)]
    text: Option<String>,
    /// Does it stand before the others?
    pinned: Option<bool>,
    /// When the customer is to be thought of again; `null` for never.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>, format = DateTime)]
    follow_up_at: Option<Option<String>>,
    /// Was that done?
    done: Option<bool>,
}

impl ChangeShape {
    fn read(self) -> Result<Change, Refusal> {
        let mut fields = Fields::new();
        let text = text_of(&mut fields, self.text.as_deref());
        let follow_up_at = match self.follow_up_at {
            None => Some(None),
            Some(None) => Some(Some(None)),
            Some(Some(text)) => fields.instant("follow_up_at", &text).map(|at| Some(Some(at))),
        };
        let (is_pinned, is_done) = (self.pinned, self.done);
        let read = text.zip(follow_up_at).map(|(text, follow_up_at)| Change {
            text,
            is_pinned,
            follow_up_at,
            is_done,
        });
        fields.done(read)
    }
}

fn text_of(fields: &mut Fields, text: Option<&str>) -> Option<Option<String>> {
    fields.take_if("text", text, |text| rules::note(text).map_err(|refusal| refusal.message().to_owned()))
}

/// Reads the id of a note in a path.
fn named(text: &str) -> Result<Id<id::Note>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("note", text).into())
}

/// Which notes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NotesQuery {
    /// Only those that stand before the others.
    #[serde(default)]
    pinned: bool,
}

/// List the notes about a customer, the newest first
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/notes", operation_id = "list_notes", tag = "customer",
    params(("id" = String, Path, description = "its id or external id"), NotesQuery, PageQuery), responses((status = 200, body = Page<ReadShape>), Problems))]
async fn list_notes(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(query): Asked<NotesQuery>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let (pinned, limit, before) = (query.pinned, page.limit()?, page.before_id()?);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let found = note::list(tx, actor, world, (id, pinned), (before, limit))?;
        let shape = |(note, text): (Note, Option<String>)| ReadShape { note: NoteShape::from(&note), text };
        let shapes = found.into_iter().map(shape).collect();
        Reply::json(&Page::new(shapes, limit, |shape: &ReadShape| shape.note.id.clone()))
    })
    .await
}

/// Write a note about a customer
///
/// For colleagues; the customer does not see it but in the archive of what is kept.
#[utoipa::path(post, path = "/v1/customers/{id}/notes", operation_id = "add_note", tag = "customer", request_body = NewShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 201, body = NoteShape), Problems))]
async fn add_note(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let body = command.body;
    let mut fields = Fields::new();
    let text = text_of(&mut fields, Some(&body.text)).flatten();
    let at = fields.take_if("follow_up_at", body.follow_up_at.as_deref(), Instant::parse);
    let (text, follow_up_at) = fields.done(text.zip(at))?;
    let location = body.location.as_deref().map(Reference::<Location>::read);
    let is_pinned = body.pinned;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let location = location.as_ref().map(|one| external::known_at(tx, "location", one)).transpose()?;
        let new = NewNote { text: text.clone(), location, is_pinned, follow_up_at };
        let one = note::add(tx, actor, world, id, new)?;
        Reply::versioned(&NoteShape::from(&one), one.version)
    })
    .await
}

/// Change a note about a customer
#[utoipa::path(patch, path = "/v1/customers/{id}/notes/{note}", operation_id = "update_note", tag = "customer", request_body = ChangeShape,
    params(("id" = String, Path, description = "its id or external id"), ("note" = String, Path, description = "the note's id"),
        ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = NoteShape), Problems))]
async fn update_note(
    State(app): State<App>,
    Path((id, note)): Path<(String, String)>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (reference, note) = (Reference::<Customer>::read(&id), named(&note)?);
    let (if_match, change) = (command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let one = note::change(tx, actor, world, (id, note), (change.clone(), if_match))?;
        Reply::versioned(&NoteShape::from(&one), one.version)
    })
    .await
}

/// Take away a note about a customer
#[utoipa::path(delete, path = "/v1/customers/{id}/notes/{note}", operation_id = "remove_note", tag = "customer",
    params(("id" = String, Path, description = "its id or external id"), ("note" = String, Path, description = "the note's id")),
    responses((status = 204), Problems))]
async fn remove_note(
    State(app): State<App>,
    Path((id, note)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (reference, note) = (Reference::<Customer>::read(&id), named(&note)?);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        note::remove(tx, actor, world, (id, note))?;
        Reply::json(&())
    })
    .await
}

/// Which follow-ups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FollowUpsQuery {
    /// Only those due before this instant; now when not given.
    #[param(format = DateTime)]
    until: Option<String>,
}

/// List the notes to be followed up, those that wait longest first
///
/// Without their texts, which are read with the customer's notes.
#[utoipa::path(get, path = "/v1/follow-ups", operation_id = "list_follow_ups", tag = "customer", params(FollowUpsQuery, PageQuery),
    responses((status = 200, body = Page<NoteShape>), Problems))]
async fn list_follow_ups(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<FollowUpsQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let until = fields.take_if("until", query.until.as_deref(), Instant::parse);
    let until = fields.done(until)?.unwrap_or_else(|| app.shop.source.now());
    let (limit, after) = (page.limit()?, place(&page.after()?)?);
    let found = app.read(move |tx| note::to_follow_up(tx, &actor, until, (after, limit))).await?;
    let shapes = found.iter().map(NoteShape::from).collect();
    let key = |one: &NoteShape| format!("{} {}", one.follow_up_at.as_deref().unwrap_or_default(), one.id);
    document(&Page::new(shapes, limit, key), None)
}

/// The place after which a page of follow-ups begins.
fn place(text: &str) -> Result<(Instant, Id<id::Note>), Problem> {
    if text.is_empty() {
        return Ok((Instant::from_micros(0), Id::from_bytes([0; 16])));
    }
    let read =
        text.split_once(' ').and_then(|(at, id)| Some((Instant::parse(at).ok()?, Id::parse(id).ok()?)));
    read.ok_or_else(|| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
}
