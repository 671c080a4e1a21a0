//! Who has read what is known of a customer, and that the law forbids to forget one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::value::id::Customer;
use domain::value::{Reference, text};
use engine::external;
use engine::privacy::hold;
use engine::privacy::reading::{self, Reading};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of the reason of a legal hold.
const REASON_CHARS_MAX: usize = 300;

/// The routes of readings and legal holds.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_readings)).routes(routes!(
        read_legal_hold,
        set_legal_hold,
        lift_legal_hold
    ))
}

/// Who read something that is known of a customer, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reading, example = json!({"id": "evt_01jd0000000000000000000000", "what": "contact", "contact": "con_01jd0000000000000000000000",
    "by": "staff:stf_01jd0000000000000000000000", "at": "2026-06-01T10:00:00Z"}))]
struct ReadingShape {
    /// The event that tells of it.
    id: String,
    /// What was read: `contact`, `records`, `profile`, `consents`, `preferences`, `notes`, `messages`, `behaviour`, `visits`, `timeline`,
    /// `segments`, `traits` or `archive`.
    what: &'static str,
    /// The contact that was read, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
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
            what: one.part.text(),
            contact: one.contact.clone(),
            by: one.actor.clone(),
            at: one.at.to_string(),
        }
    }
}

/// List who read what is known of a customer, the newest first
///
/// What the customer reads of itself is in it only where it is the contact.
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
        reading::list(tx, &actor, id, (before, limit))
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
