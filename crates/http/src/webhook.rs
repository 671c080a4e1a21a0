//! Webhooks over the API: where events are sent, the secrets that sign them, trying out, and sending again.

mod message;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::target::Target;
use domain::value::{Id, Instant, text};
use domain::webhook::{self as rules, Because, KINDS_MAX, Kind};
use engine::webhook::{self, EndpointChange, NewEndpoint, Standing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The most characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// The routes of webhooks.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_webhook_endpoint, list_webhook_endpoints))
        .routes(routes!(get_webhook_endpoint, change_webhook_endpoint, remove_webhook_endpoint))
        .routes(routes!(rotate_webhook_secret))
        .routes(routes!(ping_webhook_endpoint))
        .routes(routes!(replay_webhook_endpoint))
        .merge(message::routes())
}

/// Where events are sent. The secret is shown only when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint, example = json!({"id": "whe_01jd0000000000000000000000", "url": "https://example.com/events", "kinds": ["order.", "stock.received"],
    "description": "Data warehouse", "state": "enabled", "made_at": "2026-11-21T09:30:00Z", "version": 1}))]
struct EndpointShape {
    /// Its id.
    id: String,
    /// The address.
    url: String,
    /// Which events: kinds such as `order.placed`, or how they begin such as `order.`; all when empty.
    kinds: Vec<String>,
    /// What people say it is for.
    description: String,
    /// `enabled` or `disabled`.
    state: &'static str,
    /// Why it is disabled: `asked`, `failing` for days, or `gone` (it answered 410).
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'static str>,
    /// Since when it does not take an event; absent when it takes all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// When that is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    again_at: Option<String>,
    /// Until when the secret before the last change signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    old_secret_until: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Rises with every change.
    version: i64,
}

impl From<&Standing> for EndpointShape {
    fn from(standing: &Standing) -> EndpointShape {
        EndpointShape {
            failing_since: standing.failing_since.map(|at| at.to_string()),
            again_at: standing.again_at.map(|at| at.to_string()),
            ..EndpointShape::from(&standing.endpoint)
        }
    }
}

impl From<&webhook::Endpoint> for EndpointShape {
    fn from(endpoint: &webhook::Endpoint) -> EndpointShape {
        EndpointShape {
            id: endpoint.id.to_string(),
            url: endpoint.target.url().to_owned(),
            kinds: endpoint.kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            description: endpoint.description.clone(),
            state: endpoint.state.text(),
            because: endpoint.because.map(Because::text),
            failing_since: None,
            again_at: None,
            old_secret_until: endpoint.old.as_ref().map(|(_, until)| until.to_string()),
            made_at: endpoint.made_at.to_string(),
            version: endpoint.version,
        }
    }
}

