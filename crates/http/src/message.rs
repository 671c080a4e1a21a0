//! Messages over the API: what was sent to whom, what waits, and why something was not sent.

mod sign_up;
mod suppression;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::consent::Cell;
use domain::identity::Part;
use domain::message::{Failed, Template};
use domain::value::id::{Customer, Message as MessageKind, Product};
use domain::value::{Id, Reference};
use engine::identity::reading::Whom;
use engine::message::{self, Message, NewMessage};
use engine::{catalogue, external};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::consent::given;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of messages.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_messages, write_message))
        .routes(routes!(send_message_again))
        .merge(sign_up::routes())
        .merge(suppression::routes())
}

/// Something sent to one person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message, example = json!({"id": "msg_01jd0000000000000000000000", "medium": "mail", "kind": "marketing", "purpose": "marketing",
    "consent": "cst_01jd0000000000000000000000", "template": "product", "language": "en", "state": "queued", "due_at": "2026-06-01T10:00:00Z",
    "tries": 0, "made_at": "2026-06-01T10:00:00Z"}))]
struct MessageShape {
    /// Its id.
    id: String,
    /// Over what: `mail`.
    medium: &'static str,
    /// `transactional` (it belongs to what the person asked for) or `marketing`.
    kind: &'static str,
    /// For which purpose, when it advertises.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    /// On which topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// The consent it was written with.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<String>,
    /// What it says.
    template: &'static str,
    /// In which language.
    language: String,
    /// `queued`, `sending`, `sent`, `failed` or `withdrawn` (its consent was taken back before it left).
    state: &'static str,
    /// Why it failed: `refused`, `unreachable`, `interrupted`, `suppressed`, `no_address` or `gone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'static str>,
    /// Not before then.
    #[schema(format = DateTime)]
    due_at: String,
    /// How often handing it over was begun.
    tries: i64,
    /// When it was written.
    #[schema(format = DateTime)]
    made_at: String,
}

impl From<&Message> for MessageShape {
    fn from(one: &Message) -> MessageShape {
        MessageShape {
            id: one.id.to_string(),
            medium: one.medium.text(),
            kind: one.kind.text(),
            purpose: one.cell.as_ref().map(|cell| cell.purpose.clone()),
            topic: one.cell.as_ref().and_then(|cell| given(&cell.topic)),
            consent: one.consent.map(|consent| consent.to_string()),
            template: one.template.text(),
            language: one.language.to_string(),
            state: one.state.text(),
            failed: one.failed.map(Failed::text),
            due_at: one.due_at.to_string(),
            tries: one.tries,
            made_at: one.made_at.to_string(),
        }
    }
}

/// List the messages to a customer, the newest first
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/messages", operation_id = "list_messages", tag = "message",
    params(("id" = String, Path, description = "its id or external id"), PageQuery),
    responses((status = 200, body = Page<MessageShape>), Problems))]
async fn list_messages(
    State(app): State<App>,
    Path(id): Path<String>,
    Asked(page): Asked<PageQuery>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let (limit, before) = (page.limit()?, page.before_id()?);
    app.show(command.unkeyed().request, Part::Messages, move |tx, actor, _| {
        let id = external::resolve(tx, &reference)?;
        let found = message::list(tx, actor, id, (before, limit))?;
        let shapes = found.iter().map(MessageShape::from).collect();
        Ok((Whom::Customer(id), Reply::json(&Page::new(shapes, limit, |one: &MessageShape| one.id.clone()))?))
    })
    .await
}

/// A message that advertises.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMessage, example = json!({"purpose": "marketing", "medium": "mail", "product": "MUG"}))]
struct NewMessageShape {
    /// The code of the purpose.
    purpose: String,
    /// Over what: `mail`.
    medium: String,
    /// The code of the topic; none when left out.
    topic: Option<String>,
    /// The product it tells of: its id or external id.
    product: String,
    /// Not before then; at once when left out.
    #[schema(format = DateTime)]
    due_at: Option<String>,
}

/// Write a message to a customer
///
/// Refused with `no_consent` unless the customer has agreed to it. If the consent is taken back before it leaves, it does not leave.
#[utoipa::path(post, path = "/v1/customers/{id}/messages", operation_id = "write_message", tag = "message", request_body = NewMessageShape,
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 201, body = MessageShape), Problems))]
async fn write_message(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewMessageShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let body = &command.body;
    let mut fields = Fields::new();
    let due_at = body.due_at.as_deref().map(|text| fields.instant("due_at", text));
    let due_at = fields.done(due_at.map_or(Some(None), |at| at.map(Some)))?;
    let cell = Cell::read(&body.purpose, Some(&body.medium), body.topic.as_deref())?;
    let (reference, product): (Reference<Customer>, Reference<Product>) =
        (Reference::read(&id), Reference::read(&body.product));
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let product = external::resolve_at(tx, "product", &product)?;
        catalogue::find(tx, &Reference::Id(product))?;
        let new = NewMessage {
            to: id.shared_with(),
            contact: None,
            template: Template::Product,
            parameters: json!({ "product": product.to_string() }),
            cell: Some(cell.clone()),
            link: None,
            due_at,
            language: None,
        };
        Reply::json(&MessageShape::from(&message::to_customer(tx, actor, world, id, new)?))
    })
    .await
}

/// Send a message again that failed
#[utoipa::path(post, path = "/v1/customers/{id}/messages/{message}/send-again", operation_id = "send_message_again", tag = "message",
    params(("id" = String, Path, description = "the customer's id or external id"), ("message" = String, Path, description = "the message's id")),
    responses((status = 200, body = MessageShape), Problems))]
async fn send_message_again(
    State(app): State<App>,
    Path((id, message)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let reference: Reference<Customer> = Reference::read(&id);
    let message: Id<MessageKind> =
        Id::parse(&message).map_err(|_| domain::Refusal::not_found("message", &message))?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        Reply::json(&MessageShape::from(&message::send_again(tx, actor, world, (id, message))?))
    })
    .await
}
