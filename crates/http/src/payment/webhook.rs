//! Hearing from payment providers: a signed message is the credential; each is heard once, however often it comes.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::value::Id;
use domain::value::id::Payment as PaymentKind;
use engine::payment::provider::test_secret;
use engine::payment::{self, Operation, Verdict};
use engine::signature::{self, Headers};
use engine::{Key, Request};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes on which providers tell us.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(receive_test_webhook))
}

/// What the test provider tells.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TestWebhook, example = json!({"type": "payment.operation", "data": {"payment": "pay_01jd0000000000000000000000",
    "key": "pay_01jd0000000000000000000000", "status": "done", "id": "tp_1", "reason": null}}))]
struct WebhookShape {
    /// Always `payment.operation`.
    #[serde(rename = "type")]
    kind: String,
    /// The operation.
    data: OperationShape,
}

/// An operation of a payment at the provider.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = TestWebhookOperation, example = json!({"payment": "pay_01jd0000000000000000000000", "key": "pay_01jd0000000000000000000000",
    "status": "done", "id": "tp_1", "reason": null}))]
struct OperationShape {
    /// The payment's id.
    payment: String,
    /// The key under which we asked for the operation.
    key: String,
    /// `pending`, `done` or `declined`.
    status: String,
    /// The provider's own id of the operation.
    id: Option<String>,
    /// Why it was declined.
    reason: Option<String>,
}

impl WebhookShape {
    fn read(self) -> Result<(Id<PaymentKind>, Operation, Verdict), Refusal> {
        let OperationShape { payment, key, status, id: reference, reason } = self.data;
        let mut fields = Fields::new();
        if self.kind != "payment.operation" {
            fields.refuse("type", "give \"payment.operation\"");
        }
        let id = fields.id("data.payment", &payment);
        let known = id.and_then(|id| Operation::of_key(id, &key));
        let operation = fields.take("data.key", known.ok_or("is no key of this payment"));
        let verdict = match status.as_str() {
            "pending" => Ok(Verdict::Pending { reference }),
            "done" => Ok(Verdict::Done { reference }),
            "declined" => Ok(Verdict::Declined { reason: reason.unwrap_or_else(|| "declined".into()) }),
            _ => Err("give pending, done or declined"),
        };
        let verdict = fields.take("data.status", verdict);
        fields.done(id.zip(operation).zip(verdict).map(|((id, operation), verdict)| (id, operation, verdict)))
    }
}

/// Hear from the test provider
///
/// The message is signed as Standard Webhooks defines it; the signature is the credential. The same `webhook-id` is heard once.
#[utoipa::path(post, path = "/v1/payments/webhooks/test", operation_id = "receive_test_webhook", tag = "payment",
    params(("webhook-id" = String, Header, description = "The message's id, the same each time it is sent."),
        ("webhook-timestamp" = String, Header, description = "When it is sent, in seconds since 1970; within five minutes of our clock."),
        ("webhook-signature" = String, Header, description = "`v1,` and the base64 of the HMAC-SHA-256 of id, timestamp and body.")),
    request_body = WebhookShape, responses((status = 204, description = "It was heard."), Problems))]
async fn receive_test_webhook(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp, signature) =
        (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
    let secret = test_secret(&app.shop.keyring);
    signature::verify(&secret, Headers { id, timestamp, signature }, &body, app.shop.source.now())?;
    let told: WebhookShape = serde_json::from_slice(&body)
        .map_err(|error| Problem::unreadable(format!("the body is not as agreed: {error}")))?;
    let (payment, operation, verdict) = told.read()?;
    let key = Key { text: format!("webhook test {id}"), input_hash: Sha256::digest(&body).into() };
    let request = Request { actor: Actor::system(), key: Some(key) };
    app.perform(request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        payment::outcome(tx, actor, world, payment, operation, &verdict)?;
        Reply::json(&())
    })
    .await
}