/// An endpoint with the secret that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
struct SecretShape {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: EndpointShape,
    /// What signs the messages, as Standard Webhooks defines it. Shown only now.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// An endpoint to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhookEndpoint, example = json!({"url": "https://example.com/events", "kinds": ["order.", "stock.received"], "description": "Data warehouse"}))]
struct NewShape {
    /// The address: https, in the public network unless the operator allows others; at most 1,000 characters, without name and password.
    #[schema(max_length = 1000)]
    url: String,
    /// Which events: kinds such as `order.placed`, or how they begin such as `order.`; all when none is named.
    #[serde(default)]
    #[schema(max_items = 50)]
    kinds: Vec<String>,
    /// What it is for, at most 255 characters.
    #[serde(default)]
    #[schema(max_length = 255)]
    description: String,
}

/// What of an endpoint changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointChange, example = json!({"state": "enabled"}))]
struct ChangeShape {
    /// The address.
    #[schema(max_length = 1000)]
    url: Option<String>,
    /// Which events, from now on.
    #[schema(max_items = 50)]
    kinds: Option<Vec<String>>,
    /// What it is for.
    #[schema(max_length = 255)]
    description: Option<String>,
    /// `enabled` or `disabled`. What happens while it is disabled is sent when it is enabled.
    state: Option<String>,
}

/// The address, unless it is one that the operator does not allow.
fn target(app: &App, text: &str) -> Result<Target, String> {
    let target = Target::parse(text)?;
    let refused = target.why_private().filter(|_| !app.edge.settings.webhooks_to_private_addresses);
    refused.map_or(Ok(target), |why| Err(why.to_owned()))
}

fn kinds(fields: &mut Fields, texts: &[String]) -> Option<Vec<Kind>> {
    if texts.len() > KINDS_MAX {
        fields.refuse("kinds", format!("name at most {KINDS_MAX}"));
        return None;
    }
    let read = |(place, text): (usize, &String)| fields.take(&format!("kinds.{place}"), Kind::parse(text));
    let read: Vec<Option<Kind>> = texts.iter().enumerate().map(read).collect();
    read.into_iter().collect()
}

fn description(text: &str) -> Result<String, text::TextError> {
    text::bounded("description", text, 0, DESCRIPTION_CHARS_MAX)
}

impl NewShape {
    fn read(&self, app: &App) -> Result<NewEndpoint, Refusal> {
        let mut fields = Fields::new();
        let target = fields.take("url", target(app, &self.url));
        let kinds = kinds(&mut fields, &self.kinds);
        let description = fields.take("description", description(&self.description));
        let read = target.zip(kinds).zip(description);
        fields.done(read.map(|((target, kinds), description)| NewEndpoint { target, kinds, description }))
    }
}

impl ChangeShape {
    fn read(&self, app: &App) -> Result<EndpointChange, Refusal> {
        let mut fields = Fields::new();
        let target = fields.take_if("url", self.url.as_deref(), |text| target(app, text));
        let kinds = match &self.kinds {
            Some(texts) => kinds(&mut fields, texts).map(Some),
            None => Some(None),
        };
        let description = fields.take_if("description", self.description.as_deref(), description);
        let state = fields.take_if("state", self.state.as_deref(), rules::State::parse);
        let read = target.zip(kinds).zip(description).zip(state);
        let change = read.map(|(((target, kinds), description), state)| EndpointChange {
            target,
            kinds,
            description,
            state,
        });
        fields.done(change)
    }
}

fn known(text: &str) -> Result<Id<domain::value::id::WebhookEndpoint>, Refusal> {
    Id::parse(text).map_err(|_| Refusal::not_found("webhook endpoint", text))
}

/// Make a webhook endpoint
///
/// It is sent what happens from now on, as Standard Webhooks defines it: each event as in `GET /v1/events`, with the event's id as `webhook-id`,
/// the same each time it is sent. What happens to one thing arrives in its order. The answer shows the secret once. It is not kept for
/// repetition: an `Idempotency-Key` is ignored here, so that no secret is stored.
#[utoipa::path(post, path = "/v1/webhook-endpoints", operation_id = "create_webhook_endpoint", tag = "webhooks", request_body = NewShape,
    responses((status = 201, body = SecretShape), Problems))]
async fn create_webhook_endpoint(
    State(app): State<App>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let new = command.body.read(&app)?;
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let (endpoint, secret) = webhook::create(tx, actor, world, new.clone())?;
        let shape = SecretShape { endpoint: EndpointShape::from(&endpoint), secret: secret.text() };
        Reply::versioned(&shape, endpoint.version)
    })
    .await
}

/// List webhook endpoints
#[utoipa::path(get, path = "/v1/webhook-endpoints", operation_id = "list_webhook_endpoints", tag = "webhooks", params(PageQuery),
    responses((status = 200, body = Page<EndpointShape>), Problems))]
async fn list_webhook_endpoints(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| webhook::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(EndpointShape::from).collect();
    document(&Page::new(items, limit, |one: &EndpointShape| one.id.clone()), None)
}

/// Read a webhook endpoint
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", operation_id = "get_webhook_endpoint", tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")), responses((status = 200, body = EndpointShape), Problems))]
async fn get_webhook_endpoint(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| webhook::read(tx, &actor, known(&id)?)).await?;
    document(&EndpointShape::from(&found), Some(found.endpoint.version))
}

