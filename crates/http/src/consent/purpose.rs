//! Purposes and topics over the API.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::catalogue::short_code;
use domain::consent::{Basis, DAYS_MAX};
use engine::consent::purpose::{self, Purpose, Topic};
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

/// The routes of purposes and topics.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_purposes))
        .routes(routes!(set_purpose))
        .routes(routes!(list_topics))
        .routes(routes!(set_topic))
}

/// What data or attention is used for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Purpose, example = json!({"code": "marketing", "name": {"text": "News and offers", "translations": {"de": "Neuigkeiten und Angebote"}},
    "basis": "consent", "double_opt_in": true, "active": true}))]
struct PurposeShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
    /// On what it rests in law: `consent` (only who said yes), `legitimate_interest` or `contract` (whoever did not say no).
    basis: &'static str,
    /// Must a yes be confirmed from the address it was given for?
    double_opt_in: bool,
    /// For how many days a yes holds; absent for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    /// Can it be agreed to?
    active: bool,
}

impl From<&Purpose> for PurposeShape {
    fn from(one: &Purpose) -> PurposeShape {
        PurposeShape {
            code: one.code.clone(),
            name: WordingShape::from(&one.wording),
            basis: one.basis.text(),
            double_opt_in: one.double_opt_in,
            days: one.days,
            active: one.active,
        }
    }
}

/// List the purposes, by code
#[utoipa::path(get, path = "/v1/purposes", operation_id = "list_purposes", tag = "consent",
    responses((status = 200, body = Page<PurposeShape>), Problems))]
async fn list_purposes(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    let found = app.read(purpose::list).await?;
    document(&Page { items: found.iter().map(PurposeShape::from).collect(), next_cursor: None }, None)
}

/// A purpose as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PurposeChange, example = json!({"name": {"text": "News and offers"}, "basis": "consent", "double_opt_in": true}))]
struct SetPurposeShape {
    /// What people read.
    name: WordingShape,
    /// `consent`, `legitimate_interest` or `contract`.
    basis: String,
    /// Must a yes be confirmed from the address it was given for?
    double_opt_in: bool,
    /// For how many days a yes holds, 1 to 3650; for ever when left out.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<i64>,
    /// Can it be agreed to? Yes when not given.
    active: Option<bool>,
}

/// Write a purpose; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/purposes/{code}", operation_id = "set_purpose", tag = "consent", request_body = SetPurposeShape,
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = PurposeShape), Problems))]
async fn set_purpose(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetPurposeShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&code));
    let wording = fields.part("name", body.name.title());
    let basis = fields.take("basis", Basis::parse(&body.basis));
    if body.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        fields.refuse("days", format!("give 1 to {DAYS_MAX}"));
    }
    let read = (|| Some((code?, wording?, basis?)))();
    let (code, wording, basis) = fields.done(read)?;
    let (double_opt_in, days, active) = (body.double_opt_in, body.days, body.active.unwrap_or(true));
    let one = Purpose { code, wording, basis, double_opt_in, days, active };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&PurposeShape::from(&purpose::set(tx, actor, world, one.clone())?))
    })
    .await
}

/// What a message may be about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Topic, example = json!({"code": "shoes", "name": {"text": "Shoes", "translations": {"de": "Schuhe"}}, "active": true}))]
struct TopicShape {
    /// The short word it goes by.
    code: String,
    /// What people read.
    name: WordingShape,
    /// Can it be chosen?
    active: bool,
}

impl From<&Topic> for TopicShape {
    fn from(one: &Topic) -> TopicShape {
        TopicShape { code: one.code.clone(), name: WordingShape::from(&one.wording), active: one.active }
    }
}

/// List the topics, by code
#[utoipa::path(get, path = "/v1/topics", operation_id = "list_topics", tag = "consent",
    responses((status = 200, body = Page<TopicShape>), Problems))]
async fn list_topics(State(app): State<App>, _: Caller) -> Result<Response, Problem> {
    let found = app.read(purpose::topics).await?;
    document(&Page { items: found.iter().map(TopicShape::from).collect(), next_cursor: None }, None)
}

/// A topic as it shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TopicChange, example = json!({"name": {"text": "Shoes", "translations": {"de": "Schuhe"}}}))]
struct SetTopicShape {
    /// What people read.
    name: WordingShape,
    /// Can it be chosen? Yes when not given.
    active: Option<bool>,
}

/// Write a topic; the one with the same code is replaced
#[utoipa::path(put, path = "/v1/topics/{code}", operation_id = "set_topic", tag = "consent", request_body = SetTopicShape,
    params(("code" = String, Path, description = "The short word it goes by.")), responses((status = 200, body = TopicShape), Problems))]
async fn set_topic(
    State(app): State<App>,
    Path(code): Path<String>,
    command: Command<SetTopicShape>,
) -> Result<Response, Problem> {
    let body = command.body;
    let mut fields = Fields::new();
    let code = fields.take("code", short_code(&code));
    let wording = fields.part("name", body.name.title());
    let (code, wording) = fields.done(code.zip(wording))?;
    let one = Topic { code, wording, active: body.active.unwrap_or(true) };
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&TopicShape::from(&purpose::set_topic(tx, actor, world, one.clone())?))
    })
    .await
}
