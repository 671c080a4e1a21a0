//! Messages over the API: what became of each event at an endpoint, sending one again, and going on without one.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Id;
use engine::webhook::message::{self, Message, Which};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::known;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;

/// The routes of messages.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_webhook_messages))
        .routes(routes!(get_webhook_message))
        .routes(routes!(send_webhook_message_again))
        .routes(routes!(pass_webhook_message_over))
}

/// What became of an event at an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookMessage, example = json!({"event": "evt_01jd0000000000000000000000", "kind": "order.placed", "outcome": "failing", "attempts": 3,
    "first_at": "2026-11-21T09:30:00Z", "last_at": "2026-11-21T09:32:41Z", "status": 503, "said": "try later"}))]
struct MessageShape {
    /// The event's id, sent as `webhook-id`.
    event: String,
    /// What happened.
    kind: String,
    /// `taken`; `failing`: tried again by itself, and what follows waits; `passed_over`; `again`: about to be sent again; `failed`: sent again
    /// and not taken.
    outcome: &'static str,
    /// How often it was sent.
    attempts: i64,
    /// When first.
    #[schema(format = DateTime)]
    first_at: String,
    /// When last.
    #[schema(format = DateTime)]
    last_at: String,
    /// The receiver's last HTTP status; absent when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// The beginning of what it said, at most 500 characters, or why nothing was heard.
    said: String,
}

impl From<&Message> for MessageShape {
    fn from(message: &Message) -> MessageShape {
        MessageShape {
            event: message.event.to_string(),
            kind: message.kind.clone(),
            outcome: message.outcome.text(),
            attempts: message.attempts,
            first_at: message.first_at.to_string(),
            last_at: message.last_at.to_string(),
            status: message.status,
            said: message.said.clone(),
        }
    }
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct MessageQuery {
    /// Only those the receiver did not take.
    #[serde(default)]
    untaken: bool,
}

fn which(endpoint: &str, event: &str) -> Result<Which, Refusal> {
    let event = Id::parse(event).map_err(|_| Refusal::not_found("event", event))?;
    Ok((known(endpoint)?, event))
}

/// List what was sent to a webhook endpoint, the newest event first
///
/// Kept for 14 days; the events themselves are kept for ever, see `GET /v1/events`.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/messages", operation_id = "list_webhook_messages", tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id"), MessageQuery, PageQuery),
    responses((status = 200, body = Page<MessageShape>), Problems))]
async fn list_webhook_messages(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
    Asked(query): Asked<MessageQuery>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let list = move |tx: &mut Tx<'_>, before, limit| {
        message::list(tx, &actor, known(&id)?, (before, query.untaken), limit)
    };
    page.newest(&app, list, |one: &MessageShape| one.event.clone()).await
}

/// Read what became of an event at a webhook endpoint
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/messages/{event}", operation_id = "get_webhook_message", tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id"), ("event" = String, Path, description = "The event's id")),
    responses((status = 200, body = MessageShape), Problems))]
async fn get_webhook_message(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((id, event)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| message::read(tx, &actor, which(&id, &event)?)).await?;
    document(&MessageShape::from(&found), None)
}

/// Send an event to a webhook endpoint again
///
/// Once, by itself, whatever else waits there, under the same id. An endpoint that is disabled is sent it when it is enabled.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/messages/{event}/send-again", operation_id = "send_webhook_message_again",
    tag = "webhooks", params(("id" = String, Path, description = "The endpoint's id"), ("event" = String, Path, description = "The event's id"), KeyRequired),
    responses((status = 202, body = MessageShape), Problems))]
async fn send_webhook_message_again(
    State(app): State<App>,
    Path((id, event)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    app.perform(command.request, StatusCode::ACCEPTED, move |tx, actor, world| {
        Reply::json(&MessageShape::from(&message::send_again(tx, actor, world, which(&id, &event)?)?))
    })
    .await
}

/// Go on without an event that a webhook endpoint does not take
///
/// Otherwise what follows waits until it is taken, or the endpoint is disabled.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/messages/{event}/pass-over", operation_id = "pass_webhook_message_over",
    tag = "webhooks", params(("id" = String, Path, description = "The endpoint's id"), ("event" = String, Path, description = "The event's id"), KeyRequired),
    responses((status = 200, body = MessageShape), Problems))]
async fn pass_webhook_message_over(
    State(app): State<App>,
    Path((id, event)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&MessageShape::from(&message::pass_over(tx, actor, world, which(&id, &event)?)?))
    })
    .await
}