/// Change a webhook endpoint
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}", operation_id = "change_webhook_endpoint", tag = "webhooks", request_body = ChangeShape,
    params(("id" = String, Path, description = "The endpoint's id"), ("If-Match" = String, Header, description = "The version that was read")),
    responses((status = 200, body = EndpointShape), Problems))]
async fn change_webhook_endpoint(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (version, change) = (command.if_match, command.body.read(&app)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let standing = webhook::change(tx, actor, world, (known(&id)?, version), change.clone())?;
        Reply::versioned(&EndpointShape::from(&standing), standing.endpoint.version)
    })
    .await
}

/// Remove a webhook endpoint
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", operation_id = "remove_webhook_endpoint", tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id")),
    responses((status = 204, description = "Nothing is sent to it any more."), Problems))]
async fn remove_webhook_endpoint(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        webhook::remove(tx, actor, world, known(&id)?)?;
        Reply::json(&())
    })
    .await
}

/// How the secret changes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateWebhookSecret, example = json!({"at_once": false}))]
struct RotateShape {
    /// Does the old secret sign no more from now on, because it is known to others? Else it signs too for a day.
    #[serde(default)]
    at_once: bool,
}

/// Give a webhook endpoint a new secret
///
/// For a day each message carries two signatures, so that the receiver can change over. The answer shows the new secret once; an
/// `Idempotency-Key` is ignored here.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/rotate-secret", operation_id = "rotate_webhook_secret", tag = "webhooks",
    request_body = Option<RotateShape>, params(("id" = String, Path, description = "The endpoint's id")),
    responses((status = 200, body = SecretShape), Problems))]
async fn rotate_webhook_secret(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<Option<RotateShape>>,
) -> Result<Response, Problem> {
    let at_once = command.body.as_ref().is_some_and(|body| body.at_once);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let (endpoint, secret) = webhook::rotate(tx, actor, world, known(&id)?, at_once)?;
        let shape = SecretShape { endpoint: EndpointShape::from(&endpoint), secret: secret.text() };
        Reply::versioned(&shape, endpoint.version)
    })
    .await
}

/// An event that was made to try an endpoint out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookPing, example = json!({"event": "evt_01jd0000000000000000000000"}))]
struct PingShape {
    /// The event's id: what became of it is read at `…/messages/{event}`.
    event: String,
}

/// Try a webhook endpoint out
///
/// Sends it an event `webhook_endpoint.pinged`, whatever kinds it wants. What it did not take before is tried at once too.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/ping", operation_id = "ping_webhook_endpoint", tag = "webhooks",
    params(("id" = String, Path, description = "The endpoint's id"), KeyRequired),
    responses((status = 202, body = PingShape), Problems))]
async fn ping_webhook_endpoint(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    app.perform(command.request, StatusCode::ACCEPTED, move |tx, actor, world| {
        let event = webhook::ping(tx, actor, world, known(&id)?)?;
        Reply::json(&PingShape { event: event.to_string() })
    })
    .await
}

/// From when on events are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReplayWebhooks, example = json!({"from": "2026-11-21T00:00:00Z"}))]
struct ReplayShape {
    /// An instant that has passed.
    #[schema(format = DateTime)]
    from: String,
}

/// Send a webhook endpoint everything from an instant on
///
/// What it was sent since is sent again, under the same ids; what still waits from before is not sent. A new endpoint can so be told of the
/// past, and one that was long disabled be spared it.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/replay", operation_id = "replay_webhook_endpoint", tag = "webhooks",
    request_body = ReplayShape, params(("id" = String, Path, description = "The endpoint's id"), KeyRequired),
    responses((status = 200, body = EndpointShape), Problems))]
async fn replay_webhook_endpoint(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ReplayShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let from = Instant::parse(&command.body.from).map_err(|error| Refusal::invalid("from", error))?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let standing = webhook::replay(tx, actor, world, known(&id)?, from)?;
        Reply::json(&EndpointShape::from(&standing))
    })
    .await
}
