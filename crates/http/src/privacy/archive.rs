//! What is kept of a person, as one document for programs or as a page for people; and who has read it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::value::id::Customer;
use domain::value::{Reference, text};
use engine::external;
use engine::privacy::archive::{self, Reading};
use engine::privacy::hold;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named;
use crate::App;
use crate::app::Reply;
use crate::asset;
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of the reason of a legal hold.
const REASON_CHARS_MAX: usize = 300;

/// The routes of archives, readings and legal holds.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_archive))
        .routes(routes!(print_archive))
        .routes(routes!(list_readings))
        .routes(routes!(read_legal_hold, set_legal_hold, lift_legal_hold))
}

/// Everything that is kept of who made a request
///
/// For a request for access or export that is verified. Each making is noted in the journal; the answer is kept nowhere.
#[utoipa::path(get, path = "/v1/privacy-requests/{request}/archive", operation_id = "read_archive", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = Value), Problems))]
async fn read_archive(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&archive::of_request(tx, actor, world, id)?)
    })
    .await
}

/// Everything that is kept of who made a request, as a page
///
/// The same, to be read and printed by people; it holds the document for programs as well.
#[utoipa::path(get, path = "/v1/privacy-requests/{request}/archive.html", operation_id = "print_archive", tag = "privacy",
    params(("request" = String, Path, description = "its id")), responses((status = 200, body = String, content_type = "text/html"), Problems))]
async fn print_archive(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let actor = command.actor().clone();
    let kept = app.write(move |tx, world| archive::of_request(tx, &actor, world, id)).await?;
    let document = serde_json::to_string_pretty(&kept).unwrap_or_default();
    let view = json!({ "request": id.to_string(), "sections": sections(&kept), "document": document });
    let mut page = asset::page("archive.html", view)?;
    page.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-store"));
    Ok(page.into_response())
}

/// The parts of an archive, each with rows of names and values.
fn sections(kept: &Value) -> Value {
    let rows = |thing: &Value| -> Value {
        let fields = thing.as_object().into_iter().flatten();
        fields
            .filter(|(_, value)| !value.is_null() && **value != json!([]))
            .map(|(name, value)| json!({ "name": name.replace('_', " "), "value": readable(value) }))
            .collect()
    };
    let section = |(name, part): (&String, &Value)| {
        let things: Vec<Value> = match part {
            Value::Array(things) => things.iter().map(rows).collect(),
            Value::Object(_) => vec![rows(part)],
            other => vec![json!([{ "name": "", "value": readable(other) }])],
        };
        json!({ "name": name.replace('_', " "), "things": things })
    };
    kept.as_object().into_iter().flatten().map(section).collect()
}

/// A value in words.
fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(readable).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let told = fields.iter().filter(|(_, value)| !value.is_null());
            told.map(|(name, value)| format!("{} {}", name.replace('_', " "), readable(value)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
}

/// Who read a contact, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reading, example = json!({"id": "evt_01jd0000000000000000000000", "contact": "con_01jd0000000000000000000000",
    "by": "staff:stf_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z"}))]
struct ReadingShape {
    /// The event that tells of it.
    id: String,
    /// The contact that was read.
    contact: String,
    /// Who read it.
    by: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

impl From<&Reading> for ReadingShape {
    fn from(one: &Reading) -> ReadingShape {
        ReadingShape {
            id: one.id.to_string(),
            contact: one.contact.clone(),
            by: one.actor.clone(),
            at: one.at.to_string(),
        }
    }
}

/// List who read what names a customer, the newest first
#[utoipa::path(get, path = "/v1/customers/{id}/reads", operation_id = "list_readings", tag = "privacy",
    params(("id" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<ReadingShape>), Problems))]
async fn list_readings(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let list = move |tx: &mut store::Tx<'_>, before, limit| {
        let id = external::resolve(tx, &reference)?;
        archive::readings(tx, &actor, id, (before, limit))
    };
    page.newest(&app, list, |one: &ReadingShape| one.id.clone()).await
}

/// Why a customer must not be forgotten.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegalHold, example = json!({"reason": "case 17/2026"}))]
struct HoldShape {
    /// The reason, which names nobody: 1 to 300 characters.
    #[schema(min_length = 1, max_length = 300)]
    reason: String,
}

/// Why must a customer not be forgotten?
#[utoipa::path(get, path = "/v1/customers/{id}/legal-hold", operation_id = "read_legal_hold", tag = "privacy",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = HoldShape), Problems))]
async fn read_legal_hold(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    let (reason, _) = app
        .read(move |tx| {
            let id = external::resolve(tx, &reference)?;
            hold::read(tx, &actor, id)
        })
        .await?;
    crate::app::document(&HoldShape { reason }, None)
}

/// Forbid that a customer is forgotten
///
/// As long as it holds, erasing is refused with `policy_refuses`.
#[utoipa::path(put, path = "/v1/customers/{id}/legal-hold", operation_id = "set_legal_hold", tag = "privacy", request_body = HoldShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = HoldShape), Problems))]
async fn set_legal_hold(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<HoldShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let reason = fields.take("reason", text::bounded("reason", &command.body.reason, 1, REASON_CHARS_MAX));
    let reason = fields.done(reason)?;
    let reference: Reference<Customer> = Reference::read(&id);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        hold::set(tx, actor, world, id, &reason)?;
        Reply::json(&HoldShape { reason: reason.clone() })
    })
    .await
}

/// Allow again that a customer is forgotten
#[utoipa::path(delete, path = "/v1/customers/{id}/legal-hold", operation_id = "lift_legal_hold", tag = "privacy",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 204), Problems))]
async fn lift_legal_hold(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference: Reference<Customer> = Reference::read(&id);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        hold::lift(tx, actor, world, id)?;
        Reply::json(&())
    })
    .await
}
