//! Lists of people over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::segment::Subject;
use domain::value::text::bounded;
use domain::value::{Id, Instant, id};
use engine::segment::Named;
use engine::segment::list::{self, List};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::NAME_CHARS_MAX;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of lists.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_lists, create_list))
        .routes(routes!(read_list, update_list))
        .routes(routes!(list_list_people))
        .routes(routes!(put_on_list))
        .routes(routes!(take_off_list))
}

/// People somebody put together by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerList, example = json!({"id": "lst_01jd0000000000000000000000", "code": "press", "name": "Press", "version": 1,
    "made_at": "2026-06-01T10:00:00Z"}))]
struct ListShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: String,
    /// Rises with every change; given as `ETag`.
    version: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&List> for ListShape {
    fn from(one: &List) -> ListShape {
        ListShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            name: one.name.clone(),
            version: one.version,
            made_at: one.made_at.to_string(),
        }
    }
}

fn list_id(text: &str) -> Result<Id<id::CustomerList>, Problem> {
    Ok(Id::parse(text).map_err(|_| Refusal::not_found("list", text))?)
}

/// List the lists, in the order they were made
#[utoipa::path(get, path = "/v1/lists", operation_id = "list_lists", tag = "segment", params(PageQuery),
    responses((status = 200, body = Page<ListShape>), Problems))]
async fn list_lists(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| list::list(tx, &actor, after, limit)).await?;
    let shapes = found.iter().map(ListShape::from).collect();
    document(&Page::new(shapes, limit, |one: &ListShape| one.id.clone()), None)
}

/// A list to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCustomerList, example = json!({"code": "press", "name": "Press"}))]
struct NewListShape {
    /// The short word it goes by: 1 to 60 lower-case letters, digits, `_` or `-`.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people read: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// Make a list
#[utoipa::path(post, path = "/v1/lists", operation_id = "create_list", tag = "segment", request_body = NewListShape,
    responses((status = 201, body = ListShape), Problems))]
async fn create_list(State(app): State<App>, command: Command<NewListShape>) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&body.code));
    let name = fields.take("name", bounded("name", &body.name, 1, NAME_CHARS_MAX));
    let read = (|| Some((code?, name?)))();
    let (code, name) = fields.done(read)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let made = list::create(tx, actor, world, (&code, &name))?;
        Reply::versioned(&ListShape::from(&made), made.version)
    })
    .await
}

/// Read a list
#[utoipa::path(get, path = "/v1/lists/{list}", operation_id = "read_list", tag = "segment",
    params(("list" = String, Path, description = "its id")), responses((status = 200, body = ListShape), Problems))]
async fn read_list(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(list): Path<String>,
) -> Result<Response, Problem> {
    let id = list_id(&list)?;
    let found = app.read(move |tx| list::read(tx, &actor, id)).await?;
    document(&ListShape::from(&found), Some(found.version))
}

/// What of a list is to be another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerListChange, example = json!({"name": "Press and friends"}))]
struct ChangeShape {
    /// What people read: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// Change a list
#[utoipa::path(patch, path = "/v1/lists/{list}", operation_id = "update_list", tag = "segment", request_body = ChangeShape,
    params(("list" = String, Path, description = "its id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ListShape), Problems))]
async fn update_list(
    State(app): State<App>,
    Path(list): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, read, body) = (list_id(&list)?, Some(command.version()?), command.body);
    let mut fields = Fields::new();
    let name = fields.take("name", bounded("name", &body.name, 1, NAME_CHARS_MAX));
    let name = fields.done(name)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let changed = list::rename(tx, actor, world, (id, &name), read)?;
        Reply::versioned(&ListShape::from(&changed), changed.version)
    })
    .await
}

/// Somebody on a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerListEntry, example = json!({"subject": "cus_01jd0000000000000000000000", "added_at": "2026-06-01T10:00:00Z"}))]
struct EntryShape {
    /// The person, as known now: a customer, or a profile of somebody who is none yet. Of people who became one each entry names that one.
    subject: String,
    /// When the person was put on the list.
    #[schema(format = DateTime)]
    added_at: String,
    #[serde(skip)]
    key: String,
}

impl From<&([u8; 16], Subject, Instant)> for EntryShape {
    fn from((key, subject, at): &([u8; 16], Subject, Instant)) -> EntryShape {
        let key = Id::<id::Customer>::from_bytes(*key).to_string();
        EntryShape { subject: subject.to_string(), added_at: at.to_string(), key }
    }
}

/// List who is on a list
#[utoipa::path(get, path = "/v1/lists/{list}/people", operation_id = "list_list_people", tag = "segment",
    params(("list" = String, Path, description = "its id"), PageQuery),
    responses((status = 200, body = Page<EntryShape>), Problems))]
async fn list_list_people(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(list): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, limit) = (list_id(&list)?, page.limit()?);
    let after = page.after_id::<id::Customer>()?.bytes();
    let found = app.read(move |tx| list::entries(tx, &actor, id, (after, limit))).await?;
    let shapes = found.iter().map(EntryShape::from).collect();
    document(&Page::new(shapes, limit, |one: &EntryShape| one.key.clone()), None)
}

/// Who is to be put on a list, or taken off it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerListPeople, example = json!({"people": ["cus_01jd0000000000000000000000"]}))]
struct PeopleShape {
    /// Ids of customers or profiles, 1 to 500.
    #[schema(min_items = 1, max_items = 500)]
    people: Vec<String>,
}

/// How many it was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerListMoved, example = json!({"people": 1}))]
struct MovedShape {
    /// How many were not on the list before, or are not any more.
    people: i64,
}

impl PeopleShape {
    fn read(&self) -> Result<Vec<Named>, Refusal> {
        let mut fields = Fields::new();
        let people = fields.each("people", &self.people, |fields, text| fields.take("id", Named::read(text)));
        fields.done(people)
    }
}

/// Put people on a list
///
/// Who is on it already stays on it.
#[utoipa::path(post, path = "/v1/lists/{list}/put", operation_id = "put_on_list", tag = "segment", request_body = PeopleShape,
    params(("list" = String, Path, description = "its id")), responses((status = 200, body = MovedShape), Problems))]
async fn put_on_list(
    State(app): State<App>,
    Path(list): Path<String>,
    command: Command<PeopleShape>,
) -> Result<Response, Problem> {
    let (id, people) = (list_id(&list)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&MovedShape { people: list::put(tx, actor, world, id, &people)? })
    })
    .await
}

/// Take people off a list
#[utoipa::path(post, path = "/v1/lists/{list}/take-off", operation_id = "take_off_list", tag = "segment", request_body = PeopleShape,
    params(("list" = String, Path, description = "its id")), responses((status = 200, body = MovedShape), Problems))]
async fn take_off_list(
    State(app): State<App>,
    Path(list): Path<String>,
    command: Command<PeopleShape>,
) -> Result<Response, Problem> {
    let (id, people) = (list_id(&list)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&MovedShape { people: list::take_off(tx, actor, world, id, &people)? })
    })
    .await
}
