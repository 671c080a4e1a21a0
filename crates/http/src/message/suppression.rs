//! Addresses that are not written to, over the API: named in bodies, kept as hashes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::message::Suppressed;
use domain::value::Email;
use engine::message::suppression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of addresses that are not written to.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(suppress_address))
        .routes(routes!(find_suppression))
        .routes(routes!(release_address))
}

/// An address that is not to be written to.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSuppression, example = json!({"email": "ada@example.com", "reason": "bounced"}))]
struct NewSuppressionShape {
    /// The e-mail address. Only a keyed hash of it is kept.
    #[schema(max_length = 254)]
    email: String,
    /// `bounced`, `complained` (takes back every consent to mail, too) or `by_hand`.
    reason: String,
}

/// Write no more to an address
#[utoipa::path(post, path = "/v1/suppressions", operation_id = "suppress_address", tag = "message", request_body = NewSuppressionShape,
    responses((status = 204), Problems))]
async fn suppress_address(
    State(app): State<App>,
    command: Command<NewSuppressionShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let email = fields.take("email", Email::parse(&command.body.email));
    let reason = fields.take("reason", Suppressed::parse(&command.body.reason));
    if reason == Some(Suppressed::Erased) {
        fields
            .refuse("reason", "give bounced, complained or by_hand; who was erased is put on the list by it");
    }
    let (email, reason) = fields.done(email.zip(reason))?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        suppression::add(tx, actor, world, &email, reason)?;
        Reply::json(&())
    })
    .await
}

/// An e-mail address.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmailAddress, example = json!({"email": "ada@example.com"}))]
pub(super) struct EmailShape {
    /// The address; capitals do not matter.
    #[schema(max_length = 254)]
    email: String,
}

impl EmailShape {
    pub(super) fn read(&self) -> Result<Email, domain::Refusal> {
        let mut fields = Fields::new();
        let email = fields.take("email", Email::parse(&self.email));
        fields.done(email)
    }
}

/// Why an address is not written to.
#[derive(Serialize, ToSchema)]
#[schema(as = Suppression, example = json!({"reason": "bounced", "at": "2026-06-01T10:00:00Z"}))]
struct SuppressionShape {
    /// `bounced`, `complained`, `by_hand` or `erased`.
    reason: &'static str,
    /// Since when.
    #[schema(format = DateTime)]
    at: String,
}

/// Why is an address not written to?
#[utoipa::path(post, path = "/v1/suppressions/find", operation_id = "find_suppression", tag = "message", request_body = EmailShape,
    responses((status = 200, body = SuppressionShape), Problems))]
async fn find_suppression(State(app): State<App>, command: Command<EmailShape>) -> Result<Response, Problem> {
    let email = command.body.read()?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let (reason, at) = suppression::find(tx, actor, world, &email)?;
        Reply::json(&SuppressionShape { reason: reason.text(), at: at.to_string() })
    })
    .await
}

/// Write to an address again
#[utoipa::path(post, path = "/v1/suppressions/release", operation_id = "release_address", tag = "message", request_body = EmailShape,
    responses((status = 204), Problems))]
async fn release_address(State(app): State<App>, command: Command<EmailShape>) -> Result<Response, Problem> {
    let email = command.body.read()?;
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        suppression::remove(tx, actor, world, &email)?;
        Reply::json(&())
    })
    .await
}
