//! Reasons over the API: the retailer's own codes.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::catalogue::short_code;
use domain::returns::Purpose;
use engine::returns::reason::{self, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::catalogue::WordingShape;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of reasons.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_reasons)).routes(routes!(set_reason))
}

/// A reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason, example = json!({"code": "too_small", "name": {"text": "Too small", "translations": {"de": "Zu klein"}}, "purposes": ["return", "exchange"], "active": true}))]
struct ReasonShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
    /// What it is for: `return`, `claim`, `exchange`, `reject` or `write_off`.
    purposes: Vec<&'static str>,
    /// Can it be chosen?
    active: bool,
}

impl From<&Reason> for ReasonShape {
    fn from(one: &Reason) -> ReasonShape {
        ReasonShape {
            code: one.code.clone(),
            name: WordingShape::from(&one.wording),
            purposes: one.purposes.iter().map(|purpose| purpose.text()).collect(),
            active: one.active,
        }
    }
}

/// List the reasons, by code
#[utoipa::path(get, path = "/v1/reasons", operation_id = "list_reasons", tag = "returns",
    responses((status = 200, body = Page<ReasonShape>), Problems))]
async fn list_reasons(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    let found = app.read(reason::list).await?;
    document(&Page { items: found.iter().map(ReasonShape::from).collect(), next_cursor: None }, None)
}

/// A reason as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReasonChange, example = json!({"name": {"text": "Too small", "translations": {"de": "Zu klein"}}, "purposes": ["return", "exchange"]}))]
struct SetReasonShape {
    /// What people read.
    name: WordingShape,
    /// What it is for: `return`, `claim`, `exchange`, `reject` or `write_off`.
    #[schema(min_items = 1, max_items = 5)]
    purposes: Vec<String>,
    /// Can it be chosen? Yes when not given.
    active: Option<bool>,
}

/// Write a reason; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/reasons/{code}", operation_id = "set_reason", tag = "returns", request_body = SetReasonShape,
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = ReasonShape), Problems))]
async fn set_reason(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetReasonShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&code));
    let wording = fields.part("name", body.name.title());
    if body.purposes.is_empty() || body.purposes.len() > Purpose::ALL.len() {
        fields.refuse("purposes", "name 1 to 5");
    }
    let mut purposes = Vec::new();
    for (place, word) in body.purposes.iter().take(Purpose::ALL.len()).enumerate() {
        purposes.extend(fields.take(&format!("purposes.{place}"), Purpose::parse(word)));
    }
    let (code, wording) = fields.done(code.zip(wording))?;
    let one = Reason { code, wording, purposes, active: body.active.unwrap_or(true) };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ReasonShape::from(&reason::set(tx, actor, world, one.clone())?))
    })
    .await
}
